// DeepSeek, MiniMax, Volcengine, Alibaba Cloud and SiliconFlow.
import type { ProviderRow } from "../row.ts"

export const deepseek: ProviderRow = {
  id: "deepseek",
  name: "DeepSeek",
  baseUrl: "https://api.deepseek.com",
  native: "https://api.deepseek.com/anthropic",
  keyNames: ["DEEPSEEK_API_KEY"],
  tiers: { big: "deepseek-v4-pro", small: "deepseek-flash" },
  delta: {
    hosts: ["api.deepseek.com"],
    responseFormat: "json_object",
    stopMax: 16,
    maxTools: 128,
    imageUrls: false,
    drop: ["parallel_tool_calls"],
    // Thinking is on unless switched off, and refuses a forced tool (deepseek-ai/DeepSeek-V3#1376).
    toolChoice: { any: "required", named: "named", forcedWhileThinking: false },
    reasoning: {
      request: "thinking-object",
      levels: { low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "max" },
      replyFields: ["reasoning_content"],
      sendBack: "all-turns",
      sendBackAs: "reasoning_content",
      backfill: "",
    },
  },
  models: [
    // The first R1 refused the reasoning of earlier turns; the name now leads to models that ignore it.
    { match: /^deepseek-r1/, delta: { reasoning: { request: "none", sendBack: "never" } } },
  ],
  source: "api-docs.deepseek.com, chat completions and thinking mode; 2026-11",
}

export const minimax: ProviderRow = {
  id: "minimax",
  name: "MiniMax",
  baseUrl: "https://api.minimax.io/v1",
  native: "https://api.minimax.io/anthropic",
  keyNames: ["MINIMAX_API_KEY"],
  tiers: { big: "MiniMax-M3", small: "MiniMax-M2" },
  delta: {
    hosts: ["api.minimax.io", "api.minimaxi.com"],
    maxTokensField: "max_completion_tokens",
    toolChoice: { any: "auto", named: "auto", none: "drop-tools" },
    responseFormat: "none",
    clamp: { temperature: [0.01, 1] },
    drop: ["parallel_tool_calls", "tool_choice"],
    extraBody: { reasoning_split: true },
    // Its own samples read both reasoning and content as if each piece repeated those before it.
    cumulative: true,
    reasoning: {
      request: "thinking-object",
      onType: "adaptive",
      replyFields: ["reasoning_content"],
      sendBack: "all-turns",
      sendBackAs: "reasoning_details",
      backfill: null,
      sendBackWhenOff: true,
    },
  },
  models: [{ match: /^minimax-m[12]/, delta: { vision: false, reasoning: { canDisable: false } } }],
  source: "platform.minimax.io, OpenAI-compatible API (reasoning_split); 2026-10",
}

export const ark: ProviderRow = {
  id: "ark",
  name: "Volcengine Ark",
  baseUrl: "https://ark.cn-beijing.volces.com/api/v3",
  native: null,
  keyNames: ["ARK_API_KEY"],
  tiers: { big: "doubao-seed-1-8-251228", small: "doubao-seed-1-6-flash-250828" },
  delta: {
    hosts: [".volces.com"],
    drop: ["parallel_tool_calls"],
    reasoning: {
      request: "thinking-object",
      replyFields: ["reasoning_content"],
      sendBack: "tool-turns",
      sendBackAs: "reasoning_content",
    },
  },
  models: [
    {
      match: /seed-(1[.-]8|2)/,
      delta: {
        reasoning: { levels: { low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" } },
      },
    },
    // Thinking DeepSeek has its maker's rules here too.
    { match: /^deepseek-(v4|v3[.-]2)/, delta: { reasoning: { sendBack: "all-turns" } } },
    {
      match: /^(deepseek-(v4|v3[.-]2)|kimi-k2)/,
      delta: {
        toolChoice: { any: "required", named: "named", forcedWhileThinking: false },
        reasoning: { backfill: "" },
      },
    },
  ],
  source: "volcengine.com, Ark chat API; 2026-09",
}

export const dashscope: ProviderRow = {
  id: "dashscope",
  name: "Alibaba Cloud DashScope",
  baseUrl: "https://dashscope.aliyuncs.com/compatible-mode/v1",
  native: null,
  keyNames: ["DASHSCOPE_API_KEY", "ALIBABA_API_KEY"],
  tiers: { big: "qwen3-max", small: "qwen-flash" },
  delta: {
    hosts: ["dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "dashscope-us.aliyuncs.com"],
    // Thinking is refused outside of streams (langchain4j#3974), and some models think unasked.
    streams: "always",
    toolChoice: { any: "required", named: "named", forcedWhileThinking: false },
    cacheControl: true,
    webSearch: "enable-search",
    allow: ["top_k"],
    reasoning: {
      request: "enable-thinking",
      budgets: { low: 1_024, medium: 4_096, high: 16_384, xhigh: 24_576 },
      replyFields: ["reasoning_content"],
    },
  },
  models: [
    // Earlier reasoning of Qwen's own models is ignored unless asked for; sent, it would only cost.
    { match: /^(qwen|qwq)/, delta: { reasoning: { sendBack: "never" } } },
    // Image models say so in their names, until 3.5 took both.
    { match: /^qwen(?!.*(vl|omni))(?!3\.[5-9]|[4-9])/, delta: { vision: false } },
    { match: /^qwen3-coder/, delta: { reasoning: { request: "none" } } },
  ],
  source: "help.aliyun.com, OpenAI compatibility and deep thinking; 2026-10",
}

export const siliconflow: ProviderRow = {
  id: "siliconflow",
  name: "SiliconFlow",
  baseUrl: "https://api.siliconflow.cn/v1",
  native: "https://api.siliconflow.cn",
  keyNames: ["SILICONFLOW_API_KEY"],
  tiers: { big: "deepseek-ai/DeepSeek-V3.2", small: "Qwen/Qwen3-8B" },
  relay: true,
  delta: {
    hosts: ["api.siliconflow.cn", "api.siliconflow.com"],
    allow: ["top_k"],
    drop: ["parallel_tool_calls"],
    // Thinking is switched off for a call that is insisted on: those who think refuse it.
    toolChoice: { any: "required", named: "named", forcedWhileThinking: false },
    reasoning: {
      request: "enable-thinking",
      budgets: { low: 1_024, medium: 4_096, high: 16_384, xhigh: 24_576, max: 32_768 },
      replyFields: ["reasoning_content"],
    },
  },
  models: [
    {
      match: /^(deepseek-v4|glm-5)/,
      delta: {
        reasoning: { levels: { low: "high", medium: "high", high: "high", xhigh: "max", max: "max" } },
      },
    },
    // Only what can do without thinking is asked about it.
    { match: /instruct|-coder|^qwen2|^llama|^internlm/, delta: { reasoning: { request: "none" } } },
  ],
  source: "docs.siliconflow.cn, chat completions; 2026-10",
}
