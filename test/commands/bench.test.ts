// `bench` as its user runs it: the same request by both ways, what is told of them, and how it ends.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { type BenchOptions, benchConfig } from "../../src/commands/bench/bench.ts"
import { readSample } from "../../src/commands/bench/sample.ts"
import { encodeSse } from "../../src/protocol/sse.ts"
import { configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { configFor, configForProfile } from "../server/probe-support.ts"
import { scripted, stopAll } from "../server/support.ts"
import { createMessagesUpstream } from "../support/anthropic-upstream.ts"
import { chatReply, deltaChunk, finishChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { inWorld } from "../support/command-io.ts"
import { runProxy } from "../support/proxy.ts"
import { eventsOf } from "../support/responses/events.ts"
import { messageItem } from "../support/responses/items.ts"
import { createResponsesUpstream } from "../support/responses/upstream.ts"
import type { Turn } from "../support/script.ts"

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  await stopAll()
})
afterAll(removeFolders)

type Config = Parameters<typeof benchConfig>[0]

const usual = { rounds: 2, maxTokens: 64, json: true, timeoutSeconds: 20 } as const

const run = (config: Config, options: Partial<BenchOptions> = {}) =>
  inWorld({}, (io) => benchConfig(config, { ...usual, ...options }, io))

const streamed: Turn = {
  kind: "stream",
  chunks: [textChunk("one, "), textChunk("two"), finishChunk("stop"), usageChunk(20, 2)],
}

describe("both ways get the same request", () => {
  test("Chat Completions: byte for byte, with the same head, in turns", async () => {
    const upstream = scripted(() => streamed)
    const { code, out } = await run(configFor(upstream.url, { RATE_LIMIT_REQUESTS_PER_MINUTE: "1" }))
    expect(code).toBe(0)
    // Two that are not counted, two rounds of two.
    expect(upstream.requests).toHaveLength(6)
    const [first] = upstream.requests
    for (const { text, headers, path } of upstream.requests) {
      expect(path).toBe("/v1/chat/completions")
      expect(text).toBe(first?.text ?? "")
      expect(headers).toEqual(first?.headers ?? {})
    }
    expect(first?.body).toMatchObject({ model: "big-model", stream: true, max_tokens: 64 })
    expect(JSON.parse(out)).toMatchObject({
      ...{ model: "big-model", provider: "generic", upstream_model: "big-model", rounds: 2 },
      direct: { input_tokens: { median: 20, min: 20, max: 20 }, output_tokens: { median: 2 } },
      proxy: { input_tokens: { median: 20, min: 20, max: 20 }, output_tokens: { median: 2 } },
      tokens: "same",
    })
  })

  test("what the upstream refuses is left out of both", async () => {
    const refusal: Turn = {
      kind: "json",
      status: 400,
      body: { error: { message: "Unsupported parameter: 'stream_options'", param: "stream_options" } },
    }
    const upstream = scripted((body) => (body["stream_options"] === undefined ? streamed : refusal))
    expect((await run(configFor(upstream.url))).code).toBe(0)
    const bodies = upstream.requests.map(({ text }) => text)
    expect(bodies).toHaveLength(7)
    expect(new Set(bodies.slice(1)).size).toBe(1)
  })

  test("of several keys one that works", async () => {
    const upstream = scripted(() => {
      const dead = upstream.requests.at(-1)?.headers["authorization"] === "Bearer sk-dead-0123456789"
      return dead ? { kind: "json", status: 401, body: { error: { message: "no" } } } : streamed
    })
    const keys = { OPENAI_API_KEY: "sk-dead-0123456789,sk-good-0123456789" }
    expect((await run(configFor(upstream.url, keys))).code).toBe(0)
    const used = upstream.requests.map(({ headers }) => headers["authorization"]?.slice(7, 14))
    expect(used.slice(-4)).toEqual(["sk-good", "sk-good", "sk-good", "sk-good"])
  })

  test("Responses, and Chat Completions where there is no Responses API", async () => {
    const events = eventsOf([messageItem("1", "one, two")])
    const upstream = createResponsesUpstream(() => ({ kind: "events", events }))
    stops.push(upstream.stop)
    const yaml = (url: string) =>
      folderWith({ "models.yaml": `- {model_id: mine, api_base: ${url}, dialect: responses}\n` })
    const config = (url: string) => configOf(load({ env: { BIG_MODEL: "mine" }, configDir: yaml(url) }))
    const { code, out, error } = await run(config(upstream.url))
    expect([code, error.split("\n").slice(1)]).toEqual([0, [""]])
    expect(JSON.parse(out).tokens).toBe("same")
    expect(new Set(upstream.requests.map(({ text }) => text)).size).toBe(1)
    expect(upstream.refusals()).toEqual([])

    const chat = scripted(() => streamed)
    expect((await run(config(chat.url))).code).toBe(0)
    expect(chat.turns().length).toBe(6)
  })

  test("an upstream that speaks Messages itself", async () => {
    const event = (data: { readonly type: string; readonly [name: string]: unknown }) =>
      encodeSse(data.type, JSON.stringify(data))
    const turn = {
      headers: { "content-type": "text/event-stream" },
      steps: [
        event({
          type: "message_start",
          message: {
            id: "m",
            type: "message",
            role: "assistant",
            content: [],
            model: "claude",
            usage: { input_tokens: 3, cache_read_input_tokens: 17, output_tokens: 1 },
          },
        }),
        event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
        event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "one, two" } }),
        event({ type: "content_block_stop", index: 0 }),
        event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }),
        event({ type: "message_stop" }),
      ],
    }
    const upstream = createMessagesUpstream(Array.from({ length: 6 }, () => turn))
    stops.push(upstream.stop)
    const url = upstream.url.replace("/v1/messages", "")
    const configDir = folderWith({
      "models.yaml": `- {model_id: mine, api_base: ${url}, direct: true, api_key_name: MINE_KEY}\n`,
    })
    const config = configOf(load({ env: { BIG_MODEL: "mine", MINE_KEY: "k-0123456789" }, configDir }))
    const { code, out, error } = await run(config)
    expect([code, error.split("\n").length]).toEqual([0, 2])
    expect(JSON.parse(out)).toMatchObject({
      direct: { input_tokens: { median: 20 }, output_tokens: { median: 5 } },
      ...{ tokens: "same", overhead: { size_percent: 0 } },
    })
    expect(new Set(upstream.calls.map(({ text }) => text)).size).toBe(1)
    expect(new Set(upstream.calls.map(({ headers }) => headers["authorization"]))).toEqual(
      new Set(["Bearer k-0123456789"]),
    )
  })

  test("a model that does not stream", async () => {
    const upstream = scripted(() => ({ kind: "json", body: chatReply({ content: "one, two" }) }))
    const configDir = folderWith({
      "models.yaml": `- {model_id: mine, api_base: ${upstream.url}, can_stream: false}\n`,
    })
    const { code, out, error } = await run(configOf(load({ env: { BIG_MODEL: "mine" }, configDir })))
    expect([code, error.split("\n").slice(1)]).toEqual([0, [""]])
    expect(JSON.parse(out).tokens).toBe("same")
    expect(new Set(upstream.requests.map(({ text }) => text)).size).toBe(1)
  })
})

