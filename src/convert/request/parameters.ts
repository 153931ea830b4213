// The scalar parameters of a request, and the profile's last word on all of them.
import type { ChatRequest } from "../../protocol/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import type { MessagesRequest } from "../../protocol/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import type { Task } from "../task/rule.ts"

/** Limits of the configuration, in tokens. */
export interface TokenLimits {
  readonly defaultMaxTokens: number
  readonly minTokensLimit: number
  readonly maxTokensLimit: number | undefined
}

interface Amount {
  readonly value: number
  readonly notes: readonly Note[]
}

// Reasoning counts as output nearly everywhere: with less than this nothing may be left for the answer.
const leastWhileThinking = 4_096

/** The limit of one reply. `thinks` says that thinking is asked for, which needs room of its own. */
export function prepareMaxTokens(
  request: MessagesRequest,
  profile: ProviderProfile,
  limits: TokenLimits,
  thinks: boolean,
): Amount {
  const asked = request.max_tokens ?? 0
  const usable = asked > 0 && asked >= limits.minTokensLimit
  const wanted = usable ? Math.floor(asked) : limits.defaultMaxTokens
  const limit = Math.min(
    limits.maxTokensLimit ?? Number.POSITIVE_INFINITY,
    profile.maxOutputTokens ?? Number.POSITIVE_INFINITY,
  )
  const needed = thinks ? Math.max(wanted, leastWhileThinking) : wanted
  const value = Math.max(1, Math.min(needed, limit))
  if (usable && value === asked) return { value, notes: [] }
  return { value, notes: [changed("max_tokens", whyTokens(wanted, value, needed))] }
}

function whyTokens(wanted: number, value: number, needed: number): string {
  if (value < wanted) return `lowered from ${wanted} to ${value}, the limit here`
  if (needed > wanted) return `raised from ${wanted} to ${value}, because thinking counts as output`
  return `set to ${value}`
}

export function prepareStops(request: MessagesRequest, profile: ProviderProfile) {
  const wanted = (request.stop_sequences ?? []).filter((stop) => stop !== "")
  const sent = wanted.slice(0, profile.stopMax).map((stop) => stop.toWellFormed())
  const left = wanted.length - sent.length
  if (left === 0) return { wanted, sent, watched: [], notes: [] }
  const why = `${left} of ${wanted.length} not sent, as only ${profile.stopMax} are taken: watched for by the proxy`
  return { wanted, sent, watched: wanted, notes: [changed("stop_sequences", why)] }
}

export interface Sampling {
  readonly fields: Pick<ChatRequest, "temperature" | "top_p" | "top_k">
  readonly notes: readonly Note[]
}

/** What suits a kind of task; none of it suits talk in particular. */
const tuned: Readonly<Record<Task, { readonly temperature?: number; readonly top_p?: number }>> = {
  code: { temperature: 0.1, top_p: 0.9 },
  reasoning: { temperature: 0.3, top_p: 0.8 },
  creative: { temperature: 0.8, top_p: 0.95 },
  analysis: { temperature: 0.2, top_p: 0.85 },
  chat: {},
}

/**
 * The client's own sampling. Where it names neither temperature nor top_p, those of the configuration stand in,
 * and for what that leaves open, those that suit the task, when `tuning` is on.
 */
export function sampling(
  request: MessagesRequest,
  { defaults, tuning }: Pick<Route, "defaults" | "tuning">,
  task: () => Task,
): Sampling {
  const { temperature, top_p, top_k } = request
  const own = {
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof top_p === "number" ? { top_p } : {}),
  }
  const rest = typeof top_k === "number" ? { top_k } : {}
  if (Object.keys(own).length > 0) return { fields: { ...own, ...rest }, notes: [] }
  const isOpen = defaults.temperature === undefined || defaults.top_p === undefined
  const kind = tuning && isOpen ? task() : "chat"
  const suits = tuned[kind]
  const notes = (["temperature", "top_p"] as const).flatMap((field) => {
    if (defaults[field] !== undefined) return [changed(field, `${defaults[field]}, set in the configuration`)]
    if (suits[field] === undefined) return []
    return [changed(field, `${suits[field]}, chosen for ${kind} (PROMPT_TUNING)`)]
  })
  const chosen = {
    temperature: defaults.temperature ?? suits.temperature,
    top_p: defaults.top_p ?? suits.top_p,
  }
  const fields = {
    ...(chosen.temperature === undefined ? {} : { temperature: chosen.temperature }),
    ...(chosen.top_p === undefined ? {} : { top_p: chosen.top_p }),
    ...rest,
  }
  return { fields, notes }
}

export function serviceTier(request: MessagesRequest): Pick<ChatRequest, "service_tier"> {
  if (request.speed === "fast") return { service_tier: "priority" }
  if (request.service_tier === "auto") return { service_tier: "auto" }
  return request.service_tier === "standard_only" ? { service_tier: "default" } : {}
}

/** Where the client wrote what the deny-list names in the upstream's words. */
function clientPath(field: keyof ChatRequest, request: MessagesRequest): string {
  switch (field) {
    case "reasoning_effort":
      return "output_config.effort"
    case "response_format":
      return request.output_config?.format ? "output_config.format" : "output_format"
    case "stop":
      return "stop_sequences"
    case "parallel_tool_calls":
    case "parallel_function_calling":
      return "tool_choice.disable_parallel_tool_use"
    case "service_tier":
      return request.speed === "fast" ? "speed" : "service_tier"
    default:
      return field
  }
}

const ranged = ["temperature", "top_p"] as const

/** The last word of the profile on a body: clamped values, and no field that the provider refuses. */
export function applyProfile(
  body: ChatRequest,
  request: MessagesRequest,
  profile: ProviderProfile,
): { body: ChatRequest; notes: readonly Note[] } {
  const notes: Note[] = []
  for (const field of ranged) {
    const range = profile.clamp[field]
    const value = body[field]
    if (range === undefined || value === undefined) continue
    const clamped = Math.min(Math.max(value, range[0]), range[1])
    if (clamped !== value)
      notes.push(changed(field, `${value} became ${clamped}, the nearest value taken here`))
    body[field] = clamped
  }
  for (const field of profile.drop) {
    if (body[field] === undefined) continue
    delete body[field]
    notes.push(dropped(clientPath(field, request), "refused by this provider or model"))
  }
  return { body, notes }
}

/** Whether the upstream streams is its own affair: the client gets what it asked for either way. */
export function streaming(
  request: MessagesRequest,
  profile: ProviderProfile,
  hasTools: boolean,
): Pick<ChatRequest, "stream" | "stream_options" | "tool_stream"> {
  const wanted = profile.streams === "any" ? request.stream === true : profile.streams === "always"
  if (!wanted) return {}
  return {
    stream: true,
    ...(profile.streamUsage ? { stream_options: { include_usage: true } } : {}),
    ...(profile.toolStream && hasTools ? { tool_stream: true } : {}),
  }
}
