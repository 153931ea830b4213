// The end of JSON that was passed on while it came: what can still be said behind it.
import { parseJson } from "../../protocol/json.ts"
import { literals, openBrace, openBracket } from "./json-characters.ts"
import type { JsonFilter, Open } from "./json-stream.ts"
import { addRepairs, repair } from "./repairs.ts"

/**
 * The text is over: what is left to pass on behind `passed`. With `mayClose`, brackets that are still open are
 * closed if nothing else is missing: no end of a string, no value, no half word.
 */
export function endJson(
  filter: JsonFilter,
  passed: string,
  mayClose: boolean,
): { readonly out: string; readonly complete: boolean; readonly repairs: readonly string[] } {
  const { mode, held, open, repairs } = filter
  if (mode === "done") return { out: "", complete: true, repairs }
  const tail = mayClose ? tailOf(filter) : undefined
  const out = tail === undefined ? undefined : tail + closers(open)
  if (out === undefined || !parseJson(passed + out).ok) {
    return { out: mode === "slash" ? `${held}/` : held, complete: false, repairs }
  }
  const done = [
    ...(held.startsWith(",") ? [repair.comma] : []),
    ...(literals.has(held) ? [repair.word] : []),
    ...(open === undefined ? [] : [repair.closed]),
  ]
  return { out, complete: true, repairs: addRepairs(repairs, done) }
}

function tailOf({ mode, held }: JsonFilter): string | undefined {
  if (mode === "word") return literals.get(held) ?? held
  // Only a comma and the white space behind it can be held in the other modes.
  return ["between", "comma", "number", "line"].includes(mode) ? held.slice(1) : undefined
}

function closers(open: Open | undefined): string {
  let text = ""
  for (let link = open; link !== undefined; link = link.below) text += link.bracket === openBrace ? "}" : "]"
  return text
}

/** Is the next thing that belongs here a value, so that an object may well begin? */
export function awaitsValue({ mode, held, open }: JsonFilter, passed: string): boolean {
  if (mode === "comma" || held.startsWith(",")) return open?.bracket === openBracket
  return mode === "between" && /[:[]\s*$/.test(passed.slice(-64))
}
