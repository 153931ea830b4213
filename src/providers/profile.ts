// Every difference between providers, as plain values. Rows are deltas over one frozen base: what a row does
// not name passes through unchanged (a deny-list, never an allow-list).
import type { ChatRequest, ReasoningEffort } from "../protocol/chat/chat.ts"
import type { JsonObject } from "../protocol/json.ts"
import type { StopReason } from "../protocol/messages/messages.ts"

/** What the client asked for, once thinking, budgets and effort words are reduced to one scale. */
export type ReasoningLevel = "off" | "low" | "medium" | "high" | "xhigh" | "max"

export interface ReasoningProfile {
  /**
   * How thinking is switched: not at all; `reasoning_effort`; `thinking: {type}`, with `reasoning_effort` for
   * levels that have a word; `enable_thinking` with `thinking_budget`; OpenRouter's `reasoning: {effort}`; or
   * variables of the model's chat template.
   */
  readonly request:
    | "none"
    | "effort"
    | "thinking-object"
    | "enable-thinking"
    | "reasoning-object"
    | "template"
  /** The provider's word for each level; a level without a word sends no effort. */
  readonly levels: Readonly<Partial<Record<ReasoningLevel, ReasoningEffort>>>
  /** `thinking_budget` for each level, in tokens; a level without one leaves it to the provider. */
  readonly budgets: Readonly<Partial<Record<ReasoningLevel, number>>>
  /** `thinking.type` that switches thinking on. */
  readonly onType: "enabled" | "adaptive"
  /** Further members of the `thinking` object, or of the request beside `enable_thinking`, while it is on. */
  readonly onExtra: JsonObject
  /** Variables of the chat template that switch thinking. */
  readonly templateKeys: readonly string[]
  /** Does "off" really switch it off? Where it does not, the model thinks whatever it is told. */
  readonly canDisable: boolean
  /** The only effort the provider takes beside tools on Chat Completions, where there is such a rule. */
  readonly withTools: ReasoningEffort | null
  /** Reply fields that may hold reasoning text; the first non-empty one wins, they are never joined. */
  readonly replyFields: readonly string[]
  /** Which earlier assistant turns must carry their reasoning again. */
  readonly sendBack: "never" | "tool-turns" | "all-turns"
  /**
   * The form it goes back in: a text field, both text fields, OpenRouter's list of details, Mistral's parts of
   * the content, tags in the text, Gemini's signature on the first call, or items of their own (Responses).
   */
  readonly sendBackAs:
    | "reasoning_content"
    | "reasoning"
    | "reasoning_text"
    | "both"
    | "reasoning_details"
    | "thinking-parts"
    | "think-tags"
    | "thought-signature"
    | "items"
  /** Sent where a turn that must carry reasoning has none; null sends no field. */
  readonly backfill: string | null
  /** Does the provider need its reasoning back also when thinking is off in the request at hand? */
  readonly sendBackWhenOff: boolean
  /**
   * Reasoning inside the text: at the start between tags, also when only the closing tag comes, or between the bare
   * names of OpenAI's channels; or never.
   */
  readonly thinkTags: "start" | "implicit" | "channels" | "never"
}

interface ToolChoiceProfile {
  /** What `{type: "any"}` becomes. */
  readonly any: "required" | "any" | "auto"
  /** What `{type: "tool"}` becomes; "only-tool" sends that tool alone and requires it. */
  readonly named: "named" | "only-tool" | "auto"
  /** What `{type: "none"}` becomes. */
  readonly none: "none" | "drop-tools"
  /** May a call be forced while thinking? If not, thinking is switched off for that request. */
  readonly forcedWhileThinking: boolean
}

/** Which JSON Schema keywords a provider's function declarations take; see convert/schema/schema.ts. */
export const schemaRules = ["openai", "gemini", "moonshot", "xai", "llama"] as const

export type SchemaRules = (typeof schemaRules)[number]

/** Chat Completions, OpenAI's Responses, or Anthropic's own Messages, which is passed through. */
export type Dialect = "chat" | "responses" | "messages"

