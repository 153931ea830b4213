// A log file that costs its writer next to nothing: lines wait in memory and are written a few times a second,
// in the background. What the disk refuses is tried again, and never ends or delays anything else.
import { appendFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { errorMessage } from "../protocol/fault.ts"
import { createRotatingFile } from "./rotating-file.ts"

export interface LogFileOptions {
  readonly folder: string
  /** The file is NAME.log, its past days NAME.log.YYYY-MM-DD. */
  readonly name: string
  readonly retentionDays: number
  readonly now: () => Date
  /** Hears once when the file cannot be written (or renamed), and how many lines were lost by that. */
  readonly onProblem: (message: string, kind: "failing" | "lost") => void
  /** For tests. */
  readonly limits?: Partial<Limits>
}

export interface LogFile {
  readonly path: string
  /** Takes one line without its newline. Never throws, never waits. */
  readonly write: (line: string) => void
  /** Resolves when everything that waits is written, or cannot be for now. */
  readonly flush: () => Promise<void>
  /** For the end of the process: writes what waits at once. Lines that are just being written may be doubled. */
  readonly flushNow: () => void
  /** Writes what waits and lets go of the file; a disk that hangs is not waited for. */
  readonly close: () => Promise<void>
}

interface Limits {
  /** Lines wait this long for others. */
  readonly flushMs: number
  /** After a failure. */
  readonly retryMs: number
  readonly closeMs: number
  /** So many characters are not kept waiting. */
  readonly enough: number
  /** More are not kept at all: the oldest lines go. */
  readonly most: number
}

const defaultLimits: Limits = {
  flushMs: 150,
  retryMs: 5_000,
  closeMs: 2_000,
  enough: 65_536,
  most: 4 * 1024 * 1024,
}
const batchSize = 262_144

/** The file is touched when the first line is written to it. */
export function createLogFile(options: LogFileOptions): LogFile {
  const path = join(options.folder, `${options.name}.log`)
  const limits = { ...defaultLimits, ...options.limits }
  const queue = createQueue(limits.most)
  const file = createRotatingFile({ ...options, path, onUnrotated: (error) => tell("rotate", error) })
  let rest: Uint8Array = new Uint8Array(0)
  let busy: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let failing = false
  let closed = false

  function tell(verb: string, error: unknown): void {
    const why = errorMessage(error)
    options.onProblem(
      `cannot ${verb} the log file ${path}: ${why}. The proxy goes on; it is tried again`,
      "failing",
    )
  }

  function schedule(ms: number): void {
    if (timer !== undefined || closed) return
    timer = setTimeout(() => {
      timer = undefined
      void flush()
    }, ms)
    timer.unref()
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    busy ??= drain().finally(() => {
      busy = undefined
      if (queue.size() > 0 || rest.length > 0) schedule(failing ? limits.retryMs : limits.flushMs)
    })
    return busy
  }

  async function drain(): Promise<void> {
    try {
      while (rest.length > 0 || queue.size() > 0) {
        if (rest.length === 0) rest = Buffer.from(queue.take(batchSize))
        const taken = await file.append(rest)
        if (taken === 0) throw new Error("nothing is taken")
        rest = rest.subarray(taken)
      }
      recovered()
    } catch (error) {
      failed(error)
      // Opened anew when it is tried again: what was wrong may lie in the file that is open.
      await file.close().catch(() => {})
    }
  }

  function failed(error: unknown): void {
    if (!failing) tell("write", error)
    failing = true
  }

  function recovered(): void {
    failing = false
    const lost = queue.forgetLost()
    if (lost > 0)
      options.onProblem(`${lost} lines of the log file ${path} were lost: it could not be written`, "lost")
  }

  function write(line: string): void {
    if (closed) return
    const overfull = queue.add(line)
    if (overfull) failed(new Error("lines come faster than they can be written, and the oldest are dropped"))
    if (queue.size() >= limits.enough && busy === undefined && !failing) void flush()
    else if (busy === undefined) schedule(failing ? limits.retryMs : limits.flushMs)
  }

  function flushNow(): void {
    const bytes = Buffer.concat([rest, Buffer.from(queue.take(Number.POSITIVE_INFINITY))])
    rest = bytes.subarray(0, 0)
    if (bytes.length === 0) return
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 })
      appendFileSync(path, bytes, { mode: 0o600 })
    } catch (error) {
      if (!failing) tell("write", error)
    }
  }

  async function close(): Promise<void> {
    if (closed) return
    closed = true
    await within(flush().then(flush).then(file.close), limits.closeMs)
  }

  return { path, write, flush, flushNow, close }
}

interface Queue {
  /** True when it was the one too many, and old lines had to go. */
  readonly add: (line: string) => boolean
  readonly take: (most: number) => string
  /** In characters. */
  readonly size: () => number
  readonly forgetLost: () => number
}

function createQueue(most: number): Queue {
  let lines: string[] = []
  let size = 0
  let lost = 0

  /** Takes lines from the front until `enough` characters are reached. */
  function shift(enough: number): readonly string[] {
    let count = 0
    let length = 0
    for (const line of lines) {
      if (length >= enough) break
      length += line.length
      count += 1
    }
    size -= length
    const taken = lines.slice(0, count)
    lines = lines.slice(count)
    return taken
  }

  return {
    add: (line) => {
      lines.push(`${line}\n`)
      size += line.length + 1
      if (size <= most) return false
      // Half of them at a time, so that a line more costs the same however many wait.
      lost += shift(most / 2).length
      return true
    },
    take: (enough) => shift(enough).join(""),
    size: () => size,
    forgetLost: () => {
      const count = lost
      lost = 0
      return count
    },
  }
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work.catch(() => {}), tooLong])
  clearTimeout(timer)
}
