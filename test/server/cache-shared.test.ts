// The response cache in a Redis: what one proxy was told another one serves, and a Redis that is gone, or that holds
// what somebody else wrote, is no more than a cache that has nothing.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { chatReply } from "../support/chunks.ts"
import { describeWithRedis, startRedis, type TestRedis } from "../support/redis.ts"
import type { Script } from "../support/script.ts"
import { jsonOf, post, postStream, scripted, startProxy, stopAll, type TestProxy } from "./support.ts"

const counting: Script = (_body, turn) => ({ kind: "json", body: chatReply({ content: `turn ${turn}` }) })

describeWithRedis("with a Redis", () => {
  let redis: TestRedis | undefined

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterEach(stopAll)
  afterAll(async () => {
    await redis?.stop()
  })

  function proxies() {
    const upstream = scripted(counting)
    const env = {
      CACHE_ENABLED: "true",
      REDIS_URL: redis?.url ?? "",
      OPENAI_API_KEY: "sk-canary-of-the-cache-1",
    }
    const one = startProxy(upstream.url, { env })
    const other = startProxy(upstream.url, { env: { ...env, OPENAI_API_KEY: "sk-another-key-1" } })
    return { upstream, one, other }
  }

  const client = () => new Bun.RedisClient(redis?.url)

  async function ask(proxy: TestProxy, stream = false): Promise<readonly [string | null, string]> {
    const response = await (stream ? postStream : post)(proxy)
    expect(response.status).toBe(200)
    return [response.headers.get("x-claude-proxy-cache"), await response.text()]
  }

  /** The client has its reply before the cache does. */
  async function kept(): Promise<void> {
    const reader = client()
    const deadline = performance.now() + 10_000
    while ((await reader.keys("*reply:*")).length === 0 && performance.now() < deadline) await Bun.sleep(5)
    reader.close()
    // Until the proxy has heard of it, too, others have the reply from the request that is still under way.
    await Bun.sleep(50)
  }

  test("one proxy serves what the other one was told; no key is written anywhere", async () => {
    const { upstream, one, other } = proxies()
    expect((await ask(one))[0]).toBe("miss")
    await kept()
    const [cache, text] = await ask(other, true)
    expect(cache).toBe("hit")
    expect(text).toContain("turn 0")
    expect(upstream.turns().length).toBe(1)
    const reader = client()
    const names = await reader.keys("*reply:*")
    expect(names.length).toBe(1)
    for (const name of names) {
      expect(name).toMatch(/^claude-proxy:value:reply:[0-9a-f]{64}$/)
      const value = String(await reader.get(name))
      expect(value).toContain("turn 0")
      expect(value + name).not.toContain("sk-")
      const life = Number(await reader.send("PTTL", [name]))
      expect(life).toBeWithin(3_590_000, 3_600_001)
    }
    reader.close()
  })

  const damaged: Readonly<Record<string, string>> = {
    "no JSON": '{"content":[{"type":"te',
    "something else": '{"hello":"world"}',
    "a call":
      '{"content":[{"type":"tool_use","id":"a","name":"Bash","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}',
    "a number for a text":
      '{"content":[{"type":"text","text":1}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}',
    "nothing to say":
      '{"content":[{"type":"text","text":" "}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}',
    "what was cut":
      '{"content":[{"type":"text","text":"a"}],"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}',
    "counts below nothing":
      '{"content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":-1,"output_tokens":1}}',
    "an empty text": "",
  }

  test.each(Object.entries(damaged))("%s in place of a reply is a miss", async (_name, value) => {
    const { upstream, one } = proxies()
    const writer = client()
    await writer.send("FLUSHALL", [])
    await ask(one)
    await kept()
    const names = await writer.keys("*reply:*")
    for (const name of names) await writer.set(name, value)
    expect((await ask(one))[0]).toBe("miss")
    expect((await ask(one))[0]).toBe("hit")
    expect(upstream.turns().length).toBe(2)
    writer.close()
  })

  test("gone, and back again: requests go on", async () => {
    const { upstream, one } = proxies()
    const flusher = client()
    await flusher.send("FLUSHALL", [])
    flusher.close()
    await ask(one)
    expect((await ask(one))[0]).toBe("hit")
    await redis?.kill()
    const from = performance.now()
    for (let turn = 1; turn < 4; turn++) {
      const reply = await jsonOf(post(one))
      expect(reply["content"]).toEqual([{ type: "text", text: `turn ${turn}` }])
    }
    expect(performance.now() - from).toBeLessThan(5000)
    expect(upstream.turns().length).toBe(4)
    await redis?.start()
    const deadline = performance.now() + 10_000
    let found: string | null = null
    while (found !== "hit" && performance.now() < deadline) {
      await Bun.sleep(100)
      found = (await ask(one))[0]
    }
    expect(found).toBe("hit")
  }, 20_000)

  test("frozen: nobody waits for it long", async () => {
    const { one } = proxies()
    const flusher = client()
    await flusher.send("FLUSHALL", [])
    flusher.close()
    await ask(one)
    await kept()
    redis?.freeze()
    const from = performance.now()
    expect((await ask(one))[0]).toBe("miss")
    expect(performance.now() - from).toBeLessThan(2500)
    redis?.thaw()
  })
})
