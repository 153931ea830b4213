// What a run came to, as tables: the goals first, then the figures of every work.
import { figure, renderMarkdown, renderText, spread, type Table } from "./format.ts"
import { cpuPer, goals, type Judged, judge, kbPerStream } from "./goals.ts"
import {
  disturbances,
  eachRound,
  figureSpread,
  noiseOf,
  type Results,
  type Round,
  ratioSpread,
  slotOf,
} from "./results.ts"
import { median, spreadOf } from "./statistics.ts"
import { direct, limit } from "./targets.ts"
import { type Work, works } from "./work.ts"

const units: Readonly<Record<Work["figure"], string>> = {
  requests: "req/s",
  chunks: "chunks/s",
  latency: "ms p50",
  age: "ms age p50",
}

const hasBeenDone =
  ({ rounds }: Results) =>
  ({ name }: Work): boolean =>
    rounds.some(({ slots }) => slots[name] !== undefined)

/** The figure by which works are compared, for each target, and the proxies' ratio to the pass-through. */
export function figuresTable(results: Results, proxies: readonly string[]): Table {
  const row = (work: Work): readonly string[] => [
    `${work.title}, ${units[work.figure]}${noiseOf(results, work) === undefined ? "" : " (noisy)"}`,
    ...[direct, limit].map((target) => spread(figureSpread(results, work, target))),
    ...proxies.flatMap((target) => [
      spread(figureSpread(results, work, target)),
      spread(ratioSpread(results, work, target)),
    ]),
  ]
  return {
    head: ["", direct, limit, ...proxies.flatMap((name) => [name, `x ${limit}`])],
    rows: works.filter(hasBeenDone(results)).map(row),
  }
}

/** Processor time: for each chunk of a stream, for each request of all else. */
export function costTable(results: Results, proxies: readonly string[]): Table {
  const targets = [limit, ...proxies]
  const row = (work: Work): readonly string[] => {
    const field = work.figure === "chunks" || work.figure === "age" ? "chunks" : "requests"
    const costs = targets.map((target) =>
      spread(spreadOf(eachRound(results, (round) => cpuPer(slotOf(round, work.name, target), field)))),
    )
    return [`${work.title}, us of processor per ${field === "chunks" ? "chunk" : "request"}`, ...costs]
  }
  return { head: ["", ...targets], rows: works.filter(hasBeenDone(results)).map(row) }
}

type Reading = readonly [title: string, values: (results: Results, target: string) => readonly number[]]

function reading(title: string, read: (round: Round, target: string) => number | undefined): Reading {
  return [title, (results, target) => eachRound(results, (round) => read(round, target))]
}

/** What is told beside the one figure of each work. */
const readings: readonly Reading[] = [
  reading("small requests, 1 at once, ms p50", (round, name) => slotOf(round, "small-1", name)?.latency?.p50),
  reading("small requests, 1 at once, ms p99", (round, name) => slotOf(round, "small-1", name)?.latency?.p99),
  reading("first delta, 1 stream, ms p50", (round, name) => slotOf(round, "text-200-1", name)?.first?.p50),
  reading("first delta, 1 stream, ms p99", (round, name) => slotOf(round, "text-200-1", name)?.first?.p99),
  reading("500 slow streams, ms age p99", (round, name) => slotOf(round, "slow-500", name)?.age?.p99),
  reading("2000 slow streams, ms age p99", (round, name) => slotOf(round, "slow-2000", name)?.age?.p99),
  reading("500 slow streams, KB of memory each", (round, name) => kbPerStream(round, "slow-500", name)),
  reading("2000 slow streams, KB of memory each", (round, name) => kbPerStream(round, "slow-2000", name)),
  ["start of the compiled program to its first answer, ms", ({ starts }, name) => starts[name]?.ms ?? []],
  ["memory when idle, MB", ({ starts }, name) => (starts[name]?.idleKb ?? []).map((kb) => kb / 1024)],
  reading("memory at its highest, MB", (round, name) => (round.peakKb[name] ?? Number.NaN) / 1024),
]

/** Delays and memory, for each target. */
export function readingsTable(results: Results, proxies: readonly string[]): Table {
  const targets = [direct, limit, ...proxies]
  const rows = readings.map(([title, values]) => [
    title,
    ...targets.map((target) => spread(spreadOf(values(results, target)))),
  ])
  const none = ([, ...cells]: readonly string[]) => cells.every((cell) => cell === "-")
  return { head: ["", ...targets], rows: rows.filter((row) => !none(row)) }
}

/** One binary against the first: its ratio in each round, where more or less is better. */
export function comparison(results: Results, proxies: readonly string[]): Table | undefined {
  const [first, ...others] = proxies
  if (first === undefined || others.length === 0) return undefined
  const row = (work: Work): readonly string[] => [
    `${work.title}, ${units[work.figure]}`,
    ...others.map((other) => spread(ratioSpread(results, work, other, first))),
  ]
  return { head: [`against ${first}`, ...others], rows: works.filter(hasBeenDone(results)).map(row) }
}

