// Tools of a Chat Completions request and the choice among them, in Anthropic's form.
import type { ChatFunctionIn, ChatRequestBody } from "../../protocol/chat/chat-request.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"

interface ToolFields {
  readonly fields: { readonly tools?: readonly JsonObject[]; readonly tool_choice?: JsonObject }
  readonly notes: readonly Note[]
}

/** `tools` or the older `functions`, and what is said of their use. */
export function convertTools(chat: ChatRequestBody): ToolFields {
  const notes: Note[] = []
  const offered = [...readTools(chat, notes), ...readFunctions(chat, notes)]
  const allowed = allowedNames(chat.tool_choice)
  const tools = offered.filter(({ name, path }) => {
    const kept = allowed === undefined || allowed.has(name)
    if (!kept) notes.push(dropped(path, `tool_choice does not allow ${name}`))
    return kept
  })
  const names = new Set(tools.map(({ name }) => name))
  const choice = withParallel(chat, readChoice(chat, names, notes), tools.length > 0)
  return {
    fields: {
      ...(tools.length === 0 ? {} : { tools: tools.map(({ tool }) => tool) }),
      ...(choice === undefined ? {} : { tool_choice: choice }),
    },
    notes,
  }
}

interface Offered {
  readonly name: string
  readonly path: string
  readonly tool: JsonObject
}

function readTools(chat: ChatRequestBody, notes: Note[]): readonly Offered[] {
  return (chat.tools ?? []).flatMap((tool, index) => {
    const path = `tools.${index}`
    if (tool.function) return [{ name: tool.function.name, path, tool: convertFunction(tool.function) }]
    notes.push(dropped(path, `a tool of type ${tool.type} has no counterpart in the Messages API`))
    return []
  })
}

/** The older form has no calls in parallel and no `tools` beside it. */
function readFunctions(chat: ChatRequestBody, notes: Note[]): readonly Offered[] {
  const functions = chat.functions ?? []
  if (functions.length > 0 && (chat.tools ?? []).length > 0) {
    notes.push(dropped("functions", "tools are given as well"))
    return []
  }
  return functions.map((one, index) => ({
    name: one.name,
    path: `functions.${index}`,
    tool: convertFunction(one),
  }))
}

function convertFunction({ name, description, parameters, strict }: ChatFunctionIn): JsonObject {
  return {
    name,
    ...(description === null || description === undefined ? {} : { description }),
    input_schema: parameters ?? { type: "object", properties: {} },
    ...(strict === true ? { strict } : {}),
  }
}

/** The names that `allowed_tools` leaves; undefined when every tool may be called. */
function allowedNames(choice: unknown): ReadonlySet<string> | undefined {
  const allowed = allowedOf(choice)
  if (allowed === undefined) return undefined
  const names = arrayOf(allowed["tools"]).map((tool) => nameOf(objectOf(tool)))
  return new Set(names.filter((name) => name !== undefined))
}

function allowedOf(choice: unknown): JsonObject | undefined {
  if (!isObject(choice) || choice["type"] !== "allowed_tools") return undefined
  return isObject(choice["allowed_tools"]) ? choice["allowed_tools"] : choice
}

/** `{function: {name}}`, `{custom: {name}}`, or the older `{name}`. */
function nameOf(value: JsonObject): string | undefined {
  const inner = value["function"] ?? value["custom"]
  return textOf(objectOf(inner)["name"]) ?? textOf(value["name"])
}

const wordTypes: Readonly<Record<string, string>> = { auto: "auto", none: "none", required: "any" }

function readChoice(
  chat: ChatRequestBody,
  names: ReadonlySet<string>,
  notes: Note[],
): JsonObject | undefined {
  const path = chat.tool_choice ? "tool_choice" : "function_call"
  const choice = chat.tool_choice || chat.function_call
  if (typeof choice === "string") return { type: wordTypes[choice] ?? "auto" }
  if (!isObject(choice)) return undefined
  const allowed = allowedOf(choice)
  if (allowed !== undefined) {
    notes.push(changed(path, "tools it does not name are left out"))
    return { type: allowed["mode"] === "required" ? "any" : "auto" }
  }
  const name = nameOf(choice)
  if (name !== undefined && names.has(name)) return { type: "tool", name }
  notes.push(dropped(path, name === undefined ? "it names no tool" : `no tool is called ${name}`))
  return undefined
}

/** One call at a time is part of Anthropic's choice; the older `functions` never gave more. */
function withParallel(
  chat: ChatRequestBody,
  choice: JsonObject | undefined,
  hasTools: boolean,
): JsonObject | undefined {
  const single = chat.parallel_tool_calls === false || usesFunctions(chat)
  if (!single || !hasTools || choice?.["type"] === "none") return choice
  return { ...(choice ?? { type: "auto" }), disable_parallel_tool_use: true }
}

/** Does the client speak the older form, so that it looks for `function_call` in the reply? */
export function usesFunctions(chat: ChatRequestBody): boolean {
  return (chat.functions ?? []).length > 0 && (chat.tools ?? []).length === 0
}
