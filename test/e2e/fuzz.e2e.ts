// Fifty thousand requests that are wrong in some way, five thousand replies of an upstream that are, and connections
// that speak no HTTP: the proxy as a program answers all of them as its API says, goes on, and tells nobody a key.
// FUZZ_SEED=n plays the same again, with FUZZ_CASE=m that one case alone.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { tellsKey } from "../support/fuzz-canaries.ts"
import { createFuzzConnection, type End } from "../support/fuzz-client.ts"
import { type Expected, judgeReply } from "../support/fuzz-judge.ts"
import { type FuzzedProxy, fuzzModels, requestTimeout, startFuzzedProxy } from "../support/fuzz-proxy.ts"
import { randomRaw, rawRequests, sendRaw } from "../support/fuzz-raw.ts"
import { fuzzRequest, wireOf } from "../support/fuzz-requests.ts"
import { createFuzzUpstream, faultyPrompt } from "../support/fuzz-upstream.ts"
import { isAlive } from "../support/proxy.ts"
import { createRandom, type Random } from "../support/random.ts"
import { watchProcess } from "../support/soak-process.ts"
import { until } from "../support/upstream.ts"
import { residentMb, sumIn } from "../support/workers.ts"

setDefaultTimeout(240_000)

const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000)
const only = process.env["FUZZ_CASE"]
const [requests, replies, raws] = [50_000, 5_000, 400]
const width = 48
const longestMs = 10_000
// A model that falls silent is given up, and so is the one that stands in for it.
const longestFaultyMs = (2 * requestTimeout + 3) * 1_000
// Where memory and processes are looked up as the tests do it.
const isLinux = process.platform === "linux"
const show = (text: string) => process.stderr.write(`${text}\n`)
show(`fuzz: seed ${seed}; FUZZ_SEED=${seed} plays it again`)

const upstream = createFuzzUpstream(seed)
let proxy: FuzzedProxy
let watch: ReturnType<typeof watchProcess>

beforeAll(async () => {
  if (!isLinux) return
  proxy = await startFuzzedProxy(upstream.origin)
  watch = watchProcess(proxy.pid)
})

afterAll(async () => {
  watch?.stop()
  await proxy?.remove()
  await upstream.stop()
})

interface Play {
  readonly bytes: Buffer
  readonly expected: Expected
}

interface Played {
  readonly failures: readonly string[]
  readonly statuses: ReadonlyMap<string, number>
}

const randomOf = (number: number): Random => createRandom(seed * 1_000_003 + number)

/** Plays so many cases, several at once; what is wrong is told with all that was sent and came. */
async function playAll(count: number, make: (random: Random, number: number) => Play): Promise<Played> {
  const failures: string[] = []
  const statuses = new Map<string, number>()
  let next = only === undefined ? 0 : Number(only)
  const last = only === undefined ? count : next + 1

  async function work(): Promise<void> {
    const connection = createFuzzConnection(proxy.port)
    while (next < last && failures.length < 10) {
      const number = next++
      const play = make(randomOf(number), number)
      const limitMs = play.expected.upstreamFails === true ? longestFaultyMs : longestMs
      const end = await connection.ask(play.bytes, play.expected.method, limitMs)
      const status = end.kind === "reply" ? String(end.reply.status) : end.kind
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const wrong = wrongWith(end, play.expected)
      if (wrong.length > 0) failures.push(told(number, wrong, play.bytes, end))
    }
    connection.close()
  }

  await Promise.all(Array.from({ length: width }, work))
  return { failures, statuses }
}

function wrongWith(end: End, expected: Expected): readonly string[] {
  if (end.kind === "reply") return judgeReply(end.reply, expected)
  return end.kind === "closed" && expected.oddHead === true ? [] : [`${end.kind}: ${end.text}`]
}

function told(number: number, wrong: readonly string[], bytes: Buffer, end: End): string {
  const came = end.kind === "reply" ? `${end.reply.head}\r\n\r\n${end.reply.body}` : end.text
  const sent = JSON.stringify(bytes.toString("latin1").slice(0, 20_000))
  return `FUZZ_SEED=${seed} FUZZ_CASE=${number}: ${wrong.join("; ")}\nsent: ${sent}\ncame: ${came.slice(0, 3_000)}`
}

function tell(what: string, { statuses }: Played, from: number): void {
  const counts = [...statuses].toSorted(([one], [other]) => one.localeCompare(other))
  const seconds = ((performance.now() - from) / 1000).toFixed(1)
  const list = counts.map(([status, count]) => `${count}× ${status}`).join(", ")
  show(`fuzz: ${what} in ${seconds} s: ${list}; ${residentMb(proxy.pid).toFixed(0)} MiB`)
}

const answering = /^\/v1\/(messages(\/count_tokens|\/test_conversion)?|chat\/completions)$/

function wrongRequest(random: Random): Play {
  const request = fuzzRequest(random, proxy.clientKey)
  const { method, target, oddHead, unchanged } = request
  return {
    bytes: wireOf(request, random),
    expected: { method, target, oddHead, well: unchanged && answering.test(target) },
  }
}

