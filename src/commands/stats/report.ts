// Statistics as they are shown, wherever they come from.
import type { Tally } from "../../observe/stats.ts"
import { grouped, renderCost, renderTotals } from "../run/totals.ts"
import { createColors } from "../terminal/colors.ts"
import { withoutControls } from "../terminal/wrap.ts"

export interface ReportRow {
  /** What the row is about, with what else stands in front of the numbers. */
  readonly cells: readonly string[]
  readonly tally: Tally
}

export interface ReportTable {
  /** As many as the rows have cells. */
  readonly heads: readonly string[]
  readonly rows: readonly ReportRow[]
  /** Said below it. */
  readonly note?: string | undefined
}

interface Report {
  /** What the sums are of. */
  readonly title: string
  readonly total: Tally
  readonly tables: readonly ReportTable[]
}

interface Column {
  readonly head: string
  readonly cell: (tally: Tally) => string
  /** Left out where there is none of it at all. */
  readonly rare?: (total: Tally) => number
}

const columns: readonly Column[] = [
  { head: "REQUESTS", cell: ({ requests }) => grouped(requests) },
  { head: "FAILED", cell: ({ failures }) => grouped(failures), rare: ({ failures }) => failures },
  { head: "INPUT", cell: ({ inputTokens }) => grouped(inputTokens) },
  {
    head: "CACHED",
    cell: ({ cacheReadTokens }) => grouped(cacheReadTokens),
    rare: ({ cacheReadTokens }) => cacheReadTokens,
  },
  { head: "OUTPUT", cell: ({ outputTokens }) => grouped(outputTokens) },
  {
    head: "REASONING",
    cell: ({ reasoningTokens }) => grouped(reasoningTokens),
    rare: ({ reasoningTokens }) => reasoningTokens,
  },
  { head: "COST", cell: renderCost },
]

/** The sums in one line, and a table for each way they were taken apart; tables without rows are left out. */
export function renderReport({ title, total, tables }: Report, color: boolean): string {
  const full = tables.filter(({ rows }) => rows.length > 0)
  const numbers = columns.filter(({ rare }) => rare === undefined || rare(total) > 0)
  const shown = full.map((table) => renderTable(table, numbers, color))
  return [`${title}\n${renderTotals(total)}\n`, ...shown].join("\n")
}

function renderTable({ heads, rows, note }: ReportTable, numbers: readonly Column[], color: boolean): string {
  const { bold } = createColors(color)
  const titles = [...heads, ...numbers.map(({ head }) => head)]
  const lines = rows.map(({ cells, tally }) => [
    ...cells.map(withoutControls),
    ...numbers.map(({ cell }) => cell(tally)),
  ])
  const widths = titles.map((title, column) =>
    Math.max(...[title, ...lines.map((line) => line[column] ?? "")].map((cell) => Bun.stringWidth(cell))),
  )
  const render = (line: readonly string[]) =>
    line
      .map((cell, column) => {
        const space = " ".repeat(Math.max(0, (widths[column] ?? 0) - Bun.stringWidth(cell)))
        return column < heads.length ? cell + space : space + cell
      })
      .join("  ")
      .trimEnd()
  const below = note === undefined ? [] : [note]
  return [bold(render(titles)), ...lines.map(render), ...below].map((line) => `${line}\n`).join("")
}
