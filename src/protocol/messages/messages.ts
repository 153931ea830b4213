// Anthropic's Messages API as this proxy understands it after parsing: `content` is always an array of
// blocks, unknown fields are kept out, unknown block types are kept whole under `other`.
import { z } from "zod"
import { isObject, objectOf } from "../json.ts"
import { issueMessage, parseContent } from "./blocks.ts"
import { hasCacheMark, withCacheMarks } from "./cache-marks.ts"
import type { ContentBlock } from "./content-block.ts"
import { ToolChoice, Tools } from "./tools.ts"

export type { CacheMarks } from "./cache-marks.ts"
export type { ContentBlock } from "./content-block.ts"
export type {
  BlockDelta,
  DeltaRun,
  MessagesEvent,
  MessagesReply,
  MessagesUsage,
  NativeEvent,
  ReplyBlock,
  StopReason,
  WebSearchResult,
} from "./reply.ts"
export type { Tool } from "./tools.ts"

export type Effort = "low" | "medium" | "high" | "xhigh" | "max"

const Effort = z.enum(["low", "medium", "high", "xhigh", "max"])

const roles = ["user", "assistant", "system", "developer"] as const

const CheckedMessage = z
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

export type Message = z.output<typeof CheckedMessage>

/**
 * A message as its schema reads it, in a fraction of the time. Undefined: it says more than usual, or something is
 * wrong with it.
 */
function readMessage(raw: unknown): Message | undefined {
  if (!isObject(raw)) return undefined
  const { role, content, output_config, clear_at } = raw
  if ((role !== "user" && role !== "assistant") || output_config !== undefined || clear_at !== undefined)
    return undefined
  const { blocks, issues } = parseContent(content)
  return issues.length > 0 ? undefined : { role, content: blocks, cache_control: hasCacheMark(content) }
}

const AnyMessages = z.array(CheckedMessage)

const SomeMessages = AnyMessages.min(1, { error: () => "at least one message is required" })

/** Conversations as `checked` reads them, which only has to look at what is not as usual. */
const conversation = (checked: typeof AnyMessages) =>
  z.unknown().transform((given, context): Message[] => {
    const messages = readMessages(given)
    if (messages !== undefined) return messages
    const { data, error } = checked.safeParse(given)
    for (const issue of error?.issues ?? []) {
      const message = issueMessage(issue)
      context.issues.push({ code: "custom", message, path: [...issue.path], input: given })
    }
    return data ?? []
  })

/** A conversation, nearly all of it read without a schema; undefined: something is wrong with it. */
export function readMessages(given: unknown): Message[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined
  const messages: Message[] = []
  for (const raw of given) {
    const message = readMessage(raw) ?? CheckedMessage.safeParse(raw).data
    if (message === undefined) return undefined
    messages.push(message)
  }
  return messages
}

const System = z.unknown().transform((value, context): readonly string[] => {
  if (value === null || value === undefined) return []
  const parsed = parseContent(value)
  for (const issue of parsed.issues) {
    context.issues.push({ code: "custom", message: issue.message, path: [...issue.path], input: value })
  }
  return parsed.blocks.flatMap((block) => (block.type === "text" ? [block.text] : []))
})

const JsonFormat = z.looseObject({ type: z.string(), schema: z.record(z.string(), z.unknown()).nullish() })

/**
 * The body of POST /v1/messages. `model` and `max_tokens` may be absent (product decision: defaults exist);
 * whatever is not named here is ignored, because Anthropic's clients add fields with every release.
 */
export const RequestFields = z.object({
  model: z.string().nullish(),
  messages: conversation(SomeMessages).superRefine((messages, context) => {
    if (findsNoFiles(messages)) return
    for (const [index, { content }] of messages.entries()) {
      for (const { what, path } of findFiles(content)) {
        const message = `${what} source type 'file' is not supported: ${noFiles}`
        context.addIssue({ code: "custom", message, path: [index, "content", ...path, "source"] })
      }
    }
  }),
  system: System.optional().transform((texts) => texts ?? []),
  max_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
  tools: Tools.nullish(),
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
  // Nobody else's account can be charged from here, and to charge the own one instead would be no small thing.
  billing_policy: z
    .unknown()
    .refine((policy) => objectOf(policy)["bill_to"] !== "user_profile", {
      path: ["bill_to"],
      error: () => "'user_profile' is not supported by this proxy; leave it out, or use 'self'",
    })
    .optional(),
  cache_marks: z.enum(["prefix", "all"]).optional().catch(undefined),
})

/** The same with what is read off several of its fields. */
export const MessagesRequest = z.preprocess(withCacheMarks, RequestFields)

export type MessagesRequest = z.output<typeof MessagesRequest>

/** A body whose tokens are to be estimated: also of what others serve and we refuse, or of tools alone. */
export const CountRequest = RequestFields.extend({
  messages: conversation(AnyMessages).optional(),
  mcp_servers: z.unknown().optional(),
  billing_policy: z.unknown().optional(),
})

export type CountRequest = z.infer<typeof CountRequest>

/** Top-level fields of a request that this proxy knows and reads; one that is only checked is not among them. */
export const knownFields: ReadonlySet<string> = new Set(
  Object.keys(RequestFields.shape).filter((field) => field !== "billing_policy" && field !== "cache_marks"),
)

/** The words for how hard to think. */
export const efforts: readonly string[] = Effort.options

/** Is it one of them? */
export const isEffort = (value: unknown): value is Effort =>
  typeof value === "string" && efforts.includes(value)

const noFiles = "this proxy has no Files API; send the content itself, as base64 or by its URL"

interface FileBlock {
  readonly what: "image" | "document"
  /** Relative to the blocks. */
  readonly path: readonly (string | number)[]
}

/** Is there nothing in a conversation that would have to be fetched from the Files API? */
export function findsNoFiles(messages: readonly Message[]): boolean {
  for (const { content } of messages) if (findFiles(content).length > 0) return false
  return true
}

/** Images and documents that only name a file of the Files API, also inside results and documents. */
function findFiles(blocks: readonly ContentBlock[]): readonly FileBlock[] {
  let found: FileBlock[] | undefined
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index]
    const inner = block === undefined ? nothing : filesOf(block)
    if (inner === nothing) continue
    found ??= []
    for (const { what, path } of inner) found.push({ what, path: [index, ...path] })
  }
  return found ?? nothing
}

const nothing: readonly FileBlock[] = []

/** Paths are relative to the block. */
function filesOf(block: ContentBlock): readonly FileBlock[] {
  if (block.type === "tool_result") return within(block.content, inResult)
  if (block.type !== "image" && block.type !== "document") return nothing
  if (block.source.type === "content") return within(block.source.content, inDocument)
  return block.source.type === "file" ? [{ what: block.type, path: [] }] : nothing
}

const inResult: readonly string[] = ["content"]
const inDocument: readonly string[] = ["source", "content"]

function within(content: readonly ContentBlock[], names: readonly string[]): readonly FileBlock[] {
  const found = findFiles(content)
  return found === nothing ? nothing : found.map(({ what, path }) => ({ what, path: [...names, ...path] }))
}

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
