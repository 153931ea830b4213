// What a client hears while the model is silent.
import { afterEach, expect, test } from "bun:test"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import {
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunk,
  usageChunk,
} from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Step } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { eventsOf, listen, post, postStream, start, stopAll, textOf, typesOf } from "./support.ts"

afterEach(stopAll)

const quick = { commitMs: 40, pingMs: 20, keepAliveMs: 60 }

const end: readonly Step[] = [finishChunk("stop"), usageChunk(3, 2)]

test("a silent upstream: 200 after the commit delay, message_start, pings, real but empty events", async () => {
  const go = Promise.withResolvers<void>()
  const chunks = [{ until: go.promise }, textChunk("late"), ...end]
  const { proxy } = start([{ kind: "stream", chunks: [roleChunk(), ...chunks] }], { times: quick })
  const from = performance.now()
  const heard = await listen(postStream(proxy))
  expect(performance.now() - from).toBeWithin(30, 1000)
  expect(heard.response.status).toBe(200)
  await until(() => heard.text().split("event: message_delta").length > 2)
  go.resolve()
  expect(await heard.ended).toBe("complete")
  const events = parseAnthropicSse(heard.text())
  expect(checkGrammar(events)).toEqual([])
  const types = typesOf(events)
  expect(types[0]).toBe("message_start")
  expect(types.filter((type) => type === "ping").length).toBeGreaterThanOrEqual(2)
  const interim = {
    type: "message_delta",
    delta: { stop_reason: null, stop_sequence: null },
    usage: { output_tokens: 0 },
  }
  expect(events.find((event) => event["type"] === "message_delta")).toEqual(interim)
  expect(textOf(events)).toBe("late")
  expect(proxy.exchanges.map((exchange) => exchange.outcome.kind)).toEqual(["completed"])
})

test.each([
  ["text", [textChunk("so")], { type: "text_delta", text: "" }],
  ["thinking", [reasoningChunk("so")], { type: "thinking_delta", thinking: "" }],
  [
    "tool",
    [toolChunk({ index: 0, id: "call_1", name: "Read", args: '{"a"' })],
    { type: "input_json_delta", partial_json: "" },
  ],
])("silence in mid-stream with a %s block open", async (name, before, empty) => {
  const go = Promise.withResolvers<void>()
  const rest =
    name === "tool"
      ? [toolChunk({ index: 0, args: ":1}" }), finishChunk("tool_calls")]
      : [textChunk("!"), ...end]
  const chunks = [...before, { until: go.promise }, ...rest]
  const { proxy } = start([{ kind: "stream", chunks }], { times: { pingMs: 20, keepAliveMs: 50 } })
  const tools = [{ name: "Read", input_schema: { type: "object" } }]
  const heard = await listen(postStream(proxy, { tools, thinking: { type: "adaptive" } }))
  const sent = `"delta":${JSON.stringify(empty)}`
  await until(() => heard.text().split(sent).length > 3 && heard.text().includes("event: ping"))
  go.resolve()
  await heard.ended
  const events = parseAnthropicSse(heard.text())
  expect(checkGrammar(events)).toEqual([])
  const kept = events.filter((event) => JSON.stringify(event["delta"]) === JSON.stringify(empty))
  expect(new Set(kept.map((event) => event["index"]))).toEqual(new Set([0]))
})

// Claude Code gives a stream up that brings no event for 300 s, and the upstream may say for longer that it is busy.
test.each<[string, Step]>([
  ["comments", ": OPENROUTER PROCESSING\n\n"],
  ["chunks that say nothing", roleChunk()],
])("%s of the upstream do not stand for events", async (_name, quiet) => {
  const chunks = [textChunk("so"), ...Array.from({ length: 80 }, () => quiet), textChunk("!"), ...end]
  const times = { pingMs: 20, keepAliveMs: 50 }
  const { proxy } = start([{ kind: "stream", chunks, delayMs: 10 }], { times })
  const events = await eventsOf(postStream(proxy))
  const empty = JSON.stringify({ type: "text_delta", text: "" })
  const kept = events.filter((event) => JSON.stringify(event["delta"]) === empty)
  expect(kept.length).toBeGreaterThan(2)
  expect(textOf(events)).toBe("so!")
})

test("heartbeats among fast chunks change nothing of what is said", async () => {
  const words = Array.from({ length: 60 }, (_, number) => `${number} `)
  const chunks = [...words.map(textChunk), ...end]
  const { proxy } = start([{ kind: "stream", chunks, delayMs: 2 }], { times: { pingMs: 2, keepAliveMs: 3 } })
  const events = await eventsOf(postStream(proxy))
  expect(checkGrammar(events)).toEqual([])
  expect(textOf(events)).toBe(words.join(""))
})

test("no heartbeat before the status, and none in a whole reply", async () => {
  const turn = { kind: "stream", headersDelayMs: 60, chunks: [textChunk("hi"), ...end] } as const
  const { proxy } = start([turn, turn], { times: { pingMs: 4, keepAliveMs: 8 } })
  const events = await eventsOf(postStream(proxy))
  expect(typesOf(events).slice(0, 2)).toEqual(["message_start", "content_block_start"])
  expect((await post(proxy)).headers.get("content-type")).toContain("application/json")
})

test("no timer is left after a stream, an error, or a client that went away", async () => {
  const go = Promise.withResolvers<void>()
  const { proxy } = start(
    (_body, turn) =>
      [
        { kind: "stream" as const, chunks: [textChunk("a"), ...end] },
        { kind: "stream" as const, chunks: [textChunk("a")], cut: "reset" as const },
        { kind: "json" as const, status: 400, body: { error: { message: "no" } } },
        { kind: "stream" as const, chunks: [textChunk("a"), { until: go.promise }] },
        { kind: "stream" as const, chunks: [{ until: go.promise }] },
      ][turn] ?? { kind: "stall" as const },
    { times: { ...quick, afterFinishMs: 50 } },
  )
  await eventsOf(postStream(proxy))
  await eventsOf(postStream(proxy))
  await post(proxy).then((response) => response.text())
  for (const count of [4, 5]) {
    const leaving = new AbortController()
    const heard = await listen(postStream(proxy, {}, { signal: leaving.signal }))
    await until(() => heard.text() !== "")
    expect(proxy.timers()).toBeGreaterThan(0)
    leaving.abort()
    await until(() => proxy.exchanges.length === count)
  }
  await until(() => proxy.timers() === 0, 1000)
  expect(proxy.exchanges.map((exchange) => exchange.outcome.kind)).toEqual([
    "completed",
    "failed",
    "failed",
    "cancelled",
    "cancelled",
  ])
})

test("the first ping comes after message_start, the events after it in order", async () => {
  const chunks: readonly Step[] = [{ pauseMs: 150 }, textChunk("a"), { pauseMs: 80 }, textChunk("b"), ...end]
  const { proxy } = start([{ kind: "stream", chunks }], { times: { ...quick, keepAliveMs: 1000 } })
  const events = await eventsOf(postStream(proxy))
  expect(typesOf(events).filter((type) => type !== "ping")).toEqual([
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ])
  expect(typesOf(events)[1]).toBe("ping")
})
