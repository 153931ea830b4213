// Plain columns for a terminal or a pipe.

/** One line per row; every column is as wide as its widest cell, but for the last. */
export function renderColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => Bun.stringWidth(row[column] ?? ""))),
  )
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - Bun.stringWidth(cell))))
      .join("  ")
      .trimEnd(),
  )
  return lines.map((line) => `${line}\n`).join("")
}

/** The models of the three tiers, each once. */
export function renderModels(models: Readonly<Record<"big" | "middle" | "small", string>>): string {
  return [...new Set([models.big, models.middle, models.small])].join(", ")
}
