// Refusals of a request's parameters: their names, their values, and which of them exclude each other.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import type { Conversion } from "../request/request.ts"
import { nestedFields, type OptionalField, optionalFields } from "./amend-fields.ts"
import type { Amendment } from "./amendments.ts"
import { namedLeast, namedLimit } from "./named-limit.ts"
import { namedRange, numberIn } from "./named-range.ts"
import { refusedNames, type Words } from "./refusal-words.ts"

/** The limit of the reply: its name, or how much it may be. */
export function refusedLimit(conversion: Conversion, words: Words): Amendment | undefined {
  return (
    wantsStream(words) ?? wantsWhole(words) ?? otherName(conversion, words) ?? otherLimit(conversion, words)
  )
}

const notTooMuch =
  /too (?:large|big|high|small|low)|greater|exceed|less than|at most|at least|range|between|maximum|minimum|超过|[大高小低]于|范围|最[大小多]|之间|至少/

/** OpenAI's reasoning models say which name they want; others only which one they do not know. */
function otherName({ body, responses }: Conversion, words: Words): Amendment | undefined {
  const { text } = words
  const isUnknown = (name: string): boolean => !notTooMuch.test(text) && refusedNames(words).has(name)
  if (responses !== undefined) return isUnknown("max_output_tokens") ? { kind: "no-limit" } : undefined
  if (body.max_tokens === undefined)
    return isUnknown("max_completion_tokens") ? { kind: "rename", to: "max_tokens" } : undefined
  const isWanted = /\b(?:use|using|by|favou?r of|instead:?)\W{1,3}max_completion_tokens/.test(text)
  return isWanted || isUnknown("max_tokens") ? { kind: "rename", to: "max_completion_tokens" } : undefined
}

function otherLimit({ body }: Conversion, { text }: Words): Amendment | undefined {
  const most = namedLimit(text, body.max_completion_tokens ?? body.max_tokens)
  if (most !== undefined) return { kind: "limit", most }
  const least = namedLeast(text)
  return least === undefined ? undefined : { kind: "least", least }
}

// Fireworks; DashScope's thinking models, three ways (alibaba/spring-ai-alibaba#867), and ModelScope's
// (musistudio/claude-code-router#948); everybody else's words for it.
const streamsOnly: readonly RegExp[] = [
  /must have stream\W{0,4}true/,
  /set to false for non-?stream/,
  /设置?为 ?false.{0,12}非流式|(?:只|仅)支持(?:流式|stream)|不支持非流式/,
  /not (?:be )?support(?:ed)? (?:when|if|with|for) \W?stream ?= ?false/,
  /only supports? (?:the )?stream/,
  /\bstream(?:ing)?(?: mode| parameter)?\W{0,3} ?(?:is required|must be (?:set to )?(?:true|enabled)|should be (?:set to )?true)/,
  /(?:requires?|please (?:use|enable|set)) (?:the )?\W?stream(?:ing)?\b(?!_)/,
  /non-?stream(?:ing|ed)? (?:calls?|requests?|mode|repl\w+|responses?|outputs?) (?:is|are) (?:not|un)/,
]

function wantsStream({ text }: Words): Amendment | undefined {
  return streamsOnly.some((saying) => saying.test(text)) ? { kind: "stream" } : undefined
}

