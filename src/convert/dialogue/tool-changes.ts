// Tools that a conversation adds and removes as it goes: blocks of system messages change the list that the
// request began with (Anthropic beta mid-conversation-tool-changes-2026-07-01, seen with SDK 1.11).
import { dropped, type Note, noNotes } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Message, MessagesRequest } from "../../protocol/messages/messages.ts"
import { Tool } from "../../protocol/messages/tools.ts"

interface ToolChanges {
  /** The tools in force at the end of the conversation; new ones stand last, so that the prefix stays. */
  readonly tools: readonly Tool[]
  readonly notes: readonly Note[]
}

/** Is this a block of a system message that changes the tools? */
export function isToolChange(block: JsonObject): boolean {
  return block["type"] === "tool_addition" || block["type"] === "tool_removal"
}

/** The note on a tool whose name another one has already. */
export const repeated = ({ name, path }: Tool): Note =>
  dropped(path, `another tool is called ${name} already`)

/** The request's own tools with every change applied in order; a later definition of a name wins. */
export function applyToolChanges(request: MessagesRequest): ToolChanges {
  const own = request.tools ?? noTools
  const changes = findChanges(request.messages)
  if (changes === undefined) return unchanged(own)
  const tools = new Map<string, Tool>()
  const notes: Note[] = []
  for (const tool of own) {
    if (tools.has(tool.name)) notes.push(repeated(tool))
    else tools.set(tool.name, tool)
  }
  // Whatever was defined once can be referred to, also after it was taken away.
  const defined = new Map(tools)
  for (const { block, path } of changes) {
    const target = objectOf(block["tool"])
    const name = nameOf(target)
    const added = block["type"] === "tool_addition" ? readAddition(target, defined, path) : undefined
    if (added !== undefined) {
      tools.set(added.name, added)
      defined.set(added.name, added)
    } else if (block["type"] === "tool_addition")
      notes.push(dropped(path, "names no tool that could be added"))
    else if (name !== undefined) tools.delete(name)
  }
  return { tools: [...tools.values()], notes }
}

/** One for all requests without tools. */
export const noTools: readonly Tool[] = Object.freeze([])
const noChanges: ToolChanges = { tools: noTools, notes: noNotes }

const unchanged = (tools: readonly Tool[]): ToolChanges =>
  tools === noTools ? noChanges : { tools, notes: noNotes }

/** Tools of MCP servers have names of their own, which say nothing of the client's. */
export function nameOf(target: JsonObject): string | undefined {
  if (textOf(target["type"])?.startsWith("mcp_")) return undefined
  return textOf(target["name"]) ?? textOf(objectOf(target["definition"])["name"])
}

/** A definition that comes with the block, or a reference to a tool that was defined before it. */
function readAddition(
  target: JsonObject,
  defined: ReadonlyMap<string, Tool>,
  path: string,
): Tool | undefined {
  if (target["type"] !== "tool_definition") return defined.get(nameOf(target) ?? "")
  const parsed = Tool.safeParse(target["definition"])
  return parsed.success ? { ...parsed.data, path: `${path}.tool.definition` } : undefined
}

interface Change {
  readonly block: JsonObject
  readonly path: string
}

/** Changes stand in system messages; what was compacted left its own with the summary. Undefined: there are none. */
export function findChanges(messages: readonly Message[]): readonly Change[] | undefined {
  let changes: Change[] | undefined
  for (let index = 0; index < messages.length; index++) {
    const { role, content } = messages[index] ?? noMessage
    const mayChange = role !== "user" && role !== "assistant"
    for (let position = 0; position < content.length; position++) {
      const block = content[position]
      if (block?.type !== "other") continue
      const found = changesIn(block.original, mayChange, `messages.${index}.content.${position}`)
      if (found.length === 0) continue
      changes ??= []
      changes.push(...found)
    }
  }
  return changes
}

const noMessage: Pick<Message, "role" | "content"> = { role: "user", content: [] }

function changesIn(block: JsonObject, mayChange: boolean, path: string): readonly Change[] {
  if (block["type"] === "compaction") return compactedChanges(block, path)
  return mayChange && isToolChange(block) ? [{ block, path }] : noneFound
}

const noneFound: readonly Change[] = []

function compactedChanges(block: JsonObject, path: string): readonly Change[] {
  const compacted = arrayOf(block["tool_changes"]).filter(isObject).filter(isToolChange)
  return compacted.map((change, at) => ({ block: change, path: `${path}.tool_changes.${at}` }))
}
