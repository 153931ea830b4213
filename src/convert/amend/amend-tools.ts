// What is said beside the tools, in the form that an upstream takes: which of them must be called, and how
// strictly their schemas are meant. The tools stay, unless the one that is wanted is all that can be asked for.
import type { ChatRequest, ChatTool } from "../../protocol/chat/chat.ts"
import { changed, dropped } from "../../protocol/fault.ts"
import { isForced } from "../request/tools.ts"
import type { Change } from "./amend-effort.ts"

/** What a forced call becomes; `required` and `any` are two words for the same. */
export type TakenChoice = "auto" | "required" | "any"

/** Does the request say that the model shall not think? */
function saysNoThinking(body: ChatRequest): boolean {
  return (
    body.thinking?.type === "disabled" ||
    body.enable_thinking === false ||
    body.reasoning?.enabled === false ||
    (body.reasoning_effort ?? body.reasoning?.effort) === "none" ||
    Object.values(body.chat_template_kwargs ?? {}).includes(false)
  )
}

/** A forced call asked for in the one way that is taken; `none` is never touched. */
export function changeChoice(body: ChatRequest, to: TakenChoice, whileThinking: boolean): Change | undefined {
  const { tool_choice: choice, ...rest } = body
  if (choice === undefined || choice === "none" || choice === to) return undefined
  if (whileThinking && (choice === "auto" || saysNoThinking(body))) return undefined
  if (to === "auto") {
    // It is what a request without the field means.
    const note = changed("tool_choice", "left to the model: the upstream forces no tool")
    return { body: rest, notes: [note] }
  }
  if (choice === "auto") return undefined
  if (typeof choice === "string")
    return { body: { ...rest, tool_choice: to }, notes: [changed("tool_choice", `sent as ${to}`)] }
  const wanted = (body.tools ?? []).filter((tool) => tool.function?.name === choice.function.name)
  if (wanted.length === 0) return undefined
  const note = changed("tool_choice", "only this tool is offered: no tool can be named here")
  return { body: { ...rest, tools: wanted, tool_choice: to }, notes: [note] }
}

/** A call can be forced only of a model that does not think: what was insisted on counts for more. */
export function withoutThinking(body: ChatRequest): Change | undefined {
  const off = isForced(body.tool_choice) && switchesOf(body) ? thinkingOff(body) : undefined
  if (off === undefined) return undefined
  const note = changed("thinking", "switched off: the upstream forces no tool while the model thinks")
  return { body: off, notes: [note] }
}

/** Does a switch of its own say that the model shall think, and not only how much? */
function switchesOf({ thinking, enable_thinking, reasoning, chat_template_kwargs }: ChatRequest): boolean {
  return (
    (thinking !== undefined && thinking.type !== "disabled") ||
    enable_thinking === true ||
    (reasoning !== undefined && reasoning.enabled !== false && reasoning.effort !== "none") ||
    Object.values(chat_template_kwargs ?? {}).some((on) => on)
  )
}

/** The request with its thinking switched off; undefined where it asks for none. */
export function thinkingOff(body: ChatRequest): ChatRequest | undefined {
  const { thinking, enable_thinking, thinking_budget, reasoning, chat_template_kwargs, ...rest } = body
  // A degree has no meaning any more, and is refused beside a switch that says off.
  const { reasoning_effort: effort, ...undegreed } = rest
  if (!switchesOf(body) && (effort === undefined || effort === "none")) return undefined
  const kwargs = Object.entries(chat_template_kwargs ?? {})
  return {
    ...undegreed,
    ...(thinking === undefined ? {} : { thinking: { type: "disabled" } }),
    ...(enable_thinking === undefined ? {} : { enable_thinking: false }),
    ...(reasoning === undefined ? {} : { reasoning: { enabled: false } }),
    ...(kwargs.length === 0
      ? {}
      : { chat_template_kwargs: Object.fromEntries(kwargs.map(([name]) => [name, false])) }),
  }
}

/** Schemas are sent without the promise that arguments keep them to the letter. */
export function withoutStrict(body: ChatRequest): Change | undefined {
  const tools = body.tools?.map(looseTool)
  const format = body.response_format
  const strictFormat = format?.type === "json_schema" && format.json_schema.strict !== undefined
  if (!strictFormat && tools?.every((tool, at) => tool === body.tools?.[at]) !== false) return undefined
  const change: ChatRequest = { ...body, ...(tools === undefined ? {} : { tools }) }
  if (strictFormat) {
    const { strict: _strict, ...json_schema } = format.json_schema
    change.response_format = { type: "json_schema", json_schema }
  }
  return { body: change, notes: [dropped("tools.strict", "refused by the upstream")] }
}

function looseTool(tool: ChatTool): ChatTool {
  if (tool.type !== "function" || tool.function.strict === undefined) return tool
  const { strict: _strict, ...rest } = tool.function
  return { ...tool, function: rest }
}
