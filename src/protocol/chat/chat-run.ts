// Chunks in a row that are alike but for one text: nearly all of a streamed reply. Once the first of them has been
// read, the texts say all there is to know of the others.
import { isObject, type JsonObject, objectOf } from "../json.ts"
import type { Texts } from "../texts.ts"

export interface ChatRun extends Texts {
  /** A chunk like all of them. */
  readonly chunk: JsonObject
  /** Where the text stands: a field of the delta, or `arguments` of the one call in it. */
  readonly field: string
}

/** The place of a call's arguments, which are no field of the delta itself. */
export const argumentsField = "arguments"

interface SoleText {
  readonly field: string
  readonly text: string
}

/**
 * The one text of a chunk that says nothing else: no usage, no finish reason, no second choice. Undefined where it
 * may say more, which is the answer in all cases of doubt.
 */
export function soleText(chunk: unknown): SoleText | undefined {
  if (!isObject(chunk) || !Array.isArray(chunk["choices"]) || chunk["choices"].length !== 1) return undefined
  const [choice] = chunk["choices"]
  if (!isObject(choice) || !isObject(choice["delta"]) || !isPlain(chunk, "choices")) return undefined
  const open = saysNothing(choice["finish_reason"]) && saysNothing(choice["error"])
  return open && isPlain(choice, "delta") ? textIn(choice["delta"]) : undefined
}

/** The chunk of a run with another text. */
export function withText({ chunk, field }: Omit<ChatRun, keyof Texts>, text: string): JsonObject {
  const [choice] = Array.isArray(chunk["choices"]) ? chunk["choices"] : []
  const { delta } = objectOf(choice)
  const said = field === argumentsField ? { tool_calls: [withArguments(delta, text)] } : { [field]: text }
  return { ...chunk, choices: [{ ...objectOf(choice), delta: { ...objectOf(delta), ...said } }] }
}

function withArguments(delta: unknown, text: string): JsonObject {
  const call = callIn(objectOf(delta)) ?? {}
  return { ...call, function: { ...objectOf(call["function"]), arguments: text } }
}

/** Nothing but plain values beside the member that holds the rest: lists and objects would say more. */
function isPlain(given: JsonObject, inner: string): boolean {
  for (const key in given)
    if (key !== inner && typeof given[key] === "object" && given[key] !== null) return false
  return true
}

const saysNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)

function textIn(delta: JsonObject): SoleText | undefined {
  let found: SoleText | undefined
  for (const key in delta) {
    const value = delta[key]
    if (key === "role" || saysNothing(value)) continue
    if (found !== undefined) return undefined
    if (typeof value === "string") found = { field: key, text: value }
    else if (key !== "tool_calls") return undefined
    else found = argumentsIn(callIn(delta))
    if (found === undefined) return undefined
  }
  return found
}

function callIn(delta: JsonObject): JsonObject | undefined {
  const calls = delta["tool_calls"]
  return Array.isArray(calls) && calls.length === 1 && isObject(calls[0]) ? calls[0] : undefined
}

/** Of a further piece of a call: its id and name came before. */
function argumentsIn(call: JsonObject | undefined): SoleText | undefined {
  if (call === undefined || !isObject(call["function"]) || !isPlain(call, "function")) return undefined
  const { arguments: text, name } = call["function"]
  const isPiece = saysNothing(call["id"]) && saysNothing(name) && isPlain(call["function"], "")
  return isPiece && typeof text === "string" && text !== "" ? { field: argumentsField, text } : undefined
}
