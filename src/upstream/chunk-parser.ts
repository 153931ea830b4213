// The data lines of an event stream as a reader's inputs: JSON, `[DONE]`, and what providers send instead.
import type { StreamInput } from "../protocol/chat.ts"
import { objectOf, parseJson } from "../protocol/json.ts"
import type { SseMessage } from "../protocol/sse.ts"
import { type ErrorContext, faultFromError, isErrorJson } from "../protocol/upstream-error.ts"

/** A stream as far as it was read. It changes in place. */
export interface ChunkParsing {
  readonly errors: ErrorContext
  /** Something was JSON. */
  seen: boolean
  /** What may be the first half of a chunk. */
  fragment: string
}

/** One stream, of which nothing was read. */
export function startParsing(errors: ErrorContext): ChunkParsing {
  return { errors, seen: false, fragment: "" }
}

/** Messages in, inputs out, nothing after an `end` or a `fault`. */
export function parseMessages(
  parsing: ChunkParsing,
  messages: readonly SseMessage[],
): readonly StreamInput[] {
  if (messages.length === 0) return noInputs
  const inputs: StreamInput[] = []
  for (const message of messages) {
    const input = readMessage(parsing, message)
    if (input === undefined) continue
    inputs.push(input)
    if (input.kind !== "chunk") break
  }
  return inputs
}

const noInputs: readonly StreamInput[] = []

function readMessage(parsing: ChunkParsing, message: SseMessage): StreamInput | undefined {
  const data = message.data.trim()
  if (data === "") return undefined
  if (data === "[DONE]") return { kind: "end", clean: true }
  const parsed = parseJson(data)
  if (!parsed.ok) return readBroken(parsing, data)
  parsing.seen = true
  parsing.fragment = ""
  if (message.event !== "error" || isErrorJson(parsed.value)) return { kind: "chunk", chunk: parsed.value }
  return { kind: "chunk", chunk: { error: objectOf(parsed.value) } }
}

/** What is no JSON: an error in plain text when it comes first, else half a chunk or noise. */
function readBroken(parsing: ChunkParsing, data: string): StreamInput | undefined {
  const joined = parsing.fragment === "" ? undefined : parseJson(parsing.fragment + data)
  parsing.fragment = ""
  if (joined?.ok === true) return { kind: "chunk", chunk: joined.value }
  if (!parsing.seen && !/^[{["]/.test(data)) {
    const text = { status: 502, header: () => null, body: data }
    return { kind: "fault", fault: faultFromError(text, parsing.errors) }
  }
  parsing.fragment = data
  return undefined
}
