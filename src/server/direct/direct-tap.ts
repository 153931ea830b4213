// Listens to a Messages stream on its way to the client: what was used, how far it is, how it ended. And lets
// nothing but whole events through, so that whatever is added stands between two of them.

import { type ErrorContext, faultFromError, faultFromJson } from "../../protocol/errors/upstream-error.ts"
import type { Fault } from "../../protocol/fault.ts"
import { type JsonObject, jsonOf, objectOf, parseJson, textOf } from "../../protocol/json.ts"
import { isEscaped } from "../../protocol/json-spans.ts"
import { createSseDecoder, type SseMessage } from "../../protocol/sse.ts"

interface EventGate {
  /** Everything up to the end of the last whole event; empty when there is none. The rest waits. */
  readonly push: (bytes: Uint8Array) => Uint8Array
  /** What waits for the rest of its event. */
  readonly rest: () => Uint8Array
  readonly pending: () => number
}

const lf = 10
const cr = 13

/** Holds back the beginning of an event until its blank line has come. The bytes stay what they are. */
export function createEventGate(): EventGate {
  let held = new Uint8Array(0)
  let size = 0
  // The last two bytes of what came before, the later one first.
  let before: readonly [number, number] = [0, 0]

  /** How much of the chunk belongs to events that are whole. */
  function wholeLength(bytes: Uint8Array): number {
    const at = (index: number): number => bytes[index] ?? before[-1 - index] ?? 0
    for (let end = bytes.length; end > 0; end--) {
      const last = at(end - 1)
      if (last !== lf && last !== cr) continue
      const second = at(end - 2)
      if (second === last) return end
      const third = at(end - 3)
      if (last === lf && second === cr && (third === lf || third === cr)) return end
    }
    return 0
  }

  /** Room is doubled, so that an event in single bytes costs no more than its length. */
  function hold(bytes: Uint8Array): void {
    if (size + bytes.length > held.length) {
      const room = new Uint8Array(Math.max(2 * held.length, size + bytes.length))
      room.set(held.subarray(0, size))
      held = room
    }
    held.set(bytes, size)
    size += bytes.length
  }

  function push(bytes: Uint8Array): Uint8Array {
    const length = wholeLength(bytes)
    before = [bytes.at(-1) ?? before[0], bytes.at(-2) ?? (bytes.length === 1 ? before[0] : before[1])]
    if (length === 0) {
      hold(bytes)
      return bytes.subarray(0, 0)
    }
    const whole = size === 0 ? bytes.subarray(0, length) : Buffer.concat([rest(), bytes.subarray(0, length)])
    size = 0
    hold(bytes.subarray(length))
    return whole
  }

  function rest(): Uint8Array {
    return held.slice(0, size)
  }

  return { push, rest, pending: () => size }
}

/** `finished`: it is said why the message ends, which is all of it; only the event that ends it has not come. */
type StreamPhase = "waiting" | "running" | "finished" | "stopped" | "failed"

/** Does a `message_delta` say why the message ends? */
export function saysStop(value: JsonObject): boolean {
  return textOf(objectOf(value["delta"])["stop_reason"]) !== undefined
}

interface TapListener {
  /** A `usage` object, of the message's beginning or its end. */
  readonly usage: (usage: JsonObject) => void
  /** Something of the answer has come: these words, or none that are known. */
  readonly content: (words: string) => void
  /** One more event, with the block that it begins. */
  readonly event: (block: JsonObject | undefined) => void
  /** The upstream's own error event. */
  readonly error: (data: string) => void
}

interface Tap {
  readonly push: (bytes: Uint8Array) => void
  /** The end of a body, cut within an event or not: is `rest` an event that only lacks its blank line? */
  readonly flush: (rest: Uint8Array) => boolean
  readonly phase: () => StreamPhase
}

const readEvents: ReadonlySet<string> = new Set([
  ...["message_start", "content_block_start", "message_delta", "message_stop", "error"],
])

const wordsBegin = /"(?:text|thinking|partial_json)"\s*:\s*"/

/** The words of a delta as they stand in its JSON, escapes and all: near enough to estimate their tokens by. */
function wordsOf(data: string): string {
  const begin = wordsBegin.exec(data)
  if (begin === null) return ""
  const from = begin.index + begin[0].length
  for (let end = data.indexOf('"', from); end >= 0; end = data.indexOf('"', end + 1)) {
    if (!isEscaped(data, end)) return data.slice(from, end)
  }
  return ""
}

function phaseAfter(phase: StreamPhase, type: string | undefined, value: JsonObject): StreamPhase {
  switch (type) {
    case "message_start":
      return "running"
    case "content_block_start":
      return phase === "finished" ? "running" : phase
    case "message_delta":
      return saysStop(value) ? "finished" : phase
    case "message_stop":
      return "stopped"
    case "error":
      return "failed"
    default:
      return phase
  }
}

/** A tap for one stream. It never fails: what it does not understand is the client's to understand. */
export function createTap(listener: TapListener): Tap {
  const decoder = new TextDecoder()
  // What it reads goes on to the client as it is.
  const sse = createSseDecoder(false)
  let phase: StreamPhase = "waiting"

  function read({ event, data }: SseMessage): void {
    // Most of a stream is deltas: those are not parsed.
    if (event === "content_block_delta") listener.content(wordsOf(data))
    if (event !== undefined && !readEvents.has(event)) {
      listener.event(undefined)
      return
    }
    const value = objectOf(jsonOf(data))
    const type = event ?? textOf(value["type"])
    listener.event(type === "content_block_start" ? objectOf(value["content_block"]) : undefined)
    take(type, value, data)
  }

  function take(type: string | undefined, value: JsonObject, data: string): void {
    if (phase === "stopped" || phase === "failed") return
    phase = phaseAfter(phase, type, value)
    if (type === "message_start") listener.usage(objectOf(objectOf(value["message"])["usage"]))
    else if (type === "message_delta") listener.usage(objectOf(value["usage"]))
    else if (type === "error") listener.error(data)
    else if (type === "content_block_delta") listener.content(wordsOf(data))
  }

  return {
    push: (bytes) => {
      for (const message of sse.push(decoder.decode(bytes, { stream: true }))) read(message)
    },
    flush: (rest) => {
      const last = [...sse.push(decoder.decode(rest)), ...sse.flush()]
      const whole = last.length > 0 && last.every(({ data }) => parseJson(data).ok)
      if (whole) for (const message of last) read(message)
      return whole
    },
    phase: () => phase,
  }
}

/** What an `error` event says, which may be no JSON. */
export function faultOfEvent(data: string, errors: ErrorContext): Fault {
  const parsed = parseJson(data)
  if (parsed.ok) return faultFromJson(parsed.value, errors)
  return faultFromError({ status: undefined, header: () => null, body: data }, errors)
}
