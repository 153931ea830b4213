// What is this input? A request, a reply or a stream, told by its shape.
import type { StreamInput } from "../protocol/chat.ts"
import { arrayOf, isObject, type JsonObject, parseJson, textOf } from "../protocol/json.ts"
import { createSseDecoder } from "../protocol/sse.ts"
import { isErrorJson } from "../protocol/upstream-error.ts"

export type Input =
  | { readonly kind: "messages-request"; readonly body: JsonObject }
  | { readonly kind: "chat-reply"; readonly reply: JsonObject; readonly model: string | undefined }
  | {
      readonly kind: "chat-stream"
      readonly chunks: readonly StreamInput[]
      readonly model: string | undefined
    }
  | { readonly kind: "unknown"; readonly why: string }

/** What a person calls this kind of input. */
export function describeKind(input: Input): string {
  switch (input.kind) {
    case "messages-request":
      return "an Anthropic request"
    case "chat-reply":
      return "an OpenAI reply"
    case "chat-stream":
      return "an OpenAI stream"
    case "unknown":
      return "nothing known"
    default:
      return input satisfies never
  }
}

/** Recognises the text's kind; `from` ("anthropic" or "openai") decides where a shape could be either. */
export function recognise(text: string, from: string | undefined): Input {
  const parsed = parseJson(text)
  if (parsed.ok) return recogniseDocument(parsed.value, from)
  const trimmed = text.trimStart()
  if (/^(data|event|id|retry)?:/m.test(trimmed)) return recogniseStream(sseInputs(text))
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "")
  if (lines.length > 1 && trimmed.startsWith("{")) return recogniseLines(lines)
  return { kind: "unknown", why: `the input is not valid JSON: ${parsed.why}` }
}

function recogniseDocument(value: unknown, from: string | undefined): Input {
  if (!isObject(value))
    return { kind: "unknown", why: "the input must be a JSON object, not a list or a plain value" }
  const model = textOf(value["model"])
  if (from === "anthropic" && value["messages"] !== undefined)
    return { kind: "messages-request", body: value }
  if (Array.isArray(value["choices"])) {
    const streamed = arrayOf(value["choices"]).some((choice) => isObject(choice) && isObject(choice["delta"]))
    if (!streamed) return { kind: "chat-reply", reply: value, model }
    return {
      kind: "chat-stream",
      chunks: [
        { kind: "chunk", chunk: value },
        { kind: "end", clean: false },
      ],
      model,
    }
  }
  if (isErrorJson(value)) return { kind: "chat-reply", reply: value, model }
  if (value["type"] === "message") return { kind: "unknown", why: "this is an Anthropic reply already" }
  if (from === "openai")
    return { kind: "unknown", why: "choices: Field required (--from openai reads replies and streams)" }
  if (value["messages"] === undefined) {
    return {
      kind: "unknown",
      why: "messages: Field required (an Anthropic request), or choices (an OpenAI reply)",
    }
  }
  if (from === undefined && isChatRequest(value)) {
    const why =
      "this is an OpenAI request, which is not converted yet (--from anthropic reads it as Anthropic's)"
    return { kind: "unknown", why }
  }
  return { kind: "messages-request", body: value }
}

/** Fields that only Chat Completions has, or a system message where Anthropic has a field. */
function isChatRequest(value: JsonObject): boolean {
  const messages = arrayOf(value["messages"]).filter(isObject)
  const chatOnly = ["max_completion_tokens", "response_format", "stream_options", "reasoning_effort"]
  return (
    chatOnly.some((field) => value[field] !== undefined) ||
    messages.some((message) => message["role"] === "tool" || message["tool_calls"] !== undefined) ||
    (messages[0]?.["role"] === "system" && value["system"] === undefined)
  )
}

function recogniseStream(inputs: readonly StreamInput[]): Input {
  const first = inputs.find((input) => input.kind === "chunk")
  if (first === undefined) return { kind: "unknown", why: "the stream holds no data line with JSON" }
  const { chunk } = first
  if (
    isObject(chunk) &&
    typeof chunk["type"] === "string" &&
    chunk["choices"] === undefined &&
    !isErrorJson(chunk)
  ) {
    return { kind: "unknown", why: "this is an Anthropic stream already" }
  }
  return { kind: "chat-stream", chunks: inputs, model: isObject(chunk) ? textOf(chunk["model"]) : undefined }
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

/** One chunk per line, as fixtures hold them; a first line `{"comment": …}` is one. */
function recogniseLines(lines: readonly string[]): Input {
  const inputs: StreamInput[] = []
  const done = lines.at(-1)?.trim() === "[DONE]"
  for (const [index, line] of (done ? lines.slice(0, -1) : lines).entries()) {
    const parsed = parseJson(line)
    if (!parsed.ok) return { kind: "unknown", why: `line ${index + 1} is not valid JSON: ${parsed.why}` }
    const comment = isObject(parsed.value) && parsed.value["comment"] !== undefined
    if (!comment) inputs.push({ kind: "chunk", chunk: parsed.value })
  }
  // Without [DONE] a finish reason must say that the stream was whole.
  return recogniseStream([...inputs, { kind: "end", clean: done }])
}
