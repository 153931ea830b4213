// One row per known provider: a delta from the base profile, with where it is known from and when.
// Adding a provider means a row here and a fixture folder of the same name, nothing else.
import { families, gptOssEfforts, limits, type ModelRule, modelKey } from "./models.ts"
import { applyDelta, baseProfile, type ProfileDelta, type ProviderProfile } from "./profile.ts"

export interface ProviderRow {
  readonly id: string
  readonly name: string
  readonly baseUrl: string | null
  /** Variables that may hold the key, the preferred one first; empty: no key is needed. */
  readonly keyNames: readonly string[]
  /** Models for the tiers when the user names none. */
  readonly tiers: { readonly big: string; readonly small: string } | null
  readonly delta: ProfileDelta
  /** Rules for this provider's models, applied after those of the model's family. */
  readonly models: readonly ModelRule[]
  /** Document or report the row is taken from, with its date. */
  readonly source: string
}

const openaiDelta: ProfileDelta = {
  toolIdMaxLength: 40,
  pdf: "file",
  strictTools: true,
  promptCacheKey: true,
  sendStoreFalse: true,
}

// "developer" is OpenAI's word for its reasoning models; compatible servers refuse it.
const openaiModels: readonly ModelRule[] = [
  { match: /^(o\d|gpt-[5-9])(?!.*chat)/, delta: { systemRole: "developer" } },
]

export const providers: readonly ProviderRow[] = [
  {
    id: "openai",
    name: "OpenAI",
    baseUrl: "https://api.openai.com/v1",
    keyNames: ["OPENAI_API_KEY"],
    tiers: { big: "gpt-4o", small: "gpt-4o-mini" },
    delta: {
      ...openaiDelta,
      hosts: ["api.openai.com", ".api.openai.com"],
      allow: ["service_tier"],
    },
    models: openaiModels,
    source: "OpenAI API reference, Chat Completions; 2026-11",
  },
  {
    id: "azure",
    name: "Azure OpenAI",
    baseUrl: null,
    keyNames: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
    tiers: null,
    delta: {
      ...openaiDelta,
      hosts: [".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com"],
      auth: "api-key",
      // Dated API versions know neither field (Azure OpenAI REST reference 2024-10-21).
      sendStoreFalse: false,
      promptCacheKey: false,
    },
    models: openaiModels,
    source: "Azure OpenAI REST reference, 2024-10-21 and v1; 2026-11",
  },
  {
    id: "deepseek",
    name: "DeepSeek",
    baseUrl: "https://api.deepseek.com",
    keyNames: ["DEEPSEEK_API_KEY"],
    tiers: { big: "deepseek-v4-pro", small: "deepseek-flash" },
    delta: {
      hosts: ["api.deepseek.com"],
      responseFormat: "json_object",
      stopMax: 16,
      drop: ["parallel_tool_calls"],
      // Thinking is on unless switched off, and refuses a forced tool (deepseek-ai/DeepSeek-V3#1376).
      toolChoice: { any: "required", named: "named", forcedWhileThinking: false },
      reasoning: {
        request: "thinking-object",
        levels: { low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "max" },
        replyFields: ["reasoning_content"],
        sendBack: "all-turns",
        backfill: "",
      },
    },
    models: [],
    source: "api-docs.deepseek.com, chat completions and thinking mode; 2026-11",
  },
  {
    id: "ollama",
    name: "Ollama",
    baseUrl: "http://localhost:11434/v1",
    keyNames: [],
    tiers: null,
    delta: {
      // tool_choice is accepted and ignored; so the offered tools are all that can be chosen by.
      toolChoice: { named: "only-tool", none: "drop-tools" },
      imageUrls: false,
      drop: ["parallel_tool_calls", "tool_choice"],
      reasoning: {
        request: "effort",
        // Thinking models think by themselves; to ask any other model for it is an error, as is a degree
        // that a model does not know (ollama/ollama server/routes.go, 2026-03; ollama/ollama#12561).
        levels: { off: "none" },
        replyFields: ["reasoning", "reasoning_content"],
        sendBack: "tool-turns",
        sendBackField: "reasoning",
        backfill: null,
      },
    },
    models: [{ match: /^gpt-oss/, delta: { reasoning: { levels: gptOssEfforts } } }],
    source: "docs.ollama.com, OpenAI compatibility; 2026-11",
  },
  {
    id: "demo",
    name: "built-in demo",
    baseUrl: null,
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
    keyNames: ["OPENAI_API_KEY"],
    tiers: { big: "gpt-4o", small: "gpt-4o-mini" },
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
  // Ollama has no host of its own: its port on any machine is its name.
  if (url.port === "11434") return findProvider("ollama") ?? fallback()
  return fallback()
}

function fallback(): ProviderRow {
  if (generic === undefined) throw new Error("the provider table has no generic row")
  return generic
}

/**
 * The complete profile for one model on one provider. Later wins: base, the model's family, the provider's
 * row, the provider's own model rules; the model's limits come last.
 */
export function resolveProfile(row: ProviderRow, model: string): ProviderProfile {
  const key = modelKey(model)
  const family = families.filter((rule) => rule.match.test(key)).map((rule) => rule.delta)
  const own = row.models.filter((rule) => rule.match.test(key)).map((rule) => rule.delta)
  const known = limits.find((rule) => rule.match.test(key))
  const deltas = [...family, row.delta, ...own, ...(known === undefined ? [] : [known.delta])]
  return deltas.reduce(applyDelta, baseProfile)
}
