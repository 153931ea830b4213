// The SQLite file of the statistics. Several processes may have it open at once, and each may be killed at any
// time: everything is added in transactions, in the journal mode that lets readers and one writer work together.
import type { Database } from "bun:sqlite"
import type { Tally } from "../observe/stats.ts"
import { arrayOf, countOf, type JsonObject, jsonOf, objectOf, textOf } from "../protocol/json.ts"
import { type FileKind, guarded, inodeOf, openDatabase, type Stored, type StoreOptions } from "./sqlite.ts"
import {
  addDay,
  addSession,
  applicationId,
  createTables,
  type DayRow,
  type SessionRow,
  schemaVersion,
  summed,
  tallyFrom,
  valuesOf,
} from "./usage-table.ts"

export interface Batch {
  readonly days: readonly DayRow[]
  readonly sessions: readonly SessionRow[]
}

/** Sums of days, by some of their columns; the others are empty. */
export interface DaySums extends DayRow {
  /** The earliest day in it. */
  readonly since: string
}

export interface SessionSums {
  readonly session: string
  /** As `PROVIDER/MODEL`. */
  readonly models: readonly string[]
  readonly firstUsed: number
  readonly lastUsed: number
  readonly tally: Tally
}

type DayColumn = "day" | "provider" | "model" | "client"

export interface UsageStore {
  /** Adds all of it, or nothing. */
  readonly add: (batch: Batch) => Stored<void>
  /** Sums by these columns, from a day on (`""`: from the first one). */
  readonly days: (by: readonly DayColumn[], since: string) => Stored<readonly DaySums[]>
  /** Those used since then, the latest first. */
  readonly sessions: (since: number, most: number) => Stored<readonly SessionSums[]>
  /** Forgets sessions that were last used before, and the oldest ones beyond a number. */
  readonly prune: (before: number, most: number) => Stored<void>
  /** How long others are waited for, in milliseconds. Everything else waits meanwhile, requests included. */
  readonly patience: (ms: number) => void
  /** The file is not there any more, or is another one. */
  readonly gone: () => boolean
  readonly close: () => void
}

/** Opens the file, and makes it with its tables if need be, readable by its owner alone. Its folder must exist. */
export function openUsageStore(path: string, options: StoreOptions): Stored<UsageStore> {
  return openDatabase(path, usageFile, options, (database) => createStore(database, path))
}

const usageFile: FileKind = { applicationId, schemaVersion, createTables, journal: "wal" }

function createStore(database: Database, path: string): UsageStore {
  const inode = inodeOf(path)

  const addAll = database.transaction(({ days, sessions }: Batch) => {
    const day = database.query(addDay)
    const session = database.query(addSession)
    for (const row of days) day.run(row.day, row.provider, row.model, row.client, ...valuesOf(row.tally))
    for (const row of sessions) {
      const { firstUsed, lastUsed, tally } = row
      session.run(row.session, row.provider, row.model, firstUsed, lastUsed, ...valuesOf(tally))
    }
  })

  return {
    add: (batch) => guarded(() => addAll.immediate(batch)),
    days: (by, since) => guarded(() => daySums(database, by, since)),
    sessions: (since, most) => guarded(() => sessionSums(database, since, most)),
    prune: (before, most) =>
      guarded(() => {
        database.run("DELETE FROM usage_by_session WHERE last_used < ?", [before])
        database.run(
          `DELETE FROM usage_by_session WHERE session IN (
            SELECT session FROM usage_by_session GROUP BY session ORDER BY max(last_used) DESC LIMIT -1 OFFSET ?
          )`,
          [most],
        )
      }),
    patience: (ms) => database.run(`PRAGMA busy_timeout = ${ms}`),
    gone: () => inodeOf(path) !== inode,
    close: () => database.close(),
  }
}

function daySums(database: Database, by: readonly DayColumn[], since: string): readonly DaySums[] {
  const columns = by.map((column) => `${column}, `).join("")
  const order = by.length === 0 ? "" : ` GROUP BY ${by.join(", ")} ORDER BY ${by.join(", ")}`
  const sql = `SELECT ${columns}min(day) AS since, ${summed} FROM usage_by_day WHERE day >= ?${order}`
  const rows = database.query<unknown, [string]>(sql).all(since).map(objectOf)
  // Without groups the sums of nothing are one row of nulls.
  return rows
    .filter((row) => row["since"] !== null)
    .map((row) => ({
      day: wordOf(row, "day"),
      provider: wordOf(row, "provider"),
      model: wordOf(row, "model"),
      client: wordOf(row, "client"),
      since: wordOf(row, "since"),
      tally: tallyFrom(row),
    }))
}

function sessionSums(database: Database, since: number, most: number): readonly SessionSums[] {
  const name = "CASE provider WHEN '' THEN model ELSE provider || '/' || model END"
  const sql = `SELECT session, json_group_array(${name}) AS models, min(first_used) AS first_used,
      max(last_used) AS last_used, ${summed}
    FROM usage_by_session GROUP BY session HAVING max(last_used) >= ? ORDER BY max(last_used) DESC LIMIT ?`
  const rows = database.query<unknown, [number, number]>(sql).all(since, most).map(objectOf)
  return rows.map((row) => {
    return {
      session: wordOf(row, "session"),
      models: arrayOf(jsonOf(wordOf(row, "models"))).map(String),
      firstUsed: countOf(row["first_used"]) ?? 0,
      lastUsed: countOf(row["last_used"]) ?? 0,
      tally: tallyFrom(row),
    }
  })
}

function wordOf(row: JsonObject, name: string): string {
  return textOf(row[name]) ?? ""
}
