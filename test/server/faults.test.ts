// Replies that are none, and what was once taken for one: the whole matrix is in test/e2e/faults.e2e.ts.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { removeFolders } from "../config/support.ts"
import { type MessagesTurn, nativeEvent, nativeEvents, nativeStream } from "../support/anthropic-upstream.ts"
import { chatReply } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Turn } from "../support/script.ts"
import {
  address,
  answering,
  chain,
  chat,
  native,
  nativeError,
  nativeFine,
  nativeMessage,
  nativeWhole,
  replyText,
} from "./fallbacks-support.ts"
import { rawUpstream } from "./raw.ts"
import { eventsOf, jsonOf, post, postStream, stopAll, textOf } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const key = "sk-key-of-model-0"
const once = { env: { MAX_RETRIES: "0" } }
const text = (body: string, type = "text/event-stream"): MessagesTurn => ({
  headers: { "content-type": type },
  steps: [body],
})
const chatEvents = 'data: {"choices":[{"delta":{"content":"hello"}}]}\n\ndata: [DONE]\n\n'

async function failureOf(response: Response) {
  const { message, type } = objectOf((await jsonOf(response))["error"])
  return { status: response.status, type, message: String(message) }
}

describe("a native upstream whose reply is no message", () => {
  const strange: readonly (readonly [string, MessagesTurn, RegExp])[] = [
    [
      "words as an event",
      text(`data: upstream connect error, key ${key}\n\n`),
      /upstream connect error, key \[red/,
    ],
    [
      "words behind a ping",
      text(`event: ping\ndata: {}\n\ndata: no healthy upstream\n\n`),
      /no healthy upstream/,
    ],
    ["words", text(`upstream connect error, key ${key}`, "text/plain"), /upstream connect error, key \[red/],
    ["bytes", text("\u0001\uFFFD\uFFFD\uFFFD"), /bytes that are no text.*check the base URL/],
    ["the events of another API", text(chatEvents), /events that are no message.*check the base URL/],
    [
      "a message without its beginning",
      text(nativeStream("x").slice(nativeStream("x").indexOf("event: content"))),
      /no message/,
    ],
    ["JSON that is nothing", text('{"hello":"world"}', "application/json"), /JSON that is no message/],
    [
      "the JSON of another API",
      text(JSON.stringify(chatReply({ content: "x" })), "application/json"),
      /JSON that is no message/,
    ],
  ]

  test.each(strange)("%s: it is an error, and tried again", async (_name, turn, words) => {
    const first = native([turn, turn, turn, turn])
    const proxy = chain([first], { env: { MAX_RETRIES: "1" } })
    for (const send of [post, postStream]) {
      const { status, type, message } = await failureOf(await send(proxy))
      expect(type).toBe(status === 529 ? "overloaded_error" : "api_error")
      expect(status).toBeOneOf([502, 529])
      expect(message).toMatch(words)
      expect(message).not.toContain(key)
    }
    expect(first.asked()).toBe(4)
    expect(proxy.exchanges.map(({ outcome, attempts }) => [outcome.kind, attempts])).toEqual([
      ["failed", 2],
      ["failed", 2],
    ])
  })

  test.each(strange)("%s: a fallback answers", async (_name, turn) => {
    const proxy = chain([native([turn, turn]), chat(answering("other"))], once)
    expect(replyText(await jsonOf(post(proxy)))).toBe("other")
    expect(textOf(await eventsOf(postStream(proxy)))).toBe("other")
  })

  test.each(strange)("%s: as a fallback it leads on", async (_name, turn) => {
    const dead = address("chat", "http://127.0.0.1:9/v1")
    const proxy = chain([dead, native([turn, turn]), chat(answering("third"))], once)
    expect(replyText(await jsonOf(post(proxy)))).toBe("third")
    const events = await eventsOf(postStream(proxy))
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("third")
  })
})

describe("a native reply with something around its message", () => {
  const around = `event: brand_new\ndata: {"type":"brand_new"}\n\ndata:\n\n${nativeStream("said")}data: [DONE]\n\n`

  test("streamed it goes out as it came", async () => {
    const proxy = chain([native([text(around)])])
    expect(await (await postStream(proxy)).text()).toBe(around)
    expect(proxy.exchanges).toMatchObject([{ outcome: { kind: "completed" } }])
  })

  test("whole it is the message alone", async () => {
    const proxy = chain([native([text(around)])])
    expect(replyText(await jsonOf(post(proxy)))).toBe("said")
  })

  test("words between its beginning and its first block are not taken for the block", async () => {
    const [start, ...rest] = nativeEvents("said").map((event) => nativeEvent(event))
    const cut = text(`${start}data: no healthy upstream\n\n`)
    const proxy = chain([native([cut, text(`${start}data: noise\n\n${rest.join("")}`)])], {
      env: { MAX_RETRIES: "1" },
    })
    const body = await (await postStream(proxy)).text()
    expect(body).toEndWith(rest.join(""))
    expect(proxy.exchanges).toMatchObject([{ attempts: 2, outcome: { kind: "completed" } }])
  })
})

describe("a native reply that is called something else", () => {
  test.each(["text/plain", "application/octet-stream", "application/json"])(
    "a stream called %s",
    async (type) => {
      const response = await postStream(chain([native([text(nativeStream("said"), type)])]))
      expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8")
      expect(await response.text()).toBe(nativeStream("said"))
    },
  )

  test.each(["text/plain", "text/event-stream"])("a document called %s", async (type) => {
    const body = JSON.stringify(nativeMessage("said"))
    const response = await post(chain([native([text(body, type)])]))
    expect(response.headers.get("content-type")).toBe("application/json")
    expect(await response.text()).toBe(body)
  })

  test("what is called by its name keeps it", async () => {
    const proxy = chain([native([nativeFine("a"), nativeWhole("b")])])
    expect((await postStream(proxy)).headers.get("content-type")).toBe("text/event-stream")
    expect((await post(proxy)).headers.get("content-type")).toBe("application/json")
  })
})

test.each([
  ["30", null],
  ["3600", "false"],
])("a native 429 for %s s says in x-should-retry: %s", async (seconds, told) => {
  const turn = nativeError(429, "rate_limit_error", { "retry-after": seconds })
  const response = await post(chain([native([turn])]))
  expect(await response.text()).toBe(String(turn.steps[0]))
  const { headers, status } = response
  expect([status, headers.get("retry-after"), headers.get("x-should-retry")]).toEqual([429, seconds, told])
})

describe("a Chat upstream that says in plain words what is wrong", () => {
  const said = (body: string): Turn => ({ kind: "text", status: 200, body })

  test.each([
    [`upstream connect error, key ${key}`, /\[generic\] upstream connect error, key \[redacted\]$/],
    ["error code: 1015", /error code: 1015$/],
    ["\u0001\uFFFD\uFFFD\uFFFD", /bytes that are no text/],
    [": a comment\n\n", /closed the connection before its reply began/],
    ['data: {"choi', /closed the connection before its reply began/],
    ["event: start", /closed the connection before its reply began/],
  ])("%j", async (body, words) => {
    const first = chat([said(body), said(body)])
    const proxy = chain([first], once)
    for (const send of [post, postStream]) {
      const { status, message } = await failureOf(await send(proxy))
      expect(status).toBe(502)
      expect(message).toMatch(words)
    }
  })

  test("words before good events are not taken for an end", async () => {
    const noise = "waiting for a worker\n\n"
    const chunks =
      'data: {"choices":[{"delta":{"content":"said"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    const proxy = chain([chat([{ kind: "raw", steps: [noise, chunks] }])], once)
    expect(textOf(await eventsOf(postStream(proxy)))).toBe("said")
  })
})

test.each([
  ["does not speak HTTP", "SSH-2.0-OpenSSH_9.9\r\n", /does not speak HTTP: check the port.*https:\/\//],
  [
    "says that it is compressed",
    "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 14\r\n\r\nnot compressed",
    /says that its reply is compressed, and it is not/,
  ],
])("an upstream that %s is named", async (_name, bytes, words) => {
  const upstream = rawUpstream((socket) => {
    socket.write(bytes)
    socket.end()
  })
  const proxy = chain([address("chat", upstream.url)], { env: { MAX_RETRIES: "1" } })
  const { status, message } = await failureOf(await post(proxy))
  expect(status).toBe(502)
  expect(message).toMatch(words)
  expect(upstream.requests()).toBe(2)
})
