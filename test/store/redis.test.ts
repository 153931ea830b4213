// The shared store, with a real Redis that is stopped, frozen, and wrongly addressed.
import { afterEach, beforeEach, expect, test } from "bun:test"
import { join } from "node:path"
import { createMemoryStore } from "../../src/store/memory.ts"
import { createRedisStore, type RedisStoreOptions } from "../../src/store/redis.ts"
import type { Store } from "../../src/store/store.ts"
import { freePort } from "../support/free-port.ts"
import { describeWithRedis, startRedis, type TestRedis } from "../support/redis.ts"
import { until } from "../support/upstream.ts"

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface Open {
  readonly store: Store
  readonly warnings: string[]
  readonly infos: string[]
}

/** A store as one process has it. */
function open(url: string, more: Partial<RedisStoreOptions> = {}): Open {
  const warnings: string[] = []
  const infos: string[] = []
  const now = () => performance.now()
  const store = createRedisStore(url, {
    log: { warn: (message) => warnings.push(message), info: (message) => infos.push(message) },
    now,
    fallback: createMemoryStore({ now, maxBytes: 0 }),
    ...more,
  })
  cleanUps.push(store.close)
  return { store, warnings, infos }
}

async function redisWith(...args: readonly string[]): Promise<TestRedis> {
  const redis = await startRedis(args)
  cleanUps.push(redis.stop)
  return redis
}

/** A command over a connection of its own. */
async function tell({ url }: Pick<TestRedis, "url">, command: string, ...args: string[]): Promise<unknown> {
  const client = new Bun.RedisClient(url, { autoReconnect: false })
  try {
    return await client.send(command, args)
  } finally {
    client.close()
  }
}

async function timed<T>(work: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const from = performance.now()
  return { value: await work, ms: performance.now() - from }
}

const bucket = { capacity: 10, refillMs: 60_000 }
const slow = 20_000

