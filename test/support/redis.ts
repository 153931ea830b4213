// A real Redis for tests: redis-server on a free port of loopback, with a folder of its own and nothing on disk.
// Where it is not installed such tests are left out, with a word; in CI they fail instead.
import { describe } from "bun:test"
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "./free-port.ts"

export interface TestRedis {
  readonly port: number
  /** `redis://127.0.0.1:PORT`, without a password. */
  readonly url: string
  /** Ends the server at once; `start` brings it back to the same port, empty. */
  readonly kill: () => Promise<void>
  readonly start: () => Promise<void>
  /** Stops it in its tracks: connections stay open, and nothing is answered. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Ends it for good and removes its folder. */
  readonly stop: () => Promise<void>
}

const program = Bun.which("redis-server")
const skipped = program === null && process.env["CI"] !== "true"
if (skipped) {
  process.stderr.write(
    "redis-server is not installed: the tests that need one are skipped (apt-get install redis-server)\n",
  )
}

/** `describe` for tests that need a Redis. */
export const describeWithRedis = skipped ? describe.skip : describe

const alive = new Set<number>()
process.once("exit", () => {
  for (const pid of alive) killProcess(pid, "SIGKILL")
})

/** Starts a server and waits until it answers; `args` are its own (`--requirepass`, `word`). */
export async function startRedis(args: readonly string[] = []): Promise<TestRedis> {
  if (program === null) throw new Error("redis-server is not installed: apt-get install redis-server")
  const folder = await mkdtemp(join(tmpdir(), "claude-proxy-redis-"))
  const port = freePort()
  const common = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
  // Another --port among the arguments wins: a TLS server closes the plain one.
  const command = [program, "--port", String(port), ...common, ...args.map(fill)]
  let child: Bun.Subprocess | undefined

  function fill(arg: string): string {
    return arg === "PORT" ? String(port) : arg
  }

  async function start(): Promise<void> {
    const started = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "ignore" })
    child = started
    alive.add(started.pid)
    void started.exited.then(() => alive.delete(started.pid))
    const deadline = performance.now() + 15_000
    while (!(await listens(port))) {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`)
      if (performance.now() > deadline) throw new Error("redis-server does not listen after 15 s")
      await Bun.sleep(20)
    }
  }

  async function kill(): Promise<void> {
    child?.kill("SIGKILL")
    await child?.exited
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    freeze: () => freeze(child?.pid),
    thaw: () => killProcess(child?.pid, "SIGCONT"),
    stop: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function killProcess(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(pid, signal)
  } catch {
    // Already gone.
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const end = (found: boolean) => {
      socket.destroy()
      resolve(found)
    }
    socket.once("connect", () => end(true))
    socket.once("error", () => end(false))
  })
}

/** A signal is on its way for a moment, in which the server could still answer. */
function freeze(pid: number | undefined): void {
  killProcess(pid, "SIGSTOP")
  if (process.platform !== "linux" || pid === undefined) return
  const until = performance.now() + 5_000
  while (performance.now() < until && !/\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8")))
    Bun.sleepSync(1)
}
