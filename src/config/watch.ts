// Watches the files that settings are read from. What counts is their content, seen twice the same: editors
// write in several steps, and a file that is half there must not be taken for the new one. Folders are watched
// because files are replaced; a slow poll stands in where the system tells nothing of a change.
import { type FSWatcher, type Stats, statSync, watch } from "node:fs"
import { readFile, stat } from "node:fs/promises"
import { basename, dirname, resolve } from "node:path"
import { absent, isEmptied, type Prints, printOf, samePrints, unreadable } from "./prints.ts"

export interface WatchTimes {
  /** A change counts when the files have stayed as they are for this long. */
  readonly settleMs: number
  /** The same for a file that has vanished or become empty: something else is often about to come. */
  readonly emptySettleMs: number
  /** Between two looks when nothing tells of a change. */
  readonly pollMs: number
}

const defaultTimes: WatchTimes = { settleMs: 150, emptySettleMs: 1_000, pollMs: 3_000 }

// Events come in bursts: the first look waits for the rest of its burst.
const burstMs = 20

export interface WatchOptions<T extends { readonly seen: Prints }> {
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
  const folders = createFolders(() => look(burstMs))
  let applied = first
  let paths = [...first.keys()]
  let unsettled: { readonly prints: Prints; readonly since: number } | undefined
  let disagreed: Prints | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let busy = false
  let again = false
  let closed = false

  /** Looks in `ms`, unless that is about to happen anyway. */
  function look(ms: number): void {
    if (busy) again = true
    if (closed || busy || timer !== undefined) return
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
      await folders.follow(paths)
      wait = await weigh()
    } catch (error) {
      options.onError(error)
    }
    busy = false
    const next = wait ?? (again ? burstMs : undefined)
    again = false
    if (next !== undefined) look(next)
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
      return burstMs
    }
    const moved = [...read.seen].some(([path, print]) => prints.get(path) !== print)
    // Twice the same difference is none of the file's: the two ways of looking disagree, and ours counts.
    if (moved && !(disagreed !== undefined && samePrints(prints, disagreed))) {
      disagreed = prints
      return burstMs
    }
    applied = new Map([...prints].filter(([path]) => read.seen.has(path)))
    paths = [...applied.keys()]
    options.apply(read)
    return burstMs
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
  look(0)

  return {
    close: () => {
      closed = true
      clearInterval(poll)
      clearTimeout(timer)
      folders.close()
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
    if (found === undefined) return absent
    if (found.isFIFO()) return undefined
    const { dev, ino, size, mtimeMs, ctimeMs } = found
    const sign = [dev, ino, size, mtimeMs, ctimeMs].join()
    const before = known.get(path)
    if (before?.sign === sign) return before.print
    const print = await readFile(path, "utf8").then(printOf, (error) => unreadable(String(error.code)))
    if (Date.now() - Math.max(mtimeMs, ctimeMs) > coarseMs) known.set(path, { sign, print })
    else known.delete(path)
    return print
  }

  return {
    printsOf: async (paths) => {
      const prints = new Map<string, string>()
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

// At once, which costs a fraction of waiting for it: the file system has just answered for the file's folder.
function factsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

interface Folders {
  /** Watches the folders of these files that are there, and no others. */
  readonly follow: (paths: readonly string[]) => Promise<void>
  readonly close: () => void
}

function createFolders(onEvent: () => void): Folders {
  /** `sign` tells a folder from another one that took its place. */
  const watched = new Map<string, { readonly watcher: FSWatcher; readonly sign: string }>()
  let names: ReadonlySet<string> = new Set()
  let closed = false

  function drop(folder: string): void {
    watched.get(folder)?.watcher.close()
    watched.delete(folder)
  }

  function open(folder: string, sign: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || names.has(name)) onEvent()
      })
      watcher.on("error", () => drop(folder))
      watched.set(folder, { watcher, sign })
    } catch {
      // The system has no watches left, or lost the folder meanwhile: the poll sees what happens there.
    }
  }

  return {
    follow: async (paths) => {
      const wanted = [...new Set(paths.map((path) => dirname(resolve(path))))]
      names = new Set(paths.map((path) => basename(path)))
      for (const folder of watched.keys()) if (!wanted.includes(folder)) drop(folder)
      const signs = await Promise.all(wanted.map(signOf))
      for (const [index, folder] of wanted.entries()) {
        const sign = signs[index]
        if (watched.get(folder)?.sign === sign) continue
        drop(folder)
        if (sign !== undefined && !closed) open(folder, sign)
      }
    },
    close: () => {
      closed = true
      for (const folder of watched.keys()) drop(folder)
    },
  }
}

async function signOf(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined)
  return found?.isDirectory() ? [found.dev, found.ino, found.birthtimeMs].join() : undefined
}
