// models.yaml: from its values to models, and to problems that say where, what and what to do. No problem
// quotes a value: any of them may be a key that was put into the wrong place.
import { isObject } from "../protocol/json.ts"
import type { Prices } from "../providers/prices.ts"
import { laterModelKeys, type ModelFields, ModelSchema, modelKeys } from "./model-schema.ts"
import { type ModelEntry, type ModelsRead, noModels } from "./models-read.ts"
import { nearestKey } from "./near-names.ts"
import type { YamlFile } from "./yaml-file.ts"

type Path = readonly PropertyKey[]

interface Problem {
  readonly path: Path
  readonly part: "key" | "value"
  readonly text: string
}

const keyAt = (path: Path, text: string): Problem => ({ path, part: "key", text })
const valueAt = (path: Path, text: string): Problem => ({ path, part: "value", text })

/**
 * Reads both forms: a list of models, or a mapping with that list under `models`. `name` stands before the
 * place in every problem; models with a problem are left out.
 */
export function readModels(name: string, file: YamlFile): ModelsRead {
  const list = findList(file.value)
  const read = list.items.map((item, index) => readModel(item, [...list.path, index]))
  const models = read.flatMap((one) => (one.model === undefined ? [] : [one.model]))
  const found = [
    ...list.problems,
    ...read.flatMap((one) => one.problems),
    ...duplicates(models, (path) => file.placeOf(path, "value").line),
  ]
  const placed = found.map(({ path, part, text }) => ({ ...file.placeOf(path, part), text }))
  const sorted = placed.toSorted((one, other) => one.line - other.line || one.column - other.column)
  return {
    ...noModels,
    entries: models.map(({ fields }) => toEntry(fields)),
    problems: [...new Set(sorted.map(({ line, column, text }) => `${name}:${line}:${column}: ${text}`))],
  }
}

interface List {
  readonly items: readonly unknown[]
  readonly path: Path
  readonly problems: readonly Problem[]
}

/** Where everything is commented out there are no models, and nothing is wrong. */
function findList(value: unknown): List {
  const items = value ?? []
  if (Array.isArray(items)) return { items, path: [], problems: [] }
  if (!isObject(items)) {
    const problem = valueAt([], "the file must hold a list of models: put a dash before each.")
    return { items: [], path: [], problems: [problem] }
  }
  const unknown = Object.keys(items).filter((key) => key !== "models")
  const problems = unknown.map((key) => keyAt([key], explainSection(key)))
  const models = items["models"] ?? []
  if (Array.isArray(models)) return { items: models, path: ["models"], problems }
  const wrong = valueAt(["models"], "models must hold a list: put a dash before each model.")
  return { items: [], path: [], problems: [...problems, wrong] }
}

const laterSections: ReadonlySet<string> = new Set([
  ...["providers", "router", "tiers", "auth", "cache", "instances", "openai", "deepseek"],
])

function explainSection(key: string): string {
  if (laterSections.has(key))
    return `${key} is not supported yet: take it out, models is the only section so far.`
  if (modelKeys.includes(key) || laterModelKeys.has(key))
    return `${key} belongs to a model: make a list of the models, with a dash before each.`
  return `${shown(key)} is not a section of this file.${hint(key, ["models"])}`
}

interface Model {
  readonly path: Path
  readonly fields: ModelFields
}

interface ModelRead {
  /** Undefined when something is wrong with it. */
  readonly model?: Model
  readonly problems: readonly Problem[]
}

function readModel(value: unknown, path: Path): ModelRead {
  if (!isObject(value))
    return { problems: [valueAt(path, "a model must be a mapping, beginning with model_id.")] }
  const parsed = ModelSchema.safeParse(value)
  if (parsed.success) {
    const problems = contradictions(parsed.data, path)
    return problems.length > 0 ? { problems } : { model: { path, fields: parsed.data }, problems }
  }
  const problems = parsed.error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => keyAt([...path, key], explainKey(key)))
    return [valueAt([...path, ...issue.path], `${issue.path.map(String).join(".")} ${issue.message}.`)]
  })
  return { problems }
}

function explainKey(key: string): string {
  if (laterModelKeys.has(key)) return `${key} is not supported yet: take it out.`
  return `${shown(key)} is not a key of a model.${hint(key, modelKeys)}`
}

function hint(key: string, known: readonly string[]): string {
  const meant = nearestKey(key, known)
  return meant === undefined ? ` Known: ${known.join(", ")}.` : ` Did you mean ${meant}?`
}

/** Only what has the form of a word: a key without a colon behind it may have become a name by mistake. */
function shown(key: string): string {
  return /^[A-Za-z][A-Za-z_-]{0,39}$/.test(key) ? key : "this"
}

/** What each field alone does not show. */
function contradictions(fields: ModelFields, path: Path): readonly Problem[] {
  const problems: Problem[] = []
  if (fields.provider === undefined && fields.api_base === undefined) {
    problems.push(valueAt(path, "the model needs api_base, the address it is served at, or provider."))
  }
  if (fields.direct !== undefined && fields.dialect !== undefined) {
    const text = "direct is the older word for dialect: messages. Take one of the two out."
    problems.push(valueAt([...path, "direct"], text))
  }
  const { input, output, cacheRead } = dollars(fields)
  const some = input ?? output ?? cacheRead
  if (some !== undefined && (input === undefined || output === undefined)) {
    const missing = input === undefined ? "input_cost_per_token" : "output_cost_per_token"
    problems.push(
      valueAt(path, `the model has a price, but ${missing} is missing: give it, or take the others out.`),
    )
  }
  return problems
}

function duplicates(models: readonly Model[], lineOf: (path: Path) => number): readonly Problem[] {
  return models.flatMap(({ path, fields }, index) => {
    const first = models.findIndex((other) => other.fields.model_id === fields.model_id)
    const before = first < index ? models[first] : undefined
    if (before === undefined) return []
    const line = lineOf([...before.path, "model_id"])
    return [
      valueAt([...path, "model_id"], `model_id is the same as in line ${line}: give each model its own.`),
    ]
  })
}

/** In dollars for one token; what is said for a million wins. */
function dollars(fields: ModelFields): Readonly<Record<keyof Prices, number | undefined>> {
  const perToken = (million: number | undefined, one: number | undefined) =>
    million === undefined ? one : million / 1_000_000
  return {
    input: perToken(fields.input_cost_per_million_tokens, fields.input_cost_per_token),
    output: perToken(fields.output_cost_per_million_tokens, fields.output_cost_per_token),
    cacheRead: perToken(fields.cache_read_cost_per_million_tokens, fields.cache_read_cost_per_token),
  }
}

function toEntry(fields: ModelFields): ModelEntry {
  const { input, output, cacheRead } = dollars(fields)
  return {
    id: fields.model_id,
    name: fields.model_name ?? fields.model_id,
    provider: fields.provider,
    apiBase: fields.api_base,
    keyName: fields.api_key_name,
    profile: undefined,
    direct: fields.direct ?? fields.dialect === "messages",
    delta: {
      ...(fields.dialect === undefined ? {} : { dialect: fields.dialect }),
      ...(fields.max_tokens === undefined ? {} : { maxOutputTokens: fields.max_tokens }),
      ...(fields.max_input_tokens === undefined ? {} : { contextWindow: fields.max_input_tokens }),
      ...(fields.vision === undefined ? {} : { vision: fields.vision }),
      ...(fields.can_stream === false ? { streams: "never" } : {}),
    },
    headers: {},
    defaults: {},
    prices: input === undefined || output === undefined ? undefined : { input, output, cacheRead },
  }
}
