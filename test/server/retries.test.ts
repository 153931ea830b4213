// An upstream that fails: what is repeated inside the proxy, how often, and what the client is told.
import { afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply, finishChunk, roleChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { freePort } from "../support/free-port.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Turn } from "../support/script.ts"
import type { ScriptedUpstream } from "../support/upstream.ts"
import { chunked, dataLines, rawUpstream, streamHead } from "./raw.ts"
import {
  eventsOf,
  jsonOf,
  post,
  postStream,
  start,
  startProxy,
  stopAll,
  type TestProxy,
  textOf,
  typesOf,
} from "./support.ts"

afterEach(stopAll)

// The pauses between attempts, a hundred times shorter.
const quick = { speed: 100, times: { commitMs: 1_000_000 } }

const good: Turn = {
  kind: "stream",
  chunks: [roleChunk(), textChunk("fine"), finishChunk("stop"), usageChunk(3, 1)],
}
const failing = (status: number, headers: Readonly<Record<string, string>> = {}): Turn => ({
  kind: "json",
  status,
  headers,
  body: { error: { message: `this is ${status}` } },
})
const errorChunk = { error: { message: "worker crashed", code: 500 } }

const before: Readonly<Record<string, Turn>> = {
  "500": failing(500),
  "502 as HTML": { kind: "text", status: 502, body: "<html><body>Bad gateway</body></html>" },
  "503": failing(503),
  "529": failing(529),
  "408": failing(408),
  "409": failing(409),
  "425": failing(425),
  "429 with a short retry-after": failing(429, { "retry-after": "1" }),
  "429 with retry-after-ms": failing(429, { "retry-after-ms": "300" }),
  "a cut after the role": { kind: "stream", chunks: [roleChunk()], cut: "clean" },
  "a reset after the role": { kind: "stream", chunks: [roleChunk()], cut: "reset" },
  "an error in the first chunk": { kind: "stream", chunks: [errorChunk] },
  "an error after the role": { kind: "stream", chunks: [roleChunk(), errorChunk] },
  "an error event": { kind: "raw", steps: ['event: error\ndata: {"message":"overloaded"}\n\n'] },
  "an error field (llama.cpp)": {
    kind: "raw",
    steps: ['error: {"code":500,"message":"overloaded","type":"server_error"}\n\ndata: [DONE]\n\n'],
  },
  "plain text in the first chunk": { kind: "raw", steps: ["data: upstream connect error\n\n"] },
  "an empty body": { kind: "text", status: 200, body: "" },
  "a body of blank lines": { kind: "text", status: 200, body: "\n\n\n" },
  "[DONE] and nothing else": { kind: "stream", chunks: [] },
  "[DONE] after the role": { kind: "stream", chunks: [roleChunk()] },
  "HTML with status 200": { kind: "text", status: 200, body: "<!doctype html><title>Welcome</title>" },
  "an error as JSON with status 200": { kind: "json", body: { error: { message: "try later", code: 503 } } },
  "half a JSON document": { kind: "text", status: 200, body: '{"choices":[' },
  "JSON that is no completion": { kind: "json", body: { status: "ok" } },
}

describe.each(["stream", "plain"] as const)("%s: a failure before the first content", (kind) => {
  const send = kind === "stream" ? postStream : post
  const answer = async (response: Response) =>
    kind === "stream" ? textOf(await eventsOf(response)) : textOfReply(await jsonOf(response))

  test.each(Object.entries(before))(
    "%s: repeated, and the client sees nothing of it",
    async (_name, turn) => {
      const { upstream, proxy } = start([turn, turn, good], quick)
      const response = await send(proxy)
      expect(response.status).toBe(200)
      expect(await answer(response)).toBe("fine")
      expect(upstream.turns().length).toBe(3)
      expect(new Set(upstream.turns().map((request) => request.text)).size).toBe(1)
      expect(proxy.exchanges.map(({ attempts, outcome }) => [attempts, outcome.kind])).toEqual([
        [3, "completed"],
      ])
      expect(proxy.logs.filter(({ level }) => level === "error")).toEqual([])
    },
  )

  test.each(Object.entries(before))("%s: given up after MAX_RETRIES", async (_name, turn) => {
    const { upstream, proxy } = start([turn, turn, good], { ...quick, env: { MAX_RETRIES: "1" } })
    const response = await send(proxy)
    const error = await jsonOf(response)
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(error["type"]).toBe("error")
    expect(upstream.turns().length).toBe(2)
    expect(proxy.exchanges.map(({ attempts, outcome }) => [attempts, outcome.kind])).toEqual([[2, "failed"]])
  })

  test("MAX_RETRIES=0: one attempt", async () => {
    const { upstream, proxy } = start([failing(500), good], { ...quick, env: { MAX_RETRIES: "0" } })
    expect((await send(proxy)).status).toBe(500)
    expect(upstream.turns().length).toBe(1)
  })

  test.each([
    [400, 400, "invalid_request_error"],
    [401, 401, "authentication_error"],
    [402, 402, "billing_error"],
    [403, 403, "permission_error"],
    [404, 502, "api_error"],
    [405, 502, "api_error"],
    [413, 413, "request_too_large"],
    [422, 400, "invalid_request_error"],
  ])("%d: never repeated", async (status, ours, type) => {
    const { upstream, proxy } = start([failing(status), good], quick)
    const response = await send(proxy)
    expect(response.status).toBe(ours)
    expect(objectOf((await jsonOf(response))["error"])["type"]).toBe(type)
    expect(upstream.turns().length).toBe(1)
  })

  test("connection refused, then fine", async () => {
    const port = freePort()
    const url = `http://127.0.0.1:${port}/v1`
    const proxy = startProxy(url, { env: { MAX_RETRIES: "8" }, ...quick, speed: 10 })
    const pending = send(proxy)
    await Bun.sleep(60)
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port,
      fetch: () => Response.json(chatReply({ content: "fine" })),
    })
    const response = await pending
    expect(response.status).toBe(200)
    expect(await answer(response)).toBe("fine")
    await server.stop(true)
    expect(proxy.exchanges[0]?.attempts).toBeGreaterThan(1)
  })

  test("reset before the headers, exactly one more request", async () => {
    const upstream = rawUpstream((socket, request) => {
      if (request === 0) socket.reset()
      else
        socket.write(
          streamHead + chunked(dataLines(textChunk("fine"), finishChunk("stop"), "[DONE]")) + chunked(""),
        )
    })
    const proxy = startProxy(upstream.url, { ...quick, times: { ...quick.times, afterFinishMs: 100 } })
    expect(await answer(await send(proxy))).toBe("fine")
    expect(upstream.requests()).toBe(2)
  })
})

