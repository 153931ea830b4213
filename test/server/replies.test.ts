// The reply in the form the client asked for, whatever form it comes in.
import { afterEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { objectOf } from "../../src/protocol/json.ts"
import { folderWith, removeFolders } from "../config/support.ts"
import {
  chatReply,
  chatUsage,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import { until } from "../support/upstream.ts"
import { chunked, dataLines, rawUpstream, streamHead } from "./raw.ts"
import { eventsOf, jsonOf, post, postStream, start, startProxy, stopAll, textOf, typesOf } from "./support.ts"

afterEach(stopAll)
afterEach(removeFolders)

const tools = [{ name: "Read", input_schema: { type: "object" } }]
const toolCall = { id: "call_9", type: "function", function: { name: "Read", arguments: '{"path":"/a"}' } }
const whole = chatReply(
  { content: "Reading.", reasoning_content: "I must read.", tool_calls: [toolCall] },
  "tool_calls",
  chatUsage(100, 20, 40),
)
const chunks = [
  roleChunk(),
  reasoningChunk("I must "),
  reasoningChunk("read."),
  textChunk("Reading."),
  ...toolChunks(0, "call_9", "Read", { path: "/a" }),
  finishChunk("tool_calls"),
  usageChunk(100, 20, 40),
]
const toolId = expect.stringMatching(/^[a-zA-Z0-9_-]+$/)
const usage = {
  input_tokens: 60,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 40,
  output_tokens: 20,
}

test("a client that wants no call gets none, whatever the text looks like", async () => {
  const call = '<tool_call>{"name": "Read", "arguments": {"path": "/a"}}</tool_call>'
  const body = chatReply({ content: call })
  const { proxy } = start([
    { kind: "json", body },
    { kind: "json", body },
  ])
  const asked = async (type: string) => jsonOf(await post(proxy, { tools, tool_choice: { type } }))
  expect(await asked("auto")).toMatchObject({ stop_reason: "tool_use", content: [{ type: "tool_use" }] })
  expect(await asked("none")).toMatchObject({ stop_reason: "end_turn", content: [{ text: call }] })
})

const upstreams = [
  ["JSON", { kind: "json", body: whole }],
  ["JSON with the wrong content type", { kind: "text", status: 200, body: JSON.stringify(whole) }],
  [
    "JSON after a BOM and blank lines",
    { kind: "text", status: 200, body: `\uFEFF\n\n${JSON.stringify(whole)}` },
  ],
  [
    "JSON after two BOMs and white space of other scripts",
    { kind: "text", status: 200, body: `\n\uFEFF\uFEFF\u00A0\u3000${JSON.stringify(whole)}` },
  ],
  ["an event stream", { kind: "stream", chunks }],
  [
    "an event stream called JSON",
    { kind: "stream", chunks, headers: { "content-type": "application/json" } },
  ],
  ["an event stream after two BOMs", { kind: "raw", steps: ["\uFEFF\uFEFF", ...chunks, "data: [DONE]\n\n"] }],
  ["an event stream after a BOM", { kind: "raw", steps: ["\uFEFF", ...chunks, "data: [DONE]\n\n"] }],
] as const

describe.each(upstreams)("the upstream answers with %s", (_name, turn) => {
  test("to a client that streams", async () => {
    const { proxy } = start([turn])
    const response = await postStream(proxy, { tools })
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8")
    expect(response.headers.get("cache-control")).toBe("no-cache")
    expect(response.headers.get("x-accel-buffering")).toBe("no")
    const events = await eventsOf(response)
    expect(checkGrammar(events)).toEqual([])
    const starts = events.filter((event) => event["type"] === "content_block_start")
    expect(starts.map((event) => objectOf(event["content_block"])["type"])).toEqual([
      "thinking",
      "text",
      "tool_use",
    ])
    expect(objectOf(starts[2]?.["content_block"])).toEqual({
      type: "tool_use",
      id: toolId,
      name: "Read",
      input: {},
    })
    expect(textOf(events)).toBe("Reading.")
    const last = events.find((event) => event["type"] === "message_delta")
    expect(last).toEqual({
      type: "message_delta",
      delta: { stop_reason: "tool_use", stop_sequence: null },
      usage,
    })
  })

  test("to a client that does not", async () => {
    const { proxy } = start([turn])
    const reply = await jsonOf(post(proxy, { tools }))
    expect(reply["id"]).toMatch(/^msg_[0-9A-Za-z]{24}$/)
    expect(reply["content"]).toEqual([
      { type: "thinking", thinking: "I must read.", signature: expect.any(String) },
      { type: "text", text: "Reading." },
      { type: "tool_use", id: toolId, name: "Read", input: { path: "/a" } },
    ])
    expect(reply["stop_reason"]).toBe("tool_use")
    expect(reply["usage"]).toEqual(usage)
    expect(proxy.exchanges[0]?.usage).toEqual(usage)
  })
})

test("ids are new for every reply, names are the client's own", async () => {
  const { proxy } = start(() => ({ kind: "json", body: whole }))
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => jsonOf(post(proxy, { model: "claude-opus-5-5[1m]" }))),
  )
  expect(new Set(replies.map((reply) => reply["id"])).size).toBe(20)
  expect(new Set(replies.map((reply) => reply["model"]))).toEqual(new Set(["claude-opus-5-5[1m]"]))
  const [first] = await eventsOf(postStream(proxy, { model: "claude-x[1m]" }))
  expect(objectOf(first?.["message"])["model"]).toBe("claude-x[1m]")
})

