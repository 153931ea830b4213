// Treacherous streams, one test for each number, as bytes over a socket: how they are framed, how they break
// off, how long they are silent, and who leaves.
import { afterEach, expect, test } from "bun:test"
import { arrayOf, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { eventsOf, jsonOf, listen, post, postStream, start, stopAll, typesOf } from "../server/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import {
  chatReply,
  chatUsage,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  usageChunk,
} from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { contentOf, foldParsed } from "./support.ts"

afterEach(stopAll)

const once = { env: { MAX_RETRIES: "0" } }
const never = new Promise<void>(() => {})

test("56: comments, blank lines, CRLF, BOM, no space, several data lines, characters cut by the network", async () => {
  const text =
    '\uFEFF: OPENROUTER PROCESSING\r\n\r\n\ndata:{"choices":[{"delta":{"content":"漢"}}]}\r\n\r\n' +
    'event: x\rdata: {"choices":\rdata: [{"delta":{"content":"é🎯"},"finish_reason":"stop"}]}\r\r' +
    ": keep-alive\n\nid: 7\nretry: 5\n\ndata:[DONE]"
  const bytes = new TextEncoder().encode(text)
  const letters = [...bytes].map((byte) => new Uint8Array([byte]))
  const thirds = [bytes.slice(0, 70), bytes.slice(70, 71), bytes.slice(71)]
  for (const pieces of [[bytes], letters, thirds]) {
    const steps = pieces.flatMap((piece, at) => (at % 16 === 15 ? [{ pauseMs: 1 }, piece] : [piece]))
    const { proxy } = start([{ kind: "raw", steps }], once)
    const reply = foldParsed(await eventsOf(postStream(proxy)))
    expect(contentOf(reply)).toEqual(["text: 漢é🎯"])
    expect(reply["stop_reason"]).toBe("end_turn")
  }
})

test("57: a finish reason without [DONE] is an end; bytes that stop without either are an error event", async () => {
  const said = [roleChunk(), textChunk("a")]
  const whole = start([{ kind: "stream", chunks: [...said, finishChunk("stop")], done: false }], once)
  const good = await eventsOf(postStream(whole.proxy))
  expect(typesOf(good).slice(-2)).toEqual(["message_delta", "message_stop"])
  for (const cut of ["clean", "reset"] as const) {
    const { proxy } = start([{ kind: "stream", chunks: said, cut }], once)
    const events = await eventsOf(postStream(proxy))
    expect(checkGrammar(events)).toEqual([])
    expect(typesOf(events)).toEqual(["message_start", "content_block_start", "content_block_delta", "error"])
    expect(objectOf(events.at(-1)?.["error"])["type"]).toBe("api_error")
  }
})

test("58: a stream cut before its first word is asked for again, or ends in an error and never cleanly", async () => {
  const cut: Turn = { kind: "stream", chunks: [roleChunk()], cut: "reset" }
  const good: Turn = { kind: "stream", chunks: [textChunk("a"), finishChunk("stop")] }
  const again = start([cut, good])
  expect(contentOf(foldParsed(await eventsOf(postStream(again.proxy))))).toEqual(["text: a"])
  expect(again.upstream.turns().length).toBe(2)
  const alone = start([cut], once)
  const response = await postStream(alone.proxy)
  expect(response.status).toBe(502)
  expect(objectOf((await jsonOf(response))["error"])["type"]).toBe("api_error")
  const late: Turn = { kind: "stream", chunks: [roleChunk(), { pauseMs: 80 }], cut: "clean" }
  const begun = start([late], { ...once, times: { commitMs: 20 } })
  const events = await eventsOf(postStream(begun.proxy))
  expect(typesOf(events)).toEqual(["message_start", "error"])
})

const errorChunks: readonly (readonly [JsonObject, number, string])[] = [
  [{ error: { message: "slow down", type: "rate_limit_error", code: 429 } }, 429, "rate_limit_error"],
  [
    { error: { message: "no", code: 502 }, choices: [{ delta: {}, finish_reason: "error" }] },
    502,
    "api_error",
  ],
  [{ object: "error", message: "too busy", code: 503 }, 529, "overloaded_error"],
  [{ error: "the engine is gone" }, 502, "api_error"],
  [{ error: { message: "bad schema", type: "invalid_request_error" } }, 400, "invalid_request_error"],
]

test("59: an error as the very first data of a 200 is an HTTP error with its own status", async () => {
  for (const [chunk, status, type] of errorChunks) {
    const named: Turn = { kind: "raw", steps: [`event: error\ndata: ${JSON.stringify(chunk)}\n\n`] }
    for (const turn of [{ kind: "stream", chunks: [chunk] } as const, named]) {
      const { proxy } = start([turn], once)
      const response = await postStream(proxy)
      expect([chunk, response.status]).toEqual([chunk, status])
      const body = await jsonOf(response)
      expect(body).toMatchObject({
        type: "error",
        error: { type },
        request_id: response.headers.get("request-id"),
      })
    }
  }
})