function textOfReply(reply: Readonly<Record<string, unknown>>): string {
  const content = Array.isArray(reply["content"]) ? reply["content"] : []
  return content.map((block) => String(objectOf(block)["text"])).join("")
}

test.each(Object.entries(before))("%s: repeated also after the answer has begun", async (_name, turn) => {
  const slow: Turn = turn.kind === "stream" || turn.kind === "json" ? { ...turn, headersDelayMs: 60 } : turn
  const late: Turn = { ...good, headersDelayMs: 60 }
  const { upstream, proxy } = start([slow, late], { speed: 10, times: { commitMs: 100 } })
  const events = await eventsOf(postStream(proxy))
  expect(checkGrammar(events)).toEqual([])
  expect(textOf(events)).toBe("fine")
  expect(typesOf(events).at(-1)).toBe("message_stop")
  expect(upstream.turns().length).toBe(2)
})

test("an error that is final after the answer has begun is an error event", async () => {
  const turn: Turn = {
    kind: "json",
    status: 400,
    body: { error: { message: "bad tool" } },
    headersDelayMs: 80,
  }
  const { upstream, proxy } = start([turn], { times: { commitMs: 20 } })
  const response = await postStream(proxy)
  expect(response.status).toBe(200)
  const events = await eventsOf(response)
  expect(checkGrammar(events)).toEqual([])
  expect(typesOf(events).filter((type) => type !== "ping")).toEqual(["message_start", "error"])
  expect(events.at(-1)).toEqual({
    type: "error",
    error: { type: "invalid_request_error", message: "[generic] bad tool" },
    request_id: response.headers.get("request-id"),
  })
  expect(upstream.turns().length).toBe(1)
})

