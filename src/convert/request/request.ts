// A Messages request as a Chat Completions request: parameters and assembly. The parts are in the files
// named after them.
import type { ChatMessage, ChatRequest } from "../../protocol/chat.ts"
import { dropped, type Note } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { MessagesRequest } from "../../protocol/messages.ts"
import type { Tool } from "../../protocol/tools.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import type { Delta, Search } from "../delta.ts"
import { convertFormat, type Format } from "../schema/schema.ts"
import { taskOf } from "../task/task.ts"
import type { Recall, ToolUse } from "./assistant.ts"
import { markCache } from "./cache-marks.ts"
import { askForSummary } from "./compaction.ts"
import { convertDialogue, type Dialogue } from "./dialogue.ts"
import { mapToolName } from "./names.ts"
import {
  applyProfile,
  prepareMaxTokens,
  prepareStops,
  type Sampling,
  sampling,
  serviceTier,
  streaming,
  type TokenLimits,
} from "./parameters.ts"
import type { ResponsesParts } from "./responses-body.ts"
import { cacheKey } from "./session.ts"
import { joinSystem } from "./system.ts"
import { convertThinking, type Reasoning, wishOf } from "./thinking.ts"
import { applyToolChanges } from "./tool-changes.ts"
import { type PreparedTools, prepareTools } from "./tools.ts"
import { type ConvertedSearch, convertSearch } from "./web-search.ts"

export interface Conversion {
  /** For an upstream of Chat Completions. */
  readonly body: ChatRequest
  /** What the body lacks where the Responses API is spoken; see toResponses. */
  readonly responses: ResponsesParts | undefined
  readonly notes: readonly Note[]
  /** The whole reply, where the request can be answered without asking anybody. */
  readonly answer: readonly Delta[] | undefined
  /** Upstream's tool names to the client's, where they differ. */
  readonly toolNames: ReadonlyMap<string, string>
  /** The client's names of the tools that were sent, and their schemas. */
  readonly offered: ReadonlySet<string>
  readonly schemas: ReadonlyMap<string, JsonObject>
  /** Call ids that the conversation already uses. */
  readonly seenIds: ReadonlySet<string>
  readonly stopSequences: readonly string[]
  /** Those to be watched for here, because the provider does not take them all. */
  readonly watchedStops: readonly string[]
  /** Whether reasoning in the reply is shown to the client. */
  readonly showReasoning: boolean
  /** A web search that the upstream runs. */
  readonly search: Search | undefined
  /** The reply is to be a summary of the conversation. */
  readonly summary: boolean
  /** What the reply may say once more, and the client has already. */
  readonly repeats: string
  /** JSON was asked for: a Markdown fence around it is taken off. */
  readonly json: boolean
  /** What the system prompt says in place of the schema that was sent, should the upstream refuse it. */
  readonly formatFallback?: { readonly role: "system" | "developer"; readonly text: string } | undefined
}

const forgetful: Recall = () => undefined

/**
 * `session` groups requests for the provider's cache; undefined when the client names none. `recall` gives the
 * thinking before a call, where it is remembered. Throws only a RangeError, for a request nested deeper than
 * the stack.
 */
export function convertRequest(
  given: MessagesRequest,
  route: Route,
  limits: TokenLimits,
  session: string | undefined,
  recall: Recall = forgetful,
): Conversion {
  const { profile } = route
  const changes = applyToolChanges(given)
  const search = convertSearch(withTools(given, changes.tools), profile)
  const request = askForSummary(withTools(given, search.tools))
  const tools = prepareTools(request, profile)
  const hasTools = tools.tools.length + search.chatTools.length + search.hosted.length > 0
  const task = taskOf(given.messages)
  const wish = wishOf(request, route.defaults, task)
  const thinking = convertThinking(wish, profile, { forced: tools.forced, hasTools })
  const sendReasoning = !thinking.off || thinksAnyway(profile)
  const target = { provider: route.provider, model: route.model }
  const dialogue = convertDialogue(request.messages, { profile, target, sendReasoning, recall })
  const format = convertFormat(request, profile, hasTools)
  const maxTokens = prepareMaxTokens(request, profile, limits, thinking.wanted)
  const stops = prepareStops(request, profile)
  const sampled = sampling(request, route, task)
  const system = [joinSystem(request.system), ...dialogue.hoisted, format.instruction]
  const parts: Parts = {
    tools,
    search,
    thinking,
    dialogue,
    format,
    stops,
    sampled,
    maxTokens: maxTokens.value,
    system,
  }
  const { body, notes: removed } = applyProfile(buildBody(request, route, parts, session), request, profile)
  const calls = toolUses(request)
  const noted = [changes, search, tools, thinking, dialogue, maxTokens, stops, sampled, format]
  return {
    body,
    responses: responsesParts(parts, profile),
    notes: [...noted.flatMap(({ notes }) => notes), ...removed, ...noteMetadata(request)],
    answer: search.answer,
    toolNames: mappedNames([...(request.tools ?? []), ...calls], profile),
    offered: tools.offered,
    schemas: tools.schemas,
    seenIds: new Set(calls.map(({ id }) => id)),
    stopSequences: stops.wanted,
    watchedStops: stops.watched,
    // A model that thinks although it should not wants its reasoning back like any other.
    showReasoning: !thinking.off || (profile.reasoning.sendBack !== "never" && thinksAnyway(profile)),
    search: search.search,
    summary: given.compaction?.type === "summarize",
    repeats: dialogue.repeats,
    json: (request.output_config?.format ?? request.output_format ?? undefined) !== undefined,
    formatFallback: prepareFallback(request, profile, body),
  }
}

