// Several proxies with one Redis: what they count together, and what becomes of it when Redis goes.
import { afterEach, expect, test } from "bun:test"
import { startServer } from "../../src/server/server.ts"
import { configFrom } from "../config/support.ts"
import { chatReply, finishChunk, roleChunk, textChunk } from "../support/chunks.ts"
import { freePort } from "../support/free-port.ts"
import { startProxy as startProgram } from "../support/proxy.ts"
import { describeWithRedis, startRedis, type TestRedis } from "../support/redis.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  type Logged,
  post,
  postStream,
  scripted,
  startProxy,
  stopAll,
  textOf,
} from "./support.ts"

afterEach(stopAll)

const setting = "RATE_LIMIT_REQUESTS_PER_MINUTE"
const whole: Turn = { kind: "json", body: chatReply({ content: "hi" }) }
const slowTest = 30_000

async function redisWith(...args: readonly string[]): Promise<TestRedis> {
  const redis = await startRedis(args)
  cleanUp(redis.stop)
  return redis
}

function two(url: string, limit: number) {
  const upstream = scripted(() => whole)
  const env = { REDIS_URL: url, [setting]: String(limit), ALLOWED_API_KEYS: "client-key-1,client-key-2" }
  return [startProxy(upstream.url, { env }), startProxy(upstream.url, { env })] as const
}

const as = (key: string) => ({ headers: { "x-api-key": key } })
const aboutRedis = (logs: readonly Logged[]) =>
  logs
    .filter(({ message }) => message.startsWith("Redis"))
    .map(({ level, message }) => [level, message] as const)

async function tell(url: string, ...command: readonly [string, ...string[]]): Promise<unknown> {
  const client = new Bun.RedisClient(url, { autoReconnect: false })
  const [name, ...args] = command
  try {
    return await client.send(name, args)
  } finally {
    client.close()
  }
}

describeWithRedis("with one Redis", () => {
  test("a limit holds across all proxies, for each key", async () => {
    const redis = await redisWith()
    const [one, other] = two(redis.url, 6)
    const both = [one, other, one, other, one, other, one, other, one, other]
    const answers = await Promise.all(both.map((proxy) => post(proxy, {}, as("client-key-1"))))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      ...Array(6).fill(200),
      ...Array(4).fill(429),
    ])
    const refused = await post(other, {}, as("client-key-1"))
    expect(refused.headers.get("retry-after")).toMatch(/^(9|10)$/)
    expect(JSON.stringify(await jsonOf(refused))).toContain(
      "counted by all proxies that share one Redis together",
    )
    const fresh = await post(one, {}, as("client-key-2"))
    expect([fresh.status, fresh.headers.get("anthropic-ratelimit-requests-remaining")]).toEqual([200, "5"])
    expect(one.logs.filter(({ message }) => message.includes("alone"))).toEqual([])
    expect(JSON.stringify(await tell(redis.url, "KEYS", "*"))).not.toContain("client-key")
  })

  test(
    "Redis is stopped and comes back: no request fails, running streams run on, and the log says it twice",
    async () => {
      const redis = await redisWith()
      const gate = Promise.withResolvers<void>()
      const upstream = scripted(({ stream }) =>
        stream === true
          ? {
              kind: "stream",
              chunks: [
                roleChunk(),
                textChunk("one "),
                { until: gate.promise },
                textChunk("two"),
                finishChunk("stop"),
              ],
            }
          : whole,
      )
      const env = { REDIS_URL: redis.url, [setting]: "100" }
      const proxies = [startProxy(upstream.url, { env }), startProxy(upstream.url, { env })]
      const streams = proxies.map((proxy) => eventsOf(postStream(proxy)))
      const send = (count: number) =>
        Promise.all(
          proxies.flatMap((proxy) => Array.from({ length: count }, async () => (await post(proxy)).status)),
        )
      expect(await send(5)).toEqual(Array(10).fill(200))
      await redis.kill()
      for (let round = 0; round < 5; round++) expect(await send(5)).toEqual(Array(10).fill(200))
      await redis.start()
      for (const { logs } of proxies) await until(() => aboutRedis(logs).length === 3, 15_000)
      expect(await send(5)).toEqual(Array(10).fill(200))
      gate.resolve()
      for (const events of await Promise.all(streams)) expect(textOf(events)).toBe("one two")
      for (const { logs } of proxies) {
        expect(aboutRedis(logs).map(([level]) => level)).toEqual(["info", "warn", "info"])
      }
      // It counts again, from the start: both together have taken ten since, more than one has by itself.
      const left = await post({ url: proxies[0]?.url ?? "" })
      expect(Number(left.headers.get("anthropic-ratelimit-requests-remaining"))).toBeWithin(89, 94)
    },
    slowTest,
  )

  test(
    "frozen: no request waits for longer than the limit of a question",
    async () => {
      const redis = await redisWith()
      const [one] = two(redis.url, 100)
      expect((await post(one, {}, as("client-key-1"))).status).toBe(200)
      redis.freeze()
      const from = performance.now()
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(one, {}, as("client-key-1"))))
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
      expect(performance.now() - from).toBeLessThan(2_000)
      const next = performance.now()
      expect((await post(one, {}, as("client-key-1"))).status).toBe(200)
      expect(performance.now() - next).toBeLessThan(240)
      redis.thaw()
    },
    slowTest,
  )

  test(
    "settings change: another Redis is used at once, the same one keeps its connection, streams run on",
    async () => {
      const [first, second] = [await redisWith(), await redisWith()]
      const gate = Promise.withResolvers<void>()
      const upstream = scripted(({ stream }) =>
        stream === true
          ? {
              kind: "stream",
              chunks: [
                roleChunk(),
                textChunk("one "),
                { until: gate.promise },
                textChunk("two"),
                finishChunk("stop"),
              ],
            }
          : whole,
      )
      const env = {
        OPENAI_BASE_URL: upstream.url,
        OPENAI_API_KEY: "sk-upstream-key-1",
        PORT: "0",
        [setting]: "10",
      }
      const silent = () => {}
      const log = { debug: silent, info: silent, warn: silent, error: silent }
      const config = configFrom({ ...env, REDIS_URL: first.url })
      const server = startServer({ config, log, version: "test", onExchange: silent })
      cleanUp(() => server.stop(0))
      const clients = async ({ url }: TestRedis) =>
        [...String(await tell(url, "CLIENT", "LIST")).matchAll(/^id=(\d+) .*cmd=(?!client)/gm)].map(
          (one) => one[1],
        )
      const remaining = async () => (await post(server)).headers.get("anthropic-ratelimit-requests-remaining")
      const running = eventsOf(postStream(server))
      expect(await remaining()).toBe("8")
      const before = await clients(first)
      expect(before.length).toBe(1)
      server.reload(configFrom({ ...env, REDIS_URL: first.url, BIG_MODEL: "another" }))
      expect(await remaining()).toBe("7")
      expect(await clients(first)).toEqual(before)
      server.reload(configFrom({ ...env, REDIS_URL: second.url }))
      expect(await remaining()).toBe("9")
      expect(await clients(first)).toEqual([])
      server.reload(configFrom(env))
      expect((await post(server)).status).toBe(200)
      expect(await clients(second)).toEqual([])
      gate.resolve()
      expect(textOf(await running)).toBe("one two")
    },
    slowTest,
  )

  test("a stopped server leaves no connection behind", async () => {
    const redis = await redisWith()
    const [one, other] = two(redis.url, 10)
    await Promise.all([post(one, {}, as("client-key-1")), post(other, {}, as("client-key-1"))])
    await Promise.all([one.stop(0), other.stop(0)])
    expect(
      String(await tell(redis.url, "CLIENT", "LIST"))
        .trim()
        .split("\n").length,
    ).toBe(1)
  })
})

