// What the sections of models.yaml come to: settings, and what DeepSeek is asked with.
import type { z } from "zod"
import type { Defaults } from "../../providers/route.ts"
import type { SettingName } from "../settings/settings.ts"
import { defined } from "./defined.ts"
import { keyAt, type Path, type Problem, readPart, valueAt } from "./problems.ts"
import {
  authSchema,
  cacheSchema,
  deepSeekSchema,
  openAiSchema,
  routerSchema,
  tiersSchema,
} from "./sections.ts"

/** A setting that a section gives. */
export interface Said {
  readonly name: SettingName
  readonly value: string
  /** The key that says so. */
  readonly path: Path
}

interface SectionsRead {
  /** Of one name the first one counts. */
  readonly said: readonly Said[]
  readonly defaults: Defaults
  /** Clients must have a key, and the file names none: where it says so. */
  readonly needsClientKey: Path | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

const nothing: SectionsRead = {
  said: [],
  defaults: {},
  needsClientKey: undefined,
  problems: [],
  warnings: [],
}

type Sections = Readonly<Record<string, unknown>>

/** Reads all of them, the stronger ones first. */
export function readSettings(sections: Sections): SectionsRead {
  const parts = readers.flatMap(([name, read]) => {
    const value = sections[name] ?? undefined
    return value === undefined ? [] : [read(value)]
  })
  return {
    said: parts.flatMap(({ said }) => said),
    defaults: Object.assign({}, ...parts.map(({ defaults }) => defaults)),
    needsClientKey: parts.find((part) => part.needsClientKey !== undefined)?.needsClientKey,
    problems: parts.flatMap(({ problems }) => problems),
    warnings: parts.flatMap(({ warnings }) => warnings),
  }
}

type Names = Readonly<Record<string, SettingName>>

const readers = [
  [
    "tiers",
    reader("tiers", tiersSchema, (fields) =>
      plain("tiers", fields, { big: "BIG_MODEL", middle: "MIDDLE_MODEL", small: "SMALL_MODEL" }),
    ),
  ],
  [
    "router",
    reader("router", routerSchema, (fields) =>
      plain("router", fields, {
        default: "ROUTER_DEFAULT",
        background: "ROUTER_BACKGROUND",
        think: "ROUTER_THINK",
        long_context: "ROUTER_LONG_CONTEXT",
        long_context_threshold: "LONG_CONTEXT_THRESHOLD",
      }),
    ),
  ],
  ["auth", reader("auth", authSchema, readAuth)],
  ["cache", reader("cache", cacheSchema, readCache)],
  [
    "openai",
    reader("openai", openAiSchema, (fields) =>
      plain("openai", fields, {
        base_url: "OPENAI_BASE_URL",
        api_key: "OPENAI_API_KEY",
        timeout: "REQUEST_TIMEOUT",
        max_retries: "MAX_RETRIES",
      }),
    ),
  ],
  ["deepseek", reader("deepseek", deepSeekSchema, readDeepSeek)],
] as const

function reader<T>(name: string, schema: () => z.ZodType<T>, read: (fields: T) => SectionsRead) {
  return (value: unknown): SectionsRead => {
    const part = readPart(schema(), value, [name], name)
    return part.value === undefined ? { ...nothing, problems: part.problems } : read(part.value)
  }
}

/** Keys that stand for one setting each. */
function plain(section: string, fields: object, names: Names): SectionsRead {
  const said = Object.entries(fields).flatMap(([key, value]: readonly [string, unknown]) => {
    const name = names[key]
    return name === undefined || value === undefined
      ? []
      : [{ name, value: String(value), path: [section, key] }]
  })
  return { ...nothing, said }
}

type AuthFields = z.infer<ReturnType<typeof authSchema>>

function readAuth(fields: AuthFields): SectionsRead {
  const keys = readClientKeys(fields)
  const limit = readLimit(fields)
  return { ...keys, said: [...keys.said, ...limit.said], problems: [...keys.problems, ...limit.problems] }
}

function readClientKeys(fields: AuthFields): SectionsRead {
  const { key, problems } = synonyms("auth", fields, ["allowed_keys", "allowed_api_keys", "api_keys"])
  const keys = key === undefined ? [] : (fields[key] ?? [])
  const path = ["auth", key ?? "require_api_key"]
  const required = fields.require_api_key
  if (keys.length === 0)
    return {
      ...nothing,
      problems,
      needsClientKey: required === true ? ["auth", "require_api_key"] : undefined,
    }
  if (required === false) {
    const text = "these keys are not asked for, as require_api_key is false: take one of the two out."
    return { ...nothing, problems, warnings: [keyAt(path, text)] }
  }
  return { ...nothing, problems, said: [{ name: "ALLOWED_API_KEYS", value: keys.join(","), path }] }
}

// When a limit is asked for without a number.
const usualLimit = 60

function readLimit({
  rate_limit: limit,
  rate_limit_requests_per_minute: perMinute,
}: AuthFields): SectionsRead {
  const rate = limit === false ? undefined : (perMinute ?? (limit === true ? usualLimit : limit))
  if (rate === undefined) return nothing
  const path = ["auth", perMinute === undefined ? "rate_limit" : "rate_limit_requests_per_minute"]
  const differ = typeof limit === "number" && limit !== rate
  const text = "rate_limit and rate_limit_requests_per_minute differ: take one of the two out."
  return {
    ...nothing,
    said: [{ name: "RATE_LIMIT_REQUESTS_PER_MINUTE", value: String(rate), path }],
    problems: differ ? [valueAt(["auth", "rate_limit"], text)] : [],
  }
}

/** One thing under several words: the first of them that is used. */
function synonyms<K extends string>(
  section: string,
  fields: { readonly [key in K]?: unknown },
  keys: readonly K[],
) {
  const [key, ...more] = keys.filter((candidate) => fields[candidate] !== undefined)
  const problems = more.map((other) =>
    keyAt([section, other], `${other} says the same as ${key}: take one of the two out.`),
  )
  return { key, problems }
}

function readCache(fields: z.infer<ReturnType<typeof cacheSchema>>): SectionsRead {
  const { problems } = synonyms("cache", fields, ["ttl", "default_ttl"])
  const names = {
    enabled: "CACHE_ENABLED",
    ttl: "CACHE_TTL",
    default_ttl: "CACHE_TTL",
    max_bytes: "CACHE_MAX_BYTES",
    redis_url: "REDIS_URL",
  } as const
  return { ...plain("cache", fields, names), problems }
}

function readDeepSeek(fields: z.infer<ReturnType<typeof deepSeekSchema>>): SectionsRead {
  const { model_name: model, temperature, top_p } = fields
  const tiers = ["BIG_MODEL", "MIDDLE_MODEL", "SMALL_MODEL"] as const
  const path = ["deepseek", "model_name"]
  const others = { default_thinking: "DEEPSEEK_THINKING", max_tokens: "DEFAULT_MAX_TOKENS" } as const
  return {
    ...nothing,
    said: [
      ...(model === undefined ? [] : tiers.map((name) => ({ name, value: model, path }))),
      ...plain("deepseek", fields, others).said,
    ],
    defaults: defined({ temperature, top_p }),
  }
}
