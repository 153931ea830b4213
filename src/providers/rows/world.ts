// Google, Groq, Mistral, xAI, Cerebras, and Anthropic itself.
import { gptOssEfforts, openaiEfforts } from "../models.ts"
import type { ProviderRow } from "../row.ts"

export const gemini: ProviderRow = {
  id: "gemini",
  name: "Google Gemini",
  baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
  native: null,
  keyNames: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  tiers: { big: "gemini-3-pro-preview", small: "gemini-2.5-flash" },
  delta: {
    hosts: ["generativelanguage.googleapis.com"],
    schema: "gemini",
    toolNameLetterFirst: true,
    imageUrls: false,
    formatWithTools: false,
    drop: ["parallel_tool_calls"],
    textToolCalls: false,
    reasoning: {
      request: "effort",
      canDisable: false,
      levels: { off: "low", low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" },
      replyFields: ["reasoning_content", "reasoning"],
    },
  },
  models: [
    {
      match: /^gemini-2\.5-flash/,
      delta: {
        reasoning: {
          canDisable: true,
          levels: { off: "none", low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" },
        },
      },
    },
    { match: /^gemini-(1|2\.0)/, delta: { reasoning: { request: "none" } } },
  ],
  source: "ai.google.dev, OpenAI compatibility and thought signatures; 2026-10",
}

export const groq: ProviderRow = {
  id: "groq",
  name: "Groq",
  baseUrl: "https://api.groq.com/openai/v1",
  native: null,
  keyNames: ["GROQ_API_KEY"],
  tiers: { big: "openai/gpt-oss-120b", small: "openai/gpt-oss-20b" },
  relay: true,
  delta: {
    hosts: ["api.groq.com"],
    maxTokensField: "max_completion_tokens",
    maxTools: 128,
    formatWithTools: false,
    strictTools: true,
    reasoning: {
      replyFields: ["reasoning", "reasoning_content"],
      sendBack: "tool-turns",
      sendBackAs: "reasoning",
      backfill: null,
    },
  },
  models: [
    {
      match: /^qwen3|^qwen-qwq/,
      delta: {
        // With tools the raw form is refused; parsed, the reasoning has a field of its own.
        extraBody: { reasoning_format: "parsed" },
        reasoning: {
          request: "effort",
          levels: {
            ...{ off: "none", low: "default", medium: "default" },
            ...{ high: "default", xhigh: "default", max: "default" },
          },
        },
      },
    },
    // Lower than what the models can do elsewhere.
    { match: /^qwen3-32b/, delta: { maxOutputTokens: 40_960 } },
    { match: /^llama-3/, delta: { maxOutputTokens: 32_768 } },
    { match: /^llama-4/, delta: { maxOutputTokens: 8_192 } },
  ],
  source: "console.groq.com, chat completions and reasoning; vercel/ai#7860; 2026-10",
}

export const mistral: ProviderRow = {
  id: "mistral",
  name: "Mistral",
  baseUrl: "https://api.mistral.ai/v1",
  native: null,
  keyNames: ["MISTRAL_API_KEY"],
  tiers: { big: "mistral-medium-latest", small: "mistral-small-latest" },
  delta: {
    hosts: ["api.mistral.ai"],
    streamUsage: false,
    toolChoice: { any: "any", named: "only-tool" },
    toolIds: "alnum9",
    toolMessageName: true,
    emptyAssistantContent: "",
    pdf: "document_url",
    prefill: "prefix",
    clamp: { temperature: [0, 1.5] },
  },
  models: [
    {
      match: /^magistral/,
      delta: { reasoning: { sendBack: "tool-turns", sendBackAs: "thinking-parts" } },
    },
    {
      // Versions 3 and later; the dated names before 2503 are others.
      match: /^mistral-(small|medium)(?!-(2[34]|2501))/,
      delta: {
        reasoning: {
          ...{ sendBack: "tool-turns", sendBackAs: "thinking-parts" },
          request: "effort",
          levels: { off: "none", low: "high", medium: "high", high: "high", xhigh: "high", max: "high" },
        },
      },
    },
    { match: /^(codestral|devstral|open-|ministral|mistral-nemo)/, delta: { vision: false } },
  ],
  source: "docs.mistral.ai, chat completions; nearai/ironclaw#1241; 2026-10",
}

const xaiEfforts = { ...openaiEfforts, off: "none" } as const

export const xai: ProviderRow = {
  id: "xai",
  name: "xAI",
  baseUrl: "https://api.x.ai/v1",
  native: "https://api.x.ai",
  keyNames: ["XAI_API_KEY"],
  tiers: { big: "grok-4", small: "grok-3-mini" },
  delta: {
    hosts: ["api.x.ai", ".api.x.ai"],
    maxTokensField: "max_completion_tokens",
    parallelField: "parallel_function_calling",
    schema: "xai",
    searchesInResponses: true,
    strictTools: true,
    textToolCalls: false,
    reasoning: { replyFields: ["reasoning_content", "reasoning"] },
  },
  models: [
    // Reasoning models take no stop sequences.
    { match: /^grok-(3-mini|4|5|code)/, delta: { stopMax: 0 } },
    {
      match: /^grok-3-mini/,
      delta: {
        vision: false,
        reasoning: { request: "effort", levels: { ...xaiEfforts, off: "low", medium: "low" } },
      },
    },
    { match: /^grok-4\.[3-9]/, delta: { reasoning: { request: "effort", levels: xaiEfforts } } },
    {
      match: /^grok-4\.6/,
      delta: { reasoning: { levels: { ...xaiEfforts, xhigh: "xhigh", max: "xhigh" } } },
    },
    // These say in their names whether they reason, and refuse to be told.
    { match: /^grok-4\.20.*reasoning/, delta: { reasoning: { request: "none" } } },
  ],
  source: "docs.x.ai, chat completions; the AI SDK's xAI provider; 2026-10",
}

export const cerebras: ProviderRow = {
  id: "cerebras",
  name: "Cerebras",
  baseUrl: "https://api.cerebras.ai/v1",
  native: null,
  keyNames: ["CEREBRAS_API_KEY"],
  tiers: { big: "gpt-oss-120b", small: "gpt-oss-120b" },
  delta: {
    hosts: ["api.cerebras.ai"],
    maxTokensField: "max_completion_tokens",
    vision: false,
    reasoning: {
      replyFields: ["reasoning", "reasoning_content"],
      sendBack: "never",
    },
  },
  models: [{ match: /^gpt-oss/, delta: { reasoning: { request: "effort", levels: gptOssEfforts } } }],
  source: "inference-docs.cerebras.ai, chat completions; 2026-10",
}

export const anthropic: ProviderRow = {
  id: "anthropic",
  name: "Anthropic",
  baseUrl: null,
  native: "https://api.anthropic.com",
  keyNames: ["ANTHROPIC_API_KEY"],
  tiers: null,
  delta: { hosts: ["api.anthropic.com"], dialect: "messages", checksSignatures: true, auth: "x-api-key" },
  models: [],
  source: "docs.claude.com, Messages API; 2026-11",
}
