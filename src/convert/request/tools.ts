// Tools and the choice among them.
import type { ChatFunctionTool, ChatToolChoice } from "../../protocol/chat/chat.ts"
import { changed, dropped, joinNotes, type Note, noNotes } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { Message, MessagesRequest } from "../../protocol/messages/messages.ts"
import type { Tool, ToolChoice } from "../../protocol/messages/tools.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { mapToolName } from "../dialogue/names.ts"
import { noTools, repeated } from "../dialogue/tool-changes.ts"
import { isStrict, prepareParameters } from "../schema/schema.ts"
import { historyTools } from "./history-tools.ts"
import { findTypedTool } from "./typed-tools.ts"

export interface PreparedTools {
  readonly tools: readonly ChatFunctionTool[]
  readonly choice: ChatToolChoice | undefined
  readonly parallel: false | undefined
  /** The client insists on a call. */
  readonly forced: boolean
  /** The client's names of the tools that are sent. */
  readonly offered: ReadonlySet<string>
  /** Their own schemas by the client's names, to hold arguments against. */
  readonly schemas: ReadonlyMap<string, JsonObject>
  readonly notes: readonly Note[]
}

// Claude Code's stand-in for tools it has not loaded: it must never be called, so it is not shown.
const placeholderName = "DeferredToolPlaceholder"

interface Candidate {
  readonly tool: Tool
  readonly chat: ChatFunctionTool
}

const nothing: PreparedTools = {
  tools: [],
  choice: undefined,
  parallel: undefined,
  forced: false,
  offered: new Set(),
  schemas: new Map(),
  notes: [],
}

/** The tools of a request and its tool_choice, in the provider's form. */
export function prepareTools(request: MessagesRequest, profile: ProviderProfile): PreparedTools {
  const { tools, tool_choice: choice } = request
  const isWithout = (tools ?? noTools).length === 0 && (choice ?? undefined) === undefined
  return isWithout && !profile.toolsForHistory ? nothing : prepareSome(request, profile)
}

function prepareSome(request: MessagesRequest, profile: ProviderProfile): PreparedTools {
  const choice = request.tool_choice ?? undefined
  const { all, notes } = convertTools(request, profile)
  const wanted = choice?.type === "tool" ? all.filter(({ tool }) => tool.name === choice.name) : all
  const mapped = all.length === 0 ? withoutTools(choice) : mapToolChoice(choice, profile, wanted.length > 0)
  const chosen = mapped.only === "all" ? all : mapped.only === "wanted" ? wanted : []
  const { sent, note: cut } = limitTools(chosen, wanted, profile)
  const single = choice !== undefined && choice.type !== "none" && choice.disable_parallel_tool_use === true
  const past = sent.length === 0 ? historyTools(request, profile) : []
  const { offered, schemas } = known(sent)
  const note = mapped.note === undefined ? noNotes : [mapped.note]
  return {
    tools: sent.length === 0 ? past : sent.map(({ chat }) => chat),
    choice: sent.length > 0 ? mapped.choice : past.length > 0 ? "none" : undefined,
    parallel: single && sent.length > 0 ? false : undefined,
    forced: isForced(mapped.choice),
    offered,
    schemas,
    notes: joinNotes(joinNotes(notes, note), cut),
  }
}

/** What is known of the tools that are sent, by the client's names. */
function known(sent: readonly Candidate[]): Pick<PreparedTools, "offered" | "schemas"> {
  const offered = new Set<string>()
  const schemas = new Map<string, JsonObject>()
  for (const { tool } of sent) {
    offered.add(tool.name)
    schemas.set(tool.name, tool.input_schema ?? {})
  }
  return { offered, schemas }
}

/** Does the choice leave the model no way but a call? */
export function isForced(choice: ChatToolChoice | undefined): boolean {
  return choice !== undefined && choice !== "auto" && choice !== "none"
}

/** No more tools than the provider takes: the last ones stay behind, but never the one that is insisted on. */
function limitTools(
  tools: readonly Candidate[],
  wanted: readonly Candidate[],
  { maxTools }: ProviderProfile,
): { readonly sent: readonly Candidate[]; readonly note: readonly Note[] } {
  if (maxTools === null || tools.length <= maxTools) return { sent: tools, note: noNotes }
  const first = wanted.length === tools.length ? [] : wanted
  const rest = tools.filter((tool) => !first.includes(tool)).slice(0, maxTools - first.length)
  const kept = new Set([...first, ...rest])
  const why = `${tools.length - kept.size} of ${tools.length} left out: no more than ${maxTools} are taken here`
  return { sent: tools.filter((tool) => kept.has(tool)), note: [dropped("tools", why)] }
}

function withoutTools(choice: ToolChoice | undefined): MappedChoice {
  const mapped = { choice: undefined, only: "all" } as const
  if (choice?.type !== "any" && choice?.type !== "tool") return mapped
  return { ...mapped, note: dropped("tool_choice", "no tool is sent") }
}

