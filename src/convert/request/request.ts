// A Messages request as a Chat Completions request: parameters and assembly. The parts are in the files
// named after them.
import type { ChatMessage, ChatRequest } from "../../protocol/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { isObject, type JsonObject, parseJson, textOf } from "../../protocol/json.ts"
import { knownFields, type MessagesRequest } from "../../protocol/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import { convertMessages } from "./messages.ts"
import { mapToolName } from "./names.ts"
import { convertFormat } from "./schema.ts"
import { joinSystem } from "./system.ts"
import { convertThinking } from "./thinking.ts"
import { applyToolChanges } from "./tool-changes.ts"
import { prepareTools } from "./tools.ts"

/** Limits of the configuration, in tokens. */
export interface TokenLimits {
  readonly defaultMaxTokens: number
  readonly minTokensLimit: number
  readonly maxTokensLimit: number | undefined
}

export interface Conversion {
  readonly body: ChatRequest
  readonly notes: readonly Note[]
  /** Upstream's tool names to the client's, where they differ. */
  readonly toolNames: ReadonlyMap<string, string>
  /** The client's names of the tools that were sent. */
  readonly offered: ReadonlySet<string>
  /** Call ids that the conversation already uses. */
  readonly seenIds: ReadonlySet<string>
  readonly stopSequences: readonly string[]
  /** Those to be watched for here, because the provider does not take them all. */
  readonly watchedStops: readonly string[]
  /** Whether reasoning in the reply is shown to the client. */
  readonly showReasoning: boolean
}

/** `session` groups requests for the provider's cache; undefined when the client names none. Throws only a RangeError,
 * for a request nested deeper than the stack. */
export function convertRequest(
  given: MessagesRequest,
  route: Route,
  limits: TokenLimits,
  session: string | undefined,
): Conversion {
  const { profile } = route
  const changes = applyToolChanges(given)
  const request = { ...given, tools: [...changes.tools] }
  const tools = prepareTools(request, profile)
  const hasTools = tools.tools.length > 0
  const thinking = convertThinking(request, profile, { forced: tools.forced, hasTools })
  const messages = convertMessages(request.messages, { profile, sendReasoning: !thinking.off })
  const format = convertFormat(request, profile)
  const maxTokens = prepareMaxTokens(request, profile, limits)
  const stops = prepareStops(request, profile)
  const system = [joinSystem(request.system), format.instruction].filter((text) => text !== undefined)
  const full: ChatRequest = {
    model: route.model,
    messages: [...systemMessage(system, profile), ...messages.value],
    [profile.maxTokensField]: maxTokens.value,
    ...sampling(request),
    ...(stops.sent.length === 0 ? {} : { stop: stops.sent }),
    ...streaming(request, profile),
    ...(hasTools ? { tools: tools.tools } : {}),
    ...(tools.choice === undefined ? {} : { tool_choice: tools.choice }),
    ...(tools.parallel === undefined ? {} : { parallel_tool_calls: tools.parallel }),
    ...thinking.fields,
    ...format.fields,
    ...serviceTier(request),
    ...(profile.promptCacheKey && session !== undefined ? { prompt_cache_key: cacheKey(session) } : {}),
    ...(profile.sendStoreFalse ? { store: false } : {}),
  }
  const { body, notes: removed } = applyProfile(full, request, profile)
  const calls = toolUses(request)
  const parts = [changes, tools, thinking, messages, maxTokens, stops, format]
  return {
    body,
    notes: [...parts.flatMap(({ notes }) => notes), ...removed, ...noteMetadata(request)],
    toolNames: mappedNames([...request.tools, ...calls], profile),
    offered: tools.offered,
    seenIds: new Set(calls.map(({ id }) => id)),
    stopSequences: stops.wanted,
    watchedStops: stops.watched,
    showReasoning: !thinking.off || profile.reasoning.sendBack === "all-turns",
  }
}

function systemMessage(texts: readonly string[], profile: ProviderProfile): readonly ChatMessage[] {
  return texts.length === 0 ? [] : [{ role: profile.systemRole, content: texts.join("\n\n") }]
}

function streaming(
  request: MessagesRequest,
  profile: ProviderProfile,
): Pick<ChatRequest, "stream" | "stream_options"> {
  if (request.stream !== true) return {}
  return { stream: true, ...(profile.streamUsage ? { stream_options: { include_usage: true } } : {}) }
}

