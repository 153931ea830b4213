// `logs`: the end of a proxy's log, and what is added to it.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { datedDay } from "../../observe/log-days.ts"
import type { CommandIo } from "../io.ts"
import { untilStopped } from "../serve/until-stopped.ts"
import { stateFolder } from "./folder.ts"
import { keyOf } from "./names.ts"
import { howToStart, select, unknownName } from "./select.ts"
import { createStore, type LogFolder } from "./store.ts"
import { createTail, lastLines } from "./tail.ts"

type Environment = Readonly<Record<string, string | undefined>>

export interface LogsOptions {
  readonly name?: string | undefined
  readonly lines: number
  readonly follow: boolean
}

const pollMs = 200

/** Prints the last lines; with `follow` until a signal. 1 when there is no such log, 2 when it is not clear which. */
export async function logs(options: LogsOptions, io: CommandIo, env: Environment): Promise<number> {
  const store = createStore(stateFolder(env))
  const chosen = choose(options.name, store)
  if (typeof chosen !== "string") {
    io.error(`claude-proxy: ${chosen.problem}\n`)
    return chosen.exitCode
  }
  store.logs.absorb(chosen)
  const path = store.logs.pathOf(chosen)
  const tail = createTail(path)
  io.out(readEnd(store.logs, chosen, options.lines, tail.skip()))
  if (!options.follow) return 0
  const timer = setInterval(() => {
    store.logs.absorb(chosen)
    for (const text of tail.take()) io.out(text)
  }, pollMs)
  await untilStopped()
  clearInterval(timer)
  for (const text of tail.take()) io.out(text)
  return 0
}

interface Unclear {
  readonly problem: string
  readonly exitCode: number
}

/** Of a proxy that is stopped the log is still there. */
function choose(name: string | undefined, store: ReturnType<typeof createStore>): string | Unclear {
  const records = store.list()
  const selection = select(records, { name, all: false })
  const kept = filesIn(store.logs.folder).flatMap((file) => /^(.+)\.log$/.exec(file)?.[1] ?? [])
  const [only] = kept
  switch (selection.kind) {
    case "some":
      return selection.records[0]?.name ?? ""
    case "which":
      return { problem: selection.problem.replace(", or --all", ""), exitCode: 2 }
    case "unknown": {
      const wanted = name ?? ""
      if (kept.includes(keyOf(wanted))) return wanted
      return {
        problem: unknownName(wanted, [...new Set([...records.map((one) => one.name), ...kept])]),
        exitCode: 1,
      }
    }
    case "none":
      if (only !== undefined && kept.length === 1) return only
      return kept.length === 0
        ? { problem: howToStart, exitCode: 1 }
        : { problem: `which one? ${kept.join(", ")}. Give a name.`, exitCode: 2 }
    default:
      return selection satisfies never
  }
}

/** The last lines of the file up to a size, and before it those of its past days, as many as it takes. */
function readEnd(folder: LogFolder, name: string, lines: number, size: number): string {
  const base = `${folder.baseOf(name)}.log`
  const past = filesIn(folder.folder)
    .filter((file) => datedDay(file, `${base}.`) !== undefined)
    .toSorted((one, other) => one.localeCompare(other, "en", { numeric: true }))
  let found: readonly string[] = lastLines(folder.pathOf(name), lines, size)
  for (const file of past.toReversed()) {
    if (found.length >= lines) break
    found = [...lastLines(join(folder.folder, file), lines - found.length), ...found]
  }
  return found.map((line) => `${line}\n`).join("")
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
