// What samples of both ways say together: medians with their spread, the difference, and a word for it.
import { costUsd } from "../../observe/cost.ts"
import { inputOf } from "../../protocol/messages/usage.ts"
import type { Prices } from "../../providers/prices.ts"
import type { Sample } from "./sample.ts"

/** Of one figure over all rounds. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** One way to the model. Undefined: the replies do not say enough for it. */
export interface Side {
  readonly firstMs: Spread
  readonly totalMs: Spread
  readonly tokensPerSecond: Spread | undefined
  readonly bytes: Spread
  readonly bytesPerCharacter: number
  readonly inputTokens: Spread | undefined
  readonly outputTokens: Spread | undefined
  /** US dollars for one request. */
  readonly costUsd: number | undefined
}

export type Rating = "EXCELLENT" | "GOOD" | "FAIR" | "POOR"

/** `same`: of prompt and reply; `prompt`: of the prompt, while the replies were not of one length. */
export type Consistency = "same" | "prompt" | "different" | "unknown"

export interface Verdict {
  readonly direct: Side
  readonly proxied: Side
  /** Milliseconds that the first chunk comes later by. Below zero: it came sooner. */
  readonly firstMs: number
  /** Percent of the tokens per second that are lost; of replies per second, where they are not counted by both ways. */
  readonly lossPercent: number
  /** Percent by which a character takes more bytes. */
  readonly sizePercent: number
  readonly tokens: Consistency
  readonly rating: Rating
  /** The upstream alone differs from itself by more milliseconds than the proxy adds. */
  readonly isWithinNoise: boolean
}

// Both must be below.
const ratings = [
  { rating: "EXCELLENT", firstMs: 50, lossPercent: 5 },
  { rating: "GOOD", firstMs: 100, lossPercent: 10 },
  { rating: "FAIR", firstMs: 200, lossPercent: 20 },
] as const

// What comes within so few milliseconds came at once, and says nothing of a pace.
const shortestStretchMs = 20

/** Judges as many samples of either way, one at least. `prices` of the model: for the cost. */
export function judge(
  direct: readonly Sample[],
  proxied: readonly Sample[],
  prices: Prices | undefined,
): Verdict {
  // Both by the same measure: from the first chunk on, or from the request where the reply comes in one piece.
  const isPaced = [...direct, ...proxied].every(
    ({ firstMs, totalMs }) => totalMs - firstMs > shortestStretchMs,
  )
  const [one, other] = [direct, proxied].map((samples) => sideOf(samples, isPaced, prices))
  if (one === undefined || other === undefined) throw new Error("there are two sides")
  const firstMs = other.firstMs.median - one.firstMs.median
  const isCounted = one.tokensPerSecond !== undefined && other.tokensPerSecond !== undefined
  const lossPercent = -percent(paceOf(one, isCounted), paceOf(other, isCounted))
  return {
    ...{ direct: one, proxied: other, firstMs, lossPercent },
    sizePercent: percent(one.bytesPerCharacter, other.bytesPerCharacter),
    tokens: consistency(one, other),
    rating: rate(firstMs, lossPercent),
    isWithinNoise: Math.abs(firstMs) < one.firstMs.most - one.firstMs.least,
  }
}

function rate(firstMs: number, lossPercent: number): Rating {
  const reached = ratings.find((one) => firstMs < one.firstMs && lossPercent < one.lossPercent)
  return reached?.rating ?? "POOR"
}

/**
 * Tokens in a second; where they are not counted by both ways, how much of a reply comes in one: the proxy may estimate
 * what the upstream does not tell.
 */
const paceOf = ({ tokensPerSecond, totalMs }: Side, isCounted: boolean): number =>
  isCounted && tokensPerSecond !== undefined ? tokensPerSecond.median : 1000 / totalMs.median

const percent = (before: number, after: number): number =>
  before === 0 ? 0 : ((after - before) / before) * 100

function sideOf(samples: readonly Sample[], isPaced: boolean, prices: Prices | undefined): Side {
  const figure = (of: (sample: Sample) => number): Spread => spreadOf(samples.map(of))
  const told = samples.flatMap(({ usage }) => usage ?? [])
  const isTold = told.length === samples.length && told.every(({ output_tokens }) => output_tokens > 0)
  const pace = ({ usage, firstMs, totalMs }: Sample) =>
    (usage?.output_tokens ?? 0) / ((totalMs - (isPaced ? firstMs : 0)) / 1000)
  const costs = told.flatMap((usage) => costUsd(prices, usage) ?? [])
  return {
    firstMs: figure(({ firstMs }) => firstMs),
    totalMs: figure(({ totalMs }) => totalMs),
    tokensPerSecond: isTold ? figure(pace) : undefined,
    bytes: figure(({ bytes }) => bytes),
    bytesPerCharacter: figure(({ bytes, characters }) => bytes / characters).median,
    inputTokens: isTold ? spreadOf(told.map(inputOf)) : undefined,
    outputTokens: isTold ? spreadOf(told.map(({ output_tokens }) => output_tokens)) : undefined,
    costUsd: isTold && costs.length > 0 ? spreadOf(costs).median : undefined,
  }
}

function consistency(direct: Side, proxied: Side): Consistency {
  const [before, after] = [direct.inputTokens, proxied.inputTokens]
  if (before === undefined || after === undefined) return "unknown"
  if (!Bun.deepEquals(before, after)) return "different"
  return Bun.deepEquals(direct.outputTokens, proxied.outputTokens) ? "same" : "prompt"
}

/** Of at least one number. */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? 0, sorted[Math.floor(middle)] ?? 0]
  return { median: (low + high) / 2, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 }
}
