// A Messages request as a Chat Completions request: parameters and assembly. The parts are in the files
// named after them.
import type { ChatMessage, ChatRequest } from "../protocol/chat.ts"
import { changed, dropped, type Note } from "../protocol/fault.ts"
import { isObject, type JsonObject, parseJson, textOf } from "../protocol/json.ts"
import { knownFields, type MessagesRequest } from "../protocol/messages.ts"
import type { ProviderProfile } from "../providers/profile.ts"
import type { Route } from "../providers/route.ts"
import { convertMessages } from "./messages.ts"
import { mapToolName } from "./names.ts"
import { isStrict } from "./schema.ts"
import { joinSystem } from "./system.ts"
import { convertThinking } from "./thinking.ts"
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
  /** Whether reasoning in the reply is shown to the client. */
  readonly showReasoning: boolean
}

/** `session` groups requests for the provider's cache; undefined when the client names none. */
export function convertRequest(
  request: MessagesRequest,
  route: Route,
  limits: TokenLimits,
  session: string | undefined,
): Conversion {
  const { profile } = route
  const tools = prepareTools(request, profile)
  const thinking = convertThinking(request, profile, {
    forced: tools.forced,
    hasTools: tools.tools.length > 0,
  })
  const messages = convertMessages(request.messages, { profile, sendReasoning: !thinking.off })
  const system = joinSystem(request.system)
  const format = responseFormat(request, profile)
  const maxTokens = prepareMaxTokens(request, profile, limits)
  const stops = prepareStops(request, profile)
  const prompt = [system, format.instruction].filter((text) => text !== undefined).join("\n\n")
  const first: readonly ChatMessage[] = prompt === "" ? [] : [{ role: profile.systemRole, content: prompt }]
  const full: ChatRequest = {
    model: route.model,
    messages: [...first, ...messages.value],
    [profile.maxTokensField]: maxTokens.value,
    ...sampling(request),
    ...(stops.sent.length === 0 ? {} : { stop: stops.sent }),
    ...(request.stream === true ? { stream: true } : {}),
    ...(request.stream === true && profile.streamUsage ? { stream_options: { include_usage: true } } : {}),
    ...(tools.tools.length === 0 ? {} : { tools: tools.tools }),
    ...(tools.choice === undefined ? {} : { tool_choice: tools.choice }),
    ...(tools.parallel === undefined ? {} : { parallel_tool_calls: tools.parallel }),
    ...thinking.fields,
    ...format.fields,
    ...serviceTier(request),
    ...(profile.promptCacheKey && session !== undefined ? { prompt_cache_key: session.slice(0, 64) } : {}),
    ...(profile.sendStoreFalse ? { store: false } : {}),
  }
  const { body, notes: removed } = applyProfile(full, profile)
  return {
    body,
    notes: [
      ...tools.notes,
      ...thinking.notes,
      ...messages.notes,
      ...maxTokens.notes,
      ...stops.notes,
      ...format.notes,
      ...removed,
    ],
    toolNames: mappedNames(request, profile),
    offered: tools.offered,
    seenIds: new Set(
      request.messages.flatMap((message) =>
        message.content.flatMap((block) => (block.type === "tool_use" ? [block.id] : [])),
      ),
    ),
    stopSequences: request.stop_sequences ?? [],
    showReasoning: !thinking.off || profile.reasoning.sendBack === "all-turns",
  }
}

/** The session a request belongs to: Claude Code writes JSON into metadata.user_id (observed, wire.md §0.1). */
export function sessionOf(request: MessagesRequest): string | undefined {
  const userId = request.metadata?.user_id ?? ""
  const parsed = parseJson(userId)
  if (parsed.ok && isObject(parsed.value)) return textOf(parsed.value["session_id"])
  return /session_([0-9a-f-]{36})/.exec(userId)?.[1]
}

/** Notes for top-level fields of the raw body that have no meaning for any upstream. */
export function noteUnknownFields(raw: JsonObject): readonly Note[] {
  return Object.keys(raw)
    .filter((field) => !knownFields.has(field))
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
  const sent = wanted.slice(0, profile.stopMax)
  const left = wanted.length - sent.length
  const notes =
    left === 0 ? [] : [dropped("stop_sequences", `${left} more than the ${profile.stopMax} taken here`)]
  return { sent, notes }
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

interface Format {
  readonly fields: Pick<ChatRequest, "response_format">
  readonly instruction: string | undefined
  readonly notes: readonly Note[]
}

/** Structured output: the provider's own field, or failing that an instruction in the system prompt. */
function responseFormat(request: MessagesRequest, profile: ProviderProfile): Format {
  const format = request.output_config?.format ?? request.output_format ?? undefined
  if (format?.type !== "json_schema" || format.schema === undefined) {
    return { fields: {}, instruction: undefined, notes: [] }
  }
  const { schema } = format
  if (profile.responseFormat === "json_schema") {
    const json_schema = { name: "response", schema, ...(isStrict(schema) ? { strict: true } : {}) }
    return {
      fields: { response_format: { type: "json_schema", json_schema } },
      instruction: undefined,
      notes: [],
    }
  }
  const instruction = `Answer with one JSON object only, no other text, that matches this JSON schema:\n${JSON.stringify(schema)}`
  const fields =
    profile.responseFormat === "none" ? {} : { response_format: { type: "json_object" } as const }
  const notes = [
    changed("output_config.format", "asked for in the system prompt: no JSON schema support here"),
  ]
  return { fields, instruction, notes }
}

// What the client calls the fields that the deny-list names in the upstream's words.
const clientPaths: Readonly<Partial<Record<keyof ChatRequest, string>>> = {
  reasoning_effort: "output_config.effort",
  response_format: "output_config.format",
  stop: "stop_sequences",
  parallel_tool_calls: "tool_choice.disable_parallel_tool_use",
}

/** The last word of the profile: clamped values, and no field that the provider refuses. */
function applyProfile(
  full: ChatRequest,
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
    notes.push(dropped(clientPaths[field] ?? field, "refused by this provider or model"))
  }
  return { body, notes }
}

/** Every name that had to be changed, offered now or called earlier, by its upstream form. */
function mappedNames(request: MessagesRequest, profile: ProviderProfile): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { name } of request.tools ?? []) {
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
