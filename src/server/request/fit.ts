// Does a request fit its model's window? One that cannot is refused here, in the words that make Claude Code compact
// the conversation; one that fits without the room it asks for its reply asks for less.
import { applyAmendment } from "../../convert/amend/amendments.ts"
import { bodyOf } from "../../convert/request/body-of.ts"
import type { Conversion } from "../../convert/request/request.ts"
import { overflowMessage } from "../../protocol/errors/overflow.ts"
import { changed, type Fault, fault, type Note, noNotes } from "../../protocol/fault.ts"
import type { Route } from "../../providers/route.ts"
import { type MeasuredPrompt, mostTokens, promptTokens } from "./prompt.ts"
import { measureSent, type Sent } from "./sent.ts"

type Fit =
  | { readonly ok: true; readonly conversion: Conversion; readonly notes: readonly Note[] }
  | { readonly ok: false; readonly fault: Fault }

// The estimator is off by 8 % at most, on average over a kind of text. A model of which nothing is known yet may have
// another tokenizer than the one that was estimated for: that makes some 15 % more, above all in Chinese.
const marginWhenSure = 1.08
const marginWhenUnsure = 1.25

// With less room than this for a reply nothing comes of it; where the window has not even that, the upstream judges.
const leastReply = 4_096

/**
 * The conversion as it can be sent, or why it cannot. A window that is not known holds everything. `measure` is
 * asked only near the window.
 */
export function fitWindow(
  conversion: Conversion,
  route: Route,
  prompt: MeasuredPrompt,
  measure: (conversion: Conversion, countText: CountText) => Sent = measureConversion,
): Fit {
  const asIs: Fit = { ok: true, conversion, notes: noNotes }
  const { contextWindow: window } = route.profile
  if (window === null || conversion.answer !== undefined) return asIs
  const { body } = conversion
  const reply = body.max_completion_tokens ?? body.max_tokens ?? 0
  if (mostTokens(prompt) + reply <= window) return asIs
  const { tokens, estimate, hasMedia } = lengthOf(prompt, measure(conversion, prompt.counted.countText))
  // Each model has its own measure of pictures and documents.
  if (!hasMedia && isTooLong(tokens, estimate, window, prompt.sure))
    return { ok: false, fault: tooLong(route, tokens, window) }
  const room = Math.max(window - tokens, Math.min(reply, leastReply))
  const amended = room < reply ? applyAmendment(conversion, { kind: "room", tokens: room }) : undefined
  if (amended === undefined) return asIs
  const why = `lowered from ${reply} to ${room}: about ${tokens} tokens of the window of ${window} are the prompt`
  const others = amended.notes.filter(({ path }) => path !== "max_tokens")
  return {
    ok: true,
    conversion: amended.conversion,
    notes: [changed("max_tokens", why), ...others],
  }
}

type CountText = MeasuredPrompt["counted"]["countText"]

function measureConversion(conversion: Conversion, countText: CountText): Sent {
  return measureSent(bodyOf(conversion), countText)
}

interface Length {
  /** Corrected for the model. */
  readonly tokens: number
  readonly estimate: number
  readonly hasMedia: boolean
}

/** What is sent may be shorter than what the client said: thinking is left out, and what the model cannot see. */
function lengthOf(prompt: MeasuredPrompt, sent: Sent): Length {
  const corrected = promptTokens(prompt)
  const given = prompt.counted.tokens()
  const estimate = Math.min(given, sent.tokens)
  const tokens = estimate === given ? corrected : Math.round((estimate * corrected) / given)
  return { tokens, estimate, hasMedia: sent.hasMedia }
}

/**
 * A correction upwards refuses nothing by itself, as other things than the prompt may have been counted with it:
 * the estimate has to be too long as well, or so near to it, once the correction is sure, that it may be.
 */
function isTooLong(tokens: number, estimate: number, window: number, sure: boolean): boolean {
  if (sure) return tokens > window * marginWhenSure && estimate > window / marginWhenSure
  return Math.min(tokens, estimate) > window * marginWhenUnsure
}

function tooLong({ provider, model }: Route, tokens: number, window: number): Fault {
  const who = `counted by the proxy before ${model} at ${provider} was asked`
  const hint = "if its window is larger, say so by max_input_tokens in models.yaml"
  const message = `${overflowMessage("", tokens, window)} (${who}; ${hint})`
  return fault({ kind: "invalid_request_error", source: "proxy", message })
}
