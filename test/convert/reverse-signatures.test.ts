// Gemini's signatures of calls, on their way to OpenAI's clients and back: clients that know Gemini's own
// OpenAI-compatible API (the AI SDK is one) keep what stands beside a call, and no thinking block.
import { describe, expect, test } from "bun:test"
import { encodeCarrier, noCargo } from "../../src/convert/common/carrier.ts"
import { initialChatWriter, writeChat } from "../../src/convert/reverse/chunks.ts"
import { encodeChat } from "../../src/convert/reverse/encode.ts"
import { readMessagesEvent } from "../../src/convert/reverse/events.ts"
import { convertMessagesReply, noteLostBlock } from "../../src/convert/reverse/reply.ts"
import { arrayOf, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { hello, reverse, say } from "./reverse-support.ts"

const gemini = { provider: "gemini", model: "gemini-3-pro-preview" }
const carrier = (field: string, signatures: Readonly<Record<string, string>>, thinking: string) =>
  encodeCarrier({ ...gemini, field, cargo: { ...noCargo, signatures } }, thinking)
const thinking = (signatures: Readonly<Record<string, string>>, text: string) => ({
  type: "thinking",
  thinking: text,
  signature: carrier("reasoning_content", signatures, text),
})
const use = (id: string) => ({ type: "tool_use", id, name: "clock", input: {} })
const signed = (signature: string) => ({ extra_content: { google: { thought_signature: signature } } })
/** What a call brings with it, and nothing but its own. */
const own = (id: string, value: string) => signed(carrier("", { [id]: value }, ""))
const called = (id: string, args: string) => ({
  id,
  type: "function" as const,
  function: { name: "clock", arguments: args },
})
const options = { created: 7, legacyCalls: false, includeUsage: false }

/** Two steps' worth of thinking, as they come of several blocks in one message. */
const content = [
  thinking({ a: "SigA" }, "Hm."),
  { type: "text", text: "Look:" },
  thinking({ b: "SigB" }, ""),
  ...[use("a"), use("b"), use("c")],
]

test("a whole reply: each call has its own", () => {
  const reply = convertMessagesReply({ id: "msg_1", model: "m", content }, options)
  expect(reply.choices[0]?.message.tool_calls).toEqual([
    { ...called("a", "{}"), ...own("a", "SigA") },
    { ...called("b", "{}"), ...own("b", "SigB") },
    called("c", "{}"),
  ])
})

/** The block as a stream tells it. */
function eventsOf(block: JsonObject, index: number): readonly JsonObject[] {
  const bare = block["type"] === "thinking" ? { ...block, signature: "" } : block
  const delta = { type: "signature_delta", signature: block["signature"] }
  const told = block["type"] === "thinking" ? [{ type: "content_block_delta", index, delta }] : []
  return [
    { type: "content_block_start", index, content_block: bare },
    ...told,
    { type: "content_block_stop", index },
  ]
}

test("a stream: they stand where a call begins", () => {
  let state = initialChatWriter(options)
  const wire = content.flatMap(eventsOf).map((value) => {
    const [next, outputs] = readMessagesEvent(value).reduce<ReturnType<typeof writeChat>>(
      ([before, said], event) => {
        const [after, more] = writeChat(before, event)
        return [after, [...said, ...more]]
      },
      [state, []],
    )
    state = next
    return encodeChat(outputs)
  })
  const lines = wire.join("").split("\n\n").slice(0, -1)
  const deltas = lines.map((line) => {
    const parsed = parseJson(line.slice("data: ".length))
    return objectOf(objectOf(arrayOf(objectOf(parsed.ok ? parsed.value : {})["choices"])[0])["delta"])
  })
  const begun = deltas.flatMap((delta) => arrayOf(delta["tool_calls"])).filter((call) => objectOf(call)["id"])
  expect(begun).toEqual([
    { index: 0, ...called("a", ""), ...own("a", "SigA") },
    { index: 1, ...called("b", ""), ...own("b", "SigB") },
    { index: 2, ...called("c", "") },
  ])
})

test("what goes with the calls is not noted as lost", () => {
  expect(noteLostBlock(thinking({ a: "SigA" }, "Hm."), "content.0")).toBeUndefined()
  expect(noteLostBlock(thinking({}, "Hm."), "content.0")?.path).toBe("content.0.signature")
})

describe("on the way back", () => {
  const back = (extra: unknown, more: JsonObject = {}) => {
    const call = { ...called("a", "{}"), extra_content: extra }
    const { request } = reverse(
      say([hello, { role: "assistant", content: "x", tool_calls: [call], ...more }]),
    )
    return objectOf(arrayOf(request["messages"])[1])["content"]
  }
  const mine = own("a", "SigA").extra_content

  test("a signature of ours is thinking before its call", () => {
    const signature = mine.google.thought_signature
    expect(back(mine)).toEqual([
      { type: "text", text: "x" },
      { type: "thinking", thinking: "", signature },
      use("a"),
    ])
    expect(back(mine, { reasoning_content: "Hm." })).toEqual([
      { type: "thinking", thinking: "Hm.", signature: "" },
      { type: "text", text: "x" },
      { type: "thinking", thinking: "", signature },
      use("a"),
    ])
  })

  // Nobody knows which model gave it; another one refuses it.
  test.each([
    [signed("EqQBCkYI").extra_content],
    [signed("").extra_content],
    [{ google: { thought_signature: 5 } }],
    [{ google: null }],
    [{}],
    [null],
    ["x"],
  ])("any other is left out: %j", (extra) => {
    expect(back(extra)).toEqual([{ type: "text", text: "x" }, use("a")])
  })
})
