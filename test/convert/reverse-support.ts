// Chat requests in, Messages requests out; random ones of both sides.
import { convertChatRequest, type ReverseConversion } from "../../src/convert/reverse/request.ts"
import { ChatRequestBody, firstChatIssue } from "../../src/protocol/chat/chat-request.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import type { MessagesEvent, MessagesReply, ReplyBlock } from "../../src/protocol/messages/messages.ts"
import type { Random } from "../support/random.ts"

/** Parses and converts as the server does; an invalid request fails the test with its problem. */
export function reverse(raw: unknown): ReverseConversion {
  const parsed = ChatRequestBody.safeParse(raw)
  if (!parsed.success) throw new Error(firstChatIssue(parsed.error).message)
  return convertChatRequest(parsed.data)
}

/** A request with these messages and nothing else of interest. */
export const say = (messages: readonly unknown[], more: JsonObject = {}) => ({
  model: "m",
  messages,
  ...more,
})

export const hello = { role: "user", content: "hi" }

export const noteLines = ({ notes }: ReverseConversion): readonly string[] =>
  notes.map(({ kind, path }) => `${kind} ${path}`)

const word = (random: Random) => `w${random.text(8)}`

const part = (random: Random): JsonObject =>
  random.pick([
    { type: "text", text: word(random) },
    { type: "image_url", image_url: { url: "https://x.test/a.png" } },
    { type: "image_url", image_url: { url: "data:image/png;base64,iVBOR" } },
  ])

const some = <T>(random: Random, low: number, high: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: random.integer(low, high) }, (_, index) => make(index))

const names = ["clock", "read_file", "grep"]

function tool(name: string): JsonObject {
  const parameters = { type: "object", properties: { a: { type: "string" } }, required: ["a"] }
  return { type: "function", function: { name, description: `Does ${name}.`, parameters } }
}

export interface RandomChat {
  readonly model: string
  readonly messages: readonly JsonObject[]
  readonly max_tokens: number
  readonly temperature?: number
  readonly stop?: string[]
  readonly tools?: readonly JsonObject[]
}

/**
 * A request in the form that it has after a round trip: turns alternate, content that is text alone is a string,
 * arguments are written without spaces.
 */
export function randomChatRequest(random: Random): RandomChat {
  const messages: JsonObject[] = random.chance(0.5) ? [{ role: "system", content: word(random) }] : []
  const turns = random.integer(1, 5)
  for (let turn = 0; turn < turns; turn++) {
    const media = random.chance(0.3)
    const image = { type: "image_url", image_url: { url: "https://x.test/b.png" } }
    messages.push({
      role: "user",
      content: media ? [...some(random, 0, 3, () => part(random)), image] : word(random),
    })
    const calls = some(random, 0, 3, (index) => ({
      id: `call_${turn}_${index}`,
      type: "function",
      function: { name: random.pick(names), arguments: JSON.stringify({ a: random.json(2) }) },
    }))
    const speaks = calls.length === 0 || random.chance(0.5)
    const content = speaks ? word(random) : null
    messages.push({ role: "assistant", content, ...(calls.length === 0 ? {} : { tool_calls: calls }) })
    for (const { id } of calls) messages.push({ role: "tool", tool_call_id: id, content: word(random) })
    if (calls.length > 0) messages.push({ role: "assistant", content: word(random) })
  }
  messages.push({ role: "user", content: word(random) })
  return {
    model: "some-model",
    messages,
    max_tokens: 100,
    ...(random.chance(0.5) ? { temperature: random.pick([0, 0.5, 1.5, 2]) } : {}),
    ...(random.chance(0.5) ? { stop: ["a", "b"] } : {}),
    ...(random.chance(0.7) ? { tools: names.map(tool) } : {}),
  }
}

