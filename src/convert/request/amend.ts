// A request that was refused for something it can do without: what the refusal names, and the request as the
// upstream takes it. Refusals of the prompt's length, the model or the key are not among them.
import type { ChatRequest, ReasoningEffort } from "../../protocol/chat.ts"
import { objectOf, parseJson, textOf } from "../../protocol/json.ts"
import { efforts } from "./amend-effort.ts"
import type { Amendment, LimitField, OptionalField } from "./amendments.ts"
import { type Amended, applyAmendment, optionalFields } from "./amendments.ts"
import { clausesOf, namedLimit } from "./named-limit.ts"
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

// Some echo what was sent: the provider's own words stand at the beginning.
const lookedAt = 1500

/** A refusal made easy to read: lower case, `maxTokens` as `max_tokens`, numbers without separators. */
interface Words {
  readonly text: string
  readonly param: string
}

function wordsOf({ message, param = "" }: Refusal): Words {
  const plain = (given: string) =>
    given
      .slice(0, lookedAt)
      .replace(/([a-z])([A-Z])/g, "$1_$2")
      .toLowerCase()
  const [head = ""] = plain(param)
    .replace(/^body\./, "")
    .split(/[.[]/)
  return { text: plain(message).replace(/(?<=\d),(?=\d{3}(?!\d))/g, ""), param: head }
}

function findAmendment(body: ChatRequest, refusal: Refusal): Amendment | undefined {
  if (refusal.status !== 400 && refusal.status !== 422) return undefined
  const words = wordsOf(refusal)
  if (/^prompt is too long: \d+ tokens >/.test(words.text)) return undefined
  const ofReasoning = unverified(words, refusal) ?? encrypted(words)
  if (ofReasoning !== undefined) return ofReasoning
  if (isAboutContent(words, refusal)) return undefined
  return (
    roomBeside(words, refusal) ??
    otherName(body, words) ??
    lowerLimit(words) ??
    plainFormat(body, words) ??
    knownEffort(words) ??
    alwaysThinks(words) ??
    withoutFields(words)
  )
}

const contentFields: ReadonlySet<string> = new Set([
  ...["messages", "input", "model", "instructions", "system", "contents"],
])
const toolFields: ReadonlySet<string> = new Set(["tools", "functions", "tool_choice"])

const aboutContent: readonly RegExp[] = [
  /\b(?:messages|input|tools|contents?)(?:\[\d|\.\d)|function_declarations|invalid schema for function/,
  /\bthe model \W?[\w./:-]{1,80}\W? (?:is|was) not\b/,
  /^(?:\[[\w-]+\] )?(?:messages:|invalid user message|could not parse)/,
]

/** Is it the conversation, a tool's schema or the model that is refused? Field names in there mean nothing. */
function isAboutContent({ text, param: head }: Words, { param = "" }: Refusal): boolean {
  if (contentFields.has(head) || (toolFields.has(head) && /[.[]/.test(param))) return true
  return aboutContent.some((saying) => saying.test(text))
}

/** Encrypted reasoning that this model does not give, or cannot read (any more). */
function encrypted({ text, param }: Words): Amendment | undefined {
  if (param === "include" || /encrypted content is not supported/.test(text)) return { kind: "encrypted" }
  const isUnread =
    /invalid_encrypted_content|encrypted content\b.{0,200}could not be|required following item|without its required/
  return isUnread.test(text) ? { kind: "forget" } : undefined
}

/** What OpenAI gives to verified organizations only: summaries of reasoning, and streams of some models. */
function unverified({ text, param }: Words, refusal: Refusal): Amendment | undefined {
  if (refusal.param === "reasoning.summary" || /reasoning\.summary/.test(text)) return { kind: "summary" }
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
function otherName(body: ChatRequest, { text, param }: Words): Amendment | undefined {
  const to: LimitField = body.max_tokens === undefined ? "max_tokens" : "max_completion_tokens"
  if (to === "max_completion_tokens") {
    return /\buse\W{1,3}max_completion_tokens/.test(text) ? { kind: "rename", to } : undefined
  }
  const isUnknown = refusedNames({ text, param }).has("max_completion_tokens")
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
function plainFormat({ response_format }: ChatRequest, { text, param }: Words): Amendment | undefined {
  if (response_format === undefined) return undefined
  const isNamed = param === "response_format" || param === "text"
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

/** The degrees of thinking that are taken, where the refusal lists them. */
function knownEffort({ text, param }: Words): Amendment | undefined {
  if (/set\W{1,3}reasoning_effort\W{1,3}to\W{1,3}none/.test(text)) {
    return { kind: "effort", taken: ["none"], withTools: /\btools?\b/.test(text) }
  }
  const isAbout =
    /^reasoning/.test(param) ||
    /effort|think value|unsupported value: \W(?:none|minimal|low|medium|high|xhigh|max)\b/.test(text)
  if (!isAbout || text.includes("tool_choice")) return undefined
  const listed =
    /(?:(?:supported|allowed|valid|accepted|possible) (?:values|options|efforts|levels)|must be(?: one of)?|should be|one of|expected)(.{1,160})/.exec(
      text,
    )?.[1]
  const said = new Set(listed?.match(/\b[a-z]+\b/g))
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

// Each gives, in its group, one name or several with commas or "and" between them.
const name = "[a-z_]{3,40}"
const quote = "[\"'`]?"
const names = `[\\s:["'\`]{0,4}((?:body\\.)?${name}(?:${quote}(?:,| and|, and) ${quote}${name}){0,5})`
const noun = "(?:keyword argument|parameter|argument|property|option|field|name|key|value|input)s?"
const refused =
  "(?:not (?:yet )?(?:supported|allowed|permitted|available|recognized|implemented)|unsupported|deprecated|no longer supported)"
const noTaking = "(?:n't|not) (?:support|accept|allow)(?:s|ed)?(?: the)?"
const refusing: readonly RegExp[] = [
  `(?:unsupported|unrecognized|unknown|unexpected|invalid|extra) (?:request )?${noun}(?: supplied| found)?${names}`,
  `${noun}${names}\\W{1,3}(?:is|are) (?:currently )?${refused}`,
  `${noTaking} ${noun}${names}`,
  `${noTaking}${names}\\W{1,3}${noun}`,
  `(?:^|[^a-z_])(${name}(?:${quote} and ${quote}${name})?)\\W{1,3}(?:is|are|was) (?:currently )?${refused}`,
  `not supported (?:on|by|with|for) th(?:is|e) model:${names}`,
  `(?:^|[^a-z_.])(?:body\\.)?(${name})(?:\\.[a-z_.]{1,60})?: extra (?:inputs|fields)? ?(?:are )?not permitted`,
  `invalid (${name}): only`,
].map((saying) => new RegExp(saying, "g"))

// Claude's newer models take one of the two only.
const exclusive =
  /temperature\W{1,3}and\W{1,3}top_p\W{1,3}(?:cannot|can't) both|both\W{1,3}temperature\W{1,3}and\W{1,3}top_p/

const saysUnknown =
  /(?:n't|not) (?:support|permitted|allowed)|unsupported|unrecognized|unknown|only the default/

/** Names of fields that the refusal says are not taken at all. */
function refusedNames({ text, param }: Words): ReadonlySet<string> {
  if (exclusive.test(text)) return new Set(["top_p"])
  const found = refusing.flatMap((saying) =>
    [...text.matchAll(saying)].flatMap(([, group = ""]) => group.match(/[a-z_]{3,40}/g) ?? []),
  )
  return new Set(param !== "" && saysUnknown.test(text) ? [...found, param] : found)
}
