// How much to think: thinking, budgets and effort words of the Messages API on one scale, then in the
// provider's own words.
import type { ChatRequest } from "../../protocol/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import type { MessagesRequest } from "../../protocol/messages.ts"
import type { ProviderProfile, ReasoningLevel } from "../../providers/profile.ts"

export interface Reasoning {
  readonly fields: Pick<ChatRequest, "thinking" | "reasoning_effort">
  /** The client switched thinking off, or a forced tool call did. */
  readonly off: boolean
  readonly notes: readonly Note[]
}

/**
 * The level a request asks for; "unset" when it says nothing. `disabled` wins over any effort (Claude Code
 * sends both together), and a budget over an effort; an effort given with a system message counts from there
 * on, so the last one wins.
 */
export function reasoningLevel(request: MessagesRequest): ReasoningLevel | "unset" {
  const { thinking } = request
  const type = thinking?.type
  if (type === "disabled" || type === "between_tools") return "off"
  const budget = thinking?.budget_tokens
  if (type === "enabled" && typeof budget === "number") return levelOfBudget(budget)
  const inMessage = request.messages.findLast((message) => message.output_config?.effort)?.output_config
    ?.effort
  return inMessage ?? request.output_config?.effort ?? (type === undefined ? "unset" : "high")
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
  const path = request.output_config?.effort && !request.thinking ? "output_config.effort" : "thinking"
  const forbidden = tools.forced && !profile.toolChoice.forcedWhileThinking && asked !== "off"
  const level = forbidden ? "off" : asked
  const notes = forbidden ? [changed(path, "off: this provider forces no tool call while thinking")] : []
  const fields = switchFields(level, profile, tools)
  return { fields, off: level === "off", notes: [...notes, ...noteSwitch(level, fields, path)] }
}

type Level = ReasoningLevel | "unset"

function switchFields(level: Level, { reasoning }: ProviderProfile, tools: ToolFacts): Reasoning["fields"] {
  const { request: style, levels, withTools } = reasoning
  const word = level === "unset" ? undefined : levels[level]
  const effort = word === undefined ? {} : { reasoning_effort: word }
  switch (style) {
    case "none":
      return {}
    case "effort":
      return tools.hasTools && withTools !== null ? { reasoning_effort: withTools } : effort
    case "thinking-object":
      if (level === "unset") return {}
      return level === "off"
        ? { thinking: { type: "disabled" } }
        : { thinking: { type: "enabled" }, ...effort }
    default:
      return style satisfies never
  }
}

/** What became of the level, where the provider has no word for it or another one. */
function noteSwitch(level: Level, fields: Reasoning["fields"], path: string): readonly Note[] {
  if (level === "unset") return []
  const sent = fields.thinking?.type === "disabled" ? "off" : fields.reasoning_effort
  if (sent === level || (level === "off" && sent === "none")) return []
  const why = sent === "none" ? "the only degree taken beside tools" : "the nearest degree taken here"
  if (sent !== undefined) return [changed(path, `${level} is sent as ${sent}, ${why}`)]
  if (fields.thinking !== undefined) return []
  return [dropped(path, "left to the model: there is no word for it here")]
}
