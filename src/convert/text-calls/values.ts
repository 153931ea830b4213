// From what a section held to calls: whose names were offered, and whose arguments are an object. Parameters
// written as text get the type that the tool's schema gives them.

import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../protocol/json.ts"
import { bareName, inOtherCase } from "../tool-calls/tool-names.ts"
import { readBraced, readPythonArgs, readPythonCalls } from "./literals.ts"
import type { Entry } from "./section.ts"
import type { Take } from "./steps.ts"

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

interface Parameter {
  readonly key: string
  readonly take: Take
  readonly text: string
}

type Draft =
  | { readonly kind: "json"; readonly name: string; readonly args: string }
  | { readonly kind: "parameters"; readonly name: string; readonly parameters: readonly Parameter[] }

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

const besideName = new Set(["name", "tool_name", "tool_call_id", "id", "type"])

/** `{"name": …, "arguments" or "parameters": …}`, also inside `{"function": …}`. */
function namedCall(item: unknown): Draft | undefined {
  const outer = objectOf(item)
  const call = isObject(outer["function"]) ? outer["function"] : outer
  const { name = call["tool_name"], arguments: own, parameters: other } = call
  if (typeof name !== "string" || (own !== undefined && other !== undefined)) return undefined
  const given = own ?? other
  if (typeof given === "string") return { kind: "json", name, args: given }
  if (isObject(given)) {
    const args = jsonText(given)
    return args === undefined ? undefined : { kind: "json", name, args }
  }
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
  const parsed = parseJson(draft.args)
  if (!parsed.ok || !isObject(parsed.value)) return undefined
  return isDefinition(parsed.value, schema) ? undefined : draft.args.trim()
}

/** A list of the tools, not a call of one: these are no arguments but the schema that they have. */
function isDefinition({ type, properties }: JsonObject, schema: JsonObject | undefined): boolean {
  const takesThem = Object.hasOwn(objectOf(schema?.["properties"]), "properties")
  return type === "object" && isObject(properties) && !takesThem
}

/** Two values for one key: which of them was meant is a guess, so it is no call. */
function typedArgs(parameters: readonly Parameter[], schema: JsonObject | undefined): string | undefined {
  if (new Set(parameters.map(({ key }) => key)).size < parameters.length) return undefined
  const values = parameters.map((parameter) => [parameter.key, typedValue(parameter, schema)] as const)
  if (values.some(([, value]) => value === undefined)) return undefined
  return jsonText(Object.fromEntries(values))
}

function typedValue({ key, take, text }: Parameter, schema: JsonObject | undefined): unknown {
  if (take === "string") return text
  if (take === "literal") return parsedOr(text, undefined)
  const written = take === "lines" ? text.replace(/^\r?\n/, "").replace(/\r?\n$/, "") : text
  const properties = objectOf(schema?.["properties"])
  const types = Object.hasOwn(properties, key) ? typesOf(properties[key], objectOf(schema), 0) : []
  if (types.includes("string")) return written
  // Without any type, only what is no string in every reading is taken for something else.
  if (types.length === 0 && written.trimStart().startsWith('"')) return written
  return parsedOr(written, written)
}

function parsedOr(text: string, otherwise: unknown): unknown {
  const parsed = parseJson(text)
  return parsed.ok ? parsed.value : otherwise
}

const deepest = 8

/** The JSON types that a schema allows at its top; none when it does not say. */
function typesOf(value: unknown, root: JsonObject, depth: number): readonly unknown[] {
  const schema = objectOf(value)
  if (depth > deepest) return []
  const target = schema["$ref"]
  if (typeof target === "string") return typesOf(resolve(target, root), root, depth + 1)
  if (schema["type"] !== undefined) return [schema["type"]].flat()
  if (Array.isArray(schema["enum"]))
    return schema["enum"].map((item) => (item === null ? "null" : typeof item))
  if ("const" in schema) return [typeof schema["const"]]
  const parts = ["anyOf", "oneOf", "allOf"].flatMap((word) => arrayOf(schema[word]))
  return parts.flatMap((part) => typesOf(part, root, depth + 1))
}

/** A reference within the schema itself: `#/$defs/Name`. */
function resolve(target: string, root: JsonObject): unknown {
  const [hash, ...path] = target.split("/")
  return hash === "#" ? path.reduce<unknown>((at, key) => objectOf(at)[key], root) : undefined
}

/** JSON.parse takes deeper nesting than JSON.stringify can walk. */
function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
