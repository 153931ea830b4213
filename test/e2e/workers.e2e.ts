// Several processes on one port, from outside: who answers, what they say together, and how they come and go.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { arrayOf, objectOf, parseJson } from "../../src/protocol/json.ts"
import { runProxy, type StartedProcess, startProxyCommand } from "../support/proxy.ts"
import { type ScriptedUpstream, until } from "../support/upstream.ts"
import {
  childrenOf,
  get,
  getJson,
  isRunning,
  post,
  quickUpstream,
  residentMb,
  sumIn,
  waitingUpstream,
  workersAt,
} from "../support/workers.ts"

setDefaultTimeout(120_000)

const clean: (() => unknown)[] = []

afterEach(async () => {
  for (const undo of clean.splice(0).reverse()) await undo()
})

interface Proxy {
  readonly url: string
  readonly pid: number
  readonly folder: string
  readonly started: StartedProcess
  readonly workers: () => readonly number[]
}

async function start(
  upstream: Pick<ScriptedUpstream, "url" | "stop">,
  args: readonly string[] = ["--workers", "4"],
  settings = "",
): Promise<Proxy> {
  clean.push(upstream.stop)
  const folder = await mkdtemp(join(tmpdir(), "claude-proxy-workers-"))
  clean.push(() => rm(folder, { recursive: true, force: true }))
  const file = `OPENAI_API_KEY=sk-canary-0123456789\nOPENAI_BASE_URL=${upstream.url}\n${settings}`
  writeFileSync(join(folder, ".env"), file)
  const options = { cwd: folder, timeoutMs: 100_000 }
  const started = await startProxyCommand(["serve", "--port", "0", ...args], options)
  const { pid } = started
  let all: readonly number[] = []
  clean.push(async () => {
    for (const one of [pid, ...all, ...childrenOf(pid)]) kill(one, "SIGKILL")
    await started.finished
  })
  await until(() => started.stdout().includes("ANTHROPIC_BASE_URL="), 30_000)
  all = childrenOf(pid)
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(started.stdout())?.[0] ?? ""
  return { url, pid, folder, started, workers: () => childrenOf(pid) }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}

/** Streams that have begun, so many that every worker has some. */
async function beginStreams(url: string, count = 40): Promise<readonly Promise<string>[]> {
  const replies = await Promise.all(Array.from({ length: count }, () => post(url, { stream: true })))
  return replies.map((reply) => reply.text().catch(String))
}

/** Is a new connection taken, by one that does not say that it is about to end? */
async function takesMore(url: string): Promise<boolean> {
  return await get(url, "/health").then(
    ({ status }) => status === 200,
    () => false,
  )
}

const isWhole = (text: string) => text.includes("begun ") && text.includes("and ended")

