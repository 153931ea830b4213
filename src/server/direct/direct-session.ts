// One passed-through request under way: what is known of it so far, and the one end it comes to.
import { laterCounts, readUsage } from "../../convert/common/messages-usage.ts"
import { reportedCost } from "../../convert/common/reported-cost.ts"
import type { Outcome } from "../../observe/exchange.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { MessagesUsage } from "../../protocol/messages/messages.ts"
import { inputOf, noUsage } from "../../protocol/messages/usage.ts"
import { estimateText } from "../../tokens/estimate.ts"
import type { Context } from "../context.ts"
import type { Account, OutcomeFacts } from "../outcome/exchange-of.ts"
import { beginsToCome, createOutcome, type RequestOutcome } from "../outcome/outcome.ts"
import { createTally, type Tally } from "../outcome/tally.ts"
import { learnPrompt, type MeasuredPrompt, promptTokens } from "../request/prompt.ts"

interface DirectFacts extends Omit<OutcomeFacts, "account"> {
  /** For upstreams that do not count. */
  readonly prompt: MeasuredPrompt
  /** The upstream runs tools by itself, whose results it counts with the prompt. */
  readonly servesTools: boolean
}

export interface DirectSession {
  readonly outcome: RequestOutcome
  /** Something of the answer has come: some of its words, or what is none. */
  readonly content: (words?: string) => void
  /** Adds what a `usage` object of the reply says. */
  readonly readUsage: (usage: JsonObject) => void
  /** What the reply is made of. */
  readonly tally: Tally
}

// A reply may go on for hours, and is kept for the estimate of its tokens alone, which can be made of parts.
const longestKept = 65_536

/** The session of a request that is about to be sent; it counts as running until its end. */
export function createDirectSession(facts: DirectFacts, context: Context): DirectSession {
  const tally = createTally()
  const { route, prompt } = facts
  let usage = noUsage
  let reportedCostUsd: number | undefined
  let written = ""
  let before = 0

  /** A stream that breaks off has told of its prompt, and not of all that it wrote. */
  function filled(isWhole: boolean): MessagesUsage {
    const answered = isWhole || written !== ""
    const input = inputOf(usage) === 0 && answered ? { input_tokens: promptTokens(prompt) } : {}
    if (written === "" || (isWhole && usage.output_tokens > 0)) return { ...usage, ...input }
    const output = context.ratios.correct(route, before + estimateText(written))
    return { ...usage, ...input, output_tokens: Math.max(output, usage.output_tokens) }
  }

  /** Few prompts are enough: who counts by itself is rarely asked for our count. */
  function learn(): void {
    if (inputOf(usage) > 0 && !prompt.sure && !facts.servesTools) learnPrompt(prompt, inputOf(usage))
  }

  function account({ kind }: Outcome): Account {
    const counts = context.config.estimateTokens ? filled(kind === "completed") : usage
    const estimated = inputOf(counts) !== inputOf(usage) || counts.output_tokens !== usage.output_tokens
    if (kind === "completed") learn()
    return { usage: counts, estimated, repairs: [], reply: tally.facts(), reportedCostUsd }
  }

  const outcome = createOutcome({ ...facts, account }, context)
  return {
    outcome,
    content: (words = "") => {
      beginsToCome(outcome)
      written += words
      // What is left of it says that there was some.
      if (written.length < longestKept) return
      before += estimateText(written.slice(0, -1))
      written = written.slice(-1)
    },
    tally,
    readUsage: (given) => {
      usage = laterCounts(usage, readUsage(given))
      reportedCostUsd = reportedCost(given) ?? reportedCostUsd
    },
  }
}
