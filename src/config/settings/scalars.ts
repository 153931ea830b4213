// The settings that are one value each.
import type { Config } from "../config.ts"
import { logFormats, logLevels, tuningWords } from "./settings.ts"
import { named, type Reader, type Values } from "./values.ts"

type Scalars = Omit<
  Config,
  "upstream" | "others" | "tiers" | "models" | "clientKeys" | "secrets" | "router" | "network" | "tls"
>

/**
 * Reads them all. What stands after "??" is never used: a value that could not be read is a problem, and ends
 * the loading.
 */
export function scalars(reader: Reader, terminal: boolean): Scalars {
  const input = reader.number("DEFAULT_INPUT_COST_PER_TOKEN")
  const output = reader.number("DEFAULT_OUTPUT_COST_PER_TOKEN")
  return {
    ...door(reader),
    logLevel: reader.word("LOG_LEVEL", logLevels) ?? "INFO",
    logFormat: reader.word("LOG_FORMAT", logFormats) ?? (terminal ? "text" : "json"),
    logFolder: reader.text("LOG_FILE_PATH"),
    logRetentionDays: reader.number("LOG_RETENTION_DAYS") ?? 0,
    longContextThreshold: reader.number("LONG_CONTEXT_THRESHOLD") ?? 0,
    promptTuning: reader.word("PROMPT_TUNING", tuningWords) === "auto",
    defaultMaxTokens: reader.number("DEFAULT_MAX_TOKENS") ?? 0,
    minTokensLimit: reader.number("MIN_TOKENS_LIMIT") ?? 0,
    maxTokensLimit: reader.number("MAX_TOKENS_LIMIT"),
    requestTimeoutMs: Math.round((reader.number("REQUEST_TIMEOUT") ?? 0) * 1000),
    maxRetries: reader.number("MAX_RETRIES") ?? 0,
    ...shares(reader),
    statsEnabled: reader.boolean("STATS_ENABLED") ?? true,
    estimateTokens: reader.boolean("ENABLE_TOKEN_ESTIMATION") ?? true,
    defaultPrices:
      input === undefined || output === undefined ? undefined : { input, output, cacheRead: undefined },
  }
}

/** Where it listens, who is let in, and how it closes. */
function door(reader: Reader) {
  return {
    host: (reader.text("HOST") ?? "").replace(/^\[(.*)\]$/, "$1"),
    port: reader.number("PORT") ?? 0,
    allowedHosts: reader.list("ALLOWED_HOSTS").map((name) => name.toLowerCase()),
    shutdownTimeoutMs: Math.round((reader.number("SHUTDOWN_TIMEOUT") ?? 0) * 1000),
  }
}

/** What clients may take of the proxy, and what proxies share. */
function shares(reader: Reader) {
  const seconds = reader.number("CACHE_TTL")
  return {
    maxBodyBytes: reader.number("MAX_BODY_BYTES") ?? 0,
    maxConcurrentRequests: reader.number("MAX_CONCURRENT_REQUESTS"),
    rateLimitPerMinute: reader.number("RATE_LIMIT_REQUESTS_PER_MINUTE"),
    redisUrl: reader.text("REDIS_URL"),
    cache: {
      enabled: reader.boolean("CACHE_ENABLED") ?? false,
      ttlMs: seconds === undefined ? undefined : Math.round(seconds * 1000),
      maxBytes: reader.number("CACHE_MAX_BYTES") ?? 0,
    },
  }
}

/** What each value alone does not show. */
export function scalarProblems(plain: Scalars, values: Values): readonly string[] {
  return [
    ...hostProblems(values),
    ...nameProblems(plain, values),
    ...limitProblems(plain, values),
    ...priceProblems(values),
    ...redisProblems(plain, values),
  ]
}

function hostProblems(values: Values): readonly string[] {
  const host = values.get("HOST")?.value
  if (host === undefined || !/[\s/]|^[^:]*:\d*$/.test(host)) return []
  return [
    `${named("HOST", values)} is not a host name or an address: leave out http:// and the port (that is PORT).`,
  ]
}

/** What is compared with the name in a Host header must be one. */
function nameProblems({ allowedHosts }: Scalars, values: Values): readonly string[] {
  const isName = (text: string) => text === "*" || /^(\*\.)?[\w-]+(\.[\w-]+)*$|^\[?[\da-f:]+\]?$/.test(text)
  const wrong = allowedHosts.find((text) => !isName(text))
  if (wrong === undefined) return []
  return [
    `${named("ALLOWED_HOSTS", values)} holds ${JSON.stringify(wrong)}: give names as in proxy.example, without http:// and without a port; *.example allows all below it, * every name.`,
  ]
}

function limitProblems(plain: Scalars, values: Values): readonly string[] {
  const { minTokensLimit: least, maxTokensLimit: most } = plain
  if (most === undefined || least <= most) return []
  const names = `${named("MIN_TOKENS_LIMIT", values)} is ${least}, above ${named("MAX_TOKENS_LIMIT", values)}`
  return [`${names}, which is ${most}: raise the one or lower the other.`]
}

function priceProblems(values: Values): readonly string[] {
  const names = ["DEFAULT_INPUT_COST_PER_TOKEN", "DEFAULT_OUTPUT_COST_PER_TOKEN"] as const
  const [missing, ...more] = names.filter((name) => !values.has(name))
  if (missing === undefined || more.length > 0) return []
  const [set = ""] = names.filter((name) => values.has(name))
  return [`${named(set, values)} is set and ${missing} is not: set both, or none.`]
}

function redisProblems({ redisUrl }: Scalars, values: Values): readonly string[] {
  const problem = redisUrl === undefined ? undefined : redisUrlProblem(redisUrl)
  return problem === undefined ? [] : [`${named("REDIS_URL", values)} ${problem}.`]
}

/** What is wrong with the address, to follow on the setting's name; undefined: nothing. Never shows its password. */
function redisUrlProblem(address: string): string | undefined {
  if (/^redis\+tls:/i.test(address)) return "must begin with rediss:// for a connection over TLS"
  if (!/^rediss?:\/\//.test(address)) return `must begin with redis:// or rediss:// (TLS), as in ${example}`
  if (/[?#]/.test(address))
    return `holds a ? or a #: write them in a password as %3F and %23, and the number of the database as ${example}`
  const url = URL.parse(address)
  if (url === null || url.hostname === "")
    return `is not an address like ${example}; in a password write / as %2F and @ as %40`
  if (!/^\/?\d{0,9}$/.test(url.pathname))
    return `ends in what is not the number of a database, as the 0 in ${example} is; in a password write / as %2F`
  return undefined
}

const example = "redis://:PASSWORD@HOST:6379/0"