test("60: an error after text is an error event, the last one, without a message_delta", async () => {
  for (const [chunk, , type] of errorChunks) {
    const { proxy } = start([{ kind: "stream", chunks: [textChunk("a"), chunk, textChunk("b")] }])
    const events = await eventsOf(postStream(proxy))
    expect(checkGrammar(events)).toEqual([])
    expect(typesOf(events)).toEqual(["message_start", "content_block_start", "content_block_delta", "error"])
    expect([chunk, objectOf(events.at(-1)?.["error"])["type"]]).toEqual([chunk, type])
  }
})

test("61: JSON in answer to a stream becomes the whole sequence of events, and nothing is asked twice", async () => {
  const call = { id: "call_12345", type: "function", function: { name: "Read", arguments: '{"a":1}' } }
  const message = { content: "So.", reasoning_content: "Hm.", tool_calls: [call] }
  const body = chatReply(message, "tool_calls", chatUsage(10, 5, 4))
  for (const turn of [
    { kind: "json", body } as const,
    { kind: "text", status: 200, body: JSON.stringify(body) } as const,
  ]) {
    const { proxy, upstream } = start([turn])
    const response = await postStream(proxy, { thinking: { type: "adaptive" } })
    expect(response.headers.get("content-type")).toStartWith("text/event-stream")
    const reply = foldParsed(await eventsOf(response))
    expect(contentOf(reply)).toEqual(["thinking: Hm.", "text: So.", 'Read {"a":1}'])
    expect(reply["stop_reason"]).toBe("tool_use")
    expect(reply["usage"]).toMatchObject({ input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 5 })
    expect(upstream.turns().length).toBe(1)
  }
})

// The clock goes this much faster: 400 s take four, and 150 ms are left of the shortest wait, as a busy machine pauses
// for half a second and more.
const speed = 100

test("62: through 400 s of silence the client gets pings and real events, and then the rest", async () => {
  const silence = { pauseMs: 400_000 / speed }
  const chunks = [reasoningChunk("Hm"), silence, textChunk("So."), finishChunk("stop"), usageChunk(3, 2)]
  const { proxy } = start([{ kind: "stream", chunks }], { speed, env: { REQUEST_TIMEOUT: "600" } })
  const response = await postStream(proxy, { thinking: { type: "adaptive" } })
  const arrivals: { readonly at: number; readonly real: boolean }[] = []
  const decoder = new TextDecoder()
  let text = ""
  for await (const bytes of response.body ?? []) {
    const piece = decoder.decode(bytes)
    arrivals.push({ at: performance.now() * speed, real: /content_block|message_/.test(piece) })
    text += piece
  }
  const gaps = (list: typeof arrivals) =>
    list
      .slice(1)
      .map(({ at }, before) => at - (list[before]?.at ?? 0))
      .toSorted((one, other) => one - other)
  // 15 s and 60 s, and what a busy machine adds: a pause of 1 s is 100 s here. The middle one shows how it goes on.
  const [all, real] = [gaps(arrivals), gaps(arrivals.filter((arrival) => arrival.real))]
  expect(all.at(-1)).toBeLessThan(160_000)
  expect(real.at(-1)).toBeLessThan(200_000)
  expect(all[Math.floor(all.length / 2)]).toBeLessThan(20_000)
  const events = parseAnthropicSse(text)
  expect(contentOf(foldParsed(events))).toEqual(["thinking: Hm", "text: So."])
  const empty = events.filter((event) => objectOf(event["delta"])["thinking"] === "")
  expect(empty.length).toBeGreaterThanOrEqual(4)
  // Those that a pause of the machine swallowed show as gaps of several beats.
  const swallowed = all.reduce((sum, gap) => sum + Math.max(0, Math.floor(gap / 15_000) - 1), 0)
  const pings = typesOf(events).filter((type) => type === "ping").length
  expect(pings + swallowed).toBeGreaterThanOrEqual(20)
})

test("65: a client that leaves takes its upstream request with it within a second", async () => {
  const turns: readonly Turn[] = [
    { kind: "stall" },
    { kind: "stream", chunks: [textChunk("a"), { until: never }] },
    { kind: "stream", chunks: [reasoningChunk("a"), { until: never }] },
  ]
  for (const turn of turns) {
    for (const ask of [post, postStream]) {
      const { proxy, upstream } = start([turn])
      const leaving = new AbortController()
      const pending = ask(proxy, {}, { signal: leaving.signal })
      const gone = listen(pending).catch(() => undefined)
      await until(() => upstream.inFlight() === 1)
      await Bun.sleep(20)
      const left = performance.now()
      leaving.abort()
      await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)
      expect((upstream.turns()[0]?.cancelledAt ?? 0) - left).toBeLessThan(1000)
      await gone
      await until(() => proxy.exchanges.length === 1, 1000)
      expect(proxy.exchanges.map(({ outcome }) => outcome.kind)).toEqual(["cancelled"])
      expect(arrayOf(upstream.turns()).length).toBe(1)
    }
  }
})
