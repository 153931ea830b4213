// The tables of the statistics that outlive the process. Sums alone: no text of any request, and no key.
import type { Tally } from "../observe/stats.ts"
import { countOf, type JsonObject, objectOf } from "../protocol/json.ts"

/** Sums over the requests of one day by one model for one client. */
export interface DayRow {
  /** Local, as `2025-01-31`. */
  readonly day: string
  readonly provider: string
  readonly model: string
  /** The label of a client key; empty: none was asked for. */
  readonly client: string
  readonly tally: Tally
}

/** Sums over the requests of one session by one model. Times are milliseconds since 1970. */
export interface SessionRow {
  readonly session: string
  readonly provider: string
  readonly model: string
  readonly firstUsed: number
  readonly lastUsed: number
  readonly tally: Tally
}

/** The schema's number; files of a higher one were made by a later version. */
export const schemaVersion = 1

/** "CPxy": tells our files from other SQLite files. */
export const applicationId = 0x43507879

const columns = {
  requests: "requests",
  failures: "failures",
  inputTokens: "input_tokens",
  outputTokens: "output_tokens",
  cacheReadTokens: "cache_read_tokens",
  cacheCreationTokens: "cache_creation_tokens",
  reasoningTokens: "reasoning_tokens",
  estimated: "estimated_requests",
  costUsd: "cost_usd",
  costKnown: "cost_known_requests",
  costUnknown: "cost_unknown_requests",
} as const satisfies Record<keyof Tally, string>

const names = Object.values(columns)

const sumsDefinition = names
  .map((name) => `${name} ${name === columns.costUsd ? "REAL" : "INTEGER"} NOT NULL`)
  .join(", ")

export const createTables: readonly string[] = [
  `CREATE TABLE usage_by_day (
    day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, client TEXT NOT NULL, ${sumsDefinition},
    PRIMARY KEY (day, provider, model, client)
  ) WITHOUT ROWID`,
  `CREATE TABLE usage_by_session (
    session TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
    first_used INTEGER NOT NULL, last_used INTEGER NOT NULL, ${sumsDefinition},
    PRIMARY KEY (session, provider, model)
  ) WITHOUT ROWID`,
  "CREATE INDEX usage_by_session_last_used ON usage_by_session (last_used)",
  `PRAGMA application_id = ${applicationId}`,
  `PRAGMA user_version = ${schemaVersion}`,
]

const added = names.map((name) => `${name} = ${name} + excluded.${name}`).join(", ")

function upsert(table: string, keys: readonly string[], times: readonly string[], merged: string): string {
  const all = [...keys, ...times, ...names]
  const marks = all.map(() => "?").join(", ")
  return `INSERT INTO ${table} (${all.join(", ")}) VALUES (${marks}) ON CONFLICT (${keys.join(", ")}) DO UPDATE SET ${merged}${added}`
}

export const addDay = upsert("usage_by_day", ["day", "provider", "model", "client"], [], "")

// Two proxies may serve one session, and write in any order.
export const addSession = upsert(
  "usage_by_session",
  ["session", "provider", "model"],
  ["first_used", "last_used"],
  "first_used = min(first_used, excluded.first_used), last_used = max(last_used, excluded.last_used), ",
)

/** The sums of a row, in the order of the columns. */
export function valuesOf(tally: Tally): readonly number[] {
  return [
    tally.requests,
    tally.failures,
    tally.inputTokens,
    tally.outputTokens,
    tally.cacheReadTokens,
    tally.cacheCreationTokens,
    tally.reasoningTokens,
    tally.estimated,
    tally.costUsd,
    tally.costKnown,
    tally.costUnknown,
  ]
}

/** `sum(requests) AS requests, …`. */
export const summed = names.map((name) => `sum(${name}) AS ${name}`).join(", ")

/** The sums of a row that was read. */
export function tallyFrom(row: unknown): Tally {
  const read = objectOf(row)
  const sum = (name: keyof typeof columns) => sumIn(read, columns[name])
  return {
    requests: sum("requests"),
    failures: sum("failures"),
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    cacheReadTokens: sum("cacheReadTokens"),
    cacheCreationTokens: sum("cacheCreationTokens"),
    reasoningTokens: sum("reasoningTokens"),
    estimated: sum("estimated"),
    costUsd: sum("costUsd"),
    costKnown: sum("costKnown"),
    costUnknown: sum("costUnknown"),
  }
}

function sumIn(row: JsonObject, name: string): number {
  return countOf(row[name]) ?? 0
}
