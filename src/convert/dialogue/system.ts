// System prompts, at the top and in the middle of a conversation.

const billing = /^\s*x-anthropic-billing-header:/

/**
 * The system prompt as one string, or undefined. Claude Code's billing line changes with every request and
 * would spoil any provider's prefix cache: it stays here.
 */
export function joinSystem(texts: readonly string[]): string | undefined {
  if (texts.length === 0) return undefined
  const kept = texts.map(withoutBilling).filter((text) => text.trim() !== "")
  return kept.length === 0 ? undefined : kept.join("\n\n").toWellFormed()
}

/** Does a text of the system prompt begin with Claude Code's billing line? */
export function isBillingLine(text: string): boolean {
  return billing.test(text)
}

function withoutBilling(text: string): string {
  return isBillingLine(text) ? text.trimStart().replace(/^[^\n]*\n?/, "") : text
}

const opener = "<system-reminder>"
const closer = "</system-reminder>"

/** The text without the reminders that clients add to it; looked through once, however many begin and do not end. */
export function withoutReminders(text: string): string {
  let rest = text
  let out = ""
  for (;;) {
    const from = rest.indexOf(opener)
    const to = from < 0 ? -1 : rest.indexOf(closer, from)
    if (to < 0) return out + rest
    out += rest.slice(0, from)
    rest = rest.slice(to + closer.length)
  }
}

/** A system message inside the conversation, as the text Claude Code itself falls back to. */
export function reminder(text: string): string {
  return `<system-reminder>\n${text}\n</system-reminder>`
}