test("a reply without any content is asked for once more, then it is an error that says so", async () => {
  const { upstream, proxy } = start(() => ({ kind: "stream", chunks: [roleChunk(), finishChunk("stop")] }))
  for (const response of [await postStream(proxy), await post(proxy)]) {
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([502, "false"])
    expect(objectOf((await jsonOf(response))["error"])["message"]).toContain("answered with nothing")
  }
  expect(upstream.turns().length).toBe(4)
})

test("an empty reply whose second attempt speaks is a reply like any other", async () => {
  const empty = { kind: "stream", chunks: [roleChunk(), finishChunk("stop")] } as const
  const { proxy } = start([empty, { kind: "stream", chunks }])
  const events = await eventsOf(postStream(proxy, { tools }))
  expect(typesOf(events).at(-1)).toBe("message_stop")
})

describe("a beginning of the client's own", () => {
  const begun = (beginning: string) => ({
    messages: [
      { role: "user", content: "JSON, please." },
      { role: "assistant", content: beginning },
    ],
  })
  const json = { ...begun("```json"), stop_sequences: ["```"] }

  test("does not end the reply where the model repeats it", async () => {
    const said = '```json\n{"a": 1}\n```'
    const { upstream, proxy } = start((body) => {
      const stops = Array.isArray(body["stop"]) ? body["stop"] : []
      const ends = stops.map((stop) => said.indexOf(String(stop))).filter((at) => at >= 0)
      return { kind: "json", body: chatReply({ content: said.slice(0, Math.min(said.length, ...ends)) }) }
    })
    for (const more of [{}, { stream: true }]) {
      const response = await post(proxy, { ...json, ...more })
      const text = await response.text()
      expect(response.status).toBe(200)
      expect(text).toContain('"stop_reason":"stop_sequence","stop_sequence":"```"')
      expect(text).toContain(String.raw`\n{\"a\": 1}\n`)
      expect(text).not.toContain("```json")
    }
    expect(upstream.turns().map(({ body }) => body["stop"])).toEqual([undefined, undefined])
  })

  test("may be all there is, and so may a stop sequence", async () => {
    const { upstream, proxy } = start((body) => {
      return { kind: "json", body: chatReply({ content: body["stop"] === undefined ? "Yes" : "" }) }
    })
    for (const asked of [begun("Yes"), { stop_sequences: ["\n"] }]) {
      const reply = await jsonOf(post(proxy, asked))
      expect([reply["content"], reply["stop_reason"]]).toEqual([[], "end_turn"])
    }
    expect(upstream.turns().length).toBe(2)
  })

  test("may be all there is where the provider goes on from it", async () => {
    const turn = { kind: "stream", chunks: [roleChunk(), finishChunk("stop")] } as const
    const { upstream, proxy } = start(() => turn)
    const models = `- {model_id: mine, provider: openrouter, api_base: "${upstream.url}"}\n`
    const CUSTOM_MODELS_FILE = join(folderWith({ "models.yaml": models }), "models.yaml")
    const own = startProxy(upstream.url, { env: { OPENROUTER_API_KEY: "sk-or", CUSTOM_MODELS_FILE } })
    const events = await eventsOf(postStream(own, { ...begun("Yes"), model: "mine" }))
    expect(typesOf(events)).toEqual(["message_start", "message_delta", "message_stop"])
    expect((await post(proxy)).status).toBe(502)
  })
})

test("a reply that the limit cut before its first word is an empty message", async () => {
  const { upstream, proxy } = start(() => ({ kind: "stream", chunks: [roleChunk(), finishChunk("length")] }))
  const events = await eventsOf(postStream(proxy))
  expect(typesOf(events)).toEqual(["message_start", "message_delta", "message_stop"])
  expect((await jsonOf(post(proxy)))["content"]).toEqual([])
  expect(upstream.turns().length).toBe(2)
})