export interface ProviderProfile {
  /** Exact host, or ".suffix" for its subdomains; never a substring. */
  readonly hosts: readonly string[]
  /** The API that is spoken; see dialect.ts for what follows from it. */
  readonly dialect: Dialect
  /** It is Anthropic itself: signatures of thinking are checked, and threads are kept. */
  readonly checksSignatures: boolean
  readonly auth: "bearer" | "api-key" | "x-api-key"
  /** Sent with every request to this provider. */
  readonly headers: Readonly<Record<string, string>>
  /** Names of headers that say who began the turn ("user" or "agent"), and that it holds an image. */
  readonly turnHeaders: { readonly initiator: string; readonly vision: string } | null
  /** Sent in every request body, as it is. */
  readonly extraBody: JsonObject
  /** Can it stream; must it? The client gets what it asked for either way. */
  readonly streams: "any" | "never" | "always"
  /** May each piece of a streamed text repeat all of the text before it? Then the stream itself tells. */
  readonly cumulative: boolean
  readonly maxTokensField: "max_tokens" | "max_completion_tokens"
  /** The model's own limit for one reply, in tokens; larger wishes are lowered to it. Null: not known. */
  readonly maxOutputTokens: number | null
  /** Input and output together, in tokens. Null: not known. */
  readonly contextWindow: number | null
  readonly systemRole: "system" | "developer"
  /** System messages in mid-conversation: in the user's words, in their place, or joined to the first one. */
  readonly midSystem: "user" | "inline" | "hoist"
  /** May we ask for usage at the end of a stream? */
  readonly streamUsage: boolean
  readonly toolChoice: ToolChoiceProfile
  readonly schema: SchemaRules
  /** How many tools one request may offer. Null: not known. */
  readonly maxTools: number | null
  /** Asks for tool arguments to be streamed as they are written (`tool_stream`). */
  readonly toolStream: boolean
  /** The field that says that only one call is wanted. */
  readonly parallelField: "parallel_tool_calls" | "parallel_function_calling"
  readonly vision: boolean
  /** Does the provider fetch images by their URL? */
  readonly imageUrls: boolean
  readonly pdf: "file" | "document_url" | "placeholder"
  /** Does the provider fetch documents by their URL? One that takes `document_url` does in any case. */
  readonly documentUrls: boolean
  /** In the Responses API: may the output of a call hold images and files? Else they follow in the user's message. */
  readonly mediaInResults: boolean
  /**
   * The form of call ids: any of `[a-zA-Z0-9_-]` up to a length, exactly nine letters and digits, or
   * `functions.NAME:COUNT`.
   */
  readonly toolIds: "any" | "alnum9" | "counted"
  readonly toolIdMaxLength: number
  readonly toolNameMaxLength: number
  /** Must a tool's name begin with a letter? */
  readonly toolNameLetterFirst: boolean
  /** Must tools be offered when the history holds calls? */
  readonly toolsForHistory: boolean
  /** Does a tool message name its function? */
  readonly toolMessageName: boolean
  /** Must an assistant's turn stand between a tool message and the user's words? */
  readonly assistantAfterTool: boolean
  /** Must the first message after the system prompt be the user's? */
  readonly userFirst: boolean
  /** `content` of an assistant turn that has only tool calls. */
  readonly emptyAssistantContent: null | ""
  /** What a request that ends with the assistant's own beginning of an answer becomes. */
  readonly prefill: "assistant" | "prefix" | "partial" | "continue-final" | "instruction"
  /** How many stop sequences the provider takes. */
  readonly stopMax: number
  readonly responseFormat: "json_schema" | "json_object" | "none"
  /** May structured output and tools be asked for together? */
  readonly formatWithTools: boolean
  /** May a tool be marked `strict`? */
  readonly strictTools: boolean
  /** Marks for the provider's explicit prefix cache, on text parts. */
  readonly cacheControl: boolean
  /** Group requests of one session for the provider's prefix cache. */
  readonly promptCacheKey: boolean
  /** Say `store: false`, so that nothing is kept on the provider's side. */
  readonly sendStoreFalse: boolean
  /** The provider's own web search, asked for in place of Anthropic's. */
  readonly webSearch: "none" | "plugin" | "web-search-tool" | "enable-search" | "hosted"
  /** Does it search the web by itself where the Responses API is spoken? */
  readonly searchesInResponses: boolean
  readonly reasoning: ReasoningProfile
  /** Are calls looked for in the text, where open models write them when their server does not read them? */
  readonly textToolCalls: boolean
  /** What the client hears when a content filter stopped a reply. */
  readonly contentFilter: "end_turn" | "refusal"
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