test.each([
  ["retry-after in seconds", { "retry-after": "30" }, "30"],
  ["retry-after-ms", { "retry-after-ms": "29001" }, "30"],
  ["a date", { "retry-after": new Date(Date.now() + 50_000).toUTCString() }, undefined],
])("a long wait is the client's: %s", async (_name, headers, seconds) => {
  const { upstream, proxy } = start([failing(429, headers), good])
  const from = performance.now()
  const response = await postStream(proxy)
  expect(performance.now() - from).toBeLessThan(1000)
  expect(response.status).toBe(429)
  const told = response.headers.get("retry-after")
  if (seconds === undefined) expect(Number(told)).toBeWithin(10, 52)
  else expect(told).toBe(seconds)
  expect(response.headers.get("x-should-retry")).toBe(null)
  expect(upstream.turns().length).toBe(1)
})

test.each([7_200_000, -7_200_000])(
  "a date is read by the upstream's clock, %d ms from this one",
  async (off) => {
    const at = (ms: number) => new Date(Date.now() + off + ms).toUTCString()
    const { upstream, proxy } = start([failing(429, { date: at(0), "retry-after": at(50_000) })])
    const told = Number((await post(proxy)).headers.get("retry-after"))
    expect([told >= 48 && told <= 52, upstream.turns().length]).toEqual([true, 1])
  },
)

test("a 429 that says in milliseconds of the epoch when its limit is free again (OpenRouter)", async () => {
  const reset = String(Date.now() + 40_000)
  const { upstream, proxy } = start([failing(429, { "x-ratelimit-reset": reset })])
  const response = await post(proxy)
  expect(response.status).toBe(429)
  const wait = Number(response.headers.get("retry-after"))
  expect(wait >= 38 && wait <= 41).toBe(true)
  expect(upstream.turns()).toHaveLength(1)
})

test("a wait of more than a minute is said, and no client is asked to sit it out", async () => {
  const { proxy } = start([failing(429, { "retry-after": "3600" })])
  const response = await postStream(proxy)
  expect(response.headers.get("retry-after")).toBe("3600")
  expect(response.headers.get("x-should-retry")).toBe("false")
})

test.each<[string, (date: Date) => string]>([
  ["as HTTP writes it", (date) => date.toUTCString()],
  ["in numbers", (date) => date.toISOString()],
])(
  "a date that is near is obeyed: %s",
  async (_name, write) => {
    const soon = write(new Date(Date.now() + 2_000))
    const { upstream, proxy } = start([failing(429, { "retry-after": soon }), good])
    expect(textOf(await eventsOf(postStream(proxy)))).toBe("fine")
    const [first, second] = upstream.turns()
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeWithin(900, 4_000)
  },
  10_000,
)

/** How long the proxy meant to wait before each further attempt, in milliseconds. */
const waitsOf = ({ logs }: TestProxy): readonly number[] =>
  logs.flatMap(({ fields }) => (typeof fields["waitMs"] === "number" ? [fields["waitMs"]] : []))

/** It has waited for so long, and for however long the machine took beside it. */
function checkGaps({ turns }: ScriptedUpstream, waits: readonly number[]): void {
  const at = turns().map((turn) => turn.at)
  for (const [index, wait] of waits.entries())
    expect((at[index + 1] ?? 0) - (at[index] ?? 0)).toBeGreaterThanOrEqual(wait - 5)
}

test("the pauses grow, and no two are alike", async () => {
  const pauses = async () => {
    const { upstream, proxy } = start([failing(500), failing(500), good])
    expect(textOf(await eventsOf(postStream(proxy)))).toBe("fine")
    const waits = waitsOf(proxy)
    checkGaps(upstream, waits)
    return waits
  }
  const [first = 0, second = 0, ...more] = await pauses()
  expect(first).toBeWithin(125, 251)
  expect(second).toBeWithin(250, 501)
  expect(more).toEqual([])
  expect(await pauses()).not.toEqual([first, second])
}, 10_000)

