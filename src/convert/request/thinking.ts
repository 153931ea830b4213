// How much to think: thinking, budgets and effort words of the Messages API on one scale, then in the
// provider's own words.
import type { ChatRequest, ReasoningEffort } from "../../protocol/chat/chat.ts"
import { changed, dropped, joinNotes, type Note, noNotes } from "../../protocol/fault.ts"
import type { Message, MessagesRequest } from "../../protocol/messages/messages.ts"
import type { ProviderProfile, ReasoningLevel, ReasoningProfile } from "../../providers/profile.ts"
import type { Defaults } from "../../providers/route.ts"
import type { Task } from "../task/rule.ts"

export interface Reasoning {
  readonly fields: Pick<
    ChatRequest,
    | "thinking"
    | "reasoning_effort"
    | "enable_thinking"
    | "thinking_budget"
    | "reasoning"
    | "chat_template_kwargs"
  >
  /** Thinking is switched off: by the client, the configuration, the kind of task, or a forced tool call. */
  readonly off: boolean
  /** Thinking is asked for, and nothing stands against it. */
  readonly wanted: boolean
  /** A tool call cannot be forced, as this model thinks whatever it is told: it is only asked for. */
  readonly unforce: boolean
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
  const inMessage = request.messages.findLast(namesEffort)?.output_config?.effort
  return inMessage ?? request.output_config?.effort ?? (type === undefined ? "unset" : "high")
}

const namesEffort = ({ output_config }: Message): boolean => Boolean(output_config?.effort)

function levelOfBudget(tokens: number): ReasoningLevel {
  if (tokens <= 1_024) return "low"
  if (tokens <= 8_192) return "medium"
  return tokens <= 24_576 ? "high" : "xhigh"
}

/** How much is to be thought about a request. */
interface Wish {
  readonly level: ReasoningLevel | "unset"
  /** Where it is said, for notes. */
  readonly path: string
  /** What the configuration made of the client's own wish. */
  readonly notes: readonly Note[]
}

/** Kinds of task that are worth thinking about. */
const deep: ReadonlySet<Task> = new Set(["code", "reasoning", "analysis"])

/**
 * What the client wishes, and what the configuration makes of it: it may switch thinking off whatever the client
 * says, but not on where the client switches it off. `task` is asked for only where it decides.
 */
export function wishOf(request: MessagesRequest, defaults: Defaults, task: () => Task): Wish {
  const asked = reasoningLevel(request)
  const path = request.output_config?.effort && !request.thinking ? "output_config.effort" : "thinking"
  const { thinking, effort } = defaults
  if (asked === "off") return { level: asked, path, notes: noNotes }
  if (thinking === "off") return switchedOff("DEEPSEEK_THINKING is false")
  if (effort === "off") return switchedOff("so says the effort in the configuration")
  if (thinking === undefined) return withEffort({ level: asked, path, notes: noNotes }, effort)
  const kind = thinking === "auto" ? task() : undefined
  const why = `DEEPSEEK_THINKING is ${kind === undefined ? "true" : `auto and this looks like ${kind}`}`
  if (kind !== undefined && !deep.has(kind)) return switchedOff(why)
  if (asked !== "unset") return withEffort({ level: asked, path, notes: noNotes }, effort)
  return withEffort({ level: "high", path, notes: [changed("thinking", `on: ${why}`)] }, effort)
}

function switchedOff(why: string): Wish {
  return { level: "off", path: "thinking", notes: [changed("thinking", `off: ${why}`)] }
}

/** The effort of the configuration takes the place of any other. */
function withEffort(wish: Wish, effort: Defaults["effort"]): Wish {
  if (effort === undefined) return wish
  const path = "output_config.effort"
  const note = changed(path, `${effort}, set in the configuration`)
  return { level: effort, path, notes: effort === wish.level ? wish.notes : [...wish.notes, note] }
}

interface ToolFacts {
  /** The client insists on a tool call. */
  readonly forced: boolean
  /** Tools are sent with the request. */
  readonly hasTools: boolean
  /** One of them is OpenAI's own search. */
  readonly searches?: boolean
}

