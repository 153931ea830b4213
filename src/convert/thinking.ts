// How much to think: thinking, budgets and effort words of the Messages API on one scale, then in the
// provider's own words.
import type { ChatRequest } from "../protocol/chat.ts"
import { changed, type Note } from "../protocol/fault.ts"
import type { MessagesRequest } from "../protocol/messages.ts"
import type { ProviderProfile, ReasoningLevel } from "../providers/profile.ts"

export interface Reasoning {
  readonly fields: Pick<ChatRequest, "thinking" | "reasoning_effort">
  /** The client switched thinking off, or a forced tool call did. */
  readonly off: boolean
  readonly notes: readonly Note[]
}

/**
 * The level a request asks for; "unset" when it says nothing. `disabled` wins over any effort (Claude Code
 * sends both together); an effort given with a system message counts from there on, so the last one wins.
 */
export function reasoningLevel(request: MessagesRequest): ReasoningLevel | "unset" {
  const type = request.thinking?.type
  if (type === "disabled" || type === "between_tools") return "off"
  const inMessage = request.messages.findLast((message) => message.output_config?.effort)?.output_config
    ?.effort
  const effort = inMessage ?? request.output_config?.effort ?? undefined
  if (type === "enabled") return effort ?? levelOfBudget(request.thinking?.budget_tokens ?? 0)
  if (type !== undefined) return effort ?? "high"
  return effort ?? "unset"
}

function levelOfBudget(tokens: number): ReasoningLevel {
  if (tokens <= 1_024) return "low"
  if (tokens <= 8_192) return "medium"
  return tokens <= 24_576 ? "high" : "xhigh"
}

export interface ToolFacts {
  /** The client insists on a tool call. */
  readonly forced: boolean
  /** Tools are sent with the request. */
  readonly hasTools: boolean
}

/** The provider's own switch for the level a request asks for. */
export function convertThinking(
  request: MessagesRequest,
  profile: ProviderProfile,
  tools: ToolFacts,
): Reasoning {
  const asked = reasoningLevel(request)
  const forbidden = tools.forced && !profile.toolChoice.forcedWhileThinking && asked !== "off"
  const level = forbidden ? "off" : asked
  const off = level === "off"
  const notes = forbidden
    ? [changed("thinking", "off: this provider forces no tool call while thinking")]
    : []
  const { request: style, levels, withTools } = profile.reasoning
  switch (style) {
    case "none":
      return { fields: {}, off, notes }
    case "thinking-object":
      return { fields: thinkingObject(level, levels), off, notes }
    case "effort": {
      if (!tools.hasTools || withTools === null) return { fields: effort(level, levels), off, notes }
      const why = `reasoning_effort "${withTools}": this model takes no other beside tools on Chat Completions`
      const lost = off || level === "unset" ? [] : [changed("thinking", why)]
      return { fields: { reasoning_effort: withTools }, off, notes: [...notes, ...lost] }
    }
    default:
      return style satisfies never
  }
}

type Level = ReasoningLevel | "unset"
type Levels = ProviderProfile["reasoning"]["levels"]

function effort(level: Level, levels: Levels): Pick<ChatRequest, "reasoning_effort"> {
  const word = level === "unset" ? undefined : levels[level]
  return word === undefined ? {} : { reasoning_effort: word }
}

function thinkingObject(level: Level, levels: Levels): Pick<ChatRequest, "thinking" | "reasoning_effort"> {
  if (level === "unset") return {}
  return level === "off"
    ? { thinking: { type: "disabled" } }
    : { thinking: { type: "enabled" }, ...effort(level, levels) }
}
