// How far our estimate of a prompt is from what each model's own tokenizer makes of it, learnt from the usage that
// upstreams report. Like every memory here it may be lost at any moment: then estimates are only estimates again.
import type { Logger } from "../observe/log.ts"
import type { Route } from "../providers/route.ts"

export interface Ratios {
  /** An estimate in tokens, as the model itself would count. */
  readonly correct: (route: Named, estimate: number) => number
  /** Has the model counted enough for its ratio to be relied upon? */
  readonly isSure: (route: Named) => boolean
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
}

interface RatioOptions {
  readonly log: Pick<Logger, "debug">
  /** Models of which a ratio is kept. */
  readonly limit?: number
}

// What is added to every prompt (a template, instructions of the server's own) would pass for the text's share.
const leastPrompt = 500
const largePrompt = 8_000
// So much of the past counts: the next large prompt moves the ratio by a quarter of the difference.
const longest = 4
const [lowest, highest] = [0.5, 2]
// Beyond these it was not the same text: the prompt was cut, or something else was counted with it.
const [leastAlike, mostAlike] = [0.4, 4]

const unknown: Ratio = { value: 1, seen: 0 }

/** An empty memory, which forgets the model that was not used for the longest time. */
export function createRatios({ log, limit = 1_000 }: RatioOptions): Ratios {
  const known = new Map<string, Ratio>()

  function keep(key: string, ratio: Ratio): void {
    known.delete(key)
    known.set(key, ratio)
    for (const oldest of known.keys()) {
      if (known.size <= limit) break
      known.delete(oldest)
    }
  }

  function find(route: Named): Ratio {
    const key = keyOf(route)
    const ratio = known.get(key)
    if (ratio !== undefined) keep(key, ratio)
    return ratio ?? unknown
  }

  return {
    correct: (route, estimate) => Math.round(estimate * factorOf(find(route))),
    isSure: (route) => find(route).seen >= 1,
    learn: (route, estimate, reported) => {
      const alike = reported / estimate
      if (estimate < leastPrompt || alike < leastAlike || alike > mostAlike) return
      // What does not fit may have been cut to what does, without a word.
      if (estimate > (route.profile.contextWindow ?? Number.POSITIVE_INFINITY)) return
      const ratio = moved(find(route), Math.min(highest, Math.max(lowest, alike)), estimate)
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

/** The mean of what was seen, in which the past fades. */
function moved({ value, seen }: Ratio, alike: number, estimate: number): Ratio {
  const weight = Math.min(1, estimate / largePrompt)
  const total = Math.min(longest, seen + weight)
  return { value: value + ((alike - value) * weight) / total, seen: total }
}

const keyOf = ({ provider, model }: Named): string => JSON.stringify([provider, model])
