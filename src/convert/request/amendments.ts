// What an upstream does not take, as data: a change of the request that was refused, which can be remembered
// and made to later ones before they are sent.
import type { ChatMessage, ChatRequest, ReasoningEffort } from "../../protocol/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { type Change, changeEffort } from "./amend-effort.ts"
import type { Conversion } from "./request.ts"
import type { ResponsesParts } from "./responses-body.ts"

/** Fields whose loss changes nothing that the client relies on; the rest of a request is never taken away. */
export const optionalFields = [
  ...(["temperature", "top_p", "top_k", "stop", "stream_options", "tool_stream"] as const),
  ...(["parallel_tool_calls", "parallel_function_calling", "prompt_cache_key", "store"] as const),
  ...(["service_tier", "reasoning_effort", "thinking", "enable_thinking", "thinking_budget"] as const),
  ...(["reasoning", "chat_template_kwargs", "stream"] as const),
]

export type OptionalField = (typeof optionalFields)[number]

export type LimitField = "max_tokens" | "max_completion_tokens"

export type Amendment =
  /** The most tokens that one reply may have. */
  | { readonly kind: "limit"; readonly most: number }
  /** What the context window has left beside this one prompt. */
  | { readonly kind: "room"; readonly tokens: number }
  /** The other name of the limit. */
  | { readonly kind: "rename"; readonly to: LimitField }
  /** Structured output is asked for in words; `lasting` when no request can have it otherwise. */
  | { readonly kind: "format"; readonly to: "json_object" | "none"; readonly lasting: boolean }
  /** The efforts that are taken; only of requests with tools, when `withTools` is said. */
  | { readonly kind: "effort"; readonly taken: readonly ReasoningEffort[]; readonly withTools: boolean }
  /** Thinking that cannot be switched off. */
  | { readonly kind: "always-thinks" }
  /** Summaries of reasoning, which OpenAI gives to verified organizations only. */
  | { readonly kind: "summary" }
  /** Encrypted reasoning, which only reasoning models give. */
  | { readonly kind: "encrypted" }
  /** Encrypted reasoning of another key's or organization's, which this one cannot read. */
  | { readonly kind: "forget" }
  | { readonly kind: "drop"; readonly fields: readonly OptionalField[] }

/** A name for the amendment: two with the same one have the same reason. */
export function causeOf(amendment: Amendment): string {
  switch (amendment.kind) {
    case "format":
      return `format ${amendment.to}`
    case "drop":
      return `drop ${amendment.fields.join(" ")}`
    case "effort":
      return amendment.withTools ? "effort with tools" : "effort"
    default:
      return amendment.kind
  }
}

/** Does it hold for later requests to the same model too? */
export function isLasting(amendment: Amendment): boolean {
  if (amendment.kind === "format") return amendment.lasting
  return amendment.kind !== "room" && amendment.kind !== "forget"
}

export interface Amended {
  readonly conversion: Conversion
  readonly notes: readonly Note[]
}

/** The conversion with its body changed; undefined where the amendment has nothing to change in it. */
export function applyAmendment(conversion: Conversion, amendment: Amendment): Amended | undefined {
  if (amendment.kind === "summary" || amendment.kind === "encrypted" || amendment.kind === "forget") {
    return changeReasoning(conversion, amendment.kind)
  }
  const change = changeBody(conversion, amendment)
  if (change === undefined) return undefined
  const { body, notes } = change
  // What the upstream does not watch for is watched for here.
  const watchedStops = body.stop === undefined ? conversion.stopSequences : conversion.watchedStops
  return { conversion: { ...conversion, body, watchedStops }, notes }
}

function changeReasoning(
  conversion: Conversion,
  kind: "summary" | "encrypted" | "forget",
): Amended | undefined {
  const { responses } = conversion
  if (responses === undefined) return undefined
  const { input, summarises, keepsReasoning } = responses
  const changedTo = (parts: Partial<ResponsesParts>, path: string, why: string): Amended => ({
    conversion: { ...conversion, responses: { ...responses, ...parts } },
    notes: [dropped(path, why)],
  })
  switch (kind) {
    case "summary":
      if (!summarises) return undefined
      return changedTo({ summarises: false }, "thinking.display", "summaries of reasoning are refused here")
    case "encrypted":
      if (!keepsReasoning) return undefined
      return changedTo({ keepsReasoning: false }, "thinking", "encrypted reasoning is refused here")
    case "forget": {
      const kept = input.filter(({ type }) => type !== "reasoning")
      if (kept.length === input.length) return undefined
      return changedTo({ input: kept }, "messages.content", "earlier reasoning that the upstream cannot read")
    }
    default:
      return kind satisfies never
  }
}

