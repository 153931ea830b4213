import { describe, expect, test } from "bun:test"
import { createMetrics, fieldOf } from "../../src/observe/metrics.ts"
import { changed, dropped, fault } from "../../src/protocol/fault.ts"
import { exchange, randomExchange, usage } from "../support/exchanges.ts"
import { checkExposition, figure, samplesOf } from "../support/prometheus.ts"
import { property } from "../support/random.ts"

describe("the field of a note", () => {
  test.each([
    ["max_tokens", "max_tokens"],
    ["messages.12.content.3", "messages.content"],
    ["messages.0.content.1.content.2", "messages.content.content"],
    ["tools.4.input_schema.properties.secret name.const", "tools.input_schema"],
    ["tools.4.strict", "tools.strict"],
    ["output_config.format.schema.properties.x", "output_config.format.schema"],
    ["a.b.c.d.e", "a.b.c"],
  ])("%s: %s", (path, field) => {
    expect(fieldOf(path)).toBe(field)
  })
})

/** The lines of one family: HELP, TYPE, and its samples. */
function familyOf(text: string, name: string): readonly string[] {
  return text.split("\n").filter((line) => line.replace(/^# (?:HELP|TYPE) /, "").startsWith(name))
}

describe("what was dropped or changed of requests", () => {
  test("by provider, field and what was done", () => {
    const metrics = createMetrics()
    metrics.recordNotes("groq", [dropped("top_k", "no"), changed("tools.0.input_schema.x", "no")])
    metrics.recordNotes("groq", [dropped("top_k", "no"), changed("tools.7.input_schema.y.z", "no")])
    metrics.recordNotes("openai", [dropped("top_k", "no")])
    expect(familyOf(metrics.render(), "claude_proxy_request_fields_total")).toEqual([
      expect.stringMatching(/^# HELP claude_proxy_request_fields_total /),
      "# TYPE claude_proxy_request_fields_total counter",
      'claude_proxy_request_fields_total{provider="groq",field="top_k",action="dropped"} 2',
      'claude_proxy_request_fields_total{provider="groq",field="tools.input_schema",action="changed"} 2',
      'claude_proxy_request_fields_total{provider="openai",field="top_k",action="dropped"} 1',
    ])
  })

  test("names that a client makes up do not grow without end, and cannot break a line", () => {
    const metrics = createMetrics()
    for (let count = 0; count < 2_000; count++)
      metrics.recordNotes("x", [dropped(`field_${count}"\n\\`, "no")])
    const lines = familyOf(metrics.render(), "claude_proxy_request_fields_total")
    expect(lines.length).toBe(503)
    expect(lines[2]).toBe(
      'claude_proxy_request_fields_total{provider="x",field="field_0\\"\\n\\\\",action="dropped"} 1',
    )
    expect(lines.at(-1)).toBe(
      'claude_proxy_request_fields_total{provider="x",field="other",action="dropped"} 1500',
    )
  })

  test("the notes of a request are counted with it", () => {
    const metrics = createMetrics()
    metrics.recordExchange(exchange({ notes: [dropped("top_k", "no")] }))
    expect(figure(metrics.render(), "claude_proxy_request_fields_total", { field: "top_k" })).toBe(1)
  })
})

const upstreamFault = fault({ kind: "overloaded_error", source: "upstream", message: "no" })
const ownFault = fault({ kind: "invalid_request_error", source: "client", message: "no" })

describe("one request", () => {
  test.each([
    ["completed", exchange(), { model: "gpt-4o", provider: "openai", status: "200", stream: "true" }],
    ["not streamed", exchange({ stream: false }), { status: "200", stream: "false" }],
    ["left", exchange({ outcome: { kind: "cancelled" } }), { status: "cancelled" }],
    ["failed", exchange({ outcome: { kind: "failed", fault: upstreamFault } }), { status: "529" }],
    ["without a model", exchange({ model: "" }), { model: "none", provider: "openai" }],
  ])("%s", (_name, given, labels) => {
    const metrics = createMetrics()
    metrics.recordExchange(given)
    expect(figure(metrics.render(), "claude_proxy_requests_total", labels)).toBe(1)
    expect(figure(metrics.render(), "claude_proxy_requests_total")).toBe(1)
  })

  test("refused before a model was asked", () => {
    const metrics = createMetrics()
    metrics.recordRefusal(413)
    metrics.recordRefusal("cancelled")
    const about = { model: "none", provider: "none", stream: "none" }
    const text = metrics.render()
    expect(figure(text, "claude_proxy_requests_total", { ...about, status: "413" })).toBe(1)
    expect(figure(text, "claude_proxy_requests_total", { ...about, status: "cancelled" })).toBe(1)
  })

  test("its times, in seconds; what it never came to is not among them", () => {
    const metrics = createMetrics()
    metrics.recordExchange(exchange({ durationMs: 61_000, firstContentMs: 2_000, upstreamWaitMs: 1_500 }))
    metrics.recordExchange(exchange({ durationMs: 10, firstContentMs: undefined }))
    const text = metrics.render()
    const times = ["request_duration", "first_token", "upstream_wait"].map((name) =>
      ["count", "sum"].map((end) => figure(text, `claude_proxy_${name}_seconds_${end}`, { stream: "true" })),
    )
    expect(times).toEqual([
      [2, 61.01],
      [1, 2],
      [1, 1.5],
    ])
    const upTo = (le: string) =>
      figure(text, "claude_proxy_request_duration_seconds_bucket", { model: "gpt-4o", le })
    expect(["0.01", "60", "120", "+Inf"].map(upTo)).toEqual([1, 1, 2, 2])
  })

  test("its tokens and its cost", () => {
    const metrics = createMetrics()
    const cached = { cache_read_input_tokens: 30, cache_creation_input_tokens: 4 }
    const thinking = { output_tokens_details: { thinking_tokens: 2 } }
    metrics.recordExchange(exchange({ usage: usage(10, 5, { ...cached, ...thinking }), costUsd: 0.25 }))
    metrics.recordExchange(exchange({ usage: usage(1, 1) }))
    const text = metrics.render()
    const kinds = ["input", "output", "cache_read", "cache_creation", "reasoning"]
    expect(kinds.map((kind) => figure(text, "claude_proxy_tokens_total", { model: "gpt-4o", kind }))).toEqual(
      [...[11, 6, 30, 4, 2]],
    )
    expect(figure(text, "claude_proxy_cost_usd_total", { model: "gpt-4o" })).toBe(0.25)
    expect(figure(text, "claude_proxy_cost_unknown_requests_total", { model: "gpt-4o" })).toBe(1)
  })

  test("its tools, and what had to be repaired of their arguments", () => {
    const metrics = createMetrics()
    const at = (position: number) => `tool_calls.${position}.function.arguments`
    const repairs = [changed(at(0), "a comma"), changed(at(0), "a quote"), changed(at(2), "a comma")]
    const reply = { events: 9, calls: { Read: 2, Write: 1 }, thought: false }
    metrics.recordExchange(exchange({ reply, repairs: [...repairs, dropped("tool_calls.3", "no name")] }))
    metrics.recordExchange(exchange({ model: "other-model" }))
    const figures = (model: string) =>
      ["tool_calls", "repaired_arguments"].map((name) =>
        figure(metrics.render(), `claude_proxy_${name}_total`, { model }),
      )
    expect(figures("gpt-4o")).toEqual([3, 2])
    // Known not to have happened, which is more than not known.
    expect(figures("other-model")).toEqual([0, 0])
  })

  test("what its upstreams failed of, how often it was sent again, and who answered instead", () => {
    const metrics = createMetrics()
    const failures = [
      { provider: "groq", kind: "api_error" },
      { provider: "groq", kind: "overloaded_error", moved: true },
    ] as const
    metrics.recordExchange(exchange({ attempts: 3, failures, fallbackFrom: "llama" }))
    metrics.recordExchange(exchange({ outcome: { kind: "failed", fault: upstreamFault } }))
    metrics.recordExchange(exchange({ outcome: { kind: "failed", fault: ownFault } }))
    const text = metrics.render()
    const errors = samplesOf(text).filter(({ name }) => name === "claude_proxy_upstream_errors_total")
    expect(errors.map(({ labels, value }) => [labels["provider"], labels["kind"], value])).toEqual([
      ["groq", "api_error", 1],
      ["groq", "overloaded_error", 1],
      ["openai", "overloaded_error", 1],
    ])
    // The second one was followed by another model, which failed nobody.
    expect(figure(text, "claude_proxy_retries_total", { provider: "groq" })).toBe(1)
    expect(figure(text, "claude_proxy_retries_total", { provider: "openai" })).toBe(0)
    expect(figure(text, "claude_proxy_fallbacks_total", { from: "llama", to: "gpt-4o" })).toBe(1)
  })

  test("the cache, limits and keys", () => {
    const metrics = createMetrics()
    const cached = (): readonly unknown[] =>
      ["hits", "misses"].map((name) => figure(metrics.render(), `claude_proxy_cache_${name}_total`))
    expect(cached()).toEqual([0, 0])
    for (const cache of ["hit", "miss", "hit", undefined] as const)
      metrics.recordExchange(exchange({ cache }))
    expect(cached()).toEqual([2, 1])
    metrics.recordExchange(exchange({ shared: true }))
    expect(figure(metrics.render(), "claude_proxy_shared_replies_total")).toBe(1)
    metrics.rateLimited("key-2")
    metrics.rateLimited()
    metrics.keyRested("groq")
    const text = metrics.render()
    expect(figure(text, "claude_proxy_rate_limited_total", { client: "key-2" })).toBe(1)
    expect(figure(text, "claude_proxy_rate_limited_total", { client: "none" })).toBe(1)
    expect(figure(text, "claude_proxy_key_rests_total", { provider: "groq" })).toBe(1)
  })
})

describe("the process", () => {
  test("its version, its beginning, its memory and what is under way", () => {
    let streams = 1
    const metrics = createMetrics({
      version: "1.2.3",
      startedAt: 1_760_000_000_500,
      inFlight: () => ({ requests: 3, streams }),
      residentBytes: () => 50_000_000,
    })
    streams = 2
    const text = metrics.render()
    expect(checkExposition(text)).toEqual([])
    expect(figure(text, "claude_proxy_build_info", { version: "1.2.3" })).toBe(1)
    expect(figure(text, "claude_proxy_requests_in_flight")).toBe(3)
    expect(figure(text, "claude_proxy_streams_in_flight")).toBe(2)
    expect(figure(text, "process_start_time_seconds")).toBe(1_760_000_000.5)
    expect(figure(text, "process_resident_memory_bytes")).toBe(50_000_000)
  })
})

describe("anything", () => {
  test("10,000 models with names that want to break out: strict, read whole, and of bounded size", () => {
    const metrics = createMetrics({ secrets: () => ["a-secret-of-the-settings"] })
    for (let count = 0; count < 10_000; count++) {
      const model = `m${count}"} 1\n\\{x="🎯\u0000`
      metrics.recordExchange(exchange({ model, stream: count % 2 === 0, fallbackFrom: `${model}!` }))
    }
    metrics.recordExchange(exchange({ model: "sk-proj-0123456789abcdef" }))
    metrics.recordExchange(exchange({ model: "x a-secret-of-the-settings x" }))
    const text = metrics.render()
    expect(checkExposition(text)).toEqual([])
    const samples = samplesOf(text)
    expect(figure(samples, "claude_proxy_requests_total")).toBe(10_002)
    expect(figure(samples, "claude_proxy_request_duration_seconds_count")).toBe(10_002)
    expect(figure(samples, "claude_proxy_fallbacks_total")).toBe(10_000)
    expect(text).not.toContain("sk-proj")
    expect(text).not.toContain("a-secret")
    expect(text.length).toBeLessThan(2_000_000)
  })

  property("random requests: strict, and the sums are those of the requests", 30, (random) => {
    const metrics = createMetrics()
    const exchanges = Array.from({ length: random.integer(1, 40) }, () => randomExchange(random))
    for (const one of exchanges) metrics.recordExchange(one)
    const text = metrics.render()
    expect(checkExposition(text)).toEqual([])
    const samples = samplesOf(text)
    expect(figure(samples, "claude_proxy_requests_total")).toBe(exchanges.length)
    const output = exchanges.reduce((sum, one) => sum + one.usage.output_tokens, 0)
    expect(figure(samples, "claude_proxy_tokens_total", { kind: "output" })).toBe(output)
    const cost = exchanges.reduce((sum, one) => sum + (one.costUsd ?? 0), 0)
    expect(figure(samples, "claude_proxy_cost_usd_total") ?? 0).toBe(cost)
  })
})