/** OpenAI takes 64 characters at most. */
function cacheKey(session: string): string {
  return session.slice(0, 64).toWellFormed()
}

/** Who is asking is nobody's business upstream: the id names a device and an account. */
function noteMetadata(request: MessagesRequest): readonly Note[] {
  if (!request.metadata?.user_id) return []
  return [dropped("metadata.user_id", "identifies a user; at most its session is sent, as a cache key")]
}

function toolUses({ messages }: MessagesRequest) {
  return messages.flatMap(({ content }) =>
    content.flatMap((block) => (block.type === "tool_use" ? [block] : [])),
  )
}

/** The session a request belongs to: Claude Code writes JSON into metadata.user_id (observed with 2.1.329). */
export function sessionOf(request: MessagesRequest): string | undefined {
  const userId = request.metadata?.user_id ?? ""
  const parsed = parseJson(userId)
  if (parsed.ok && isObject(parsed.value)) return textOf(parsed.value["session_id"])
  return /session_([0-9a-f-]{36})/.exec(userId)?.[1]
}

/** Notes for top-level fields of the raw body that have no meaning for any upstream. */
export function noteUnknownFields(raw: JsonObject): readonly Note[] {
  return Object.keys(raw)
    .filter((field) => !knownFields.has(field) && raw[field] !== null)
    .map((field) => dropped(field, "no counterpart in Chat Completions"))
}

interface Amount {
  readonly value: number
  readonly notes: readonly Note[]
}

function prepareMaxTokens(request: MessagesRequest, profile: ProviderProfile, limits: TokenLimits): Amount {
  const asked = request.max_tokens ?? 0
  const usable = asked > 0 && asked >= limits.minTokensLimit
  const wanted = usable ? Math.floor(asked) : limits.defaultMaxTokens
  const limit = Math.min(
    limits.maxTokensLimit ?? Number.POSITIVE_INFINITY,
    profile.maxOutputTokens ?? Number.POSITIVE_INFINITY,
  )
  const value = Math.max(1, Math.min(wanted, limit))
  if (usable && value === asked) return { value, notes: [] }
  const why = value < wanted ? `lowered from ${wanted} to ${value}, the limit here` : `set to ${value}`
  return { value, notes: [changed("max_tokens", why)] }
}

function prepareStops(request: MessagesRequest, profile: ProviderProfile) {
  const wanted = (request.stop_sequences ?? []).filter((stop) => stop !== "")
  const sent = wanted.slice(0, profile.stopMax).map((stop) => stop.toWellFormed())
  const left = wanted.length - sent.length
  const why = `${left} of ${wanted.length} not sent, as only ${profile.stopMax} are taken: watched for by the proxy`
  const notes = left === 0 ? [] : [changed("stop_sequences", why)]
  return { wanted, sent, watched: left === 0 ? [] : wanted, notes }
}

function sampling(request: MessagesRequest): Pick<ChatRequest, "temperature" | "top_p" | "top_k"> {
  const { temperature, top_p, top_k } = request
  return {
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof top_p === "number" ? { top_p } : {}),
    ...(typeof top_k === "number" ? { top_k } : {}),
  }
}

function serviceTier(request: MessagesRequest): Pick<ChatRequest, "service_tier"> {
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
      return "tool_choice.disable_parallel_tool_use"
    case "service_tier":
      return request.speed === "fast" ? "speed" : "service_tier"
    default:
      return field
  }
}

/** The last word of the profile: clamped values, and no field that the provider refuses. */
function applyProfile(
  full: ChatRequest,
  request: MessagesRequest,
  profile: ProviderProfile,
): { body: ChatRequest; notes: readonly Note[] } {
  const body: ChatRequest = { ...full }
  const notes: Note[] = []
  for (const field of ["temperature", "top_p"] as const) {
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

/** Every name that had to be changed, offered now or called earlier, by its upstream form. */
function mappedNames(
  named: readonly { readonly name: string }[],
  profile: ProviderProfile,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { name } of named) {
    const mapped = mapToolName(name, profile.toolNameMaxLength)
    if (mapped !== name) names.set(mapped, name)
  }
  return names
}

/** What a session id in a header or in the body becomes beside the agent's id: one cache group per agent. */
export function cacheGroup(session: string | undefined, agent: string | undefined): string | undefined {
  if (session === undefined) return agent
  return agent === undefined ? session : `${session}:${agent}`
}
