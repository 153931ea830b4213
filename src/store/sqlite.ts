// What the SQLite files of the state folder have in common: how one is opened, told from others, and what can be
// wrong with it. Nothing here throws at whoever asks.
import { Database } from "bun:sqlite"
import { closeSync, openSync, statSync } from "node:fs"
import { errorCode, errorMessage } from "../protocol/fault.ts"
import { countOf, objectOf } from "../protocol/json.ts"

export interface StoreProblem {
  /**
   * `busy`: another process holds it for longer than we wait. `damaged`: no SQLite file, or a broken one.
   * `foreign`: SQLite, but not ours. `newer`: of a later version. `empty`: only read, and nothing is in it yet.
   * `failing`: whatever the system says.
   */
  readonly kind: "busy" | "damaged" | "foreign" | "newer" | "empty" | "failing"
  readonly why: string
}

export type Stored<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: StoreProblem }

export interface StoreOptions {
  readonly busyMs: number
  /** Nothing is written; the file must exist. */
  readonly readonly?: boolean
}

/** One kind of file: its tables, and the numbers by which it is known. */
export interface FileKind {
  /** Tells our files from other SQLite files, and from each other. */
  readonly applicationId: number
  /** Files of a higher one were made by a later version. */
  readonly schemaVersion: number
  /** Makes the tables, and writes both numbers. */
  readonly createTables: readonly string[]
  /** `wal` lets readers and a writer work together; `delete` leaves no other file behind. */
  readonly journal: "wal" | "delete"
}

/**
 * Opens the file, and makes it with its tables if need be, readable by its owner alone; `use` gets it. Its folder
 * must exist.
 */
export function openDatabase<T>(
  path: string,
  kind: FileKind,
  { busyMs, readonly = false }: StoreOptions,
  use: (database: Database) => T,
): Stored<T> {
  return guarded(() => {
    if (!readonly) ensureFile(path)
    const database = new Database(path, readonly ? { readonly } : { readwrite: true, create: true })
    try {
      database.run(`PRAGMA busy_timeout = ${busyMs}`)
      const problem = readonly ? checkTables(database, kind) : prepare(database, kind)
      if (problem !== undefined) throw problem
      return use(database)
    } catch (error) {
      database.close()
      throw error
    }
  })
}

function ensureFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600))
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error
  }
}

/** Runs it, and gives what it throws as a problem. */
export function guarded<T>(action: () => T): Stored<T> {
  try {
    return { ok: true, value: action() }
  } catch (error) {
    return { ok: false, problem: problemOf(error) }
  }
}

function problemOf(error: unknown): StoreProblem {
  if (isProblem(error)) return error
  const code = errorCode(error) ?? ""
  const why = errorMessage(error)
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return { kind: "busy", why: "another process holds it" }
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return { kind: "damaged", why }
  return { kind: "failing", why: code === "" || why.includes(code) ? why : `${why} (${code})` }
}

const foreign: StoreProblem = { kind: "foreign", why: "it is another program's" }
const newer: StoreProblem = { kind: "newer", why: "it was written by a later version of claude-proxy" }

const empty: StoreProblem = { kind: "empty", why: "nothing is in it yet" }

function isProblem(error: unknown): error is StoreProblem {
  return error === foreign || error === newer || error === empty
}

export function pragma(database: Database, name: string): number {
  return countOf(objectOf(database.query<unknown, []>(`PRAGMA ${name}`).get())[name]) ?? 0
}

/** Is anything in the file but our tables? */
function checkTables(database: Database, kind: FileKind): StoreProblem | undefined {
  if (pragma(database, "schema_version") === 0) return empty
  if (pragma(database, "application_id") !== kind.applicationId) return foreign
  return pragma(database, "user_version") > kind.schemaVersion ? newer : undefined
}

function prepare(database: Database, kind: FileKind): StoreProblem | undefined {
  const version = pragma(database, "schema_version")
  if (version > 0) {
    const problem = checkTables(database, kind)
    if (problem !== undefined) return problem
  }
  // While nothing is in the file there is nothing to lose, and no reason to wait for the disk.
  if (version === 0) database.run("PRAGMA synchronous = OFF")
  database.run(`PRAGMA journal_mode = ${kind.journal}`)
  if (version === 0) create(database, kind)
  // A crash of the machine may cost the last batches, but never the file; a killed process costs nothing.
  database.run("PRAGMA synchronous = NORMAL")
  return checkTables(database, kind)
}

function create(database: Database, { createTables }: FileKind): void {
  const make = database.transaction(() => {
    // Another process may have been faster.
    if (pragma(database, "schema_version") > 0) return
    for (const statement of createTables) database.run(statement)
  })
  make.immediate()
}

/** How large the file is; 0 where there is none. */
export function sizeOf(path: string): Stored<number> {
  return guarded(() => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
}

/** What tells the file at this path from another one that took its place. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}
