// A Messages request as a Chat Completions request: parameters and assembly. The parts are in the files
// named after them.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import { dropped, type Note } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import type { Delta, Search } from "../common/delta.ts"
import type { Recall } from "../dialogue/assistant.ts"
import { convertDialogue } from "../dialogue/dialogue.ts"
import { idsOf, mappedNames, toolUses } from "../dialogue/past-calls.ts"
import { joinSystem } from "../dialogue/system.ts"
import { applyToolChanges, noTools } from "../dialogue/tool-changes.ts"
import { convertFormat } from "../schema/schema.ts"
import type { Task } from "../task/rule.ts"
import { taskOf } from "../task/task.ts"
import { carriedChanges } from "./carried-changes.ts"
import { buildBody, type Parts } from "./chat-body.ts"
import { askForSummary } from "./compaction.ts"
import { applyProfile, prepareMaxTokens, prepareStops, sampling, type TokenLimits } from "./parameters.ts"
import type { ResponsesParts } from "./responses-body.ts"
import { convertThinking, wishOf } from "./thinking.ts"
import { prepareTools } from "./tools.ts"
import { expandToolsets, withTools } from "./toolsets.ts"
import { convertSearch } from "./web-search.ts"

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
  /** The client wants no call: what looks like one in the text is none. */
  readonly noCalls: boolean
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
  /** What it has to tell of tools besides. */
  readonly toolChanges?: readonly JsonObject[]
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
  const search = convertSearch(withTools(given, expandToolsets(changes.tools)), profile)
  const request = askForSummary(withTools(given, search.tools))
  const tools = prepareTools(request, profile)
  const hasTools = tools.tools.length + search.chatTools.length + search.hosted.length > 0
  // Few configurations go by it, and no other one pays for it.
  const task = route.tuning || route.defaults.thinking === "auto" ? taskOf(given.messages) : talk
  const wish = wishOf(request, route.defaults, task)
  const searches = search.hosted.length > 0
  const thinking = convertThinking(wish, profile, { forced: tools.forced, hasTools, searches })
  const sendReasoning = !thinking.off || thinksAnyway(profile)
  const dialogue = convertDialogue(request.messages, { profile, target: route, sendReasoning, recall })
  const format = convertFormat(request, profile, hasTools)
  const maxTokens = prepareMaxTokens(request, profile, limits, thinking.wanted)
  const stops = prepareStops(request, profile, dialogue.repeats)
  const sampled = sampling(request, route, task)
  const system = systemOf(joinSystem(request.system), dialogue.hoisted, format.instruction)
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
  const body = buildBody(request, route, parts, session)
  const notes = notesOf(changes, maxTokens, parts)
  applyProfile(body, request, profile, notes)
  noteMetadata(request, notes)
  const calls = toolUses(request)
  return {
    body,
    responses: responsesParts(parts, profile),
    notes,
    answer: search.answer,
    toolNames: mappedNames(request.tools ?? noTools, calls, profile),
    offered: tools.offered,
    schemas: tools.schemas,
    noCalls: request.tool_choice?.type === "none",
    seenIds: idsOf(calls),
    stopSequences: stops.wanted,
    watchedStops: stops.watched,
    // A model that thinks although it should not wants its reasoning back like any other.
    showReasoning: !thinking.off || (profile.reasoning.sendBack !== "never" && thinksAnyway(profile)),
    search: search.search,
    summary: given.compaction?.type === "summarize",
    toolChanges: carriedChanges(given),
    repeats: dialogue.repeats,
    json: (request.output_config?.format ?? request.output_format ?? undefined) !== undefined,
    formatFallback: prepareFallback(request, profile, body),
  }
}

const talk = (): Task => "chat"

interface Noted {
  readonly notes: readonly Note[]
}

/** All that was said of a request's parts, in the order in which they were converted. */
function notesOf(changes: Noted, maxTokens: Noted, parts: Parts): Note[] {
  const notes: Note[] = []
  addNotes(changes, notes)
  addNotes(parts.search, notes)
  addNotes(parts.tools, notes)
  addNotes(parts.thinking, notes)
  addNotes(parts.dialogue, notes)
  addNotes(maxTokens, notes)
  addNotes(parts.stops, notes)
  addNotes(parts.sampled, notes)
  addNotes(parts.format, notes)
  return notes
}

function addNotes(part: Noted, notes: Note[]): void {
  for (const note of part.notes) notes.push(note)
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
  { reasoning, extraBody }: ProviderProfile,
): ResponsesParts | undefined {
  if (input === undefined) return undefined
  return {
    input,
    search: search.hosted,
    forcesSearch: search.search?.forced === true && search.hosted.length > 0,
    keepsReasoning: reasoning.sendBack !== "never",
    summarises: !thinking.off,
    extra: extraBody,
  }
}

/** Where thinking cannot be switched off, earlier reasoning is still asked for; some ask for it at all times. */
function thinksAnyway({ reasoning }: ProviderProfile): boolean {
  return reasoning.request === "none" || !reasoning.canDisable || reasoning.sendBackWhenOff
}

/** All that is said to the model before the conversation. */
function systemOf(
  prompt: string | undefined,
  hoisted: readonly string[],
  instruction: string | undefined,
): string | undefined {
  if (hoisted.length === 0 && instruction === undefined) return prompt
  const texts = prompt === undefined ? [...hoisted] : [prompt, ...hoisted]
  if (instruction !== undefined) texts.push(instruction)
  return texts.join("\n\n")
}

/** Who is asking is nobody's business upstream: the id names a device and an account. */
function noteMetadata(request: MessagesRequest, notes: Note[]): void {
  if (!request.metadata?.user_id) return
  notes.push(dropped("metadata.user_id", "identifies a user; at most its session is sent, as a cache key"))
}