describeWithRedis("with a Redis that is there", () => {
  let redis: TestRedis
  beforeEach(async () => {
    redis = await redisWith()
  })

  test("a value of one process is seen by the other, for its time", async () => {
    const [one, other] = [open(redis.url), open(redis.url)]
    const value = `{"text": "é 字 😀 \\u0000", "long": "${"x".repeat(300_000)}"}`
    await one.store.set("k", value, 60_000)
    expect((await other.store.get("k")) === value).toBe(true)
    await one.store.set("short", "1", 200)
    expect(await other.store.get("short")).toBe("1")
    await Bun.sleep(250)
    expect(await other.store.get("short")).toBe(undefined)
    await one.store.set("k", "x".repeat(1_100_000), 60_000)
    expect((await other.store.get("k")) === value).toBe(true)
    expect(await other.store.get("never set")).toBe(undefined)
    expect([one.warnings, other.warnings]).toEqual([[], []])
    expect(one.infos).toEqual([
      `Redis (REDIS_URL, 127.0.0.1:${redis.port}) is connected: limits and all else are shared through it`,
    ])
  })

  test("100 at once out of a bucket of 10, by two processes: exactly 10", async () => {
    const stores = [open(redis.url).store, open(redis.url).store]
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, index) => stores[index % 2]?.take("k", bucket)),
    )
    const allowed = all.filter((taken) => taken?.allowed === true)
    expect(allowed.length).toBe(10)
    expect(allowed.map((taken) => taken?.remaining).toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(all.every((taken) => taken?.shared === true)).toBe(true)
    for (const taken of all.filter((one) => one?.allowed === false)) {
      expect(taken?.waitMs).toBeGreaterThan(5_000)
      expect(taken?.waitMs).toBeLessThanOrEqual(6_000)
      expect(taken?.fullMs).toBeGreaterThan(59_000)
    }
    expect((await stores[0]?.take("another", bucket))?.remaining).toBe(9)
  })

  test("a bucket fills up by the time of Redis, evenly", async () => {
    const { store } = open(redis.url)
    const quick = { capacity: 2, refillMs: 400 }
    expect((await store.take("k", quick)).allowed).toBe(true)
    expect(await store.take("k", quick)).toMatchObject({ allowed: true, remaining: 0 })
    const refused = await store.take("k", quick)
    expect(refused.allowed).toBe(false)
    await Bun.sleep(refused.waitMs + 5)
    expect((await store.take("k", quick)).allowed).toBe(true)
  })

  test("nothing stays behind: every key has its end, and its name says what it belongs to", async () => {
    const { store } = open(redis.url)
    await store.take("k", bucket)
    await store.set("v", "1", 5_000)
    await store.mark("group", "name", 5_000)
    const keys = await tell(redis, "KEYS", "*")
    expect(Array.isArray(keys) ? keys.toSorted() : keys).toEqual([
      "claude-proxy:bucket:k",
      "claude-proxy:marks:group",
      "claude-proxy:value:v",
    ])
    for (const key of Array.isArray(keys) ? keys : []) {
      const left = Number(await tell(redis, "PTTL", String(key)))
      expect(left).toBeGreaterThan(0)
      expect(left).toBeLessThanOrEqual(60_000)
    }
  })

  test("marks are heard by others until they are over or taken back", async () => {
    const [one, other] = [open(redis.url).store, open(redis.url).store]
    expect(await one.mark("group", "a", 60_000)).toBe(true)
    expect(await other.mark("group", "b", 30_000)).toBe(true)
    await one.mark("group", "a", 10)
    await one.mark("group", "gone", 1)
    await one.mark("elsewhere", "c", 60_000)
    await Bun.sleep(5)
    const marks = await other.marks("group")
    expect([...(marks?.keys() ?? [])].toSorted()).toEqual(["a", "b"])
    expect(marks?.get("a")).toBeGreaterThan(59_000)
    expect(marks?.get("b")).toBeLessThanOrEqual(30_000)
    await other.unmark("group", ["a", "unknown"])
    expect([...((await one.marks("group"))?.keys() ?? [])]).toEqual(["b"])
  })

  test("a group does not grow without end: what is over makes room", async () => {
    const { store } = open(redis.url)
    const names = Array.from({ length: 1_000 }, (_, index) => `name-${index}`)
    await Promise.all(names.map((name) => store.mark("group", name, 300)))
    expect(await store.mark("group", "one too many", 60_000)).toBe(false)
    await Bun.sleep(320)
    expect(await store.mark("group", "later", 60_000)).toBe(true)
    expect([...((await store.marks("group"))?.keys() ?? [])]).toEqual(["later"])
  })

  test("a Redis that has forgotten the scripts is told them again", async () => {
    const { store, warnings } = open(redis.url)
    expect((await store.take("k", bucket)).remaining).toBe(9)
    await tell(redis, "SCRIPT", "FLUSH")
    expect(await store.take("k", bucket)).toMatchObject({ remaining: 8, shared: true })
    expect(warnings).toEqual([])
  })

  test("a process that was busy for longer than the limit still hears the answer", async () => {
    const { store, warnings } = open(redis.url)
    await store.set("k", "1", 60_000)
    const asked = store.get("k")
    const from = performance.now()
    while (performance.now() - from < 400);
    expect(await asked).toBe("1")
    expect(warnings).toEqual([])
  })

  test("a command that Redis refuses is done without, and told once", async () => {
    const { store, warnings } = open(redis.url)
    await tell(redis, "CONFIG", "SET", "maxmemory", "1")
    for (let count = 0; count < 3; count++) await store.set("k", "1", 60_000)
    expect(warnings.length).toBe(1)
    expect(warnings[0]).toStartWith("Redis (REDIS_URL) refuses SET, and this process does without: OOM")
    expect(await store.take("k", bucket)).toMatchObject({ allowed: true, shared: false })
    expect(store.shared()).toBe(true)
  })

  test("an unused store holds no answer back, and a closed one asks nobody", async () => {
    const { store } = open(redis.url)
    await store.take("k", bucket)
    const running = store.take("k", bucket)
    store.close()
    expect((await running).allowed).toBe(true)
    expect(await store.get("k")).toBe(undefined)
    expect(await store.take("k", bucket)).toMatchObject({ shared: false })
    expect(
      String(await tell(redis, "CLIENT", "LIST"))
        .trim()
        .split("\n").length,
    ).toBe(1)
  })
})

