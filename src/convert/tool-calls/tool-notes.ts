// What is said for the log about the calls of a reply.
import { changed } from "../../protocol/fault.ts"
import { isObject, type JsonObject, type Parsed } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { checkArguments } from "./argument-check.ts"
import { isBeginning } from "./json-prefix.ts"
import { repair } from "./repairs.ts"

/**
 * What is wrong with a call's arguments as they were passed on in the end, and as they are read; `cut`: the length limit
 * ended them.
 */
export function judge(
  text: string,
  parsed: Parsed,
  name: string,
  cut: boolean,
  schemas: ReadonlyMap<string, JsonObject> | undefined,
): readonly string[] {
  if (!parsed.ok && isBeginning(text)) return cut ? [] : [repair.unfinished]
  if (!parsed.ok) return [repair.invalid]
  if (text === "" && cut) return []
  const schema = schemas?.get(name)
  if (schema === undefined || !isObject(parsed.value)) return []
  const wrong = checkArguments(schema, parsed.value)
  return wrong === undefined ? [] : [`arguments do not match the schema of ${name}: ${wrong}`]
}

/** A note for each thing done to the arguments that has not been told yet. */
export function pushNotes(
  position: number,
  told: readonly string[],
  all: readonly string[],
  out: Delta[],
): void {
  for (const why of all.slice(told.length)) {
    out.push({ kind: "note", note: changed(`tool_calls.${position}.function.arguments`, why) })
  }
}
