// The goals: what must be reached, what would be good, and how far a proxy has come.
import { disturbances, eachRound, noiseOf, type Results, type Round, slotOf, total } from "./results.ts"
import { median, type Spread, spreadOf } from "./statistics.ts"
import type { Slot } from "./talk.ts"
import { direct, limit } from "./targets.ts"
import { type Work, workNamed } from "./work.ts"

interface Bounds {
  readonly must: number
  /** Undefined: there is nothing better than what must be. */
  readonly aim?: number
}

export interface Goal {
  readonly title: string
  readonly unit: string
  readonly better: "more" | "less"
  /** The work whose noise makes this uncertain; or what else it was that may have been disturbed. */
  readonly work?: string
  readonly disturbed?: keyof ReturnType<typeof disturbances>
  readonly values: (results: Results, target: string) => readonly number[]
  readonly bounds: (results: Results) => Bounds | undefined
}

export type Verdict = "aim met" | "met" | "MISSED" | "not judged" | "not measured"

export interface Judged {
  readonly goal: Goal
  readonly measured: Spread | undefined
  readonly bounds: Bounds | undefined
  readonly verdict: Verdict
  readonly noise: string | undefined
}

const fixed = (must: number, aim?: number) => () => (aim === undefined ? { must } : { must, aim })

/** How much of the pass-through's rate, in each round. */
function share(work: string, title: string, must: number, aim: number, field: "chunks" | "requests"): Goal {
  const rate = (slot: Slot | undefined) =>
    slot === undefined || slot.seconds === 0 ? Number.NaN : slot[field] / slot.seconds
  return {
    title: `${title}, of limit-bun`,
    unit: "x",
    better: "more",
    work,
    values: (results, target) =>
      eachRound(results, (round) => rate(slotOf(round, work, target)) / rate(slotOf(round, work, limit))),
    bounds: fixed(must, aim),
  }
}

/** Milliseconds more than without a proxy, in each round. */
function added(work: string, title: string, must: number, aim: number, field: "first" | "latency"): Goal {
  const p50 = (round: Round, target: string) => slotOf(round, work, target)?.[field]?.p50 ?? Number.NaN
  return {
    title,
    unit: "ms",
    better: "less",
    work,
    values: (results, target) => eachRound(results, (round) => p50(round, target) - p50(round, direct)),
    bounds: fixed(must, aim),
  }
}

const aged = (results: Results, work: string, target: string, at: "p50" | "p99") =>
  eachRound(results, (round) => slotOf(round, work, target)?.age?.[at])

/** How old events are when they come, against the pass-through: its own age times a factor, and something on top. */
function age(
  work: string,
  at: "p50" | "p99",
  must: readonly [number, number],
  aim: readonly [number, number],
): Goal {
  return {
    title: `${workNamed(work)?.title ?? work}: age of events, ${at}`,
    unit: "ms",
    better: "less",
    work,
    values: (results, target) => aged(results, work, target, at),
    bounds: (results) => {
      const own = aged(results, work, limit, at)
      if (own.length === 0) return undefined
      const bound = ([factor, more]: readonly [number, number]) => factor * median(own) + more
      return { must: bound(must), aim: bound(aim) }
    },
  }
}

function perStream(work: string, must: number, aim: number): Goal {
  return {
    title: `${workNamed(work)?.title ?? work}: memory of each`,
    unit: "KB",
    better: "less",
    work,
    values: (results, target) => eachRound(results, (round) => kbPerStream(round, work, target)),
    bounds: fixed(must, aim),
  }
}

const kbPerMb = 1_024

function counting(title: string, field: "warm" | "cold" | "warmBlock", must: number, aim?: number): Goal {
  return {
    title,
    unit: "ms",
    better: "less",
    disturbed: "counts",
    values: (results, target) => eachRound(results, ({ counts }) => counts[target]?.estimated[field]),
    bounds: fixed(must, aim),
  }
}

