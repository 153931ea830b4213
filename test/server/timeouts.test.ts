// REQUEST_TIMEOUT limits the upstream's silence, not the length of its reply.
import { afterEach, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply, finishChunk, roleChunk, textChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { rawUpstream, streamHead } from "./raw.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  post,
  postStream,
  start,
  startProxy,
  stopAll,
  textOf,
  typesOf,
} from "./support.ts"

afterEach(stopAll)

const env = { REQUEST_TIMEOUT: "0.6" }
const never = new Promise<void>(() => {})
const unanswered =
  "[generic] no connection to the upstream, or no first byte from it, within 0.6 s (REQUEST_TIMEOUT)"
const silent = "[generic] the upstream was silent for 0.6 s in mid-reply (REQUEST_TIMEOUT)"

test.each<[string, Turn, string]>([
  ["before the headers", { kind: "stall" }, unanswered],
  ["after the role", { kind: "stream", chunks: [roleChunk(), { until: never }] }, silent],
  ["in a document", { kind: "raw", steps: ['{"choices":[', { until: never }] }, silent],
])("silence %s is 504 and not repeated", async (_name, turn, message) => {
  const { upstream, proxy } = start([turn, turn, turn, turn], { env })
  for (const send of [post, postStream]) {
    const response = await send(proxy)
    expect(response.status).toBe(504)
    expect(objectOf((await jsonOf(response))["error"])).toEqual({ type: "timeout_error", message })
  }
  expect(upstream.turns().length).toBe(2)
  await until(() => upstream.inFlight() === 0, 500)
  expect(proxy.timers()).toBe(0)
})

test("silence behind the headers is told apart", async () => {
  const upstream = rawUpstream((socket) => socket.write(streamHead))
  const proxy = startProxy(upstream.url, { env })
  const message =
    "[generic] the upstream took the request and sent no byte of its reply within 0.6 s (REQUEST_TIMEOUT)"
  expect(await jsonOf(postStream(proxy))).toMatchObject({ error: { type: "timeout_error", message } })
  await until(() => upstream.open() === 0)
  expect([upstream.requests(), proxy.timers()]).toEqual([1, 0])
})

test("silence after the answer has begun is an error event", async () => {
  const { proxy } = start([{ kind: "stall" }], { env, times: { commitMs: 20 } })
  const events = await eventsOf(postStream(proxy))
  expect(typesOf(events)).toEqual(["message_start", "error"])
  expect(events.at(-1)?.["error"]).toEqual({ type: "timeout_error", message: unanswered })
})

test("silence between bytes is an error event, last of all", async () => {
  const { upstream, proxy } = start([{ kind: "stream", chunks: [textChunk("one"), { until: never }] }], {
    env,
  })
  const events = await eventsOf(postStream(proxy))
  expect(checkGrammar(events)).toEqual([])
  expect(textOf(events)).toBe("one")
  expect(events.at(-1)?.["error"]).toEqual({ type: "timeout_error", message: silent })
  await until(() => upstream.inFlight() === 0, 500)
})

test.each([
  ["comments", ": keep-alive\n\n"],
  ["blank lines", "\n"],
  ["chunks that say nothing", 'data: {"choices":[]}\n\n'],
])("%s count as bytes", async (_name, text) => {
  const noise = Array.from({ length: 7 }, () => [{ pauseMs: 110 }, text]).flat()
  const steps = [...noise, textChunk("late"), ...noise, finishChunk("stop"), "data: [DONE]\n\n"]
  const { proxy } = start([{ kind: "raw", steps }], { env })
  expect(textOf(await eventsOf(postStream(proxy)))).toBe("late")
})

test("blank lines before a document count too", async () => {
  const noise = Array.from({ length: 7 }, () => [{ pauseMs: 110 }, "\n"]).flat()
  const { proxy } = start([{ kind: "raw", steps: [...noise, JSON.stringify(chatReply({ content: "x" }))] }], {
    env,
  })
  expect((await post(proxy)).status).toBe(200)
})

test("slow but steady is fine, however long it takes", async () => {
  const words = Array.from({ length: 12 }, (_, number) => `${number} `)
  const chunks = [...words.map(textChunk), finishChunk("stop")]
  const { proxy } = start([{ kind: "stream", chunks, delayMs: 100 }], { env })
  expect(textOf(await eventsOf(postStream(proxy)))).toBe(words.join(""))
})

test("an error whose page never ends keeps nobody waiting", async () => {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue("no such thing"),
          pull: () => never,
        }),
        { status: 400 },
      ),
  })
  cleanUp(() => server.stop(true))
  const proxy = startProxy(`http://127.0.0.1:${server.port}/v1`, { speed: 20 })
  const response = await post(proxy)
  expect(response.status).toBe(400)
  expect(objectOf((await jsonOf(response))["error"])["message"]).toBe("[generic] no such thing")
  expect(proxy.timers()).toBe(0)
})
