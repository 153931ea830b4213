// Runs the proxy as a program, from outside: the built binary that PROXY_UNDER_TEST names, else the source.
// Nothing of the surrounding environment reaches it but PATH.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

export type Environment = Readonly<Record<string, string>>

export interface RunOptions {
  readonly env?: Environment
  /** Default: an empty folder of its own. */
  readonly cwd?: string
  readonly stdin?: string
  /** After this the program and all it started are killed. */
  readonly timeoutMs?: number
}

export interface Finished {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

export interface StartedProcess {
  readonly pid: number
  /** What it wrote so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Sends a signal to the program alone, not to its children. */
  readonly signal: (name: NodeJS.Signals) => void
  readonly finished: Promise<Finished>
}

export interface RunningProxy {
  /** `http://127.0.0.1:PORT`, to use as ANTHROPIC_BASE_URL. */
  readonly url: string
  readonly pid: number
  /** Everything it wrote so far, both outputs. */
  readonly output: () => string
  /** SIGTERM, and the exit code; killed, with an error, when it is not gone after 5 s. */
  readonly stop: () => Promise<number>
}

// A test run that is interrupted takes what it has started with it.
const alive = new Set<number>()
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const pid of alive) killGroup(pid)
    process.exit(1)
  })
}

const root = resolve(import.meta.dir, "../..")

/** The program and the arguments that run the proxy. */
export function proxyCommand(): readonly string[] {
  const binary = process.env["PROXY_UNDER_TEST"]
  if (binary !== undefined && binary !== "") return [resolve(root, binary)]
  return [process.execPath, "--no-env-file", join(root, "src/cli.ts")]
}

/** A folder that is removed when `use` is done with it. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "claude-proxy-test-"))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Starts `command` in a clean environment and a process group of its own. */
export function startProcess(command: readonly string[], home: string, options: RunOptions): StartedProcess {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? home,
    env: { PATH: process.env["PATH"] ?? "", HOME: home, ...options.env },
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  })
  alive.add(child.pid)
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    killGroup(child.pid)
  }, options.timeoutMs ?? 60_000)

  async function finish(): Promise<Finished> {
    const exitCode = await child.exited
    alive.delete(child.pid)
    // A grandchild that lives on keeps the pipes open: what it writes is not waited for long.
    await Promise.race([Promise.all([stdout.done, stderr.done]), Bun.sleep(1000)])
    clearTimeout(timer)
    return { exitCode, stdout: stdout.text(), stderr: stderr.text(), timedOut }
  }

  return {
    pid: child.pid,
    stdout: stdout.text,
    stderr: stderr.text,
    signal: (name) => child.kill(name),
    finished: finish(),
  }
}

/** Starts the proxy with these arguments; its HOME is a folder of its own, removed when it has ended. */
export async function startProxyCommand(
  args: readonly string[],
  options: RunOptions = {},
): Promise<StartedProcess> {
  const home = await mkdtemp(join(tmpdir(), "claude-proxy-home-"))
  const started = startProcess([...proxyCommand(), ...args], home, options)
  const finished = started.finished.finally(() => rm(home, { recursive: true, force: true }))
  return { ...started, finished }
}

/** Runs the proxy with these arguments to its end. */
export async function runProxy(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const started = await startProxyCommand(args, options)
  return started.finished
}

/**
 * `serve --port 0` with these settings. Resolves when it says where it listens; throws with everything it
 * wrote when it ends before, or says nothing for 15 s.
 */
export async function startProxy(env: Environment = {}, args: readonly string[] = []): Promise<RunningProxy> {
  const started = await startProxyCommand(["serve", "--port", "0", ...args], { env, timeoutMs: 600_000 })
  const output = () => started.stdout() + started.stderr()
  let ended = false
  const watched = started.finished.then(() => {
    ended = true
  })
  const known = Object.values(env).join(" ")
  const deadline = performance.now() + 15_000
  for (;;) {
    const url = findUrl(output(), known)
    if (url !== undefined) return { url, pid: started.pid, output, stop: () => stop(started) }
    if (ended || performance.now() > deadline) break
    await Promise.race([Bun.sleep(10), watched])
  }
  await stop(started)
  throw new Error(`the proxy did not start:\n${output()}`)
}

/** The first loopback address that is not one of the settings (the upstream's, for instance). */
function findUrl(output: string, known: string): string | undefined {
  const urls = output.match(/http:\/\/127\.0\.0\.1:\d+(?=\D)/g) ?? []
  return urls.find((url) => !known.includes(url))
}

async function stop(started: StartedProcess): Promise<number> {
  let killed = false
  started.signal("SIGTERM")
  const timer = setTimeout(() => {
    killed = true
    killGroup(started.pid)
  }, 5000)
  const { exitCode } = await started.finished
  clearTimeout(timer)
  if (killed) throw new Error(`the proxy did not end within 5 s of SIGTERM:\n${started.stderr().slice(-500)}`)
  return exitCode
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Already gone.
  }
}

/** Is there still a process with this id? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function collect(stream: ReadableStream<Uint8Array>): { text: () => string; done: Promise<void> } {
  const decoder = new TextDecoder()
  let text = ""
  const read = async () => {
    for await (const bytes of stream) text += decoder.decode(bytes, { stream: true })
  }
  return { text: () => text, done: read() }
}
