// Every difference between providers, as plain values. Rows are deltas over one frozen base: what a row does
// not name passes through unchanged (a deny-list, never an allow-list).
import type { ChatRequest, ReasoningEffort } from "../protocol/chat.ts"
import type { StopReason } from "../protocol/messages.ts"

/** What the client asked for, once thinking, budgets and effort words are reduced to one scale. */
export type ReasoningLevel = "off" | "low" | "medium" | "high" | "xhigh" | "max"

export interface ReasoningProfile {
  /**
   * How thinking is switched: not at all, by `reasoning_effort`, or by DeepSeek's `thinking: {type}` object
   * together with `reasoning_effort`.
   */
  readonly request: "none" | "effort" | "thinking-object"
  /** The provider's word for each level; a level without a word sends no effort. */
  readonly levels: Readonly<Partial<Record<ReasoningLevel, ReasoningEffort>>>
  /** The only effort the provider takes beside tools on Chat Completions, where there is such a rule. */
  readonly withTools: ReasoningEffort | null
  /** Reply fields that may hold reasoning text; the first non-empty one wins, they are never joined. */
  readonly replyFields: readonly string[]
  /** Which earlier assistant turns must carry their reasoning again. */
  readonly sendBack: "never" | "tool-turns" | "all-turns"
  /** The field that carries it. */
  readonly sendBackField: "reasoning_content" | "reasoning"
  /** Sent where a turn that must carry reasoning has none; null sends no field. */
  readonly backfill: string | null
  /** Reasoning inside the text: at the start between tags, also when only the closing tag comes, or never. */
  readonly thinkTags: "start" | "implicit" | "never"
}

export interface ToolChoiceProfile {
  /** What `{type: "any"}` becomes. */
  readonly any: "required" | "auto"
  /** What `{type: "tool"}` becomes; "only-tool" sends that tool alone and requires it. */
  readonly named: "named" | "only-tool" | "auto"
  /** What `{type: "none"}` becomes. */
  readonly none: "none" | "drop-tools"
  /** May a call be forced while thinking? If not, thinking is switched off for that request. */
  readonly forcedWhileThinking: boolean
}

export interface ProviderProfile {
  /** Exact host, or ".suffix" for its subdomains; never a substring. */
  readonly hosts: readonly string[]
  readonly auth: "bearer" | "api-key"
  /** Sent with every request to this provider. */
  readonly headers: Readonly<Record<string, string>>
  readonly maxTokensField: "max_tokens" | "max_completion_tokens"
  /** The model's own limit for one reply, in tokens; larger wishes are lowered to it. Null: not known. */
  readonly maxOutputTokens: number | null
  /** Input and output together, in tokens. Null: not known. */
  readonly contextWindow: number | null
  readonly systemRole: "system" | "developer"
  /** May we ask for usage at the end of a stream? */
  readonly streamUsage: boolean
  readonly toolChoice: ToolChoiceProfile
  readonly vision: boolean
  /** Does the provider fetch images by their URL? */
  readonly imageUrls: boolean
  readonly pdf: "file" | "placeholder"
  readonly toolIdMaxLength: number
  readonly toolNameMaxLength: number
  /** `content` of an assistant turn that has only tool calls. */
  readonly emptyAssistantContent: null | ""
  /** How many stop sequences the provider takes. */
  readonly stopMax: number
  readonly responseFormat: "json_schema" | "json_object" | "none"
  /** May a tool be marked `strict`? */
  readonly strictTools: boolean
  /** Group requests of one session for the provider's prefix cache. */
  readonly promptCacheKey: boolean
  /** Say `store: false`, so that nothing is kept on the provider's side. */
  readonly sendStoreFalse: boolean
  readonly reasoning: ReasoningProfile
  /** Request fields the provider refuses. */
  readonly drop: readonly (keyof ChatRequest)[]
  readonly clamp: Readonly<Partial<Record<"temperature" | "top_p", readonly [number, number]>>>
  /** Added to the common table of finish reasons. */
  readonly stopReasons: Readonly<Record<string, StopReason>>
}

export type ProfileDelta = Partial<Omit<ProviderProfile, "reasoning" | "toolChoice">> & {
  readonly reasoning?: Partial<ReasoningProfile>
  readonly toolChoice?: Partial<ToolChoiceProfile>
  /** Fields taken off the deny-list again. */
  readonly allow?: readonly (keyof ChatRequest)[]
}

/** What any OpenAI-compatible endpoint may be expected to take. */
export const baseProfile: ProviderProfile = {
  hosts: [],
  auth: "bearer",
  headers: {},
  maxTokensField: "max_tokens",
  maxOutputTokens: null,
  contextWindow: null,
  systemRole: "system",
  streamUsage: true,
  toolChoice: { any: "required", named: "named", none: "none", forcedWhileThinking: true },
  vision: true,
  imageUrls: true,
  pdf: "placeholder",
  toolIdMaxLength: 64,
  toolNameMaxLength: 64,
  emptyAssistantContent: null,
  stopMax: 4,
  responseFormat: "json_schema",
  strictTools: false,
  promptCacheKey: false,
  sendStoreFalse: false,
  reasoning: {
    request: "none",
    levels: {},
    withTools: null,
    replyFields: ["reasoning_content", "reasoning", "reasoning_text"],
    sendBack: "never",
    sendBackField: "reasoning_content",
    backfill: null,
    thinkTags: "start",
  },
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
    clamp: { ...profile.clamp, ...delta.clamp },
    stopReasons: { ...profile.stopReasons, ...delta.stopReasons },
    reasoning: { ...profile.reasoning, ...delta.reasoning },
    toolChoice: { ...profile.toolChoice, ...delta.toolChoice },
  }
}
