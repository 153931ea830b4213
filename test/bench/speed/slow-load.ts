// Thousands of slow streams at once: how old is each event when it comes, and what does a stream take of memory?
import { createChecker } from "./check.ts"
import { machineNow } from "./clock.ts"
import type { LoopOptions } from "./closed-loop.ts"
import { type Connection, connect } from "./connection.ts"
import { createReplyReader } from "./reply-reader.ts"
import { stampLength } from "./reply-text.ts"
import { requestOf } from "./requests.ts"
import type { Slot } from "./talk.ts"
import { createTally, type Tally } from "./tally.ts"
import { chunksOf } from "./work.ts"

export interface SlowOptions extends LoopOptions {
  /** The memory of what is measured, in KB. */
  readonly rss: () => number | undefined
}

interface Streams extends SlowOptions {
  readonly request: Buffer
  readonly check: (body: Buffer) => string | undefined
  readonly tally: Tally
}

const patienceMs = 20_000
const openEveryMs = 5
const sampleEveryMs = 200
const at = 64
const bodyBytes = 16_384

export async function runSlowStreams(options: SlowOptions): Promise<Slot> {
  const { work, dialect, rss } = options
  const { warm, measured } = work
  const tally = createTally()
  const streams: Streams = {
    ...options,
    request: requestOf(work, dialect),
    check: createChecker(work.reply, dialect, 0),
    tally,
  }
  const rssBefore = rss()
  const opened = openOverTime(streams)
  await Bun.sleep(warm.ms)
  const samples: number[] = []
  const sample = () => samples.push(rss() ?? 0)
  const sampling = setInterval(sample, sampleEveryMs)
  const close = options.account()
  tally.begin()
  await Bun.sleep(measured.ms)
  const account = close()
  tally.end(account)
  clearInterval(sampling)
  sample()
  await finish(opened, chunksOf(work.reply) * everyMsOf(streams), tally)
  const rssDuring = rssBefore === undefined ? undefined : Math.max(...samples)
  return {
    ...tally.result(),
    chunks: tally.ages(),
    ...(rssBefore === undefined || rssDuring === undefined ? {} : { rssBefore, rssDuring }),
  }
}

function everyMsOf({ work }: Streams): number {
  return work.reply.kind === "slow" ? work.reply.everyMs : 0
}

interface Opened {
  readonly done: Promise<void>
  readonly stop: () => void
}

/** All streams, one after the other. */
function openOverTime(streams: Streams): readonly Opened[] {
  const { work } = streams
  const opened: Opened[] = []
  const started = performance.now()
  const timer = setInterval(() => {
    const due = Math.min(work.at, Math.ceil(((performance.now() - started) / work.openingMs) * work.at))
    while (opened.length < due) opened.push(openStream(streams))
    if (opened.length >= work.at) clearInterval(timer)
  }, openEveryMs)
  return opened
}

async function finish(opened: readonly Opened[], longestMs: number, tally: Tally): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, longestMs + patienceMs)
  const inTime = await Promise.race([
    Promise.all(opened.map(({ done }) => done)).then(() => true),
    late.promise.then(() => false),
  ])
  clearTimeout(timer)
  if (!inTime) tally.error("a stream did not end in time")
  for (const { stop } of opened) stop()
}

function openStream({ tally, check, port, request }: Streams): Opened {
  const reader = createReplyReader(bodyBytes)
  const finished = Promise.withResolvers<void>()
  let connection: Connection | undefined
  let scanned = 0

  /** Each stamp that is whole tells how old its event is. */
  function readAges(now: number): void {
    const body = reader.body()
    for (;;) {
      const found = body.indexOf(at, scanned)
      scanned = found < 0 ? body.length : found
      if (found < 0 || found + stampLength > body.length) return
      tally.age(now - Number(body.toString("latin1", found + 6, found + stampLength - 1)))
      scanned = found + stampLength
    }
  }

  function judge(): void {
    if (reader.status() !== 200) tally.error(`${reader.status()}: ${reader.body().toString().slice(0, 200)}`)
    else {
      const problem = check(reader.body())
      if (problem !== undefined) tally.wrong(problem)
    }
  }

  function data(bytes: Buffer): void {
    const now = machineNow()
    const complete = reader.push(bytes)
    readAges(now)
    if (!complete) return
    judge()
    connection?.close()
    finished.resolve()
  }

  function closed(): void {
    tally.error("a stream was cut off")
    finished.resolve()
  }

  connect(port, { data, closed }).then(
    (given) => {
      connection = given
      given.send(request)
    },
    (error) => {
      tally.error(`no connection: ${String(error)}`)
      finished.resolve()
    },
  )
  return { done: finished.promise, stop: () => connection?.close() }
}
