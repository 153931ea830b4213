// Keys that rest, in several proxies that share a Redis.
import { afterEach, describe, expect, test } from "bun:test"
import type { Route } from "../../src/providers/route.ts"
import { createRing } from "../../src/server/keys/key-ring.ts"
import { createSharedRests, needsRests } from "../../src/server/keys/shared-rests.ts"
import type { Store } from "../../src/store/store.ts"
import { configFrom } from "../config/support.ts"
import { chatReply } from "../support/chunks.ts"
import { describeWithRedis, startRedis } from "../support/redis.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { createTestClock } from "../upstream/support.ts"
import { cleanUp, post, scripted, startProxy, stopAll } from "./support.ts"

afterEach(stopAll)

type Marks = Pick<Store, "mark" | "unmark" | "marks">

/** What a Redis keeps for several, as plain as can be; `down` while it cannot be reached. */
function createMarks(now: () => number) {
  const kept = new Map<string, number>()
  const state = { down: false, asked: 0 }
  const store: Marks = {
    mark: (_group, name, ttlMs) => {
      if (!state.down) kept.set(name, Math.max(kept.get(name) ?? 0, now() + ttlMs))
      return Promise.resolve(!state.down)
    },
    unmark: (_group, names) => {
      for (const name of names) if (!state.down) kept.delete(name)
      return Promise.resolve()
    },
    marks: () => {
      state.asked++
      const left = [...kept].map(([name, at]) => [name, at - now()] as const).filter(([, ms]) => ms > 0)
      return Promise.resolve(state.down ? undefined : new Map(left))
    },
  }
  return { store, state, kept }
}

/** Two processes with clocks that go together, and rings for the keys of one origin. */
function processes() {
  const clock = createTestClock()
  const marks = createMarks(clock.now)
  const make = () => {
    const rests = createSharedRests({ store: marks.store, clock })
    rests.follow(true)
    const ring = createRing("https://a.example", { log: { warn: () => {} }, now: clock.now, shared: rests })
    return { rests, ring }
  }
  const settled = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
  /** Until everybody has heard what there is. */
  const pass = async (ms: number) => {
    await settled()
    clock.pass(ms)
    await settled()
  }
  return { clock, marks, one: make(), other: make(), pass, settled }
}

const route = { apiKeys: ["sk-key-1", "sk-key-2"], keyName: "A_KEY", provider: "a" } satisfies Partial<Route>
const about = (ms: number, model?: string) => ({ key: "sk-key-1", model, ms, why: "no" })
const whole = (given: typeof route): Route => Object.assign(Object.create(null), given)

