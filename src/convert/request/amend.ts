// A request that was refused for something it can do without: what the refusal names, and the request as the
// upstream takes it. Refusals of the prompt's length, the model or the key are not among them.
import type { ChatRequest, ReasoningEffort } from "../../protocol/chat.ts"
import { objectOf, parseJson, textOf } from "../../protocol/json.ts"
import { efforts } from "./amend-effort.ts"
import type { Amendment, LimitField, OptionalField } from "./amendments.ts"
import { type Amended, applyAmendment, optionalFields } from "./amendments.ts"
import { clausesOf, namedLimit } from "./named-limit.ts"
import { isAboutContent, refusedNames, type Words, wordsOf } from "./refusal-words.ts"
import type { Conversion } from "./request.ts"

/** What an upstream said when it refused a request. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number
  /** Its words, or ours for them where the prompt and the reply together are too long. */
  readonly message: string
  /** The field it names beside its words (OpenAI's `error.param`). */
  readonly param: string | undefined
  /** Our estimate of the prompt, in tokens. */
  readonly inputTokens: () => number
}

export interface AmendedRequest extends Amended {
  readonly amendment: Amendment
}

/** The request without what was refused; undefined when the refusal names nothing that can be done without. */
export function amend(conversion: Conversion, refusal: Refusal): AmendedRequest | undefined {
  const amendment = findAmendment(conversion.body, refusal)
  const amended = amendment === undefined ? undefined : applyAmendment(conversion, amendment)
  return amendment === undefined || amended === undefined ? undefined : { ...amended, amendment }
}

/** `error.param` of an error reply, also of one that a gateway hands on as text; undefined where there is none. */
export function namedParam(body = ""): string | undefined {
  const parsed = parseJson(body)
  const error = objectOf(objectOf(parsed.ok ? parsed.value : undefined)["error"])
  const behind = parseJson(textOf(objectOf(error["metadata"])["raw"]) ?? "")
  const inner = objectOf(objectOf(behind.ok ? behind.value : undefined)["error"])
  return textOf(error["param"]) ?? textOf(inner["param"])
}

function findAmendment(body: ChatRequest, refusal: Refusal): Amendment | undefined {
  if (refusal.status !== 400 && refusal.status !== 422) return undefined
  const words = wordsOf(refusal)
  if (/^prompt is too long: \d+ tokens >/.test(words.text)) return undefined
  // These may stand beside the name of the conversation, which is otherwise not to be changed.
  const ofPrompt = roomBeside(words, refusal) ?? unreadable(words)
  if (ofPrompt !== undefined || isAboutContent(words)) return ofPrompt
  return (
    withoutSummary(words) ??
    unverified(words) ??
    withoutEncrypted(words) ??
    otherName(body, words) ??
    lowerLimit(words) ??
    plainFormat(body, words) ??
    knownEffort(words) ??
    alwaysThinks(words) ??
    withoutFields(words)
  )
}

