// The data lines of an event stream as a reader's inputs: JSON, `[DONE]`, and what providers send instead.
import type { StreamInput } from "../protocol/chat/chat.ts"
import { type ErrorContext, faultFromWords, isErrorJson } from "../protocol/errors/upstream-error.ts"
import { objectOf, parseJson } from "../protocol/json.ts"
import type { SseMessage } from "../protocol/sse.ts"

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
  const isError = message.event === "error"
  if (data === "") return isError ? failedInWords(parsing, data) : undefined
  if (data === "[DONE]") return unread(parsing) ?? { kind: "end", clean: true }
  const parsed = parseJson(data)
  if (!parsed.ok) return isError ? failedInWords(parsing, data) : readBroken(parsing, data)
  parsing.seen = true
  parsing.fragment = ""
  if (!isError || isErrorJson(parsed.value)) return { kind: "chunk", chunk: parsed.value }
  const error = objectOf(parsed.value)
  return isErrorJson({ error }) ? { kind: "chunk", chunk: { error } } : failedInWords(parsing, data)
}

/** What the last line could not be read as: words that may say what went wrong, or half a chunk. */
export function unread(parsing: ChunkParsing): StreamInput | undefined {
  const { fragment } = parsing
  parsing.fragment = ""
  if (fragment === "") return undefined
  return isCut(fragment) ? { kind: "end", clean: false } : failedInWords(parsing, fragment)
}

const isCut = (data: string): boolean => /^[{["]/.test(data)

/** An error that is no object. */
function failedInWords({ errors }: ChunkParsing, data: string): StreamInput {
  return { kind: "fault", fault: faultFromWords(data, errors) }
}

/** What is no JSON: an error in plain text when it comes first, else half a chunk or noise. */
function readBroken(parsing: ChunkParsing, data: string): StreamInput | undefined {
  const joined = parsing.fragment === "" ? undefined : parseJson(parsing.fragment + data)
  parsing.fragment = ""
  if (joined?.ok === true) return { kind: "chunk", chunk: joined.value }
  if (!parsing.seen && !isCut(data)) return failedInWords(parsing, data)
  parsing.fragment = data
  return undefined
}
