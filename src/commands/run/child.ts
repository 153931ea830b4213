// Starting a command with the terminal handed over to it, and ending as it ended.
import { existsSync, readFileSync } from "node:fs"
import { constants } from "node:os"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import { isTerminal } from "../../config/load/disk.ts"
import { errorCode } from "../../protocol/fault.ts"
import { ignoresHangup } from "../terminal/hangup.ts"
import type { Environment } from "../terminal/io.ts"

type Found =
  | { readonly ok: true; readonly path: string }
  /** The exit code a shell would give: 127 not found, 126 found but not to be run. */
  | { readonly ok: false; readonly exitCode: 126 | 127; readonly why: string }

/** Looks the command up as a shell would, in the environment's own PATH. */
export function findCommand(name: string, env: Environment): Found {
  const path = searchPath(env)
  const found = Bun.which(name, { PATH: path, cwd: process.cwd() })
  if (found !== null) return { ok: true, path: isAbsolute(found) ? found : resolve(found) }
  const named = /[/\\]/.test(name)
  const places = named ? [name] : path.split(delimiter).map((folder) => join(folder, name))
  if (name !== "" && places.some((place) => existsSync(place)))
    return { ok: false, exitCode: 126, why: `${name}: cannot be executed` }
  return { ok: false, exitCode: 127, why: `${name}: ${named ? "no such file" : "command not found"}` }
}

function searchPath(env: Environment): string {
  const name = Object.keys(env).find((key) => key.toUpperCase() === "PATH")
  return name === undefined ? "" : (env[name] ?? "")
}

export interface ChildEnd {
  readonly exitCode: number
  /** Why it could not be started, if it could not. */
  readonly why?: string
}

// Bun lets its children hear every signal again: what nohup has us ignore is ignored for the child by a shell.
const underNohup = ["/bin/sh", "-c", 'trap "" HUP; exec "$0" "$@"'] as const

/** Runs the command to its end. Its exit code is the result; a signal n gives 128+n, as shells say it. */
export async function runChild(path: string, args: readonly string[], env: Environment): Promise<ChildEnd> {
  let child: Bun.Subprocess | undefined
  const command = ignoresHangup() ? [...underNohup, path, ...args] : [path, ...args]
  // Before the child starts: it may be up, and somebody may signal us, before we are back here.
  const release = passSignals((signal) => child?.kill(signal))
  try {
    child = spawn(command, env)
    await child.exited
  } catch (error) {
    const code = codeOf(error)
    return { exitCode: code === "ENOENT" ? 127 : 126, why: `${path}: cannot be started (${code})` }
  } finally {
    release()
  }
  const signal = Object.entries(constants.signals).find(([name]) => name === child?.signalCode)
  return { exitCode: signal === undefined ? (child?.exitCode ?? 1) : 128 + signal[1] }
}

function spawn(command: readonly string[], env: Environment): Bun.Subprocess {
  const start = (words: readonly string[]) =>
    Bun.spawn([...words], { env: { ...env }, stdio: ["inherit", "inherit", "inherit"] })
  try {
    return start(command)
  } catch (error) {
    // A script without a first line that says what runs it: a shell, as shells and `env` have it.
    if (codeOf(error) === "ENOEXEC" && isScript(command[0])) return start(["/bin/sh", ...command])
    throw error
  }
}

/** Or a program for another machine. */
function isScript(path = ""): boolean {
  return !readFileSync(path).subarray(0, 512).includes(0)
}

function codeOf(error: unknown): string {
  return errorCode(error) ?? String(error)
}

// Typed at a terminal, ^C and ^\ reach the child from the kernel; passed on by us they would count twice.
const fromTheKeyboard = ["SIGINT", "SIGQUIT"] as const
const fromElsewhere = ["SIGTERM", "SIGHUP"] as const

/** While the child lives, signals are its own affair. Gives the way back. */
function passSignals(send: (signal: NodeJS.Signals) => void): () => void {
  const terminal = [0, 1, 2].some((descriptor) => isTerminal(descriptor))
  const pass = (signal: NodeJS.Signals) => {
    const arrived = terminal && fromTheKeyboard.some((name) => name === signal)
    if (!arrived) send(signal)
  }
  const signals =
    process.platform === "win32" ? (["SIGINT", "SIGTERM"] as const) : [...fromTheKeyboard, ...fromElsewhere]
  for (const signal of signals) process.on(signal, pass)
  return () => {
    for (const signal of signals) process.off(signal, pass)
  }
}
