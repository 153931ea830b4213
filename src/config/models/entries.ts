// The models of models.yaml: each by itself, and what they say together.
import { isObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Prices } from "../../providers/prices.ts"
import type { ProfileDelta } from "../../providers/profile.ts"
import { nearestKey } from "../settings/near-names.ts"
import { accessOf, type Place, placeOf, reasoningDelta, uselessKeys } from "./access.ts"
import { defined } from "./defined.ts"
import { looksLikeKey } from "./fields.ts"
import { type LineOf, type Part, type Path, type Problem, readPart, sayLater, valueAt } from "./problems.ts"
import { sameTwice } from "./providers.ts"
import type { ModelEntry, ProviderEntry } from "./read.ts"
import { type ModelFields, modelSchema, providerIdForm, rowIds } from "./schema.ts"

interface Surroundings {
  /** Providers of the file that could be read, by id. */
  readonly own: ReadonlyMap<string, ProviderEntry>
  /** The ids of all of them. */
  readonly providerIds: readonly string[]
  readonly lineOf: LineOf
}

interface Model {
  readonly path: Path
  readonly fields: ModelFields
}

type ModelsPart = Part<readonly ModelEntry[]>

/** Every model without a problem. */
export function readEntries(items: readonly unknown[], path: Path, around: Surroundings): ModelsPart {
  const ids = new Set(items.flatMap((item) => textOf(objectOf(item)["model_id"])?.trim() ?? []))
  const read = items.map((item, index) => readModel(item, [...path, index], ids, around))
  const models = read.flatMap((one) => one.value ?? [])
  return {
    value: models.map(({ fields }) => toEntry(fields, around)),
    problems: [...read.flatMap((one) => one.problems), ...duplicates(models, around.lineOf)],
  }
}

function readModel(
  item: unknown,
  path: Path,
  ids: ReadonlySet<string>,
  around: Surroundings,
): Part<Model | undefined> {
  if (!isObject(item) && item !== null)
    return {
      value: undefined,
      problems: [valueAt(path, "a model must be a mapping, beginning with model_id.")],
    }
  const { value: fields, problems } = readPart(modelSchema(), item, path, "a model")
  if (fields === undefined) return { value: undefined, problems }
  const found = [
    ...addressProblems(fields, path, around),
    ...contradictions(fields, path),
    ...priceProblems(fields, path),
    ...fallbackProblems(fields, path, ids, around),
  ]
  const place = placeOf(fields, around.own)
  const native = isDirect(fields) || place?.native === true
  const all = [...found, ...(native ? uselessKeys(fields, path) : [])]
  return all.length > 0 ? { value: undefined, problems: all } : { value: { path, fields }, problems: [] }
}

function isDirect({ direct, dialect }: ModelFields): boolean {
  return direct ?? dialect === "messages"
}

function addressProblems({ provider, api_base }: ModelFields, path: Path, { providerIds }: Surroundings) {
  if (provider === undefined && api_base === undefined)
    return [valueAt(path, "the model needs api_base, the address it is served at, or provider.")]
  if (provider === undefined || rowIds.includes(provider) || providerIds.includes(provider)) return []
  return [sayLater([...path, "provider"], "value", () => explainProvider(provider, providerIds))]
}

// A list of more than these is no help.
const mostListed = 50

/** Of the ids in the file only those that could be one: a key may have become an id by mistake. */
function explainProvider(provider: string, providerIds: readonly string[]): string {
  const own = providerIds.filter((id) => providerIdForm.test(id) && !looksLikeKey(id)).slice(0, mostListed)
  const known = [...rowIds, ...own]
  const meant = nearestKey(provider, known)
  const text = `provider must be one of ${known.join(", ")}`
  return meant === undefined ? `${text}.` : `${text}: did you mean ${meant}?`
}

// Keys of a model that say what a field of its overrides says.
const sameFields = [
  ["max_tokens", "max_output_tokens", "maxOutputTokens"],
  ["max_input_tokens", "context_window", "contextWindow"],
  ["context", "context_window", "contextWindow"],
  ["vision", "vision", "vision"],
  ["can_stream", "streams", "streams"],
  ["dialect", "dialect", "dialect"],
  ["direct", "dialect", "dialect"],
  ["extra_body", "extra_body", "extraBody"],
] as const satisfies readonly (readonly [keyof ModelFields, string, keyof ProfileDelta])[]

/** What each field alone does not show. */
function contradictions(fields: ModelFields, path: Path): readonly Problem[] {
  const { direct, dialect, context, max_input_tokens: window, reasoning, reasoning_effort: effort } = fields
  const { overrides = {} } = fields
  const problems: Problem[] = []
  if (direct !== undefined && dialect !== undefined) {
    const text = "direct is the older word for dialect: messages. Take one of the two out."
    problems.push(valueAt([...path, "direct"], text))
  }
  if (context !== undefined && window !== undefined && context !== window) {
    const text =
      "context is the older word for max_input_tokens, and differs from it: take one of the two out."
    problems.push(valueAt([...path, "context"], text))
  }
  if (reasoning === false && effort !== undefined && effort !== "off") {
    const text = "reasoning_effort has no effect beside reasoning: false. Take one of the two out."
    problems.push(valueAt([...path, "reasoning_effort"], text))
  }
  const twice = sameFields.filter(
    ([own, , field]) => fields[own] !== undefined && overrides[field] !== undefined,
  )
  problems.push(...twice.map(([own, override]) => sameTwice(path, own, override)))
  if (reasoning !== undefined && overrides.reasoning?.request !== undefined)
    problems.push(sameTwice(path, "reasoning", "reasoning.request"))
  return problems
}

