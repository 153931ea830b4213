// Who reads a flight, and whose request it is: one of the readers stands for the session, the others have an
// outcome of their own.
import type { Logger } from "../../observe/log.ts"
import type { Fault } from "../../protocol/fault.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import { clientLeft } from "../../upstream/connection.ts"
import { fire } from "../../upstream/signal.ts"
import { randomId } from "../common/ids.ts"
import { internalFault } from "../http/respond.ts"
import { abandon, fail, handOver, leave, type RequestOutcome, refuse } from "../outcome/outcome.ts"
import { type Source, settle } from "../reply/reading.ts"
import { type EventLog, endOf, forget } from "./event-log.ts"
import { createReader, type Reader, type Rider, tooSlow } from "./flight-reader.ts"

/** Those that still read. It changes in place, by the functions below. */
export interface Roster {
  readonly session: Source
  readonly log: Pick<Logger, "error">
  /** Hears when everybody has got an end of some kind. */
  readonly onDone: () => void
  readonly readers: Set<Reader>
  /** The one whose request the session is. */
  owner: Reader | undefined
}

// What one reader may lag behind another, in bytes of memory: a reply of the usual length. Who goes on reading may lag
// by more, for a connection holds some megabytes that count as read.
const mostLag = 4 * 1024 * 1024
const mostLagReading = 4 * mostLag
const stillMs = 5_000

/** An empty roster. */
export function createRoster(session: Source, log: Pick<Logger, "error">, onDone: () => void): Roster {
  return { session, log, onDone, readers: new Set(), owner: undefined }
}

/** Nobody else reads. */
export function isAlone({ readers, owner }: Roster, reader: Reader): boolean {
  return reader === owner && readers.size === 1 && reader.state === "reading"
}

/** One more, from the beginning; the first one is the owner. */
export function addReader(roster: Roster, rider: Rider, since: number): Reader {
  const id = roster.owner === undefined ? undefined : `msg_${randomId()}`
  const reader = createReader(rider, since, id, roster.session.opening)
  roster.readers.add(reader)
  roster.owner ??= reader
  return reader
}

function outcomeOf({ session }: Roster, { outcome }: Reader): RequestOutcome {
  return outcome ?? session.outcome
}

/** Nothing more comes for this reader but its last words, if there are any. */
function part({ readers }: Roster, reader: Reader, why?: Fault): void {
  reader.state = "over"
  reader.fault = why
  readers.delete(reader)
  reader.open({ fault: why ?? clientLeft })
  reader.wake?.()
}

function conclude(roster: Roster, reader: Reader): void {
  part(roster, reader)
  if (roster.readers.size === 0) roster.onDone()
}

/** The session is this reader's request from now on. Whoever it was before is over, and told why, if there is a why. */
export function passOn(roster: Roster, heir: Reader, why?: Fault): void {
  const before = roster.owner
  if (heir.outcome !== undefined) abandon(heir.outcome)
  heir.outcome = undefined
  roster.owner = heir
  handOver(roster.session.outcome, heir.rider)
  if (before !== undefined) part(roster, before, why)
}

/** It has been given the last events. */
export function finishReader(roster: Roster, reader: Reader, events: readonly MessagesEvent[]): void {
  settle(outcomeOf(roster, reader), events)
  conclude(roster, reader)
}

/** It is answered with this fault, as far as it is to be answered; gives the fault in the words that hold. */
export function refuseReader(roster: Roster, reader: Reader, given: Fault): Fault {
  if (reader.state !== "reading") return given
  const explained = refuse(outcomeOf(roster, reader), given)
  conclude(roster, reader)
  return explained
}

/** Something of ours broke, for this reader. */
export function failReader(roster: Roster, reader: Reader, error: unknown): Fault {
  if (reader.outcome === undefined && roster.readers.size > 1) {
    roster.log.error("internal error", () => ({ requestId: reader.rider.requestId, error }))
    leaveRoster(roster, reader)
  }
  if (reader.state !== "reading") return internalFault(error)
  const given = fail(outcomeOf(roster, reader), error)
  conclude(roster, reader)
  return given
}

/** Its client has left. True: it was the last one, and what becomes of the session is still to be said. */
export function leaveRoster(roster: Roster, reader: Reader): boolean {
  if (reader.client.aborted) return false
  fire(reader.client)
  if (reader.state !== "reading") return false
  roster.readers.delete(reader)
  const [heir] = roster.readers
  if (reader.outcome === undefined && heir === undefined) {
    reader.state = "left"
    return true
  }
  if (reader.outcome === undefined && heir !== undefined) passOn(roster, heir)
  else {
    if (reader.outcome !== undefined) leave(reader.outcome)
    part(roster, reader)
  }
  return false
}

/** Nobody waits for the session any more. */
export function dismiss(roster: Roster): void {
  const { session, owner } = roster
  leave(session.outcome)
  if (owner?.state === "left") part(roster, owner)
}

/** The position up to which everybody has read. */
export function readBy({ readers }: Roster, end: number): number {
  let first = end
  for (const { position } of readers) first = Math.min(first, position)
  return first
}

/** Forgets what everybody has read, and sends off who reads nothing while others have gone on too far. */
export function trim(roster: Roster, events: EventLog, now: number): void {
  const { readers } = roster
  forget(events, readBy(roster, endOf(events)))
  if (events.size <= mostLag) return
  const awake = [...readers].find(({ wake }) => wake !== undefined)
  if (awake === undefined) return
  const least = events.size > mostLagReading ? 0 : stillMs
  for (const reader of readers) {
    const lags = reader.wake === undefined && reader.position < endOf(events)
    if (lags && now - reader.readAt >= least) drop(roster, reader, awake)
  }
  forget(events, readBy(roster, endOf(events)))
}

function drop(roster: Roster, reader: Reader, awake: Reader): void {
  if (reader.outcome === undefined) passOn(roster, awake, tooSlow)
  else {
    refuse(reader.outcome, tooSlow)
    part(roster, reader, tooSlow)
  }
}

/** Something has happened. */
export function wakeAll({ readers }: Roster): void {
  for (const { wake } of readers) wake?.()
}
