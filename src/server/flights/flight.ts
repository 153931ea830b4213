// One session under way that is not bound to one client: several may read its reply, each from its beginning, and
// when a client has given it up before it got anything, the next one who asks for the same goes on with it.
import { foldEvents } from "../../convert/reply/fold.ts"
import type { Logger } from "../../observe/log.ts"
import type { MessagesEvent, MessagesReply } from "../../protocol/messages/messages.ts"
import type { Soon } from "../../upstream/batches.ts"
import type { Clock } from "../../upstream/deadline.ts"
import { beginsToCome } from "../outcome/outcome.ts"
import { keepReplyAlive } from "../reply/progress.ts"
import { nextEvents, type Reading, type Source } from "../reply/reading.ts"
import { endOf, pack, since } from "./event-log.ts"
import { beginFeed, createFeed, type Events, type Feed, letGo, passed, pull } from "./flight-feed.ts"
import { asOwn, lastWords, lingerMs, type Reader, type Rider, sentAgain, sleep } from "./flight-reader.ts"
import {
  addReader,
  createRoster,
  dismiss,
  failReader,
  finishReader,
  isAlone,
  leaveRoster,
  passOn,
  type Roster,
  readBy,
  refuseReader,
  trim,
  wakeAll,
} from "./flight-roster.ts"
import type { Resendable } from "./resends.ts"

export interface FlightOptions {
  readonly session: Source
  /** Others may read along, to its end; else there is one reader at a time, and only until the first content. */
  readonly shared: boolean
  /** Its client is one that may come back: what it gives up is kept for a while. */
  readonly lingers: boolean
  /** Most that is kept for readers to come, in bytes of memory. */
  readonly limit: number
  readonly clock: Clock
  readonly log: Pick<Logger, "debug" | "error">
  /** It begins to wait for its client to come back, unless it hears false; or it has waited. */
  readonly onLinger: (begins: boolean) => boolean
  /** Nobody can join it any more. */
  readonly onClose: () => void
  /** The reply is complete. Never rejects. */
  readonly onReply: (reply: MessagesReply) => Promise<void>
}

/** Its first reader is the one whose request it is; others may come at any time if it is shared. */
export type Flight = Resendable<Rider, Reading>

const none: readonly MessagesEvent[] = []

/** It changes in place, by the functions below. */
interface Flying {
  readonly options: FlightOptions
  readonly roster: Roster
  readonly feed: Feed
  closed: boolean
  landing: boolean
  cancelLinger: (() => void) | undefined
}

/** The flight of a session that was just begun; the first one to join it is the one whose request it is. */
export function createFlight(options: FlightOptions): Flight {
  const { session, shared, clock } = options
  const roster = createRoster(session, options.log, () => onDone(flying))
  const feed = createFeed(session, () => onBatch(flying))
  const flying: Flying = {
    options,
    roster,
    feed,
    closed: false,
    landing: false,
    cancelLinger: undefined,
  }
  // A failure is told to those who wait for the reply; who comes later may have better luck.
  session.opening.then(({ fault }) => {
    if (fault === undefined) return
    if (roster.readers.size === 0) abandon(flying)
    else close(flying)
  })
  return {
    join: (rider) => join(flying, rider),
    takeOver: (rider) => {
      const reader = addReader(roster, rider, clock.steady())
      passOn(roster, reader, sentAgain)
      return readingOf(flying, reader)
    },
    waits: () => waits(flying),
    isPrivate: () => !shared && roster.readers.size === 1,
    abandon: () => abandon(flying),
  }
}

function join(flying: Flying, rider: Rider): Reading {
  const { roster, options } = flying
  const isFirst = roster.owner === undefined
  const waited = waits(flying)
  const reader = addReader(roster, rider, options.clock.steady())
  if (waited) {
    endLinger(flying)
    passOn(roster, reader)
  } else if (!isFirst) reader.outcome = rider.outcome()
  return readingOf(flying, reader)
}

function close(flying: Flying): void {
  const { roster, feed, options } = flying
  if (flying.closed) return
  flying.closed = true
  options.onClose()
  trim(roster, feed.log, options.clock.steady())
}

function trimIfClosed({ roster, feed, options, closed }: Flying): void {
  if (closed) trim(roster, feed.log, options.clock.steady())
}

function onDone(flying: Flying): void {
  if (!flying.landing) close(flying)
  letGo(flying.feed)
}

function waits({ roster }: Flying): boolean {
  return roster.owner?.state === "left"
}

