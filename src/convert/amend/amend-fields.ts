// Parameters of a request in the form that an upstream takes: renamed, lowered, left out.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import { changed, dropped } from "../../protocol/fault.ts"
import type { Change } from "./amend-effort.ts"

/** Fields whose loss changes nothing that the client relies on; the rest of a request is never taken away. */
export const optionalFields = [
  ...(["temperature", "top_p", "top_k", "stop", "stream_options", "tool_stream"] as const),
  ...(["parallel_tool_calls", "parallel_function_calling", "prompt_cache_key", "store"] as const),
  ...(["service_tier", "reasoning_effort", "thinking", "enable_thinking", "thinking_budget"] as const),
  ...(["reasoning", "chat_template_kwargs", "stream"] as const),
]

export type OptionalField = (typeof optionalFields)[number]

export const limitFields = ["max_tokens", "max_completion_tokens"] as const

export type LimitField = (typeof limitFields)[number]

export const rangedFields = ["temperature", "top_p", "top_k", "thinking_budget"] as const

export type RangedField = (typeof rangedFields)[number]

/** Both ends belong to it; null: there is none. */
export interface Range {
  readonly least: number | null
  readonly most: number | null
}

/** Fields that are objects: what is inside of them can be refused by itself. */
export const nestedFields = ["thinking", "reasoning", "chat_template_kwargs"] as const

export type NestedField = (typeof nestedFields)[number]

const limitOf = ({ max_completion_tokens }: ChatRequest): LimitField =>
  max_completion_tokens === undefined ? "max_tokens" : "max_completion_tokens"

export function lowerLimit(body: ChatRequest, most: number, why: string): Change | undefined {
  const field = limitOf(body)
  const now = body[field]
  if (now === undefined || now <= most) return undefined
  const note = changed("max_tokens", `lowered from ${now} to ${most}, ${why}`)
  const lowered = lowerBudget(body, most)
  return { body: { ...lowered.body, [field]: most }, notes: [note, ...lowered.notes] }
}

export function raiseLimit(body: ChatRequest, least: number): Change | undefined {
  const field = limitOf(body)
  const now = body[field]
  if (now === undefined || now >= least) return undefined
  const note = changed("max_tokens", `raised from ${now} to ${least}, the least that is taken here`)
  return { body: { ...body, [field]: least }, notes: [note] }
}

// The smallest budget there is (Anthropic API reference).
const leastBudget = 1024

/** Thinking counts within the limit: where it could take all of it, half is left for words. */
function lowerBudget(body: ChatRequest, most: number): Change {
  const { thinking_budget, ...rest } = body
  if (thinking_budget === undefined || thinking_budget < most) return { body, notes: [] }
  const budget = Math.floor(most / 2)
  if (budget < leastBudget)
    return { body: rest, notes: [dropped("thinking", "the budget does not fit into the reply")] }
  const why = `the budget is lowered from ${thinking_budget} to ${budget}, to fit into the reply`
  return { body: { ...rest, thinking_budget: budget }, notes: [changed("thinking", why)] }
}

export function renameLimit(body: ChatRequest, to: LimitField): Change | undefined {
  const { max_tokens, max_completion_tokens, ...rest } = body
  const value = to === "max_tokens" ? max_completion_tokens : max_tokens
  if (value === undefined) return undefined
  return { body: { ...rest, [to]: value }, notes: [changed("max_tokens", `sent as ${to}`)] }
}

export function withoutLimit(body: ChatRequest): Change | undefined {
  const { max_tokens, max_completion_tokens, ...rest } = body
  if (max_tokens === undefined && max_completion_tokens === undefined) return undefined
  return { body: rest, notes: [dropped("max_tokens", "the upstream takes no limit of a reply")] }
}

export function intoRange(body: ChatRequest, field: RangedField, { least, most }: Range): Change | undefined {
  const now = body[field]
  if (now === undefined) return undefined
  const capped = Math.min(now, most ?? now)
  const value = Math.max(capped, least ?? capped)
  if (value === now) return undefined
  const why = `${now} became ${value}, the nearest value taken here`
  return { body: { ...body, [field]: value }, notes: [changed(clientPaths[field] ?? field, why)] }
}

/** The reply is asked for as a stream; what the client gets of it is as the client asked. */
export function asStream(body: ChatRequest): Change | undefined {
  if (body.stream === true) return undefined
  const streamed: ChatRequest = { ...body, stream: true, stream_options: { include_usage: true } }
  return { body: streamed, notes: [changed("stream", "asked for as a stream: nothing else is taken here")] }
}

/** Those that are not sent are watched for by whoever reads the reply. */
export function fewerStops(body: ChatRequest, most: number): Change | undefined {
  const { stop, ...rest } = body
  if (stop === undefined || stop.length <= most) return undefined
  const why = `${stop.length - most} of ${stop.length} not sent, as only ${most} are taken: watched for by the proxy`
  const kept = most === 0 ? {} : { stop: stop.slice(0, most) }
  return { body: { ...rest, ...kept }, notes: [changed("stop_sequences", why)] }
}

/** One member of an object; what says nothing without it goes too. */
export function withoutMember(body: ChatRequest, field: NestedField, member: string): Change | undefined {
  const object = body[field]
  if (object === undefined || !Object.hasOwn(object, member)) return undefined
  const rest = Object.fromEntries(Object.entries(object).filter(([name]) => name !== member))
  if (Object.keys(rest).length === 0 || (field === "thinking" && member === "type"))
    return without(body, [field], refusedByUpstream)
  const note = dropped(clientPaths[field] ?? field, `${field}.${member} is refused by the upstream`)
  return { body: { ...body, [field]: rest }, notes: [note] }
}

/** Every way to say that the model shall not think. */
export function offSwitches(body: ChatRequest): readonly OptionalField[] {
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

export const refusedByUpstream = "refused by the upstream"

export function without(
  body: ChatRequest,
  fields: readonly OptionalField[],
  why: string,
): Change | undefined {
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
