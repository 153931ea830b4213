// The file of what upstreams refuse, as a process has it open: when it is opened, whether anybody else has written
// to it, and what is said, once, when something is wrong with it.
import { statSync } from "node:fs"
import { join } from "node:path"
import type { Logger } from "../../observe/log.ts"
import { errorMessage } from "../../protocol/fault.ts"
import type { RefusalStore } from "../../store/refusal-store.ts"
import type { Stored, StoreProblem } from "../../store/sqlite.ts"
import { ownFolder } from "../instances/folder.ts"

/** The file in the state folder. */
export function refusalsFile(folder: string): string {
  return join(folder, "refusals.db")
}

interface RefusalFile {
  /** Once it is open. */
  readonly store: () => RefusalStore | undefined
  /** One at a time, and only what is not open already; never rejects. `busyMs`: how long others are waited for. */
  readonly open: (busyMs: number) => Promise<void>
  /** True once after somebody else has written, or put another file in its place. Never throws. */
  readonly isChanged: () => boolean
  /** It is read anew. */
  readonly changed: () => void
  /** Something is in it, open or not. */
  readonly isThere: () => boolean
  readonly failed: (problem: StoreProblem) => void
  readonly succeeded: () => void
  /** Milliseconds until it makes sense to try again; 0 or less: now. */
  readonly pauseLeft: () => number
  readonly close: () => void
}

interface RefusalFileOptions {
  /** The state folder. */
  readonly folder: string
  readonly log: Pick<Logger, "warn">
  /** Nothing is written, and nothing is made. */
  readonly readonly: boolean
  readonly now: () => number
  /** How long another process that writes is waited for, while requests wait too, in milliseconds. */
  readonly busyMs: number
  /** Between two attempts after a failure: twice as long every time, up to the second. */
  readonly pauseMs: readonly [number, number]
}

// Two proxies that write at the same moment are nothing to speak of.
const patientAttempts = 4

export function createRefusalFile(options: RefusalFileOptions): RefusalFile {
  const { folder, log, readonly, now, busyMs, pauseMs } = options
  const path = refusalsFile(folder)
  let store: RefusalStore | undefined
  let opening: Promise<void> | undefined
  let isNew = false
  let version = 0
  let pausedUntil = Number.NEGATIVE_INFINITY
  let failures = 0
  let told = false

  function close(): void {
    store?.close()
    store = undefined
  }

  function failed({ kind, why }: StoreProblem): void {
    failures += 1
    const [first, longest] = pauseMs
    pausedUntil = now() + Math.min(first * 2 ** Math.min(failures - 1, 20), longest)
    if (kind !== "busy") close()
    // That nothing is in it yet is no trouble.
    if (told || kind === "empty" || (kind === "busy" && failures < patientAttempts)) return
    told = true
    log.warn(`what upstreams refuse is kept in memory alone, because of ${path}: ${why}. ${remedies[kind]}`)
  }

  const isThere = (): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0

  /** SQLite is loaded here, so that a proxy that has nothing to keep never waits for it. */
  async function openNow(patienceMs: number): Promise<void> {
    const { openRefusalStore } = await import("../../store/refusal-store.ts")
    if (!readonly) ownFolder(folder)
    const first = openRefusalStore(path, { busyMs: patienceMs, readonly })
    // What cannot be written can perhaps be read.
    const isLocked = !first.ok && first.problem.kind === "failing" && !readonly && isThere()
    const opened = isLocked ? openRefusalStore(path, { busyMs: patienceMs, readonly: true }) : first
    if (!opened.ok) return failed(opened.problem)
    store = opened.value
    store.patience(busyMs)
    version = valueIn(store.version()) ?? version
    isNew = true
  }

  function isOther({ gone, version: read }: RefusalStore): boolean {
    if (gone()) {
      close()
      return true
    }
    const current = valueIn(read()) ?? version
    const changed = current !== version
    version = current
    return changed
  }

  return {
    store: () => store,
    open: (patienceMs) => {
      if (store !== undefined) return Promise.resolve()
      opening ??= openNow(patienceMs)
        .catch((error: unknown) => failed(problemFrom(error)))
        .finally(() => {
          opening = undefined
        })
      return opening
    },
    isChanged: () => {
      try {
        const is = (store !== undefined && isOther(store)) || isNew
        isNew = false
        return is
      } catch (error) {
        failed(problemFrom(error))
        return false
      }
    },
    changed: () => {
      isNew = true
    },
    isThere,
    failed,
    succeeded: () => {
      failures = 0
      pausedUntil = Number.NEGATIVE_INFINITY
    },
    pauseLeft: () => pausedUntil - now(),
    close,
  }
}

/** Any exception as a problem of the file. */
export function problemFrom(error: unknown): StoreProblem {
  return { kind: "failing", why: errorMessage(error) }
}

function valueIn<T>(stored: Stored<T>): T | undefined {
  return stored.ok ? stored.value : undefined
}

/** What helps against each kind of problem, or what is done about it. */
export const remedies = {
  busy: "It is tried again.",
  damaged: "Move the file away, and a new one is made.",
  foreign: "Move the file away, and a new one is made.",
  newer: "Start that version, or move the file away.",
  empty: "It is tried again.",
  failing: "It is tried again.",
} as const satisfies Record<StoreProblem["kind"], string>
