// Keeps the statistics of a running proxy over its end: sums are written about once a second, away from every
// request. Whatever is wrong with the file is said once, and tried again; requests never notice.
import { existsSync } from "node:fs"
import type { Config } from "../../config/config.ts"
import type { Logger } from "../../observe/log.ts"
import type { AllTime } from "../../observe/stats.ts"
import { addTallies, emptyTally } from "../../observe/stats.ts"
import type { History } from "../../server/figures/statistics.ts"
import type { Stored, StoreProblem } from "../../store/sqlite.ts"
import type { UsageStore } from "../../store/usage-store.ts"
import { ownFolder } from "../instances/folder.ts"
import { remedies as fileRemedies, problemFrom } from "../models/refusal-file.ts"
import { createPending } from "./pending.ts"
import { statsFile } from "./stats-file.ts"

interface Keeper extends History {
  /** Writes what waits; afterwards nothing more is kept. */
  readonly close: () => Promise<void>
}

export interface KeeperTimes {
  /** From a request to its writing, in milliseconds. */
  readonly batchMs: number
  /** Between two attempts, when the file cannot be written: twice as long every time, up to this. */
  readonly longestPauseMs: number
  /** How long another process that writes is waited for, while requests wait too. */
  readonly busyMs: number
  /** The same at the end, when nobody waits. */
  readonly lastBusyMs: number
}

const usualTimes: KeeperTimes = { batchMs: 1_000, longestPauseMs: 60_000, busyMs: 10, lastBusyMs: 3_000 }

interface KeeperOptions {
  /** The state folder. */
  readonly folder: string
  readonly log: Pick<Logger, "warn" | "info">
  readonly config: Pick<Config, "statsEnabled" | "secrets">
  readonly now?: () => number
  readonly times?: Partial<KeeperTimes>
}

const dayMs = 86_400_000
const sessionDays = 90
const mostSessions = 5_000
// Two proxies that write at the same moment are nothing to speak of.
const patientAttempts = 8

/** Opens nothing before there is something to write. */
export function createKeeper(options: KeeperOptions): Keeper {
  const { folder, log, now = Date.now } = options
  const times = { ...usualTimes, ...options.times }
  const path = statsFile(folder)
  const pending = createPending(now)
  let { config } = options
  let store: UsageStore | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let warned = false
  let closed = false
  let { busyMs } = times
  let prunedAt = Number.NEGATIVE_INFINITY
  // One after the other: what is done twice at once is done with one connection.
  let last: Promise<unknown> = Promise.resolve()

  function schedule(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void flush()
    }, ms)
    timer.unref()
  }

  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = last.then(action)
    last = turn.catch(() => undefined)
    return turn
  }

  async function opened(): Promise<Stored<UsageStore>> {
    if (store?.gone() === true) drop()
    if (store !== undefined) return { ok: true, value: store }
    // SQLite is loaded here, so that neither the start nor a proxy without statistics waits for it.
    const { openUsageStore } = await import("../../store/usage-store.ts")
    try {
      ownFolder(folder)
    } catch (error) {
      return { ok: false, problem: problemFrom(error) }
    }
    const result = openUsageStore(path, { busyMs })
    if (result.ok) store = result.value
    return result
  }

  function drop(): void {
    store?.close()
    store = undefined
  }

  async function write(): Promise<void> {
    if (pending.isEmpty()) return
    const open = await opened()
    const added = open.ok ? open.value.add(pending.batch()) : open
    if (!added.ok) return failed(added.problem)
    pending.clear()
    failures = 0
    if (warned) log.info("statistics are written again", () => ({ path }))
    warned = false
    prune()
  }

  function prune(): void {
    const time = now()
    if (time - prunedAt < dayMs) return
    prunedAt = time
    const pruned = store?.prune(time - sessionDays * dayMs, mostSessions)
    // Nothing depends on it, and tomorrow is another day.
    if (pruned?.ok === false && pruned.problem.kind === "damaged") failed(pruned.problem)
  }

  function failed({ kind, why }: StoreProblem): void {
    failures += 1
    if (kind !== "busy") drop()
    if (!warned && (kind !== "busy" || failures >= patientAttempts)) {
      warned = true
      log.warn(`statistics are kept in memory alone, as ${path} cannot be written: ${why}. ${remedies[kind]}`)
    }
    schedule(Math.min(times.batchMs * 2 ** Math.min(failures, 20), times.longestPauseMs))
  }

  async function writeDue(): Promise<void> {
    await write()
    if (!config.statsEnabled && pending.isEmpty()) rest()
  }

  const flush = () => inTurn(writeDue).catch(stumbled)

  // Nothing above throws by itself; whatever does is no reason to end a proxy.
  function stumbled(error: unknown): void {
    failed(problemFrom(error))
  }

  async function readAll(): Promise<AllTime | undefined> {
    await write()
    if (!config.statsEnabled || !existsSync(path)) return undefined
    const open = await opened()
    const rows = open.ok ? open.value.days(["provider", "model"], "") : open
    if (!rows.ok) return undefined
    const models = rows.value.map(({ provider, model, tally }) => ({ provider, model, tally }))
    const total = models.reduce((sum, { tally }) => addTallies(sum, tally), emptyTally)
    const [since = ""] = rows.value.map((row) => row.since).toSorted()
    return { since, total, models }
  }

  function rest(): void {
    clearTimeout(timer)
    timer = undefined
    drop()
  }

  /** Only here, where nobody waits, is another process waited for. */
  async function finish(): Promise<void> {
    busyMs = times.lastBusyMs
    try {
      store?.patience(busyMs)
      await write()
      if (!pending.isEmpty() && !warned) log.warn(`the last statistics could not be written to ${path}`)
    } finally {
      busyMs = times.busyMs
      rest()
    }
  }

  return {
    record: (exchange) => {
      if (!config.statsEnabled || closed) return
      pending.add(exchange, config.secrets)
      schedule(times.batchMs)
    },
    use: (next) => {
      const stops = config.statsEnabled && !next.statsEnabled
      config = next
      if (stops) void flush()
    },
    allTime: () => inTurn(readAll).catch(() => undefined),
    close: () => {
      closed = true
      return inTurn(finish).catch(() => undefined)
    },
  }
}

const remedies = { ...fileRemedies, failing: "Make it writable, or set STATS_ENABLED=false." } as const