test("a stream whose pieces begin in the middle of an event is read as one", async () => {
  const chunks = [textChunk("one, "), textChunk("two"), finishChunk("stop"), usageChunk(20, 2)]
  const pieces = chunks.flatMap((chunk) => ["data: ", `${JSON.stringify(chunk)}\n\n`])
  async function* body() {
    for (const piece of pieces) yield new TextEncoder().encode(piece)
  }
  const sampled = await readSample(new Response(body()), "chat", () => 1)
  expect(sampled).toMatchObject({ ok: true, sample: { characters: 8, usage: { output_tokens: 2 } } })
})

describe("a request that fails ends it", () => {
  test.each([
    [
      "the first one",
      [{ kind: "json", status: 401, body: { error: { message: "bad key sk-probe-secret-0001" } } }],
      /through the proxy: 401 .*refused the API key.*\[redacted\]/,
      1,
    ],
    [
      "one that goes directly",
      [streamed, { kind: "json", status: 503, body: { error: { message: "busy" } } }],
      /directly: 503 busy/,
      2,
    ],
    [
      "one whose words would be taken for the terminal's",
      [{ kind: "json", status: 400, body: { error: { message: "no\u001b[2J\nmore" } } }],
      /through the proxy: 400 \[generic\] no\\u001b\[2J\\nmore\n$/,
      1,
    ],
    [
      "an error in the stream",
      [streamed, streamed, { kind: "stream", chunks: [textChunk("on"), { error: { message: "lost" } }] }],
      /directly: 200 lost/,
      3,
    ],
    [
      "no words",
      [{ kind: "stream", chunks: [deltaChunk({}), finishChunk("stop")] }],
      /through the proxy: /,
      1,
    ],
  ] as const)("%s", async (_, turns: readonly Turn[], said, requests) => {
    const upstream = scripted(turns)
    const { code, out, error } = await run(configFor(upstream.url))
    expect([code, out]).toEqual([1, ""])
    expect(error).toMatch(said)
    expect(error).not.toContain("sk-probe-secret-0001")
    expect(upstream.requests).toHaveLength(requests)
  })

  test("one that takes too long", async () => {
    const { code, error } = await run(configFor(scripted([{ kind: "stall" }]).url), { timeoutSeconds: 1 })
    expect([code, error]).toEqual([1, expect.stringContaining("no whole reply within 1 s")])
  })

  test("a model that cannot be reached", async () => {
    const { code, error } = await run(configForProfile("openai", "http://127.0.0.1:1/v1"), { model: "  " })
    expect([code, error]).toEqual([1, expect.stringContaining("claude-proxy: ")])
  })
})

describe("from outside", () => {
  test("the demo, as a table and as JSON", async () => {
    const [shown, { stdout }] = await Promise.all([
      runProxy(["bench", "--demo", "--rounds", "1"]),
      runProxy(["bench", "--demo", "--rounds", "1", "--json"]),
    ])
    expect([shown.exitCode, shown.timedOut]).toEqual([0, false])
    expect(shown.stdout.split("\n").map((line) => line.slice(0, 17).trim())).toEqual([
      ...["", "", "first chunk", "whole reply", "tokens a second", "bytes", "tokens", "cost of one", ""],
      ...[expect.stringMatching(/^(EXCELLENT|GOOD|FAIR|POOR): /), ""],
    ])
    expect(JSON.parse(stdout)).toMatchObject({ provider: "demo", rounds: 1, tokens: "same" })
  })

  test.each([
    [["--rounds", "0"], "--rounds must be a number from 1 to 100"],
    [["--max-tokens", "few"], "--max-tokens must be a number of tokens"],
  ])("%p is refused", async (args, said) => {
    const { exitCode, stderr } = await runProxy(["bench", ...args])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)])
  })
})
