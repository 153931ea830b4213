// `logs`: the end of a proxy's log, and what is added to it.
import { join } from "node:path"
import { keyOf } from "../../config/models/instance-name.ts"
import { datedDay } from "../../observe/log-days.ts"
import { type CommandIo, type Environment, fail } from "../terminal/io.ts"
import { untilStopped } from "../terminal/until-stopped.ts"
import { stateFolder } from "./folder.ts"
import { howToStart, select, unknownName } from "./select.ts"
import { createStore, type LogFolder, namesIn } from "./store.ts"
import { createTail, lastLines, type Tail } from "./tail.ts"

interface LogsOptions {
  readonly name?: string | undefined
  readonly lines: number
  readonly follow: boolean
}

const pollMs = 200

/**
 * Prints the last lines, and behind them what the process wrote past its log, as it does when it crashes; with
 * `follow` until a signal. Changes nothing. 1 when there is no such log, 2 when it is not clear which.
 */
export async function logs(options: LogsOptions, io: CommandIo, env: Environment): Promise<number> {
  const store = createStore(stateFolder(env))
  const chosen = choose(options.name, store)
  if (typeof chosen !== "string") return fail(io, chosen.problem, chosen.exitCode)
  const log = createTail(store.logs.pathOf(chosen))
  const output = createTail(store.logs.outputOf(chosen))
  const [size, outputSize] = [log.skip(), output.skip()]
  const said = lastLines(store.logs.outputOf(chosen), options.lines, outputSize)
  const before = readEnd(store.logs, chosen, options.lines - said.length, size)
  io.out([...before, ...said].map((line) => `${line}\n`).join(""))
  if (!options.follow) return 0
  const take = createTake(log, output, said)
  const show = () => {
    const text = take()
    if (text !== "") io.out(text)
  }
  const timer = setInterval(show, pollMs)
  await untilStopped()
  clearInterval(timer)
  show()
  return 0
}

/** What is new in both files. The output goes into the log at the next start, and is not shown a second time. */
export function createTake(log: Tail, output: Tail, shown: readonly string[]): () => string {
  let known = shown.map((line) => `${line}\n`).join("")
  return () => {
    const logged = log.take().join("")
    const fresh = known !== "" && logged.includes(known) ? logged.replace(known, () => "") : logged
    if (fresh !== logged) known = ""
    const said = output.take().join("")
    known += said
    return fresh + said
  }
}

interface Unclear {
  readonly problem: string
  readonly exitCode: number
}

/** Of a proxy that is stopped the log is still there. */
function choose(name: string | undefined, store: ReturnType<typeof createStore>): string | Unclear {
  const records = store.list()
  const selection = select(records, { name, all: false })
  const files = namesIn(store.logs.folder)
  const kept = [...new Set(files.flatMap((file) => /^(.+)\.(?:log|output)$/.exec(file)?.[1] ?? []))]
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
function readEnd(folder: LogFolder, name: string, lines: number, size: number): readonly string[] {
  const base = `${keyOf(name)}.log`
  const past = namesIn(folder.folder)
    .filter((file) => datedDay(file, `${base}.`) !== undefined)
    .toSorted((one, other) => one.localeCompare(other, "en", { numeric: true }))
  let found: readonly string[] = lastLines(folder.pathOf(name), lines, size)
  for (const file of past.toReversed()) {
    if (found.length >= lines) break
    found = [...lastLines(join(folder.folder, file), lines - found.length), ...found]
  }
  return found
}
