// What `serve` says at its start. As data first: a proxy in the background says it to whoever started it.

import type { Config } from "../../config/config.ts"
import { resolvePlace } from "../../config/routes/route.ts"
import { familyModels } from "../../config/settings/slots.ts"
import type { Described } from "../../config/sources/loaded.ts"
import { isLoopback } from "../../protocol/hosts.ts"
import { redact } from "../../protocol/redact.ts"
import type { RunningServer } from "../../server/server.ts"
import { version } from "../common/version.ts"
import { createColors } from "../terminal/colors.ts"
import type { StartFacts } from "./record.ts"

/** The facts of a server that listens; none of the texts holds a secret. */
export function startFacts(
  server: RunningServer,
  config: Config,
  described: Described,
  warnings: readonly string[],
): StartFacts {
  const { upstream, tiers, clientKeys } = config
  const key = upstream.apiKeys.length === 0 ? "no key" : `key from ${upstream.keyName}`
  const clean = (texts: readonly string[]) => texts.map((text) => redact(text, config.secrets))
  const open = !isLoopback(config.host) && clientKeys.length === 0
  return {
    version,
    url: server.url,
    upstream: redact(`${upstream.row.name}, ${withoutUser(upstream.baseUrl)} (${key})`, config.secrets),
    models: { big: tiers.big, middle: tiers.middle, small: tiers.small },
    routes: clean(routeLines(config)),
    keyNeeded: clientKeys.length > 0,
    files: described.files,
    infos: clean([...described.infos, ...keyInfos(config, described)]),
    warnings: clean(warnings),
    openAt: open ? `${shownHost(server.hostname)}:${server.port}` : null,
  }
}

/** Who has this variable for other programs did not mean to ask for a key. */
function keyInfos({ clientKeys }: Config, { origins }: Described): readonly string[] {
  const origin = origins["ANTHROPIC_API_KEY"]
  if (origin === undefined || clientKeys.length === 0) return []
  if ("ALLOWED_API_KEYS" in origins || "ANTHROPIC_KEY_ROLE" in origins) return []
  return [
    `ANTHROPIC_API_KEY (${origin}) is the key that clients must send. To ask for none: ANTHROPIC_KEY_ROLE=upstream.`,
  ]
}

const families = [
  ["opus", "big"],
  ["sonnet", "middle"],
  ["haiku", "small"],
] as const

const slots = [
  ["default", "default"],
  ["background", "background"],
  ["thinking", "think"],
  ["long context", "longContext"],
] as const

/** The families in one line; the routes, where there are any, in another. */
function routeLines(config: Config): readonly string[] {
  const lead = familyModels(config)
  const models = families.map(([family, tier]) => `${family} → ${told(config, lead[tier])}`)
  const routes = slots.flatMap(([name, slot]) => {
    const model = config.router[slot]
    return model === undefined ? [] : [`${name} → ${told(config, model)}`]
  })
  return [models.join(", "), ...(routes.length === 0 ? [] : [routes.join(", ")])]
}

/** A model by its name here, and what it is called where it is served, if that is another place or name. */
function told(config: Config, name: string): string {
  if (name === "") return "passed on as it is named"
  const place = resolvePlace(config, name)
  if (!place.ok) return name
  const { model, upstream } = place
  const { id } = upstream.row
  const elsewhere = id !== config.upstream.row.id && name !== `${id}/${model}`
  if (elsewhere) return `${name} (${model === name ? "" : `${model} `}at ${id})`
  return model === name || name.endsWith(`/${model}`) ? name : `${name} (${model})`
}

/** An address may carry a password in front of its host. */
function withoutUser(address: string): string {
  return address.replace(/\/\/[^/@\s]*@/, "//")
}

type Line = readonly [label: string, text: string]

/** The one block at the start: where it listens, which upstream, which models, what clients need; then `more`. */
export function renderStart(facts: StartFacts, color: boolean, more: readonly Line[]): string {
  const { bold, dim } = createColors(color)
  const { keyNeeded } = facts
  const [models = "", ...routes] = facts.routes
  const token = keyNeeded ? "YOUR-CLIENT-KEY" : "unused"
  const named: readonly Line[] = [
    ["upstream", facts.upstream],
    ["models", models],
    ...routes.map((route) => ["routes", route] as const),
    ["clients", keyNeeded ? "must send a client key" : "no key needed"],
    ...facts.files.map((file) => ["settings", file] as const),
    ...facts.infos.map((info) => ["note", info] as const),
    ...more,
  ]
  const lines = [
    `claude-proxy ${facts.version} listening on ${bold(facts.url)}`,
    ...named.map(([label, text]) => `  ${dim(label.padEnd(8))}  ${text}`),
    "",
    `  ${bold(`ANTHROPIC_BASE_URL=${facts.url} ANTHROPIC_AUTH_TOKEN=${token} claude`)}`,
    "",
  ]
  return `${lines.join("\n")}\n`
}

/** An IPv6 address in brackets, as it stands before a port. */
export function shownHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host
}

/** A warning that cannot be missed, for a proxy that others can reach and use without a key. */
export function renderOpenWarning(address: string): string {
  const bar = "!".repeat(78)
  return `${bar}\n${openLines(address)
    .map((line) => `!! ${line}\n`)
    .join("")}${bar}\n`
}

/** The same as one sentence, for logs and tables. */
export function renderOpen(address: string): string {
  return openLines(address).join(" ")
}

function openLines(address: string): readonly string[] {
  return [
    `${address} can be reached from other machines and asks for no key:`,
    "anybody there can spend your money. Set ALLOWED_API_KEYS, or HOST=127.0.0.1.",
  ]
}
