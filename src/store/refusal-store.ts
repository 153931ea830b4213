// The SQLite file of what upstreams refuse. Several processes read and write it at once, seldom: it is written
// when something new is learned, and one file is all there is, so that who only reads leaves nothing behind.
import type { Database } from "bun:sqlite"
import { countOf, type JsonObject, objectOf, textOf } from "../protocol/json.ts"
import {
  type FileKind,
  guarded,
  inodeOf,
  openDatabase,
  pragma,
  type Stored,
  type StoreOptions,
} from "./sqlite.ts"

/** One thing that one model at one address refuses. Times are milliseconds since 1970. */
export interface RefusalRow {
  /** The endpoint, without query and credentials. */
  readonly url: string
  readonly model: string
  /** Two rows of a model with the same one say the same thing. */
  readonly cause: string
  readonly provider: string
  /** What is done about it, as JSON. */
  readonly amendment: string
  /** What the upstream said, short and without anything of a request. */
  readonly why: string
  readonly since: number
  /** When the upstream last said so. */
  readonly confirmed: number
}

export interface RefusalStore {
  /** Those that were confirmed since then, the first that was learned first. */
  readonly read: (since: number) => Stored<readonly RefusalRow[]>
  /** Adds them all or none; what is known already is confirmed. What is older than `since` goes. */
  readonly keep: (rows: readonly RefusalRow[], since: number) => Stored<void>
  /** Takes these away; which of them were still there. */
  readonly forget: (rows: readonly Pick<RefusalRow, "url" | "model" | "cause">[]) => Stored<number>
  /** Another number than before: another process has written. */
  readonly version: () => Stored<number>
  /** How long others are waited for, in milliseconds. */
  readonly patience: (ms: number) => void
  /** The file is not there any more, or is another one. */
  readonly gone: () => boolean
  readonly close: () => void
}

// Nobody learns so much; whoever does loses the oldest of it.
const mostRows = 5_000

const refusalFile: FileKind = {
  // "CPxr"
  applicationId: 0x43507872,
  schemaVersion: 1,
  createTables: [
    `CREATE TABLE refusals (
      url TEXT NOT NULL, model TEXT NOT NULL, cause TEXT NOT NULL, provider TEXT NOT NULL,
      amendment TEXT NOT NULL, why TEXT NOT NULL, since INTEGER NOT NULL, confirmed INTEGER NOT NULL,
      PRIMARY KEY (url, model, cause)
    ) WITHOUT ROWID`,
    `PRAGMA application_id = ${0x43507872}`,
    "PRAGMA user_version = 1",
  ],
  journal: "delete",
}

/** Opens the file, and makes it with its table if need be, readable by its owner alone. Its folder must exist. */
export function openRefusalStore(path: string, options: StoreOptions): Stored<RefusalStore> {
  return openDatabase(path, refusalFile, options, (database) => createStore(database, path))
}

const upsert = `INSERT INTO refusals (url, model, cause, provider, amendment, why, since, confirmed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (url, model, cause) DO UPDATE SET
    since = CASE WHEN amendment = excluded.amendment THEN min(since, excluded.since) ELSE excluded.since END,
    provider = excluded.provider, amendment = excluded.amendment, why = excluded.why,
    confirmed = max(confirmed, excluded.confirmed)`

const beyondMost = `DELETE FROM refusals WHERE (url, model, cause) IN (
  SELECT url, model, cause FROM refusals ORDER BY confirmed DESC LIMIT -1 OFFSET ${mostRows})`

function createStore(database: Database, path: string): RefusalStore {
  const inode = inodeOf(path)

  const keepAll = database.transaction((rows: readonly RefusalRow[], since: number) => {
    const add = database.query(upsert)
    for (const { url, model, cause, provider, amendment, why, ...times } of rows)
      add.run(url, model, cause, provider, amendment, why, times.since, times.confirmed)
    database.run("DELETE FROM refusals WHERE confirmed < ?", [since])
    database.run(beyondMost)
  })

  const forgetAll = database.transaction((rows: readonly Pick<RefusalRow, "url" | "model" | "cause">[]) => {
    const remove = database.query("DELETE FROM refusals WHERE url = ? AND model = ? AND cause = ?")
    return rows.reduce((sum, { url, model, cause }) => sum + remove.run(url, model, cause).changes, 0)
  })

  return {
    read: (since) =>
      guarded(() => {
        const sql = `SELECT * FROM refusals WHERE confirmed >= ? ORDER BY since, cause LIMIT ${mostRows}`
        return database.query<unknown, [number]>(sql).all(since).map(objectOf).map(rowFrom)
      }),
    keep: (rows, since) => guarded(() => keepAll.immediate(rows, since)),
    forget: (rows) => guarded(() => forgetAll.immediate(rows)),
    version: () => guarded(() => pragma(database, "data_version")),
    patience: (ms) => database.run(`PRAGMA busy_timeout = ${ms}`),
    gone: () => inodeOf(path) !== inode,
    close: () => database.close(),
  }
}

function rowFrom(row: JsonObject): RefusalRow {
  const word = (name: string): string => textOf(row[name]) ?? ""
  return {
    url: word("url"),
    model: word("model"),
    cause: word("cause"),
    provider: word("provider"),
    amendment: word("amendment"),
    why: word("why"),
    since: countOf(row["since"]) ?? 0,
    confirmed: countOf(row["confirmed"]) ?? 0,
  }
}
