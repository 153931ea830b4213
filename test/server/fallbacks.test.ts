// A model that fails, and the ones that stand in for it: what moves a request on, what the client sees of it, and what
// is known of it afterwards.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { removeFolders } from "../config/support.ts"
import { finishChunk, roleChunk, textChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { tlsFront } from "../upstream/http-proxy.ts"
import {
  address,
  answering,
  chain,
  chat,
  native,
  nativeFine,
  nativeWhole,
  type Place,
  replyText,
} from "./fallbacks-support.ts"
import { chunked, type RawSocket, rawUpstream, streamHead } from "./raw.ts"
import { eventsOf, jsonOf, post, postStream, stopAll, type TestProxy, textOf } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const never = new Promise<void>(() => {})
const failing = (status: number, headers: Readonly<Record<string, string>> = {}): Turn => ({
  kind: "json",
  status,
  headers,
  body: { error: { message: `this is ${status}` } },
})
const raw = (answer: (socket: RawSocket) => void) => () => address("chat", rawUpstream(answer).url)
const always = (turn: Turn) => () => chat(() => turn)

/** Everything that may go wrong with an upstream before its reply has begun; the number of times it is asked. */
const faults: Readonly<Record<string, readonly [make: () => Place | Promise<Place>, attempts: number]>> = {
  refused: [() => address("chat", "http://127.0.0.1:9/v1"), 1],
  "a host that nobody knows": [() => address("chat", "http://no-such-host.invalid/v1"), 1],
  "a certificate that nobody trusts": [
    async () => address("chat", `https://localhost:${await tlsFront(9)}/v1`),
    1,
  ],
  "no TLS where it is spoken": [
    () => address("chat", rawUpstream((socket) => socket.end()).url.replace("http:", "https:")),
    1,
  ],
  "a reset before the headers": [raw((socket) => socket.reset()), 3],
  "a reset behind the headers": [
    raw((socket) => {
      socket.write(streamHead)
      setTimeout(socket.reset, 20)
    }),
    3,
  ],
  "a reset within a document": [
    raw((socket) => {
      socket.write(`${streamHead}${chunked('{"choices":[{"mess')}`)
      setTimeout(socket.reset, 20)
    }),
    3,
  ],
  "a stall before the headers": [always({ kind: "stall" }), 1],
  "a stall behind the headers": [raw((socket) => socket.write(streamHead)), 1],
  "a stall after the role": [always({ kind: "stream", chunks: [roleChunk(), { until: never }] }), 1],
  "401": [always(failing(401)), 1],
  "402": [always(failing(402)), 1],
  "403": [always(failing(403)), 1],
  "404": [always(failing(404)), 1],
  "405": [always(failing(405)), 1],
  "408": [always(failing(408)), 3],
  "409": [always(failing(409)), 3],
  "425": [always(failing(425)), 3],
  "429": [always(failing(429)), 3],
  "429 with a short retry-after": [always(failing(429, { "retry-after": "1" })), 3],
  "429 with a long retry-after": [always(failing(429, { "retry-after": "3600" })), 1],
  "429 with a date": [
    always(failing(429, { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() })),
    1,
  ],
  "500": [always(failing(500)), 3],
  "503": [always(failing(503)), 3],
  "529": [always(failing(529)), 3],
  "502 as HTML": [always({ kind: "text", status: 502, body: "<html>Bad gateway</html>" }), 3],
  "200 as HTML": [always({ kind: "text", status: 200, body: "<html>Welcome</html>" }), 3],
  "truncated JSON": [always({ kind: "text", status: 200, body: '{"choices":[' }), 3],
  "garbage as events": [always({ kind: "raw", steps: ["data: upstream connect error\n\n"] }), 3],
  "an error as the first event": [
    always({ kind: "stream", chunks: [{ error: { message: "worker crashed", code: 500 } }] }),
    3,
  ],
  "an error after the role": [
    always({ kind: "stream", chunks: [roleChunk(), { error: { message: "crashed", code: 500 } }] }),
    3,
  ],
  "a cut after the role": [always({ kind: "stream", chunks: [roleChunk()], cut: "clean" }), 3],
  "a redirect": [always({ kind: "text", status: 307, body: "", headers: { location: "http://x/y" } }), 1],
  "an empty body": [always({ kind: "text", status: 200, body: "" }), 3],
  "an empty success": [always({ kind: "stream", chunks: [roleChunk(), finishChunk("stop")] }), 2],
}

// With a clock that is a hundred times faster this is less than a second.
const env = { REQUEST_TIMEOUT: "60" }
const patient = { env, times: { commitMs: 10_000_000 } }
const kinds = ["plain", "stream"] as const

const sendOf = (kind: (typeof kinds)[number]) => (kind === "stream" ? postStream : post)

async function textIn(kind: (typeof kinds)[number], response: Response): Promise<string> {
  if (kind === "plain") return replyText(await jsonOf(response))
  const events = await eventsOf(response)
  expect(checkGrammar(events)).toEqual([])
  return textOf(events)
}

async function settled(proxy: TestProxy): Promise<void> {
  await until(() => proxy.timers() === 0)
}

describe.each(kinds)("%s: the model fails before the first content", (kind) => {
  test.each(Object.entries(faults))("%s: a fallback answers", async (_name, [make, attempts]) => {
    const [first, second] = [await make(), chat(answering("from the fallback"))]
    const proxy = chain([first, second], patient)
    const response = await sendOf(kind)(proxy)
    expect(response.status).toBe(200)
    expect(response.headers.get("x-claude-proxy-route")).toContain("/u1; ")
    expect(await textIn(kind, response)).toBe("from the fallback")
    expect(second.asked()).toBe(1)
    expect(JSON.parse(second.texts()[0] ?? "")).toMatchObject({ model: "u1" })
    expect(second.headers()[0]?.["authorization"]).toBe("Bearer sk-key-of-model-1")
    await settled(proxy)
    expect(proxy.exchanges).toMatchObject([
      {
        ...{ model: "u1", requestedModel: "claude-opus-5-5", fallbackFrom: "u0", attempts: attempts + 1 },
        outcome: { kind: "completed" },
      },
    ])
    expect(proxy.exchanges[0]?.failures?.length).toBe(attempts)
    const moves = proxy.logs.filter(({ message }) => message.includes("another one is"))
    expect(moves.map(({ level, fields }) => [level, fields["model"], fields["next"]])).toEqual([
      ["warn", "generic/u0", "generic/u1"],
    ])
    expect(proxy.logs.filter(({ level }) => level === "error")).toEqual([])
  })

  test.each(Object.entries(faults))("%s: without a fallback it is an error", async (_name, [make]) => {
    const proxy = chain([await make()], { ...patient, env: { ...env, MAX_RETRIES: "0" } })
    const response = await sendOf(kind)(proxy)
    expect(response.status).toBeGreaterThanOrEqual(400)
    const error = await jsonOf(response)
    expect([error["type"], typeof objectOf(error["error"])["message"]]).toEqual(["error", "string"])
    await settled(proxy)
    const [exchange] = proxy.exchanges
    expect([exchange?.model, exchange?.attempts, exchange?.outcome.kind]).toEqual(["u0", 1, "failed"])
    expect(exchange?.fallbackFrom).toBeUndefined()
  })

  test.each(Object.entries(faults))("%s: a native fallback answers", async (_name, [make]) => {
    const second = native([kind === "stream" ? nativeFine("native") : nativeWhole("native")])
    const proxy = chain([await make(), second], patient)
    const response = await sendOf(kind)(proxy)
    expect(response.status).toBe(200)
    expect(await textIn(kind, response)).toBe("native")
    expect(JSON.parse(second.texts()[0] ?? "")).toMatchObject({ model: "u1", max_tokens: 100 })
    await settled(proxy)
    expect(proxy.exchanges).toMatchObject([
      { model: "u1", fallbackFrom: "u0", outcome: { kind: "completed" }, usage: { output_tokens: 25 } },
    ])
  })
})

/** DashScope and Fireworks are asked for streams only, whatever the client wants. */
describe("a stream that fails within its reply", () => {
  const words = [roleChunk(), textChunk("half a re")]
  const failures: Readonly<Record<string, readonly [turn: Turn, attempts: number, type: string]>> = {
    "a cut": [{ kind: "stream", chunks: words, cut: "clean" }, 3, "api_error"],
    "a reset": [{ kind: "stream", chunks: words, cut: "reset" }, 3, "api_error"],
    "an error": [
      { kind: "stream", chunks: [...words, { error: { message: "busy", code: 503 } }] },
      3,
      "overloaded_error",
    ],
    "a stall": [{ kind: "stream", chunks: [...words, { until: never }] }, 1, "timeout_error"],
  }

  test.each(Object.entries(failures))(
    "%s: a client that has got nothing of it hears of no failure",
    async (_name, [turn, attempts]) => {
      const second = chat(answering("from the fallback"))
      const first = chat(() => turn)
      const proxy = chain([first, second], { ...patient, more: { 0: ["provider: fireworks"] } })
      expect(await textIn("plain", await post(proxy))).toBe("from the fallback")
      expect([first.asked(), second.asked()]).toEqual([attempts, 1])
      await settled(proxy)
      expect(proxy.exchanges).toMatchObject([{ model: "u1", fallbackFrom: "u0", attempts: attempts + 1 }])
    },
  )

  test.each(Object.entries(failures))("%s: a client that reads along does", async (_name, [turn, , type]) => {
    const [first, second] = [chat(() => turn), chat(answering("from the fallback"))]
    const events = await eventsOf(postStream(chain([first, second], patient)))
    expect(textOf(events)).toBe("half a re")
    expect(events.at(-1)).toMatchObject({ type: "error", error: { type } })
    expect([first.asked(), second.asked()]).toEqual([1, 0])
  })
})
