// `providers:` of models.yaml: providers of one's own, and what is changed of those that are known.
import { isObject } from "../../protocol/json.ts"
import { findProvider } from "../../providers/table.ts"
import { nearestKey } from "../settings/near-names.ts"
import { accessOf, placeOf, providerReasoning, uselessKeys } from "./access.ts"
import { looksLikeKey } from "./fields.ts"
import { keyAt, type Part, type Path, type Problem, readPart, valueAt } from "./problems.ts"
import type { ProviderEntry } from "./read.ts"
import { type ProviderFields, providerIdForm, providerSchema, reservedIds, rowIds } from "./schema.ts"

const form =
  "providers must be a mapping: the provider's id, a colon, and what is said of it in the lines below."

/** Every provider that could be read. */
export function readProviders(value: unknown): Part<readonly ProviderEntry[]> {
  if (!isObject(value)) return { value: [], problems: [valueAt(["providers"], form)] }
  const found = Object.entries(value).map(([id, item]) => readProvider(id, item, ["providers", id]))
  return {
    value: found.flatMap((one) => one.value ?? []),
    problems: found.flatMap((one) => one.problems),
  }
}

function readProvider(id: string, item: unknown, path: Path): Part<ProviderEntry | undefined> {
  const wrong = idProblem(id)
  const read = readPart(providerSchema(), item, path, "a provider")
  const fields = read.value
  const problems = [
    ...(wrong === undefined ? [] : [keyAt(path, wrong)]),
    ...read.problems,
    ...(fields === undefined || wrong !== undefined ? [] : contradictions(id, fields, path)),
  ]
  return { value: fields === undefined || problems.length > 0 ? undefined : toEntry(id, fields), problems }
}

function idProblem(id: string): string | undefined {
  if (reservedIds.includes(id)) return `${id} has a meaning of its own: give the provider another id.`
  if (looksLikeKey(id)) return "the id of a provider looks like a key: give it a short name, like relay."
  return providerIdForm.test(id)
    ? undefined
    : "the id of a provider has small letters, digits, dashes and underscores only, and begins with a letter or a digit."
}

function contradictions(id: string, fields: ProviderFields, path: Path): readonly Problem[] {
  const problems: Problem[] = []
  if (fields.api_base === undefined && findProvider(id) === undefined) {
    const meant = nearestKey(id, rowIds)
    const text =
      "the provider needs api_base, the address it is served at: it is none of those that are known."
    problems.push(valueAt(path, meant === undefined ? text : `${text} Did you mean ${meant}?`))
  }
  const { extra_body, overrides } = fields
  if (placeOf({ ...fields, provider: id }, new Map())?.native === true)
    problems.push(...uselessKeys(fields, path))
  const twice = Object.keys(overrides?.extraBody ?? {}).length > 0 && extra_body !== undefined
  if (twice) problems.push(sameTwice(path, "extra_body", "extra_body"))
  return problems
}

/** A key of the entry that says what one of its overrides says. */
export function sameTwice(path: Path, own: string, override: string): Problem {
  return keyAt(
    [...path, "overrides", ...override.split(".")],
    `overrides.${override} says the same as ${own}: take one of the two out.`,
  )
}

function toEntry(id: string, fields: ProviderFields): ProviderEntry {
  const { profile, proxy, reasoning_effort: effort, overrides } = fields
  const row = placeOf({ ...fields, provider: id }, new Map())?.row
  const thinks = effort !== undefined && effort !== "off" && overrides?.reasoning?.request === undefined
  return { ...accessOf(fields, providerReasoning(thinks, row)), id, profile, proxy }
}
