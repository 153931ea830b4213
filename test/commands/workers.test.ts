// `--workers`: what it means, and two of them as their user starts them.
import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { availableParallelism } from "node:os"
import { readFlags } from "../../src/commands/command-line/flags.ts"
import { flagsOf } from "../../src/commands/instances/plan.ts"
import { startShared } from "../../src/commands/serve/worker-port.ts"
import { limitsNote, workerTotal } from "../../src/commands/serve/worker-total.ts"
import { configFrom } from "../config/support.ts"
import { runProxy, startProxy } from "../support/proxy.ts"
import { until } from "../support/upstream.ts"
import { childrenOf, get, isRunning, post, sumIn, workersAt } from "../support/workers.ts"

setDefaultTimeout(60_000)

describe("the number", () => {
  test.each([
    [undefined, "linux", 1],
    ["1", "linux", 1],
    ["4", "linux", 4],
    ["64", "linux", 64],
    ["auto", "linux", Math.min(availableParallelism(), 64)],
    ["1", "darwin", 1],
    [undefined, "win32", 1],
  ])("%p on %s is %p", (given, platform, total) => {
    expect(workerTotal(given, platform)).toEqual({ total })
  })

  test.each(["darwin", "win32"])("on %s one process answers alone, and says why", (platform) => {
    expect(workerTotal("4", platform)).toEqual({
      total: 1,
      warning:
        "--workers 4: only Linux spreads the connections of one port over several processes; this one answers alone",
    })
  })

  test.each(["0", "65", "-1", "1.5", "04", "many", "", "AUTO"])("%p is refused", (workers) => {
    expect(readFlags("serve", { workers })).toEqual({
      ok: false,
      why: `--workers must be a number from 1 to 64, or auto, not ${JSON.stringify(workers)}.`,
    })
  })

  test("it is among the flags that start the same proxy again", () => {
    expect(flagsOf({ demo: true, workers: "auto" })).toEqual(["--workers=auto", "--demo"])
  })
})

test("what counts for each of them alone is said, and what Redis changes of that", () => {
  expect(limitsNote(1, { redisUrl: undefined })).toEqual([])
  expect(limitsNote(3, { redisUrl: undefined })[0]).toStartWith("3 workers answer on this port: RATE_LIMIT")
  expect(limitsNote(3, { redisUrl: "redis://localhost" })[0]).toContain("share limits and cache")
})

describe("a port for several", () => {
  const env = { OPENAI_API_KEY: "sk-upstream-key-1", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }
  const share = (port: number) =>
    Bun.serve({ port, hostname: "127.0.0.1", reusePort: true, fetch: () => new Response() })

  test("in place of 0 it is one that was free, and it can be shared", async () => {
    const config = configFrom({ ...env, PORT: "0" })
    const first = startShared(config, ({ port }) => share(port))
    expect(first.port).toBeGreaterThan(0)
    await first.stop(true)
  })

  test("that another free port was taken in between is no failure; that the wanted one is taken is", () => {
    const taken = Object.assign(new Error("taken"), { code: "EADDRINUSE" })
    let starts = 0
    const start = () => {
      starts += 1
      if (starts < 3) throw taken
      return "started"
    }
    expect(startShared(configFrom({ ...env, PORT: "0" }), start)).toBe("started")
    expect(starts).toBe(3)
    const always = () => {
      throw taken
    }
    expect(() => startShared(configFrom({ ...env, PORT: "0" }), always)).toThrow("taken")
    const other = new Error("another")
    const fail = () => {
      throw other
    }
    expect(() => startShared(configFrom({ ...env, PORT: "0" }), fail)).toThrow("another")
  })

  test("one that is shared already is taken", async () => {
    const holder = share(0)
    const config = configFrom({ ...env, PORT: String(holder.port) })
    expect(() => startShared(config, ({ port }) => share(port))).toThrow(
      expect.objectContaining({ code: "EADDRINUSE" }),
    )
    await holder.stop(true)
  })
})

describe.skipIf(process.platform !== "linux")("two workers", () => {
  test("answer as one, and end as one", async () => {
    const proxy = await startProxy({}, ["--demo", "--workers", "2"])
    expect(proxy.output()).toContain("2 workers answer on this port")
    const [other = 0] = childrenOf(proxy.pid)
    const replies = await Promise.all(Array.from({ length: 20 }, () => post(proxy.url)))
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    expect([...(await workersAt(proxy.url))].toSorted()).toEqual([1, 2])
    for (let times = 0; times < 4; times++) {
      const { text } = await get(proxy.url, "/metrics")
      expect(sumIn(text, "claude_proxy_requests_total", 'status="200"')).toBe(20)
    }
    process.kill(other, "SIGKILL")
    await until(() => proxy.output().includes("answers again"), 30_000)
    expect([...(await workersAt(proxy.url))].toSorted()).toEqual([1, 2])
    const all = [proxy.pid, ...childrenOf(proxy.pid)]
    expect(await proxy.stop()).toBe(0)
    await until(() => !all.some(isRunning), 10_000)
  })

  test("a wrong number ends with 2 and says what is right", async () => {
    const ended = await runProxy(["serve", "--workers", "0"])
    expect([ended.exitCode, ended.stdout, ended.stderr]).toEqual([
      2,
      "",
      'claude-proxy: --workers must be a number from 1 to 64, or auto, not "0".\n',
    ])
  })
})
