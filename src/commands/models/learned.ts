// What proxies have learned of their upstreams' refusals, as `models` shows it and forgets it.
import { describeAmendment } from "../../convert/amend/amendment-json.ts"
import type { Route } from "../../providers/route.ts"
import { amendmentOf, modelKey, placeOf } from "../../server/learned/learned.ts"
import { openRefusalStore, type RefusalRow, type RefusalStore } from "../../store/refusal-store.ts"
import { type Stored, type StoreProblem, sizeOf } from "../../store/sqlite.ts"
import { refusalsFile, remedies } from "./refusal-file.ts"

/** One thing that is known of a model, with the keys that `models --json` prints. */
export interface LearnedEntry {
  /** What is done about it: `max_tokens -> max_completion_tokens`. */
  readonly change: string
  /** When it was learned, and when the upstream last said it. */
  readonly since: string
  readonly confirmed: string
  /** The upstream's own words, shortened. */
  readonly because: string
}

const busyMs = 3_000

/** What is kept in the state folder since then; nothing where nothing is kept. */
export function readLearned(folder: string, since: number): Stored<readonly RefusalRow[]> {
  return withStore(folder, true, [], (store) => store.read(since))
}

/** Forgets these; how many were still there. */
export function forgetLearned(folder: string, rows: readonly RefusalRow[]): Stored<number> {
  return rows.length === 0
    ? { ok: true, value: 0 }
    : withStore(folder, false, 0, (store) => store.forget(rows))
}

function withStore<T>(
  folder: string,
  readonly: boolean,
  nothing: T,
  use: (store: RefusalStore) => Stored<T>,
): Stored<T> {
  const path = refusalsFile(folder)
  const size = sizeOf(path)
  if (!size.ok) return size
  if (size.value === 0) return { ok: true, value: nothing }
  const opened = openRefusalStore(path, { busyMs, readonly })
  if (!opened.ok) return opened.problem.kind === "empty" ? { ok: true, value: nothing } : opened
  try {
    return use(opened.value)
  } finally {
    opened.value.close()
  }
}

/** `… cannot be read: why`, and what to do. */
export function fileTrouble(folder: string, { kind, why }: StoreProblem, what: "read" | "changed"): string {
  const cure = kind === "damaged" || kind === "foreign" ? ` ${remedies[kind]}` : ""
  return `what was learned of refusals, in ${refusalsFile(folder)}, cannot be ${what}: ${why}.${cure}`
}

/** The rows by the models they are about; what nobody took is left. */
export interface LearnedBook {
  readonly of: (route: Route) => readonly LearnedEntry[]
  /** One list for each model that nobody asked for. */
  readonly left: () => readonly (readonly RefusalRow[])[]
  readonly entriesOf: (rows: readonly RefusalRow[]) => readonly LearnedEntry[]
  /** The rows that entries were made of. */
  readonly rowsOf: (entries: readonly LearnedEntry[]) => readonly RefusalRow[]
}

export function createLearnedBook(rows: readonly RefusalRow[]): LearnedBook {
  const sources = new Map<LearnedEntry, RefusalRow>()
  const entries = new Map(rows.map((row) => [row, entryOf(row)] as const))
  for (const [row, entry] of entries) sources.set(entry, row)
  const taken = new Set<RefusalRow>()

  const entriesOf = (some: readonly RefusalRow[]) => some.flatMap((row) => entries.get(row) ?? [])

  return {
    of: (route) => {
      const places = [route, ...(route.chat === undefined ? [] : [route.chat])].map(placeOf)
      const own = rows.filter(({ url, model }) =>
        places.some((place) => place.url === url && place.model === model),
      )
      for (const row of own) taken.add(row)
      return entriesOf(own)
    },
    left: () => {
      const others = rows.filter((row) => !taken.has(row))
      return [...Map.groupBy(others, modelKey).values()]
    },
    entriesOf,
    rowsOf: (some) => some.flatMap((entry) => sources.get(entry) ?? []),
  }
}

function entryOf(row: RefusalRow): LearnedEntry {
  const amendment = amendmentOf(row)
  return {
    change:
      amendment === undefined ? `${row.cause} (of another version, not used)` : describeAmendment(amendment),
    since: new Date(row.since).toISOString(),
    confirmed: new Date(row.confirmed).toISOString(),
    because: row.why,
  }
}

/** `max_tokens -> max_completion_tokens, since 2026-11-26, because: …` */
export function renderEntry({ change, since, because }: LearnedEntry): string {
  const day = new Date(since).toLocaleDateString("sv-SE")
  return `${change}, since ${day}${because === "" ? "" : `, because: ${because}`}`
}