test.each([
  ["30, 30", "30"],
  ["30.5, 7", "31"],
])("of two in one the first is told: %s", async (value, seconds) => {
  const { upstream, proxy } = start([failing(429, { "retry-after": value }), good])
  expect((await post(proxy)).headers.get("retry-after")).toBe(seconds)
  expect(upstream.turns()).toHaveLength(1)
})

test.each(["-5", "7/7", "soon"])("a retry-after that says nothing is none: %s", async (value) => {
  const { proxy } = start([failing(429, { "retry-after": value }), good])
  expect(textOf(await eventsOf(postStream(proxy)))).toBe("fine")
  expect(Math.min(...waitsOf(proxy))).toBeWithin(125, 251)
})

test("a short wait is obeyed", async () => {
  const { upstream, proxy } = start([failing(429, { "retry-after-ms": "150" }), good])
  expect(textOf(await eventsOf(postStream(proxy)))).toBe("fine")
  expect(waitsOf(proxy)).toEqual([150])
  checkGaps(upstream, [150])
})

const errorInWords = "event: error\ndata: upstream connect error\n\n"
const errorAsText = 'event: error\ndata: "upstream connect error"\n\n'
const emptyError = "event: error\ndata:\n\n"
const errorField = 'error: {"code":500,"message":"overloaded","type":"server_error"}\n\n'
const doneLine = "data: [DONE]\n\n"

describe("after content", () => {
  const content = [roleChunk(), textChunk("half")]
  test.each<[string, Turn]>([
    ["a clean cut", { kind: "stream", chunks: content, cut: "clean" }],
    ["a reset", { kind: "stream", chunks: content, cut: "reset" }],
    ["an error chunk", { kind: "stream", chunks: [...content, errorChunk] }],
    [
      "an error event",
      { kind: "raw", steps: [...content, 'event: error\ndata: {"message":"overloaded"}\n\n'] },
    ],
    ["an error event in words", { kind: "raw", steps: [...content, errorInWords, doneLine] }],
    ["an error field (llama.cpp)", { kind: "raw", steps: [...content, errorField, doneLine] }],
    ["words", { kind: "raw", steps: [...content, "data: upstream connect error\n\n", doneLine] }],
    ["half a chunk", { kind: "raw", steps: [...content, 'data: {"choices":[{"delta"\n\n', doneLine] }],
    ["an error event that is a text", { kind: "raw", steps: [...content, errorAsText, doneLine] }],
    ["an error event that says nothing", { kind: "raw", steps: [...content, emptyError, doneLine] }],
    [
      "an error in a choice",
      { kind: "stream", chunks: [...content, { choices: [{ error: { message: "x" } }] }] },
    ],
  ])("%s: an error event is the last one, and nothing is repeated", async (_name, turn) => {
    const { upstream, proxy } = start([turn, good], quick)
    const response = await postStream(proxy)
    const events = await eventsOf(response)
    expect(response.status).toBe(200)
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("half")
    expect(typesOf(events).at(-1)).toBe("error")
    expect(typesOf(events)).not.toContain("message_stop")
    expect(typesOf(events)).not.toContain("content_block_stop")
    expect(events.at(-1)?.["request_id"]).toBe(response.headers.get("request-id"))
    expect(upstream.turns().length).toBe(1)
    expect(proxy.exchanges.map((exchange) => exchange.outcome.kind)).toEqual(["failed"])
  })

  test("a cut after the finish reason harms nobody", async () => {
    const { proxy } = start([{ kind: "stream", chunks: [...content, finishChunk("stop")], cut: "reset" }])
    expect(typesOf(await eventsOf(postStream(proxy))).at(-1)).toBe("message_stop")
  })

  test("a clean end without [DONE] after the finish reason is an end", async () => {
    const { proxy } = start([{ kind: "stream", chunks: [...content, finishChunk("stop")], cut: "clean" }])
    expect(typesOf(await eventsOf(postStream(proxy))).at(-1)).toBe("message_stop")
  })
})
