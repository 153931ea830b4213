// Refusals of structured output.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import type { Amendment } from "./amendments.ts"
import { clausesOf } from "./named-limit.ts"
import { refusalWords, type Words } from "./refusal-words.ts"

const formatWords =
  /response[_ ]format|text\.format|json_schema|json_object|json mode|structured[_ ]outputs?|response mime type|guided[_ ](?:json|decoding)/

/** Structured output that is not taken: an instruction does what it can. */
export function refusedFormat(
  { response_format }: ChatRequest,
  { text, path }: Words,
): Amendment | undefined {
  if (response_format === undefined) return undefined
  // llama.cpp, which has one grammar for both.
  if (/custom grammar constraints with tools/.test(text))
    return { kind: "format", to: "none", lasting: false }
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
