// Gateways to Claude refuse a history with calls when no tools are offered: the tools that were called are
// offered again, without being wanted.
import type { ChatFunctionTool } from "../../protocol/chat/chat.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { pastTool } from "../common/past-tool.ts"
import { mapToolName } from "../dialogue/names.ts"

/** One tool for each name that was called; none where the provider does not ask for them. */
export function historyTools(
  { messages }: MessagesRequest,
  profile: ProviderProfile,
): readonly ChatFunctionTool[] {
  if (!profile.toolsForHistory) return []
  const names = messages.flatMap(({ content }) =>
    content.flatMap((block) => (block.type === "tool_use" ? [mapToolName(block.name, profile)] : [])),
  )
  return [...new Set(names)].map(pastTool)
}
