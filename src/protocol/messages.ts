// Anthropic's Messages API as this proxy understands it after parsing: `content` is always an array of
// blocks, unknown fields are kept out, unknown block types are kept whole under `other`.
import { z } from "zod"
import { issueMessage, parseContent, tagError } from "./blocks.ts"
import { arrayOf, isObject, type JsonObject } from "./json.ts"

export type { ContentBlock } from "./blocks.ts"
export type {
  BlockDelta,
  MessagesEvent,
  MessagesReply,
  MessagesUsage,
  ReplyBlock,
  StopReason,
  WebSearchResult,
} from "./reply.ts"

export type Effort = "low" | "medium" | "high" | "xhigh" | "max"

const Effort = z.enum(["low", "medium", "high", "xhigh", "max"])

const roles = ["user", "assistant", "system", "developer"] as const

const Message = z
  .object({
    role: z.enum(roles, {
      error: ({ input }) =>
        input === undefined ? "Field required" : "Input should be 'user', 'assistant' or 'system'",
    }),
    content: z.unknown().optional(),
    // Claude Code's per-turn effort; unknown words are ignored, not refused.
    output_config: z
      .object({ effort: Effort.nullish().catch(null) })
      .nullish()
      .catch(null),
    clear_at: z.string().nullish().catch(null),
  })
  .transform((raw, context) => {
    const { content, ...message } = raw
    const mayBeEmpty = message.role === "system" || message.role === "developer"
    const parsed = parseContent(mayBeEmpty ? (content ?? []) : content)
    for (const issue of parsed.issues) {
      const path = ["content", ...issue.path]
      context.issues.push({ code: "custom", message: issue.message, path, input: content })
    }
    return { ...message, content: parsed.blocks, cache_control: hasCacheMark(content) }
  })

/** Did the client mark a prefix to be cached? Where, the providers that know such marks decide themselves. */
function hasCacheMark(content: unknown): boolean {
  return arrayOf(content).some((block) => isObject(block) && isObject(block["cache_control"]))
}

export type Message = z.output<typeof Message>

const System = z.unknown().transform((value, context): readonly string[] => {
  if (value === null || value === undefined) return []
  const parsed = parseContent(value)
  for (const issue of parsed.issues) {
    context.issues.push({ code: "custom", message: issue.message, path: [...issue.path], input: value })
  }
  return parsed.blocks.flatMap((block) => (block.type === "text" ? [block.text] : []))
})

export interface Tool {
  /** Anthropic's type word; "custom" for the client's own tools. */
  readonly type: string
  readonly name: string
  readonly description: string | undefined
  readonly input_schema: JsonObject | undefined
  readonly strict: boolean
  readonly defer_loading: boolean
  /** How a web search is to be limited; Anthropic's names. */
  readonly search: SearchLimits
}

export interface SearchLimits {
  readonly max_uses?: unknown
  readonly allowed_domains?: readonly string[]
  readonly blocked_domains?: readonly string[]
  readonly user_location?: JsonObject
}

const Domains = z.array(z.string()).nullish().catch(null)

const RawTool = z.looseObject({
  type: z.string().nullish(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish().catch(null),
  defer_loading: z.boolean().nullish().catch(null),
  max_uses: z.unknown().optional(),
  allowed_domains: Domains,
  blocked_domains: Domains,
  user_location: z.record(z.string(), z.unknown()).nullish().catch(null),
  function: z
    .looseObject({
      name: z.string(),
      description: z.string().nullish(),
      parameters: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
})

/** OpenAI's shape (`type: "function"`) is accepted too: people move configurations over. */
export const Tool = RawTool.transform((raw, context): Tool => {
  const custom =
    raw.type === null || raw.type === undefined || raw.type === "custom" || raw.type === "function"
  const name = raw.function?.name ?? raw.name ?? (custom ? undefined : raw.type)
  if (!name) {
    context.issues.push({ code: "custom", message: "Field required", path: ["name"], input: raw })
  }
  const schema = raw.function?.parameters ?? raw.input_schema ?? undefined
  if (custom && schema === undefined && !raw.function) {
    context.issues.push({ code: "custom", message: "Field required", path: ["input_schema"], input: raw })
  }
  return {
    type: custom ? "custom" : (raw.type ?? "custom"),
    name: name ?? "",
    description: raw.function?.description ?? raw.description ?? undefined,
    input_schema: schema,
    strict: raw.strict === true,
    defer_loading: raw.defer_loading === true,
    search: searchLimits(raw),
  }
})

function searchLimits(raw: z.output<typeof RawTool>): SearchLimits {
  const { max_uses, allowed_domains, blocked_domains, user_location } = raw
  return {
    ...(max_uses === undefined || max_uses === null ? {} : { max_uses }),
    ...(allowed_domains?.length ? { allowed_domains } : {}),
    ...(blocked_domains?.length ? { blocked_domains } : {}),
    ...(user_location ? { user_location } : {}),
  }
}

const ToolChoice = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("auto"), disable_parallel_tool_use: z.boolean().nullish() }),
    z.object({ type: z.literal("any"), disable_parallel_tool_use: z.boolean().nullish() }),
    z.object({
      type: z.literal("tool"),
      name: z.string(),
      disable_parallel_tool_use: z.boolean().nullish(),
    }),
    z.object({ type: z.literal("none") }),
  ],
  { error: tagError("'auto', 'any', 'tool' or 'none'") },
)

export type ToolChoice = z.output<typeof ToolChoice>

const JsonFormat = z.looseObject({ type: z.string(), schema: z.record(z.string(), z.unknown()).nullish() })

/**
 * The body of POST /v1/messages. `model` and `max_tokens` may be absent (product decision: defaults exist);
 * whatever is not named here is ignored, because Anthropic's clients add fields with every release.
 */
export const MessagesRequest = z.object({
  model: z.string().nullish(),
  messages: z.array(Message).min(1, { error: () => "at least one message is required" }),
  system: System.optional().transform((texts) => texts ?? []),
  max_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: ToolChoice.nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.number().nullish().catch(null) }).nullish(),
  output_config: z
    .looseObject({ effort: Effort.nullish().catch(null), format: JsonFormat.nullish() })
    .nullish(),
  output_format: JsonFormat.nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish().catch(null),
  service_tier: z.string().nullish().catch(null),
  speed: z.string().nullish().catch(null),
  compaction: z
    .looseObject({ type: z.string(), instructions: z.string().nullish().catch(null) })
    .nullish()
    .catch(null),
  // Anthropic would call these servers itself: to leave them out would take tools away without a word.
  mcp_servers: z
    .array(z.unknown())
    .max(0, { error: () => "not supported by this proxy" })
    .nullish(),
})

export type MessagesRequest = z.output<typeof MessagesRequest>

/** What POST /v1/messages/count_tokens may hold: the same without limits, and tools may be all there is. */
export const CountRequest = MessagesRequest.extend({ messages: z.array(Message).optional() })

/** Top-level fields of a request that this proxy knows and reads. */
export const knownFields: ReadonlySet<string> = new Set(Object.keys(MessagesRequest.shape))

/**
 * A zod error in Anthropic's form, first problem first: `messages.0.content: Field required`.
 * Everything after the third problem is left out.
 */
export function renderIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => {
      const path = issue.path.map(String).join(".")
      const message = issueMessage(issue)
      return path === "" ? message : `${path}: ${message}`
    })
    .join("; ")
}