/** Anything that the schema may be given. */
export function randomMess(random: Random): JsonObject {
  const content = () =>
    random.pick([null, "", "x", [], [part(random)], [{ type: random.text(4) }], random.json(2)])
  const message = () => ({
    role: random.pick(["system", "developer", "user", "assistant", "tool", "function", "other"]),
    content: content(),
    ...(random.chance(0.3) ? { tool_call_id: random.pick(["a", "b", ""]) } : {}),
    ...(random.chance(0.3) ? { name: random.pick(["clock", "", "x y"]) } : {}),
    ...(random.chance(0.3)
      ? { tool_calls: [{ id: "a", function: { name: "clock", arguments: random.json(1) } }] }
      : {}),
    ...(random.chance(0.2) ? { function_call: { name: "clock", arguments: random.text(5) } } : {}),
    ...(random.chance(0.2) ? { reasoning_content: random.text(5) } : {}),
  })
  const maybe = (field: string, value: () => unknown) => (random.chance(0.3) ? { [field]: value() } : {})
  return {
    messages: some(random, 0, 6, message),
    ...maybe("tools", () => [tool("clock"), { type: "custom", custom: { name: "free" } }]),
    ...maybe("functions", () => [{ name: "clock" }]),
    ...maybe("tool_choice", () => random.pick(["auto", "none", "required", {}, random.json(2)])),
    ...maybe("stop", () => random.pick([null, "a", ["a", ""], []])),
    ...maybe("reasoning_effort", () => random.pick(["none", "minimal", "high", "other", null])),
    ...maybe("response_format", () => random.pick([{ type: "json_object" }, { type: "x" }, random.json(2)])),
    ...maybe("parallel_tool_calls", () => false),
    ...maybe("temperature", () => random.pick([null, 2, 0])),
    ...maybe("user", () => random.pick([null, "me"])),
    ...maybe(`field_${random.text(3)}`, () => random.json(2)),
  }
}

function randomBlock(random: Random, index: number): ReplyBlock {
  const kinds = ["text", "thinking", "tool"]
  const kind = random.pick(kinds)
  if (kind === "text") return { type: "text", text: random.text(20) }
  if (kind === "thinking") return { type: "thinking", thinking: random.text(20), signature: "ccp1.x" }
  const input = random.chance(0.2) ? {} : { a: random.json(2) }
  return { type: "tool_use", id: `toolu_${index}`, name: random.pick(names), input }
}

/** A Messages reply, whole. */
export function randomReply(random: Random): MessagesReply {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-opus-5-5",
    content: some(random, 0, 5, (index) => randomBlock(random, index)),
    stop_reason: random.pick(["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"]),
    stop_sequence: null,
    usage: {
      input_tokens: random.integer(0, 100),
      cache_creation_input_tokens: random.integer(0, 9),
      cache_read_input_tokens: random.integer(0, 9),
      output_tokens: random.integer(0, 100),
      ...(random.chance(0.5) ? { output_tokens_details: { thinking_tokens: random.integer(0, 9) } } : {}),
    },
  }
}

function pieces(random: Random, text: string): readonly string[] {
  const out: string[] = []
  for (let at = 0; at < text.length; ) {
    const size = random.integer(0, 5)
    out.push(text.slice(at, at + size))
    at += size
  }
  return out
}

function blockEvents(random: Random, block: ReplyBlock, index: number): readonly MessagesEvent[] {
  const delta = (one: Extract<MessagesEvent, { type: "content_block_delta" }>["delta"]): MessagesEvent => ({
    type: "content_block_delta",
    index,
    delta: one,
  })
  const start = (content_block: ReplyBlock): MessagesEvent => ({
    type: "content_block_start",
    index,
    content_block,
  })
  const stop: MessagesEvent = { type: "content_block_stop", index }
  if (block.type === "text") {
    const texts = pieces(random, block.text).map((text) => delta({ type: "text_delta", text }))
    return [start({ type: "text", text: "" }), ...texts, stop]
  }
  if (block.type === "thinking") {
    const texts = pieces(random, block.thinking).map((thinking) =>
      delta({ type: "thinking_delta", thinking }),
    )
    const signed = delta({ type: "signature_delta", signature: block.signature })
    return [start({ ...block, thinking: "", signature: "" }), ...texts, signed, stop]
  }
  if (block.type !== "tool_use") return []
  // Some give the whole input with the start, some nothing at all for an empty one.
  if (random.chance(0.2)) return [start(block), stop]
  const json = Object.keys(block.input).length === 0 ? "" : JSON.stringify(block.input)
  const parts = pieces(random, json).map((partial_json) => delta({ type: "input_json_delta", partial_json }))
  return [start({ ...block, input: {} }), ...parts, stop]
}

/** The same reply as the events of a stream. */
export function eventsOf(random: Random, reply: MessagesReply): readonly MessagesEvent[] {
  const { stop_reason, stop_sequence, usage, content } = reply
  const empty: MessagesReply = {
    ...reply,
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 0 },
  }
  return [
    { type: "message_start", message: empty },
    ...content.flatMap((block, index) => blockEvents(random, block, index)),
    { type: "message_delta", delta: { stop_reason, stop_sequence }, usage },
    { type: "message_stop" },
  ]
}
