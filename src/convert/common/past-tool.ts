import type { ChatFunctionTool } from "../../protocol/chat/chat.ts"

/** A tool of which nothing is known but that it was called. */
export function pastTool(name: string): ChatFunctionTool {
  const parameters = { type: "object", properties: {} }
  return { type: "function", function: { name, description: "No longer available.", parameters } }
}
