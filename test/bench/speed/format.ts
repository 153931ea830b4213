// Figures and tables as text.
import type { Spread } from "./statistics.ts"

/** Three digits that count, no more than anybody reads. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)}M`
  if (size >= 10_000) return `${(value / 1e3).toFixed(size >= 100_000 ? 0 : 1)}k`
  if (size >= 100) return value.toFixed(0)
  return value.toFixed(size >= 10 ? 1 : 2)
}

/** The median, and in brackets from where to where. */
export function spread(given: Spread | undefined): string {
  if (given === undefined) return "-"
  const { median, least, most } = given
  const middle = figure(median)
  return least === most ? middle : `${middle} (${figure(least)}..${figure(most)})`
}

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Columns under each other: the first to the left, the others to the right. */
export function renderText({ head, rows }: Table): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd()
  return all.map((row) => `${line(row)}\n`).join("")
}

export function renderMarkdown({ head, rows }: Table): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |\n`
  const rule = `|${head.map((_, at) => (at === 0 ? "---" : "--:")).join("|")}|\n`
  return line(head) + rule + rows.map(line).join("")
}
