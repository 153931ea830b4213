// A call's whole argument text, read as the object it was meant to be.
import { isObject, type JsonObject } from "../../protocol/json.ts"
import { repairJson } from "./json-repair.ts"
import { repair } from "./repairs.ts"

interface Input {
  readonly ok: boolean
  readonly input: JsonObject
  /** The same as text; nothing for an empty object. */
  readonly json: string
  readonly what: readonly string[]
}

const nothing: Input = { ok: true, input: {}, json: "", what: [] }

/** Without the Markdown fence around it. */
export const bareText = (json: string) => json.replace(/^\s*```\w*|```\s*$/g, "").trim()

/**
 * The object that an argument text stands for, by the rules of toolInput. Not `ok`: the text is not one JSON value,
 * not even a broken one, so more of it may come.
 */
export function readInput(json: string, mayClose: boolean): Input {
  const bare = bareText(json)
  if (bare === "") return nothing
  const found = repairJson(bare)
  if (!found.ok || (!mayClose && found.what.includes(repair.closed))) return unread(json, false)
  const fence = bare.length < json.trim().length ? [repair.fence] : []
  const what = [...fence, ...found.what]
  if (typeof found.value !== "string") return objectInput(found.value, found.text, what)
  if (found.value.trim() === "") return { ...nothing, what }
  // That the string around it was closed shows that nothing was cut off.
  const inner = repairJson(found.value)
  if (!inner.ok || !isObject(inner.value)) return unread(found.value, true)
  return objectInput(inner.value, inner.text, [...what, repair.encodedTwice, ...inner.what])
}

function objectInput(value: unknown, text: string, what: readonly string[]): Input {
  if (!isObject(value)) return { ...nothing, what: value === null ? what : [...what, repair.noObject] }
  return { ok: true, input: value, json: Object.keys(value).length === 0 ? "" : text, what }
}

function unread(text: string, ok: boolean): Input {
  const input = { _raw_arguments: text }
  return { ok, input, json: JSON.stringify(input), what: [repair.raw] }
}
