// The place of one worker: its process, the next one when that has ended, and what all of them had counted.
import type { Logger } from "../../observe/log.ts"
import { errorMessage } from "../../protocol/fault.ts"
import { within } from "../../server/common/within.ts"
import { countedIn, mergeShares, type OtherShares, type Share } from "../../server/figures/siblings.ts"
import { systemClock } from "../../upstream/deadline.ts"
import { version } from "../common/version.ts"
import { show } from "../instances/foreground.ts"
import type { Environment } from "../terminal/io.ts"
import type { FromWorker, Of, ToWorker } from "./worker-messages.ts"
import { type Child, post, spawnWorker } from "./worker-process.ts"

interface SlotOptions {
  /** From 2: the main process is the first. */
  readonly worker: number
  readonly env: Environment
  readonly log: Pick<Logger, "info" | "warn" | "error">
  /** Gets whole lines of what it writes to standard error. */
  readonly show: (text: string) => void
  /** With what it begins, now. */
  readonly first: () => ToWorker
  /** It wants to know what the others have counted. */
  readonly onAsk: (write: boolean) => Promise<OtherShares>
  /** It answers, or does not any more. */
  readonly onChange: () => void
  readonly times?: Partial<SlotTimes>
}

export interface SlotTimes {
  /** One that has not begun to listen by then is killed. */
  readonly startMs: number
  /** One that lived as long has not failed. */
  readonly soundMs: number
  /** Before another is started: twice as long every time, up to the second. */
  readonly shortestPauseMs: number
  readonly longestPauseMs: number
  /** On top of the time that running requests have at the end. */
  readonly slackMs: number
}

const usualTimes: SlotTimes = {
  startMs: 30_000,
  soundMs: 60_000,
  shortestPauseMs: 100,
  longestPauseMs: 30_000,
  slackMs: 2_000,
}

// So often it may end soon after its start before that is more than bad luck.
const patience = 5
const lastWordsMs = 1_000

export interface Slot {
  readonly worker: number
  readonly start: () => void
  /** Does it listen? */
  readonly isUp: () => boolean
  /** Resolves when its first process listens, or has ended. */
  readonly settled: Promise<void>
  /** To the process that listens; nothing where there is none. */
  readonly send: (message: ToWorker) => void
  /** Asks what it has counted; false when it does not say so in time. */
  readonly ask: (write: boolean, limitMs: number) => Promise<boolean>
  /** What is known of it by now; `now`: it has just answered. */
  readonly figures: (now: boolean) => Share | undefined
  /** What is known of those that had this place before. */
  readonly former: () => Share | undefined
  /** Lets it finish its requests; kills it when it is not gone by then. */
  readonly stop: (graceMs: number) => Promise<void>
}

/** Nothing is started yet. */
export function createSlot(options: SlotOptions): Slot {
  const { worker, log } = options
  const times = { ...usualTimes, ...options.times }
  const settled = Promise.withResolvers<void>()
  const asked = new Map<number, () => void>()
  let child: Child | undefined
  let listening = false
  let stopping = false
  let failures = 0
  let startedAt = 0
  let asks = 0
  let latest: Share | undefined
  let former: Share | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone: Promise<void> = Promise.resolve()

  function start(): void {
    startedAt = performance.now()
    try {
      const { child: running, disconnected } = spawnWorker(options.env, hear)
      child = running
      gone = follow(running, disconnected)
    } catch (error) {
      ended(undefined, `cannot be started: ${errorMessage(error)}`)
      return
    }
    timer = setTimeout(() => child?.kill("SIGKILL"), times.startMs)
  }

  async function follow(running: Child, disconnected: Promise<void>): Promise<void> {
    const shown = show(running.stderr, "", options.show).catch(() => {})
    await running.exited
    // What it said last may come after the news of its end.
    await within(Promise.all([shown, disconnected]), lastWordsMs, systemClock)
    ended(running.pid, `has ended (${running.signalCode ?? `exit code ${running.exitCode}`})`)
  }

  function hear(from: Child, message: FromWorker): void {
    if (from !== child) return
    switch (message.kind) {
      case "hello":
        welcome(from, message.version)
        break
      case "listening":
        listens(from.pid)
        break
      case "ask":
        latest = message.share
        void answer(from, message)
        break
      case "told":
        latest = message.share
        asked.get(message.id)?.()
        break
      case "last":
        latest = message.share
        break
      default:
        message satisfies never
    }
  }

  /** The program may have been replaced since this process was started. */
  function welcome(from: Child, theirs: string): void {
    if (theirs === version) {
      post(from, options.first())
      return
    }
    log.error(
      `the program was replaced by version ${theirs} while version ${version} runs: restart the proxy. Until then it goes on without worker ${worker}`,
    )
    failures = Math.max(failures, patience)
    from.kill("SIGKILL")
  }

  function listens(pid: number): void {
    clearTimeout(timer)
    listening = true
    if (failures > 0) log.info(`worker ${worker} answers again`, () => ({ pid }))
    settled.resolve()
    options.onChange()
  }

  async function answer(to: Child, { id, write }: Of<FromWorker, "ask">): Promise<void> {
    post(to, { kind: "others", id, ...(await options.onAsk(write)) })
  }

  function ended(pid: number | undefined, how: string): void {
    clearTimeout(timer)
    child = undefined
    listening = false
    former = mergeShares([former, latest].flatMap((share) => (share === undefined ? [] : [countedIn(share)])))
    latest = undefined
    for (const resolve of asked.values()) resolve()
    settled.resolve()
    if (stopping) return
    failures = performance.now() - startedAt < times.soundMs ? failures + 1 : 1
    const pause = Math.min(times.shortestPauseMs * 2 ** Math.min(failures - 1, 20), times.longestPauseMs)
    tell(pid, how, pause)
    timer = setTimeout(start, pause)
    options.onChange()
  }

  function tell(pid: number | undefined, how: string, pause: number): void {
    const fields = () => (pid === undefined ? {} : { pid })
    const when = `another follows in ${Math.ceil(pause / 1000)} s`
    if (failures < patience) log.warn(`worker ${worker} ${how}; another follows`, fields)
    else
      log.error(`worker ${worker} ${how}, ${failures} times in a row; the others go on, and ${when}`, fields)
  }

  async function ask(write: boolean, limitMs: number): Promise<boolean> {
    if (child === undefined || !listening) return false
    const id = asks++
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const running = child
    asked.set(id, () => resolve(child === running))
    const late = setTimeout(() => resolve(false), limitMs)
    post(running, { kind: "tell", id, write })
    const told = await promise
    clearTimeout(late)
    asked.delete(id)
    return told
  }

  async function stop(graceMs: number): Promise<void> {
    stopping = true
    clearTimeout(timer)
    const running = child
    if (running === undefined) return
    if (listening) post(running, { kind: "stop", graceMs })
    // Nothing is under way in one that only begins.
    else running.kill("SIGKILL")
    const late = setTimeout(() => {
      log.warn(`worker ${worker} did not end in time and is killed`, () => ({ pid: running.pid }))
      running.kill("SIGKILL")
    }, graceMs + times.slackMs)
    await gone
    clearTimeout(late)
  }

  return {
    worker,
    start,
    isUp: () => listening,
    settled: settled.promise,
    send: (message) => {
      if (child !== undefined && listening) post(child, message)
    },
    ask,
    figures: (now) => {
      const current = now || latest === undefined ? latest : countedIn(latest)
      return mergeShares([former, current].flatMap((share) => (share === undefined ? [] : [share])))
    },
    former: () => former,
    stop,
  }
}
