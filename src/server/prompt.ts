// What is known of a prompt's length for the model it goes to: counted when it is asked for, and weighed before.
import type { ChatRequest } from "../protocol/chat.ts"
import type { JsonObject } from "../protocol/json.ts"
import type { ResponsesRequest } from "../protocol/responses.ts"
import type { Route } from "../providers/route.ts"
import { type Prompt, type Weight, weighBody } from "./fit.ts"
import type { Ratios } from "./ratios.ts"
import { measureSent } from "./sent.ts"

export interface MeasuredPrompt extends Prompt {
  /**
   * The model has counted it: `reported` tokens, all of the prompt and nothing else. `sent` is what it was converted
   * to, where it was.
   */
  readonly learn: (reported: number, sent?: ChatRequest | ResponsesRequest) => void
}

interface Counted {
  readonly body: JsonObject
  /** Our estimate, as it is for every model. */
  readonly tokens: () => number
  /** Our estimate of one text. */
  readonly countText?: (text: string) => number
}

/** The measures of a request's prompt; nothing is counted yet. */
export function measurePrompt(counted: Counted, route: Route, ratios: Ratios): MeasuredPrompt {
  const { tokens, countText } = counted
  let corrected: number | undefined
  let weighed: Weight | undefined
  const weight = (): Weight => {
    weighed ??= weighBody(counted.body)
    return weighed
  }
  return {
    tokens: () => {
      // What one request is told of its length does not change with what is learnt meanwhile.
      corrected ??= ratios.correct(route, tokens())
      return corrected
    },
    estimate: tokens,
    ...(countText === undefined ? undefined : { countText }),
    atMost: () => {
      const { atMost } = weight()
      return Math.max(atMost, ratios.correct(route, atMost))
    },
    sure: ratios.isSure(route),
    learn: (reported, sent) => {
      if (weight().hasMedia) return
      // What is passed through is estimated for this alone, and an upstream of that kind counts by itself.
      if (sent === undefined && ratios.isSettled(route)) return
      const isSame = sent === undefined || isAlike(weight(), weighBody(sent))
      ratios.learn(route, isSame ? tokens() : measureSent(sent, countText).tokens, reported)
    },
  }
}

// More than names and punctuation make of a large prompt.
const difference = 0.03

/** Is so nearly everything sent that the estimate, which was made already, holds for it? */
function isAlike({ atMost }: Weight, sent: Weight): boolean {
  return Math.abs(sent.atMost - atMost) <= difference * atMost
}
