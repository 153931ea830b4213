// `status`: every proxy that was started under a name, as its port answers now.

import { objectOf, textOf } from "../../protocol/json.ts"
import { createColors } from "../terminal/colors.ts"
import { type CommandIo, type Environment, fail } from "../terminal/io.ts"
import { localTime } from "./claim.ts"
import { renderColumns, renderModels } from "./columns.ts"
import { stateFolder } from "./folder.ts"
import { type Liveness, livenessOf } from "./liveness.ts"
import type { InstanceRecord } from "./record.ts"
import { howToStart, select } from "./select.ts"
import { createStore } from "./store.ts"

interface StatusOptions {
  readonly name?: string | undefined
  readonly json: boolean
}

interface Seen {
  readonly record: InstanceRecord
  readonly liveness: Liveness
}

/**
 * 0 when all of them run, or begin or end in good order (or there are none); 1 when one is dead or does not answer,
 * or none has the name.
 */
export async function status(options: StatusOptions, io: CommandIo, env: Environment): Promise<number> {
  const records = createStore(stateFolder(env)).list()
  const selection = select(records, { name: options.name, all: options.name === undefined })
  if (selection.kind === "unknown" || selection.kind === "which") return fail(io, selection.problem)
  if (selection.kind === "none") {
    io.out(options.json ? "[]\n" : `${howToStart}\n`)
    return 0
  }
  const seen = await Promise.all(
    selection.records.map(async (record) => ({ record, liveness: await livenessOf(record) })),
  )
  io.out(options.json ? `${JSON.stringify(seen.map(toJson), null, 2)}\n` : render(seen, io.color))
  return seen.some(({ liveness }) => ["dead", "hung", "unclear"].includes(liveness.kind)) ? 1 : 0
}

/** Settings may have changed since the start: who runs is asked, who does not is remembered. */
function present({ record, liveness }: Seen): {
  readonly upstream: string
  readonly models: { readonly big: string; readonly middle: string; readonly small: string }
} {
  const { facts } = record
  const health = liveness.kind === "running" ? liveness.health : {}
  const told = objectOf(health["models"])
  const model = (tier: "big" | "middle" | "small") => textOf(told[tier]) ?? facts?.models[tier] ?? "–"
  return {
    upstream: textOf(objectOf(health["api_status"])["upstream"]) ?? facts?.upstream.split(",")[0] ?? "–",
    models: { big: model("big"), middle: model("middle"), small: model("small") },
  }
}

function toJson(seen: Seen): unknown {
  const { record, liveness } = seen
  const { upstream, models } = present(seen)
  return {
    name: record.name,
    state: liveness.kind,
    why: whyOf(liveness) ?? null,
    url: record.url === "" ? null : record.url,
    host: record.host,
    port: record.port,
    upstream,
    models,
    pid: record.pid,
    since: record.startedAt,
    version: record.version,
    detached: record.detached,
    env_file: record.envFile,
    cwd: record.cwd,
    log: record.log,
  }
}

function render(all: readonly Seen[], color: boolean): string {
  const { bold } = createColors(color)
  const titles = ["NAME", "STATE", "URL", "UPSTREAM", "MODELS", "PID", "SINCE", "LOG"].map((title) =>
    bold(title),
  )
  const rows = all.map((seen) => {
    const { record, liveness } = seen
    const { upstream, models } = present(seen)
    return [
      ...[record.name, renderState(liveness, color), record.url === "" ? "–" : record.url],
      ...[upstream, renderModels(models), String(record.pid ?? "–"), localTime(record.startedAt), record.log],
    ]
  })
  const lost = all.filter(({ liveness }) => liveness.kind === "dead").map(({ record }) => record.name)
  const [first] = lost
  const hint =
    first === undefined
      ? ""
      : `\nTo bring ${lost.length === 1 ? "it" : "one"} back: claude-proxy restart ${first}; to forget it: claude-proxy stop ${first}\n`
  return `${renderColumns([titles, ...rows])}${hint}`
}

function renderState(liveness: Liveness, color: boolean): string {
  const { green, red, yellow } = createColors(color)
  const why = whyOf(liveness)
  const text = why === undefined ? liveness.kind : `${liveness.kind} (${why})`
  if (liveness.kind === "running") return green(text)
  return liveness.kind === "starting" || liveness.kind === "draining" ? yellow(text) : red(text)
}

function whyOf(liveness: Liveness): string | undefined {
  switch (liveness.kind) {
    case "dead":
      return liveness.why
    case "draining":
      return "finishing its requests"
    case "hung":
      return "its process is there, but its port does not answer"
    case "unclear":
      return "its port does not answer, and whether its process is there cannot be told"
    default:
      return undefined
  }
}
