// Structured output where an upstream does not take the schema: asked for in words.
import type { ChatMessage } from "../../protocol/chat/chat.ts"
import { changed } from "../../protocol/fault.ts"
import type { Conversion } from "../request/request.ts"
import type { Change } from "./amend-effort.ts"

export function replaceFormat(
  { body, formatFallback }: Conversion,
  to: "json_object" | "none",
): Change | undefined {
  const { response_format, ...rest } = body
  if (response_format === undefined || response_format.type === to) return undefined
  // Beside json_object the instruction stands in the system prompt already.
  const isAsked = response_format.type === "json_object" || formatFallback === undefined
  const messages = isAsked ? body.messages : withInstruction(body.messages, formatFallback)
  const field = to === "none" ? {} : { response_format: { type: to } }
  const why = "asked for in the system prompt: the upstream refused the schema"
  return { body: { ...rest, messages, ...field }, notes: [changed("output_config.format", why)] }
}

/** The words at the end of the system prompt, where there is one. */
function withInstruction(
  messages: readonly ChatMessage[],
  { role, text }: NonNullable<Conversion["formatFallback"]>,
): readonly ChatMessage[] {
  const [first, ...others] = messages
  if (first === undefined || (first.role !== "system" && first.role !== "developer"))
    return [{ role, content: text }, ...messages]
  const { content } = first
  if (typeof content === "string") return [{ ...first, content: `${content}\n\n${text}` }, ...others]
  return [{ ...first, content: [...content, { type: "text", text }] }, ...others]
}
