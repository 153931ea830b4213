// Who reads a flight, and whose request it is: one of the readers stands for the session, the others have an
// outcome of their own.
import type { Logger } from "../observe/log.ts"
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { EventLog } from "./event-log.ts"
import { createReader, gone, type Reader, type Rider, tooSlow } from "./flight-reader.ts"
import { randomId } from "./ids.ts"
import { type Source, settle } from "./reading.ts"
import { internalFault } from "./respond.ts"

export interface Roster {
  /** Those that still read. */
  readonly size: () => number
  /** The one whose request the session is. */
  readonly owner: () => Reader | undefined
  readonly isAlone: (reader: Reader) => boolean
  /** One more, from the beginning; the first one is the owner. */
  readonly add: (rider: Rider, since: number) => Reader
  /** The session is this reader's request from now on. Whoever it was before is over, and told why, if there is a why. */
  readonly handOver: (heir: Reader, why?: Fault) => void
  /** It has been given the last events. */
  readonly finish: (reader: Reader, events: readonly MessagesEvent[]) => void
  /** It is answered with this fault, as far as it is to be answered; gives the fault in the words that hold. */
  readonly refuse: (reader: Reader, given: Fault) => Fault
  /** Something of ours broke, for this reader. */
  readonly fail: (reader: Reader, error: unknown) => Fault
  /** Its client has left. True: it was the last one, and what becomes of the session is still to be said. */
  readonly leave: (reader: Reader) => boolean
  /** Nobody waits for the session any more. */
  readonly dismiss: () => void
  /** The position up to which everybody has read. */
  readonly readBy: (end: number) => number
  /** Forgets what everybody has read, and sends off who reads nothing while others have gone on too far. */
  readonly trim: (log: EventLog, now: number) => void
  /** Something has happened. */
  readonly wake: () => void
}

// What one reader may lag behind another, in bytes of memory: a reply of the usual length. Who goes on reading may lag
// by more, for a connection holds some megabytes that count as read.
const mostLag = 4 * 1024 * 1024
const mostLagReading = 4 * mostLag
const stillMs = 5_000

/** An empty roster. `onDone` hears when everybody has got an end of some kind. */
export function createRoster(session: Source, log: Pick<Logger, "error">, onDone: () => void): Roster {
  const readers = new Set<Reader>()
  let owner: Reader | undefined

  const endsOf = (reader: Reader) => reader.outcome ?? session.outcome

  /** Nothing more comes for this reader but its last words, if there are any. */
  function part(reader: Reader, why?: Fault): void {
    reader.state = "over"
    reader.fault = why
    readers.delete(reader)
    reader.over.resolve({ fault: why ?? gone })
    reader.wake?.()
  }

  function conclude(reader: Reader): void {
    part(reader)
    if (readers.size === 0) onDone()
  }

  function handOver(heir: Reader, why?: Fault): void {
    const before = owner
    heir.outcome?.abandon()
    heir.outcome = undefined
    owner = heir
    session.outcome.handOver(heir.rider)
    if (before !== undefined) part(before, why)
  }

  function leave(reader: Reader): boolean {
    if (reader.client.signal.aborted) return false
    reader.client.abort()
    if (reader.state !== "reading") return false
    readers.delete(reader)
    const [heir] = readers
    if (reader.outcome === undefined && heir === undefined) {
      reader.state = "left"
      return true
    }
    if (reader.outcome === undefined && heir !== undefined) handOver(heir)
    else {
      reader.outcome?.leave()
      part(reader)
    }
    return false
  }

  function readBy(end: number): number {
    let first = end
    for (const { position } of readers) first = Math.min(first, position)
    return first
  }

  function drop(reader: Reader, awake: Reader): void {
    if (reader.outcome === undefined) handOver(awake, tooSlow)
    else {
      reader.outcome.refuse(tooSlow)
      part(reader, tooSlow)
    }
  }

  return {
    size: () => readers.size,
    owner: () => owner,
    isAlone: (reader) => reader === owner && readers.size === 1 && reader.state === "reading",
    add: (rider, since) => {
      const reader = createReader(rider, since, owner === undefined ? undefined : `msg_${randomId()}`)
      readers.add(reader)
      owner ??= reader
      return reader
    },
    handOver,
    finish: (reader, events) => {
      settle(endsOf(reader), events)
      conclude(reader)
    },
    refuse: (reader, given) => {
      if (reader.state !== "reading") return given
      const explained = endsOf(reader).refuse(given)
      conclude(reader)
      return explained
    },
    fail: (reader, error) => {
      if (reader.outcome === undefined && readers.size > 1) {
        log.error("internal error", () => ({ requestId: reader.rider.requestId, error }))
        leave(reader)
      }
      if (reader.state !== "reading") return internalFault(error)
      const given = endsOf(reader).fail(error)
      conclude(reader)
      return given
    },
    leave,
    dismiss: () => {
      session.outcome.leave()
      if (owner?.state === "left") part(owner)
    },
    readBy,
    trim: (events, now) => {
      events.forget(readBy(events.end()))
      if (events.size() <= mostLag) return
      const awake = [...readers].find(({ wake }) => wake !== undefined)
      if (awake === undefined) return
      const least = events.size() > mostLagReading ? 0 : stillMs
      for (const reader of readers) {
        const lags = reader.wake === undefined && reader.position < events.end()
        if (lags && now - reader.readAt >= least) drop(reader, awake)
      }
      events.forget(readBy(events.end()))
    },
    wake: () => {
      for (const { wake } of readers) wake?.()
    },
  }
}
