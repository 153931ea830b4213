// What models and providers of models.yaml both say of the way to them, and what of it has no effect.
import { applyDelta } from "../../providers/base-profile.ts"
import type { ProfileDelta } from "../../providers/profile.ts"
import type { ProviderRow } from "../../providers/row.ts"
import { findProvider, resolveProfile } from "../../providers/table.ts"
import { isNative, readBaseUrl, rowForAddress } from "../network/addresses.ts"
import { defined } from "./defined.ts"
import { keyAt, type Path, type Problem } from "./problems.ts"
import type { Access, ProviderEntry } from "./read.ts"
import type { ProviderFields } from "./schema.ts"

type AccessFields = Omit<ProviderFields, "proxy">

/** The common half of an entry; `own` stands over the overrides. */
export function accessOf(fields: AccessFields, own: ProfileDelta): Access {
  const { temperature, top_p, reasoning_effort: effort, extra_body: extraBody } = fields
  const body = extraBody === undefined ? {} : { extraBody }
  return {
    apiBase: fields.api_base,
    keyName: fields.api_key_name,
    delta: [body, own].reduce(joinDeltas, fields.overrides ?? {}),
    headers: fields.extra_headers ?? {},
    defaults: defined({ temperature, top_p, effort }),
  }
}

/** One delta that does what two do, one after the other. */
function joinDeltas(first: ProfileDelta, second: ProfileDelta): ProfileDelta {
  const reasoning = { ...first.reasoning, ...second.reasoning }
  const extraBody = { ...first.extraBody, ...second.extraBody }
  return {
    ...first,
    ...second,
    ...(Object.keys(reasoning).length === 0 ? {} : { reasoning }),
    ...(Object.keys(extraBody).length === 0 ? {} : { extraBody }),
  }
}

/** Where requests for an entry will go, as far as the file tells. */
export interface Place {
  readonly row: ProviderRow
  /** What the file says of the provider. */
  readonly delta: ProfileDelta
  /** Anthropic's own API is spoken there. */
  readonly native: boolean
}

interface PlaceFields {
  readonly provider?: string | undefined
  readonly profile?: string | undefined
  readonly api_base?: string | undefined
}

/** Undefined: the file does not tell. */
export function placeOf(
  { provider, profile, api_base }: PlaceFields,
  own: ReadonlyMap<string, ProviderEntry>,
): Place | undefined {
  const entry = provider === undefined ? undefined : own.get(provider)
  const known = provider === undefined ? undefined : findProvider(provider)
  const read = readBaseUrl(api_base ?? entry?.apiBase ?? known?.baseUrl ?? known?.native ?? "")
  const named = [profile, entry?.profile].flatMap((id) => (id === undefined ? [] : (findProvider(id) ?? [])))
  const row = named[0] ?? known ?? (read.ok ? rowForAddress(read.value, undefined) : undefined)
  if (row === undefined) return undefined
  return { row, delta: entry?.delta ?? {}, native: isNative(row, read.ok ? read.value.baseUrl : "") }
}

// Where nothing is known of a model that thinks: the words that every server with such a field takes.
const plainLevels = { low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" } as const
const byEffort = { request: "effort", levels: plainLevels } as const

/**
 * What `reasoning: true` or false changes. True matters only where no way to ask for thinking is known, and
 * the model does not think all by itself: then it is asked for by effort.
 */
export function reasoningDelta(
  capable: boolean | undefined,
  place: Place | undefined,
  model: string,
  overrides: ProfileDelta | undefined,
): ProfileDelta {
  if (capable === false) return { reasoning: { request: "none" } }
  if (capable === undefined || overrides?.reasoning?.request !== undefined || place === undefined) return {}
  const { reasoning } = applyDelta(resolveProfile(place.row, model), place.delta)
  return reasoning.request === "none" && reasoning.canDisable ? { reasoning: byEffort } : {}
}

/** The same for a provider: only one of which nothing is known is believed to serve nothing but thinkers. */
export function providerReasoning(capable: boolean, row: ProviderRow | undefined): ProfileDelta {
  return capable && row?.id === "generic" ? { reasoning: byEffort } : {}
}

// What routing, the lists of models and the headers are made from counts there too.
const useful: ReadonlySet<string> = new Set([
  ...["auth", "headers", "vision", "maxOutputTokens", "contextWindow"],
])

interface UselessFields
  extends Pick<AccessFields, "temperature" | "top_p" | "reasoning_effort" | "extra_body"> {
  readonly overrides?: ProfileDelta | undefined
  readonly can_stream?: boolean | undefined
}

/** What is of no use where requests are passed through as they are. */
export function uselessKeys(fields: UselessFields, path: Path): readonly Problem[] {
  const { can_stream, temperature, top_p, reasoning_effort, extra_body, overrides = {} } = fields
  const own = {
    can_stream: can_stream === false || undefined,
    temperature,
    top_p,
    reasoning_effort,
    extra_body,
  }
  const single = Object.keys(overrides).filter((key) => !useful.has(key))
  const paths = [
    ...Object.keys(defined(own)).map((key) => [key]),
    ...single.map((key) => ["overrides", snake(key)]),
  ]
  const why = "has no effect on what is passed through as it is (Anthropic's own API): take it out."
  return paths.map((keys) => keyAt([...path, ...keys], `${keys.join(".")} ${why}`))
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
