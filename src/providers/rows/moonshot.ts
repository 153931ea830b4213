// Moonshot's API and its subscription for coding tools, which serve the Kimi models.
import type { ModelRule } from "../models.ts"
import type { ProfileDelta } from "../profile.ts"
import type { ProviderRow } from "../row.ts"

// moonshotai's provider in the AI SDK and platform.moonshot.ai; 2026-11.
const moonshotDelta: ProfileDelta = {
  schema: "moonshot",
  toolNameLetterFirst: true,
  maxTools: 128,
  imageUrls: false,
  prefill: "partial",
  promptCacheKey: true,
  toolChoice: { any: "required", named: "named", forcedWhileThinking: false },
  reasoning: {
    request: "thinking-object",
    replyFields: ["reasoning_content"],
    sendBack: "tool-turns",
    sendBackAs: "reasoning_content",
    backfill: "",
  },
}

const moonshotModels: readonly ModelRule[] = [
  // Earlier ones neither think nor see.
  {
    match: /^(kimi-k2(?![.\d])|moonshot-v1)(?!.*thinking)/,
    delta: { vision: false, reasoning: { request: "none", sendBack: "never" } },
  },
  { match: /^kimi-k2-thinking/, delta: { vision: false, reasoning: { request: "none", canDisable: false } } },
  { match: /^moonshot-v1.*vision/, delta: { vision: true } },
  { match: /^kimi-k2\.(6|7-code)/, delta: { reasoning: { onExtra: { keep: "all" } } } },
  { match: /^kimi-k2\.7/, delta: { reasoning: { canDisable: false } } },
  {
    match: /^(kimi-)?k3/,
    delta: {
      maxTokensField: "max_completion_tokens",
      // One tool alone may be required, but not named.
      toolChoice: { named: "only-tool", forcedWhileThinking: true },
      reasoning: {
        request: "effort",
        canDisable: false,
        levels: { off: "low", low: "low", medium: "high", high: "high", xhigh: "max", max: "max" },
      },
    },
  },
]

export const moonshot: ProviderRow = {
  id: "moonshot",
  name: "Moonshot",
  baseUrl: "https://api.moonshot.ai/v1",
  native: "https://api.moonshot.ai/anthropic",
  keyNames: ["MOONSHOT_API_KEY"],
  tiers: { big: "kimi-k3", small: "kimi-k2.6" },
  delta: { ...moonshotDelta, hosts: ["api.moonshot.ai", "api.moonshot.cn"] },
  models: moonshotModels,
  source: "platform.moonshot.ai, chat API; UKGovernmentBEIS/inspect_ai#5152; 2026-11",
}

export const kimi: ProviderRow = {
  id: "kimi",
  name: "Kimi Code",
  baseUrl: "https://api.kimi.com/coding/v1",
  native: "https://api.kimi.com/coding",
  keyNames: ["KIMI_API_KEY"],
  tiers: { big: "k3", small: "kimi-for-coding" },
  delta: { ...moonshotDelta, hosts: ["api.kimi.com"] },
  models: moonshotModels,
  source: "Kimi Code's documents and can1357/oh-my-pi#6601; 2026-10",
}