/** The exact count, beside the estimate that is a goal. */
export function countTable(results: Results, proxies: readonly string[]): Table | undefined {
  if (!results.rounds.some(({ counts }) => Object.keys(counts).length > 0)) return undefined
  const kinds = ["estimated", "exact"] as const
  const fields = ["cold", "coldBlock", "warm", "warmBlock"] as const
  const words = { cold: "first time", coldBlock: "held up by it", warm: "again", warmBlock: "held up by it" }
  const rows = kinds.flatMap((kind) =>
    fields.map((field) => [
      `count_tokens of 1 MB, ${kind}, ${words[field]}, ms`,
      ...proxies.map((name) =>
        spread(spreadOf(eachRound(results, (round) => round.counts[name]?.[kind][field]))),
      ),
    ]),
  )
  const peak = proxies.map((name) =>
    spread(spreadOf(eachRound(results, ({ counts }) => (counts[name]?.peakKb ?? Number.NaN) / 1024))),
  )
  return { head: ["", ...proxies], rows: [...rows, ["memory with a vocabulary, MB", ...peak]] }
}

export function judgeAll(results: Results, target: string): readonly Judged[] {
  return goals.map((goal) => judge(results, goal, target)).filter(({ verdict }) => verdict !== "not measured")
}

export function goalsTable(results: Results, target: string): Table {
  const row = ({ goal, bounds, measured, verdict }: Judged): readonly string[] => {
    const sign = goal.better === "more" ? ">=" : "<="
    const bound = (value: number | undefined) => (value === undefined ? "" : `${sign} ${figure(value)}`)
    const plain = goal.unit === "" || goal.unit === "x"
    const title = plain ? goal.title : `${goal.title}, ${goal.unit}`
    // What is no ratio depends on the machine: the pass-through shows by how much.
    const least = plain ? undefined : spreadOf(goal.values(results, limit))
    const beside = least === undefined ? "" : spread(least)
    return [title, bound(bounds?.must), bound(bounds?.aim), spread(measured), beside, verdict]
  }
  return {
    head: [target, "must", "aim", "measured", limit, "verdict"],
    rows: judgeAll(results, target).map(row),
  }
}

/** From this load on each processor the machine was at work already. */
const busyFrom = 0.5

/** Milliseconds that the yardstick took on the machine for which the goals were set; and from when on that matters. */
const usualYardstick = 2
const slowFrom = 3

/** What is to be known before the figures are believed. */
export function caveats(results: Results): readonly string[] {
  const { machine, rounds, skipped } = results
  const yardstick = median(eachRound(results, (round) => round.yardstickMs))
  const slow = `goals in milliseconds were set where JSON.parse of 1 MB takes ${usualYardstick} ms: here it takes ${figure(yardstick)}`
  const busy = machine.loadAtStart > busyFrom * machine.processors
  const noisy = works.filter(hasBeenDone(results)).flatMap((work) => {
    const why = noiseOf(results, work)
    return why === undefined ? [] : [`noisy, so not judged: ${work.title}: ${why}`]
  })
  const others = Object.entries(disturbances(results)).flatMap(([what, why]) =>
    why === undefined || what === "works" ? [] : [`noisy, so not judged: ${what}: ${why}`],
  )
  return [
    ...(busy ? [`the machine was busy at the start: load average ${figure(machine.loadAtStart)}`] : []),
    ...(yardstick >= slowFrom ? [slow] : []),
    ...(rounds.length < 3 ? [`${rounds.length} round(s): too few to tell noise from news`] : []),
    ...noisy,
    ...others,
    ...skipped,
  ]
}

export function describeMachine(results: Results): string {
  const { processors, model, memoryGb, system, bun, commit, at } = results.machine
  const yardstick = spread(spreadOf(eachRound(results, (round) => round.yardstickMs)))
  const shape = `${processors} x ${model}, ${memoryGb.toFixed(0)} GB, ${system}, Bun ${bun}`
  return `${shape}; commit ${commit}; ${at}. JSON.parse of 1 MB takes ${yardstick} ms here. Load, upstream and proxy share the machine.`
}

type Render = (table: Table) => string

function sections(results: Results, proxies: readonly string[], render: Render): readonly string[] {
  const tables = [
    ...proxies.map((name) => goalsTable(results, name)),
    figuresTable(results, proxies),
    readingsTable(results, proxies),
    costTable(results, proxies),
    countTable(results, proxies),
    comparison(results, proxies),
  ]
  return tables.flatMap((table) => (table === undefined || table.rows.length === 0 ? [] : [render(table)]))
}

export function renderReport(results: Results, proxies: readonly string[]): string {
  const head = `${describeMachine(results)}\n${results.rounds.length} round(s), ${results.seconds.toFixed(0)} s; median (least..most)\n`
  const warnings = caveats(results).map((text) => `! ${text}\n`)
  return [
    head,
    ...(warnings.length > 0 ? [warnings.join("")] : []),
    ...sections(results, proxies, renderText),
  ].join("\n")
}

export function renderReadme(results: Results, proxies: readonly string[]): string {
  const warnings = caveats(results).map((text) => `- ${text}\n`)
  const head = `${describeMachine(results)} Median of ${results.rounds.length} rounds, in brackets the least and the most.\n`
  return [
    head,
    ...(warnings.length > 0 ? [warnings.join("")] : []),
    ...sections(results, proxies, renderMarkdown),
  ].join("\n")
}