describe("what one process hears of a key", () => {
  test("the others know within a second, for this model or for all", async () => {
    const { one, other, pass } = processes()
    one.ring.rest(about(10_000, "m"), whole(route))
    await pass(1_000)
    expect(other.ring.restOf("sk-key-1", "m")).toBe(9_000)
    expect(other.ring.restOf("sk-key-1", "another")).toBe(0)
    expect(other.ring.restOf("sk-key-2", "m")).toBe(0)
    one.ring.rest(about(60_000), whole(route))
    await pass(1_000)
    expect(other.ring.restOf("sk-key-1", "another")).toBe(59_000)
    await pass(59_000)
    expect(other.ring.restOf("sk-key-1", "another")).toBe(0)
  })

  test("a key that works elsewhere is awake everywhere", async () => {
    const { one, other, pass } = processes()
    one.ring.rest(about(600_000, "m"), whole(route))
    await pass(1_000)
    other.ring.wake("sk-key-1", "m")
    expect(other.ring.restOf("sk-key-1", "m")).toBe(0)
    await pass(1_000)
    expect([one.ring.restOf("sk-key-1", "m"), other.ring.restOf("sk-key-1", "m")]).toEqual([0, 0])
  })

  test("an origin's keys are its own", async () => {
    const { one, clock, marks, pass, settled } = processes()
    const rests = createSharedRests({ store: marks.store, clock })
    rests.follow(true)
    const elsewhere = createRing("https://b.example", {
      log: { warn: () => {} },
      now: clock.now,
      shared: rests,
    })
    one.ring.rest(about(600_000), whole(route))
    await pass(1_000)
    await settled()
    expect(elsewhere.restOf("sk-key-1", "m")).toBe(0)
  })

  test("while nobody can be told a rest is this process' own, and it is not lost when others can be heard", async () => {
    const { one, other, marks, pass } = processes()
    marks.state.down = true
    one.ring.rest(about(600_000), whole(route))
    await pass(1_000)
    marks.state.down = false
    await pass(1_000)
    await pass(1_000)
    expect(one.ring.restOf("sk-key-1", "m")).toBe(597_000)
    expect(other.ring.restOf("sk-key-1", "m")).toBe(0)
  })

  test("what was heard last counts while nothing is heard", async () => {
    const { one, other, marks, pass } = processes()
    one.ring.rest(about(600_000), whole(route))
    await pass(1_000)
    marks.state.down = true
    await pass(1_000)
    expect(other.ring.restOf("sk-key-1", "m")).toBe(598_000)
  })

  test("others are asked once a second, not for each request, and not at all when it is over", async () => {
    const { one, other, clock, marks, pass, settled } = processes()
    await settled()
    const before = marks.state.asked
    for (let second = 0; second < 5; second++) {
      for (let request = 0; request < 50; request++) one.ring.restOf("sk-key-1", "m")
      await pass(1_000)
    }
    expect(marks.state.asked - before).toBe(10)
    one.rests.follow(false)
    other.rests.follow(false)
    await pass(10_000)
    expect(marks.state.asked - before).toBe(10)
    expect(clock.live()).toBe(0)
  })

  test("no key is told to anybody", async () => {
    const { one, marks, pass } = processes()
    one.ring.rest(about(600_000, "a-model"), whole(route))
    await pass(1_000)
    expect([...marks.kept.keys()]).toEqual([expect.stringMatching(/^[\da-f]{32}$/)])
  })
})

test.each([
  ["one key", { OPENAI_API_KEY: "a" }, false],
  ["several keys", { OPENAI_API_KEY: "a, b" }, true],
  ["several keys of another provider", { OPENAI_API_KEY: "a", GROQ_API_KEY: "a, b" }, true],
  ["several keys and no Redis", { OPENAI_API_KEY: "a, b", REDIS_URL: "" }, false],
])("others are listened to: %s", (_name, env, expected) => {
  expect(needsRests(configFrom({ REDIS_URL: "redis://127.0.0.1:9", ...env }))).toBe(expected)
})

describeWithRedis("two proxies and a real Redis", () => {
  const keys = ["sk-key-number-1", "sk-key-number-2"]
  const good: Turn = { kind: "json", body: chatReply({ content: "hi" }) }
  const bad: Turn = { kind: "json", status: 401, body: { error: { message: "no" } } }

  test("a key that was refused at the one is not asked for at the other", async () => {
    const redis = await startRedis()
    cleanUp(redis.stop)
    const upstream = scripted(() => (last() === keys[0] ? bad : good))
    const last = () => upstream.requests.at(-1)?.headers["authorization"]?.replace("Bearer ", "")
    const options = { env: { REDIS_URL: redis.url, OPENAI_API_KEY: keys.join(",") }, speed: 20 }
    const [one, other] = [startProxy(upstream.url, options), startProxy(upstream.url, options)]
    const client = new Bun.RedisClient(redis.url)
    cleanUp(() => client.close())
    expect((await post(one)).status).toBe(200)
    expect(upstream.turns().length).toBe(2)
    let marks = 0
    for (let count = 0; marks === 0 && count < 500; count++) {
      marks = Number(await client.send("HLEN", ["claude-proxy:marks:resting-keys"]))
      await Bun.sleep(10)
    }
    expect(marks).toBe(1)
    const dump = JSON.stringify(await client.send("HGETALL", ["claude-proxy:marks:resting-keys"]))
    expect(dump).not.toContain("sk-key")
    // Its clock goes twenty times as fast: it has asked several times by then.
    await Bun.sleep(1_000)
    for (let count = 0; count < 4; count++) expect((await post(other)).status).toBe(200)
    expect(upstream.turns().length).toBe(6)
    expect(other.logs.filter(({ message }) => /refused and rests/.test(message))).toEqual([])
    await redis.kill()
    expect((await post(other)).status).toBe(200)
    await until(() => other.logs.some(({ message }) => message.includes("cannot be used")))
  }, 30_000)
})