/** The goals, in the order in which they are told. */
export const goals: readonly Goal[] = [
  {
    title: "errors and wrong replies, in all works",
    unit: "",
    better: "less",
    values: (results, target) => [total(results, target, "errors") + total(results, target, "wrong")],
    bounds: fixed(0),
  },
  share("text-200-16", "streams of 200 chunks, 16 at once", 0.6, 0.8, "chunks"),
  share("text-2000-8", "streams of 2,000 chunks, 8 at once", 0.4, 0.6, "chunks"),
  share("reasoning-200-4", "reasoning, 4 streams at once", 0.5, 0.75, "chunks"),
  share("tool-200-4", "tool arguments, 4 streams at once", 0.5, 0.75, "chunks"),
  {
    title: "processor time per chunk, 16 streams at once",
    unit: "us",
    better: "less",
    work: "text-200-16",
    values: (results, target) =>
      eachRound(results, (round) => cpuPer(slotOf(round, "text-200-16", target), "chunks")),
    bounds: fixed(1.4, 0.9),
  },
  added("text-200-1", "added to the first delta, one at a time", 0.5, 0.3, "first"),
  share("small-32", "small requests, 32 at once", 0.55, 0.75, "requests"),
  added("history-100k", "added to a request of 100 KB", 2, 1.2, "latency"),
  added("history-1m", "added to a request of 1 MB", 10, 7, "latency"),
  added("history-5m", "added to a request of 5 MB", 45, 36, "latency"),
  age("slow-2000", "p50", [2, 1], [1.5, 0]),
  age("slow-2000", "p99", [3, 20], [2, 5]),
  perStream("slow-500", 60, 45),
  perStream("slow-2000", 60, 45),
  {
    title: "start to first answer",
    unit: "ms",
    better: "less",
    disturbed: "starts",
    values: ({ starts }, target) => starts[target]?.ms ?? [],
    bounds: fixed(25, 15),
  },
  {
    title: "memory when idle",
    unit: "MB",
    better: "less",
    values: ({ starts }, target) => (starts[target]?.idleKb ?? []).map((kb) => kb / kbPerMb),
    bounds: fixed(45, 38),
  },
  {
    title: "memory at its highest",
    unit: "MB",
    better: "less",
    disturbed: "works",
    values: (results, target) => eachRound(results, ({ peakKb }) => peakKb[target]).map((kb) => kb / kbPerMb),
    bounds: fixed(140, 100),
  },
  counting("tokens of 1 MB, estimated", "warm", 15, 8),
  counting("nothing else answered while they are", "warmBlock", 20),
]

/** What memory grew by while the streams ran, for each of them. */
export function kbPerStream(round: Round, work: string, target: string): number | undefined {
  const slot = slotOf(round, work, target)
  if (slot?.rssBefore === undefined || slot.rssDuring === undefined) return undefined
  return (slot.rssDuring - slot.rssBefore) / (workNamed(work)?.at ?? 1)
}

/** Microseconds of processor time for each of them. */
export function cpuPer(slot: Slot | undefined, field: "chunks" | "requests"): number | undefined {
  if (slot?.cpuSeconds === undefined || slot[field] === 0) return undefined
  return (slot.cpuSeconds / slot[field]) * 1e6
}

export function judge(results: Results, goal: Goal, target: string): Judged {
  const measured = spreadOf(goal.values(results, target))
  const bounds = goal.bounds(results)
  const work: Work | undefined = goal.work === undefined ? undefined : workNamed(goal.work)
  const disturbed = goal.disturbed === undefined ? undefined : disturbances(results)[goal.disturbed]
  const noise = work === undefined ? disturbed : noiseOf(results, work)
  return { goal, measured, bounds, noise, verdict: verdictOf(goal.better, measured, bounds, noise) }
}

export function verdictOf(
  better: Goal["better"],
  measured: Pick<Spread, "median"> | undefined,
  bounds: Bounds | undefined,
  noise: string | undefined,
): Verdict {
  if (measured === undefined || bounds === undefined) return "not measured"
  if (noise !== undefined) return "not judged"
  const reaches = (bound: number) => (better === "more" ? measured.median >= bound : measured.median <= bound)
  if (!reaches(bounds.must)) return "MISSED"
  return bounds.aim !== undefined && reaches(bounds.aim) ? "aim met" : "met"
}
