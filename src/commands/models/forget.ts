// `models --forget`: what was learned of one model's refusals, or of all, is forgotten; proxies that run notice.
import { nearModels } from "../../server/probe/names.ts"
import type { RefusalRow } from "../../store/refusal-store.ts"
import { type CommandIo, fail } from "../terminal/io.ts"
import {
  createLearnedBook,
  fileTrouble,
  forgetLearned,
  type LearnedBook,
  readLearned,
  renderEntry,
} from "./learned.ts"
import type { ModelRow } from "./model-list.ts"

interface ForgetOptions {
  /** The name of a model, or `all`. */
  readonly forget: string
  readonly json: boolean
  /** The state folder. */
  readonly folder: string
}

/** The models as they are listed, with what was learned of each; undefined when the settings cannot be read. */
type ListWith = (book: LearnedBook) => Promise<readonly ModelRow[] | undefined>

type Found =
  | { readonly ok: true; readonly rows: readonly RefusalRow[] }
  | { readonly ok: false; readonly why: string }

/** 0 when it is forgotten, or nothing was known; 1 when there is no such model, or the file cannot be changed. */
export async function forgetModels(options: ForgetOptions, io: CommandIo, list: ListWith): Promise<number> {
  const { folder, forget, json } = options
  const read = readLearned(folder, 0)
  if (!read.ok) return fail(io, fileTrouble(folder, read.problem, "read"))
  const book = createLearnedBook(read.value)
  const found: Found =
    forget === "all" ? { ok: true, rows: read.value } : await findRows(forget, read.value, book, list)
  if (!found.ok) return fail(io, found.why)
  const forgotten = forgetLearned(folder, found.rows)
  if (!forgotten.ok) return fail(io, fileTrouble(folder, forgotten.problem, "changed"))
  if (json) io.out(`${JSON.stringify({ forgotten: toJson(found.rows, book) }, null, 2)}\n`)
  else io.out(renderForgotten(forget, found.rows, book))
  return 0
}

/** What is known of the model by this name: one of the list, or one that requests have named. */
async function findRows(
  wanted: string,
  all: readonly RefusalRow[],
  book: LearnedBook,
  list: ListWith,
): Promise<Found> {
  const models = (await list(book)) ?? []
  const byRow = all.filter(({ model, provider }) => model === wanted || `${provider}/${model}` === wanted)
  const listed = models.filter((model) => namesOf(model).includes(wanted))
  const rows = [...new Set([...listed.flatMap(({ learned }) => book.rowsOf(learned)), ...byRow])]
  if (listed.length > 0 || rows.length > 0) return { ok: true, rows }
  const known = [...new Set([...models.map(({ id }) => id), ...all.map(({ model }) => model)])]
  const near = nearModels(wanted, known)
  const hint =
    near.length === 0 ? "claude-proxy models lists what there is" : `did you mean ${near.join(" or ")}?`
  return { ok: false, why: `no model is called ${JSON.stringify(wanted)}; ${hint}` }
}

function namesOf({ id, upstream_model, provider }: ModelRow): readonly string[] {
  return [id, upstream_model, `custom/${id}`, `${provider ?? ""}/${upstream_model}`]
}

function toJson(rows: readonly RefusalRow[], book: LearnedBook): readonly object[] {
  return rows.flatMap((row) =>
    book.entriesOf([row]).map((entry) => ({ model: row.model, url: row.url, ...entry })),
  )
}

function renderForgotten(wanted: string, rows: readonly RefusalRow[], book: LearnedBook): string {
  if (rows.length === 0) {
    const of = wanted === "all" ? "" : ` of ${wanted}`
    return `Nothing was learned${of}: there is nothing to forget.\n`
  }
  const lines = rows.flatMap((row) =>
    book.entriesOf([row]).map((entry) => `  ${row.model}: ${renderEntry(entry)}`),
  )
  return `Forgotten:\n${lines.join("\n")}\n`
}
