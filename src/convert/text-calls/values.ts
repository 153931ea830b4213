// From what a section held to calls: whose names were offered, and whose arguments are an object.

import { isObject, type JsonObject, objectOf, parseJson } from "../../protocol/json.ts"
import { bareName, inOtherCase } from "../tool-calls/tool-names.ts"
import { readBraced, readPythonArgs, readPythonCalls } from "./literals.ts"
import { markedArgs, readFlags } from "./minimax.ts"
import type { Entry } from "./section.ts"
import { jsonText, type Parameter, typedArgs } from "./typed-values.ts"

export interface TextCall {
  readonly name: string
  /** JSON text of an object. */
  readonly args: string
}

export interface Tools {
  readonly offered: ReadonlySet<string>
  readonly schemas: ReadonlyMap<string, JsonObject>
}

/** The calls of a section, or undefined when one of them is none: then all of it is text. */
export function callsOf(entries: readonly Entry[], tools: Tools): readonly TextCall[] | undefined {
  const drafts = draftsOf(entries)
  if (drafts === undefined || drafts.length === 0) return undefined
  const calls: TextCall[] = []
  for (const draft of drafts) {
    const name = offeredName(draft.name, tools.offered)
    const args = name === undefined ? undefined : argsOf(draft, tools.schemas.get(name))
    if (name === undefined || args === undefined) return undefined
    calls.push({ name, args })
  }
  return calls
}

type Draft =
  | { readonly kind: "json"; readonly name: string; readonly args: string }
  | { readonly kind: "parameters"; readonly name: string; readonly parameters: readonly Parameter[] }
  | { readonly kind: "marked"; readonly name: string; readonly text: string }

interface Collector {
  readonly drafts: Draft[]
  name: string | undefined
  key: string
  parameters: Parameter[]
}

function draftsOf(entries: readonly Entry[]): readonly Draft[] | undefined {
  const collector: Collector = { drafts: [], name: undefined, key: "", parameters: [] }
  return entries.every((entry) => collect(collector, entry)) ? collector.drafts : undefined
}

/** One entry of the log; false when the section is no call. */
function collect(collector: Collector, { take, text }: Entry): boolean {
  switch (take) {
    case "name":
      return startCall(collector, text)
    case "key":
      collector.key = text
      return true
    case "id":
      return true
    case "args":
      return endCall(collector, (name) => ({ kind: "json", name, args: text }))
    case "close":
      return endCall(collector, (name) => ({ kind: "parameters", name, parameters: collector.parameters }))
    case "calls":
      return listCalls(collector, text)
    case "written":
      return listCalls(collector, text) || pythonCalls(collector, text)
    case "python":
      return writtenCall(collector, readPythonArgs(text))
    case "braced":
      return writtenCall(collector, readBraced(text))
    case "marked":
      return endCall(collector, (name) => ({ kind: "marked", name, text }))
    case "flags":
      return flagCall(collector, readFlags(text))
    case "junk":
      return false
    default:
      collector.parameters.push({ key: collector.key, take, text })
      return true
  }
}

/** DeepSeek writes a type before the name, which is always the same. */
function startCall(collector: Collector, name: string): boolean {
  if (collector.name !== undefined && collector.name !== "function") return false
  collector.name = name
  collector.parameters = []
  return true
}

function endCall(collector: Collector, draft: (name: string) => Draft): boolean {
  if (collector.name === undefined) return false
  collector.drafts.push(draft(collector.name))
  collector.name = undefined
  return true
}

function listCalls({ drafts }: Collector, text: string): boolean {
  const parsed = parseJson(text)
  if (!parsed.ok) return false
  const items = Array.isArray(parsed.value) ? parsed.value : [parsed.value]
  return items.every((item) => {
    const draft = namedCall(item)
    if (draft !== undefined) drafts.push(draft)
    return draft !== undefined
  })
}

function pythonCalls({ drafts }: Collector, text: string): boolean {
  const calls = readPythonCalls(text)
  for (const { name, args } of calls ?? []) drafts.push({ kind: "json", name, args: JSON.stringify(args) })
  return calls !== undefined
}

function writtenCall(collector: Collector, args: JsonObject | undefined): boolean {
  return (
    args !== undefined && endCall(collector, (name) => ({ kind: "json", name, args: JSON.stringify(args) }))
  )
}

function flagCall(collector: Collector, parameters: readonly Parameter[] | undefined): boolean {
  return parameters !== undefined && endCall(collector, (name) => ({ kind: "parameters", name, parameters }))
}

const besideName = new Set(["name", "tool_name", "tool_call_id", "id", "type"])

/** `{"name": …, "arguments" or "parameters": …}`, also inside `{"function": …}`. */
function namedCall(item: unknown): Draft | undefined {
  const outer = objectOf(item)
  const call = isObject(outer["function"]) ? outer["function"] : outer
  const { name = call["tool_name"], arguments: own, parameters: other } = call
  if (typeof name !== "string" || (own !== undefined && other !== undefined)) return undefined
  // So tools are offered, of which models repeat the list.
  if (other !== undefined && typeof call["description"] === "string") return undefined
  const given = own ?? other
  if (typeof given === "string") return { kind: "json", name, args: given }
  if (isObject(given)) {
    const args = jsonText(given)
    return args === undefined ? undefined : { kind: "json", name, args }
  }
  // The form in which tools are offered has a call's name in it, too, but a call has an id or arguments there.
  if (call !== outer && given === undefined && outer["id"] === undefined) return undefined
  // Without arguments it is a call only if nothing else stands there that could be meant for them.
  if (given !== undefined || !Object.keys(call).every((key) => besideName.has(key))) return undefined
  return { kind: "json", name, args: "{}" }
}

const noNames: ReadonlyMap<string, string> = new Map()

/** The name as it was offered; models put a namespace before it, and Kimi a count behind. */
function offeredName(written: string, offered: ReadonlySet<string>): string | undefined {
  const name = written.trim()
  const uncounted = name.replace(/:\d+$/, "")
  const forms = [name, uncounted, bareName(name), bareName(uncounted)]
  const known = { offered, toolNames: noNames }
  const found = forms.find((form) => offered.has(form))
  return found ?? forms.map((form) => inOtherCase(form, known)).find((one) => one !== undefined)
}

/** Has this tool been offered? */
export const isOffered = ({ offered }: Tools, name: string): boolean =>
  offeredName(name, offered) !== undefined

function argsOf(draft: Draft, schema: JsonObject | undefined): string | undefined {
  if (draft.kind === "parameters") return typedArgs(draft.parameters, schema)
  if (draft.kind === "marked") return markedArgs(draft.text, schema)
  const parsed = parseJson(draft.args)
  if (!parsed.ok || !isObject(parsed.value)) return undefined
  return isDefinition(parsed.value, schema) ? undefined : draft.args.trim()
}

/** A list of the tools, not a call of one: these are no arguments but the schema that they have. */
function isDefinition({ type, properties }: JsonObject, schema: JsonObject | undefined): boolean {
  const taken = objectOf(schema?.["properties"])
  const told = isObject(properties) ? "properties" : "type"
  return type === "object" && !Object.hasOwn(taken, told)
}
