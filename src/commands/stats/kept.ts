// The statistics that proxies have kept in the state folder; none of them has to run for it.
import { cutoffDay } from "../../observe/log-days.ts"
import { emptyTally, modelName } from "../../observe/stats.ts"
import { tallyRow } from "../../server/endpoints/stats.ts"
import type { StoreProblem } from "../../store/sqlite.ts"
import { sizeOf } from "../../store/sqlite.ts"
import { type DaySums, openUsageStore, type SessionSums, type UsageStore } from "../../store/usage-store.ts"
import { type CommandIo, fail } from "../terminal/io.ts"
import { type ReportTable, renderReport } from "./report.ts"

interface KeptOptions {
  readonly json: boolean
  /** The last so many days, today included; undefined: all of them. */
  readonly days: number | undefined
}

interface Kept {
  readonly totals: DaySums | undefined
  readonly models: readonly DaySums[]
  readonly days: readonly DaySums[]
  readonly clients: readonly DaySums[]
  readonly sessions: readonly SessionSums[]
}

const busyMs = 3_000
const mostSessions = 1_000
const shownDays = 14
const shownSessions = 10

/** Prints them; 1 when the file cannot be read. That there is none is no failure. */
export function showKept(path: string, options: KeptOptions, io: CommandIo, now: Date): number {
  const read = readKept(path, options.days, now)
  if (typeof read === "string") return fail(io, `the statistics in ${path} cannot be read: ${read}`)
  if (options.json) io.out(`${JSON.stringify(toJson(read, path, options), null, 2)}\n`)
  else io.out(read.totals === undefined ? sayNothing(path, options) : render(read, path, options, io.color))
  return 0
}

const nothing: Kept = { totals: undefined, models: [], days: [], clients: [], sessions: [] }

/** What is kept, or why it cannot be read. */
function readKept(path: string, lastDays: number | undefined, now: Date): Kept | string {
  const size = sizeOf(path)
  if (!size.ok) return reasonOf(size.problem)
  if (size.value === 0) return nothing
  const opened = openUsageStore(path, { busyMs, readonly: true })
  if (!opened.ok) return opened.problem.kind === "empty" ? nothing : reasonOf(opened.problem)
  const store = opened.value
  try {
    return readFrom(store, lastDays === undefined ? "" : cutoffDay(now, lastDays - 1))
  } finally {
    store.close()
  }
}

function readFrom(store: UsageStore, since: string): Kept | string {
  const totals = store.days([], since)
  const models = store.days(["provider", "model"], since)
  const days = store.days(["day"], since)
  const clients = store.days(["client"], since)
  const sessions = store.sessions(since === "" ? 0 : new Date(`${since}T00:00:00`).getTime(), mostSessions)
  if (!totals.ok) return reasonOf(totals.problem)
  if (!models.ok) return reasonOf(models.problem)
  if (!days.ok) return reasonOf(days.problem)
  if (!clients.ok) return reasonOf(clients.problem)
  if (!sessions.ok) return reasonOf(sessions.problem)
  return {
    totals: totals.value[0],
    models: models.value.toSorted((one, other) => weight(other) - weight(one)),
    days: days.value.toReversed(),
    clients: clients.value.filter(({ client }) => client !== ""),
    sessions: sessions.value,
  }
}

/** The dearest first; where nothing has a price, the busiest. */
function weight({ tally }: DaySums): number {
  return tally.costUsd * 1e12 + tally.inputTokens + tally.outputTokens
}

function reasonOf({ kind, why }: StoreProblem): string {
  const damaged = kind === "damaged" || kind === "foreign"
  return damaged ? `${why}. Move the file away, and the next proxy makes a new one.` : `${why}.`
}

function toJson({ totals, models, days, clients, sessions }: Kept, path: string, options: KeptOptions) {
  return {
    source: path,
    days: options.days ?? null,
    since: totals?.since ?? null,
    total: tallyRow(totals?.tally ?? emptyTally),
    models: models.map(({ provider, model, tally }) => ({ provider, model, ...tallyRow(tally) })),
    by_day: days.map(({ day, tally }) => ({ day, ...tallyRow(tally) })),
    sessions: sessions.map(({ session, models: used, firstUsed, lastUsed, tally }) => ({
      session,
      models: used,
      first_used: new Date(firstUsed).toISOString(),
      last_used: new Date(lastUsed).toISOString(),
      ...tallyRow(tally),
    })),
    clients: clients.map(({ client, tally }) => ({ client, ...tallyRow(tally) })),
  }
}

function sayNothing(path: string, { days }: KeptOptions): string {
  const when = days === undefined ? "yet" : `in the last ${days === 1 ? "day" : `${days} days`}`
  return `No statistics ${when}. claude-proxy serve keeps them in ${path}.\n`
}

function render(kept: Kept, path: string, { days }: KeptOptions, color: boolean): string {
  const { totals, models, clients, sessions } = kept
  const tables: readonly ReportTable[] = [
    {
      heads: ["MODEL"],
      rows: models.map(({ provider, model, tally }) => ({ cells: [modelName({ provider, model })], tally })),
    },
    {
      heads: ["DAY"],
      // Whoever asks for so many days sees all of them.
      ...cut(kept.days, days ?? shownDays, "days"),
    },
    { heads: ["SESSION", "LAST USED", "MODELS"], ...cut(sessions, shownSessions, "sessions") },
    { heads: ["CLIENT"], rows: clients.map(({ client, tally }) => ({ cells: [client], tally })) },
  ]
  const title = `Statistics since ${totals?.since ?? ""}, kept in ${path}`
  return renderReport({ title, total: totals?.tally ?? emptyTally, tables }, color)
}

function cut(
  all: readonly (DaySums | SessionSums)[],
  most: number,
  what: string,
): Omit<ReportTable, "heads"> {
  const rows = all.slice(0, most).map((sums) => ({
    cells: "session" in sums ? [sums.session, localTime(sums.lastUsed), sums.models.join(", ")] : [sums.day],
    tally: sums.tally,
  }))
  const left = all.length - rows.length
  return { rows, note: left === 0 ? undefined : `… ${left} more ${what}: --json shows all` }
}

/** `2025-01-31 10:30`. */
export function localTime(time: number): string {
  return new Date(time).toLocaleString("sv-SE").slice(0, 16)
}
