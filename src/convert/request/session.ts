// Which requests belong together, for the provider's prefix cache.
import { isObject, parseJson, textOf } from "../../protocol/json.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"

/** The session a request belongs to: Claude Code writes JSON into metadata.user_id (observed with 2.1.329). */
export function sessionOf(request: Pick<MessagesRequest, "metadata">): string | undefined {
  const userId = request.metadata?.user_id ?? ""
  if (userId === "") return undefined
  // Older ones write no JSON, and to find that out by a parser's error takes longer than all the rest.
  const parsed = userId.trimStart().startsWith("{") ? parseJson(userId) : undefined
  if (parsed?.ok && isObject(parsed.value)) return textOf(parsed.value["session_id"])
  return named.exec(userId)?.[1]
}

const named = /session_([0-9a-f-]{36})/

/** What a session id in a header or in the body becomes beside the agent's id: one cache group per agent. */
export function cacheGroup(session: string | undefined, agent: string | undefined): string | undefined {
  if (session === undefined) return agent
  return agent === undefined ? session : `${session}:${agent}`
}

/** OpenAI takes 64 characters at most. */
export function cacheKey(session: string): string {
  return session.slice(0, 64).toWellFormed()
}
