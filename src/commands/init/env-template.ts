// The .env that `init` writes: what one provider needs at the top, then every other setting with its line of
// documentation, switched off and with its default. Made from the table of settings alone.
import type { Setting } from "../../config/settings/setting.ts"
import { settings } from "../../config/settings/settings.ts"
import type { ProviderRow } from "../../providers/row.ts"
import { wrap } from "../terminal/wrap.ts"

export interface TemplateFacts {
  /** Undefined: none was chosen yet. */
  readonly row: ProviderRow | undefined
  /** The key variable that the environment holds already; its value is not for a file. */
  readonly keyInEnvironment: string | undefined
  /** Keys of other providers in the environment: an address must say then which one is meant. */
  readonly rivals: readonly string[]
}

/** A line of the top, switched on: `NAME=value` below its comment. */
interface Active {
  readonly name: string
  readonly value: string
  readonly comment: string
  /** Written, but switched off. */
  readonly off?: boolean
}

const width = 98

const headings = {
  upstream: "Where requests go",
  models: "Which model answers",
  routing: "Routing by what a request holds",
  server: "The proxy itself",
  limits: "Limits and prices",
  clients: "Who may use the proxy",
  store: "What is kept",
  network: "The way out",
  keys: "Keys of providers",
} as const satisfies Record<Setting["group"], string>

/** The text of the file. Every setting stands in it once; nothing in it is secret. */
export function renderEnvTemplate(facts: TemplateFacts): string {
  const top = activeLines(facts)
  const taken = new Set(top.map(({ name }) => name))
  const rest = settings
    .filter(({ name }) => !taken.has(name))
    .map((one) => ({ ...one, ...defaultFor(facts, one) }))
  const groups = Object.entries(headings).flatMap(([group, heading]) => [
    ...section(
      heading,
      rest.filter((setting) => setting.group === group),
    ),
    ...(group === "network" ? ["", ...comment(headerLine)] : []),
  ])
  const lines = [...introduction(facts), ...top.flatMap(renderActive), ...groups]
  return `${lines.join("\n")}\n`
}

/** The address of the provider the file is for: switched on, the line changes nothing. */
function defaultFor({ row }: TemplateFacts, { name, default: usual }: Setting): Pick<Setting, "default"> {
  return { default: name === "OPENAI_BASE_URL" ? (row?.baseUrl ?? usual) : usual }
}

function introduction({ row }: TemplateFacts): readonly string[] {
  const what = row === undefined ? [forAnyProvider] : [`Settings of claude-proxy, for ${row.name}.`]
  const how =
    "A line that begins with # is switched off, and shows the default. Flags, a file named with --env and the environment are stronger than this file."
  const models =
    row === undefined || row.tiers === null || isOwnServer(row)
      ? []
      : [
          `Where no model is named, ${row.tiers.big} answers for opus and sonnet, ${row.tiers.small} for haiku.`,
        ]
  return [...what, ...models, how].flatMap(comment)
}

const forAnyProvider =
  'Settings of claude-proxy. Choose a provider: take the # off its key (OPENAI_API_KEY is the first line, the others stand under "Keys of providers") and write the key behind the =. A server without a key (Ollama, LM Studio, vLLM) needs OPENAI_BASE_URL and BIG_MODEL instead.'

/** What this provider cannot do without. */
function activeLines({ row, keyInEnvironment, rivals }: TemplateFacts): readonly Active[] {
  if (row === undefined) return []
  return [...keyLine(row, keyInEnvironment), ...addressLine(row, rivals), ...modelLine(row)]
}

/** The settings that have to be filled in before anything works. */
export function linesToFill(facts: TemplateFacts): readonly string[] {
  const open = activeLines(facts).filter(({ value, off }) => value === "" && off !== true)
  const optional = facts.row !== undefined && isOwnServer(facts.row) ? facts.row.keyNames : []
  return open.map(({ name }) => name).filter((name) => !optional.includes(name))
}

/** Any endpoint that no row knows: the user alone can say where it is and what it serves. */
function isOwnServer(row: ProviderRow): boolean {
  return row.baseUrl === null && row.relay === true
}

function keyLine(row: ProviderRow, inEnvironment: string | undefined): readonly Active[] {
  if (inEnvironment !== undefined) {
    const text = `The key is in the environment already, as ${inEnvironment}: it need not be written here.`
    return [{ name: inEnvironment, value: "", comment: text, off: true }]
  }
  const [preferred] = row.keyNames
  if (preferred === undefined) return []
  const text = isOwnServer(row) ? "The server's key, if it asks for one" : `Your key for ${row.name}`
  return [{ name: preferred, value: "", comment: `${text}: write it behind the =.` }]
}

/** Only where the key alone does not say where requests go. */
function addressLine(row: ProviderRow, rivals: readonly string[]): readonly Active[] {
  const name = "OPENAI_BASE_URL"
  if (row.baseUrl !== null && row.keyNames.length > 0) {
    const text = `${rivals.join(", ")} in the environment would do as well: this says which provider is meant.`
    return rivals.length === 0 ? [] : [{ name, value: row.baseUrl, comment: text }]
  }
  const address = row.baseUrl ?? row.native
  if (address === null) return [{ name, value: "", comment: `Your own address, like ${exampleOf(row)}` }]
  const where = row.keyNames.length === 0 ? `Where ${row.name} listens.` : "Where requests go."
  return [{ name, value: address, comment: [where, ...rulesHint(row)].join(" ") }]
}

/** A row without a host and a port of its own is not recognised by an address. */
function rulesHint(row: ProviderRow): readonly string[] {
  if (row.delta.hosts !== undefined || row.port !== undefined) return []
  return [`What is special about ${row.name} counts for models of models.yaml with provider: ${row.id}.`]
}

/** A row that is known by a part of its hosts leaves room for the user's own name. */
function exampleOf({ delta }: ProviderRow): string {
  const suffix = delta.hosts?.find((host) => host.startsWith("."))
  return suffix === undefined ? "https://host.example/v1" : `https://NAME${suffix}`
}

function modelLine(row: ProviderRow): readonly Active[] {
  const passesNames = row.delta.checksSignatures === true
  if (passesNames || (row.tiers !== null && !isOwnServer(row))) return []
  const whose =
    row.baseUrl === null && !isOwnServer(row) ? "your deployment's name" : "its name at the server"
  return [{ name: "BIG_MODEL", value: "", comment: `The model that answers: ${whose}.` }]
}

function renderActive({ name, value, comment: text, off }: Active): readonly string[] {
  return ["", ...comment(text), `${off === true ? "#" : ""}${name}=${value}`]
}

function section(heading: string, rows: readonly Setting[]): readonly string[] {
  if (rows.length === 0) return []
  const lines = rows.flatMap(({ name, doc, default: value = "" }) => [
    "",
    ...comment(doc),
    `#${name}=${value}`,
  ])
  return ["", "", `# --- ${heading} ${"-".repeat(Math.max(3, width - 7 - heading.length))}`, ...lines]
}

// Without a fixed name there is no line to switch on.
const headerLine =
  "CUSTOM_HEADER_X_TEAM=a sends the header X-Team: a with every upstream request; so does any other name behind CUSTOM_HEADER_."

function comment(text: string): readonly string[] {
  return wrap(text, width - 2).map((line) => `# ${line}`)
}
