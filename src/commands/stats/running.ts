// The statistics of a proxy that runs, asked of itself.
import type { Tally } from "../../observe/stats.ts"
import { errorMessage } from "../../protocol/fault.ts"
import { countOf, type JsonObject, jsonOf, objectOf, textOf } from "../../protocol/json.ts"
import { askingOptions, leadsHere, rootOf, shownAddress } from "../common/proxy-address.ts"
import type { CommandIo } from "../terminal/io.ts"
import { localTime } from "./kept.ts"
import { type ReportRow, renderReport } from "./report.ts"

interface Asking {
  /** The proxy's address, as clients have it. */
  readonly url: string
  /** The client key to send; empty: none. */
  readonly key: string
  readonly json: boolean
}

export type Answer =
  | { readonly ok: true; readonly stats: JsonObject }
  /** `refused`: it wants another key. */
  | { readonly ok: false; readonly refused: boolean; readonly why: string }

const limitMs = 10_000

/** Asks the proxy. */
export async function askProxy({ url, key }: Pick<Asking, "url" | "key">): Promise<Answer> {
  const address = `${rootOf(url)}/v1/stats`
  const shown = shownAddress(address)
  try {
    const response = await fetch(address, {
      headers: key === "" ? {} : { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(limitMs),
      ...askingOptions(leadsHere(url)),
    })
    const stats = objectOf(jsonOf(await response.text()))
    if (response.status === 401)
      return {
        ok: false,
        refused: true,
        why: textOf(objectOf(stats["error"])["message"]) ?? "it wants a key",
      }
    if (response.status === 200 && textOf(stats["session_start_time"]) !== undefined)
      return { ok: true, stats }
    const why = `${shown} answers ${response.status}: no claude-proxy, or one without statistics`
    return { ok: false, refused: false, why }
  } catch (error) {
    const why = errorMessage(error)
    return { ok: false, refused: false, why: `${shown} cannot be reached: ${why}` }
  }
}

/** Prints what it answered. */
export function showRunning(stats: JsonObject, { url, json }: Pick<Asking, "url" | "json">, io: CommandIo) {
  if (json) {
    io.out(`${JSON.stringify(stats, null, 2)}\n`)
    return
  }
  const since = Date.parse(textOf(stats["session_start_time"]) ?? "")
  const title = `Statistics of ${shownAddress(url)} since it was started, ${localTime(since)}`
  const tables = [
    { heads: ["MODEL"], rows: rowsOf(stats["models"], false) },
    { heads: ["SESSION", "LAST USED"], rows: rowsOf(stats["sessions"], true) },
    { heads: ["AGENT", "LAST USED"], rows: rowsOf(stats["agents"], true) },
    { heads: ["CLIENT", "LAST USED"], rows: rowsOf(stats["clients"], true) },
  ]
  io.out(renderReport({ title, total: totalIn(stats), tables }, io.color))
}

function rowsOf(value: unknown, used: boolean): readonly ReportRow[] {
  return Object.entries(objectOf(value)).map(([name, row]) => {
    const time = Date.parse(textOf(objectOf(row)["last_used"]) ?? "")
    return { cells: used ? [name, localTime(time)] : [name], tally: tallyIn(row) }
  })
}

function tallyIn(value: unknown): Tally {
  const row = objectOf(value)
  const count = (name: string) => countOf(row[name]) ?? 0
  return {
    requests: count("requests"),
    failures: count("failed_requests"),
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    cacheReadTokens: count("cache_read_tokens"),
    cacheCreationTokens: count("cache_creation_tokens"),
    reasoningTokens: count("reasoning_tokens"),
    estimated: count("estimated_requests"),
    costUsd: count("cost_usd"),
    costKnown: count("cost_known_requests"),
    costUnknown: count("cost_unknown_requests"),
  }
}

function totalIn(stats: JsonObject): Tally {
  const count = (name: string) => countOf(stats[name]) ?? 0
  return {
    requests: count("total_requests"),
    failures: count("failed_requests"),
    inputTokens: count("total_input_tokens"),
    outputTokens: count("total_output_tokens"),
    cacheReadTokens: count("total_cache_read_tokens"),
    cacheCreationTokens: count("total_cache_creation_tokens"),
    reasoningTokens: count("total_reasoning_tokens"),
    estimated: count("estimated_requests"),
    costUsd: count("total_cost_usd"),
    costKnown: count("cost_known_requests"),
    costUnknown: count("cost_unknown_requests"),
  }
}
