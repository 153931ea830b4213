// Every Upstream is made here: the one place that decides which keys go to an address, and what is said of it.

import type { ProfileDelta } from "../../providers/profile.ts"
import type { Defaults } from "../../providers/route.ts"
import type { ProviderRow } from "../../providers/row.ts"
import { findProvider } from "../../providers/table.ts"
import type { Upstream } from "../config.ts"
import type { ProviderEntry } from "../models/read.ts"
import { type Address, isNative, queryFor, readBaseUrl } from "../network/addresses.ts"
import { mergeHeaders } from "../network/headers.ts"
import { listOf } from "../settings/values.ts"
import type { Given } from "./given.ts"

/** The keys for an address. */
export type Key =
  | { readonly kind: "none" }
  /** Of this variable; whether it is set is another matter. */
  | { readonly kind: "variable"; readonly name: string }

interface Place {
  readonly row: ProviderRow
  readonly address: Address
  readonly key: Key
  /** Without a key every request would be refused. */
  readonly needsKey: boolean
  /** What models.yaml says of the provider. */
  readonly entry?: ProviderEntry | undefined
  /** Its headers are for its own host alone. */
  readonly withHeaders?: boolean
  /** It speaks Anthropic's API, because the user says so. */
  readonly direct?: boolean
  readonly addressSetting?: string | undefined
}

/** The variable ANTHROPIC_API_KEY is known by. */
export const anthropicKey = "ANTHROPIC_API_KEY"

/** The keys a variable holds for upstreams: none, where the user says that it holds a key of clients. */
export function keysOf(
  { values, keyRole }: Pick<Given, "values" | "keyRole">,
  name: string,
): readonly string[] {
  return name === anthropicKey && keyRole === "client" ? [] : listOf(values.get(name))
}

/** The upstream at a place. */
export function makeUpstream(given: Given, place: Place): Upstream {
  const { row, address, key, entry, withHeaders = true } = place
  const { values, headers, needsUpstream } = given
  return {
    row,
    native: place.direct === true || isNative(row, address.baseUrl),
    baseUrl: address.baseUrl,
    apiKeys: key.kind === "none" ? [] : keysOf(given, key.name),
    keyName: key.kind === "none" ? "" : key.name,
    needsKey: needsUpstream && place.needsKey,
    query: queryFor(row, address, values.get("AZURE_API_VERSION")?.value),
    headers: mergeHeaders(headers, withHeaders ? (entry?.headers ?? {}) : {}),
    delta: withHeaders ? (entry?.delta ?? {}) : withoutHeaders(entry?.delta ?? {}),
    defaults: { ...deepseekDefaults(given, row), ...entry?.defaults },
    addressSetting: place.addressSetting,
  }
}

function withoutHeaders({ headers: _, ...delta }: ProfileDelta): ProfileDelta {
  return delta
}

const deepseek = findProvider("deepseek")

/** DEEPSEEK_THINKING and the section `deepseek:` speak of whatever is spoken to by DeepSeek's rules. */
function deepseekDefaults({ models, thinking }: Given, row: ProviderRow): Defaults {
  if (row.delta !== deepseek?.delta) return {}
  return { ...models.defaults, ...(thinking === undefined ? {} : { thinking }) }
}

/** The same provider, spoken to by the rules of another row. */
export function withRules(row: ProviderRow, profile: string | undefined): ProviderRow {
  const rules = profile === undefined ? undefined : findProvider(profile)
  if (rules === undefined) return row
  const { id, name, baseUrl, native, keyNames, tiers } = row
  return { ...rules, id, name, baseUrl, native, keyNames, tiers }
}

/** A base URL of the table or of models.yaml: both were checked before. */
export function addressAt(text: string | null | undefined): Address | undefined {
  const read = readBaseUrl(text ?? "", "api_key_name")
  return read.ok ? read.value : undefined
}

/** Do both lead to the same host and port? What is secret for one of them stays there. */
export function sameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin
}
