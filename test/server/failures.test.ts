// Our own mistakes: said in an event or a 500, never by a broken socket, and never twice.
import { afterEach, describe, expect, test } from "bun:test"
import type { Fault } from "../../src/protocol/fault.ts"
import { encodeEvent, pingEvent } from "../../src/protocol/messages/encode.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { type EventSource, eventReply } from "../../src/server/http/event-reply.ts"
import { internalFault } from "../../src/server/http/respond.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { chatReply, finishChunk, textChunk } from "../support/chunks.ts"
import { later } from "../upstream/later.ts"
import {
  cleanUp,
  createClock,
  eventsOf,
  jsonOf,
  post,
  postStream,
  start,
  stopAll,
  typesOf,
} from "./support.ts"

afterEach(stopAll)

const delta: MessagesEvent = {
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text: "x" },
}

interface Made {
  readonly source: EventSource
  readonly faults: Fault[]
}

function makeSource(given: Pick<EventSource, "next"> & Partial<EventSource>): Made {
  const faults: Fault[] = []
  const left = new AbortController()
  const source = {
    keepAlive: () => [],
    leave: () => left.abort(),
    left: left.signal,
    fail: (error: unknown) => {
      faults.push(internalFault(error))
      return internalFault(error)
    },
    ...given,
  }
  return { source, faults }
}

const encoder = { encode: (event: MessagesEvent) => encodeEvent(event, "req_1"), ping: pingEvent }

/** A server that answers with this source, so that a reset of the socket would be seen. */
function serveSource(source: EventSource, clock = createClock()) {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () =>
      eventReply([delta], source, {
        requestId: "req_1",
        clock,
        times: { pingMs: 20, keepAliveMs: 30 },
        encoder,
      }),
  })
  cleanUp(() => server.stop(true))
  return { clock, get: async () => parseAnthropicSse(await (await fetch(server.url)).text()) }
}

const internal = {
  type: "error",
  error: { type: "api_error", message: "internal error of the proxy (RangeError)" },
  request_id: "req_1",
}

describe("an exception in the stream is an error event", () => {
  test.each<[string, () => ReturnType<EventSource["next"]>]>([
    [
      "thrown",
      () => {
        throw new RangeError("secret detail")
      },
    ],
    ["rejected", () => Promise.reject(new RangeError("secret detail"))],
  ])("%s by the source", async (_name, next) => {
    const made = makeSource({ next })
    const { clock, get } = serveSource(made.source)
    expect((await get()).at(-1)).toEqual(internal)
    expect(made.faults.length).toBe(1)
    expect(clock.live()).toBe(0)
  })

  test("while writing an event", async () => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    const block = { type: "tool_use", id: "a", name: "b", input: { cyclic } } as const
    const made = makeSource({
      next: later(() => [{ type: "content_block_start", index: 1, content_block: block }]),
    })
    const { get } = serveSource(made.source)
    expect(typesOf(await get())).toEqual(["content_block_delta", "error"])
  })

  test("in a heartbeat", async () => {
    const made = makeSource({
      next: () => new Promise(() => {}),
      keepAlive: () => {
        throw new RangeError("secret detail")
      },
    })
    const { clock, get } = serveSource(made.source)
    expect((await get()).at(-1)).toEqual(internal)
    expect(clock.live()).toBe(0)
  })
})

test("a listener that throws harms no request", async () => {
  const onExchange = () => {
    throw new Error("the listener broke")
  }
  const { proxy } = start(
    [
      { kind: "stream", chunks: [textChunk("hi"), finishChunk("stop")] },
      { kind: "json", body: chatReply({ content: "hi" }) },
    ],
    { onExchange },
  )
  expect(typesOf(await eventsOf(postStream(proxy))).at(-1)).toBe("message_stop")
  expect((await post(proxy)).status).toBe(200)
  expect(proxy.logs.map(({ message }) => message)).toEqual(["internal error", "internal error"])
})

test("every answer carries an id of its own, and an error says it in its body too", async () => {
  const { proxy } = start(() => ({ kind: "json", status: 400, body: { error: { message: "no" } } }))
  const ids = new Set<string | null>()
  for (const answer of [post(proxy), post(proxy, { messages: [] }), fetch(`${proxy.url}/nowhere`)]) {
    const response = await answer
    ids.add(response.headers.get("request-id"))
    expect((await jsonOf(response))["request_id"]).toBe(response.headers.get("request-id"))
  }
  for (const path of ["/", "/health", "/v1/models"]) {
    ids.add((await fetch(proxy.url + path)).headers.get("request-id"))
  }
  expect(ids.size).toBe(6)
  for (const id of ids) expect(id).toMatch(/^req_[0-9A-Za-z]{24}$/)
})
