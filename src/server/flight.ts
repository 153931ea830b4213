// One session under way that is not bound to one client: several may read its reply, each from its beginning, and
// when a client has given it up before it got anything, the next one who asks for the same goes on with it.
import { foldEvents } from "../convert/reply/fold.ts"
import type { Logger } from "../observe/log.ts"
import type { MessagesEvent, MessagesReply } from "../protocol/messages.ts"
import type { Clock } from "../upstream/deadline.ts"
import { createFeed } from "./flight-feed.ts"
import { asOwn, lingerMs, type Reader, type Rider, sentAgain, sleep } from "./flight-reader.ts"
import { createRoster } from "./flight-roster.ts"
import type { Reading, Source } from "./reading.ts"
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

/** The flight of a session that was just begun; the first one to join it is the one whose request it is. */
export function createFlight(options: FlightOptions): Flight {
  const { session, shared, limit, clock } = options
  const { opening: opened } = session
  const roster = createRoster(session, options.log, onDone)
  const feed = createFeed(session, onBatch)
  const { log, ended } = feed
  let closed = false
  let landing = false
  let cancelLinger: (() => void) | undefined

  // A failure is told to those who wait for the reply; who comes later may have better luck.
  opened.then(({ fault }) => {
    if (fault === undefined) return
    if (roster.size() === 0) abandon()
    else close()
  })

  function close(): void {
    if (closed) return
    closed = true
    options.onClose()
    roster.trim(log, clock.now())
  }

  function onDone(): void {
    if (!landing) close()
  }

  function waits(): boolean {
    return roster.owner()?.state === "left"
  }

  function leave(reader: Reader): void {
    if (roster.leave(reader)) linger(reader)
    if (closed) roster.trim(log, clock.now())
  }

  /** Who leaves while the answer comes does not want it; who has waited for it in vain may ask again. */
  function linger(reader: Reader): void {
    const ms = reader.heard || !options.lingers ? 0 : lingerMs(clock.now() - reader.since)
    if (closed || ms === 0 || !options.onLinger(true)) {
      abandon()
      return
    }
    cancelLinger = clock.setTimer(abandon, ms)
    const { requestId } = reader.rider
    options.log.debug("a client gave up waiting; its request may be sent again", () => ({ requestId, ms }))
  }

  function endLinger(): void {
    if (cancelLinger === undefined) return
    cancelLinger()
    cancelLinger = undefined
    options.onLinger(false)
  }

  function abandon(): void {
    endLinger()
    close()
    roster.dismiss()
  }

  function onBatch(): void {
    if (shared && !closed) log.pack(roster.readBy(log.end()))
    if (shared && log.size() > limit) close()
    if (closed) roster.trim(log, clock.now())
    roster.wake()
    if (ended() && shared && !closed) land()
  }

  /** The log holds all of the reply: until it is kept elsewhere, others may have it from here. */
  function land(): void {
    const reply = feed.isSound() ? foldEvents(log.since(0)).reply : undefined
    landing = reply !== undefined
    if (reply === undefined) close()
    else options.onReply(reply).then(close, close)
  }

  function take(reader: Reader): readonly MessagesEvent[] {
    const events = log.since(reader.position)
    reader.position = log.end()
    reader.readAt = clock.now()
    if (!reader.heard && events.some(({ type }) => type !== "message_start")) hear(reader)
    if (ended()) roster.finish(reader, events)
    if (closed) roster.trim(log, clock.now())
    return asOwn(reader, events)
  }

  /** A whole reply is given to its client at its end; until then it has nothing of it. */
  function hear(reader: Reader): void {
    reader.outcome?.content()
    if (!reader.rider.stream && !ended()) return
    reader.heard = true
    if (!shared) close()
  }

  async function next(reader: Reader): Promise<readonly MessagesEvent[] | undefined> {
    while (reader.state === "reading") {
      if (reader.position < log.end()) return take(reader)
      if (ended()) roster.finish(reader, none)
      else if (readsAlone(reader)) return hearAlone(reader, await feed.direct())
      else await sleep(reader, feed.pull)
    }
    // A request whose client has left comes to no end before it is known what becomes of it.
    while (reader.state === "left") await sleep(reader, () => {})
    return lastWords(reader)
  }

  /** The one reader of a reply that nobody else can join needs no log. */
  function readsAlone(reader: Reader): boolean {
    const isFree = closed && !ended() && !feed.pulling()
    return isFree && reader.position >= log.end() && roster.isAlone(reader)
  }

  function hearAlone(
    reader: Reader,
    events: readonly MessagesEvent[] | undefined,
  ): readonly MessagesEvent[] | undefined {
    if (ended() && reader.state === "reading") roster.finish(reader, events ?? none)
    return events
  }

  function readingOf(reader: Reader): Reading {
    const { requestId, stream } = reader.rider
    const onEvents = (events: readonly MessagesEvent[] | undefined) => hearAlone(reader, events)
    return {
      ...{ requestId, stream },
      opened: Promise.race([opened, reader.over.promise]),
      begin: () => {
        feed.begin()
        return reader.state === "reading" ? take(reader) : none
      },
      next: () => {
        if (!readsAlone(reader)) return next(reader)
        const events = feed.direct()
        return events instanceof Promise ? events.then(onEvents) : onEvents(events)
      },
      keepAlive: () => (reader.position === log.end() ? session.progress.keepAlive() : none),
      leave: () => leave(reader),
      left: reader.client.signal,
      fail: (error) => roster.fail(reader, error),
      refuse: (given) => roster.refuse(reader, given),
    }
  }

  return {
    join: (rider) => {
      const isFirst = roster.owner() === undefined
      const waited = waits()
      const reader = roster.add(rider, clock.now())
      if (waited) {
        endLinger()
        roster.handOver(reader)
      } else if (!isFirst) reader.outcome = rider.outcome()
      return readingOf(reader)
    },
    takeOver: (rider) => {
      const reader = roster.add(rider, clock.now())
      roster.handOver(reader, sentAgain)
      return readingOf(reader)
    },
    waits,
    isPrivate: () => !shared && roster.size() === 1,
    abandon,
  }
}

/** What is left to say to a client whose connection ends before the reply does. */
function lastWords(reader: Reader): readonly MessagesEvent[] | undefined {
  const { fault } = reader
  reader.fault = undefined
  return fault === undefined ? undefined : [{ type: "error", fault }]
}
