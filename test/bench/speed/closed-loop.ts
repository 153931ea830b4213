// So many clients at once, each sending its next request when it has the reply to the last.
import { createChecker } from "./check.ts"
import { type Connection, connect } from "./connection.ts"
import { createReplyReader } from "./reply-reader.ts"
import { requestOf } from "./requests.ts"
import type { Slot } from "./talk.ts"
import { createTally, type Tally } from "./tally.ts"
import { chunksOf, type Dialect, type Reply, type Work } from "./work.ts"

export interface LoopOptions {
  readonly work: Work
  readonly dialect: Dialect
  readonly port: number
  /** Called when the measuring begins; what it gives is called at its end. */
  readonly account: () => () => Partial<Slot> & Pick<Slot, "seconds">
}

/** What the first content of a stream looks like in the bytes; the first chunk of all names the role only. */
function firstMark(reply: Reply, dialect: Dialect): Buffer | undefined {
  if (reply.kind !== "stream") return undefined
  if (dialect === "messages") return Buffer.from("event: content_block_delta")
  return Buffer.from(
    { text: '"delta":{"content":"', reasoning: '{"reasoning_content":"', tool: '"function":{"arguments":"' }[
      reply.voice
    ],
  )
}

const connectionsLost = 20
const patienceMs = 15_000

interface Loop extends LoopOptions {
  readonly request: Buffer
  readonly check: (body: Buffer) => string | undefined
  readonly tally: Tally
  /** Goes from one phase to the next when it is time; false: no further requests. */
  readonly goOn: () => boolean
}

export async function runClosedLoop(options: LoopOptions): Promise<Slot> {
  const { work, dialect } = options
  const request = requestOf(work, dialect)
  const size = request.length - request.indexOf("\r\n\r\n") - 4
  const tally = createTally()
  const check = createChecker(work.reply, dialect, size)
  const goOn = createPhases(options, tally)
  const loop: Loop = { ...options, request, check, tally, goOn }
  const clients = Array.from({ length: work.at }, () => runClient(loop))
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, work.warm.ms + work.measured.ms + patienceMs)
  const inTime = await Promise.race([
    Promise.all(clients.map(({ done }) => done)).then(() => true),
    late.promise.then(() => false),
  ])
  clearTimeout(timer)
  if (!inTime) tally.error("no reply in time")
  for (const client of clients) client.stop()
  return { ...tally.result(), chunks: tally.counted() * chunksOf(work.reply) }
}

/** Warms up, measures, and is over. */
function createPhases({ work, account }: LoopOptions, tally: Tally): () => boolean {
  const { warm, measured } = work
  const started = performance.now()
  let warmed = 0
  let since = 0
  let close: ReturnType<LoopOptions["account"]> | undefined
  let over = false
  return () => {
    if (over) return false
    const now = performance.now()
    if (close === undefined) {
      if (now - started >= warm.ms && warmed++ >= warm.count) {
        close = account()
        since = now
        tally.begin()
      }
      return true
    }
    over = now - since >= measured.ms || tally.counted() >= measured.count || tally.failures() > 100
    if (over) tally.end(close())
    return !over
  }
}

function runClient(loop: Loop): { readonly done: Promise<void>; readonly stop: () => void } {
  const { tally, check, dialect, port } = loop
  const reader = createReplyReader()
  const mark = firstMark(loop.work.reply, dialect)
  const finished = Promise.withResolvers<void>()
  let connection: Connection | undefined
  let sentAt = 0
  let firstAt = 0
  let lost = 0

  function next(): void {
    if (!loop.goOn()) {
      connection?.close()
      finished.resolve()
      return
    }
    reader.reset()
    firstAt = 0
    sentAt = performance.now()
    connection?.send(loop.request)
  }

  function take(bytes: Buffer): void {
    const complete = reader.push(bytes)
    const now = performance.now()
    if (mark !== undefined && firstAt === 0 && reader.body().indexOf(mark) >= 0) firstAt = now
    if (!complete) return
    if (reader.status() !== 200) tally.error(`${reader.status()}: ${reader.body().toString().slice(0, 200)}`)
    else {
      const problem = check(reader.body())
      if (problem !== undefined) tally.wrong(problem)
      tally.reply(now - sentAt, firstAt === 0 ? undefined : firstAt - sentAt)
    }
    next()
  }

  function data(bytes: Buffer): void {
    try {
      take(bytes)
    } catch (error) {
      tally.error(String(error))
      connection?.close()
      void open()
    }
  }

  async function open(): Promise<void> {
    if (lost++ > connectionsLost) return finished.resolve()
    try {
      connection = await connect(port, { data, closed })
      next()
    } catch (error) {
      tally.error(`no connection: ${String(error)}`)
      finished.resolve()
    }
  }

  function closed(): void {
    tally.error("the connection was closed")
    void open()
  }

  void open()
  return { done: finished.promise, stop: () => connection?.close() }
}
