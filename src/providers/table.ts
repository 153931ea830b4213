// One row per known provider: a delta from the base profile, with where it is known from and when.
// Adding a provider means a row in the fitting file of rows/, its name in the list below, and a fixture folder
// of the same name.

import { applyDelta, baseProfile } from "./base-profile.ts"
import { families, limits, modelKey } from "./models.ts"
import type { ProviderProfile } from "./profile.ts"
import type { ProviderRow } from "./row.ts"
import { ark, dashscope, deepseek, minimax, siliconflow } from "./rows/china.ts"
import { fireworks, openrouter, together } from "./rows/gateways.ts"
import { zai, zhipu } from "./rows/glm.ts"
import { llamacpp, lmstudio, ollama, vllm } from "./rows/local.ts"
import { kimi, moonshot } from "./rows/moonshot.ts"
import { azure, copilot, openai } from "./rows/openai.ts"
import { anthropic, cerebras, gemini, groq, mistral, xai } from "./rows/world.ts"

export const providers: readonly ProviderRow[] = [
  ...[openai, azure, deepseek, moonshot, kimi, zhipu, zai, minimax, gemini, ark, dashscope, openrouter],
  ...[groq, mistral, xai, siliconflow, together, fireworks, cerebras, ollama, lmstudio, vllm, llamacpp],
  ...[copilot, anthropic],
  {
    id: "demo",
    name: "built-in demo",
    baseUrl: null,
    native: null,
    keyNames: [],
    tiers: { big: "demo", small: "demo" },
    delta: {
      contextWindow: 128_000,
      maxOutputTokens: 16_384,
      reasoning: {
        request: "effort",
        levels: { off: "none", low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "max" },
      },
    },
    models: [],
    source: "upstream/demo.ts",
  },
  {
    id: "generic",
    name: "OpenAI-compatible",
    baseUrl: null,
    native: null,
    keyNames: ["OPENAI_API_KEY"],
    tiers: { big: "gpt-4o", small: "gpt-4o-mini" },
    relay: true,
    delta: {},
    models: [],
    source: "what the base profile says",
  },
]

const byId: ReadonlyMap<string, ProviderRow> = withIds(providers)

// A loop, as every start goes through it: calls for each row would cost many times as much.
function withIds(rows: readonly ProviderRow[]): Map<string, ProviderRow> {
  const ids = new Map<string, ProviderRow>()
  for (const row of rows) ids.set(row.id, row)
  return ids
}

/** The row with this id, or undefined. */
export function findProvider(id: string): ProviderRow | undefined {
  return byId.get(id)
}

// What a URL may be known by: a whole host, else the end of one, else a port. Of several rows the first one counts.
const places = placesOf(providers)

interface Places {
  readonly hosts: ReadonlyMap<string, ProviderRow>
  readonly ends: ReadonlyMap<string, ProviderRow>
  readonly ports: ReadonlyMap<string, ProviderRow>
}

function placesOf(rows: readonly ProviderRow[]): Places {
  const hosts = new Map<string, ProviderRow>()
  const ends = new Map<string, ProviderRow>()
  const ports = new Map<string, ProviderRow>()
  for (const row of rows) {
    for (const host of row.delta.hosts ?? []) {
      const known = host.startsWith(".") ? ends : hosts
      if (!known.has(host)) known.set(host, row)
    }
    if (row.port !== undefined && !ports.has(row.port)) ports.set(row.port, row)
  }
  return { hosts, ends, ports }
}

/** The row that serves this host: an exact host or a suffix of it; `generic` when none does. */
export function providerForUrl(url: URL): ProviderRow {
  const host = url.hostname.toLowerCase()
  const row = places.hosts.get(host) ?? endOf(host)
  // A server of one's own has no host to be known by: its port on any machine is its name.
  return row ?? places.ports.get(url.port) ?? fallback()
}

function endOf(host: string): ProviderRow | undefined {
  for (const [end, row] of places.ends) if (host.endsWith(end)) return row
  return undefined
}

function fallback(): ProviderRow {
  const generic = byId.get("generic")
  if (generic === undefined) throw new Error("the provider table has no generic row")
  return generic
}

/** May names of its own models begin like a provider's (`openai/gpt-oss-20b`)? */
export function servesOthers({ relay, makersNames }: ProviderRow): boolean {
  return relay === true || makersNames === true
}

/**
 * The complete profile for one model on one provider. Later wins: base, the model's family and limits, the provider's
 * row, the provider's own model rules. The row beats the family because a host can serve a model with less than
 * it has (Groq's shorter replies), never with more.
 */
export function resolveProfile(row: ProviderRow, model: string): ProviderProfile {
  const key = modelKey(model)
  const family = families.filter((rule) => rule.match.test(key)).map((rule) => rule.delta)
  const own = row.models.filter((rule) => rule.match.test(key)).map((rule) => rule.delta)
  const known = limits.find((rule) => rule.match.test(key))
  const deltas = [...family, ...(known === undefined ? [] : [known.delta]), row.delta, ...own]
  return deltas.reduce(applyDelta, baseProfile)
}
