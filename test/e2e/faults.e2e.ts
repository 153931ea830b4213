// Everything that can go wrong with an upstream, from outside: the proxy as a program, an upstream below HTTP, clients
// that read every byte and the SDK. What has to come of each case is said in test/support/faulty-*.ts.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { openFaultyAddresses } from "../support/faulty-addresses.ts"
import type { Result } from "../support/faulty-asking.ts"
import { type FaultCase, faultCases, type Wanted, wanted } from "../support/faulty-cases.ts"
import { judge, type Limits } from "../support/faulty-judging.ts"
import { askAll, type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts"
import { isFailure, timeoutSeconds } from "../support/faulty-rows.ts"
import { canary, createFaultyScript, placeOf } from "../support/faulty-script.ts"
import { createFaultyUpstream } from "../support/faulty-upstream.ts"
import { until } from "../support/upstream.ts"
import { sumIn } from "../support/workers.ts"

setDefaultTimeout(120_000)

const script = createFaultyScript()
const upstream = createFaultyUpstream(script.answer)
const origin = `http://127.0.0.1:${await upstream.listen()}`
const addresses = await openFaultyAddresses(upstream)
const limits: Limits = { timeoutMs: timeoutSeconds * 1000, retries: 2, slackMs: 8_000 }
const cases = faultCases(origin, addresses.rows)

// A stream's status waits 15 s for the upstream, and is 200 then. The ids are others than those of the matrix.
const lateSeconds = 17
const late = cases
  .filter(({ fault, client }) => fault === "a stall before the head" && client === "raw")
  .map((one) => ({ ...one, id: one.id + 10_000 }))
const once = cases
  .filter(({ seen, client, chain }) => chain === "none" && client === "raw" && (seen.attempts ?? 0) > 1)
  .filter(({ seen }) => isFailure(seen))
  .map((one) => ({ ...one, id: one.id + 20_000 }))

let proxy: FaultyProxy
let slow: FaultyProxy
let results: ReadonlyMap<number, Promise<Result>>
let slowResults: ReadonlyMap<number, Promise<Result>>

beforeAll(async () => {
  const start = (these: readonly FaultCase[], seconds: number, retries: number) =>
    startFaultyProxy(these, origin, addresses, {
      REQUEST_TIMEOUT: String(seconds),
      MAX_RETRIES: String(retries),
    })
  slow = await start([...late, ...once], lateSeconds, 0)
  slowResults = askAll([...late, ...once], slow, 32)
  proxy = await start(cases, timeoutSeconds, limits.retries)
  results = askAll(cases, proxy, 96)
})

afterAll(async () => {
  await Promise.all([proxy.remove(), slow.remove()])
  upstream.stop()
  addresses.stop()
})

type Judging = readonly [want: Wanted, results: ReadonlyMap<number, Promise<Result>>, limits: Limits]

async function judged(one: FaultCase, [want, from, within]: Judging): Promise<readonly string[]> {
  const result = await from.get(one.id)
  if (result === undefined) return [`case ${one.id} was not asked`]
  return judge({ one, want, result, asked: script.asked(one.id) }, within)
}

const names = [...new Set(cases.map(({ fault }) => fault))]
const groups = [...new Set(cases.map(({ place, chain }) => `${place}, ${chain}`))]

describe.each(groups)("%s", (group) => {
  const [place, chain] = group.split(", ")
  test.each(names)("%s", async (fault) => {
    const these = cases.filter((one) => one.fault === fault && one.place === place && one.chain === chain)
    const wrong = await Promise.all(these.map((one) => judged(one, [wanted(one), results, limits])))
    expect(wrong.flat()).toEqual([])
  })
})

describe("without retries", () => {
  test.each([...new Set(once.map(({ fault }) => fault))])("%s: one attempt", async (fault) => {
    const within = { ...limits, timeoutMs: lateSeconds * 1000, retries: 0 }
    const these = once.filter((one) => one.fault === fault)
    const wrong = await Promise.all(these.map((one) => judged(one, [wanted(one), slowResults, within])))
    expect(wrong.flat()).toEqual([])
  })
})

/** What is known of a stream's failure after its status has gone out is told as an event. */
function wantedLate(one: FaultCase): Wanted {
  const want = wanted(one)
  return one.stream && want.kind === "refused" ? { kind: "cut", text: "", failure: want.failure } : want
}

describe("a stall that is longer than a status can wait", () => {
  test.each(
    late.map((one) => [`${one.place}, ${one.chain}, ${one.stream ? "streamed" : "plain"}`, one] as const),
  )("%s", async (_name, one) => {
    const within = { ...limits, timeoutMs: lateSeconds * 1000, retries: 0 }
    expect(await judged(one, [wantedLate(one), slowResults, within])).toEqual([])
  })
})

async function look(path: string): Promise<string> {
  const response = await fetch(proxy.url + path, { headers: { "x-api-key": proxy.clientKey } })
  expect(response.status).toBe(200)
  return response.text()
}

describe("afterwards", () => {
  test("no connection is left but those that can be used again", async () => {
    await Promise.all([...results.values(), ...slowResults.values()])
    const left = () => upstream.busy() + addresses.open()
    await until(() => left() === 0, 10_000).catch(() => {})
    const busy = upstream.requests.filter((request) => request.busy())
    expect(busy.map(({ path, text }) => `${path} ${text}`)).toEqual([])
    expect(left()).toBe(0)
    for (const { port, seen, origin: where } of Object.values(addresses.rows)) {
      if (port === undefined || !isFailure(seen)) continue
      const asked = cases.filter(({ base }) => base.startsWith(where))
      expect([where, upstream.connections(port)]).toEqual([where, asked.length])
    }
  })

  test("the log has one line for each request that says what became of it", async () => {
    await until(() => proxy.ends().length >= cases.length, 15_000).catch(() => {})
    const ends = proxy.ends()
    const wrong: string[] = []
    for (const one of cases) {
      const requestId = (await results.get(one.id))?.requestId
      const completed = wanted(one).kind === "text"
      const used = ends.filter(({ message }) => String(message).includes(`m${one.id} → `)).length
      if (used !== (completed ? 1 : 0)) wrong.push(`${one.id} ${one.fault}: ${used} lines of usage`)
      const failed = ends.filter((line) => line["requestId"] === requestId).length
      if (one.client === "raw" && failed !== (completed ? 0 : 1))
        wrong.push(`${one.id} ${one.fault}: ${failed} lines of failure`)
    }
    expect(wrong).toEqual([])
    expect(ends.length).toBe(cases.length)
  })

  test("the figures add up, and nothing is under way", async () => {
    const text = await look("/metrics")
    expect(text).toContain("claude_proxy_streams_in_flight")
    for (const name of ["claude_proxy_requests_in_flight", "claude_proxy_streams_in_flight"])
      expect([name, sumIn(text, name)]).toEqual([name, 0])
    expect(sumIn(text, "claude_proxy_requests_total")).toBe(cases.length)
    const retried = cases.map(({ id, fault, chain }) => {
      const unheard = addresses.rows[fault]?.retried
      if (unheard === "always" || (unheard === "alone" && chain === "none")) return limits.retries
      const here = script.asked(id).filter((request) => /^f\d/.test(placeOf(request)))
      return Math.max(0, here.length - 1)
    })
    expect(sumIn(text, "claude_proxy_retries_total")).toBe(retried.reduce((sum, one) => sum + one, 0))
  })

  test("no key is in anything that it says or writes", async () => {
    for (const path of ["/", "/health", "/v1/models", "/v1/stats", "/metrics"]) {
      expect(await look(path)).not.toContain(canary)
    }
    for (const one of [proxy, slow]) {
      const { exitCode, output } = await one.stop()
      expect([exitCode, output.includes(canary), output.includes("nternal error")]).toEqual([0, false, false])
      const { telling, all } = one.files()
      expect([telling, all.includes("server.log")]).toEqual([[], true])
    }
    await until(() => upstream.open() === 0)
  })
})