describeWithRedis("with a Redis that goes", () => {
  test(
    "stopped: everything goes on by itself, and once it is back it is used again; both are said once",
    async () => {
      const redis = await redisWith()
      const { store, warnings, infos } = open(redis.url)
      await store.set("k", "1", 60_000)
      for (let count = 0; count < 4; count++) await store.take("k", bucket)
      await redis.kill()
      await until(() => !store.shared())
      for (let count = 0; count < 20; count++) {
        const { value, ms } = await timed(store.take("k", bucket))
        // What was taken before counts: nobody begins anew.
        expect(value).toMatchObject({ allowed: count < 6, shared: false })
        expect(ms).toBeLessThan(240)
      }
      expect(await store.get("k")).toBe(undefined)
      await store.set("k", "2", 60_000)
      expect(await store.marks("group")).toBe(undefined)
      expect(await store.mark("group", "a", 1_000)).toBe(false)
      const place = `127.0.0.1:${redis.port}`
      expect(warnings).toEqual([
        `Redis (REDIS_URL, ${place}) cannot be used: the connection was closed. Until it can, requests go on, each limit counts what this process alone gets, and nothing is shared with other proxies`,
      ])
      await redis.start()
      await until(store.shared, 10_000)
      expect(await store.take("k", bucket)).toMatchObject({ allowed: true, remaining: 9, shared: true })
      expect(warnings.length).toBe(1)
      expect(infos.slice(1)).toEqual([
        `Redis (REDIS_URL, ${place}) can be used again: limits and all else are shared through it`,
      ])
    },
    slow,
  )

  test(
    "frozen: nobody waits longer than the limit, and only the first ones that long",
    async () => {
      const redis = await redisWith()
      const { store, warnings } = open(redis.url)
      await store.take("k", bucket)
      redis.freeze()
      const first = await timed(Promise.all(Array.from({ length: 50 }, () => store.take("k", bucket))))
      expect(first.ms).toBeGreaterThan(200)
      expect(first.ms).toBeLessThan(1_000)
      expect(first.value.filter(({ allowed }) => allowed).length).toBe(9)
      const next = await timed(store.take("other", bucket))
      expect(next.ms).toBeLessThan(240)
      expect(next.value).toMatchObject({ allowed: true, shared: false })
      await until(() => warnings.length > 0)
      expect(warnings.map((text) => /no answer within \d+ s/.exec(text)?.[0])).toEqual([
        "no answer within 1 s",
      ])
      redis.thaw()
      await until(store.shared, 10_000)
      expect((await store.take("third", bucket)).shared).toBe(true)
    },
    slow,
  )

  test(
    "a hiccup: those who wait go on without it, and nothing else comes of it",
    async () => {
      const redis = await redisWith()
      const { store, warnings, infos } = open(redis.url)
      await store.take("k", bucket)
      redis.freeze()
      const { value, ms } = await timed(store.take("k", bucket))
      expect(value).toMatchObject({ allowed: true, shared: false })
      expect(ms).toBeLessThan(700)
      expect((await timed(store.take("k", bucket))).ms).toBeLessThan(240)
      redis.thaw()
      await until(store.shared, 10_000)
      expect((await store.take("k", bucket)).shared).toBe(true)
      expect([warnings, infos.length]).toEqual([[], 1])
    },
    slow,
  )

  test(
    "not there at the start: said, and found when it comes",
    async () => {
      const redis = await redisWith()
      await redis.kill()
      const { store, warnings, infos } = open(redis.url)
      const { value, ms } = await timed(store.take("k", bucket))
      expect(value).toMatchObject({ allowed: true, shared: false })
      expect(ms).toBeLessThan(500)
      await until(() => warnings.length > 0)
      expect(warnings[0]).toContain("cannot be used: nothing answers there, or it is no Redis.")
      await redis.start()
      await until(store.shared, 10_000)
      expect(infos.length).toBe(1)
      expect(warnings.length).toBe(1)
    },
    slow,
  )

  test(
    "frozen at the start: what comes in the first moment waits for it, but no longer than the limit",
    async () => {
      const redis = await redisWith()
      redis.freeze()
      const { store } = open(redis.url)
      const early = await timed(Promise.all([store.take("k", bucket), store.get("k")]))
      expect(early.ms).toBeLessThan(600)
      expect((await timed(store.take("k", bucket))).ms).toBeLessThan(240)
      redis.thaw()
      await until(store.shared, 10_000)
    },
    slow,
  )
})

