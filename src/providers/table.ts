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

export type { ProviderRow } from "./row.ts"

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

/** The row with this id, or undefined. */
export function findProvider(id: string): ProviderRow | undefined {
  return providers.find((row) => row.id === id)
}

const generic = providers.find((row) => row.id === "generic")

/** The row that serves this host: an exact host or a suffix of it; `generic` when none does. */
export function providerForUrl(url: URL): ProviderRow {
  const host = url.hostname.toLowerCase()
  const row = providers.find((candidate) =>
    (candidate.delta.hosts ?? []).some((known) =>
      known.startsWith(".") ? host.endsWith(known) : host === known,
    ),
  )
  if (row !== undefined) return row
  // A server of one's own has no host to be known by: its port on any machine is its name.
  return (
    providers.find((candidate) => candidate.port !== undefined && candidate.port === url.port) ?? fallback()
  )
}

function fallback(): ProviderRow {
  if (generic === undefined) throw new Error("the provider table has no generic row")
  return generic
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
