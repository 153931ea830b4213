// System prompts, at the top and in the middle of a conversation.

const billing = /^\s*x-anthropic-billing-header:/

/**
 * The system prompt as one string, or undefined. Claude Code's billing line changes with every request and
 * would spoil any provider's prefix cache: it stays here.
 */
export function joinSystem(texts: readonly string[]): string | undefined {
  const kept = texts.map(withoutBilling).filter((text) => text.trim() !== "")
  return kept.length === 0 ? undefined : kept.join("\n\n").toWellFormed()
}

function withoutBilling(text: string): string {
  return billing.test(text) ? text.trimStart().replace(/^[^\n]*\n?/, "") : text
}

/** A system message inside the conversation, as the text Claude Code itself falls back to. */
export function reminder(text: string): string {
  return `<system-reminder>\n${text}\n</system-reminder>`
}
