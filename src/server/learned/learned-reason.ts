// An upstream's words, short and without those of the request that it refused: what is kept on disk must hold
// nothing that anybody wrote.
import { shorten } from "../../protocol/errors/error-facts.ts"
import { arrayOf, isObject } from "../../protocol/json.ts"

const longest = 160
// From here on many repeat what they were sent.
const echo =
  /\b(?:input_value|input|received|body|payload|request|value|content)\b['"]?\s{0,3}[:=]\s{0,3}(?=[{[('"])/i
// What both have in common by accident is shorter than two of these and one step.
const pieceLength = 12
const step = 6

/** The beginning of a message; where it says what stands in `sent` in the same words, there is an ellipsis. */
export function reasonOf(message: string, sent: unknown): string {
  const [start = ""] = message.slice(0, 4 * longest).split(echo, 1)
  const words = start.replace(/\s+/g, " ").trim()
  const short = shorten(words, longest)
  return masked(short, sharedWith(short, textsIn(sent))).toWellFormed()
}

/** Which characters of a text stand in the other one too, give or take a few. */
function sharedWith(text: string, other: string): ReadonlySet<number> {
  const shared = new Set<number>()
  for (let at = 0; at + pieceLength <= text.length; at += step) {
    if (!other.includes(text.slice(at, at + pieceLength))) continue
    for (let mark = at - step; mark < at + pieceLength + step; mark += 1) shared.add(mark)
  }
  return shared
}

function masked(text: string, gone: ReadonlySet<number>): string {
  let out = ""
  for (let at = 0; at < text.length; at += 1) {
    if (!gone.has(at)) out += text[at]
    else if (at === 0 || !gone.has(at - 1)) out += "[…]"
  }
  return out
}

/** Every text in there but files and images, with single spaces. */
function textsIn(value: unknown): string {
  const texts: string[] = []
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === "string" && !next.startsWith("data:")) texts.push(next.replace(/\s+/g, " "))
    for (const item of innerOf(next)) waiting.push(item)
  }
  return texts.join("\n")
}

function innerOf(value: unknown): readonly unknown[] {
  return isObject(value) ? Object.values(value) : arrayOf(value)
}