const encryptedContent = /encrypted[_ ](?:reasoning[_ ])?content/
const cannotRead =
  /(?:could not|cannot|can't|can not|unable to|failed to) (?:be )?(?:verif|decrypt|pars|read)|invalid_encrypted_content/

/** Encrypted reasoning of earlier turns that cannot be read (any more), or that has lost what it led to. */
function unreadable({ text, param }: Words): Amendment | undefined {
  if (/required following item/.test(text)) return { kind: "forget" }
  if (!encryptedContent.test(text)) return undefined
  return param === "input" || cannotRead.test(text) ? { kind: "forget" } : undefined
}

/** The summary of the reasoning is refused, in whatever words, and not the reasoning. */
function withoutSummary({ text, path }: Words): Amendment | undefined {
  const isNamed = path.startsWith("reasoning.summary") || /\breasoning[._ ]summar/.test(text)
  return isNamed ? { kind: "summary" } : undefined
}

/** Encrypted reasoning that the model does not give; searches are included by the same field. */
function withoutEncrypted(words: Words): Amendment | undefined {
  if (words.text.includes("web_search_call")) return undefined
  if (words.param === "include" || refusedNames(words).has("include")) return { kind: "encrypted" }
  return encryptedContent.test(words.text) && refusalWords.test(words.text)
    ? { kind: "encrypted" }
    : undefined
}

/** What OpenAI gives to verified organizations only: summaries of reasoning, and streams of some models. */
function unverified({ text, param }: Words): Amendment | undefined {
  if (!/must be verified to/.test(text)) return undefined
  if (/summar/.test(text)) return { kind: "summary" }
  return param === "stream" || /verified to stream/.test(text)
    ? { kind: "drop", fields: ["stream", "stream_options"] }
    : undefined
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

/** OpenAI's reasoning models say which name they want; a server that knows only the older one says which not. */
function otherName(body: ChatRequest, words: Words): Amendment | undefined {
  const { text } = words
  const to: LimitField = body.max_tokens === undefined ? "max_tokens" : "max_completion_tokens"
  if (to === "max_completion_tokens") {
    return /\buse\W{1,3}max_completion_tokens/.test(text) ? { kind: "rename", to } : undefined
  }
  const isUnknown = refusedNames(words).has("max_completion_tokens")
  return isUnknown && !/too large|too big|greater|exceed/.test(text) ? { kind: "rename", to } : undefined
}

function lowerLimit({ text }: Words): Amendment | undefined {
  const most = namedLimit(text)
  return most === undefined ? undefined : { kind: "limit", most }
}

const formatWords =
  /response[_ ]format|text\.format|json_schema|json_object|json mode|structured[_ ]outputs?|response mime type/
const refusalWords =
  /(?:n't|not) (?:yet )?(?:support|allowed|permitted|available|a valid|enabled|implemented|be combined)|unsupported|unavailable|invalid|unrecognized|unknown|must be|should be|not permitted|is only/

/** Structured output that is not taken: an instruction does what it can. */
function plainFormat({ response_format }: ChatRequest, { text, path }: Words): Amendment | undefined {
  if (response_format === undefined) return undefined
  const isNamed = /^(?:response_format\b|text$|text\.format\b)/.test(path)
  const isRefused = clausesOf(text).some(
    (clause) => (isNamed || formatWords.test(clause)) && refusalWords.test(clause),
  )
  if (!isRefused) return undefined
  const takesObject =
    response_format.type === "json_schema" &&
    !/json_object\W{1,3}(?:is|are)? ?(?:not|un)/.test(text) &&
    /(?:\bsupports?|supported|must be|one of|\buse|should be|expected)[^.;]{0,60}json_object|json_object[^.;]{0,20}supported/.test(
      text.replace(/(?:not|n't) support(?:s|ed)?/g, ""),
    )
  // A schema with a mistake, or a clash with tools, says nothing of the next request.
  const lasting = !/invalid schema|\btools?\b|function/.test(text)
  return { kind: "format", to: takesObject ? "json_object" : "none", lasting }
}

// The value that is refused, where it is not said of which field; other fields have some of the words too.
const unsupportedEffort = /unsupported value: \W(?:none|minimal|low|medium|high|xhigh|max)\b/
const otherScale = /\b(?:detail|verbosity)\b/

function isAboutEffort({ text, param }: Words): boolean {
  if (/^reasoning/.test(param) || /effort|think value/.test(text)) return true
  return param === "" && unsupportedEffort.test(text) && !otherScale.test(text)
}

const listing =
  /(?:(?:supported|allowed|valid|accepted|possible) (?:values|options|efforts|levels)|must be(?: one of)?|should be|one of|expected)(.{1,160})/

/** The efforts that are taken, where the refusal lists them. */
function knownEffort(words: Words): Amendment | undefined {
  const { text } = words
  if (/set\W{1,3}reasoning_effort\W{1,3}to\W{1,3}none/.test(text)) {
    return { kind: "effort", taken: ["none"], withTools: /\btools?\b/.test(text) }
  }
  if (!isAboutEffort(words) || text.includes("tool_choice")) return undefined
  const said = new Set<string>(listing.exec(text)?.[1]?.match(/\b[a-z]+\b/g))
  const taken: readonly ReasoningEffort[] = [...efforts, "default" as const].filter((word) => said.has(word))
  return taken.length === 0 ? undefined : { kind: "effort", taken, withTools: false }
}

const mandatory: readonly RegExp[] = [
  /(?:reasoning|thinking)\b[^.]{0,60}(?:mandatory|(?:cannot|can't|can not|may not) be (?:disabled|turned off|switched off)|always (?:on|enabled))/,
  /(?:cannot|can't|not support|not allow) (?:disabl\w+|turn\w* off) (?:of )?(?:reasoning|thinking)/,
  /only (?:works|supports|available) (?:in )?thinking(?: mode)?\b/,
  /enable_thinking\W{1,3}(?:must|should) be (?:set to )?true/,
]

function alwaysThinks({ text }: Words): Amendment | undefined {
  return mandatory.some((saying) => saying.test(text)) ? { kind: "always-thinks" } : undefined
}

// The Responses API has the effort inside of `reasoning`.
function withoutFields(words: Words): Amendment | undefined {
  const names = refusedNames(words)
  const isRefused = (field: OptionalField) =>
    names.has(field) || (field === "reasoning_effort" && names.has("reasoning"))
  const fields: readonly OptionalField[] = optionalFields.filter(isRefused)
  return fields.length === 0 ? undefined : { kind: "drop", fields }
}
