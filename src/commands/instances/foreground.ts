// Several proxies in one terminal: each its own process, its lines marked with its name, all ended by one signal.

import { isTerminal } from "../../config/load/disk.ts"
import { createColors } from "../terminal/colors.ts"
import { type CommandIo, type Environment, say } from "../terminal/io.ts"
import { untilStopped } from "../terminal/until-stopped.ts"
import { stateFolder } from "./folder.ts"
import { childEnvironment, ownProgram } from "./inherited.ts"
import { shutdownMsOf } from "./record.ts"
import { createStore } from "./store.ts"

export interface Part {
  readonly name: string
  /** Arguments of our own program. */
  readonly argv: readonly string[]
}

// On top of the time that running requests have.
const slackMs = 5_000
const longestLine = 65_536

/** Runs them until a signal; 1 when one of them ended by itself. Those that are left go on without it. */
export async function runTogether(parts: readonly Part[], io: CommandIo, env: Environment): Promise<number> {
  const names = parts.map(({ name }) => name)
  say(io, `starting ${names.join(", ")}; Ctrl-C ends all of them`)
  const width = Math.max(...names.map((name) => name.length))
  const terminal = isTerminal(2)
  let stopping = false
  let failed = false
  const children = parts.map((part, index) => {
    const mark = markOf(part.name, index, width, io.color)
    const child = Bun.spawn([...ownProgram(), ...part.argv], {
      env: childEnvironment(env, terminal),
      stdio: ["pipe", "pipe", "pipe"],
      // A session of its own: ^C at the terminal reaches this process alone, which passes it on once.
      detached: true,
      windowsHide: true,
    })
    const shown = Promise.all([show(child.stdout, mark, io.out), show(child.stderr, mark, io.error)])
    const ended = child.exited.then(async () => {
      await Promise.race([shown, Bun.sleep(1_000)])
      if (stopping) return
      // 0: somebody has stopped it by its name.
      if (child.exitCode !== 0) failed = true
      const how = child.signalCode === null ? `exit code ${child.exitCode}` : child.signalCode
      io.error(`${mark}has ended (${how})\n`)
    })
    return { child, ended }
  })
  const all = Promise.all(children.map(({ ended }) => ended))
  const reason = await Promise.race([untilStopped(), all.then(() => undefined)])
  stopping = true
  if (reason !== undefined) {
    const ending = children.map(({ child }) => child)
    await endAll(ending, all, { graceMs: () => longestGrace(names, env) })
  }
  return failed ? 1 : 0
}

/** As each of them has written it down. */
function longestGrace(names: readonly string[], env: Environment): number {
  const store = createStore(stateFolder(env))
  return Math.max(...names.map((name) => shutdownMsOf(store.read(name))))
}

/** What of a child is needed to end it. */
interface Ending {
  readonly exitCode: number | null
  readonly kill: (signal: NodeJS.Signals) => void
  readonly stdin: { readonly end: () => unknown }
}

interface EndOptions {
  readonly platform?: string
  /** How long what runs may go on. */
  readonly graceMs?: () => number
}

/** Lets them finish what runs; a second signal, or too long a time, ends them at once. */
export async function endAll(
  children: readonly Ending[],
  all: Promise<unknown>,
  { platform = process.platform, graceMs = () => shutdownMsOf(undefined) }: EndOptions = {},
): Promise<void> {
  const each = (action: (child: Ending) => void) => {
    for (const child of children) if (child.exitCode === null) action(child)
  }
  const kill = (signal: NodeJS.Signals) => each((child) => child.kill(signal))
  // On Windows every signal kills; the end of its standard input is told to a child everywhere.
  if (platform === "win32") each((child) => void child.stdin.end())
  else kill("SIGTERM")
  const late = Promise.withResolvers<string>()
  const timer = setTimeout(() => late.resolve("late"), graceMs() + slackMs)
  const hurried = untilStopped([late.promise]).then(() => kill("SIGKILL"))
  await Promise.race([all, hurried.then(() => all)])
  clearTimeout(timer)
}

function markOf(name: string, index: number, width: number, color: boolean): string {
  const colors = createColors(color)
  const paints = [colors.cyan, colors.magenta, colors.yellow, colors.green, colors.blue]
  const paint = paints[index % paints.length] ?? colors.cyan
  return `${paint(`${name.padEnd(width)} |`)} `
}

/** Writes each whole line that comes, behind the mark, until the stream ends. */
export async function show(
  stream: ReadableStream<Uint8Array>,
  mark: string,
  write: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder()
  let begun: string[] = []
  let length = 0
  const put = (line: string) => write(`${mark}${line}\n`)
  for await (const bytes of stream) {
    const [first = "", ...others] = decoder.decode(bytes, { stream: true }).split("\n")
    begun.push(first)
    length += first.length
    const last = others.pop()
    if (last !== undefined) {
      for (const line of [begun.join(""), ...others]) put(line)
      begun = [last]
      length = last.length
    } else if (length > longestLine) {
      put(begun.join(""))
      begun = []
      length = 0
    }
  }
  if (length > 0) put(begun.join(""))
}
