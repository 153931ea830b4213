// models.yaml: from its values to models, providers, settings and instances, and to problems that say where,
// what and what to do. No problem quotes a value: any of them may be a key that was put into the wrong place.

import { isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { findProvider } from "../../providers/table.ts"
import type { Found, Values } from "../settings/values.ts"
import { readEntries } from "./entries.ts"
import { readInstances } from "./instances.ts"
import { firstOf, hint, keyAt, type Path, type Problem, shown, valueAt } from "./problems.ts"
import { readProviders } from "./providers.ts"
import type { ModelsRead } from "./read.ts"
import { modelKeys } from "./schema.ts"
import { readSettings, type Said } from "./values.ts"
import type { YamlFile } from "./yaml-file.ts"

/**
 * Reads both forms: a list of models, or a mapping with that list under `models`, and sections. `name` stands
 * before the place in every problem and warning; what has a problem is left out.
 */
export function readModels(name: string, file: YamlFile): ModelsRead {
  const { sections, list, problems } = split(file.value)
  const lineOf = (path: Path) => file.placeOf(path, "value").line
  const providers = readProviders(sections["providers"] ?? {})
  const entries = readEntries(list.items, list.path, {
    own: new Map(providers.value.map((entry) => [entry.id, entry])),
    providerIds: Object.keys(objectOf(sections["providers"])).filter((id) => findProvider(id) === undefined),
    lineOf,
  })
  const settings = readSettings(sections)
  const instances = readInstances(sections["instances"] ?? [], lineOf)
  const placed = (found: readonly Problem[]) => placeAll(name, file, found)
  const [needsClientKey] =
    settings.needsClientKey === undefined ? [] : placed([lackOfKey(settings.needsClientKey)])
  return {
    entries: entries.value,
    providers: providers.value,
    instances: instances.value,
    values: valuesOf(settings.said, (path) => `${name}:${file.placeOf(path, "key").line}`),
    defaults: settings.defaults,
    needsClientKey,
    problems: placed([
      ...problems,
      ...[providers, entries, settings, instances].flatMap((part) => part.problems),
    ]),
    warnings: placed(settings.warnings),
  }
}

/** In the order of the file, each once. */
function placeAll(name: string, file: YamlFile, found: readonly Problem[]): readonly string[] {
  const placed = found.map((problem) => ({ ...file.placeOf(problem.path, problem.part), problem }))
  const sorted = placed.toSorted((one, other) => one.line - other.line || one.column - other.column)
  const first = firstOf(sorted.map(({ problem }) => problem))
  const lines = first.map(
    ({ text }, index) => `${name}:${sorted[index]?.line}:${sorted[index]?.column}: ${text}`,
  )
  return [...new Set(lines)]
}

function lackOfKey(path: Path): Problem {
  const text =
    "require_api_key is true, and there is no key that clients could send: list keys under allowed_keys, or set ALLOWED_API_KEYS."
  return valueAt(path, text)
}

function valuesOf(said: readonly Said[], originOf: (path: Path) => string): Values {
  const values = new Map<string, Found>()
  for (const { name, value, path } of said) {
    if (!values.has(name)) values.set(name, { value, origin: originOf(path) })
  }
  return values
}

interface Parts {
  readonly sections: JsonObject
  readonly list: { readonly items: readonly unknown[]; readonly path: Path }
  readonly problems: readonly Problem[]
}

const sectionNames: readonly string[] = [
  ...["models", "providers", "router", "tiers", "auth", "cache", "instances", "openai", "deepseek"],
]

/** Where everything is commented out there are no models, and nothing is wrong. */
function split(value: unknown): Parts {
  const whole = value ?? []
  if (Array.isArray(whole)) return { sections: {}, list: { items: whole, path: [] }, problems: [] }
  if (!isObject(whole)) {
    const problem = valueAt([], "the file must hold a list of models: put a dash before each.")
    return { sections: {}, list: { items: [], path: [] }, problems: [problem] }
  }
  const unknown = Object.keys(whole).filter((key) => !sectionNames.includes(key))
  const problems = unknown.map((key) => keyAt([key], explainSection(key)))
  const models = whole["models"] ?? []
  if (Array.isArray(models)) return { sections: whole, list: { items: models, path: ["models"] }, problems }
  const wrong = valueAt(["models"], "models must hold a list: put a dash before each model.")
  return { sections: whole, list: { items: [], path: ["models"] }, problems: [...problems, wrong] }
}

// What the files of other proxies have, and where it is said here.
const elsewhere: Readonly<Record<string, string>> = {
  server: "set HOST and PORT in .env, or give --host and --port",
  logging: "set LOG_LEVEL, LOG_FORMAT and LOG_FILE_PATH in .env",
  log: "set LOG_LEVEL, LOG_FORMAT and LOG_FILE_PATH in .env",
  monitoring: "there is nothing to set, as /metrics and /health are always there",
  metrics: "there is nothing to set, as /metrics is always there",
  vllm: "make a model with provider: vllm, and with api_base where it is not http://localhost:8000/v1",
  ollama: "make a model with provider: ollama, or say what differs under providers",
  redis: "set REDIS_URL in .env, or redis_url in the section cache",
  rate_limit: "set rate_limit in the section auth",
  rate_limiting: "set rate_limit in the section auth",
  security: "set what is asked of clients in the section auth",
}

function explainSection(key: string): string {
  if (Object.hasOwn(elsewhere, key)) return `${key} is not a section of this file: ${elsewhere[key]}.`
  if (modelKeys().includes(key))
    return `${key} belongs to a model: make a list of the models, with a dash before each.`
  return `${shown(key)} is not a section of this file.${hint(key, sectionNames)}`
}
