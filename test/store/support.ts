// Rows for the statistics file, and a folder for it.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emptyTally, type Tally } from "../../src/observe/stats.ts"
import type { Stored } from "../../src/store/sqlite.ts"
import { type Batch, openUsageStore, type UsageStore } from "../../src/store/usage-store.ts"
import type { DayRow, SessionRow } from "../../src/store/usage-table.ts"

const folders: string[] = []

/** A folder of its own, until `removeFolders`. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "claude-proxy-stats-"))
  folders.push(folder)
  return folder
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** The value, where there has to be one. */
export function storedValue<T>(stored: Stored<T>): T {
  if (!stored.ok) throw new Error(`${stored.problem.kind}: ${stored.problem.why}`)
  return stored.value
}

export function openStore(path: string, busyMs = 5_000): UsageStore {
  return storedValue(openUsageStore(path, { busyMs }))
}

export function tally(requests: number, more: Partial<Tally> = {}): Tally {
  return {
    ...emptyTally,
    requests,
    inputTokens: requests * 10,
    costUsd: requests / 4,
    costKnown: requests,
    ...more,
  }
}

export function dayRow(more: Partial<DayRow> = {}): DayRow {
  return { day: "2026-01-31", provider: "openai", model: "gpt-4o", client: "", tally: tally(1), ...more }
}

export function sessionRow(more: Partial<SessionRow> = {}): SessionRow {
  return {
    ...{ session: "s", provider: "openai", model: "gpt-4o" },
    ...{ firstUsed: 1_000, lastUsed: 2_000, tally: tally(1) },
    ...more,
  }
}

export function batch(days: readonly DayRow[], sessions: readonly SessionRow[] = []): Batch {
  return { days, sessions }
}

/** All that the file counts, by days and by sessions. */
export function requestsIn(path: string): { readonly byDay: number; readonly bySession: number } {
  const store = openStore(path)
  try {
    const days = storedValue(store.days([], ""))
    const sessions = storedValue(store.sessions(0, 1_000_000))
    return {
      byDay: days.reduce((sum, row) => sum + row.tally.requests, 0),
      bySession: sessions.reduce((sum, row) => sum + row.tally.requests, 0),
    }
  } finally {
    store.close()
  }
}
