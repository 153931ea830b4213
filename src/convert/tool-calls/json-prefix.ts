// Is a text that is no JSON the beginning of some? Then its end is missing, else something in it is wrong.
import { parseJson } from "../../protocol/json.ts"
import { backslash, closeBrace, closeBracket, openBrace, openBracket, quote } from "./json-characters.ts"

/** What may be missing besides brackets: nothing, a value, a name's value, a further member, a digit. */
const tails = ["", "null", ":null", '"":null', "0"]

/**
 * Can something be put behind `text`, or has nothing to be, for it to be valid JSON? Anthropic's SDK reads such a
 * beginning as far as it goes, and throws at anything else (1.11.0). Linear in the text.
 */
export function isBeginning(text: string): boolean {
  const { closers, inString } = scan(text)
  const cut = inString ? `${text.replace(/(?<!\\)((?:\\\\)*)\\(?:u[\da-f]{0,3})?$/i, "$1")}"` : endWord(text)
  return text.trim() === "" || tails.some((tail) => parseJson(cut + tail + closers).ok)
}

/** A word of JSON that is cut becomes whole. */
function endWord(text: string): string {
  const cut = /[a-z]{1,5}$/.exec(text)?.[0]
  const word =
    cut === undefined ? undefined : ["true", "false", "null"].find((whole) => whole.startsWith(cut))
  return word === undefined || cut === undefined ? text : text.slice(0, -cut.length) + word
}

function scan(text: string): { readonly closers: string; readonly inString: boolean } {
  const open: string[] = []
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === backslash) at++
      else inString = code !== quote
    } else if (code === quote) inString = true
    else if (code === openBrace || code === openBracket) open.push(code === openBrace ? "}" : "]")
    else if (code === closeBrace || code === closeBracket) open.pop()
  }
  return { closers: open.reverse().join(""), inString }
}
