// The processes of the bench: started here, ended here, whatever happens.
import { join } from "node:path"
import { hello } from "./talk.ts"

export interface Child {
  readonly pid: number
  readonly port: number
  /** Sends a message and gives the next one that comes. Rejects when the process ends first, or takes too long. */
  readonly ask: (message: unknown, timeoutMs: number) => Promise<unknown>
  readonly stop: () => Promise<void>
}

export interface Children {
  /** Remembers a process that has to end with the bench; `clean` is done when it has. */
  readonly adopt: <T extends Started>(child: T, clean?: () => void) => T
  readonly pids: () => readonly number[]
  /** At once, the hard way. */
  readonly killAll: () => void
}

interface Started {
  readonly pid: number
  readonly kill: (signal: NodeJS.Signals) => void
  readonly exited: Promise<number>
}

export function createChildren(): Children {
  const alive = new Map<number, { readonly child: Started; readonly clean: () => void }>()

  function forget(pid: number): void {
    alive.get(pid)?.clean()
    alive.delete(pid)
  }

  return {
    adopt: (child, clean = () => {}) => {
      alive.set(child.pid, { child, clean })
      void child.exited.finally(() => forget(child.pid))
      return child
    },
    pids: () => [...alive.keys()],
    killAll: () => {
      for (const [pid, { child }] of alive) {
        child.kill("SIGKILL")
        forget(pid)
      }
    },
  }
}

const startMs = 10_000

/** Starts one of our own scripts and waits until it listens. */
export async function startScript(
  children: Children,
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Child> {
  let answer: ((message: unknown) => void) | undefined
  let fail: ((error: Error) => void) | undefined
  const child = children.adopt(
    Bun.spawn([process.execPath, "--no-env-file", join(import.meta.dir, script), ...args], {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (message) => answer?.(message),
    }),
  )
  void child.exited.then((code) => fail?.(new Error(`${script} has ended with ${code}`)))

  function next(timeoutMs: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    answer = resolve
    fail = reject
    const timer = setTimeout(() => reject(new Error(`no answer of ${script} in time`)), timeoutMs)
    return promise.finally(() => clearTimeout(timer))
  }

  const { port } = hello.parse(await next(startMs))
  return {
    pid: child.pid,
    port,
    ask: (message, timeoutMs) => {
      const answered = next(timeoutMs)
      child.send(message)
      return answered
    },
    stop: () => end(child),
  }
}

const graceMs = 3_000

/** Asks a process to end, and ends it if it does not. */
export async function end(child: Started): Promise<void> {
  child.kill("SIGTERM")
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs)
  await child.exited
  clearTimeout(timer)
}
