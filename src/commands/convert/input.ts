// What is this input? A request, a reply or a stream of either side, told by its shape.
import type { StreamInput } from "../../protocol/chat/chat.ts"
import { isErrorJson } from "../../protocol/errors/upstream-error.ts"
import { arrayOf, isObject, type JsonObject, objectOf, parseJson, textOf } from "../../protocol/json.ts"
import { createSseDecoder } from "../../protocol/sse.ts"
import { type Side, sideOfRequest } from "./side.ts"

/** `responses`: a reply or stream of OpenAI's Responses API. */
type Input =
  | { readonly kind: "messages-request"; readonly body: JsonObject }
  | { readonly kind: "messages-reply"; readonly reply: JsonObject }
  | { readonly kind: "messages-stream"; readonly events: readonly unknown[] }
  | { readonly kind: "chat-request"; readonly body: JsonObject }
  | {
      readonly kind: "chat-reply" | "responses-reply"
      readonly reply: JsonObject
      readonly model: string | undefined
    }
  | {
      readonly kind: "chat-stream" | "responses-stream"
      readonly chunks: readonly StreamInput[]
      readonly model: string | undefined
    }
  | { readonly kind: "unknown"; readonly why: string }

export type Known = Exclude<Input, { kind: "unknown" }>

/** What the user says about the input: `from` decides, `to` counts where a shape could be either side's. */
interface Hints {
  readonly from: string | undefined
  readonly to: string | undefined
}

/** What a person calls each kind of input, and what it converts to. */
export const kinds: Readonly<Record<Known["kind"], { readonly name: string; readonly target: Side }>> = {
  "messages-request": { name: "an Anthropic request", target: "openai" },
  "messages-reply": { name: "an Anthropic reply", target: "openai" },
  "messages-stream": { name: "an Anthropic stream", target: "openai" },
  "chat-request": { name: "an OpenAI request", target: "anthropic" },
  "chat-reply": { name: "an OpenAI reply", target: "anthropic" },
  "chat-stream": { name: "an OpenAI stream", target: "anthropic" },
  "responses-reply": { name: "a reply of OpenAI's Responses API", target: "anthropic" },
  "responses-stream": { name: "a stream of OpenAI's Responses API", target: "anthropic" },
}

/** Recognises the text's kind. */
export function recognise(text: string, hints: Hints): Input {
  const parsed = parseJson(text)
  if (parsed.ok) return recogniseDocument(parsed.value, hints)
  const trimmed = text.trimStart()
  if (/^(data|event|id|retry)?:/m.test(trimmed)) return recogniseStream(sseInputs(text), hints)
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "")
  if (lines.length > 1 && trimmed.startsWith("{")) return recogniseLines(lines, hints)
  return { kind: "unknown", why: `the input is not valid JSON: ${parsed.why}` }
}

function recogniseDocument(value: unknown, hints: Hints): Input {
  if (!isObject(value))
    return { kind: "unknown", why: "the input must be a JSON object, not a list or a plain value" }
  if (Array.isArray(value["choices"]) && hints.from !== "anthropic") return recogniseChoices(value)
  if (value["object"] === "response" && Array.isArray(value["output"]) && hints.from !== "anthropic")
    return { kind: "responses-reply", reply: value, model: textOf(value["model"]) }
  if (value["type"] === "message" && hints.from !== "openai") return { kind: "messages-reply", reply: value }
  if (isErrorJson(value)) return recogniseError(value, hints)
  if (isEvent(value)) {
    return recogniseStream(
      [
        { kind: "chunk", chunk: value },
        { kind: "end", clean: false },
      ],
      hints,
    )
  }
  if (value["messages"] === undefined) return { kind: "unknown", why: missing(hints.from) }
  const side = hints.from ?? sideOfRequest(value)
  // Where it could be either, the one that is not wanted is the one that is given.
  const openai = side === "openai" || (side === "either" && hints.to === "anthropic")
  return { kind: openai ? "chat-request" : "messages-request", body: value }
}