// Bedrock, of Llama and DeepSeek (earendil-works/pi#3739).
const wholeOnly =
  /(?:not|n't) support (?:tools?|tool use|tool calling|function calling) (?:in|with|while|when) stream/

function wantsWhole({ text }: Words): Amendment | undefined {
  return wholeOnly.test(text) ? { kind: "drop", fields: ["stream", "stream_options"] } : undefined
}

/** Everything else: the value in its range, or the request without the field. */
export function refusedFields({ body }: Conversion, words: Words): readonly Amendment[] {
  const range = namedRange(words.text, words.param)
  const ranged: readonly Amendment[] = range === undefined ? [] : [{ kind: "range", ...range }]
  if (range !== undefined && isOfAnother(body[range.field], words)) return ranged
  const one =
    tooManyStops(words) ?? withoutMember(body, words) ?? withoutOne(body, words) ?? withoutFields(words)
  if (one !== undefined) return [...ranged, one]
  // A value that is in its range already was refused all the same: the range was not understood.
  return range === undefined ? [] : [...ranged, { kind: "drop", fields: [range.field] }]
}

/** What it got, in the words of OpenAI, pydantic and others. */
const gotten = /\b(?:got|received|given|provided|input_value|input['"]? ?[:=])\W{0,3}(-?\d+(?:\.\d+)?)/

/** Does it say that it got another value than the one that was sent? */
function isOfAnother(sent: number | undefined, { text }: Words): boolean {
  const got = gotten.exec(text)?.[1]
  return got !== undefined && Number(got) !== sent
}

const fewStops =
  /\bstop(?:_sequences)?\b[^.;]{0,80}(?:maximum length|at most|up to|no more than|more than|max(?:imum)?(?: of| is)?|limit(?: of| is)?)\W{0,3}(\d{1,2})\b|\bstop\b.{0,60}maximum length (\d{1,2})\b|(?:at most|up to|maximum of|more than) (\d{1,2}) stop\b|\bstop\W{0,3}最多(?:支持|允许)?\W{0,3}(\d{1,2})(?!\d)/

function tooManyStops({ text }: Words): Amendment | undefined {
  const most = numberIn(fewStops, text)
  return most === undefined ? undefined : { kind: "stops", most }
}

/** A member of an object that the rest of it can do without. */
function withoutMember(body: ChatRequest, words: Words): Amendment | undefined {
  const said = `${words.path} ${words.text}`
  for (const field of nestedFields) {
    const name = new RegExp(`\\b${field}\\.([a-z_]{2,40})\\b`).exec(said)?.[1]
    const isThere = name !== undefined && Object.hasOwn(body[field] ?? {}, name)
    if (
      isThere &&
      /extra|un(?:known|supported|recognized|expected)|not (?:supported|permitted|allowed)/.test(words.text)
    )
      return { kind: "member", field, name }
  }
  return undefined
}

const excludes =
  /\bboth\b|mutually exclusive|only one of|exactly one of|either .{1,40} or|(?:cannot|can't|can not|must not|should not|not be) (?:be )?(?:combined|used together|set together|specified together|provided together|(?:set|used|specified) (?:at the same time|simultaneously|together|with))/
// What is given up first when two exclude each other.
const sacrifices: readonly OptionalField[] = [
  ...(["top_k", "top_p", "temperature", "thinking_budget", "chat_template_kwargs"] as const),
  ...(["reasoning", "thinking", "enable_thinking", "reasoning_effort"] as const),
]

/** Two fields that exclude each other: one of them goes, a degree before the switch that says off. */
function withoutOne(body: ChatRequest, { text }: Words): Amendment | undefined {
  if (!excludes.test(text)) return undefined
  const named = sacrifices.filter(
    (field) => body[field] !== undefined && new RegExp(`\\b${field}\\b`).test(text),
  )
  const [first, ...others] = named
  if (first === undefined || others.length === 0) return undefined
  const keepsSwitch = body.thinking?.type === "disabled" && named.includes("reasoning_effort")
  return { kind: "drop", fields: [keepsSwitch ? "reasoning_effort" : first] }
}

/** Hints to the server alone: whatever is wrong with one, nobody misses it. */
const hints: ReadonlySet<string> = new Set([
  ...["service_tier", "prompt_cache_key", "store", "stream_options", "tool_stream"],
  ...["parallel_tool_calls", "parallel_function_calling"],
])

// The Responses API has the effort inside of `reasoning`.
function withoutFields(words: Words): Amendment | undefined {
  const names = refusedNames(words)
  const isRefused = (field: OptionalField) =>
    names.has(field) ||
    // vLLM with Mistral's tokenizer (Alishahryar1/free-claude-code#89).
    (field === "chat_template_kwargs" && names.has("chat_template")) ||
    (field === words.param && hints.has(field)) ||
    (field === "reasoning_effort" && names.has("reasoning"))
  const fields: readonly OptionalField[] = optionalFields.filter(isRefused)
  return fields.length === 0 ? undefined : { kind: "drop", fields }
}