function changeBody(
  conversion: Conversion,
  amendment: Exclude<Amendment, { kind: "summary" | "encrypted" | "forget" }>,
): Change | undefined {
  const { body } = conversion
  switch (amendment.kind) {
    case "limit":
      return lowerLimit(body, amendment.most, "the most this model gives in one reply")
    case "room":
      return lowerLimit(body, amendment.tokens, "what the context window has left")
    case "rename":
      return renameLimit(body, amendment.to)
    case "format":
      return replaceFormat(conversion, amendment.to)
    case "effort":
      return amendment.withTools && body.tools === undefined ? undefined : changeEffort(body, amendment.taken)
    case "always-thinks":
      return without(body, offSwitches(body), "this model's thinking cannot be switched off")
    case "drop":
      return without(body, amendment.fields, "refused by the upstream")
    default:
      return amendment satisfies never
  }
}

function lowerLimit(body: ChatRequest, most: number, why: string): Change | undefined {
  const field = body.max_completion_tokens === undefined ? "max_tokens" : "max_completion_tokens"
  const now = body[field]
  if (now === undefined || now <= most) return undefined
  const note = changed("max_tokens", `lowered from ${now} to ${most}, ${why}`)
  const lowered = lowerBudget(body, most)
  return { body: { ...lowered.body, [field]: most }, notes: [note, ...lowered.notes] }
}

// The smallest budget there is (Anthropic API reference).
const leastBudget = 1024

/** Thinking counts within the limit: where it could take all of it, half is left for words. */
function lowerBudget(body: ChatRequest, most: number): Change {
  const { thinking_budget, ...rest } = body
  if (thinking_budget === undefined || thinking_budget < most) return { body, notes: [] }
  const budget = Math.floor(most / 2)
  if (budget < leastBudget) {
    return { body: rest, notes: [dropped("thinking", "the budget does not fit into the reply")] }
  }
  const why = `the budget is lowered from ${thinking_budget} to ${budget}, to fit into the reply`
  return { body: { ...rest, thinking_budget: budget }, notes: [changed("thinking", why)] }
}

function renameLimit(body: ChatRequest, to: LimitField): Change | undefined {
  const { max_tokens, max_completion_tokens, ...rest } = body
  const value = to === "max_tokens" ? max_completion_tokens : max_tokens
  if (value === undefined) return undefined
  return { body: { ...rest, [to]: value }, notes: [changed("max_tokens", `sent as ${to}`)] }
}

function replaceFormat({ body, formatFallback }: Conversion, to: "json_object" | "none"): Change | undefined {
  const { response_format, ...rest } = body
  if (response_format === undefined || response_format.type === to) return undefined
  // Beside json_object the instruction stands in the system prompt already.
  const isAsked = response_format.type === "json_object" || formatFallback === undefined
  const messages = isAsked ? body.messages : withInstruction(body.messages, formatFallback)
  const field = to === "none" ? {} : { response_format: { type: to } }
  const why = "asked for in the system prompt: the upstream refused the schema"
  return { body: { ...rest, messages, ...field }, notes: [changed("output_config.format", why)] }
}

/** The words at the end of the system prompt, where there is one. */
function withInstruction(
  messages: readonly ChatMessage[],
  { role, text }: NonNullable<Conversion["formatFallback"]>,
): readonly ChatMessage[] {
  const [first, ...others] = messages
  if (first === undefined || (first.role !== "system" && first.role !== "developer")) {
    return [{ role, content: text }, ...messages]
  }
  const { content } = first
  if (typeof content === "string") return [{ ...first, content: `${content}\n\n${text}` }, ...others]
  return [{ ...first, content: [...content, { type: "text", text }] }, ...others]
}

function offSwitches(body: ChatRequest): readonly OptionalField[] {
  const kwargs = Object.values(body.chat_template_kwargs ?? {})
  const off: Readonly<Partial<Record<OptionalField, boolean>>> = {
    reasoning_effort: body.reasoning_effort === "none",
    reasoning: body.reasoning?.enabled === false || body.reasoning?.effort === "none",
    thinking: body.thinking?.type === "disabled",
    enable_thinking: body.enable_thinking === false,
    chat_template_kwargs: kwargs.length > 0 && !kwargs.includes(true),
  }
  return optionalFields.filter((field) => off[field] === true)
}

function without(body: ChatRequest, fields: readonly OptionalField[], why: string): Change | undefined {
  // Options of a stream are refused where there is none.
  const all = fields.includes("stream") ? [...new Set([...fields, "stream_options" as const])] : fields
  const gone = all.filter((field) => body[field] !== undefined)
  if (gone.length === 0) return undefined
  const rest: ChatRequest = { ...body }
  for (const field of gone) delete rest[field]
  return { body: rest, notes: gone.map((field) => dropped(clientPaths[field] ?? field, why)) }
}

/** Where a client wrote what the upstream knows by another name. */
const clientPaths: Readonly<Partial<Record<OptionalField, string>>> = {
  stop: "stop_sequences",
  parallel_tool_calls: "tool_choice.disable_parallel_tool_use",
  parallel_function_calling: "tool_choice.disable_parallel_tool_use",
  reasoning_effort: "output_config.effort",
  reasoning: "thinking",
  enable_thinking: "thinking",
  thinking_budget: "thinking",
  chat_template_kwargs: "thinking",
}
