// What a run brings: every figure of every round, and the figures that are compared.
import { median, type Spread, spreadOf } from "./statistics.ts"
import type { Counted, Slot } from "./talk.ts"
import { limit } from "./targets.ts"
import type { Work } from "./work.ts"

/** Of one proxy in one round: with a model whose tokens are estimated, and with one whose vocabulary is known. */
export interface CountRound {
  readonly estimated: Counted
  readonly exact: Counted
  /** Memory at its highest, in KB, once a vocabulary is loaded. */
  readonly peakKb: number | undefined
}

export interface Round {
  /** By work, then by target. */
  readonly slots: Readonly<Record<string, Readonly<Record<string, Slot>>>>
  /** Memory at its highest over all works, in KB, by target. */
  readonly peakKb: Readonly<Record<string, number>>
  readonly counts: Readonly<Record<string, CountRound>>
  /** Milliseconds to parse a megabyte of JSON, just before. */
  readonly yardstickMs: number
}

export interface Starts {
  /** The share of the machine that others had meanwhile. */
  readonly foreign: number | undefined
  readonly ms: readonly number[]
  readonly idleKb: readonly number[]
}

export interface Machine {
  readonly processors: number
  readonly model: string
  readonly memoryGb: number
  readonly system: string
  readonly bun: string
  readonly commit: string
  readonly loadAtStart: number
  readonly at: string
}

export interface Results {
  readonly machine: Machine
  readonly rounds: readonly Round[]
  readonly starts: Readonly<Record<string, Starts>>
  /** What could not be measured, and why. */
  readonly skipped: readonly string[]
  readonly seconds: number
}

/** The one figure by which a work is compared; undefined when nothing came of it. */
export function figureOf(work: Pick<Work, "figure">, slot: Slot | undefined): number | undefined {
  if (slot === undefined || slot.seconds === 0) return undefined
  switch (work.figure) {
    case "requests":
      return slot.requests / slot.seconds
    case "chunks":
      return slot.chunks / slot.seconds
    case "latency":
      return slot.latency?.p50
    case "age":
      return slot.age?.p50
    default:
      return work.figure satisfies never
  }
}

export function slotOf(round: Round, work: string, target: string): Slot | undefined {
  return round.slots[work]?.[target]
}

/** A value of each round that has it. */
export function eachRound(
  { rounds }: Pick<Results, "rounds">,
  read: (round: Round) => number | undefined,
): readonly number[] {
  return rounds.flatMap((round) => {
    const value = read(round)
    return value === undefined || !Number.isFinite(value) ? [] : [value]
  })
}

export function figureSpread(results: Results, work: Work, target: string): Spread | undefined {
  return spreadOf(eachRound(results, (round) => figureOf(work, slotOf(round, work.name, target))))
}

/** One target's figure over another's, round by round, so that what slows both down does not count. */
export function ratioSpread(
  results: Results,
  work: Work,
  target: string,
  other: string = limit,
): Spread | undefined {
  return spreadOf(
    eachRound(results, (round) => {
      const own = figureOf(work, slotOf(round, work.name, target))
      const theirs = figureOf(work, slotOf(round, work.name, other))
      return own === undefined || theirs === undefined ? undefined : own / theirs
    }),
  )
}

export function total(results: Results, target: string, field: "errors" | "wrong"): number {
  const slots = results.rounds.flatMap((round) => Object.values(round.slots).map((one) => one[target]))
  const counts = results.rounds.flatMap(({ counts }) => {
    const round = counts[target]
    return field === "wrong" || round === undefined ? [] : [round.estimated.errors + round.exact.errors]
  })
  return [...slots.map((slot) => slot?.[field] ?? 0), ...counts].reduce((sum, one) => sum + one, 0)
}

/** More than this share between the rounds of the pass-through, and a work is not judged. */
const unsteadyFrom = 0.25
/** Of times of few milliseconds a quarter is nothing: they have to differ by so many, too. */
const unsteadyFromMs = 1
/** The share of the machine that others had meanwhile. */
const foreignFrom = 0.1

function disturbance(shares: readonly (number | undefined)[]): string | undefined {
  const known = shares.filter((share) => share !== undefined)
  const share = known.length === 0 ? 0 : median(known)
  return share > foreignFrom ? `others used ${(share * 100).toFixed(0)} % of the machine` : undefined
}

/** What disturbed the starts, the counting of tokens, and the works as a whole. */
export function disturbances({ rounds, starts }: Results) {
  const counts = rounds.flatMap((round) => Object.values(round.counts))
  const slots = rounds.flatMap((round) => Object.values(round.slots).flatMap((found) => Object.values(found)))
  return {
    starts: disturbance(Object.values(starts).map(({ foreign }) => foreign)),
    counts: disturbance(counts.map(({ estimated }) => estimated.foreign)),
    works: disturbance(slots.map(({ foreign }) => foreign)),
  }
}

/** Why a work's figures are not to be trusted; undefined: they are. */
export function noiseOf(results: Results, work: Work): string | undefined {
  const slots = results.rounds.flatMap((round) => Object.values(round.slots[work.name] ?? {}))
  const disturbed = disturbance(slots.map(({ foreign }) => foreign))
  if (disturbed !== undefined) return disturbed
  const spread = figureSpread(results, work, limit)
  if (spread === undefined) return undefined
  const apart = spread.most - spread.least
  const isTime = work.figure === "latency" || work.figure === "age"
  if (apart <= unsteadyFrom * spread.median || (isTime && apart <= unsteadyFromMs)) return undefined
  return `${limit} itself varied by ${((apart / spread.median) * 100).toFixed(0)} %`
}
