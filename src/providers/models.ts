// What is known of models by their names, on whatever host they are served: aggregators and relays pass on
// the rules of the model behind them.
import type { ProfileDelta, ReasoningProfile } from "./profile.ts"

export interface ModelRule {
  /** Tested against the last path segment of the model's name, in lower case. */
  readonly match: RegExp
  readonly delta: ProfileDelta
}

/** Where effort has three degrees and cannot be switched off altogether. */
export const openaiEfforts = {
  off: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
} as const

// OpenAI's reasoning models: max_completion_tokens only, fixed sampling, no stop sequences, "developer"
// (OpenAI API reference, Chat Completions; 2026-11).
function openaiReasoning(reasoning: Partial<ReasoningProfile>): ProfileDelta {
  return {
    maxTokensField: "max_completion_tokens",
    drop: ["temperature", "top_p"],
    stopMax: 0,
    reasoning: { request: "effort", levels: openaiEfforts, ...reasoning },
  }
}

const noneEfforts = { ...openaiEfforts, off: "none", xhigh: "xhigh", max: "xhigh" } as const

/** gpt-oss takes low, medium and high only, and cannot be switched off (model card, 2025-08). */
export const gptOssEfforts = { ...openaiEfforts, off: "low" } as const

// Models that think unless they are told not to, and then refuse a forced tool: on a host whose switch for
// thinking is not known, a call can only be asked for (deepseek-ai/DeepSeek-V3#1376, inspect_ai#5152).
const unforced = { any: "auto", named: "auto" } as const

const signed = { sendBack: "tool-turns", sendBackAs: "thought-signature", sendBackWhenOff: true } as const

/** How a family of models wants to be spoken to. Every matching rule is applied, in order. */
export const families: readonly ModelRule[] = [
  { match: /^o\d/, delta: openaiReasoning({ levels: { ...openaiEfforts, off: "low" } }) },
  // The o-series calls one tool at a time and refuses to be told so; its small models read text only.
  { match: /^o\d/, delta: { drop: ["parallel_tool_calls"] } },
  { match: /^o[13]-mini/, delta: { vision: false } },
  { match: /^gpt-5(?![.\d])(?!.*chat)/, delta: openaiReasoning({}) },
  {
    match: /^gpt-5\.1(?!\d)(?!.*chat)/,
    delta: openaiReasoning({ levels: { ...openaiEfforts, off: "none" } }),
  },
  { match: /^gpt-5\.[23](?!\d)(?!.*chat)/, delta: openaiReasoning({ levels: noneEfforts }) },
  { match: /^gpt-5\.1-codex-max/, delta: { reasoning: { levels: noneEfforts } } },
  // From 5.4 on, tools and any effort but "none" exclude each other on Chat Completions (pipecat#4043,
  // litellm#34569; 2026-07). The Responses dialect is the way to have both.
  {
    match: /^gpt-(5\.([4-9]|\d\d)|[6-9])(?!.*chat)/,
    delta: { dialect: "responses", ...openaiReasoning({ levels: noneEfforts, withTools: "none" }) },
  },
  // Served by the Responses API alone (OpenAI's model pages, 2026-11).
  {
    match: /^(gpt-5[.\d]*-(codex|pro)|o\d-(pro|deep-research)|o\d-mini-deep-research|codex-mini)/,
    delta: { dialect: "responses" },
  },
  {
    match: /^gpt-(5\.([6-9]|\d\d)|[6-9])(?!.*chat)/,
    delta: { reasoning: { levels: { ...noneEfforts, max: "max" } } },
  },
  { match: /^gpt-5[.\d]*-chat/, delta: { maxTokensField: "max_completion_tokens" } },
  {
    match: /^gpt-oss/,
    delta: {
      vision: false,
      reasoning: { request: "effort", levels: gptOssEfforts, thinkTags: "channels" },
    },
  },
  // DeepSeek refuses a thinking conversation whose earlier turns lack reasoning_content, whoever hosts it
  // (api-docs.deepseek.com, thinking mode; 2026-11); R1 and the models without thinking are better off without
  // it. Text only, but for the vision models.
  {
    match: /^deepseek-(v4|v3[.p]2|reasoner|flash)/,
    delta: {
      toolChoice: unforced,
      reasoning: { sendBack: "all-turns", sendBackAs: "reasoning_content", backfill: "" },
    },
  },
  { match: /^deepseek(?!-flash|-v4[.p]1-flash|.*(vision|-vl|ocr))/, delta: { vision: false } },
  // Kimi takes one temperature only, another one while thinking; and wants the reasoning of its calls back
  // (MoonshotAI/kimi-code#686, QuantumNous/new-api#3121; 2026-06).
  {
    match: /^(kimi-|k3$)/,
    delta: {
      drop: ["temperature", "top_p"],
      toolChoice: unforced,
      schema: "moonshot",
      toolNameLetterFirst: true,
      reasoning: { sendBack: "tool-turns", sendBackAs: "reasoning_content", backfill: "" },
    },
  },
  // Their chat template writes the id in place of the tool's name, in calls and results: with any other id the model
  // does not see what it called, and ends its turn (Kimi-K2, docs/tool_call_guidance.md; vllm#50782, kimi-code#3429).
  // So that `functions.NAME:COUNT` is never longer than an id may be, names are shorter than elsewhere.
  { match: /^kimi-k2/, delta: { toolIds: "counted", toolNameMaxLength: 48 } },
  // Text only, whoever serves them: their makers' model cards, 2026-11.
  { match: /^(zai-)?glm-[\dp.]+(?![\dp.]*v)/, delta: { vision: false } },
  { match: /^qwen-?(2|3(?!\.[5-9]))(?!.*(vl|omni))/, delta: { vision: false } },
  { match: /^(minimax-m[12]|(meta-)?llama-?v?3[.p]?[13]|kimi-k2(?![.p\d]))/, delta: { vision: false } },
  // Their chat templates take ids of one form only, on every server (nearai/ironclaw#1241, karthink/gptel#1203).
  {
    match: /^(open-)?(mistral|ministral|magistral|mixtral|devstral|codestral|pixtral)/,
    delta: { toolIds: "alnum9" },
  },
  // Better with their own reasoning within a loop of calls, and none refuses to be sent it.
  {
    match: /^glm-(4[.p][5-9]|[5-9])/,
    delta: { reasoning: { sendBack: "tool-turns", sendBackAs: "reasoning_content" } },
  },
  // Where the host does not take the reasoning out of the text, it belongs back into it (MiniMax's model card).
  { match: /^minimax-m[23]/, delta: { reasoning: { sendBack: "all-turns", sendBackAs: "think-tags" } } },
  // Relays pass on Google's refusal of calls without a signature, and of schema keywords.
  { match: /^gemini-/, delta: { schema: "gemini", toolNameLetterFirst: true } },
  // The first call of every step carries a signature (ai.google.dev, thought signatures; js-genai#1275).
  { match: /^gemini-(2\.5|[3-9]|(pro|flash|flash-lite)-latest)/, delta: { reasoning: signed } },
  // Since Gemini 3 its absence is an error; this word stands in for a signature that nobody has.
  {
    match: /^gemini-([3-9]|(pro|flash|flash-lite)-latest)/,
    delta: { reasoning: { backfill: "skip_thought_signature_validator" } },
  },
  { match: /^grok-/, delta: { schema: "xai" } },
  // Their makers alone run them, and read their calls: what looks like one in the text is text on every host.
  {
    match: /^(([a-z]+\.)?anthropic\.)?claude|^(gpt(?![-_]?oss)|chatgpt|codex-|o\d|gemini|grok)/,
    delta: { textToolCalls: false },
  },
]

