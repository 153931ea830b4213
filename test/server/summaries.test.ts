// Claude Code asks for a summary of its conversation, and ends the session where none comes: what the proxy does about
// models that answer with a call or with thoughts alone, or break off.
import { afterEach, expect, test } from "bun:test"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import {
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { eventsOf, jsonOf, postStream, start, stopAll, textOf, typesOf } from "./support.ts"

afterEach(stopAll)

const quick = { speed: 100, times: { commitMs: 1_000_000 } }
const tools = [
  { name: "Read", input_schema: { type: "object", properties: { file_path: { type: "string" } } } },
]
const asked =
  "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\nYour entire response must be plain text: an <analysis> block followed by a <summary> block.\n\nYour task is to create a detailed summary of the conversation so far."
const body = { tools, messages: [{ role: "user", content: asked }] }

const ends = (reason: string) => [finishChunk(reason), usageChunk(3, 1)]
const call = toolChunks(0, "call_1", "Read", { file_path: "/a" })
const whole: Turn = {
  kind: "stream",
  chunks: [roleChunk(), textChunk("<summary>All.</summary>"), ...ends("stop")],
}

const wordless: readonly (readonly [string, Turn])[] = [
  ["a call", { kind: "stream", chunks: [roleChunk(), ...call, ...ends("tool_calls")] }],
  ["thoughts alone", { kind: "stream", chunks: [reasoningChunk("hm"), ...ends("stop")] }],
  ["thoughts and a call", { kind: "stream", chunks: [reasoningChunk("hm"), ...call, ...ends("tool_calls")] }],
  ["blank text", { kind: "stream", chunks: [reasoningChunk("hm"), textChunk("\n\n"), ...ends("stop")] }],
  [
    "words before a call",
    { kind: "stream", chunks: [textChunk("Let me look."), ...call, ...ends("tool_calls")] },
  ],
  ["nothing", { kind: "stream", chunks: [roleChunk(), ...ends("stop")] }],
]

const choices = (turns: readonly { readonly body: unknown }[]) =>
  turns.map((turn) => objectOf(turn.body)["tool_choice"])

test.each(wordless)("%s in place of it: it is asked for once more, without a call", async (_name, turn) => {
  const { upstream, proxy } = start([turn, whole], quick)
  const events = await eventsOf(postStream(proxy, body))
  expect(textOf(events)).toBe("<summary>All.</summary>")
  expect(typesOf(events).filter((type) => type === "content_block_start").length).toBe(1)
  expect(choices(upstream.turns())).toEqual([undefined, "none"])
  expect(upstream.turns().map((sent) => arrayOf(objectOf(sent.body)["tools"]).length)).toEqual([1, 1])
})

test.each(wordless)(
  "%s twice: it is said what was wrong, and the client asks no more",
  async (_name, turn) => {
    const { upstream, proxy } = start([turn, turn, whole], quick)
    const response = await postStream(proxy, body)
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([502, "false"])
    expect(String(objectOf((await jsonOf(response))["error"])["message"])).toMatch(
      /answered with(?:out a text| nothing)/,
    )
    expect(upstream.turns().length).toBe(2)
  },
)

test("what had to be changed of the request before is not done anew", async () => {
  const refused: Turn = {
    kind: "json",
    status: 400,
    body: { error: { message: "Unsupported parameter: 'temperature' is not supported with this model." } },
  }
  const { upstream, proxy } = start([refused, wordless[0]?.[1] ?? whole, whole], quick)
  const events = await eventsOf(postStream(proxy, { ...body, temperature: 0.5 }))
  expect(textOf(events)).toBe("<summary>All.</summary>")
  const sent = upstream.turns().map((turn) => objectOf(turn.body))
  expect(sent.map(({ temperature, tool_choice }) => [temperature, tool_choice])).toEqual([
    [0.5, undefined],
    [undefined, undefined],
    [undefined, "none"],
  ])
})

const cuts: readonly (readonly [string, Turn])[] = [
  ["behind thoughts", { kind: "stream", chunks: [reasoningChunk("hm"), textChunk("")], cut: "reset" }],
  ["in the midst of it", { kind: "stream", chunks: [roleChunk(), textChunk("<summary>Al")], cut: "clean" }],
]

test.each(cuts)("a reply that breaks off %s is asked for again", async (_name, turn) => {
  const { upstream, proxy } = start([turn, whole], quick)
  expect(textOf(await eventsOf(postStream(proxy, body)))).toBe("<summary>All.</summary>")
  expect(choices(upstream.turns())).toEqual([undefined, undefined])
})

test("a summary with a call behind it is a reply", async () => {
  const chunks = [textChunk("<summ"), textChunk("ary>All.</summary>"), ...call, ...ends("tool_calls")]
  const { upstream, proxy } = start([{ kind: "stream", chunks }, whole], quick)
  expect(textOf(await eventsOf(postStream(proxy, body)))).toBe("<summary>All.</summary>")
  expect(upstream.turns().length).toBe(1)
})

test("one that its limit cut before the first word is a reply", async () => {
  const turn: Turn = { kind: "stream", chunks: [reasoningChunk("hm"), ...ends("length")] }
  const { upstream, proxy } = start([turn, whole], quick)
  const events = await eventsOf(postStream(proxy, body))
  expect(objectOf(events.at(-2)?.["delta"])["stop_reason"]).toBe("max_tokens")
  expect(upstream.turns().length).toBe(1)
})

const others: readonly (readonly [string, object])[] = [
  ["somebody's own words", { messages: [{ role: "user", content: "Summarise this, please: <summary>" }] }],
  [
    "words of an earlier turn",
    { messages: [...body.messages, { role: "assistant", content: "x" }, { role: "user", content: "hi" }] },
  ],
  ["no tools", { tools: [] }],
]

test.each(others)("%s: a call is a reply", async (_name, more) => {
  const { upstream, proxy } = start([wordless[0]?.[1] ?? whole, whole], quick)
  const events = await eventsOf(postStream(proxy, { ...body, ...more }))
  expect(typesOf(events).at(-1)).toBe("message_stop")
  expect(upstream.turns().length).toBe(1)
})
