// Bytes of an event stream into a reader's inputs, one batch per read: however many chunks a read holds, the
// client is written to once.
import type { StreamInput } from "../protocol/chat.ts"
import { fault } from "../protocol/fault.ts"
import { objectOf, parseJson } from "../protocol/json.ts"
import { createSseDecoder, type SseMessage } from "../protocol/sse.ts"
import { type ErrorContext, faultFromError, isErrorJson } from "../protocol/upstream-error.ts"
import { connectionFault } from "./connection.ts"
import type { Clock, Deadline } from "./deadline.ts"

/** What we use of a body's reader. */
export interface ByteReader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  readonly cancel: () => Promise<void>
}

interface Situation {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly errors: ErrorContext
}

// One line may hold a whole file as tool arguments; more than this is no reply.
const lineLimit = 16 * 1024 * 1024

/**
 * The stream's inputs in batches, closed by exactly one `end` or `fault`. `start` is text that was read
 * already. Leaving the loop early cancels the upstream.
 */
export async function* readEventStream(
  start: string,
  reader: ByteReader,
  decoder: TextDecoder,
  deadline: Deadline,
  situation: Situation,
): AsyncGenerator<readonly StreamInput[]> {
  const sse = createSseDecoder()
  const parser = createParser(situation.errors)
  try {
    let messages = sse.push(start)
    for (;;) {
      const batch = parser.read(messages)
      if (batch.length > 0) yield batch
      if (isLast(batch)) return
      if (sse.pending() > lineLimit) {
        yield [tooLong(situation.errors)]
        return
      }
      const { done, value } = await reader.read()
      if (done) break
      deadline.touch()
      messages = sse.push(decoder.decode(value, { stream: true }))
    }
    const rest = parser.read([...sse.push(decoder.decode()), ...sse.flush()])
    yield isLast(rest) ? rest : [...rest, { kind: "end", clean: false }]
  } catch (error) {
    yield [{ kind: "fault", fault: connectionFault(error, deadline, situation.errors.url, situation) }]
  } finally {
    deadline.clear()
    void drain(reader, situation.clock)
  }
}

/** Reads what is left after `[DONE]`, so that the connection can be used again; not for long. */
async function drain(reader: ByteReader, clock: Clock): Promise<void> {
  let late = false
  const cancel = clock.setTimer(() => {
    late = true
    reader.cancel().catch(() => {})
  }, 500)
  try {
    while (!late && !(await reader.read()).done) {}
  } catch {
    // The stream has failed already, or was ended above: nobody waits for it.
  }
  cancel()
}

function isLast(batch: readonly StreamInput[]): boolean {
  const last = batch.at(-1)
  return last !== undefined && last.kind !== "chunk"
}

function tooLong(errors: ErrorContext): StreamInput {
  const message = `[${errors.provider}] the upstream sent a line of more than ${lineLimit / 1024 / 1024} MiB`
  return { kind: "fault", fault: fault({ kind: "api_error", source: "upstream", status: 502, message }) }
}

function createParser(errors: ErrorContext) {
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

  return {
    read: (messages: readonly SseMessage[]): readonly StreamInput[] => {
      const inputs: StreamInput[] = []
      for (const message of messages) {
        const input = readMessage(message)
        if (input === undefined) continue
        inputs.push(input)
        if (input.kind !== "chunk") break
      }
      return inputs
    },
  }
}
