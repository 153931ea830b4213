// The assistant's turns of a conversation: text, calls, and the reasoning that a provider wants back.
import type { ContentBlock } from "../protocol/blocks.ts"
import type { ChatAssistantMessage, ChatToolCall } from "../protocol/chat.ts"
import { dropped, type Note } from "../protocol/fault.ts"
import type { Message } from "../protocol/messages.ts"
import type { ProviderProfile } from "../providers/profile.ts"
import { type Converted, serverBlockText } from "./content.ts"
import { mapToolId, mapToolName } from "./names.ts"

export interface MessageOptions {
  readonly profile: ProviderProfile
  /** Earlier reasoning goes back to the provider; false while thinking is off. */
  readonly sendReasoning: boolean
}

/** A message together with its place in the request, for notes. */
export interface Placed {
  readonly message: Message
  readonly path: string
}

/**
 * Assistant messages in a row as one, or as none when there is neither text nor a call: only reasoning is no
 * message. Blocks of one message are one text; Chat Completions keeps no order between text and calls.
 */
export function convertAssistant(
  messages: readonly Placed[],
  options: MessageOptions,
): Converted<readonly ChatAssistantMessage[]> {
  const { profile } = options
  const blocks = messages.flatMap(({ message, path }) =>
    message.content.map((block, index) => ({ block, path: `${path}.content.${index}` })),
  )
  const notes = blocks.flatMap(({ block, path }): readonly Note[] => {
    const why = lostReason(block)
    return why === undefined ? [] : [dropped(path, why)]
  })
  const texts = messages
    .map(({ message }) => message.content.map(blockText).join(""))
    .filter((text) => text.trim() !== "")
    .map((text) => text.toWellFormed())
  const calls = blocks.flatMap(({ block }) =>
    block.type === "tool_use" ? [convertCall(block, profile)] : [],
  )
  const reasoning = blocks.map(({ block }) => (block.type === "thinking" ? block.thinking : "")).join("")
  if (texts.length === 0 && calls.length === 0) return { value: [], notes }
  const content = texts.length === 0 ? profile.emptyAssistantContent : texts.join("\n\n")
  const message: ChatAssistantMessage = {
    role: "assistant",
    content,
    ...reasoningFields(reasoning.toWellFormed(), calls.length > 0, options),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
  return { value: [message], notes }
}

function blockText(block: ContentBlock): string {
  if (block.type === "text") return block.text
  return block.type === "other" ? (serverBlockText(block.original) ?? "") : ""
}

/** Why a block of an assistant message goes nowhere, or undefined when it goes somewhere. */
function lostReason(block: ContentBlock): string | undefined {
  switch (block.type) {
    case "text":
    case "thinking":
    case "tool_use":
      return undefined
    case "redacted_thinking":
      return "only Anthropic can read redacted thinking"
    case "other":
      return serverBlockText(block.original) === undefined
        ? `unknown block type ${String(block.original["type"])}`
        : undefined
    default:
      return `no place for a ${block.type} block in an assistant message`
  }
}

function convertCall(
  block: Extract<ContentBlock, { type: "tool_use" }>,
  profile: ProviderProfile,
): ChatToolCall {
  const input = typeof block.input === "object" && block.input !== null ? block.input : {}
  return {
    id: mapToolId(block.id, profile.toolIdMaxLength),
    type: "function",
    function: {
      name: mapToolName(block.name, profile.toolNameMaxLength),
      arguments: JSON.stringify(input).toWellFormed(),
    },
  }
}

/** Which turns carry their reasoning again, and in which field, is the provider's rule (wire.md §4.1). */
function reasoningFields(
  reasoning: string,
  hasCalls: boolean,
  options: MessageOptions,
): Pick<ChatAssistantMessage, "reasoning" | "reasoning_content"> {
  const { sendBack, sendBackField, backfill } = options.profile.reasoning
  if (!options.sendReasoning || sendBack === "never" || (sendBack === "tool-turns" && !hasCalls)) return {}
  const text = reasoning === "" ? backfill : reasoning
  return text === null ? {} : { [sendBackField]: text }
}