describeWithRedis("as programs", () => {
  const word = "canary-word-5512"

  test(
    "two with one Redis share a limit; it is stopped, and nothing fails",
    async () => {
      const redis = await redisWith("--requirepass", word)
      const upstream = scripted(() => whole)
      const env = {
        ...{ OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-upstream-key-1", LOG_LEVEL: "DEBUG" },
        REDIS_URL: `redis://:${word}@127.0.0.1:${redis.port}/1`,
        [setting]: "8",
      }
      const proxies = await Promise.all([startProgram(env), startProgram(env)])
      for (const proxy of proxies) cleanUp(async () => void (await proxy.stop()))
      const all = await Promise.all(
        [...Array(10).keys()].map((index) => post({ url: proxies[index % 2]?.url ?? "" })),
      )
      expect(all.filter(({ status }) => status === 200).length).toBe(8)
      await redis.kill()
      for (const proxy of proxies) {
        // What each has taken itself counts on: four of eight, about.
        const status = await Promise.all([1, 2, 3].map(async () => (await post(proxy)).status))
        expect(status.filter((one) => one !== 200 && one !== 429)).toEqual([])
        expect(status[0]).toBe(200)
        await until(() =>
          /"WARNING".*Redis \(REDIS_URL, 127\.0\.0\.1:\d+\/1\) cannot be used/.test(proxy.output()),
        )
        expect(await proxy.stop()).toBe(0)
        expect(proxy.output()).not.toContain(word)
      }
    },
    slowTest,
  )

  test(
    "without its Redis a proxy starts, says so, and ends when it is told to",
    async () => {
      const upstream = scripted(() => whole)
      const env = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-upstream-key-1", [setting]: "8" }
      const url = `redis://:${word}@127.0.0.1:${freePort()}`
      const proxy = await startProgram({ ...env, REDIS_URL: url })
      cleanUp(async () => void (await proxy.stop()))
      expect((await post(proxy)).status).toBe(200)
      await until(() => proxy.output().includes("cannot be used: nothing answers there"))
      expect(await proxy.stop()).toBe(0)
      expect(proxy.output().match(/cannot be used/g)?.length).toBe(1)
      expect(proxy.output()).not.toContain(word)
    },
    slowTest,
  )
})