function priceProblems(fields: ModelFields, path: Path): readonly Problem[] {
  const { input, output, cacheRead, cacheWrite } = dollars(fields)
  const some = input ?? output ?? cacheRead ?? cacheWrite
  if (some === undefined || (input !== undefined && output !== undefined)) return []
  const missing = input === undefined ? "input_cost_per_token" : "output_cost_per_token"
  return [valueAt(path, `the model has a price, but ${missing} is missing: give it, or take the others out.`)]
}

function fallbackProblems(
  { model_id, fallbacks = [] }: ModelFields,
  path: Path,
  ids: ReadonlySet<string>,
  { providerIds }: Surroundings,
) {
  return fallbacks.flatMap((name, index) => {
    const place = [...path, "fallbacks", index]
    const id = ids.has(name) ? name : name.replace(/^custom\//, "")
    if (id === model_id) return [valueAt(place, `fallbacks[${index}] is the model itself: name another one.`)]
    // As everywhere else PROVIDER/NAME does, also beside a model_id that is nearly the same: of openai/gpt-5.1 and
    // openai/gpt-5 either may stand in for the other. And comparing every name with every id takes seconds.
    if (ids.has(id) || namesProvider(id, providerIds)) return []
    return [sayLater(place, "value", () => explainFallback(id, index, ids))]
  })
}

function namesProvider(name: string, providerIds: readonly string[]): boolean {
  const slash = name.indexOf("/")
  const id = name.slice(0, Math.max(slash, 0))
  const isKnown = id !== "generic" && rowIds.includes(id)
  return name.length > slash + 1 && (isKnown || providerIds.includes(id))
}

// Of longer lists no near name is looked for: it would take too long.
const mostCompared = 1_000

function explainFallback(id: string, index: number, ids: ReadonlySet<string>): string {
  const meant = ids.size > mostCompared ? undefined : nearestKey(id, [...ids])
  const text = `fallbacks[${index}] is no model_id of this file.`
  return meant === undefined ? text : `${text} Did you mean ${JSON.stringify(meant)}?`
}

function duplicates(models: readonly Model[], lineOf: LineOf): readonly Problem[] {
  const first = new Map<string, Model>()
  return models.flatMap((model) => {
    const { path, fields } = model
    const before = first.get(fields.model_id)
    if (before === undefined) {
      first.set(fields.model_id, model)
      return []
    }
    const say = () =>
      `model_id is the same as in line ${lineOf([...before.path, "model_id"])}: give each model its own.`
    return [sayLater([...path, "model_id"], "value", say)]
  })
}

/** In dollars for one token; what is said for a million wins. */
function dollars(fields: ModelFields): { readonly [price in keyof Required<Prices>]: number | undefined } {
  const perToken = (million: number | undefined, one: number | undefined) =>
    million === undefined ? one : million / 1_000_000
  return {
    input: perToken(fields.input_cost_per_million_tokens, fields.input_cost_per_token),
    output: perToken(fields.output_cost_per_million_tokens, fields.output_cost_per_token),
    cacheRead: perToken(fields.cache_read_cost_per_million_tokens, fields.cache_read_cost_per_token),
    cacheWrite: perToken(fields.cache_write_cost_per_million_tokens, fields.cache_write_cost_per_token),
  }
}

function toEntry(fields: ModelFields, { own }: Surroundings): ModelEntry {
  const { input, output, cacheRead, cacheWrite } = dollars(fields)
  return {
    ...accessOf(fields, deltaOf(fields, placeOf(fields, own))),
    id: fields.model_id,
    name: fields.model_name ?? fields.model_id,
    provider: fields.provider,
    profile: fields.profile,
    direct: isDirect(fields),
    fallbacks: fields.fallbacks ?? [],
    prices:
      input === undefined || output === undefined ? undefined : { input, output, cacheRead, cacheWrite },
  }
}

/** What the model's own keys change; its overrides come beneath. */
function deltaOf(fields: ModelFields, place: Place | undefined): ProfileDelta {
  const { reasoning, reasoning_effort: effort, overrides, dialect, vision } = fields
  // Who names an effort believes that the model can be asked for one.
  const capable = reasoning ?? ((effort ?? "off") === "off" ? undefined : true)
  return {
    ...defined({
      dialect,
      maxOutputTokens: fields.max_tokens,
      contextWindow: fields.max_input_tokens ?? fields.context,
      vision,
    }),
    ...(fields.can_stream === false ? { streams: "never" } : {}),
    ...reasoningDelta(capable, place, fields.model_name ?? fields.model_id, overrides),
  }
}
