// `models`: what the proxy can reach with the settings as they are, and what is missing for the rest.
import type { Config } from "../../config/config.ts"
import { loadHere, type Needs } from "../../config/load/load.ts"
import type { LoadResult } from "../../config/sources/loaded.ts"
import { redact } from "../../protocol/redact.ts"
import { learnedDays, learnedMs } from "../../server/learned/history.ts"
import { loadSettings } from "../common/load-settings.ts"
import { tellProblems } from "../common/tell-problems.ts"
import { createColors } from "../terminal/colors.ts"
import { type CommandIo, fail, say } from "../terminal/io.ts"
import { withoutControls } from "../terminal/wrap.ts"
import { forgetModels } from "./forget.ts"
import { createLearnedBook, fileTrouble, type LearnedBook, readLearned, renderEntry } from "./learned.ts"
import { listModels, type ModelRow } from "./model-list.ts"

export interface ModelsOptions {
  readonly json: boolean
  readonly all: boolean
  readonly schema: boolean
  readonly envFile?: string | undefined
  /** The file of models, in place of CUSTOM_MODELS_FILE. */
  readonly configFile?: string | undefined
  /** The model of which is forgotten what was learned; `all` stands for all of them. */
  readonly forget?: string | undefined
  /** The state folder, where what was learned is kept; undefined: it is not looked at. */
  readonly folder?: string | undefined
}

type Load = (needs: Needs) => LoadResult | Promise<LoadResult>

/** Where the settings come from: a test gives others. */
interface Loaders {
  readonly load: Load
  /** Where a local server is looked for as well. */
  readonly loadForUse: Load
}

const here: Loaders = { load: loadHere, loadForUse: loadSettings }

/**
 * Prints the models, or the schema of models.yaml, or forgets what was learned. Settings that lead nowhere yet are no
 * failure: what is known is listed, and standard error says what is missing. 2 when the settings cannot be read.
 */
export async function models(options: ModelsOptions, io: CommandIo, loaders = here): Promise<number> {
  const { forget, folder, json } = options
  if (forget !== undefined && (options.schema || options.all))
    return fail(io, "--forget stands alone, or beside --json, --env and --config.", 2)
  if (options.schema && (options.all || options.envFile !== undefined || options.configFile !== undefined))
    return fail(io, "--schema stands alone: it is the same for every file.", 2)
  if (options.schema) return printSchema(io)
  if (forget === undefined || folder === undefined) return showModels(options, io, loaders)
  return forgetModels({ forget, json, folder }, io, async (learned) => {
    const list = await gather({ ...options, all: true }, loaders, learned)
    if (!list.ok) tellProblems(list.result, io)
    return list.ok ? list.rows : undefined
  })
}

async function showModels(options: ModelsOptions, io: CommandIo, loaders: Loaders): Promise<number> {
  const { folder } = options
  const read = folder === undefined ? nothingLearned : readLearned(folder, Date.now() - learnedMs)
  const trouble = read.ok || folder === undefined ? [] : [fileTrouble(folder, read.problem, "read")]
  const list = await gather(options, loaders, createLearnedBook(read.ok ? read.value : []))
  if (!list.ok) return tellProblems(list.result, io)
  const { rows, config, infos, lines } = list
  if (options.json) io.out(`${JSON.stringify(rows, null, 2)}\n`)
  else io.out(`${renderModels(rows, io.color)}${renderNotes(config, infos)}`)
  for (const line of [...lines, ...trouble]) say(io, line)
  return 0
}

const nothingLearned = { ok: true, value: [] } as const

type Gathered =
  | { readonly ok: false; readonly result: Extract<LoadResult, { ok: false }> }
  | {
      readonly ok: true
      readonly rows: readonly ModelRow[]
      readonly config: Config
      readonly infos: readonly string[]
      /** What is wrong, or missing. */
      readonly lines: readonly string[]
    }

async function gather(options: ModelsOptions, loaders: Loaders, learned: LearnedBook): Promise<Gathered> {
  const { configFile, envFile, all } = options
  const needs = { flags: { CUSTOM_MODELS_FILE: configFile }, envFile, localFile: true }
  const used = await loaders.loadForUse({ ...needs, needsUpstream: true })
  const loose = await loaders.load({ ...needs, needsUpstream: false })
  if (!loose.ok) return { ok: false, result: loose }
  const { config, warnings, described } = used.ok ? used : loose
  const set = new Set(Object.keys(described.origins))
  const rows = listModels({ config, loose: loose.config, set, all, learned }).map((row) => ({
    ...row,
    why: row.why === null ? null : redact(row.why, loose.config.secrets),
  }))
  const infos = used.ok ? described.infos : []
  return { ok: true, rows, config, infos, lines: [...warnings, ...(used.ok ? [] : used.problems)] }
}

