// One of several processes on one port: what it is asked for speaks for all of them.
import { afterEach, expect, test } from "bun:test"
import { countedIn, mergeShares, type OtherShares, type Share } from "../../src/server/figures/siblings.ts"
import { startServer } from "../../src/server/server.ts"
import { configFrom } from "../config/support.ts"
import { chatReply } from "../support/chunks.ts"
import { sumIn } from "../support/workers.ts"
import { cleanUp, jsonOf, post, scripted, stopAll } from "./support.ts"

afterEach(stopAll)

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

function start(worker: number, ask: (own: Share, write: boolean) => Promise<OtherShares>) {
  const upstream = scripted(() => ({ kind: "json", body: chatReply({ role: "assistant", content: "hi" }) }))
  const env = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-upstream-key-1", PORT: "0" }
  const server = startServer({
    config: configFrom(env),
    log: silent,
    version: "0.0.0-test",
    onExchange: () => {},
    siblings: { worker, count: () => ({ total: 3, up: 2 }), ask },
  })
  cleanUp(() => server.stop(0))
  return server
}

test("figures are those of all, also of the ones that have ended; health names who answers", async () => {
  const other = start(1, async () => ({ shares: [], count: { total: 3, up: 3 } }))
  for (let times = 0; times < 3; times++) await jsonOf(post(other))
  const asked: boolean[] = []
  const one = start(2, async (own, write) => {
    asked.push(write)
    expect(own.stats.total.requests).toBe(2)
    const alive = await other.share(false)
    return { shares: [alive, countedIn(alive)], count: { total: 3, up: 2 } }
  })
  for (let times = 0; times < 2; times++) await jsonOf(post(one))

  const stats = await jsonOf(fetch(`${one.url}/v1/stats`))
  expect(stats).toMatchObject({ total_requests: 8, failed_requests: 0, all_time: null })
  const text = await (await fetch(`${one.url}/metrics`)).text()
  expect(sumIn(text, "claude_proxy_requests_total", 'status="200"')).toBe(8)
  expect(text).toContain('claude_proxy_workers{state="up"} 2\nclaude_proxy_workers{state="down"} 1\n')
  // What only a process that runs has is not counted of one that has ended.
  expect(text.match(/^process_start_time_seconds /gm)).toHaveLength(1)
  // Only statistics are also on the disk.
  expect(asked).toEqual([true, false])
  expect(await jsonOf(fetch(`${one.url}/health`))).toMatchObject({ worker: 2, workers: { total: 3, up: 2 } })
})

test("alone nothing is said of workers", async () => {
  const upstream = scripted([])
  const env = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-upstream-key-1", PORT: "0" }
  const config = configFrom(env)
  const server = startServer({ config, log: silent, version: "0.0.0-test", onExchange: () => {} })
  cleanUp(() => server.stop(0))
  const health = await jsonOf(fetch(`${server.url}/health`))
  expect([health["worker"], health["workers"]]).toEqual([undefined, undefined])
  expect(await (await fetch(`${server.url}/metrics`)).text()).not.toContain("claude_proxy_workers")
})

test("shares become one: sums, and the earliest beginning", async () => {
  const server = start(1, async () => ({ shares: [], count: { total: 3, up: 3 } }))
  await jsonOf(post(server))
  const share = await server.share(false)
  const both = mergeShares([share, { ...share, startedAt: share.startedAt - 5 }])
  expect(both?.startedAt).toBe(share.startedAt - 5)
  expect(both?.stats.total.requests).toBe(2)
  expect(mergeShares([])).toBeUndefined()
})
