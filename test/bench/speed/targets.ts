// What is measured, each as a running process: the pass-through, and the proxy as a compiled program.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { freePort } from "../../support/free-port.ts"
import { type Children, end, startScript } from "./children.ts"
import { connect } from "./connection.ts"
import { healthRequest } from "./requests.ts"
import type { Dialect } from "./work.ts"

export const direct = "direct"
export const limit = "limit-bun"

/** A proxy to measure, under the name that it has in the tables. */
export interface Binary {
  readonly name: string
  readonly path: string
}

export interface Target {
  readonly name: string
  readonly dialect: Dialect
  readonly port: number
  /** Undefined: no process stands in between. */
  readonly pid: number | undefined
  readonly stop: () => Promise<void>
}

export function directTo(upstream: number): Target {
  return { name: direct, dialect: "chat", port: upstream, pid: undefined, stop: () => Promise.resolve() }
}

export async function startLimit(children: Children, upstream: number): Promise<Target> {
  // By itself Bun would queue the 257th request.
  const env = { BUN_CONFIG_MAX_HTTP_REQUESTS: "65336" }
  const child = await startScript(children, "limit-bun.ts", [`http://127.0.0.1:${upstream}`], env)
  return { name: limit, dialect: "chat", port: child.port, pid: child.pid, stop: child.stop }
}

export interface Proxy extends Target {
  readonly pid: number
  /** From its start until it has answered for the first time. */
  readonly startMs: number
}

const startLimitMs = 15_000
const retryMs = 0.25

interface Program {
  readonly name: string
  readonly command: (port: number) => readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The settings that everybody has who sets none. */
export function startProxy(children: Children, { name, path }: Binary, upstream: number): Promise<Proxy> {
  return startProgram(children, {
    name,
    command: (port) => [resolve(path), "serve", "--port", String(port)],
    env: {
      OPENAI_BASE_URL: `http://127.0.0.1:${upstream}/v1`,
      OPENAI_API_KEY: "bench-key-0000",
      BIG_MODEL: "bench-model",
      SMALL_MODEL: "bench-model",
    },
  })
}

/** The pass-through as a compiled program: the least that a start can cost. Undefined: it cannot be built. */
export function buildBare(folder: string): Binary | undefined {
  const path = join(folder, limit)
  const script = join(import.meta.dir, "limit-bun.ts")
  const build = [process.execPath, "build", script, "--compile", "--minify", "--bytecode", "--outfile", path]
  const { success } = Bun.spawnSync(build, { stdout: "ignore", stderr: "ignore" })
  return success ? { name: limit, path } : undefined
}

export function startBare(children: Children, { name, path }: Binary, upstream: number): Promise<Proxy> {
  const command = (port: number) => [path, `http://127.0.0.1:${upstream}`, String(port)]
  return startProgram(children, { name, command, env: {} })
}

/** In a plain environment, with folders of its own. */
async function startProgram(children: Children, { name, command, env }: Program): Promise<Proxy> {
  const home = mkdtempSync(join(tmpdir(), "claude-proxy-bench-"))
  const port = freePort()
  const folders = {
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
    XDG_CACHE_HOME: join(home, "cache"),
  }
  const started = performance.now()
  const child = children.adopt(
    Bun.spawn([...command(port)], {
      cwd: home,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, ...folders, ...env },
      stdio: ["ignore", Bun.file(join(home, "out.log")), Bun.file(join(home, "log.log"))],
    }),
    () => rmSync(home, { recursive: true, force: true }),
  )
  const ended = child.exited.then(async (code) => {
    throw new Error(`it has ended with ${code}`)
  })
  // Nobody may be waiting any more when it does.
  ended.catch(() => {})
  try {
    await Promise.race([ended, untilAnswered(port)])
  } catch (error) {
    const said = await Bun.file(join(home, "log.log"))
      .text()
      .catch(() => "")
    await end(child)
    throw new Error(`${name}: ${String(error)}\n${said.slice(-2_000)}`)
  }
  const startMs = performance.now() - started
  return { name, dialect: "messages", port, pid: child.pid, startMs, stop: () => end(child) }
}

async function untilAnswered(port: number): Promise<void> {
  const deadline = performance.now() + startLimitMs
  while (performance.now() < deadline) {
    if (await answers(port)) return
    await Bun.sleep(retryMs)
  }
  throw new Error("it does not answer")
}

async function answers(port: number): Promise<boolean> {
  const { promise, resolve: settle } = Promise.withResolvers<boolean>()
  try {
    const connection = await connect(port, { data: () => settle(true), closed: () => settle(false) })
    connection.send(healthRequest)
    const answered = await promise
    connection.close()
    return answered
  } catch {
    return false
  }
}
