// Somebody sets the clock of the machine, hours back or forth: what takes a time takes as long as before.
import { afterEach, describe, expect, test } from "bun:test"
import { chatReply, finishChunk, textChunk } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { listen, post, postStream, scripted, start, startProxy, stopAll } from "./support.ts"

afterEach(stopAll)

const hour = 3_600_000
const good: Turn = { kind: "json", body: chatReply({ content: "hi" }) }
const never = new Promise<void>(() => {})
const stalled: Turn = { kind: "stream", chunks: [textChunk("one"), { until: never }] }

/** A clock that is right until it is set. */
function machine() {
  let off = 0
  return {
    setOff: () => off,
    set: (ms: number) => {
      off = ms
    },
  }
}

describe.each([-hour, hour])("by %d ms", (ms) => {
  test("a silence of the upstream", async () => {
    const { set, setOff } = machine()
    const chunks = [textChunk("one"), { pauseMs: 1_200 }, finishChunk("stop")]
    const pause: Turn = { kind: "stream", headersDelayMs: 1_200, chunks }
    const { proxy } = start([pause, stalled], { setOff, env: { REQUEST_TIMEOUT: "2" } })
    for (const last of ["message_stop", "error"]) {
      set(0)
      const heard = await listen(postStream(proxy))
      await until(() => heard.text().includes("one"))
      set(ms)
      await heard.ended
      expect(heard.text()).toContain(`event: ${last}`)
    }
  }, 15_000)

  test("the pings of a silence", async () => {
    const { set, setOff } = machine()
    const { proxy } = start([stalled], { setOff, times: { pingMs: 50 } })
    const heard = await listen(postStream(proxy))
    await until(() => heard.text().includes("one"))
    set(ms)
    const before = heard.text().length
    await until(() => heard.text().slice(before).includes("event: ping"))
  }, 15_000)

  test("the time to finish", async () => {
    const { set, setOff } = machine()
    const pause = {
      kind: "stream",
      chunks: [textChunk("one"), { pauseMs: 300 }, finishChunk("stop")],
    } as const
    const { proxy } = start([pause, stalled], { setOff })
    const [short, long] = [await listen(postStream(proxy)), await listen(postStream(proxy))]
    await until(() => short.text().includes("one") && long.text().includes("one"))
    const stopped = proxy.stop(1_000)
    set(ms)
    await stopped
    expect([short.text().includes("message_stop"), long.text().includes("event: error")]).toEqual([
      true,
      true,
    ])
  }, 15_000)

  test("the rest of a key", async () => {
    const { set, setOff } = machine()
    const limited: Turn = { kind: "json", status: 429, headers: { "retry-after": "1" }, body: {} }
    const keyOf = () => upstream.requests.at(-1)?.headers["authorization"]
    const upstream = scripted(() => (keyOf() === "Bearer sk-limited-1" ? limited : good))
    const env = { OPENAI_API_KEY: "sk-limited-1,sk-good-1" }
    const proxy = startProxy(upstream.url, { setOff, env })
    const asked = () =>
      upstream.turns().filter(({ headers }) => headers["authorization"]?.endsWith("limited-1"))
    for (let count = 0; count < 4; count++) expect((await post(proxy)).status).toBe(200)
    expect(asked()).toHaveLength(1)
    set(ms)
    expect((await post(proxy)).status).toBe(200)
    expect((await post(proxy)).status).toBe(200)
    expect(asked()).toHaveLength(1)
    await Bun.sleep(1_100)
    expect((await post(proxy)).status).toBe(200)
    expect((await post(proxy)).status).toBe(200)
    expect(asked()).toHaveLength(2)
  }, 15_000)
})
