// Counters, gauges and histograms in memory. Taking one down is cheap; what they come to is put together when
// somebody asks. Label values come from clients and upstreams: each is cleaned, and no family grows without end.

/** How the figures of several processes become one. */
type Combine = "sum" | "min" | "max"

export interface SeriesSnapshot {
  /** The values of the family's labels, in their order. */
  readonly labels: readonly string[]
  /** Of a histogram: the sum of what was observed. */
  readonly value: number
  /** How many observations fell into each bucket alone; the last one has no upper bound. Histograms only. */
  readonly counts?: readonly number[]
}

export interface FamilySnapshot {
  readonly name: string
  readonly help: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly labels: readonly string[]
  readonly combine: Combine
  /** Upper bounds of a histogram's buckets, ascending, without the infinite one. */
  readonly bounds: readonly number[]
  readonly series: readonly SeriesSnapshot[]
}

/** Everything there is to tell at one moment. Plain JSON: it may come from another process. */
export interface MetricsSnapshot {
  readonly families: readonly FamilySnapshot[]
}

interface FamilyOptions {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  /** Those of the labels whose values others make up: they are given up first when there are too many. */
  readonly open?: readonly string[]
  /** How many series are told apart. */
  readonly limit?: number
}

interface GaugeOptions extends Pick<FamilyOptions, "name" | "help"> {
  /** Labels that never change. */
  readonly fixed?: Readonly<Record<string, string>>
  readonly combine?: Combine
  /** Asked when somebody wants to know. */
  readonly read: () => number
}

/** Adds to one series; amounts that are no amounts are left out. */
type Add = (amount: number) => void

/** The series of these label values, which exists from now on. Whoever adds to it often may keep it. */
export type Family = (...labels: readonly string[]) => Add

export interface Registry {
  readonly counter: (options: FamilyOptions) => Family
  readonly histogram: (options: FamilyOptions, bounds: readonly number[]) => Family
  readonly gauge: (options: GaugeOptions) => void
  readonly snapshot: () => MetricsSnapshot
}

/** Stands for every value beyond the last one that is told apart. */
export const otherValue = "other"
const usualLimit = 500

// No cleaned value has it, so that no two series have one key.
const separator = "\u0000"

/** An empty registry; `clean` makes of any text what a label may hold, which is no control character. */
export function createRegistry(clean: (value: string) => string): Registry {
  const families: (() => FamilySnapshot)[] = []
  return {
    counter: (options) => {
      const cells = createCells(options, clean, createCount)
      families.push(() => snapshotOf(options, "counter", [], cells.list()))
      return (...labels) => cells.at(labels).add
    },
    histogram: (options, bounds) => {
      const cells = createCells(options, clean, () => createBuckets(bounds))
      families.push(() => snapshotOf(options, "histogram", bounds, cells.list()))
      return (...labels) => cells.at(labels).add
    },
    gauge: ({ name, help, fixed = {}, combine = "sum", read }) => {
      const labels = Object.keys(fixed)
      const values = Object.values(fixed).map(clean)
      const about = { name, help, labels }
      families.push(() => ({
        ...snapshotOf(about, "gauge", [], [{ labels: values, value: read() }]),
        combine,
      }))
    },
    snapshot: () => ({ families: families.map((take) => take()) }),
  }
}

interface Cell {
  readonly add: Add
  readonly read: () => Omit<SeriesSnapshot, "labels">
}

function createCount(): Cell {
  let value = 0
  return {
    add: (amount) => {
      if (isAmount(amount)) value += amount
    },
    read: () => ({ value }),
  }
}

function createBuckets(bounds: readonly number[]): Cell {
  const counts = new Array<number>(bounds.length + 1).fill(0)
  let value = 0
  return {
    add: (amount) => {
      if (!isAmount(amount)) return
      const bucket = bucketOf(amount, bounds)
      counts[bucket] = (counts[bucket] ?? 0) + 1
      value += amount
    },
    read: () => ({ value, counts: [...counts] }),
  }
}

const isAmount = (amount: number): boolean => amount >= 0 && amount < Number.POSITIVE_INFINITY

/** A bound belongs to the bucket it ends. */
function bucketOf(amount: number, bounds: readonly number[]): number {
  let bucket = 0
  for (const bound of bounds) {
    if (amount <= bound) break
    bucket++
  }
  return bucket
}

function snapshotOf(
  { name, help, labels = [] }: FamilyOptions,
  type: FamilySnapshot["type"],
  bounds: readonly number[],
  series: readonly SeriesSnapshot[],
): FamilySnapshot {
  return { name, help, type, labels, combine: "sum", bounds, series }
}

function isEqual(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false
  return true
}

interface Cells {
  readonly at: (values: readonly string[]) => Cell
  readonly list: () => readonly SeriesSnapshot[]
}

/** The series of one family. A family without labels has its only one from the beginning. */
function createCells(
  { labels = [], open = [], limit = usualLimit }: FamilyOptions,
  clean: (value: string) => string,
  make: () => Cell,
): Cells {
  const cells = new Map<string, Cell>()

  /** The series that these values have, or may have while there are fewer than `most`. */
  function claim(values: readonly string[], most: number): Cell | undefined {
    const key = values.join(separator)
    const known = cells.get(key)
    if (known !== undefined || cells.size >= most) return known
    const made = make()
    cells.set(key, made)
    return made
  }

  /** For values that were not seen before: as they are, without what others made up, or as one with all the rest. */
  function place(given: readonly string[]): Cell {
    const values = given.map(clean)
    const folded = values.map((value, index) => (open.includes(labels[index] ?? "") ? otherValue : value))
    return (
      claim(values, limit) ??
      claim(folded, 2 * limit) ??
      claim(
        labels.map(() => otherValue),
        Number.POSITIVE_INFINITY,
      ) ??
      make()
    )
  }

  if (labels.length === 0) cells.set("", make())
  // Mostly it is the series of the request before.
  let last: { readonly values: readonly string[]; readonly cell: Cell } | undefined

  function find(values: readonly string[]): Cell {
    const cell = cells.get(values.join(separator))
    if (cell === undefined) return place(values)
    last = { values, cell }
    return cell
  }

  return {
    at: (values) => (last !== undefined && isEqual(last.values, values) ? last.cell : find(values)),
    list: () =>
      [...cells].map(([key, cell]) => ({
        labels: labels.length === 0 ? [] : key.split(separator),
        ...cell.read(),
      })),
  }
}