/** Context window and output limit, in tokens. The first matching rule is applied. */
export const limits: readonly ModelRule[] = [
  // OpenAI's model pages, 2026-11.
  limit(/^(chatgpt-4o|gpt-4o)/, 128_000, 16_384),
  limit(/^gpt-4\.1/, 1_047_576, 32_768),
  limit(/^gpt-4-(turbo|.*preview)/, 128_000, 4_096),
  { match: /^gpt-4(-0|$)/, delta: { contextWindow: 8_192, maxOutputTokens: 8_192, vision: false } },
  { match: /^gpt-3\.5/, delta: { contextWindow: 16_385, maxOutputTokens: 4_096, vision: false } },
  limit(/^gpt-5[.\d]*-chat/, 128_000, 16_384),
  limit(/^gpt-5\.\d+-(mini|nano)/, 400_000, 128_000),
  limit(/^gpt-5\.([4-9]|\d\d)/, 1_050_000, 128_000),
  limit(/^gpt-5/, 400_000, 128_000),
  limit(/^o1-mini/, 128_000, 65_536),
  limit(/^o1-preview/, 128_000, 32_768),
  limit(/^o\d/, 200_000, 100_000),
  // api-docs.deepseek.com, models and pricing, 2026-11; the two old names as they were documented last.
  limit(/^deepseek-(v4|flash)/, 1_000_000, 384_000),
  limit(/^deepseek-reasoner/, 128_000, 65_536),
  limit(/^deepseek-chat/, 128_000, 8_192),
  // The makers' model pages, 2026-11; where only the window is known, only that is said.
  window(/^(kimi-k2|(kimi-)?k3|kimi-for-coding)/, 262_144),
  limit(/^glm-[\d.]+v/, 131_072, 32_768),
  limit(/^glm-4[.p]5/, 131_072, 98_304),
  limit(/^glm-(4[.p][6-9]|5)/, 204_800, 131_072),
  window(/^minimax-m[23]/, 204_800),
  limit(/^gemini-(2\.5|3)/, 1_048_576, 65_536),
  limit(/^qwen3(-(max|coder)|\.5)/, 262_144, 65_536),
  limit(/^gpt-oss/, 131_072, 65_536),
  window(/^grok-4-fast/, 2_000_000),
  window(/^grok-4/, 256_000),
]

function window(match: RegExp, contextWindow: number): ModelRule {
  return { match, delta: { contextWindow } }
}

function limit(match: RegExp, contextWindow: number, maxOutputTokens: number): ModelRule {
  return { match, delta: { contextWindow, maxOutputTokens } }
}

/** Is there a rule for a model of this name, on whatever host? */
export function isKnownModel(model: string): boolean {
  const key = modelKey(model)
  return [...families, ...limits].some((rule) => rule.match.test(key))
}

/**
 * The part of a model's name that rules look at: `openai/gpt-4o:free` is matched as `gpt-4o:free`, and so is
 * the fine-tuned `ft:gpt-4o:…`.
 */
export function modelKey(model: string): string {
  return model
    .slice(model.lastIndexOf("/") + 1)
    .toLowerCase()
    .replace(/^ft:/, "")
}
