// What is known of a prompt's length for the model it goes to: counted when it is asked for, and weighed before.
import { bodyOf } from "../../convert/request/body-of.ts"
import type { Conversion } from "../../convert/request/request.ts"
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import type { ResponsesRequest } from "../../protocol/chat/responses.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import { leastPrompt, type Ratios } from "../learned/ratios.ts"
import { measureSent } from "./sent.ts"
import { type Weight, weighBody } from "./weight.ts"

type SentBody = ChatRequest | ResponsesRequest

/** What is counted of a request. */
interface Counted {
  readonly body: JsonObject
  /** Our estimate, as it is for every model. */
  readonly tokens: () => number
  /** Our estimate of one text. */
  readonly countText?: (text: string) => number
}

/** The measures of a request's prompt. It changes in place, by the functions below. */
export interface MeasuredPrompt {
  readonly route: Route
  readonly ratios: Ratios
  /** The correction is the model's own. */
  readonly sure: boolean
  counted: Counted
  /** What it was converted to, where it was: that is what the model counts, and not what the client said. */
  sent: Pick<Conversion, "body" | "responses"> | undefined
  weight: Weight | undefined
  /** The estimate, corrected for the model. */
  corrected: number | undefined
  /** What is to be learnt from, if anything, once its words are let go of. */
  settled: { readonly length: number | undefined } | undefined
}

/** Nothing is counted yet. */
export function measurePrompt(counted: Counted, route: Route, ratios: Ratios): MeasuredPrompt {
  return {
    route,
    ratios,
    sure: ratios.isSure(route),
    counted,
    sent: undefined,
    weight: undefined,
    corrected: undefined,
    settled: undefined,
  }
}

/** Its tokens for the model. What one request is told of them does not change with what is learnt meanwhile. */
export function promptTokens(prompt: MeasuredPrompt): number {
  prompt.corrected ??= prompt.ratios.correct(prompt.route, prompt.counted.tokens())
  return prompt.corrected
}

/** More tokens than it has, found without counting. */
export function mostTokens(prompt: MeasuredPrompt): number {
  const { atMost } = weightOf(prompt)
  return Math.max(atMost, prompt.ratios.correct(prompt.route, atMost))
}

/** The model has counted it: `reported` tokens, all of the prompt and nothing else. */
export function learnPrompt(prompt: MeasuredPrompt, reported: number): void {
  const length = prompt.settled === undefined ? lengthOf(prompt) : prompt.settled.length
  if (length !== undefined) prompt.ratios.learn(prompt.route, length, reported)
}

/** The reply may take hours: what is to be known of the prompt is found now, and its words are let go of. */
export function settlePrompt(prompt: MeasuredPrompt): void {
  if (prompt.settled !== undefined) return
  prompt.settled = { length: lengthOf(prompt) }
  prompt.counted = countedAs(prompt.counted.tokens())
  prompt.sent = undefined
}

function weightOf(prompt: MeasuredPrompt): Weight {
  prompt.weight ??= weighBody(prompt.counted.body)
  return prompt.weight
}

/** What is to be learnt from, if anything. */
function lengthOf(prompt: MeasuredPrompt): number | undefined {
  const { route, ratios, counted, sent } = prompt
  const weight = weightOf(prompt)
  if (weight.hasMedia) return undefined
  // What is passed through is estimated for this alone, and an upstream of that kind counts by itself.
  if (sent === undefined) return ratios.isSettled(route) ? undefined : counted.tokens()
  const body = bodyOf(sent)
  const sentWeight = weighBody(body)
  if (isAlike(weight, sentWeight)) return counted.tokens()
  return isTooShort(body, sentWeight) ? undefined : measureSent(body, counted.countText).tokens
}

const countedAs = (tokens: number): Counted => ({ body: {}, tokens: () => tokens })

/** Whatever is counted in it, nothing is learnt from it: there are no more tokens than bytes outside of schemas. */
function isTooShort({ tools }: SentBody, { atMost }: Weight): boolean {
  return tools === undefined && 2 * atMost < leastPrompt
}

// More than names and punctuation make of a large prompt.
const difference = 0.03

/** Is so nearly everything sent that the estimate, which was made already, holds for it? */
function isAlike({ atMost }: Weight, sent: Weight): boolean {
  return Math.abs(sent.atMost - atMost) <= difference * atMost
}
