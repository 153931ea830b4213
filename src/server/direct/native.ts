// An upstream that speaks Messages itself, asked in the place of one that does not: its reply is read into deltas that
// hold its events as they are, so that it can follow a message that the client has seen the beginning of.
import type { Delta } from "../../convert/common/delta.ts"
import { eventsOfMessage } from "../../convert/direct/direct-form.ts"
import { nativeEvent } from "../../convert/writer/native.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import { isObject, parseJson } from "../../protocol/json.ts"
import { createSseDecoder, type SseMessage } from "../../protocol/sse.ts"
import type { Opening } from "../../upstream/attempts.ts"
import { type Batches, oneBatch, type Soon, settled } from "../../upstream/batches.ts"
import type { Clock } from "../../upstream/deadline.ts"
import type { DirectInput } from "../../upstream/direct.ts"
import { closedEarly } from "../../upstream/no-reply.ts"
import { longestLine, tooLong } from "../../upstream/reply-limits.ts"
import type { RequestOutcome } from "../outcome/outcome.ts"
import type { DirectRequest } from "../request/direct-request.ts"
import { type DirectOpening, openDirect } from "./direct-open.ts"
import { type DirectParts, failedOpening, type SendingOptions, telling } from "./direct-parts.ts"
import { faultOfEvent, saysStop } from "./direct-tap.ts"

/** Sends it until the reply begins or must be given up. Never rejects. */
export async function openNative(
  { route, request }: DirectRequest,
  { text, stream, errors }: DirectParts,
  sending: SendingOptions,
  afterMs: number,
  outcome: RequestOutcome,
): Promise<Opening<Delta>> {
  const opening = await openDirect(route, text, request.headers, {
    ...sending,
    ...{ endpoint: "", stream, signal: outcome.upstream },
    ...telling(outcome),
  })
  if (!opening.ok) return failedOpening(opening)
  const { clock } = sending
  return { ok: true, batches: readNative(opening, { errors, clock, afterMs }) }
}

interface ReadOptions {
  readonly errors: ErrorContext
  readonly clock: Clock
  /** How long the end of the body may lag behind the end of the message. */
  readonly afterMs: number
}

function readNative(opening: Extract<DirectOpening, { ok: true }>, options: ReadOptions): Batches<Delta> {
  if (opening.kind === "stream") return readEvents(opening.batches, options)
  const events = eventsOfMessage(opening.json).map((event): Delta => {
    return { kind: "native", event: nativeEvent(event, JSON.stringify(event)) }
  })
  return oneBatch<Delta>([...events, cutOff])
}

/** Heard only where the message has not come to its own end. */
const cutOff: Delta = { kind: "end", clean: false }

function readEvents(inputs: Batches<DirectInput>, { errors, clock, afterMs }: ReadOptions): Batches<Delta> {
  const decoder = new TextDecoder()
  const sse = createSseDecoder()
  let over = false
  let finished = false
  let cancelGrace: (() => void) | undefined

  function readMessage({ event, data }: SseMessage): readonly Delta[] {
    const parsed = parseJson(data)
    const value = parsed.ok && isObject(parsed.value) ? parsed.value : undefined
    // A block that begins behind it takes it back.
    if (value?.["type"] === "content_block_start") finished = false
    else finished ||= value?.["type"] === "message_delta" && saysStop(value)
    if (event === "error" || value?.["type"] === "error")
      return [{ kind: "fault", fault: faultOfEvent(data, errors) }]
    return value === undefined ? [] : [{ kind: "native", event: nativeEvent(value, data, event) }]
  }

  function take(input: DirectInput): readonly Delta[] {
    if (input.kind === "fault") return [finished ? stopped : { kind: "fault", fault: input.fault }]
    if (input.kind === "end") {
      const rest = [...sse.push(decoder.decode()), ...sse.flush()].flatMap(readMessage)
      return [...rest, finished ? stopped : { kind: "fault", fault: closedEarly(errors, "was complete") }]
    }
    const deltas = sse.push(decoder.decode(input.bytes, { stream: true })).flatMap(readMessage)
    if (sse.pending() <= longestLine) return deltas
    return [...deltas, { kind: "fault", fault: tooLong(errors, "an event", longestLine) }]
  }

  function next(): Soon<readonly Delta[] | undefined> {
    if (over) return undefined
    const batch = inputs.next()
    if (batch instanceof Promise) return batch
    if (batch === undefined) over = true
    const deltas = (batch ?? [{ kind: "end" } as const]).flatMap(take)
    // The event that ends the message may never come, as where a reply is passed through.
    if (finished) cancelGrace ??= clock.setTimer(inputs.close, afterMs)
    else stopWaiting()
    if (!deltas.some(isLast)) return deltas
    stopWaiting()
    over = true
    void readOn()
    return deltas
  }

  /** Nothing of worth follows the end of a message; at the end of the body the connection can be used again. */
  async function readOn(): Promise<void> {
    const cancel = clock.setTimer(inputs.close, afterMs)
    while ((await settled(inputs.next)) !== undefined);
    cancel()
  }

  function stopWaiting(): void {
    cancelGrace?.()
    cancelGrace = undefined
  }

  function close(): void {
    stopWaiting()
    inputs.close()
  }

  return { next, close }
}

const stopped: Delta = {
  kind: "native",
  event: nativeEvent({ type: "message_stop" }, '{"type":"message_stop"}'),
}

function isLast(delta: Delta): boolean {
  return delta.kind === "fault" || (delta.kind === "native" && delta.event.name === "message_stop")
}
