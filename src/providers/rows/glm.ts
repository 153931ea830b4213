// The GLM models at their maker: Zhipu in China, Z.ai elsewhere.
import type { ModelRule } from "../models.ts"
import type { ProfileDelta } from "../profile.ts"
import type { ProviderRow } from "../row.ts"

// docs.z.ai and docs.bigmodel.cn, chat completions and thinking mode; 2026-11.
const glmDelta: ProfileDelta = {
  toolChoice: { any: "auto", named: "auto", none: "drop-tools" },
  toolStream: true,
  maxTools: 128,
  streamUsage: false,
  responseFormat: "json_object",
  stopMax: 1,
  userFirst: true,
  webSearch: "web-search-tool",
  clamp: { temperature: [0, 1], top_p: [0.01, 1] },
  drop: ["parallel_tool_calls"],
  reasoning: {
    request: "thinking-object",
    // All turns are kept, and unchanged, so that the provider's cache holds.
    onExtra: { clear_thinking: false },
    replyFields: ["reasoning_content"],
    sendBack: "all-turns",
    sendBackAs: "reasoning_content",
    backfill: null,
  },
}

const glmModels: readonly ModelRule[] = [
  { match: /^glm-[\d.]+(?![\d.]*v)/, delta: { vision: false } },
  {
    match: /^glm-[5-9]/,
    delta: { reasoning: { levels: { low: "low", medium: "high", high: "high", xhigh: "max", max: "max" } } },
  },
  {
    match: /^glm-(4(?!\.[5-9])|[123z])/,
    delta: { reasoning: { request: "none", sendBack: "never" } },
  },
]

export const zhipu: ProviderRow = {
  id: "zhipu",
  name: "Zhipu",
  baseUrl: "https://open.bigmodel.cn/api/paas/v4",
  native: "https://open.bigmodel.cn/api/anthropic",
  keyNames: ["ZHIPU_API_KEY", "ZHIPUAI_API_KEY"],
  tiers: { big: "glm-5.2", small: "glm-4.5-air" },
  delta: { ...glmDelta, hosts: ["open.bigmodel.cn"] },
  models: glmModels,
  source: "docs.bigmodel.cn, chat completions and thinking mode; 2026-11",
}

export const zai: ProviderRow = {
  id: "zai",
  name: "Z.ai",
  baseUrl: "https://api.z.ai/api/paas/v4",
  native: "https://api.z.ai/api/anthropic",
  keyNames: ["ZAI_API_KEY"],
  tiers: { big: "glm-5.2", small: "glm-4.5-air" },
  delta: { ...glmDelta, hosts: ["api.z.ai"] },
  models: glmModels,
  source: "docs.z.ai, chat completions and thinking mode; 2026-11",
}