/** The provider's own switch for the level that is wished for. */
export function convertThinking(wish: Wish, profile: ProviderProfile, tools: ToolFacts): Reasoning {
  const { reasoning, toolChoice } = profile
  const { level: wished, path } = wish
  const clash = tools.forced && !toolChoice.forcedWhileThinking
  const unforce = clash && !reasoning.canDisable
  const forbidden = clash && !unforce && wished !== "off"
  const level = forbidden ? "off" : wished
  const sent = switchFields(level, reasoning, tools)
  const asked = forbidden
    ? [changed(path, "off: this provider forces no tool call while thinking")]
    : wish.notes
  const forced = unforce
    ? [changed("tool_choice", "auto: this model always thinks, and then forces no call")]
    : noNotes
  const notes = joinNotes(joinNotes(asked, forced), noteSwitch(level, sent, path))
  const off = level === "off"
  const wanted = !off && level !== "unset" && sent.said !== "none"
  return { fields: sent.fields, off, wanted, unforce, notes }
}

type Level = ReasoningLevel | "unset"

interface Switch {
  readonly fields: Reasoning["fields"]
  /** What the provider is told, in a word of the scale; undefined: nothing. */
  readonly said: string | undefined
}

const silent: Switch = { fields: {}, said: undefined }

function switchFields(level: Level, reasoning: ReasoningProfile, tools: ToolFacts): Switch {
  const { request: style, levels, withTools } = reasoning
  const least = level === "unset" ? undefined : levels[level]
  // The search is refused beside it (OpenAI, web search: limitations; 2026-11).
  const word = tools.searches === true && least === "minimal" ? "low" : least
  switch (style) {
    case "none":
      return silent
    case "effort": {
      const effort = tools.hasTools && withTools !== null ? withTools : word
      return effort === undefined ? silent : { fields: { reasoning_effort: effort }, said: effort }
    }
    case "thinking-object":
      return thinkingObject(level, word, reasoning)
    case "enable-thinking":
      return enableThinking(level, word, reasoning)
    case "reasoning-object":
      if (level === "off" && (word ?? "none") === "none")
        return { fields: { reasoning: { enabled: false } }, said: "off" }
      return word === undefined ? silent : { fields: { reasoning: { effort: word } }, said: word }
    case "template":
      return template(level, reasoning)
    default:
      return style satisfies never
  }
}

function thinkingObject(
  level: Level,
  word: ReasoningEffort | undefined,
  reasoning: ReasoningProfile,
): Switch {
  if (level === "unset") return silent
  if (level === "off") {
    if (!reasoning.canDisable) return silent
    return { fields: { thinking: { type: "disabled" } }, said: "off" }
  }
  const thinking = { type: reasoning.onType, ...reasoning.onExtra }
  return {
    fields: { thinking, ...(word === undefined ? {} : { reasoning_effort: word }) },
    said: word ?? level,
  }
}

function enableThinking(
  level: Level,
  word: ReasoningEffort | undefined,
  { budgets, onExtra }: ReasoningProfile,
): Switch {
  if (level === "unset") return silent
  if (level === "off") return { fields: { enable_thinking: false }, said: "off" }
  const thinking_budget = budgets[level]
  const budget = thinking_budget === undefined ? {} : { thinking_budget }
  const effort = word === undefined ? {} : { reasoning_effort: word }
  return { fields: { enable_thinking: true, ...budget, ...effort, ...onExtra }, said: word ?? level }
}

function template(level: Level, { templateKeys }: ReasoningProfile): Switch {
  if (level === "unset") return silent
  const kwargs = Object.fromEntries(templateKeys.map((key) => [key, level !== "off"]))
  return { fields: { chat_template_kwargs: kwargs }, said: level === "off" ? "off" : "on" }
}

/** What became of the level, where the provider has no word for it or another one. */
function noteSwitch(level: Level, { said }: Switch, path: string): readonly Note[] {
  if (level === "unset" || said === level || (level === "off" && said === "none")) return noNotes
  if (said === undefined) return [dropped(path, "left to the model: there is no word for it here")]
  if (said === "on") return [changed(path, `${level} is sent as on: there are no degrees here`)]
  const why = said === "none" ? "the only degree taken beside tools" : "the nearest degree taken here"
  return [changed(path, `${level} is sent as ${said}, ${why}`)]
}
