// A Messages stream from its upstream to the client, byte for byte. What we add stands between events: a ping
// while the upstream is silent, and an error where it breaks off.

import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import type { Fault } from "../../protocol/fault.ts"
import { encodeEvent, pingEvent } from "../../protocol/messages/encode.ts"
import { plainJson, redact } from "../../protocol/redact.ts"
import { encodeSse } from "../../protocol/sse.ts"
import type { Batches, Soon } from "../../upstream/batches.ts"
import type { DirectInput } from "../../upstream/direct.ts"
import { closedEarly } from "../../upstream/no-reply.ts"
import { longestLine, tooLong } from "../../upstream/reply-limits.ts"
import type { Context } from "../context.ts"
import { pulledBody } from "../http/pulled-body.ts"
import { clientOf, complete, fail, leave, refuse } from "../outcome/outcome.ts"
import type { DirectSession } from "./direct-session.ts"
import { createEventGate, createTap, faultOfEvent } from "./direct-tap.ts"

interface DirectStreamOptions {
  readonly requestId: string
  readonly errors: ErrorContext
  readonly context: Pick<Context, "clock" | "times">
}

/** The body. The session learns of usage, of the first content, and of the end, whichever it is. */
export function directBody(
  batches: Batches<DirectInput>,
  session: DirectSession,
  { requestId, errors, context }: DirectStreamOptions,
): ReadableStream<Uint8Array> {
  const { clock, times } = context
  const source = createSource(batches, session, { errors, clock, afterMs: times.afterFinishMs })
  const write = (given: Fault) => encodeEvent({ type: "error", fault: given }, requestId)
  return pulledBody([], {
    clock,
    next: source.next,
    write: ({ bytes, end }) => {
      if (end === undefined || end === "complete") return { chunks: [bytes], last: end !== undefined }
      return { chunks: [bytes, write(end)], last: true }
    },
    heartbeat: { pingMs: times.pingMs, ping: pingEvent, allowed: source.running },
    fail: (error) => write(fail(session.outcome, error)),
    left: clientOf(session.outcome),
    leave: () => leave(session.outcome),
    ended: source.close,
  })
}

const endOfBytes: readonly DirectInput[] = [{ kind: "end" }]
const noBytes = new Uint8Array(0)
const blankLine = new Uint8Array([10, 10])
const stopEvent = new TextEncoder().encode(encodeSse("message_stop", '{"type":"message_stop"}'))

interface SourcePiece {
  readonly bytes: Uint8Array
  /** Nothing follows; a Fault: but the error that says so. */
  readonly end?: "complete" | Fault
}

interface Source {
  readonly next: () => Soon<SourcePiece>
  /** Between the message's beginning and its end. */
  readonly running: () => boolean
  /** Nobody asks any more. */
  readonly close: () => void
}

interface SourceOptions {
  readonly errors: ErrorContext
  readonly clock: Context["clock"]
  /** How long the end of the body may lag behind the end of the message. */
  readonly afterMs: number
}

/** The upstream's bytes in pieces of whole events. */
function createSource(
  batches: Batches<DirectInput>,
  session: DirectSession,
  { errors, clock, afterMs }: SourceOptions,
): Source {
  const gate = createEventGate()
  let failed = false
  let cancelGrace: (() => void) | undefined
  const tap = createTap({
    usage: session.readUsage,
    content: session.content,
    event: session.tally.pass,
    error: (data) => {
      failed = true
      refuse(session.outcome, faultOfEvent(data, errors))
    },
  })

  const over = () => tap.phase() === "stopped" || tap.phase() === "failed"

  function pass(bytes: Uint8Array): Uint8Array {
    tap.push(bytes)
    if (tap.phase() === "stopped") complete(session.outcome)
    // The upstream has said its last word; if it does not go, we do.
    if (over() || tap.phase() === "finished") cancelGrace ??= clock.setTimer(batches.close, afterMs)
    else goOn()
    return failed ? withoutSecrets(bytes, errors.secrets) : bytes
  }

  /** It was not the last word after all. */
  function goOn(): void {
    cancelGrace?.()
    cancelGrace = undefined
  }

  function conclude(given: Fault): SourcePiece {
    const rest = gate.rest()
    if (over()) return { bytes: rest, end: "complete" }
    // Half an event would break the client's reader before it sees the error.
    const isWhole = tap.flush(rest)
    if (tap.phase() === "stopped") complete(session.outcome)
    if (isWhole && over()) return { bytes: rest, end: "complete" }
    const bytes = isWhole ? Buffer.concat([rest, blankLine]) : noBytes
    if (tap.phase() !== "finished") return { bytes, end: refuse(session.outcome, given) }
    // Some gateways, and now and then Anthropic's own API, leave out the event that ends a message, or never send it
    // (esengine/DeepSeek-Reasonix#8756, tombii/better-ccflare#307): an error would have all of it asked for again.
    complete(session.outcome)
    return { bytes: Buffer.concat([bytes, stopEvent]), end: "complete" }
  }

  function take(input: DirectInput): SourcePiece {
    if (input.kind === "fault") return conclude(input.fault)
    if (input.kind === "end") return conclude(closedEarly(errors, "was complete"))
    const bytes = gate.push(input.bytes)
    if (gate.pending() <= longestLine) return { bytes: bytes.length === 0 ? bytes : pass(bytes) }
    batches.close()
    return { bytes, end: refuse(session.outcome, tooLong(errors, "an event", longestLine)) }
  }

  function next(): Soon<SourcePiece> {
    const batch = batches.next()
    if (batch instanceof Promise) return batch
    const parts: Uint8Array[] = []
    for (const input of batch ?? endOfBytes) {
      const { bytes, end } = take(input)
      parts.push(bytes)
      if (end !== undefined) return { bytes: Buffer.concat(parts), end }
    }
    return { bytes: parts.length === 1 ? (parts[0] ?? noBytes) : Buffer.concat(parts) }
  }

  function close(): void {
    cancelGrace?.()
    batches.close()
  }

  return { next, running: () => tap.phase() === "running" || tap.phase() === "finished", close }
}

/** An upstream's error may quote the key it was sent: then, and only then, its bytes are changed. */
function withoutSecrets(bytes: Uint8Array, secrets: readonly string[]): Uint8Array {
  const text = plainJson(new TextDecoder().decode(bytes))
  const known = secrets.some((secret) => secret.length >= 4 && text.includes(secret))
  return known ? new TextEncoder().encode(redact(text, secrets)) : bytes
}