function leave(flying: Flying, reader: Reader): void {
  if (leaveRoster(flying.roster, reader)) linger(flying, reader)
  trimIfClosed(flying)
}

/** Who leaves while the answer comes does not want it; who has waited for it in vain may ask again. */
function linger(flying: Flying, reader: Reader): void {
  const { lingers, clock, onLinger, log } = flying.options
  const ms = reader.heard || !lingers ? 0 : lingerMs(clock.steady() - reader.since)
  if (flying.closed || ms === 0 || !onLinger(true)) {
    abandon(flying)
    return
  }
  flying.cancelLinger = clock.setTimer(() => abandon(flying), ms)
  const { requestId } = reader.rider
  log.debug("a client gave up waiting; its request may be sent again", () => ({ requestId, ms }))
}

function endLinger(flying: Flying): void {
  if (flying.cancelLinger === undefined) return
  flying.cancelLinger()
  flying.cancelLinger = undefined
  flying.options.onLinger(false)
}

function abandon(flying: Flying): void {
  endLinger(flying)
  close(flying)
  dismiss(flying.roster)
  letGo(flying.feed)
}

function onBatch(flying: Flying): void {
  const { roster, feed, options } = flying
  const { log } = feed
  if (options.shared && !flying.closed) pack(log, readBy(roster, endOf(log)))
  if (options.shared && log.size > options.limit) close(flying)
  trimIfClosed(flying)
  wakeAll(roster)
  if (feed.ended && options.shared && !flying.closed) land(flying)
}

/** The log holds all of the reply: until it is kept elsewhere, others may have it from here. */
function land(flying: Flying): void {
  const { feed, options } = flying
  const reply = feed.sound ? foldEvents(since(feed.log, 0)).reply : undefined
  flying.landing = reply !== undefined
  if (reply === undefined) close(flying)
  else {
    const over = () => close(flying)
    options.onReply(reply).then(over, over)
  }
}

function take(flying: Flying, reader: Reader): readonly MessagesEvent[] {
  const { roster, feed, options } = flying
  const events = since(feed.log, reader.position)
  reader.position = endOf(feed.log)
  reader.readAt = options.clock.steady()
  if (!reader.heard && events.some(({ type }) => type !== "message_start")) hear(flying, reader)
  if (feed.ended) finishReader(roster, reader, events)
  trimIfClosed(flying)
  return asOwn(reader, events)
}

/** A whole reply is given to its client at its end; until then it has nothing of it. */
function hear(flying: Flying, reader: Reader): void {
  if (reader.outcome !== undefined) beginsToCome(reader.outcome)
  if (!reader.rider.stream && !flying.feed.ended) return
  reader.heard = true
  if (!flying.options.shared) close(flying)
}

function next(flying: Flying, reader: Reader): Soon<Events> {
  const { roster, feed } = flying
  while (reader.state === "reading") {
    if (reader.position < endOf(feed.log)) return take(flying, reader)
    if (feed.ended) finishReader(roster, reader, none)
    else if (readsAlone(flying, reader)) return nextAlone(flying, reader)
    else return sleep(reader, () => void pull(feed))
  }
  // A request whose client has left comes to no end before it is known what becomes of it.
  return reader.state === "left" ? sleep(reader, () => {}) : lastWords(reader)
}

/** The one reader of a reply that nobody else can join needs no log. */
function readsAlone({ roster, feed, closed }: Flying, reader: Reader): boolean {
  const isFree = closed && !feed.ended && !feed.pulling
  return isFree && reader.position >= endOf(feed.log) && isAlone(roster, reader)
}

function nextAlone({ feed, roster }: Flying, reader: Reader): Soon<Events> {
  const events = nextEvents(feed.session)
  if (events instanceof Promise) return events
  passed(feed, events)
  if (feed.ended) finishReader(roster, reader, events ?? none)
  return events
}

function readingOf(flying: Flying, reader: Reader): Reading {
  const { roster, feed, options } = flying
  const { requestId, stream } = reader.rider
  return {
    requestId,
    stream,
    left: reader.client,
    opened: reader.opened,
    begin: () => {
      beginFeed(feed)
      return reader.state === "reading" ? take(flying, reader) : none
    },
    next: () => next(flying, reader),
    keepAlive: () => (reader.position === endOf(feed.log) ? keepReplyAlive(options.session.progress) : none),
    leave: () => leave(flying, reader),
    fail: (error) => failReader(roster, reader, error),
    refuse: (given) => refuseReader(roster, reader, given),
  }
}
