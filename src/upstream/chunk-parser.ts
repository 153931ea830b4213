// The data lines of an event stream as a reader's inputs: JSON, `[DONE]`, and what providers send instead.
import type { StreamInput } from "../protocol/chat.ts"
import { objectOf, parseJson } from "../protocol/json.ts"
import type { SseMessage } from "../protocol/sse.ts"
import { type ErrorContext, faultFromError, isErrorJson } from "../protocol/upstream-error.ts"

/** Makes the parser of one stream: messages in, inputs out, nothing after an `end` or a `fault`. */
export function createChunkParser(
  errors: ErrorContext,
): (messages: readonly SseMessage[]) => readonly StreamInput[] {
  let seen = false
  let fragment = ""

  /** What is no JSON: an error in plain text when it comes first, else half a chunk or noise. */
  function readBroken(data: string): StreamInput | undefined {
    const joined = fragment === "" ? undefined : parseJson(fragment + data)
    fragment = ""
    if (joined?.ok === true) return { kind: "chunk", chunk: joined.value }
    if (!seen && !/^[{["]/.test(data)) {
      const text = { status: 502, header: () => null, body: data }
      return { kind: "fault", fault: faultFromError(text, errors) }
    }
    fragment = data
    return undefined
  }

  function readMessage(message: SseMessage): StreamInput | undefined {
    const data = message.data.trim()
    if (data === "") return undefined
    if (data === "[DONE]") return { kind: "end", clean: true }
    const parsed = parseJson(data)
    if (!parsed.ok) return readBroken(data)
    seen = true
    fragment = ""
    if (message.event !== "error" || isErrorJson(parsed.value)) return { kind: "chunk", chunk: parsed.value }
    return { kind: "chunk", chunk: { error: objectOf(parsed.value) } }
  }

  return (messages) => {
    const inputs: StreamInput[] = []
    for (const message of messages) {
      const input = readMessage(message)
      if (input === undefined) continue
      inputs.push(input)
      if (input.kind !== "chunk") break
    }
    return inputs
  }
}