test("so is one of which OpenAI tells by a refusal", async () => {
  const message =
    "Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens."
  const error = { message, type: "invalid_request_error", param: null, code: null }
  const { upstream, proxy } = start(() => ({ kind: "json", status: 400, body: { error } }))
  const events = await eventsOf(postStream(proxy, { max_tokens: 1 }))
  expect(typesOf(events)).toEqual(["message_start", "message_delta", "message_stop"])
  const reply = await jsonOf(post(proxy, { max_tokens: 1 }))
  expect(reply).toMatchObject({ content: [], stop_reason: "max_tokens", usage: { output_tokens: 0 } })
  expect(upstream.turns().length).toBe(2)
})

test("an upstream that has finished and then says nothing is let go after a while", async () => {
  const steps = [...chunks.slice(0, -1), { until: new Promise<void>(() => {}) }]
  const { upstream, proxy } = start(() => ({ kind: "raw", steps }), { times: { afterFinishMs: 60 } })
  const from = performance.now()
  const events = await eventsOf(postStream(proxy, { tools }))
  expect(performance.now() - from).toBeWithin(50, 2_000)
  expect(checkGrammar(events)).toEqual([])
  expect(typesOf(events).at(-1)).toBe("message_stop")
  expect((await post(proxy, { tools })).status).toBe(200)
  await until(() => upstream.inFlight() === 0, 500)
  expect(upstream.turns().map((turn) => turn.cancelledAt === undefined)).toEqual([false, false])
  expect(proxy.timers()).toBe(0)
  expect(proxy.exchanges.map((exchange) => exchange.outcome.kind)).toEqual(["completed", "completed"])
})

test("an upstream that goes on chattering after the finish reason is let go all the same", async () => {
  const noise = Array.from({ length: 50 }, () => [{ pauseMs: 20 }, { choices: [] }]).flat()
  const steps = [textChunk("hi"), finishChunk("stop"), ...noise]
  const { proxy } = start([{ kind: "raw", steps }], { times: { afterFinishMs: 60 } })
  const from = performance.now()
  expect(typesOf(await eventsOf(postStream(proxy))).at(-1)).toBe("message_stop")
  expect(performance.now() - from).toBeLessThan(500)
})

test("a reply that goes on behind a finish reason is read to its end", async () => {
  const words = Array.from({ length: 8 }, (_, at) => [
    { choices: [{ index: 0, delta: { content: `${at} ` }, finish_reason: "stop" }] },
    { pauseMs: 100 },
  ]).flat()
  const { proxy } = start([{ kind: "raw", steps: words }], { times: { afterFinishMs: 600 } })
  const events = await eventsOf(postStream(proxy))
  expect(textOf(events)).toBe("0 1 2 3 4 5 6 7 ")
  expect(typesOf(events).at(-1)).toBe("message_stop")
})

test("what is there already is written at once", async () => {
  const body = dataLines(textChunk("one"), textChunk("two"), finishChunk("stop"), "[DONE]")
  const upstream = rawUpstream((socket) => socket.write(streamHead + chunked(body) + chunked("")))
  const proxy = startProxy(upstream.url)
  const response = await postStream(proxy)
  const reads: Uint8Array[] = []
  for await (const bytes of response.body ?? []) reads.push(bytes)
  expect(reads.length).toBeLessThanOrEqual(2)
})

describe("case 25: more stop sequences than the provider takes", () => {
  const six = ["1", "2", "3", "4", "5", "wor"]
  const answer = {
    content: [{ type: "text", text: "hello " }],
    stop_reason: "stop_sequence",
    stop_sequence: "wor",
  }

  test("are enforced in a whole reply", async () => {
    const { proxy } = start([{ kind: "json", body: chatReply({ content: "hello world" }) }])
    expect(await jsonOf(post(proxy, { stop_sequences: six }))).toMatchObject(answer)
  })

  test("are enforced in a stream, and the upstream is let go", async () => {
    const steps = [textChunk("hello "), textChunk("wo"), textChunk("rld"), textChunk(" and more")]
    const { upstream, proxy } = start([{ kind: "stream", chunks: [...steps, { pauseMs: 20_000 }] }])
    const events = await eventsOf(postStream(proxy, { stop_sequences: six }))
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("hello ")
    const { stop_reason, stop_sequence } = answer
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason, stop_sequence } })
    expect(upstream.turns()[0]?.body["stop"]).toEqual(six.slice(0, 4))
    await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 2_000)
  })
})
