// The state folder: one file per instance, readable by its owner alone, and their logs.
import {
  appendFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { keyOf } from "../../config/models/instance-name.ts"
import { datedDay } from "../../observe/log-days.ts"
import { errorCode } from "../../protocol/fault.ts"
import { ownFolder } from "./folder.ts"
import { type InstanceRecord, parseRecord } from "./record.ts"

export interface Store {
  readonly folder: string
  /** Sorted by name. */
  readonly list: () => readonly InstanceRecord[]
  readonly read: (name: string) => InstanceRecord | undefined
  /** Replaces the file in one step. */
  readonly write: (record: InstanceRecord) => void
  /** Removes the file if it is still that of this very start. */
  readonly remove: (record: Pick<InstanceRecord, "name" | "id">) => void
  /**
   * Nobody else, in no process, is within `action` for the same name. Rejects when the lock cannot be had: the
   * sentence for it is storeProblem()'s.
   */
  readonly locked: <T>(name: string, action: () => Promise<T> | T) => Promise<T>
  readonly logs: LogFolder
  /** For systems without signals: its presence asks the instance to end. */
  readonly stopFile: (record: Pick<InstanceRecord, "name" | "id">) => string
}

export interface LogFolder {
  readonly folder: string
  readonly pathOf: (name: string) => string
  /** What the process itself wrote, past the logger: what it says when it cannot start, or when it crashes. */
  readonly outputOf: (name: string) => string
  /** Moves that into the log, and gives it. Only for who has the name, or its lock. */
  readonly absorb: (name: string) => string
  /** Removes logs of proxies that are not there any more, untouched since that time. */
  readonly sweep: (before: number) => void
}

const lockPollMs = 20
// Whoever holds a lock asks one port and writes one file: after so long, its holder has died.
const lockLifeMs = 15_000
// Several may wait for one name, each for all that were before it.
const lockWaitMs = 40_000

/** The store in this folder. Nothing is made before something is written. The limit is for tests. */
export function createStore(folder: string, waitMs: number = lockWaitMs): Store {
  const instances = join(folder, "instances")
  const fileOf = (name: string) => join(instances, `${keyOf(name)}.json`)

  function read(name: string): InstanceRecord | undefined {
    return parseRecord(textOf(fileOf(name)))
  }

  function list(): readonly InstanceRecord[] {
    const names = namesIn(instances).filter((name) => name.endsWith(".json"))
    const records = names.flatMap((name) => parseRecord(textOf(join(instances, name))) ?? [])
    return records.toSorted((one, other) => one.name.localeCompare(other.name))
  }

  function write(record: InstanceRecord): void {
    ownFolder(instances)
    const temporary = join(instances, `${keyOf(record.name)}.${crypto.randomUUID()}.tmp`)
    try {
      writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flag: "wx" })
      renameSync(temporary, fileOf(record.name))
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }

  function remove({ name, id }: Pick<InstanceRecord, "name" | "id">): void {
    if (read(name)?.id === id) rmSync(fileOf(name), { force: true })
    rmSync(stopFile({ name, id }), { force: true })
  }

  async function locked<T>(name: string, action: () => Promise<T> | T): Promise<T> {
    ownFolder(instances)
    const path = join(instances, `${keyOf(name)}.lock`)
    const token = crypto.randomUUID()
    const until = performance.now() + waitMs
    while (!takeLock(path, token)) {
      if (performance.now() > until)
        throw Object.assign(new Error(`${path} is taken`), { code: lockedCode, path })
      await Bun.sleep(lockPollMs)
    }
    try {
      return await action()
    } finally {
      if (textOf(path) === token) rmSync(path, { force: true })
    }
  }

  const stopFile: Store["stopFile"] = ({ name, id }) => join(instances, `${keyOf(name)}.${id}.stop`)
  const known = () => list().map(({ name }) => keyOf(name))
  return {
    folder,
    list,
    read,
    write,
    remove,
    locked,
    stopFile,
    logs: createLogs(join(folder, "logs"), known),
  }
}

function createLogs(folder: string, known: () => readonly string[]): LogFolder {
  const outputOf = (name: string) => join(folder, `${keyOf(name)}.output`)
  const pathOf = (name: string) => join(folder, `${keyOf(name)}.log`)

  function absorb(name: string): string {
    const text = textOf(outputOf(name))
    if (text === "") return ""
    appendFileSync(pathOf(name), text.endsWith("\n") ? text : `${text}\n`, { mode: 0o600 })
    truncateSync(outputOf(name))
    return text
  }

  function sweep(before: number): void {
    const kept = known()
    for (const file of namesIn(folder)) {
      const path = join(folder, file)
      const belongs = (name: string) =>
        file === `${name}.log` || file === `${name}.output` || datedDay(file, `${name}.log.`) !== undefined
      if (!kept.some(belongs) && changedAt(path) < before) rmSync(path, { force: true })
    }
  }

  return { folder, pathOf, outputOf, absorb, sweep }
}

function takeLock(path: string, token: string): boolean {
  try {
    writeFileSync(path, token, { mode: 0o600, flag: "wx" })
    return true
  } catch (error) {
    // There it is, and empty: it would keep out whoever comes once there is room again.
    if (isFull(error)) rmSync(path, { force: true })
    if (errorCode(error) !== "EEXIST") throw error
    breakStale(path)
    return false
  }
}

/**
 * Takes a lock away whose holder has died. Two may find it stale at once, and the slower one must not take away
 * the new lock of the faster: what was moved is looked at, and a live lock goes back.
 */
function breakStale(path: string): void {
  const owner = textOf(path)
  // A clock that was set back leaves locks of the future behind.
  const age = Math.abs(Date.now() - changedAt(path))
  if (!Number.isFinite(age) || age < lockLifeMs) return
  const aside = `${path}.${crypto.randomUUID()}`
  try {
    renameSync(path, aside)
    if (textOf(aside) !== owner) linkSync(aside, path)
  } catch {
    // Somebody else was faster, or it cannot be taken: the next look, or the time limit, tells.
  }
  rmSync(aside, { force: true, recursive: true })
}

const lockedCode = "LOCKED"

/** Has the disk, or what of it this user may take, no room left? */
function isFull(error: unknown): boolean {
  const code = errorCode(error)
  return code === "ENOSPC" || code === "EDQUOT"
}

/** What is wrong with the state folder, when that is what the error is about. */
export function storeProblem(error: unknown, { folder }: Store): string | undefined {
  // What fails in the middle of writing does not say where.
  if (isFull(error))
    return `cannot write into ${folder} (${errorCode(error)}): make room there, or set XDG_STATE_HOME to another folder.`
  if (!(error instanceof Error && "code" in error && "path" in error)) return undefined
  if (error.code === lockedCode)
    return `another claude-proxy is at work on the same name; if none is, remove ${String(error.path)}.`
  if (!String(error.path).startsWith(folder) && !folder.startsWith(String(error.path))) return undefined
  return `cannot write into ${folder} (${String(error.code)}): make it writable, or set XDG_STATE_HOME to another folder.`
}

/** Of a file that has gone: later than any time. */
function changedAt(path: string): number {
  try {
    return statSync(path).mtimeMs
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** What lies in a folder; nothing where there is none. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
