// The rows of the table of settings: names, kinds, defaults, and the line that says what each one means.
// Parsing, --help, the .env of `init` and README's table are made from them.
import {
  integer,
  longestTimer,
  most,
  number,
  outer,
  type Setting,
  type SettingRow,
  secret,
  text,
  unset,
  word,
} from "./setting.ts"
import { models, routing, upstream } from "./settings-routing.ts"

const server = [
  { name: "HOST", kind: "string", default: "127.0.0.1", doc: "Address to listen on.", flag: "--host" },
  {
    name: "PORT",
    ...integer("8082", [0, 65_535]),
    flag: "--port",
    doc: "Port to listen on; 0 takes a free one.",
  },
  {
    name: "TLS_CERT",
    ...text,
    doc: "File with the certificate (and its chain) to serve https with, in PEM form. Unset: http.",
  },
  {
    name: "TLS_KEY",
    ...text,
    doc: "File with the private key of TLS_CERT, in PEM form, without a password.",
  },
  {
    name: "ALLOWED_HOSTS",
    kind: "list",
    ...unset,
    doc: "Names besides this machine's own under which a proxy on loopback may be asked; * allows every name.",
  },
  {
    name: "SHUTDOWN_TIMEOUT",
    ...number("10", [0, longestTimer]),
    unit: "seconds",
    doc: "Seconds that running requests may go on once the proxy is told to stop.",
  },
  {
    name: "LOG_LEVEL",
    kind: "enum",
    default: "INFO",
    flag: "--log-level",
    doc: "How much is logged: DEBUG, INFO, WARNING (or WARN), ERROR.",
  },
  { name: "LOG_FORMAT", ...word, doc: "text or json. Unset: text on a terminal, otherwise json." },
  {
    name: "LOG_FILE_PATH",
    ...text,
    doc: "Folder for server.log, streaming.log, thinking.log and tools.log, a new one of each every day.",
  },
  {
    name: "LOG_RETENTION_DAYS",
    ...integer("3", [1, 3_650]),
    unit: "days",
    doc: "Days that log files are kept.",
  },
] as const satisfies readonly SettingRow[]

const limits = [
  {
    name: "DEFAULT_MAX_TOKENS",
    ...integer("8192", [1, most]),
    doc: "max_tokens for requests that have none, or one below MIN_TOKENS_LIMIT.",
  },
  { name: "MIN_TOKENS_LIMIT", ...integer("1", [0, most]), doc: "The smallest max_tokens taken as meant." },
  {
    name: "MAX_TOKENS_LIMIT",
    ...integer(undefined, [1, most]),
    doc: "Upper limit of max_tokens. Unset: the limit of the model, where it is known.",
  },
  {
    name: "REQUEST_TIMEOUT",
    ...number("300", [0.001, longestTimer]),
    unit: "seconds",
    doc: "Seconds without a byte from upstream that end a request; not the time of the whole reply.",
  },
  {
    name: "MAX_RETRIES",
    ...integer("2", [0, most]),
    doc: "Further attempts when upstream fails before it gave any content.",
  },
  {
    name: "MAX_BODY_BYTES",
    ...integer("67108864", [1024, 2_147_483_647]),
    unit: "bytes",
    doc: "Largest request body that is taken, in bytes, before and after decompression; more is refused with 413.",
  },
  {
    name: "MAX_CONCURRENT_REQUESTS",
    ...integer(undefined, [1, most]),
    doc: "Requests to models that may run at once, in each worker; more are refused with 529. Unset: no limit.",
  },
  {
    name: "ENABLE_TOKEN_ESTIMATION",
    kind: "boolean",
    default: "true",
    doc: "Estimate the token counts that upstream leaves out.",
  },
  {
    name: "DEFAULT_INPUT_COST_PER_TOKEN",
    ...number(undefined, [0, 0.01]),
    doc: "US dollars for a token read, where a model has no price of its own. Unset: the cost is not known.",
  },
  {
    name: "DEFAULT_OUTPUT_COST_PER_TOKEN",
    ...number(undefined, [0, 0.01]),
    doc: "The same for a token written.",
  },
] as const satisfies readonly SettingRow[]

const clients = [
  {
    name: "ALLOWED_API_KEYS",
    kind: "list",
    ...unset,
    holdsSecrets: true,
    doc: "Keys that clients may use, comma-separated. Unset: no key is asked for.",
  },
  {
    name: "ANTHROPIC_API_KEY",
    ...secret,
    doc: "One more key that clients may use; where a route leads to Anthropic itself, the key for there.",
  },
  {
    name: "ANTHROPIC_KEY_ROLE",
    ...word,
    doc: "client, upstream or both: what ANTHROPIC_API_KEY is for, whatever the routes say.",
  },
  {
    name: "RATE_LIMIT_REQUESTS_PER_MINUTE",
    ...integer(undefined, [1, most]),
    doc: "Requests a minute for each client key, or for all clients together where none is asked for.",
  },
] as const satisfies readonly SettingRow[]

const store = [
  {
    name: "STATS_ENABLED",
    kind: "boolean",
    default: "true",
    doc: "Keep the sums of tokens and cost over restarts, in the state folder: by day, model, session and client.",
  },
  {
    name: "REDIS_URL",
    ...text,
    holdsSecrets: true,
    doc: "Redis that shares limits, cached replies and resting keys between proxies.",
  },
  { name: "CACHE_ENABLED", kind: "boolean", default: "false", doc: "Answer equal requests once." },
  {
    name: "CACHE_TTL",
    ...number(undefined, [0, longestTimer]),
    unit: "seconds",
    doc: "Seconds that a cached reply is used. Unset: by its content.",
  },
  {
    name: "CACHE_MAX_BYTES",
    ...integer("268435456", [0, most]),
    unit: "bytes",
    doc: "Memory for cached replies.",
  },
] as const satisfies readonly SettingRow[]

const network = [
  {
    name: "HTTPS_PROXY",
    ...outer,
    holdsSecrets: true,
    doc: "HTTP proxy for upstreams with https:// addresses.",
  },
  { name: "HTTP_PROXY", ...outer, holdsSecrets: true, doc: "The same for http:// addresses." },
  { name: "ALL_PROXY", ...outer, holdsSecrets: true, doc: "HTTP proxy where neither of the two is set." },
  {
    name: "NO_PROXY",
    ...outer,
    doc: "Hosts that are reached directly; .example.com stands for all below it, * for all.",
  },
  {
    name: "NODE_EXTRA_CA_CERTS",
    ...outer,
    doc: "File of further certificate authorities, in PEM form.",
  },
] as const satisfies readonly SettingRow[]

function inGroup<const R extends readonly SettingRow[], const G extends Setting["group"]>(
  group: G,
  rows: R,
): readonly (R[number] & { readonly group: G })[] {
  const inIt: (R[number] & { readonly group: G })[] = []
  for (const row of rows) inIt.push({ ...row, group })
  return inIt
}

/** Every setting with a meaning of its own; the providers' key variables come on top. */
export const ownSettings = [
  ...inGroup("upstream", upstream),
  ...inGroup("models", models),
  ...inGroup("routing", routing),
  ...inGroup("server", server),
  ...inGroup("limits", limits),
  ...inGroup("clients", clients),
  ...inGroup("store", store),
  ...inGroup("network", network),
] as const