describeWithRedis("addresses", () => {
  const secret = "p:w/d @1"
  const encoded = encodeURIComponent(secret)

  test("user, password and database of the address are used", async () => {
    const redis = await redisWith("--requirepass", secret)
    await tell(
      { url: `redis://:${encoded}@127.0.0.1:${redis.port}` },
      "ACL",
      "SETUSER",
      "kim",
      "on",
      ">pw-of-kim",
      "~*",
      "+@all",
    )
    const first = open(`redis://:${encoded}@127.0.0.1:${redis.port}/3`)
    await first.store.set("k", "in 3", 60_000)
    const kim = open(`redis://kim:pw-of-kim@localhost:${redis.port}/3`)
    expect(await kim.store.get("k")).toBe("in 3")
    const zero = open(`redis://kim:pw-of-kim@127.0.0.1:${redis.port}`)
    expect(await zero.store.get("k")).toBe(undefined)
    expect((await zero.store.take("k", bucket)).shared).toBe(true)
    expect([...first.warnings, ...kim.warnings, ...zero.warnings]).toEqual([])
  })

  test.each([
    ["a wrong password", ":not-the-word@", "it does not accept the user and the password in REDIS_URL"],
    ["an unknown user", "kim:not-the-word@", "it does not accept the user and the password in REDIS_URL"],
    ["no password", "", "it asks for a password, and REDIS_URL holds none"],
    ["no such database", `:${encoded}@`, 'it answers "ERR DB index is out of range"'],
  ])("%s: said once, without the password, and everything goes on", async (_name, user, why) => {
    const redis = await redisWith("--requirepass", secret)
    const { store, warnings } = open(`redis://${user}127.0.0.1:${redis.port}/99`)
    expect(await store.take("k", bucket)).toMatchObject({ allowed: true, shared: false })
    await Bun.sleep(1_000)
    expect(warnings).toEqual([
      `Redis (REDIS_URL, 127.0.0.1:${redis.port}/99) cannot be used: ${why}. Until it can, requests go on, each limit counts what this process alone gets, and nothing is shared with other proxies`,
    ])
  })

  test("over TLS, with an authority of its own", async () => {
    const fixtures = join(import.meta.dir, "../fixtures/tls")
    const file = (name: string) => join(fixtures, name)
    const tls = ["--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key")]
    const trust = ["--tls-ca-cert-file", file("authority.pem"), "--tls-auth-clients", "no"]
    const redis = await redisWith("--port", "0", "--tls-port", "PORT", ...tls, ...trust)
    const url = `rediss://localhost:${redis.port}`
    const authorities = await Bun.file(file("authority.pem")).text()
    const trusting = open(url, { authorities })
    expect((await trusting.store.take("k", bucket)).shared).toBe(true)
    const other = open(url)
    expect((await other.store.take("k", bucket)).shared).toBe(false)
    await until(() => other.warnings.length > 0)
    expect(other.warnings[0]).toContain(
      "no connection (SELF_SIGNED_CERT_IN_CHAIN); name the file with the certificate of its authority in NODE_EXTRA_CA_CERTS",
    )
  })

  test.each(["redis://127.0.0.1:99999", "http://127.0.0.1:1", "redis://no-such-host.invalid:6379"])(
    "%p: said, and everything goes on",
    async (url) => {
      const { store, warnings } = open(url)
      expect(await store.take("k", bucket)).toMatchObject({ allowed: true, shared: false })
      await until(() => warnings.length > 0)
      expect(warnings[0]).toStartWith("Redis (REDIS_URL, ")
    },
    slow,
  )

  test("a server that is no Redis", async () => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") })
    cleanUps.push(() => server.stop(true))
    const { store, warnings } = open(`redis://127.0.0.1:${server.port}`)
    const { value, ms } = await timed(store.take("k", bucket))
    expect(value).toMatchObject({ allowed: true, shared: false })
    expect(ms).toBeLessThan(600)
    await until(() => warnings.length > 0, 5_000)
    expect(warnings.length).toBe(1)
  })

  test("a port where nothing listens", async () => {
    const { warnings } = open(`redis://127.0.0.1:${freePort()}`)
    await until(() => warnings.length > 0)
    expect(warnings[0]).toContain("nothing answers there")
  })
})
