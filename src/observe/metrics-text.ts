// Snapshots of one or several processes as one text for Prometheus.
import type { FamilySnapshot, MetricsSnapshot, SeriesSnapshot } from "./metrics-registry.ts"

/**
 * The figures of all processes together, in the text format of Prometheus, version 0.0.4. Every family is named,
 * also one of which nothing was counted yet. The processes must be of one version of this program.
 */
export function renderSnapshots(snapshots: readonly MetricsSnapshot[]): string {
  const lines: string[] = []
  for (const family of mergeSnapshots(snapshots).families) {
    lines.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`)
    for (const series of family.series) pushSeries(series, family, lines)
  }
  return `${lines.join("\n")}\n`
}

/** Several processes as one: what they counted is added up, and of gauges whatever their family says. */
export function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const [first, ...others] = snapshots
  if (others.length === 0) return first ?? { families: [] }
  const byName = new Map<string, FamilySnapshot[]>()
  for (const family of snapshots.flatMap(({ families }) => families)) {
    const known = byName.get(family.name)
    if (known === undefined) byName.set(family.name, [family])
    else known.push(family)
  }
  return { families: [...byName.values()].flatMap(mergeFamily) }
}

function mergeFamily(same: readonly FamilySnapshot[]): readonly FamilySnapshot[] {
  const [first] = same
  if (first === undefined) return []
  const merged = new Map<string, SeriesSnapshot>()
  for (const series of same.flatMap((family) => family.series)) {
    const key = JSON.stringify(series.labels)
    const known = merged.get(key)
    merged.set(key, known === undefined ? series : mergeSeries(known, series, first.combine))
  }
  return [{ ...first, series: [...merged.values()] }]
}

function mergeSeries(
  one: SeriesSnapshot,
  other: SeriesSnapshot,
  combine: FamilySnapshot["combine"],
): SeriesSnapshot {
  const { labels, counts } = one
  const value = combine === "sum" ? one.value + other.value : Math[combine](one.value, other.value)
  if (counts === undefined) return { labels, value }
  return { labels, value, counts: counts.map((count, index) => count + (other.counts?.[index] ?? 0)) }
}

function pushSeries(series: SeriesSnapshot, { name, labels, bounds }: FamilySnapshot, lines: string[]): void {
  const { counts, value } = series
  const pairs = labels.map((label, index) => `${label}="${escapeLabel(series.labels[index] ?? "")}"`)
  const own = pairs.length === 0 ? "" : `{${pairs.join(",")}}`
  if (counts === undefined) {
    lines.push(`${name}${own} ${numberText(value)}`)
    return
  }
  const before = pairs.map((pair) => `${pair},`).join("")
  let total = 0
  for (const [index, count] of counts.entries()) {
    total += count
    const bound = bounds[index] ?? Number.POSITIVE_INFINITY
    lines.push(`${name}_bucket{${before}le="${numberText(bound)}"} ${total}`)
  }
  lines.push(`${name}_sum${own} ${numberText(value)}`, `${name}_count${own} ${total}`)
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf"
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value)
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}
