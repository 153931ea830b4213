// MAX_CONCURRENT_REQUESTS: so many run, the next one is told to come again, and a place is free again however a
// request ends.
import { afterEach, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply, finishChunk, textChunk } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { postText, rawClient } from "./raw-client.ts"
import { basicBody, jsonOf, listen, post, postStream, start, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)

const never = new Promise<void>(() => {})
const stalled: Turn = { kind: "stream", chunks: [textChunk("one"), { until: never }] }
const good: Turn = { kind: "json", body: chatReply({ content: "hi" }) }
const one = { env: { MAX_CONCURRENT_REQUESTS: "1" } }

const streamed = JSON.stringify({ ...basicBody, stream: true })

/** Is there a place now? */
async function isFree(proxy: TestProxy): Promise<boolean> {
  const { status } = await post(proxy)
  return status === 200
}

async function untilFree(proxy: TestProxy): Promise<void> {
  const deadline = performance.now() + 5000
  while (!(await isFree(proxy))) {
    if (performance.now() > deadline) throw new Error("no place was freed")
    await Bun.sleep(5)
  }
}

async function untilTaken(proxy: TestProxy): Promise<void> {
  const deadline = performance.now() + 5000
  while (await isFree(proxy)) {
    if (performance.now() > deadline) throw new Error("no place was taken")
    await Bun.sleep(5)
  }
}

/** The first request stalls until it is ended, the others are answered. */
const firstStalls = (_body: unknown, turn: number): Turn => (turn === 0 ? stalled : good)

test("the one too many is told so, in its client's words; whoever asks no model is not", async () => {
  const { proxy, upstream } = start(firstStalls, one)
  await listen(postStream(proxy))
  const refused = await post(proxy)
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([529, "1"])
  expect(objectOf((await jsonOf(refused))["error"])).toEqual({
    type: "overloaded_error",
    message: "this proxy runs 1 request at once and no more (MAX_CONCURRENT_REQUESTS): try again in a moment",
  })
  const forOpenAi = await fetch(`${proxy.url}/v1/chat/completions`, { method: "POST", body: streamed })
  expect([forOpenAi.status, forOpenAi.headers.get("retry-after")]).toEqual([529, "1"])
  expect(Object.keys(await jsonOf(forOpenAi))).toEqual(["error"])
  const tested = await fetch(`${proxy.url}/v1/messages/test_conversion`, { method: "POST", body: streamed })
  expect(tested.status).toBe(529)
  expect((await fetch(`${proxy.url}/health`)).status).toBe(200)
  const counted = await fetch(`${proxy.url}/v1/messages/count_tokens`, { method: "POST", body: streamed })
  expect(counted.status).toBe(200)
  expect(upstream.turns().length).toBe(1)
})

test("without the setting as many run as come", async () => {
  const { proxy, upstream } = start(() => stalled)
  await Promise.all(Array.from({ length: 20 }, () => listen(postStream(proxy))))
  expect(upstream.inFlight()).toBe(20)
})

test("the limit is the limit: of many at once so many run, and all the others are told", async () => {
  const { proxy, upstream } = start(() => stalled, { env: { MAX_CONCURRENT_REQUESTS: "3" } })
  const answers = await Promise.all(Array.from({ length: 12 }, () => postStream(proxy)))
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
  expect(statuses).toEqual([200, 200, 200, ...Array(9).fill(529)])
  expect(upstream.mostInFlight()).toBe(3)
})

const paths = ["/v1/messages", "/v1/chat/completions"]

test.each(paths)("%s: a place is free after a whole reply, a stream and a failure", async (path) => {
  const turns: readonly Turn[] = [
    good,
    { kind: "stream", chunks: [textChunk("a"), finishChunk("stop")] },
    { kind: "json", status: 400, body: { error: { message: "no" } } },
    { kind: "stream", chunks: [textChunk("a")], cut: "reset" },
  ]
  const { proxy } = start([...turns, ...turns, good], one)
  const ask = async (stream: boolean) => {
    const body = JSON.stringify({ ...basicBody, stream })
    const response = await fetch(`${proxy.url}${path}`, { method: "POST", body })
    await response.text()
    return response.status
  }
  for (let round = 0; round < 2; round++) {
    const statuses = [await ask(false), await ask(true), await ask(false), await ask(true)]
    expect(statuses).toEqual([200, 200, 400, 200])
  }
  expect(await ask(false)).toBe(200)
})

test("a place is free when the client leaves: in a stream, before the reply, while it sends its body", async () => {
  const script = (_body: unknown, turn: number): Turn =>
    turn === 0 ? stalled : turn === 1 ? { kind: "stall" } : good
  const { proxy, upstream } = start(script, one)
  const heard = await rawClient(proxy.port, { text: postText("/v1/messages", streamed) })
  await until(() => heard.heard().includes("one"))
  heard.leave()
  await until(() => upstream.inFlight() === 0)

  const waiting = await rawClient(proxy.port, { text: postText("/v1/messages", streamed) })
  await until(() => upstream.inFlight() === 1)
  waiting.leave()
  await untilFree(proxy)

  const text = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"
  const sending = await rawClient(proxy.port, { text })
  await untilTaken(proxy)
  sending.leave()
  await untilFree(proxy)
})

test("a place is free when a client that does not read leaves", async () => {
  const chunks = Array.from({ length: 3000 }, () => textChunk("x".repeat(10_000)))
  const script = (_body: unknown, turn: number): Turn => (turn === 0 ? { kind: "stream", chunks } : good)
  const { proxy } = start(script, one)
  const client = await rawClient(proxy.port, { text: postText("/v1/messages", streamed), paused: true })
  await untilTaken(proxy)
  client.leave()
  await untilFree(proxy)
})

test("what is refused for another reason takes no place", async () => {
  const { proxy } = start(() => good, {
    env: { MAX_CONCURRENT_REQUESTS: "1", ALLOWED_API_KEYS: "key-one-1" },
  })
  for (let index = 0; index < 3; index++) expect((await post(proxy)).status).toBe(401)
  const headers = { "x-api-key": "key-one-1" }
  for (let index = 0; index < 3; index++)
    expect((await post(proxy, {}, { headers, body: "{" })).status).toBe(400)
  expect((await post(proxy, {}, { headers })).status).toBe(200)
})
