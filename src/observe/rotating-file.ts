// A file that is appended to, and renamed when the day is over. Several processes may write the same one:
// whole lines go out in one write each time, and whoever sees the new day first turns the page for all.
import { constants } from "node:fs"
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { errorCode } from "../protocol/fault.ts"
import { cutoffDay, datedDay, dayOf } from "./log-days.ts"

interface RotatingFileOptions {
  readonly path: string
  readonly retentionDays: number
  readonly now: () => Date
  /** Hears of a file that could not be rotated. Writing goes on. */
  readonly onUnrotated: (error: unknown) => void
}

interface RotatingFile {
  /** Appends; gives how many bytes were taken. Rejects with the system's error. One call at a time. */
  readonly append: (bytes: Uint8Array) => Promise<number>
  readonly close: () => Promise<void>
}

interface Current {
  readonly handle: FileHandle
  readonly identity: string
  /** The day its content is of. Undefined for what is no plain file (a terminal, a pipe): never rotated. */
  readonly day: string | undefined
}

// A process that has claimed the new name renames within moments; one that died in between never does.
const patience = 5
const mostOfOneDay = 99
const pauseMs = 3_600_000

/** The file is opened, and its folder made (0700, the file 0600), when something is to be written. */
export function createRotatingFile(options: RotatingFileOptions): RotatingFile {
  const { path, now } = options
  let current: Current | undefined
  let waited = 0
  let pausedUntil = 0

  async function close(): Promise<void> {
    const closing = current
    current = undefined
    await closing?.handle.close()
  }

  async function ready(): Promise<Current> {
    const today = dayOf(now())
    // Renamed by another process, or deleted: what is written to it now would be looked for in vain.
    if (current !== undefined && (await identityAt(path)) !== current.identity) await close()
    current ??= await openFile(options, today)
    const { day } = current
    if (day === undefined || day >= today || now().getTime() < pausedUntil) return current
    if (await turned(current, day)) {
      await close()
      current = await openFile(options, today)
    }
    return current
  }

  async function turned({ identity }: Current, day: string): Promise<boolean> {
    try {
      const done = await turnPage(path, identity, day, waited >= patience)
      waited = done ? 0 : waited + 1
      return done
    } catch (error) {
      pausedUntil = now().getTime() + pauseMs
      options.onUnrotated(error)
      return false
    }
  }

  return {
    append: async (bytes) => {
      const { handle } = await ready()
      return (await handle.write(bytes)).bytesWritten
    },
    close,
  }
}

async function openFile({ path, retentionDays, now }: RotatingFileOptions, today: string): Promise<Current> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const handle = await open(path, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600)
  try {
    const found = await handle.stat({ bigint: true })
    await prune(path, cutoffDay(now(), retentionDays))
    const written = found.size === 0n ? today : dayOf(new Date(Number(found.mtimeMs)))
    const day = written < today ? written : today
    return { handle, identity: `${found.dev}:${found.ino}`, day: found.isFile() ? day : undefined }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Undefined when there is no such file. */
async function identityAt(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path, { bigint: true })
    return `${found.dev}:${found.ino}`
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined
    throw error
  }
}

/**
 * Gives the file the name of its day. A new name is claimed by creating it, which only one process can; so
 * nobody ever renames over anything but an empty file of its own, and no line is lost in whatever order they
 * come. True when the path is free or another's by now; false when somebody else is about to rename it.
 */
async function turnPage(path: string, identity: string, day: string, impatient: boolean): Promise<boolean> {
  for (let count = 1; count <= mostOfOneDay; count++) {
    const target = `${path}.${day}${count === 1 ? "" : `.${count}`}`
    if (await claim(target)) return await renameTo(path, target)
    const claimedOnly = (await sizeOf(target)) === 0
    if ((await identityAt(path)) !== identity) return true
    if (claimedOnly && !impatient) return false
  }
  throw new Error(`there are ${mostOfOneDay} files of ${day} already`)
}

async function claim(target: string): Promise<boolean> {
  try {
    const handle = await open(target, "wx", 0o600)
    await handle.close()
    return true
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false
    throw error
  }
}

async function renameTo(path: string, target: string): Promise<true> {
  try {
    await rename(path, target)
    return true
  } catch (error) {
    await rm(target, { force: true })
    if (errorCode(error) === "ENOENT") return true
    throw error
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch {
    return 0
  }
}

/** Deletes the file's past days from before `cutoff`; nothing that is not named as we name them. */
async function prune(path: string, cutoff: string): Promise<void> {
  try {
    const prefix = `${basename(path)}.`
    for (const entry of await readdir(dirname(path), { withFileTypes: true })) {
      const day = entry.isFile() ? datedDay(entry.name, prefix) : undefined
      if (day !== undefined && day < cutoff) await rm(`${dirname(path)}/${entry.name}`, { force: true })
    }
  } catch {
    // An old file more is no reason not to write the new one.
  }
}
