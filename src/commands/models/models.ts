// `models`: what the proxy can reach with the settings as they are, and what is missing for the rest.
import { stripVTControlCharacters } from "node:util"
import { createColors } from "picocolors"
import type { Config } from "../../config/config.ts"
import { type LoadResult, loadHere, type Needs } from "../../config/load.ts"
import { redact } from "../../protocol/redact.ts"
import type { CommandIo } from "../io.ts"
import { loadSettings } from "../load-settings.ts"
import { tellProblems } from "../tell-problems.ts"
import { listModels, type ModelRow } from "./model-list.ts"

export interface ModelsOptions {
  readonly json: boolean
  readonly all: boolean
  readonly schema: boolean
  readonly envFile?: string | undefined
  /** The file of models, in place of CUSTOM_MODELS_FILE. */
  readonly configFile?: string | undefined
}

type Load = (needs: Needs) => LoadResult | Promise<LoadResult>

/** Where the settings come from: a test gives others. */
export interface Loaders {
  readonly load: Load
  /** Where a local server is looked for as well. */
  readonly loadForUse: Load
}

const here: Loaders = { load: loadHere, loadForUse: loadSettings }

/**
 * Prints the models, or the schema of models.yaml. Settings that lead nowhere yet are no failure: what is known
 * is listed, and standard error says what is missing. 2 when the settings cannot be read.
 */
export async function models(options: ModelsOptions, io: CommandIo, loaders = here): Promise<number> {
  if (options.schema) return printSchema(io)
  const { configFile, envFile } = options
  const needs = { flags: { CUSTOM_MODELS_FILE: configFile }, envFile, localFile: true }
  const used = await loaders.loadForUse({ ...needs, needsUpstream: true })
  const loose = await loaders.load({ ...needs, needsUpstream: false })
  if (!loose.ok) {
    tellProblems(loose, io)
    return 2
  }
  const { config, warnings, described } = used.ok ? used : loose
  const missing = used.ok ? [] : used.problems
  const set = new Set(Object.keys(described.origins))
  const rows = listModels({ config, loose: loose.config, set, all: options.all }).map((row) => ({
    ...row,
    why: row.why === null ? null : redact(row.why, loose.config.secrets),
  }))
  if (options.json) io.out(`${JSON.stringify(rows, null, 2)}\n`)
  else io.out(`${renderModels(rows, io.color)}${renderNotes(config, used.ok ? described.infos : [])}`)
  for (const line of [...warnings, ...missing]) io.error(`claude-proxy: ${line}\n`)
  return 0
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
    width: Math.max(column.head.length, ...rows.map((row) => clean(column.cell(row)).length)),
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
    return `${mark} ${line(({ cell }) => clean(cell(row)))}`
  })
  const lacking = rows.flatMap(({ id, why }) => (why === null ? [] : [`  ${clean(id)}: ${clean(why)}`]))
  const below = lacking.length === 0 ? [] : ["", "Cannot be reached:", ...lacking]
  return `${[head, ...body, ...below].join("\n")}\n`
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width)
}

/** Names come from files: they may not move the cursor. */
function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ")
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