function withTools(request: MessagesRequest, tools: readonly Tool[]): MessagesRequest {
  const { tools: own } = request
  if (tools === own || (tools.length === 0 && (own === undefined || own === null))) return request
  return { ...request, tools: [...tools] }
}

function prepareFallback(
  request: MessagesRequest,
  profile: ProviderProfile,
  { response_format }: ChatRequest,
): Conversion["formatFallback"] {
  if (response_format?.type !== "json_schema") return undefined
  const { instruction } = convertFormat(request, { ...profile, responseFormat: "none" })
  return instruction === undefined ? undefined : { role: profile.systemRole, text: instruction }
}

function responsesParts(
  { dialogue: { input }, search, thinking }: Parts,
  { reasoning }: ProviderProfile,
): ResponsesParts | undefined {
  if (input === undefined) return undefined
  return {
    input,
    search: search.hosted,
    forcesSearch: search.search?.forced === true && search.hosted.length > 0,
    keepsReasoning: reasoning.sendBack !== "never",
    summarises: !thinking.off,
  }
}

/** What the parts of a request were made into. */
interface Parts {
  readonly tools: PreparedTools
  readonly search: ConvertedSearch
  readonly thinking: Reasoning
  readonly dialogue: Dialogue
  readonly format: Format
  readonly stops: { readonly sent: readonly string[] }
  readonly sampled: Sampling
  readonly maxTokens: number
  readonly system: readonly (string | undefined)[]
}

function buildBody(
  request: MessagesRequest,
  { profile, model }: Route,
  { tools, search, thinking, dialogue, format, stops, sampled, maxTokens, system }: Parts,
  session: string | undefined,
): ChatRequest {
  const texts = system.filter((text) => text !== undefined)
  const messages = [...systemMessage(texts, profile), ...dialogue.messages]
  const offered = search.chatTools.length === 0 ? tools.tools : [...tools.tools, ...search.chatTools]
  const choice = thinking.unforce ? "auto" : tools.choice
  const body: ChatRequest = {
    ...profile.extraBody,
    model,
    messages: profile.cacheControl && wantsCache(request) ? markCache(messages) : messages,
  }
  body[profile.maxTokensField] = maxTokens
  Object.assign(body, sampled.fields)
  if (stops.sent.length > 0) body.stop = stops.sent
  Object.assign(body, streaming(request, profile, offered.length > 0))
  if (offered.length > 0) body.tools = offered
  if (choice !== undefined) body.tool_choice = choice
  if (tools.parallel !== undefined) body[profile.parallelField] = tools.parallel
  Object.assign(body, thinking.fields, format.fields, search.fields, dialogue.fields, serviceTier(request))
  if (profile.promptCacheKey && session !== undefined) body.prompt_cache_key = cacheKey(session)
  if (profile.sendStoreFalse) body.store = false
  return body
}

/** Where thinking cannot be switched off, earlier reasoning is still asked for; some ask for it at all times. */
function thinksAnyway({ reasoning }: ProviderProfile): boolean {
  return reasoning.request === "none" || !reasoning.canDisable || reasoning.sendBackWhenOff
}

/** Claude Code marks what it wants cached; who marks nothing does not want to pay for it. */
function wantsCache({ messages }: MessagesRequest): boolean {
  return messages.some((message) => message.cache_control)
}

function systemMessage(texts: readonly string[], profile: ProviderProfile): readonly ChatMessage[] {
  return texts.length === 0 ? [] : [{ role: profile.systemRole, content: texts.join("\n\n") }]
}

/** Who is asking is nobody's business upstream: the id names a device and an account. */
function noteMetadata(request: MessagesRequest): readonly Note[] {
  if (!request.metadata?.user_id) return []
  return [dropped("metadata.user_id", "identifies a user; at most its session is sent, as a cache key")]
}

function toolUses({ messages }: MessagesRequest): readonly ToolUse[] {
  const calls: ToolUse[] = []
  for (const { content } of messages) {
    for (const block of content) if (block.type === "tool_use") calls.push(block)
  }
  return calls
}

/** Every name that had to be changed, offered now or called earlier, by its upstream form. */
function mappedNames(
  named: readonly { readonly name: string }[],
  profile: ProviderProfile,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { name } of named) {
    const mapped = mapToolName(name, profile)
    if (mapped !== name) names.set(mapped, name)
  }
  return names
}