async function printSchema(io: CommandIo): Promise<number> {
  const { modelsFileSchema } = await import("../../config/models/schema-json.ts")
  io.out(`${JSON.stringify(modelsFileSchema(), null, 2)}\n`)
  return 0
}

interface Column {
  readonly head: string
  readonly right?: true
  readonly cell: (row: ModelRow) => string
}

const unknown = "–"

const columns: readonly Column[] = [
  { head: "model", cell: ({ id }) => id },
  {
    head: "upstream's name",
    cell: ({ id, upstream_model }) => (id === upstream_model ? "" : upstream_model),
  },
  { head: "provider", cell: ({ provider }) => provider ?? unknown },
  { head: "window", right: true, cell: ({ context_window }) => count(context_window) },
  { head: "reply", right: true, cell: ({ max_output_tokens }) => count(max_output_tokens) },
  { head: "$/M in", right: true, cell: (row) => price(row.input_cost_per_million_tokens) },
  { head: "out", right: true, cell: (row) => price(row.output_cost_per_million_tokens) },
  { head: "cached", right: true, cell: (row) => price(row.cache_read_cost_per_million_tokens) },
  { head: "capabilities", cell: capabilities },
  { head: "used by", cell: ({ used_by }) => used_by.join(", ") },
]

function count(tokens: number | null): string {
  return tokens === null ? unknown : tokens.toLocaleString("en-US")
}

function price(dollars: number | null): string {
  return dollars === null ? unknown : String(dollars)
}

function capabilities(row: ModelRow): string {
  const words = [
    row.vision === true ? "vision" : "",
    row.reasoning === true ? "reasoning" : "",
    row.tools === true ? "tools" : "",
    row.streaming === true ? "streaming" : "",
    row.dialect ?? "",
  ]
  return words.filter((word) => word !== "").join(" ") || unknown
}

/** The table, and below it why models cannot be reached; without `color` it is plain text. */
export function renderModels(rows: readonly ModelRow[], color: boolean): string {
  if (rows.length === 0) return ""
  const { dim, green, red } = createColors(color)
  const shown = columns.map((column) => ({
    ...column,
    width: Math.max(column.head.length, ...rows.map((row) => withoutControls(column.cell(row)).length)),
  }))
  // A column that says nothing of any model only takes room.
  const used = shown.filter(({ cell }) => rows.some((row) => cell(row) !== ""))
  const line = (text: (column: Column) => string) =>
    used
      .map((column) => pad(text(column), column.width, column.right === true))
      .join("  ")
      .trimEnd()
  const head = dim(`  ${line(({ head }) => head)}`)
  const body = rows.map((row) => {
    const mark = row.reachable ? green("✓") : red("✗")
    return `${mark} ${line(({ cell }) => withoutControls(cell(row)))}`
  })
  const lacking = rows.flatMap(({ id, why }) =>
    why === null ? [] : [`  ${withoutControls(id)}: ${withoutControls(why)}`],
  )
  const below = lacking.length === 0 ? [] : ["", "Cannot be reached:", ...lacking]
  return `${[head, ...body, ...below, ...renderLearned(rows)].join("\n")}\n`
}

/** What is sent otherwise than it would be, since an upstream refused it. */
function renderLearned(rows: readonly ModelRow[]): readonly string[] {
  const lines = rows.flatMap(({ id, learned }) =>
    learned.map((entry) => `  ${withoutControls(id)}: ${withoutControls(renderEntry(entry))}`),
  )
  if (lines.length === 0) return []
  const how = `kept for ${learnedDays} days; claude-proxy models --forget MODEL, or all, forgets it`
  return ["", `Learned from refusals (${how}):`, ...lines]
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width)
}

function renderNotes({ upstream, tiers }: Config, infos: readonly string[]): string {
  const key = upstream.apiKeys.length === 0 ? "no key" : `key from ${upstream.keyName}`
  const passed = tiers.big === "" && upstream.row.delta.checksSignatures === true
  const lines = [
    `Default upstream: ${upstream.row.name}, ${upstream.baseUrl} (${key})`,
    ...(passed ? ["Claude's own models are passed on under the names that clients use."] : []),
    ...infos,
  ]
  return `\n${lines.join("\n")}\n`
}
