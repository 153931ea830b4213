// A request that was refused for something it can do without: what the refusal names, and the request as the
// upstream takes it. Refusals of the prompt's length, the model or the key are not among them.
import { jsonOf, objectOf, textOf } from "../../protocol/json.ts"
import type { Conversion } from "../request/request.ts"
import type { Amended } from "./amend-messages.ts"
import { type Amendment, applyAmendment } from "./amendments.ts"
import { isAboutContent, isQuotation, type Words, withPlaces, wordsOf } from "./refusal-words.ts"
import { refusedContent, unsignedCalls } from "./refused-content.ts"
import { refusedFields, refusedLimit } from "./refused-fields.ts"
import { refusedFormat } from "./refused-format.ts"
import { refusedEffort, refusedReasoning, unreadable } from "./refused-reasoning.ts"
import { refusedChoice, refusedOffer, refusedSchema, refusedStrict } from "./refused-tools.ts"

/** What an upstream said when it refused a request. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number
  /** Its words, or ours for them where the prompt and the reply together are too long. */
  readonly message: string
  /** The field it names beside its words (OpenAI's `error.param`). */
  readonly param: string | undefined
  /** The reply as it came; a message has no room for everything that some list. */
  readonly body?: string | undefined
  /** Our estimate of the prompt, in tokens. */
  readonly inputTokens: () => number
}

export interface AmendedRequest extends Amended {
  readonly amendment: Amendment
}

/** The request without what was refused; undefined when the refusal names nothing that can be done without. */
export function amend(conversion: Conversion, refusal: Refusal): AmendedRequest | undefined {
  for (const amendment of candidates(conversion, refusal)) {
    const amended = applyAmendment(conversion, amendment)
    if (amended !== undefined) return { ...amended, amendment }
  }
  return undefined
}

/** `error.param` of an error reply, also of one that a gateway hands on as text; undefined where there is none. */
export function namedParam(body = ""): string | undefined {
  const error = objectOf(objectOf(jsonOf(body))["error"])
  const behind = jsonOf(textOf(objectOf(error["metadata"])["raw"]) ?? "")
  const inner = objectOf(objectOf(behind)["error"])
  return textOf(error["param"]) ?? textOf(inner["param"])
}

// OpenRouter and those after it; servers that call it their own mistake what a request asks of them: llama.cpp
// (images without a projector), SGLang (chat templates), both (grammars).
const otherStatuses: Readonly<Record<number, RegExp>> = {
  402: /can only afford/,
  404: /no endpoints found that support/,
  500: /system role not supported|roles must alternate|no user query found|single tool-calls at once|\bmmproj\b|image input is not supported|(?:not|n't) support image input|pars\w* grammar|initialize samplers/,
}

// Those who have one status for whatever the server behind them says, and hand on its own (LM Studio:
// lmstudio-ai/lmstudio-bug-tracker#2220).
const saysBadRequest =
  /\binvalid_request_error\b|\bunsupported_(?:parameter|value)\b|\bBadRequestError\b|(?:returned|status(?: code)?|error code)\W{1,3}4(?:00|22)\b/i
const behindLookedAt = 2_000

/** May anything of the request be to blame, and not the server or who asks? */
function blamesRequest({ status, body = "" }: Refusal, { text }: Words): boolean {
  if (status === 400 || status === 422 || otherStatuses[status]?.test(text) === true) return true
  return (status === 500 || status === 502) && saysBadRequest.test(body.slice(0, behindLookedAt))
}

// Replies that are longer repeat what was sent.
const bodyLookedAt = 64 * 1024
const messageLookedAt = 2_000

/** What may be changed after this refusal: the first that changes anything is the one. */
function candidates(conversion: Conversion, refusal: Refusal): readonly Amendment[] {
  const words = wordsOf(refusal)
  if (!blamesRequest(refusal, words)) return []
  if (/^prompt is too long: \d+ tokens >/.test(words.text)) return []
  // These may stand beside the name of the conversation, which is otherwise not to be changed.
  const ofPrompt =
    roomBeside(words, refusal) ?? affordable(words) ?? unreadable(words) ?? unsignedCalls(words)
  if (ofPrompt !== undefined) return [ofPrompt]
  if (refusal.status === 402) return []
  const { body } = conversion
  const said = (refusal.body ?? refusal.message).slice(0, bodyLookedAt)
  const ofContent = isQuotation(words)
    ? []
    : [
        ...refusedContent(words),
        ...refusedOffer(body, words),
        ...refusedChoice(body, words),
        ...refusedStrict(body, words),
        ...refusedSchema(body, withPlaces(refusal.message.slice(0, messageLookedAt)), said),
      ]
  if (isAboutContent(words)) return ofContent
  const first =
    refusedReasoning(words) ??
    refusedLimit(conversion, words) ??
    refusedFormat(body, words) ??
    refusedEffort(words)
  return [...ofContent, ...(first === undefined ? refusedFields(conversion, words) : [first])]
}

// As much as Claude Code keeps free when it does the same.
const spare = 1_000
// With less room than this the cure is a shorter conversation, which the error asks for.
const leastRoom = 2_000

/** The prompt fits, and only the reply that was asked for is too long for what is left. */
function roomBeside({ text }: Words, { inputTokens }: Refusal): Amendment | undefined {
  const found = /^input length and `max_tokens` exceed context limit: (\d+) \+ \d+ > (\d+)/.exec(text)
  if (found === null) return undefined
  // Some count no further than they have to.
  const prompt = text.includes("at least") ? Math.max(Number(found[1]), inputTokens()) : Number(found[1])
  const tokens = Number(found[2]) - prompt - spare
  return tokens < leastRoom ? undefined : { kind: "room", tokens }
}

/** OpenRouter asks for credit for the longest reply there could be: what is left is enough for most replies. */
function affordable({ text }: Words): Amendment | undefined {
  const found = /requested up to \d+ tokens, but can only afford (\d+)/.exec(text)
  const tokens = Number(found?.[1] ?? 0)
  return tokens < leastRoom ? undefined : { kind: "credit", tokens }
}
