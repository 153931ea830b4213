// Watches the files that settings are read from. What counts is their content, seen twice the same: editors
// write in several steps, and a file that is half there must not be taken for the new one. The files are looked at
// twice a second, which takes next to nothing. To be told of changes by the system would cost a thread, more memory
// than all our own code, and a good part of the time to start; and links, mounts and folders that are replaced keep
// their changes to themselves.
import { type Stats, statSync } from "node:fs"
import { exists, readFile } from "node:fs/promises"
import { dirname } from "node:path"
import { absent, isEmptied, type Prints, printOf, printOfLack, samePrints } from "../sources/prints.ts"
import { decodeText, lackOf } from "./disk.ts"

export interface WatchTimes {
  /** A change counts when the files have stayed as they are for this long. */
  readonly settleMs: number
  /** The same for a file that has vanished or become empty: something else is often about to come. */
  readonly emptySettleMs: number
  /** Between two looks while nothing changes. */
  readonly pollMs: number
}

const defaultTimes: WatchTimes = { settleMs: 150, emptySettleMs: 1_000, pollMs: 500 }

// What has just been read is looked at once more, as soon as this.
const againMs = 20

interface WatchOptions<T extends { readonly seen: Prints }> {
  /** Reads everything anew; `seen` are the files that mattered, from now on the ones to watch. */
  readonly read: () => T | Promise<T>
  /** Gets what was read of settled files. */
  readonly apply: (read: T) => void
  /** Hears once when a file is a pipe: its content is gone once it was read, so nothing can be reloaded. */
  readonly onPipe: (path: string) => void
  /** Hears what `read` or `apply` threw. */
  readonly onError: (error: unknown) => void
  readonly times?: Partial<WatchTimes>
}

/**
 * Calls `apply` whenever the content of one of the files has changed and settled; `first` is what was seen of
 * them when they were last read. Does not keep the process alive. Nothing is thrown.
 */
export function watchFiles<T extends { readonly seen: Prints }>(
  first: Prints,
  options: WatchOptions<T>,
): { readonly close: () => void } {
  const times = { ...defaultTimes, ...options.times }
  const eye = createEye(options.onPipe)
  let applied = first
  let paths = [...first.keys()]
  let unsettled: { readonly prints: Prints; readonly since: number } | undefined
  let disagreed: Prints | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let busy = false
  let closed = false

  /** Looks in `ms`, out of turn. */
  function look(ms: number): void {
    if (closed) return
    timer = setTimeout(() => {
      timer = undefined
      void check()
    }, ms)
    timer.unref()
  }

  async function check(): Promise<void> {
    if (busy || closed) return
    busy = true
    let wait: number | undefined
    try {
      wait = await weigh()
    } catch (error) {
      options.onError(error)
    }
    busy = false
    if (wait !== undefined) look(wait)
  }

  /** Gives the time until the next look, or undefined when there is nothing to wait for. */
  async function weigh(): Promise<number | undefined> {
    const prints = await eye.printsOf(paths)
    if (closed || prints === undefined) return undefined
    if (samePrints(prints, applied)) {
      unsettled = undefined
      return undefined
    }
    const now = performance.now()
    if (unsettled === undefined || !samePrints(prints, unsettled.prints)) unsettled = { prints, since: now }
    const rest = isEmptied(applied, prints) ? times.emptySettleMs : times.settleMs
    const left = unsettled.since + rest - now
    return left > 0 ? left : await take(prints)
  }

  /** Reads and applies; when more files turn out to matter, these are looked at first. */
  async function take(prints: Prints): Promise<number | undefined> {
    unsettled = undefined
    const read = await tryRead(prints)
    if (closed || read === undefined) return undefined
    const fresh = [...read.seen.keys()].filter((path) => !prints.has(path))
    if (fresh.length > 0) {
      paths = [...paths, ...fresh]
      return againMs
    }
    const moved = [...read.seen].some(([path, print]) => prints.get(path) !== print)
    // Twice the same difference is none of the file's: the two ways of looking disagree, and ours counts.
    if (moved && !(disagreed !== undefined && samePrints(prints, disagreed))) {
      disagreed = prints
      return againMs
    }
    applied = new Map([...prints].filter(([path]) => read.seen.has(path)))
    paths = [...applied.keys()]
    options.apply(read)
    return againMs
  }

  async function tryRead(prints: Prints): Promise<T | undefined> {
    try {
      return await options.read()
    } catch (error) {
      // Said once, not at every look.
      applied = prints
      options.onError(error)
      return undefined
    }
  }

  const poll = setInterval(() => {
    if (timer === undefined) void check()
  }, times.pollMs)
  poll.unref()

  return {
    close: () => {
      closed = true
      clearInterval(poll)
      clearTimeout(timer)
    },
  }
}

interface Eye {
  /** The print of each file as it is now; undefined when one of them is a pipe. */
  readonly printsOf: (paths: readonly string[]) => Promise<Prints | undefined>
}

// A clock of the file system may be so coarse that two writes within this time look like one.
const coarseMs = 3_000

function createEye(onPipe: (path: string) => void): Eye {
  /** What was seen of each file; it is read again only when something about it is new, or too fresh to tell. */
  const known = new Map<string, { readonly sign: string; readonly print: string }>()
  const told = new Set<string>()

  async function printAt(path: string): Promise<string | undefined> {
    const found = factsOf(path)
    if (typeof found === "string") return found
    if (found.isFIFO()) return undefined
    const { dev, ino, size, mtimeMs, ctimeMs } = found
    const sign = [dev, ino, size, mtimeMs, ctimeMs].join()
    const before = known.get(path)
    if (before?.sign === sign) return before.print
    const print = await readFile(path).then(
      (bytes) => printOf(decodeText(bytes)),
      (error) => printOfLack(lackOf(error)),
    )
    if (Date.now() - Math.max(mtimeMs, ctimeMs) > coarseMs) known.set(path, { sign, print })
    else known.delete(path)
    return print
  }

  return {
    printsOf: async (paths) => {
      const prints = new Map<string, string>()
      await answering(paths)
      for (const path of paths) {
        const print = await printAt(path)
        if (print !== undefined) prints.set(path, print)
        else if (!told.has(path)) onPipe(path)
        if (print === undefined) told.add(path)
      }
      return prints.size === paths.length ? prints : undefined
    },
  }
}

/** A file system that hangs must not hold up requests: it is asked for the folders first, without waiting for it. */
async function answering(paths: readonly string[]): Promise<void> {
  const folders = new Set(paths.map((path) => dirname(path)))
  await Promise.all([...folders].map((folder) => exists(folder)))
}

/** Or the print of a file that has none. At once, which costs a fraction of waiting for it. */
function factsOf(path: string): Stats | string {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? absent
  } catch (error) {
    return printOfLack(lackOf(error))
  }
}
