// Errors of upstreams that speak Messages themselves, in other words than theirs. Claude Code acts upon Anthropic's alone:
// where a prompt is too long it compacts the conversation, where a picture or a PDF cannot be read it leaves that out, and
// what a filter has stopped it does not send again.
import { isFiltered, promptFiltered } from "../../protocol/errors/filtered-prompt.ts"
import { lostMedium, mediumRefused } from "../../protocol/errors/media-error.ts"
import { isOverflow, overflowMessage } from "../../protocol/errors/overflow.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import { type JsonObject, jsonOf, objectOf } from "../../protocol/json.ts"
import { memberOf, membersOf } from "../../protocol/json-spans.ts"

// What it acts upon (seen with 2.1.197 and 2.1.332).
const understood =
  /prompt is too long|input length and `max_tokens` exceed context limit|could not process (?:image|pdf)|image (?:dimensions )?exceeds?\b|blocked by content filtering policy/i

/**
 * The text of an error in Anthropic's shape, its message reworded, with the upstream's own words behind, when
 * it says one of these; every other character, and every other error, stays as it is.
 */
export function rewordRefusal(
  text: string,
  context: Pick<ErrorContext, "inputTokens" | "contextWindow">,
): string {
  const error = objectOf(objectOf(jsonOf(text))["error"])
  const message = error["message"]
  if (typeof message !== "string" || understood.test(message)) return text
  const reworded = otherWords(message, error, context)
  return reworded === undefined ? text : withMessage(text, reworded)
}

function otherWords(
  message: string,
  error: JsonObject,
  { inputTokens, contextWindow }: Pick<ErrorContext, "inputTokens" | "contextWindow">,
): string | undefined {
  const words = message.toLowerCase()
  const codes = codesOf(error)
  if (isOverflow(words, codes)) return overflowMessage(message, inputTokens(), contextWindow)
  if (isFiltered(`${codes.join(" ")} ${words}`, codes)) return promptFiltered(message)
  const medium = lostMedium(words)
  return medium === undefined ? undefined : mediumRefused(medium, message)
}

/** The text of an error in Anthropic's shape with this message; every other character stays as it is. */
export function withMessage(text: string, message: string): string {
  const around = memberOf(membersOf(text, 0), "error")
  const said = around === undefined ? undefined : memberOf(membersOf(text, around.value.start), "message")
  if (said === undefined) return text
  const { start, end } = said.value
  return text.slice(0, start) + JSON.stringify(message) + text.slice(end)
}

function codesOf(error: JsonObject): readonly string[] {
  return [error["type"], error["code"]].flatMap((code) =>
    typeof code === "string" || typeof code === "number" ? [String(code).toLowerCase()] : [],
  )
}
