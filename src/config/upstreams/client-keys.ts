// Which keys clients may use, and which values nobody may see.
import { scheme } from "../../protocol/secrecy.ts"
import type { Config, Upstream } from "../config.ts"
import { listOf, named, secretNames, secretsIn, type Values } from "../settings/values.ts"
import type { Given } from "./given.ts"
import { anthropicKey } from "./make-upstream.ts"

interface KeyFacts {
  readonly upstreams: readonly Upstream[]
  /** ROUTER_* is in use. */
  readonly routed: boolean
  readonly headers: Readonly<Record<string, string>>
  /** What else is sent that nobody may see. */
  readonly others: readonly string[]
}

// Shorter header values are words ("true", "beta"): redacting those would tear up every log line.
const shortestHeaderSecret = 6

// What is given to local servers in place of a key ("ollama", "none"): redacting it would tear up every text.
const placeholder = /^[a-z]{1,8}$/

/** Clients' keys and everything that is to be redacted. */
export function keyPart(
  values: Values,
  role: Given["keyRole"],
  { upstreams, routed, headers, others }: KeyFacts,
): Pick<Config, "clientKeys" | "secrets"> {
  // Where a route leads to Anthropic itself, its key is for there, and no client's.
  const forUpstream = routed || upstreams.some(({ keyName }) => keyName === anthropicKey)
  const forClients = role === undefined ? !forUpstream : role !== "upstream"
  const own = forClients ? listOf(values.get(anthropicKey)) : []
  const clientKeys = [...new Set([...listOf(values.get("ALLOWED_API_KEYS")), ...own])]
  const sent = [...Object.values(headers), ...upstreams.flatMap(valuesSent), ...others]
  const secrets = [
    ...secretsIn(values).filter((value) => !placeholder.test(value)),
    ...sent.flatMap(withBare).filter((value) => value.length >= shortestHeaderSecret),
  ]
  // Longest first: a secret that is part of another one would leave the rest of it standing.
  const told = new Set(secrets.flatMap(formsOf))
  return { clientKeys, secrets: [...told].sort((one, other) => other.length - one.length) }
}

/** An upstream may quote what stands behind `Bearer` alone. */
function withBare(sent: string): readonly string[] {
  const bare = sent.replace(scheme, "")
  return bare === sent || placeholder.test(bare) ? [sent] : [sent, bare]
}

/** Upstreams quote a key also as it would stand in an address, with digits of either case, or in JSON. */
function formsOf(secret: string): readonly string[] {
  const inAddress = encodeURIComponent(secret.toWellFormed())
  const inLowerCase = inAddress.replace(/%../g, (code) => code.toLowerCase())
  return [secret, inAddress, inLowerCase, JSON.stringify(secret).slice(1, -1)]
}

function valuesSent({ query, headers }: Upstream): readonly string[] {
  const pairs = Object.entries(query).filter(([name]) => name !== "api-version")
  return [...pairs.map(([, value]) => value), ...Object.values(headers)]
}

/** Whoever relied on ANTHROPIC_API_KEY for clients must hear that it no longer guards anything. */
export function keyWarnings(values: Values, config: Config | undefined, routed: boolean): readonly string[] {
  if (config === undefined || !values.has(anthropicKey) || values.has("ANTHROPIC_KEY_ROLE")) return []
  if (!routed || config.clientKeys.length > 0) return []
  return [
    `${named(anthropicKey, values)} is not asked of clients, as ROUTER_* settings are in use: ` +
      "set ANTHROPIC_KEY_ROLE=client if it should be, or ANTHROPIC_KEY_ROLE=upstream to say that it should not.",
  ]
}

/** Keys are sent in a header, which takes visible ASCII only; Bun would fail at every request. */
export function keyProblems(values: Values): readonly string[] {
  return secretNames(values).flatMap((name) => {
    const found = values.get(name)
    if (found === undefined) return []
    const keys = listOf(found)
    if (keys.length === 0)
      return [`${named(name, values)} holds commas and no key: write one or take the line out.`]
    const clean = keys.every((key) => /^[!-~]+$/.test(key))
    return clean
      ? []
      : [`${named(name, values)} holds a space or a character no key can have: copy the key again.`]
  })
}
