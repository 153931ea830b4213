// The one table of settings: names, kinds, defaults, a line of documentation. --help, the loader and the
// near-miss warnings all read it, so a setting exists exactly when it has a row here.
import { providers } from "../providers/table.ts"
import type { LogLevel } from "./config.ts"

export interface Setting {
  readonly name: string
  /** `number` takes fractions; a `list` is comma-separated; the value of a `secret` is never shown. */
  readonly kind: "string" | "integer" | "number" | "boolean" | "list" | "enum" | "secret"
  /** As it would be written in a file; undefined: unset, and the line of documentation says what then. */
  readonly default: string | undefined
  readonly doc: string
  /** The command-line flag that sets it. */
  readonly flag?: string
  /** For integers and numbers: the smallest and the largest value allowed. */
  readonly range?: readonly [number, number]
  /** For lists: each part is a secret. */
  readonly holdsSecrets?: true
}

export const logLevels: readonly LogLevel[] = ["DEBUG", "INFO", "WARNING", "ERROR"]
export const logFormats = ["text", "json"] as const

const most = Number.MAX_SAFE_INTEGER
// A timer of more than 2^31-1 ms fires at once instead of late.
const longestTimer = 2_147_483

const ownSettings = [
  {
    name: "OPENAI_API_KEY",
    kind: "secret",
    default: undefined,
    doc: "Key of the default upstream. Unset: the key variable of the provider itself.",
  },
  {
    name: "OPENAI_BASE_URL",
    kind: "string",
    default: "https://api.openai.com/v1",
    doc: "Where requests go. A host that the provider table knows brings that provider's rules.",
  },
  {
    name: "AZURE_API_VERSION",
    kind: "string",
    default: undefined,
    doc: "api-version sent to Azure OpenAI (2024-10-21 when unset). When set, the default upstream is Azure.",
  },
  {
    name: "BIG_MODEL",
    kind: "string",
    default: undefined,
    doc: "Model for opus and every other large Claude model. Unset: the provider's own choice (gpt-4o).",
  },
  {
    name: "MIDDLE_MODEL",
    kind: "string",
    default: undefined,
    doc: "Model for sonnet. Unset: BIG_MODEL.",
  },
  {
    name: "SMALL_MODEL",
    kind: "string",
    default: undefined,
    doc: "Model for haiku. Unset: the provider's own choice (gpt-4o-mini), or BIG_MODEL.",
  },
  {
    name: "CUSTOM_MODELS_FILE",
    kind: "string",
    default: undefined,
    doc: "File of models of your own. Unset: models.yaml beside the .env, or in the configuration folder.",
  },
  {
    name: "HOST",
    kind: "string",
    default: "127.0.0.1",
    doc: "Address to listen on.",
    flag: "--host",
  },
  {
    name: "PORT",
    kind: "integer",
    default: "8082",
    doc: "Port to listen on; 0 takes a free one.",
    flag: "--port",
    range: [0, 65_535],
  },
  {
    name: "LOG_LEVEL",
    kind: "enum",
    default: "INFO",
    doc: "How much is logged: DEBUG, INFO, WARNING (or WARN), ERROR.",
    flag: "--log-level",
  },
  {
    name: "LOG_FORMAT",
    kind: "enum",
    default: undefined,
    doc: "text or json. Unset: text on a terminal, otherwise json.",
  },
  {
    name: "DEFAULT_MAX_TOKENS",
    kind: "integer",
    default: "8192",
    doc: "max_tokens for requests that have none, or one below MIN_TOKENS_LIMIT.",
    range: [1, most],
  },
  {
    name: "MIN_TOKENS_LIMIT",
    kind: "integer",
    default: "1",
    doc: "The smallest max_tokens taken as meant.",
    range: [0, most],
  },
  {
    name: "MAX_TOKENS_LIMIT",
    kind: "integer",
    default: undefined,
    doc: "Upper limit of max_tokens. Unset: the limit of the model, where it is known.",
    range: [1, most],
  },
  {
    name: "REQUEST_TIMEOUT",
    kind: "number",
    default: "300",
    doc: "Seconds without a byte from upstream that end a request; not the time of the whole reply.",
    range: [0.001, longestTimer],
  },
  {
    name: "MAX_RETRIES",
    kind: "integer",
    default: "2",
    doc: "Further attempts when upstream fails before it gave any content.",
    range: [0, most],
  },
  {
    name: "ENABLE_TOKEN_ESTIMATION",
    kind: "boolean",
    default: "true",
    doc: "Estimate the token counts that upstream leaves out.",
  },
  {
    name: "ALLOWED_API_KEYS",
    kind: "list",
    default: undefined,
    doc: "Keys that clients may use, comma-separated. Unset: no key is asked for.",
    holdsSecrets: true,
  },
  {
    name: "ANTHROPIC_API_KEY",
    kind: "secret",
    default: undefined,
    doc: "One more key that clients may use; where a route leads to Anthropic itself, the key for there.",
  },
] as const satisfies readonly Setting[]

export type SettingName = (typeof ownSettings)[number]["name"]

/** What a variable that adds a request header begins with. */
export const headerPrefix = "CUSTOM_HEADER_"

/** Every setting there is, the providers' own key variables included. `CUSTOM_HEADER_*` comes on top. */
export const settings: readonly Setting[] = [...ownSettings, ...keySettings()]

function keySettings(): readonly Setting[] {
  const taken = new Set<string>(ownSettings.map((setting) => setting.name))
  const keys = providers.flatMap((row) => row.keyNames.map((name) => ({ name, doc: `Key for ${row.name}.` })))
  const unique = new Map(keys.filter((key) => !taken.has(key.name)).map((key) => [key.name, key.doc]))
  return [...unique].map(([name, doc]) => ({ name, kind: "secret", default: undefined, doc }))
}

/** The row of a setting, or undefined for a name that is not one. */
export function findSetting(name: string): Setting | undefined {
  return settings.find((setting) => setting.name === name)
}

/** Is this a variable we read? */
export function isSettingName(name: string): boolean {
  return name.startsWith(headerPrefix) || findSetting(name) !== undefined
}
