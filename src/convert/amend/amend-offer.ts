// Which tools are offered: no more than an upstream takes, and those of the past where it asks for some.
import type { ChatFunctionTool, ChatRequest, ChatTool } from "../../protocol/chat/chat.ts"
import { changed, dropped } from "../../protocol/fault.ts"
import { pastTool } from "../common/past-tool.ts"
import type { Change } from "./amend-effort.ts"

/** The first tools, as many as are taken; the one that is insisted on is always among them. */
export function fewerTools(body: ChatRequest, most: number): Change | undefined {
  const { tools, tool_choice: choice } = body
  if (tools === undefined || tools.length <= most) return undefined
  const name = typeof choice === "object" ? choice.function.name : undefined
  const isWanted = (tool: ChatTool): boolean => name !== undefined && tool.function?.name === name
  const wanted = tools.filter(isWanted)
  const kept = new Set([...wanted, ...tools.filter((tool) => !isWanted(tool))].slice(0, most))
  const why = `${tools.length - most} of ${tools.length} left out: no more than ${most} are taken here`
  return { body: { ...body, tools: tools.filter((tool) => kept.has(tool)) }, notes: [dropped("tools", why)] }
}

/** Descriptions of tools end where the upstream reads no further. */
export function shorterDescriptions(body: ChatRequest, most: number): Change | undefined {
  const tools = body.tools?.map((tool) => shortened(tool, most))
  if (tools === undefined || tools.every((tool, at) => tool === body.tools?.[at])) return undefined
  const note = dropped(
    "tools.description",
    `behind its first ${most} characters: longer ones are refused here`,
  )
  return { body: { ...body, tools }, notes: [note] }
}

function shortened(tool: ChatTool, most: number): ChatTool {
  if (tool.type !== "function") return tool
  const { description = "" } = tool.function
  if (description.length <= most) return tool
  const kept = description.slice(0, Math.max(0, most - 1)).toWellFormed()
  return { ...tool, function: { ...tool.function, description: `${kept}…` } }
}

/** The tools that were called before are offered, where none are; none of them is wanted. */
export function withPastTools(body: ChatRequest, choice: boolean): Change | undefined {
  if ((body.tools ?? []).length > 0) return undefined
  const names = body.messages.flatMap((message) =>
    message.role === "assistant" ? (message.tool_calls ?? []).map((call) => call.function.name) : [],
  )
  const tools: readonly ChatFunctionTool[] = [...new Set(names)].map(pastTool)
  if (tools.length === 0) return undefined
  const note = changed("tools", "those of the history: calls without tools are refused here")
  return { body: { ...body, tools, ...(choice ? { tool_choice: "none" } : {}) }, notes: [note] }
}
