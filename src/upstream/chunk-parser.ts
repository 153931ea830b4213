// The data lines of an event stream as a reader's inputs: JSON, `[DONE]`, and what providers send instead.
import type { StreamInput } from "../protocol/chat.ts"
import { objectOf, parseJson } from "../protocol/json.ts"
import type { SseMessage } from "../protocol/sse.ts"
import { type ErrorContext, faultFromError, isErrorJson } from "../protocol/upstream-error.ts"

/** A stream as far as it was read. It changes in place. */
interface Reading {
  readonly errors: ErrorContext
  /** Something was JSON. */
  seen: boolean
  /** What may be the first half of a chunk. */
  fragment: string
}

/** Makes the parser of one stream: messages in, inputs out, nothing after an `end` or a `fault`. */
export function createChunkParser(
  errors: ErrorContext,
): (messages: readonly SseMessage[]) => readonly StreamInput[] {
  const reading: Reading = { errors, seen: false, fragment: "" }
  return (messages) => {
    if (messages.length === 0) return noInputs
    const inputs: StreamInput[] = []
    for (const message of messages) {
      const input = readMessage(reading, message)
      if (input === undefined) continue
      inputs.push(input)
      if (input.kind !== "chunk") break
    }
    return inputs
  }
}

const noInputs: readonly StreamInput[] = []

function readMessage(reading: Reading, message: SseMessage): StreamInput | undefined {
  const data = message.data.trim()
  if (data === "") return undefined
  if (data === "[DONE]") return { kind: "end", clean: true }
  const parsed = parseJson(data)
  if (!parsed.ok) return readBroken(reading, data)
  reading.seen = true
  reading.fragment = ""
  if (message.event !== "error" || isErrorJson(parsed.value)) return { kind: "chunk", chunk: parsed.value }
  return { kind: "chunk", chunk: { error: objectOf(parsed.value) } }
}

/** What is no JSON: an error in plain text when it comes first, else half a chunk or noise. */
function readBroken(reading: Reading, data: string): StreamInput | undefined {
  const joined = reading.fragment === "" ? undefined : parseJson(reading.fragment + data)
  reading.fragment = ""
  if (joined?.ok === true) return { kind: "chunk", chunk: joined.value }
  if (!reading.seen && !/^[{["]/.test(data)) {
    const text = { status: 502, header: () => null, body: data }
    return { kind: "fault", fault: faultFromError(text, reading.errors) }
  }
  reading.fragment = data
  return undefined
}
