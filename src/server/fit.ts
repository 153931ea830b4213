// Does a request fit its model's window? One that cannot is refused here, in the words that make Claude Code compact
// the conversation; one that fits without the room it asks for its reply asks for less.
import { applyAmendment } from "../convert/request/amendments.ts"
import { bodyOf } from "../convert/request/body-of.ts"
import type { Conversion } from "../convert/request/request.ts"
import { changed, type Fault, fault, type Note, noNotes } from "../protocol/fault.ts"
import { isObject, type JsonObject } from "../protocol/json.ts"
import { overflowMessage } from "../protocol/overflow.ts"
import type { Route } from "../providers/route.ts"
import { measureSent, type Sent } from "./sent.ts"

export interface Prompt {
  /** The estimate, corrected for the model; asked for only near the window. */
  readonly tokens: () => number
  /** The estimate itself, where the correction makes another number of it. */
  readonly estimate?: () => number
  /** Our estimate of one text, which may be known already. */
  readonly countText?: ((text: string) => number) | undefined
  /** More tokens than it has, found without counting. */
  readonly atMost: () => number
  /** The correction is the model's own. */
  readonly sure: boolean
}

export type Fit<Given extends Conversion = Conversion> =
  | { readonly ok: true; readonly conversion: Given; readonly notes: readonly Note[] }
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
export function fitWindow<Given extends Conversion>(
  conversion: Given,
  route: Route,
  prompt: Prompt,
  measure: (conversion: Conversion, countText: Prompt["countText"]) => Sent = measureConversion,
): Fit<Given> {
  const asIs: Fit<Given> = { ok: true, conversion, notes: noNotes }
  const { contextWindow: window } = route.profile
  if (window === null || conversion.answer !== undefined) return asIs
  const { body } = conversion
  const reply = body.max_completion_tokens ?? body.max_tokens ?? 0
  if (prompt.atMost() + reply <= window) return asIs
  const { tokens, estimate, hasMedia } = lengthOf(prompt, measure(conversion, prompt.countText))
  // Each model has its own measure of pictures and documents.
  if (!hasMedia && isTooLong(tokens, estimate, window, prompt.sure)) {
    return { ok: false, fault: tooLong(route, tokens, window) }
  }
  const room = Math.max(window - tokens, Math.min(reply, leastReply))
  const amended = room < reply ? applyAmendment(conversion, { kind: "room", tokens: room }) : undefined
  if (amended === undefined) return asIs
  const why = `lowered from ${reply} to ${room}: about ${tokens} tokens of the window of ${window} are the prompt`
  const others = amended.notes.filter(({ path }) => path !== "max_tokens")
  return {
    ok: true,
    conversion: { ...conversion, ...amended.conversion },
    notes: [changed("max_tokens", why), ...others],
  }
}

function measureConversion(conversion: Conversion, countText: Prompt["countText"]): Sent {
  return measureSent(bodyOf(conversion), countText)
}

interface Length {
  /** Corrected for the model. */
  readonly tokens: number
  readonly estimate: number
  readonly hasMedia: boolean
}

/** What is sent may be shorter than what the client said: thinking is left out, and what the model cannot see. */
function lengthOf(prompt: Prompt, sent: Sent): Length {
  const corrected = prompt.tokens()
  const given = prompt.estimate?.() ?? corrected
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

export interface Weight {
  /**
   * Half its bytes, which is more than its tokens in every language and in source code. Where it is nothing but
   * digits or base64 it may be a third less: such a prompt is left to the upstream.
   */
  readonly atMost: number
  /** It holds pictures or documents, which no two models count in the same way. */
  readonly hasMedia: boolean
}

/** Weighs a request's body without counting it: a megabyte takes a fraction of a millisecond. */
export function weighBody(body: object): Weight {
  let bytes = 0
  let hasMedia = false
  // A list and no recursion: a body may be nested deeper than the stack.
  const waiting: unknown[] = [body]
  while (waiting.length > 0) {
    const value = waiting.pop()
    bytes += around
    if (typeof value === "string") bytes += Buffer.byteLength(value)
    else if (Array.isArray(value)) for (const item of value) waiting.push(item)
    else if (isObject(value)) {
      const isMedia = value["type"] === "image" || value["type"] === "document"
      hasMedia ||= isMedia
      bytes += isMedia ? mostPicture : 0
      bytes += encodedBytes(value) ?? pushMembers(value, waiting)
    }
  }
  return { atMost: Math.ceil(bytes / 2), hasMedia }
}

// Punctuation around a value, and what is said around a message or a tool.
const around = 4

/** Puts an object's values on the list; the bytes of their names. */
function pushMembers(value: JsonObject, waiting: unknown[]): number {
  let bytes = 0
  for (const key in value) {
    bytes += key.length
    waiting.push(value[key])
  }
  return bytes
}

// As tokens/media.ts counts them, in bytes of text: 1,600 tokens for a picture, 2,000 for 50 kB of a document and for
// the rest of them.
const mostPicture = 4_000
const documentShare = 0.06

/** A picture or a document in base64, without what it counts for anyway; undefined for everything else. */
function encodedBytes({ type, data, media_type: mediaType }: JsonObject): number | undefined {
  if (type !== "base64" || typeof data !== "string" || typeof mediaType !== "string") return undefined
  if (mediaType.startsWith("image/")) return 0
  return mediaType.startsWith("text/") ? undefined : data.length * documentShare
}
