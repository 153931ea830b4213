// Refusals of how much a model shall think, and of what is shown of it.
import { reasoningEfforts } from "../../protocol/chat/chat.ts"
import type { OptionalField } from "./amend-fields.ts"
import type { Amendment } from "./amendments.ts"
import { clausesOf } from "./named-limit.ts"
import { refusalWords, refusedNames, type Words } from "./refusal-words.ts"

const encryptedContent = /encrypted[_ ](?:reasoning[_ ])?content/
const cannotRead =
  /(?:could not|cannot|can't|can not|unable to|failed to) (?:be )?(?:verif|decrypt|decod|pars|read)|invalid_encrypted_content|was not issued to/

/** Encrypted reasoning of earlier turns that cannot be read (any more), or that has lost what it led to. */
export function unreadable({ text, param }: Words): Amendment | undefined {
  if (/required following item/.test(text)) return { kind: "forget" }
  if (!encryptedContent.test(text)) return undefined
  return param === "input" || cannotRead.test(text) ? { kind: "forget" } : undefined
}

/** What the Responses API is asked of the reasoning beside its effort. */
export function refusedReasoning(words: Words): Amendment | undefined {
  return withoutSummary(words) ?? unverified(words) ?? withoutEncrypted(words)
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

/** The efforts that are taken, or thinking that cannot be switched off. */
export function refusedEffort(words: Words): Amendment | undefined {
  return knownEffort(words) ?? alwaysThinks(words) ?? neverThinks(words)
}

// The value that is refused, where it is not said of which field; other fields have some of the words too.
const anEffort = "\\W{0,2}(?:none|minimal|low|medium|high|xhigh|max)\\b"
const unsupportedEffort = new RegExp(`unsupported value: ${anEffort}|\\blevel ${anEffort}`)
const otherScale = /\b(?:detail|verbosity)\b/

function isAboutEffort({ text, param }: Words): boolean {
  if (/^reasoning/.test(param) || /effort|think value|reasoning value/.test(text)) return true
  return param === "" && unsupportedEffort.test(text) && !otherScale.test(text)
}

const listing =
  /(?:(?:supported|allowed|valid|accepted|possible) (?:values|options|efforts|levels)|must be(?: one of)?|should be|one of|expected)(.{1,160})/
// Behind the list some say what they got.
const listEnd = /\b(?:but|got|received|instead of|input_value|you provided)\b|['"]input['"] ?:/

/** The efforts that are taken, where the refusal lists them. */
function knownEffort(words: Words): Amendment | undefined {
  const { text } = words
  if (/set\W{1,3}reasoning_effort\W{1,3}to\W{1,3}none/.test(text))
    return { kind: "effort", taken: ["none"], withTools: /\btools?\b/.test(text) }
  if (!isAboutEffort(words) || text.includes("tool_choice")) return undefined
  const listed = listing.exec(text)?.[1]?.split(listEnd, 1)[0]
  const said = new Set<string>(listed?.match(/\b[a-z]+\b/g))
  const taken = reasoningEfforts.filter((word) => said.has(word))
  return taken.length === 0 ? undefined : { kind: "effort", taken, withTools: false }
}

const mandatory: readonly RegExp[] = [
  /(?:reasoning|thinking)\b[^.]{0,60}(?:mandatory|(?:cannot|can't|can not|may not) be (?:disabled|turned off|switched off)|always (?:on|enabled))/,
  /(?:cannot|can't|not support|not allow) (?:disabl\w+|turn\w* off) (?:of )?(?:reasoning|thinking)/,
  /only (?:works|supports|available) (?:in )?thinking(?: mode)?\b/,
  /enable_thinking\W{1,3}(?:must|should) be (?:set to )?true/,
  /enable_thinking\b.{0,30}restricted to true/,
]

function alwaysThinks({ text }: Words): Amendment | undefined {
  return mandatory.some((saying) => saying.test(text)) ? { kind: "always-thinks" } : undefined
}

// Ollama, in three ways; Gemini; DashScope.
const noThinking: readonly RegExp[] = [
  /(?:not|n't) support (?:extended )?(?:thinking|reasoning)(?: mode)?(?=[.!"'}\])]|$)/,
  /(?:^|[^\w"'`])(?:thinking|reasoning)(?: mode)? is not (?:supported|available|enabled) (?:for|by|with|on|in) (?:th(?:is|e) )?model\b/,
  /think value \W?\w{1,10}\W? is not supported/,
  /invalid reasoning value/,
  /(?:thinking|reasoning)(?: (?:level|budget|config|effort)|_level)(?: \W?\w{1,10}\W?)? is not supported/,
  /enable_thinking\b(?:.{0,30}restricted to|\W{1,3}(?:must|should) be(?: set to)?) false(?! for non)/,
]
// Then it is the two of them together that are refused.
const beside =
  /\b(?:tools?|tool_choice|functions?|stream\w*|json\w*|response_format|temperature|top_[pk]|prefill\w*|together|combin\w*|simultaneous\w*|both|while|when)\b/

/** A model that does not think, or not by degrees: nothing is said of it to the model. */
function neverThinks({ text }: Words): Amendment | undefined {
  const isSaid = clausesOf(text).some(
    (clause) => noThinking.some((saying) => saying.test(clause)) && !beside.test(clause),
  )
  return isSaid ? { kind: "drop", fields: thinkingFields } : undefined
}

const thinkingFields: readonly OptionalField[] = [
  ...(["reasoning_effort", "thinking", "enable_thinking", "thinking_budget"] as const),
  ...(["reasoning", "chat_template_kwargs"] as const),
]
