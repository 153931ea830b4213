// What the client asked for and what the upstream can do are two things: it gets a stream or a document either way.
import { afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { configOf, folderWith, load } from "../config/support.ts"
import {
  chatReply,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import {
  eventsOf,
  jsonOf,
  post,
  postStream,
  scripted,
  start,
  startProxy,
  stopAll,
  typesOf,
} from "./support.ts"

afterEach(stopAll)

const tools = [{ name: "Read", input_schema: { type: "object", properties: { path: { type: "string" } } } }]
const calls = [
  { id: "call_00000001", type: "function", function: { name: "Read", arguments: '{"path":"/a"}' } },
]
const document = chatReply(
  { content: "Reading.", reasoning_content: "Look.", tool_calls: calls },
  "tool_calls",
)
const chunks = [
  roleChunk(),
  reasoningChunk("Look."),
  textChunk("Reading."),
  ...toolChunks(0, "call_00000001", "Read", { path: "/a" }),
  finishChunk("tool_calls"),
  usageChunk(10, 5, 0),
]
const content = [
  { type: "thinking", thinking: "Look.", signature: expect.stringMatching(/^ccp1\./) },
  { type: "text", text: "Reading." },
  { type: "tool_use", id: "call_00000001", name: "Read", input: { path: "/a" } },
]

test("a document for a stream", async () => {
  const { proxy } = start(() => ({ kind: "json", body: document }))
  const events = await eventsOf(postStream(proxy, { tools }))
  expect(checkGrammar(events)).toEqual([])
  expect(typesOf(events).filter((type) => type === "content_block_start").length).toBe(3)
})

test("a stream for a document", async () => {
  const { proxy } = start(() => ({ kind: "stream", chunks }))
  const reply = await jsonOf(post(proxy, { tools }))
  expect(reply["content"]).toEqual(content)
  expect(reply["stop_reason"]).toBe("tool_use")
})

describe("by the model's row or models.yaml", () => {
  /** A proxy whose model `x` has these lines in models.yaml. */
  function serving(lines: string, turn: Parameters<typeof scripted>[0]) {
    const upstream = scripted(turn)
    const yaml = `- model_id: x\n  api_base: ${upstream.url}\n${lines}`
    const config = configOf(load({ env: { BIG_MODEL: "x" }, configDir: folderWith({ "models.yaml": yaml }) }))
    return { upstream, proxy: startProxy(upstream.url, { config: { ...config, port: 0 } }) }
  }

  test("can_stream: false asks for a document, and the client has its stream", async () => {
    const { upstream, proxy } = serving("  can_stream: false\n", () => ({ kind: "json", body: document }))
    const events = await eventsOf(postStream(proxy, { model: "x", tools }))
    expect(checkGrammar(events)).toEqual([])
    expect((await jsonOf(post(proxy, { model: "x", tools })))["content"]).toEqual(content)
    expect(upstream.turns().map(({ body }) => [body["stream"], body["stream_options"]])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ])
  })

  test("an upstream that must stream is asked to, and the client has its document", async () => {
    const { upstream, proxy } = serving("  provider: dashscope\n", () => ({ kind: "stream", chunks }))
    const reply = await jsonOf(post(proxy, { model: "x", tools }))
    expect(reply["content"]).toEqual(content)
    expect(objectOf(upstream.turns()[0]?.body)["stream"]).toBe(true)
  })
})
