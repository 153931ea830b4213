// What is known of a prompt's length for the model it goes to: counted when it is asked for, and weighed before.
import type { JsonObject } from "../protocol/json.ts"
import type { Route } from "../providers/route.ts"
import { type Prompt, weighBody } from "./fit.ts"
import type { Ratios } from "./ratios.ts"

export interface MeasuredPrompt extends Prompt {
  /** The model has counted it: `reported` tokens, all of the prompt and nothing else. */
  readonly learn: (reported: number) => void
}

interface Counted {
  readonly body: JsonObject
  /** Our estimate, as it is for every model. */
  readonly tokens: () => number
}

/** The measures of a request's prompt; nothing is counted yet. */
export function measurePrompt({ body, tokens }: Counted, route: Route, ratios: Ratios): MeasuredPrompt {
  let corrected: number | undefined
  return {
    tokens: () => {
      // What one request is told of its length does not change with what is learnt meanwhile.
      corrected ??= ratios.correct(route, tokens())
      return corrected
    },
    atMost: () => {
      const { atMost } = weighBody(body)
      return Math.max(atMost, ratios.correct(route, atMost))
    },
    sure: ratios.isSure(route),
    learn: (reported) => {
      if (!weighBody(body).hasMedia) ratios.learn(route, tokens(), reported)
    },
  }
}
