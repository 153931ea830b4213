// One passed-through request under way: what is known of it so far, and the one end it comes to.
import { readUsage } from "../convert/messages-usage.ts"
import { inputOf } from "../convert/reply/finish.ts"
import type { Outcome } from "../observe/exchange.ts"
import type { JsonObject } from "../protocol/json.ts"
import type { MessagesUsage } from "../protocol/messages.ts"
import type { Context } from "./context.ts"
import { type Account, createOutcome, type OutcomeFacts, type RequestOutcome } from "./outcome.ts"
import { createTally, type Tally } from "./tally.ts"

export interface DirectFacts extends Omit<OutcomeFacts, "account"> {
  /** Our estimate, for upstreams that do not count. */
  readonly inputTokens: () => number
}

export interface DirectSession extends RequestOutcome {
  /** Adds what a `usage` object of the reply says. */
  readonly readUsage: (usage: JsonObject) => void
  /** What the reply is made of. */
  readonly tally: Tally
}

/** The session of a request that is about to be sent; it counts as running until its end. */
export function createDirectSession(facts: DirectFacts, context: Context): DirectSession {
  const tally = createTally()
  let usage = noUsage

  function account({ kind }: Outcome): Account {
    const estimated = context.config.estimateTokens && kind === "completed" && inputOf(usage) === 0
    return {
      usage: estimated ? { ...usage, input_tokens: facts.inputTokens() } : usage,
      estimated,
      repairs: [],
      reply: tally.facts(),
    }
  }

  return {
    ...createOutcome({ ...facts, account }, context),
    tally,
    readUsage: (given) => {
      usage = { ...usage, ...readUsage(given) }
    },
  }
}

const noUsage: MessagesUsage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}
