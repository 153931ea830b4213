// Keeps what upstreams refuse over the end of a proxy, and sees what other proxies, or `models --forget`, do to it
// meanwhile. Whatever is wrong with the file costs nothing but the memory of it.
import type { Logger } from "../../observe/log.ts"
import { learnedMs, type RefusalHistory } from "../../server/learned/history.ts"
import type { RefusalRow } from "../../store/refusal-store.ts"
import { createRefusalFile, problemFrom } from "./refusal-file.ts"

interface RefusalKeeper extends RefusalHistory {
  /** Reads what is there, so that the first request profits from it. */
  readonly load: () => Promise<void>
  /** Writes what waits; afterwards nothing more is kept. */
  readonly close: () => Promise<void>
}

export interface RefusalKeeperTimes {
  /** How often the file is looked at, at most, in milliseconds: by the first request after so long. */
  readonly lookMs: number
  /** From what was learned to its writing. */
  readonly batchMs: number
  /** Between two attempts, when the file cannot be read or written: twice as long every time, up to this. */
  readonly longestPauseMs: number
  /** How long another process that writes is waited for, while requests wait too. */
  readonly busyMs: number
  /** The same at the beginning and at the end, when nobody waits. */
  readonly patientMs: number
}

const usualTimes: RefusalKeeperTimes = {
  ...{ lookMs: 1_000, batchMs: 50, longestPauseMs: 60_000, busyMs: 10, patientMs: 2_000 },
}

interface RefusalKeeperOptions {
  /** The state folder. */
  readonly folder: string
  readonly log: Pick<Logger, "warn">
  /** Nothing is written, and nothing is made. */
  readonly readonly?: boolean
  readonly now?: () => number
  readonly times?: Partial<RefusalKeeperTimes>
}

// What cannot be written is not collected for ever.
const mostPending = 1_000

/** Opens nothing before there is something to read or to write. */
export function createRefusalKeeper(options: RefusalKeeperOptions): RefusalKeeper {
  const { folder, log, readonly = false, now = Date.now } = options
  const times = { ...usualTimes, ...options.times }
  const { lookMs, batchMs, longestPauseMs, busyMs, patientMs } = times
  const file = createRefusalFile({ folder, log, readonly, now, busyMs, pauseMs: [lookMs, longestPauseMs] })
  const pending = new Map<string, RefusalRow>()
  let lookedAt = Number.NEGATIVE_INFINITY
  let closed = false
  let timer: ReturnType<typeof setTimeout> | undefined

  /** A moment's work, once in a while; what has to be opened is ready for one of the next requests. */
  function isDue(): boolean {
    const time = now()
    if (closed || time - lookedAt < lookMs || file.pauseLeft() > 0) return false
    lookedAt = time
    return true
  }

  function changes(): readonly RefusalRow[] | undefined {
    if (!isDue()) return undefined
    if (file.store() === undefined && isThere()) {
      void file.open(busyMs)
      lookedAt = Number.NEGATIVE_INFINITY
      return undefined
    }
    if (!file.isChanged()) return undefined
    const read = file.store()?.read(now() - learnedMs)
    if (read?.ok === false) {
      if (read.problem.kind === "busy") file.changed()
      file.failed(read.problem)
      return undefined
    }
    if (read !== undefined) file.succeeded()
    return [...(read?.value ?? []), ...pending.values()]
  }

  function isThere(): boolean {
    try {
      return file.isThere()
    } catch (error) {
      file.failed(problemFrom(error))
      return false
    }
  }

  function schedule(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void write()
    }, ms)
    timer.unref()
  }

  async function write(): Promise<void> {
    try {
      if (file.store()?.gone() === true) file.close()
      await file.open(busyMs)
      writePending()
    } catch (error) {
      file.failed(problemFrom(error))
    }
    if (!closed && pending.size > 0) schedule(Math.max(file.pauseLeft(), batchMs))
  }

  function writePending(): void {
    const rows = new Map(pending)
    const kept = file.store()?.keep([...rows.values()], now() - learnedMs)
    if (kept === undefined) return
    if (!kept.ok) {
      file.failed(kept.problem)
      return
    }
    for (const [key, row] of rows) if (pending.get(key) === row) pending.delete(key)
    file.succeeded()
  }

  return {
    changes,
    keep: (row) => {
      if (readonly || closed || pending.size >= mostPending) return
      pending.set(JSON.stringify([row.url, row.model, row.cause]), row)
      schedule(batchMs)
    },
    load: async () => {
      if (isThere()) await file.open(patientMs)
    },
    close: async () => {
      closed = true
      clearTimeout(timer)
      if (pending.size > 0) {
        file.store()?.patience(patientMs)
        await write()
      }
      file.close()
    },
  }
}
