// The other processes that answer on the same port. Whoever is asked for figures speaks for all of them.
import { mergeStats } from "../../observe/merge-stats.ts"
import type { Metrics } from "../../observe/metrics.ts"
import type { MetricsSnapshot } from "../../observe/metrics-registry.ts"
import { mergeSnapshots } from "../../observe/metrics-text.ts"
import type { Stats } from "../../observe/stats.ts"
import type { Statistics } from "./statistics.ts"

/** What one process has counted since it began. */
export interface Share {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly stats: Stats
  readonly metrics: MetricsSnapshot
}

export interface WorkerCount {
  /** So many are meant to answer. */
  readonly total: number
  /** So many do. */
  readonly up: number
}

/** What the others have counted. */
export interface OtherShares {
  /** Those that have ended and those that did not answer in time are in it with what was last known of them. */
  readonly shares: readonly Share[]
  /** How many of all answered, whoever asked included. */
  readonly count: WorkerCount
}

export interface Siblings {
  /** Which of the workers this process is, from 1. */
  readonly worker: number
  /** As it was last heard. */
  readonly count: () => WorkerCount
  /**
   * Asks all the others; never rejects and never takes long. `own` is what will be known of this process once it
   * has ended. `write`: what the others keep on disk is there before they answer.
   */
  readonly ask: (own: Share, write: boolean) => Promise<OtherShares>
}

interface Figures {
  readonly statistics: Pick<Statistics, "current" | "startedAt" | "history">
  readonly metrics: Pick<Metrics, "snapshot">
}

/** What this process has counted; `write`: once what is kept on disk is there. */
export async function shareOf({ statistics, metrics }: Figures, write: boolean): Promise<Share> {
  if (write) await statistics.history?.allTime()
  const { startedAt } = statistics
  return { startedAt, stats: statistics.current(), metrics: metrics.snapshot() }
}

interface Speaking extends Figures {
  readonly siblings?: Siblings | undefined
}

/** What all of them have counted, for an answer that speaks for all. */
export async function sharesOfAll(context: Speaking, write: boolean): Promise<readonly Share[]> {
  const own = await shareOf(context, false)
  if (context.siblings === undefined) return [own]
  const { shares, count } = await context.siblings.ask(own, write)
  return [{ ...own, metrics: mergeSnapshots([own.metrics, workerMetrics(count)]) }, ...shares]
}

/** Several shares as one; undefined when there is none. */
export function mergeShares(shares: readonly Share[]): Share | undefined {
  if (shares.length === 0) return undefined
  return {
    startedAt: Math.min(...shares.map(({ startedAt }) => startedAt)),
    stats: mergeStats(shares.map(({ stats }) => stats)),
    metrics: mergeSnapshots(shares.map(({ metrics }) => metrics)),
  }
}

/** Without what is only true of a process that runs. */
export function countedIn({ metrics, ...share }: Share): Share {
  return { ...share, metrics: { families: metrics.families.filter(({ type }) => type !== "gauge") } }
}

/** How many workers there are, for Prometheus. */
function workerMetrics({ total, up }: WorkerCount): MetricsSnapshot {
  const series = [
    { labels: ["up"], value: up },
    { labels: ["down"], value: total - up },
  ]
  return {
    families: [
      {
        name: "claude_proxy_workers",
        help: "Processes that answer on this port, by whether they answered just now.",
        ...{ type: "gauge", labels: ["state"], combine: "max", bounds: [], series },
      },
    ],
  }
}
