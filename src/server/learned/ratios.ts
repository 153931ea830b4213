// How far our estimate of a prompt is from what each model's own tokenizer makes of it, learnt from the usage that
// upstreams report. Like every memory here it may be lost at any moment: then estimates are only estimates again.
import type { Logger } from "../../observe/log.ts"
import type { Route } from "../../providers/route.ts"
import { onceFor } from "../common/once.ts"
import { putLast } from "../common/put-last.ts"

export interface Ratios {
  /** An estimate in tokens, as the model itself would count. */
  readonly correct: (route: Named, estimate: number) => number
  /** Has the model counted enough for its ratio to be relied upon? */
  readonly isSure: (route: Named) => boolean
  /** Were so many of the model's counts seen, of use or not, that more of them would tell little? */
  readonly isSettled: (route: Named) => boolean
  /** The model counted `reported` tokens in a prompt that was estimated at `estimate`. */
  readonly learn: (
    route: Pick<Route, "provider" | "model" | "profile">,
    estimate: number,
    reported: number,
  ) => void
}

type Named = Pick<Route, "provider" | "model">

interface Ratio {
  readonly value: number
  /** How much was seen; the value of one large prompt is 1. */
  readonly seen: number
  readonly prompts: number
  /** As `seen` and `prompts`, with the counts that were not believed. */
  readonly tried: number
  readonly tries: number
}

interface RatioOptions {
  readonly log: Pick<Logger, "debug">
  /** Models of which a ratio is kept. */
  readonly limit?: number
}

// What is added to every prompt (a template, instructions of the server's own) would pass for the text's share: it
// may be some thousands of tokens, so that only a prompt far larger than that is believed by itself.
/** Nothing is learnt from a prompt that is estimated at less. */
export const leastPrompt = 500
const largePrompt = 30_000
// One prompt may be an exception, and two.
const fewPrompts = 3
// So much of the past counts: the next large prompt moves the ratio by a quarter of the difference.
const longest = 4
const [lowest, highest] = [0.5, 2]
// Beyond these it was not the same text: the prompt was cut, or something else was counted with it.
const [leastAlike, mostAlike] = [0.4, 4]

const unknown: Ratio = { value: 1, seen: 0, prompts: 0, tried: 0, tries: 0 }

/** Of models that nothing is known of. */
export const unlearnt: Ratios = {
  correct: (_route, estimate) => estimate,
  isSure: () => false,
  isSettled: () => false,
  learn: () => {},
}

/** An empty memory, which forgets the model that was not used for the longest time. */
export function createRatios({ log, limit = 1_000 }: RatioOptions): Ratios {
  const keyOf = onceFor(nameOf)
  const known = new Map<string, Ratio>()
  // It is the last one already: mostly the same model is asked for again.
  let newest: string | undefined

  function keep(key: string, ratio: Ratio): void {
    if (key === newest) known.set(key, ratio)
    else putLast(known, key, ratio, limit)
    newest = key
  }

  function find(route: Named): Ratio {
    const key = keyOf(route)
    const ratio = known.get(key)
    if (ratio !== undefined && key !== newest) keep(key, ratio)
    return ratio ?? unknown
  }

  return {
    correct: (route, estimate) => Math.round(estimate * factorOf(find(route))),
    isSure: (route) => {
      const { seen, prompts } = find(route)
      return isEnough(seen, prompts)
    },
    isSettled: (route) => {
      const { tried, tries } = find(route)
      return isEnough(tried, tries)
    },
    learn: (route, estimate, reported) => {
      if (estimate < leastPrompt) return
      const alike = reported / estimate
      const before = tried(find(route), estimate)
      // What does not fit may have been cut to what does, without a word.
      const fits = estimate <= (route.profile.contextWindow ?? Number.POSITIVE_INFINITY)
      if (!fits || alike < leastAlike || alike > mostAlike) return keep(keyOf(route), before)
      const ratio = moved(before, Math.min(highest, Math.max(lowest, alike)), estimate)
      keep(keyOf(route), ratio)
      const { provider, model } = route
      log.debug("token ratio", () => ({ provider, model, ratio: factorOf(ratio), estimate, reported }))
    },
  }
}

/** Small prompts say little: until enough of them were seen, only their part of the difference is believed. */
function factorOf({ value, seen }: Ratio): number {
  return 1 + (value - 1) * Math.min(1, seen)
}

const isEnough = (seen: number, prompts: number): boolean => seen >= 1 && prompts >= fewPrompts

const weightOf = (estimate: number): number => Math.min(1, estimate / largePrompt)

function tried(ratio: Ratio, estimate: number): Ratio {
  return { ...ratio, tried: ratio.tried + weightOf(estimate), tries: ratio.tries + 1 }
}

/** The mean of what was seen, in which the past fades. */
function moved(ratio: Ratio, alike: number, estimate: number): Ratio {
  const { value, seen, prompts } = ratio
  const weight = weightOf(estimate)
  const total = Math.min(longest, seen + weight)
  return { ...ratio, value: value + ((alike - value) * weight) / total, seen: total, prompts: prompts + 1 }
}

const nameOf = ({ provider, model }: Named): string => JSON.stringify([provider, model])