describe.skipIf(process.platform !== "linux")("four workers", () => {
  test("200 requests are all answered, by more than one process, and whoever is asked speaks for all", async () => {
    const proxy = await start(quickUpstream())
    expect(proxy.workers()).toHaveLength(3)
    expect(proxy.started.stdout()).toMatch(/^ {2}note +4 workers answer on this port: .*REDIS_URL/m)
    expect(proxy.started.stdout().match(/listening on/g)).toHaveLength(1)
    const replies = await Promise.all(Array.from({ length: 200 }, () => post(proxy.url)))
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    await Promise.all(replies.map((reply) => reply.text()))
    expect([...(await workersAt(proxy.url, 100))].toSorted()).toEqual([1, 2, 3, 4])
    // Who finds the file held by another process writes a little later.
    const kept = async () => objectOf((await getJson(proxy.url, "/v1/stats"))["all_time"])["total_requests"]
    for (let times = 0; times < 200 && (await kept()) !== 200; times++) await Bun.sleep(100)
    for (let times = 0; times < 8; times++) {
      const stats = await getJson(proxy.url, "/v1/stats")
      expect(stats).toMatchObject({ total_requests: 200, total_input_tokens: 600, total_output_tokens: 400 })
      expect(stats["all_time"]).toMatchObject({ total_requests: 200, total_input_tokens: 600 })
      const { text } = await get(proxy.url, "/metrics")
      expect(sumIn(text, "claude_proxy_requests_total", 'status="200"')).toBe(200)
      expect(sumIn(text, "claude_proxy_tokens_total", 'kind="input"')).toBe(600)
      expect(sumIn(text, "claude_proxy_workers", 'state="up"')).toBe(4)
      expect(sumIn(text, "claude_proxy_workers", 'state="down"')).toBe(0)
    }
    // Every line of the log says whose it is.
    const lines = proxy.started
      .stderr()
      .split("\n")
      .filter((line) => line.includes("Token Usage"))
    expect(lines).toHaveLength(200)
    const named = new Set(lines.map((line) => /"worker":(\d)/.exec(line)?.[1]))
    expect([...named].toSorted()).toEqual(["1", "2", "3", "4"])
    for (const pid of [proxy.pid, ...proxy.workers()]) expect(residentMb(pid)).toBeLessThan(250)
  })

  test("one that is killed takes its own replies alone, is replaced, and no figure falls", async () => {
    const { upstream, go } = waitingUpstream()
    const proxy = await start(upstream)
    const texts = await beginStreams(proxy.url)
    const before = sumIn((await get(proxy.url, "/metrics")).text, "claude_proxy_streams_in_flight")
    expect(before).toBe(texts.length)
    const [victim = 0, ...others] = proxy.workers()
    kill(victim, "SIGKILL")
    await until(() => proxy.workers().length === 3 && !proxy.workers().includes(victim), 20_000)
    expect(proxy.workers()).toEqual(expect.arrayContaining(others))
    // The log is a moment behind.
    const isTold = () => /worker \d has ended \(SIGKILL\); another follows/.test(proxy.started.stderr())
    await until(isTold, 5_000)
    await until(() => proxy.started.stderr().includes("answers again"), 20_000)
    go()
    const ended = await Promise.all(texts)
    const lost = ended.filter((text) => !isWhole(text)).length
    expect(lost).toBeGreaterThan(0)
    expect(lost).toBeLessThan(texts.length / 2)
    // A process that has ended stays in the sums with what it was known to have counted.
    const more = await Promise.all(Array.from({ length: 40 }, () => post(proxy.url, { stream: true })))
    await Promise.all(more.map((reply) => reply.text()))
    const total = async () => Number((await getJson(proxy.url, "/v1/stats"))["total_requests"])
    const known = await total()
    expect(known).toBe(texts.length - lost + 40)
    const next = proxy.workers()
    kill(next[0] ?? 0, "SIGKILL")
    await until(() => proxy.workers().length === 3 && proxy.workers().join() !== next.join(), 20_000)
    // The system may still give a connection to the one that was killed, and cut it off.
    const totalNow = () => total().catch(total)
    for (let times = 0; times < 6; times++) expect(await totalNow()).toBe(known)
    await until(() => proxy.started.stderr().match(/answers again/g)?.length === 2, 20_000)
    expect([...(await workersAt(proxy.url, 100))].toSorted()).toEqual([1, 2, 3, 4])
  })

  test("one that is stopped by itself finishes its replies first, and what it has counted stays", async () => {
    const { upstream, go } = waitingUpstream()
    const proxy = await start(upstream)
    const texts = await beginStreams(proxy.url)
    const [leaving = 0] = proxy.workers()
    kill(leaving, "SIGTERM")
    // It accepts nothing any more, and is still there.
    await Bun.sleep(300)
    expect(isRunning(leaving)).toBe(true)
    // The others take every new connection.
    const asked = await Promise.all(Array.from({ length: 40 }, () => get(proxy.url, "/health")))
    expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 200))
    go()
    for (const text of await Promise.all(texts)) expect(text).toSatisfy(isWhole)
    await until(() => !isRunning(leaving) && proxy.workers().length === 3, 20_000)
    expect((await getJson(proxy.url, "/v1/stats"))["total_requests"]).toBe(texts.length)
  })

  test("when the main one is killed, all are gone and the port is free", async () => {
    const { upstream } = waitingUpstream()
    const proxy = await start(upstream)
    const texts = await beginStreams(proxy.url)
    const all = [proxy.pid, ...proxy.workers()]
    const from = performance.now()
    kill(proxy.pid, "SIGKILL")
    await until(() => !all.some(isRunning), 10_000)
    expect(performance.now() - from).toBeLessThan(2_000)
    await Promise.all(texts)
    const port = Number(new URL(proxy.url).port)
    const next = Bun.serve({ port, hostname: "127.0.0.1", reusePort: false, fetch: () => new Response() })
    await next.stop(true)
  })

  test.each([
    ["SIGTERM to the main one", (pid: number) => kill(pid, "SIGTERM")],
    ["^C at a terminal, to the whole group", (pid: number) => process.kill(-pid, "SIGINT")],
    [
      "SIGTERM to every one of them, as a service manager does",
      (pid: number) => {
        for (const one of [pid, ...childrenOf(pid)]) kill(one, "SIGTERM")
      },
    ],
  ])("%s lets every reply end, and ends with 0", async (_how, stop) => {
    const { upstream, go } = waitingUpstream()
    const proxy = await start(upstream)
    const texts = await beginStreams(proxy.url)
    const all = [proxy.pid, ...proxy.workers()]
    stop(proxy.pid)
    await until(() => proxy.started.stderr().includes("finishing running requests"), 10_000)
    while (await takesMore(proxy.url)) await Bun.sleep(20)
    expect(all.filter(isRunning)).toEqual(all)
    go()
    for (const text of await Promise.all(texts)) expect(text).toSatisfy(isWhole)
    expect((await proxy.started.finished).exitCode).toBe(0)
    expect(all.filter(isRunning)).toEqual([])
    expect(proxy.started.stderr()).not.toContain("has ended")
  })

  test("a second signal ends all of them at once", async () => {
    const { upstream } = waitingUpstream()
    const proxy = await start(upstream)
    const texts = await beginStreams(proxy.url)
    const all = [proxy.pid, ...proxy.workers()]
    kill(proxy.pid, "SIGTERM")
    await until(() => proxy.started.stderr().includes("finishing running requests"), 10_000)
    const from = performance.now()
    kill(proxy.pid, "SIGTERM")
    await until(() => !all.some(isRunning), 10_000)
    expect(performance.now() - from).toBeLessThan(2_000)
    await Promise.all(texts)
  })

  test("one that does not answer is told of, and does not keep the others from it", async () => {
    const proxy = await start(quickUpstream())
    await Promise.all(Array.from({ length: 40 }, async () => (await post(proxy.url)).text()))
    expect((await getJson(proxy.url, "/v1/stats"))["total_requests"]).toBe(40)
    const [stuck = 0] = proxy.workers()
    kill(stuck, "SIGSTOP")
    try {
      const figures = async () => {
        // Some connections are given to the one that does nothing: those are not waited for.
        const response = await fetch(`${proxy.url}/metrics`, {
          keepalive: false,
          signal: AbortSignal.timeout(2_000),
        })
        return response.text()
      }
      let text = ""
      while (text === "") text = await figures().catch(() => "")
      expect(sumIn(text, "claude_proxy_workers", 'state="up"')).toBe(3)
      expect(sumIn(text, "claude_proxy_workers", 'state="down"')).toBe(1)
      // What it had said before still counts.
      expect(sumIn(text, "claude_proxy_requests_total", 'status="200"')).toBe(40)
    } finally {
      kill(stuck, "SIGCONT")
    }
  })

  test("a taken port is told with its holder, whether one or several have it or want it", async () => {
    const proxy = await start(quickUpstream())
    const { port } = new URL(proxy.url)
    for (const more of [[], ["--workers", "3"]]) {
      const ended = await runProxy(["serve", "--demo", "--port", port, ...more])
      expect(ended.exitCode).toBe(1)
      expect(ended.stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port} is taken by .*\\(pid \\d+\\)`))
    }
    const holder = Bun.serve({ port: 0, hostname: "127.0.0.1", reusePort: true, fetch: () => new Response() })
    const ended = await runProxy(["serve", "--demo", "--port", String(holder.port), "--workers", "2"])
    await holder.stop(true)
    expect([ended.exitCode, ended.stdout]).toEqual([1, ""])
    expect(ended.stderr).toContain(`(pid ${process.pid})`)
  })

  test("changed settings count in all of them at once, and are told of once", async () => {
    const proxy = await start(quickUpstream(), ["--workers", "4"], "BIG_MODEL=first\nLOG_FILE_PATH=logs\n")
    const models = async () => {
      const answers = await Promise.all(Array.from({ length: 40 }, () => getJson(proxy.url, "/health")))
      return new Set(answers.map((health) => String(objectOf(health["models"])["big"])))
    }
    expect(await models()).toEqual(new Set(["first"]))
    const file = readFileSync(join(proxy.folder, ".env"), "utf8")
    writeFileSync(join(proxy.folder, ".env"), file.replace("first", "second"))
    await until(() => proxy.started.stderr().includes("settings changed"), 20_000)
    expect(await models()).toEqual(new Set(["second"]))
    // One that comes later has them too, also while the file is broken.
    writeFileSync(join(proxy.folder, ".env"), `${file.replace("first", "second")}MAX_RETRIES=many\n`)
    await until(() => proxy.started.stderr().includes("those in force stay"), 20_000)
    kill(proxy.workers()[0] ?? 0, "SIGKILL")
    await until(() => proxy.started.stderr().includes("answers again"), 20_000)
    expect(await models()).toEqual(new Set(["second"]))
    await Promise.all(Array.from({ length: 100 }, async () => (await post(proxy.url)).text()))
    proxy.started.signal("SIGTERM")
    expect((await proxy.started.finished).exitCode).toBe(0)
    const said = proxy.started.stderr()
    for (const once of ["settings changed", "those in force stay", "log files are written to"])
      expect([once, said.split(once).length - 1]).toEqual([once, 1])
    const log = readFileSync(join(proxy.folder, "logs", "server.log"), "utf8")
      .split("\n")
      .filter(Boolean)
    const used = log.filter((line) => line.includes("Token Usage"))
    expect(used).toHaveLength(100)
    for (const line of log) expect(parseJson(line).ok).toBe(true)
    expect(said).not.toContain("canary")
  })

  test("the demo has workers too, and auto is a number of them", async () => {
    const proxy = await start({ url: "http://127.0.0.1:1/v1", stop: async () => {} }, [
      "--demo",
      "--workers",
      "3",
    ])
    const replies = await Promise.all(Array.from({ length: 20 }, () => post(proxy.url)))
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    const auto = await start({ url: "http://127.0.0.1:1/v1", stop: async () => {} }, [
      "--demo",
      "--workers",
      "auto",
    ])
    expect(auto.workers()).toHaveLength(Math.min(navigator.hardwareConcurrency, 64) - 1)
  })
})

describe.skipIf(process.platform !== "linux")("workers in the background", () => {
  test("start, show as one, restart with as many, and stop together", async () => {
    const folder = await mkdtemp(join(tmpdir(), "claude-proxy-workers-"))
    clean.push(() => rm(folder, { recursive: true, force: true }))
    const env = { HOME: folder, XDG_STATE_HOME: join(folder, "state") }
    const run = (args: readonly string[]) => runProxy(args, { cwd: folder, env, timeoutMs: 60_000 })
    clean.push(() => run(["stop", "--all"]))
    const started = await run(["serve", "--demo", "--detach", "--port", "0", "--workers", "3"])
    expect([started.exitCode, started.stderr]).toEqual([0, ""])
    expect(started.stdout).toMatch(/^ {2}note +3 workers answer on this port/m)
    const one = async () => {
      const parsed = parseJson((await run(["status", "--json"])).stdout)
      const [first] = arrayOf(parsed.ok ? parsed.value : undefined)
      return objectOf(first)
    }
    const before = await one()
    const pid = Number(before["pid"])
    const url = String(before["url"])
    expect(before["state"]).toBe("running")
    expect(childrenOf(pid)).toHaveLength(2)
    for (const health of await Promise.all(Array.from({ length: 20 }, () => getJson(url, "/health"))))
      expect(health).toMatchObject({ instance: { name: "default" }, workers: { total: 3, up: 3 } })
    await Promise.all(Array.from({ length: 30 }, async () => (await post(url)).text()))
    // All of them write one log, each a moment after the request.
    const logged = async () => (await run(["logs", "--lines", "1000"])).stdout.match(/Token Usage/g)?.length
    for (let times = 0; times < 50 && (await logged()) !== 30; times++) await Bun.sleep(100)
    expect(await logged()).toBe(30)
    const all = [pid, ...childrenOf(pid)]
    expect((await run(["restart"])).exitCode).toBe(0)
    await until(() => !all.some(isRunning), 20_000)
    const after = Number((await one())["pid"])
    expect(childrenOf(after)).toHaveLength(2)
    const rest = [after, ...childrenOf(after)]
    const stopped = await run(["stop"])
    expect([stopped.exitCode, stopped.stdout]).toEqual([0, "default is stopped\n"])
    await until(() => !rest.some(isRunning), 20_000)
  })
})