/** A good request whose prompt tells the upstream to answer badly. */
function wronglyAnswered(random: Random, number: number): Play {
  const chat = random.chance(0.15)
  const model = random.pick([
    ...fuzzModels,
    ...fuzzModels,
    "other-model",
    random.chance(0.2) ? "distant" : "distant-too",
  ])
  const target = chat ? "/v1/chat/completions" : "/v1/messages"
  const content = faultyPrompt(number)
  const tools = random.chance(0.4) && !chat ? [{ name: "Read", input_schema: { type: "object" } }] : undefined
  const messages = [{ role: "user", content }]
  const body = JSON.stringify({ model, max_tokens: 200, stream: random.chance(0.7), messages, tools })
  const head = [
    ...[`POST ${target} HTTP/1.1`, "host: 127.0.0.1", `x-api-key: ${proxy.clientKey}`],
    ...["content-type: application/json", `content-length: ${Buffer.byteLength(body)}`],
  ]
  const bytes = Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`)
  const passed = model === "native" && !chat
  return { bytes, expected: { method: "POST", target, upstreamFails: true, passed } }
}

async function look(path: string): Promise<string> {
  const response = await fetch(proxy.url + path, { headers: { "x-api-key": proxy.clientKey } })
  expect([path, response.status]).toEqual([path, 200])
  return response.text()
}

/** It is still there, and well. */
async function expectWell(): Promise<void> {
  expect(isAlive(proxy.pid)).toBe(true)
  expect(JSON.parse(await look("/health"))).toMatchObject({ status: "healthy" })
}

describe.skipIf(!isLinux)("a fuzz", () => {
  test(`${requests} requests that are wrong in some way`, async () => {
    const from = performance.now()
    const played = await playAll(requests, wrongRequest)
    tell(`${requests} requests`, played, from)
    expect(played.failures).toEqual([])
    expect(upstream.problems()).toEqual([])
    await expectWell()
  })

  test(`${replies} replies that are wrong in some way`, async () => {
    const from = performance.now()
    const played = await playAll(replies, wronglyAnswered)
    tell(`${replies} replies`, played, from)
    expect(played.failures).toEqual([])
    expect(upstream.problems()).toEqual([])
    await expectWell()
  })

  test("what is no HTTP", async () => {
    const from = performance.now()
    const random = randomOf(-1)
    const all = [
      ...rawRequests.map((text) => Buffer.from(text, "latin1")),
      ...Array.from({ length: raws }, () => randomRaw(random)),
    ]
    const wrong: string[] = []
    const work = async () => {
      for (let bytes = all.pop(); bytes !== undefined; bytes = all.pop()) {
        const { text, closed } = await sendRaw(proxy.port, bytes)
        const right =
          closed && (text === "" || /^HTTP\/1\.1 (?:[24]\d\d|100|505) /.test(text)) && !tellsKey(text)
        if (!right)
          wrong.push(`${JSON.stringify(bytes.toString("latin1").slice(0, 400))}: ${text.slice(0, 400)}`)
      }
    }
    await Promise.all(Array.from({ length: 32 }, work))
    show(`fuzz: no HTTP in ${((performance.now() - from) / 1000).toFixed(1)} s`)
    expect(wrong.slice(0, 5)).toEqual([])
    await expectWell()
  })
})

// A stack, an exception that nobody caught, or one that was caught at the last moment.
const mistake =
  /"message":"internal error|fieldsFailed|\b(?:unhandled|uncaught|panic|segmentation)\b|\bat (?:\S+ \()?[\w./$~-]*\/[\w./$~-]+:\d+:\d+|(?:Type|Range|Reference|Syntax)Error\b/

describe.skipIf(!isLinux)("afterwards", () => {
  test("nothing is under way, and its memory is bounded", async () => {
    const running = async () => sumIn(await look("/metrics"), "claude_proxy_requests_in_flight")
    for (let left = 40; left > 0 && (await running()) > 0; left--) await Bun.sleep(250)
    expect(await running()).toBe(0)
    const { residentMb: most } = watch.most()
    show(`fuzz: ${most.toFixed(0)} MiB at most, ${residentMb(proxy.pid).toFixed(0)} at the end`)
    expect(most).toBeLessThan(600)
  })

  test("no key is in anything that it says or writes, and no mistake of its own", async () => {
    for (const path of ["/", "/health", "/v1/models", "/v1/stats", "/metrics"])
      expect([path, tellsKey(await look(path))]).toEqual([path, false])
    watch.stop()
    // Every model's own, with a header of its own, and the gate's.
    if (only === undefined) expect(upstream.keys()).toBeGreaterThan(2 * fuzzModels.length)
    expect(await proxy.stop()).toBe(0)
    const lines = proxy.lines()
    expect(lines.filter((line) => mistake.test(line)).slice(0, 5)).toEqual([])
    expect(lines.filter((line) => line.includes('"level":"DEBUG"')).length).toBeGreaterThan(0)
    const { telling, all } = proxy.files()
    expect([telling, tellsKey(proxy.output())]).toEqual([[], false])
    expect(all).toContain("server.log")
    await until(() => !isAlive(proxy.pid))
  })
})
