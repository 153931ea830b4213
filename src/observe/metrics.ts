// Figures for Prometheus, in its text format: what was dropped or changed of requests, by field and provider.
import type { Note } from "../protocol/fault.ts"

export interface Metrics {
  readonly recordNotes: (provider: string, notes: readonly Note[]) => void
  /** The text format of Prometheus, version 0.0.4. */
  readonly render: () => string
}

// A client can invent field names without end: from here on they are counted together.
const mostSeries = 500
const restField = "other"

/** An empty registry. */
export function createMetrics(): Metrics {
  const counts = new Map<string, number>()

  function recordNotes(provider: string, notes: readonly Note[]): void {
    for (const { kind, path } of notes) {
      const labels = labelText({ provider, field: fieldOf(path), action: kind })
      const known = counts.has(labels) || counts.size < mostSeries
      const key = known ? labels : labelText({ provider, field: restField, action: kind })
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }

  function render(): string {
    const name = "claude_proxy_request_fields_total"
    const head = [
      `# HELP ${name} Fields of requests that were dropped or changed on their way to a provider.`,
      `# TYPE ${name} counter`,
    ]
    return `${[...head, ...[...counts].map(([labels, count]) => `${name}{${labels}} ${count}`)].join("\n")}\n`
  }

  return { recordNotes, render }
}

/**
 * The field that a note's path means, without positions and without names that a client made up:
 * `messages.3.content.0` is `messages.content`, everything inside a schema is `tools.input_schema`.
 */
export function fieldOf(path: string): string {
  const parts = path.split(".").filter((part) => !/^\d+$/.test(part))
  const schema = parts.findIndex((part) => part === "input_schema" || part === "schema")
  return parts.slice(0, schema < 0 ? 3 : schema + 1).join(".")
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",")
}

function escapeLabel(value: string): string {
  return value.slice(0, 100).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}