function missing(from: string | undefined): string {
  if (from === "openai") return "messages: Field required (an OpenAI request), or choices (an OpenAI reply)"
  const anthropic = "messages: Field required (a request), or type (an Anthropic reply)"
  return from === "anthropic" ? anthropic : `${anthropic}, or choices (an OpenAI reply)`
}

function recogniseChoices(value: JsonObject): Input {
  const model = textOf(value["model"])
  const streamed = arrayOf(value["choices"]).some((choice) => isObject(choice) && isObject(choice["delta"]))
  if (!streamed) return { kind: "chat-reply", reply: value, model }
  const chunks: readonly StreamInput[] = [
    { kind: "chunk", chunk: value },
    { kind: "end", clean: false },
  ]
  return { kind: "chat-stream", chunks, model }
}

/** Anthropic's errors say `type: "error"` around theirs; some OpenAI-compatible hosts send them too. */
function recogniseError(value: JsonObject, { from, to }: Hints): Input {
  const either = value["type"] === "error" && isObject(value["error"])
  const anthropic = from === undefined ? either && to !== "anthropic" : from === "anthropic"
  if (anthropic) return { kind: "messages-reply", reply: value }
  return { kind: "chat-reply", reply: value, model: textOf(value["model"]) }
}

const eventTypes: ReadonlySet<unknown> = new Set([
  ...["message_start", "message_delta", "message_stop", "ping"],
  ...["content_block_start", "content_block_delta", "content_block_stop"],
])

function isEvent(value: unknown): boolean {
  return isObject(value) && value["choices"] === undefined && eventTypes.has(value["type"])
}

const isResponsesEvent = (value: unknown): value is JsonObject =>
  isObject(value) && (textOf(value["type"]) ?? "").startsWith("response.")

function recogniseStream(inputs: readonly StreamInput[], { from, to }: Hints): Input {
  const chunks = inputs.flatMap((input) => (input.kind === "chunk" ? [input.chunk] : []))
  const [first] = chunks
  const begun = chunks.find(isResponsesEvent)
  if (begun !== undefined && from !== "anthropic") {
    const response = objectOf(begun["response"])
    return { kind: "responses-stream", chunks: inputs, model: textOf(response["model"]) }
  }
  if (first === undefined) return { kind: "unknown", why: "the stream holds no data line with JSON" }
  const telling = chunks.find(
    (chunk) => isEvent(chunk) || (isObject(chunk) && chunk["choices"] !== undefined),
  )
  const error = isObject(first) && first["type"] === "error" && isObject(first["error"])
  const guessed = telling === undefined ? error && to !== "anthropic" : isEvent(telling)
  const anthropic = from === undefined ? guessed : from === "anthropic"
  if (anthropic) return { kind: "messages-stream", events: chunks }
  return { kind: "chat-stream", chunks: inputs, model: isObject(first) ? textOf(first["model"]) : undefined }
}

function sseInputs(text: string): readonly StreamInput[] {
  const sse = createSseDecoder()
  const inputs: StreamInput[] = []
  for (const message of [...sse.push(text), ...sse.flush()]) {
    const data = message.data.trim()
    if (data === "[DONE]") return [...inputs, { kind: "end", clean: true }]
    const parsed = parseJson(data)
    if (parsed.ok) inputs.push({ kind: "chunk", chunk: parsed.value })
  }
  return [...inputs, { kind: "end", clean: false }]
}

/** One chunk or event per line, as fixtures hold them; a first line `{"comment": …}` is one. */
function recogniseLines(lines: readonly string[], hints: Hints): Input {
  const inputs: StreamInput[] = []
  const done = lines.at(-1)?.trim() === "[DONE]"
  for (const [index, line] of (done ? lines.slice(0, -1) : lines).entries()) {
    const parsed = parseJson(line)
    if (!parsed.ok) return { kind: "unknown", why: `line ${index + 1} is not valid JSON: ${parsed.why}` }
    const comment = isObject(parsed.value) && parsed.value["comment"] !== undefined
    if (!comment) inputs.push({ kind: "chunk", chunk: parsed.value })
  }
  // Without [DONE] a finish reason must say that the stream was whole.
  return recogniseStream([...inputs, { kind: "end", clean: done }], hints)
}