function convertTools(
  request: MessagesRequest,
  profile: ProviderProfile,
): { readonly all: readonly Candidate[]; readonly notes: readonly Note[] } {
  const notes: Note[] = []
  const all: Candidate[] = []
  const names = new Set<string>()
  for (const tool of inStableOrder(request.tools ?? [], request.messages)) {
    const { path } = tool
    const converted = tool.name === placeholderName ? undefined : convertTool(tool, profile)
    if (converted === undefined) notes.push(dropped(path, dropReason(tool)))
    else if (names.has(tool.name)) notes.push(repeated(tool))
    else {
      names.add(tool.name)
      all.push({ tool, chat: converted.chat })
      for (const note of converted.notes) notes.push(note)
      noteStrict(tool, converted.chat, notes)
    }
  }
  return { all, notes }
}

function noteStrict(tool: Tool, chat: ChatFunctionTool, notes: Note[]): void {
  if (!tool.strict || chat.function.strict === true) return
  notes.push(dropped(`${tool.path}.strict`, "not taken here, or the schema does not keep its rules"))
}

interface ConvertedTool {
  readonly chat: ChatFunctionTool
  readonly notes: readonly Note[]
}

function dropReason(tool: Tool): string {
  if (tool.name === placeholderName) return "a placeholder that no model may call"
  return `${tool.type} runs on Anthropic's servers and has no counterpart here`
}

/**
 * The client's order; tools that were loaded later go behind the others in the order they were first referred
 * to, so that loading one does not change the prefix before it.
 */
function inStableOrder(tools: readonly Tool[], messages: readonly Message[]): readonly Tool[] {
  if (!tools.some((tool) => tool.defer_loading)) return tools
  const referred = messages.flatMap((message) =>
    message.content.flatMap((block) =>
      block.type === "tool_result"
        ? block.content.flatMap((inner) => (inner.type === "tool_reference" ? [inner.tool_name] : []))
        : [],
    ),
  )
  const rank = (tool: Tool) => {
    if (!tool.defer_loading) return -1
    const position = referred.indexOf(tool.name)
    return position < 0 ? referred.length : position
  }
  return tools.toSorted((left, right) => rank(left) - rank(right))
}

function convertTool(tool: Tool, profile: ProviderProfile): ConvertedTool | undefined {
  const { path } = tool
  const typed = tool.type === "custom" ? undefined : findTypedTool(tool)
  if (tool.type !== "custom" && typed === undefined && tool.input_schema === undefined) return undefined
  const given = tool.input_schema ?? typed?.parameters
  const { schema: parameters, notes } = prepareParameters(given, profile.schema, `${path}.input_schema`)
  const description = tool.description ?? typed?.description
  const strict = tool.strict && profile.strictTools && isStrict(parameters)
  const name = mapToolName(tool.name, profile)
  const definition =
    description === undefined
      ? { name, parameters }
      : { name, description: description.toWellFormed(), parameters }
  const chat: ChatFunctionTool = {
    type: "function",
    function: strict ? { ...definition, strict: true } : definition,
  }
  return { chat, notes }
}

interface MappedChoice {
  readonly choice: ChatToolChoice | undefined
  /** Which tools still go with it. */
  readonly only: "all" | "wanted" | "none"
  readonly note?: Note
}

const unforced = changed("tool_choice", "auto, because this provider forces no tool")

function mapToolChoice(
  choice: ToolChoice | undefined,
  profile: ProviderProfile,
  known: boolean,
): MappedChoice {
  const rules = profile.toolChoice
  switch (choice?.type) {
    case undefined:
    case "auto":
      return { choice: undefined, only: "all" }
    case "none":
      if (rules.none === "none") return { choice: "none", only: "all" }
      return { choice: undefined, only: "none", note: changed("tool_choice", "no tools are sent instead") }
    case "any":
      if (rules.any === "auto") return { choice: "auto", only: "all", note: unforced }
      return { choice: rules.any, only: "all" }
    case "tool":
      if (known) return mapNamed(choice.name, profile)
      return {
        choice: undefined,
        only: "all",
        note: dropped("tool_choice", `no tool ${choice.name} is sent`),
      }
    default:
      return choice satisfies never
  }
}

function mapNamed(name: string, profile: ProviderProfile): MappedChoice {
  switch (profile.toolChoice.named) {
    case "named": {
      const mapped = mapToolName(name, profile)
      return { choice: { type: "function", function: { name: mapped } }, only: "all" }
    }
    case "only-tool": {
      const note = changed("tool_choice", "only this tool is offered")
      return { choice: profile.toolChoice.any, only: "wanted", note }
    }
    case "auto":
      return { choice: "auto", only: "all", note: unforced }
    default:
      return profile.toolChoice.named satisfies never
  }
}
