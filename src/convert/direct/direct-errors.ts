// Errors of upstreams that speak Messages themselves, in other words than theirs. A prompt that is too long: older
// versions of Claude Code compact the conversation only when they read Anthropic's own.
import { isOverflow, overflowMessage } from "../../protocol/errors/overflow.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import { type JsonObject, objectOf, parseJson } from "../../protocol/json.ts"
import { memberOf, membersOf } from "../../protocol/json-spans.ts"

// What they act upon (seen with 2.1.197).
const understood = /prompt is too long|input length and `max_tokens` exceed context limit/i

/**
 * The text of an error in Anthropic's shape, its message reworded, with the upstream's own words behind, when
 * it says that the prompt is too long; every other character, and every other error, stays as it is.
 */
export function rewordOverflow(
  text: string,
  context: Pick<ErrorContext, "inputTokens" | "contextWindow">,
): string {
  const parsed = parseJson(text)
  const error = objectOf(objectOf(parsed.ok ? parsed.value : undefined)["error"])
  const message = error["message"]
  if (typeof message !== "string" || understood.test(message)) return text
  if (!isOverflow(message.toLowerCase(), codesOf(error))) return text
  return withMessage(text, overflowMessage(message, context.inputTokens(), context.contextWindow))
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
