// Gateways: many makers' models behind one API.
import { gptOssEfforts, type ModelRule } from "../models.ts"
import type { ProviderRow } from "../row.ts"

const openrouterLevels = {
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
  max: "xhigh",
} as const

/** A model whose reasoning OpenRouter refuses to switch off: the lowest degree is the nearest to it. */
function alwaysReasons(match: RegExp, lowest: "minimal" | "low" = "low"): ModelRule {
  return { match, delta: { reasoning: { canDisable: false, levels: { off: lowest, ...openrouterLevels } } } }
}

export const openrouter: ProviderRow = {
  id: "openrouter",
  name: "OpenRouter",
  baseUrl: "https://openrouter.ai/api/v1",
  native: "https://openrouter.ai/api",
  keyNames: ["OPENROUTER_API_KEY"],
  tiers: { big: "openrouter/auto", small: "openrouter/auto" },
  relay: true,
  delta: {
    // Chat Completions takes tools and reasoning together here, and its details carry what goes back.
    dialect: "chat",
    hosts: ["openrouter.ai"],
    pdf: "file",
    documentUrls: true,
    prefill: "assistant",
    webSearch: "plugin",
    allow: ["top_k"],
    // It speaks to OpenAI's models in its own words, and keeps the rules of its upstreams itself.
    maxTokensField: "max_tokens",
    toolChoice: { any: "required", named: "named" },
    reasoning: {
      request: "reasoning-object",
      levels: { off: "none", ...openrouterLevels },
      withTools: null,
      replyFields: ["reasoning", "reasoning_content"],
      sendBack: "all-turns",
      sendBackAs: "reasoning_details",
      sendBackWhenOff: true,
      backfill: null,
    },
  },
  models: [
    // Without marks nothing is cached for these; for others the marks are an error (claude-code-router#207).
    { match: /^claude/, delta: { cacheControl: true, toolChoice: { forcedWhileThinking: false } } },
    // Their thinking refuses a forced tool wherever they are served.
    {
      match: /^(deepseek-(v4|v3[.-]2)|(kimi-)?k[23]|qwen3)/,
      delta: { toolChoice: { forcedWhileThinking: false } },
    },
    // Google refuses calls without a signature, here too: of another model's this says so (RooCodeInc/Roo-Code#10640).
    {
      match: /^gemini-([3-9]|(pro|flash|flash-lite)-latest)/,
      delta: { reasoning: { backfill: "skip_thought_signature_validator" } },
    },
    // "Reasoning is mandatory for this endpoint and cannot be disabled"; from 5.1 on GPT knows "none".
    alwaysReasons(/^(o\d|gpt-5(?![.\d])(?!.*chat)|gpt-oss)/),
    alwaysReasons(/^gpt-5(?![.\d])(?!.*(chat|codex|pro))/, "minimal"),
    alwaysReasons(/^gemini-(2\.5-pro|[3-9].*pro)/),
    alwaysReasons(/^grok-(4(-\d{4})?(:|$)|code)/),
    alwaysReasons(/^(minimax-m[12]|kimi-k2-thinking|deepseek-r1|qwen3.*-thinking)/),
  ],
  source: "openrouter.ai/docs, reasoning tokens, errors and web search; 2026-11",
}

export const together: ProviderRow = {
  id: "together",
  name: "Together",
  baseUrl: "https://api.together.xyz/v1",
  native: null,
  keyNames: ["TOGETHER_API_KEY"],
  tiers: { big: "openai/gpt-oss-120b", small: "openai/gpt-oss-20b" },
  relay: true,
  delta: {
    hosts: ["api.together.xyz", "api.together.ai"],
    allow: ["top_k"],
    drop: ["parallel_tool_calls"],
    reasoning: { replyFields: ["reasoning", "reasoning_content"] },
  },
  models: [
    {
      match: /^glm-5/,
      delta: {
        reasoning: {
          request: "effort",
          levels: { low: "low", medium: "medium", high: "high", xhigh: "max", max: "max" },
        },
      },
    },
  ],
  source: "docs.together.ai, chat completions and reasoning models; 2026-10",
}

export const fireworks: ProviderRow = {
  id: "fireworks",
  name: "Fireworks",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  native: "https://api.fireworks.ai/inference",
  keyNames: ["FIREWORKS_API_KEY"],
  tiers: {
    big: "accounts/fireworks/models/gpt-oss-120b",
    small: "accounts/fireworks/models/gpt-oss-20b",
  },
  relay: true,
  delta: {
    hosts: ["api.fireworks.ai"],
    // More than 4,096 tokens are given as a stream only.
    streams: "always",
    // What thinks and refuses a call that is insisted on is told not to think.
    toolChoice: { any: "required", named: "named", forcedWhileThinking: false },
    allow: ["top_k"],
    reasoning: {
      request: "effort",
      levels: { off: "none", low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "xhigh" },
      replyFields: ["reasoning_content"],
      sendBack: "tool-turns",
      sendBackAs: "reasoning_content",
    },
  },
  models: [
    { match: /^gpt-oss/, delta: { reasoning: { levels: gptOssEfforts } } },
    // What does not reason is not asked to.
    { match: /^(llama|kimi-k2-instruct|qwen3-coder|mixtral)/, delta: { reasoning: { request: "none" } } },
  ],
  source: "docs.fireworks.ai, chat completions and reasoning; 2026-10",
}
