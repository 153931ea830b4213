// The scalar parameters of a request, and the profile's last word on all of them.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import { changed, dropped, type Note, noNotes } from "../../protocol/fault.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
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
  // A least that is above the default is one for it too.
  const wanted = usable ? Math.floor(asked) : Math.max(limits.defaultMaxTokens, limits.minTokensLimit)
  const limit = Math.min(
    limits.maxTokensLimit ?? Number.POSITIVE_INFINITY,
    profile.maxOutputTokens ?? Number.POSITIVE_INFINITY,
  )
  const needed = thinks ? Math.max(wanted, leastWhileThinking) : wanted
  const value = Math.max(1, Math.min(needed, limit))
  if (usable && value === asked) return { value, notes: noNotes }
  return { value, notes: [changed("max_tokens", whyTokens(wanted, value, needed))] }
}

function whyTokens(wanted: number, value: number, needed: number): string {
  if (value < wanted) return `lowered from ${wanted} to ${value}, the limit here`
  if (needed > wanted) return `raised from ${wanted} to ${value}, because thinking counts as output`
  return `set to ${value}`
}

export interface Stops {
  readonly wanted: readonly string[]
  readonly sent: readonly string[]
  /** Those that the proxy watches for. */
  readonly watched: readonly string[]
  readonly notes: readonly Note[]
}

const nowhere: readonly string[] = Object.freeze([])
const noStops: Stops = { wanted: nowhere, sent: nowhere, watched: nowhere, notes: noNotes }

/**
 * `repeats` is what the model may begin its answer with once more: a sequence within it would end the reply there,
 * as "```" does behind the beginning "```json", and is watched for once that is over.
 */
export function prepareStops(request: MessagesRequest, profile: ProviderProfile, repeats: string): Stops {
  if ((request.stop_sequences ?? nowhere).length === 0) return noStops
  const wanted = (request.stop_sequences ?? []).filter((stop) => stop !== "")
  const harmless = repeats === "" ? wanted : wanted.filter((stop) => !repeats.includes(stop))
  const most = profile.drop.includes("stop") ? 0 : profile.stopMax
  const sent = harmless.slice(0, most).map((stop) => stop.toWellFormed())
  const left = wanted.length - sent.length
  if (left === 0) return { wanted, sent, watched: nowhere, notes: noNotes }
  const reason =
    harmless.length > sent.length
      ? `only ${most} are taken`
      : "the model may repeat the beginning of its answer"
  const why = `${left} of ${wanted.length} not sent, as ${reason}: watched for by the proxy`
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
  const temperature = request.temperature ?? undefined
  const top_p = request.top_p ?? undefined
  const top_k = request.top_k ?? undefined
  if (temperature !== undefined || top_p !== undefined)
    return { fields: given(temperature, top_p, top_k), notes: noNotes }
  const isOpen = defaults.temperature === undefined || defaults.top_p === undefined
  const isSilent = !tuning && defaults.temperature === undefined && defaults.top_p === undefined
  if (isSilent) return top_k === undefined ? noSampling : { fields: { top_k }, notes: noNotes }
  return configured(defaults, tuning && isOpen ? task() : "chat", top_k)
}

/** What the configuration says, and what suits the task. */
function configured(defaults: Route["defaults"], kind: Task, top_k: number | undefined): Sampling {
  const suits = tuned[kind]
  const fields = given(defaults.temperature ?? suits.temperature, defaults.top_p ?? suits.top_p, top_k)
  const notes = ranged.flatMap((field) => {
    if (defaults[field] !== undefined) return [changed(field, `${defaults[field]}, set in the configuration`)]
    if (suits[field] === undefined) return []
    return [changed(field, `${suits[field]}, chosen for ${kind} (PROMPT_TUNING)`)]
  })
  return { fields, notes }
}

const noFields: Sampling["fields"] = Object.freeze({})
const noSampling: Sampling = { fields: noFields, notes: noNotes }

/** Those of the values that are there. */
function given(
  temperature: number | undefined,
  top_p: number | undefined,
  top_k: number | undefined,
): Sampling["fields"] {
  if (temperature === undefined && top_p === undefined && top_k === undefined) return noFields
  return {
    ...(temperature === undefined ? undefined : { temperature }),
    ...(top_p === undefined ? undefined : { top_p }),
    ...(top_k === undefined ? undefined : { top_k }),
  }
}

export function serviceTier(request: MessagesRequest): Pick<ChatRequest, "service_tier"> | undefined {
  if (request.speed === "fast") return { service_tier: "priority" }
  if (request.service_tier === "auto") return { service_tier: "auto" }
  return request.service_tier === "standard_only" ? { service_tier: "default" } : undefined
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

/**
 * The last word of the profile on a body, which is changed: clamped values, and no field that the provider refuses.
 * `notes` gets what was done.
 */
export function applyProfile(
  body: ChatRequest,
  request: MessagesRequest,
  profile: ProviderProfile,
  notes: Note[],
): void {
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
}

/** Whether the upstream streams is its own affair: the client gets what it asked for either way. */
export function streaming(
  request: MessagesRequest,
  profile: ProviderProfile,
  hasTools: boolean,
): Pick<ChatRequest, "stream" | "stream_options" | "tool_stream"> | undefined {
  const wanted = profile.streams === "any" ? request.stream === true : profile.streams === "always"
  if (!wanted) return undefined
  return {
    stream: true,
    ...(profile.streamUsage ? { stream_options: { include_usage: true } } : undefined),
    ...(profile.toolStream && hasTools ? { tool_stream: true } : undefined),
  }
}
