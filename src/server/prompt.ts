// What is known of a prompt's length for the model it goes to: counted when it is asked for, and weighed before.
import type { ChatRequest } from "../protocol/chat.ts"
import type { JsonObject } from "../protocol/json.ts"
import type { ResponsesRequest } from "../protocol/responses.ts"
import type { Route } from "../providers/route.ts"
import { type Prompt, type Weight, weighBody } from "./fit.ts"
import { leastPrompt, type Ratios } from "./ratios.ts"
import { measureSent } from "./sent.ts"

type SentBody = ChatRequest | ResponsesRequest

export interface MeasuredPrompt extends Prompt {
  /**
   * The model has counted it: `reported` tokens, all of the prompt and nothing else. `sent` is what it was converted
   * to, where it was.
   */
  readonly learn: (reported: number, sent?: SentBody) => void
  /** The reply may take hours: what is to be known of the prompt is found now, and its words are let go of. */
  readonly settle: (sent?: SentBody) => void
}

/** What of a prompt is needed for the reply to it. */
export interface RepliedPrompt extends Pick<Prompt, "tokens"> {
  readonly learn: (reported: number) => void
  readonly settle: () => void
}

interface Counted {
  readonly body: JsonObject
  /** Our estimate, as it is for every model. */
  readonly tokens: () => number
  /** Our estimate of one text. */
  readonly countText?: (text: string) => number
}

/** The measures of a request's prompt; nothing is counted yet. */
export function measurePrompt(given: Counted, route: Route, ratios: Ratios): MeasuredPrompt {
  let counted = given
  let corrected: number | undefined
  let weighed: Weight | undefined
  let settled: { readonly length: number | undefined } | undefined
  const tokens = () => counted.tokens()
  const weight = (): Weight => {
    weighed ??= weighBody(counted.body)
    return weighed
  }

  /** What is to be learnt from, if anything. */
  function lengthOf(sent: SentBody | undefined): number | undefined {
    if (weight().hasMedia) return undefined
    // What is passed through is estimated for this alone, and an upstream of that kind counts by itself.
    if (sent === undefined) return ratios.isSettled(route) ? undefined : tokens()
    const sentWeight = weighBody(sent)
    if (isAlike(weight(), sentWeight)) return tokens()
    return isTooShort(sent, sentWeight) ? undefined : measureSent(sent, counted.countText).tokens
  }

  return {
    tokens: () => {
      // What one request is told of its length does not change with what is learnt meanwhile.
      corrected ??= ratios.correct(route, tokens())
      return corrected
    },
    estimate: tokens,
    countText: given.countText,
    atMost: () => {
      const { atMost } = weight()
      return Math.max(atMost, ratios.correct(route, atMost))
    },
    sure: ratios.isSure(route),
    learn: (reported, sent) => {
      const { length } = settled ?? { length: lengthOf(sent) }
      if (length !== undefined) ratios.learn(route, length, reported)
    },
    settle: (sent) => {
      if (settled !== undefined) return
      settled = { length: lengthOf(sent) }
      counted = countedAs(counted.tokens())
    },
  }
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
