// What clients say of a request in headers of their own.

/** The session, as Claude Code names it. */
export function sentSession(headers: Headers): string | undefined {
  return headers.get("x-claude-code-session-id") ?? undefined
}

/** The agent within the session. */
export function sentAgent(headers: Headers): string | undefined {
  return headers.get("x-claude-code-agent-id") ?? undefined
}

/** Does Anthropic's SDK say that this is not its first try? */
export function isRetried(headers: Headers): boolean {
  return Number(headers.get("x-stainless-retry-count") ?? 0) > 0
}
