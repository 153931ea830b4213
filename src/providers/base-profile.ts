// What is expected of any endpoint, and how a row differs from that.
import type { ProfileDelta, ProviderProfile } from "./profile.ts"

/** What any OpenAI-compatible endpoint may be expected to take. */
export const baseProfile: ProviderProfile = {
  hosts: [],
  dialect: "chat",
  checksSignatures: false,
  auth: "bearer",
  headers: {},
  turnHeaders: null,
  extraBody: {},
  streams: "any",
  cumulative: false,
  maxTokensField: "max_tokens",
  maxOutputTokens: null,
  contextWindow: null,
  systemRole: "system",
  midSystem: "user",
  streamUsage: true,
  toolChoice: { any: "required", named: "named", none: "none", forcedWhileThinking: true },
  schema: "openai",
  maxTools: null,
  toolStream: false,
  parallelField: "parallel_tool_calls",
  vision: true,
  imageUrls: true,
  pdf: "placeholder",
  documentUrls: false,
  mediaInResults: true,
  toolIds: "any",
  toolIdMaxLength: 64,
  toolNameMaxLength: 64,
  toolNameLetterFirst: false,
  toolsForHistory: false,
  toolMessageName: false,
  assistantAfterTool: false,
  userFirst: false,
  emptyAssistantContent: null,
  prefill: "instruction",
  stopMax: 4,
  responseFormat: "json_schema",
  formatWithTools: true,
  strictTools: false,
  cacheControl: false,
  promptCacheKey: false,
  sendStoreFalse: false,
  webSearch: "none",
  searchesInResponses: false,
  reasoning: {
    request: "none",
    levels: {},
    budgets: {},
    onType: "enabled",
    onExtra: {},
    templateKeys: [],
    canDisable: true,
    withTools: null,
    replyFields: ["reasoning_content", "reasoning", "reasoning_text"],
    sendBack: "never",
    sendBackAs: "reasoning_content",
    backfill: null,
    sendBackWhenOff: false,
    thinkTags: "start",
  },
  textToolCalls: true,
  contentFilter: "end_turn",
  // top_k is not a Chat Completions field: only rows of servers that know it take it off this list.
  drop: ["top_k", "service_tier"],
  clamp: {},
  stopReasons: {},
}

/**
 * A new profile: `delta` over `profile`. Nested records are merged (one level deep: `reasoning.levels` is
 * replaced as a whole), `drop` is added to (and `allow` taken from it), everything else is replaced.
 */
export function applyDelta(profile: ProviderProfile, delta: ProfileDelta): ProviderProfile {
  const { allow = [], ...rest } = delta
  const drop = [...new Set([...profile.drop, ...(delta.drop ?? [])])].filter(
    (field) => !allow.includes(field),
  )
  return {
    ...profile,
    ...rest,
    drop,
    headers: { ...profile.headers, ...delta.headers },
    extraBody: { ...profile.extraBody, ...delta.extraBody },
    clamp: { ...profile.clamp, ...delta.clamp },
    stopReasons: { ...profile.stopReasons, ...delta.stopReasons },
    reasoning: { ...profile.reasoning, ...delta.reasoning },
    toolChoice: { ...profile.toolChoice, ...delta.toolChoice },
  }
}
