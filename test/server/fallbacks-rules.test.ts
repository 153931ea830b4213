// The rules of moving: what does not move a request, who stays where, which keys rest, and what the client is told in
// the end.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { removeFolders } from "../config/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import {
  address,
  answering,
  chain,
  chat,
  fine,
  native,
  nativeError,
  nativeFine,
  nativeWhole,
  replyText,
  whole,
} from "./fallbacks-support.ts"
import {
  eventsOf,
  jsonOf,
  listen,
  post,
  postStream,
  stopAll,
  type TestProxy,
  textOf,
  typesOf,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const failing = (status: number, headers: Readonly<Record<string, string>> = {}, message?: string): Turn => ({
  kind: "json",
  status,
  headers,
  body: { error: { message: message ?? `this is ${status}` } },
})
const dead = () => address("chat", "http://127.0.0.1:9/v1")
const once = { env: { MAX_RETRIES: "0" } }

async function errorOf(response: Response) {
  const error = objectOf((await jsonOf(response))["error"])
  return { status: response.status, type: error["type"], message: String(error["message"]) }
}

const overflow =
  "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."

describe("a refusal of the request itself stays where it is", () => {
  test.each<[string, Turn, number]>([
    ["400", failing(400), 400],
    ["413", failing(413), 413],
    ["422", failing(422), 400],
    ["a prompt that is too long", failing(400, {}, overflow), 400],
  ])("%s", async (_name, turn, status) => {
    const second = chat(answering("no"))
    const proxy = chain([chat(() => turn), second])
    for (const send of [post, postStream]) expect((await send(proxy)).status).toBe(status)
    expect(second.asked()).toBe(0)
    expect(proxy.exchanges.map(({ model, outcome }) => [model, outcome.kind])).toEqual([
      ["u0", "failed"],
      ["u0", "failed"],
    ])
  })

  test("but not a limit of one account, however it is called", async () => {
    const text = "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 21423"
    const second = chat(answering("fine"))
    const proxy = chain([chat(() => failing(413, {}, text)), second])
    expect(textOf(await eventsOf(postStream(proxy)))).toBe("fine")
    expect(second.asked()).toBe(1)
  })

  test("also when Anthropic's own API says it", async () => {
    const second = chat(answering("no"))
    const turn = nativeError(400, "invalid_request_error")
    const proxy = chain([native([turn]), second])
    expect(await (await post(proxy)).text()).toBe(String(turn.steps[0]))
    expect(second.asked()).toBe(0)
  })

  test("what does not fit the model's window is told, and nobody is asked", async () => {
    const places = [chat(answering("no")), chat(answering("no"))]
    const proxy = chain(places, { more: { 0: ["max_input_tokens: 1000"] } })
    const messages = [{ role: "user", content: "long word ".repeat(3_000) }]
    expect((await errorOf(await post(proxy, { messages }))).message).toContain("prompt is too long")
    expect(places.map(({ asked }) => asked())).toEqual([0, 0])
  })
})

describe("a fallback that cannot take the request", () => {
  const messages = [{ role: "user", content: "long word ".repeat(3_000) }]

  test("because its window is too small is passed over", async () => {
    const places = [chat([failing(503)]), chat(answering("small")), chat(answering("large"))]
    const proxy = chain(places, { ...once, more: { 1: ["max_input_tokens: 1000"] } })
    expect(textOf(await eventsOf(postStream(proxy, { messages })))).toBe("large")
    expect(places.map(({ asked }) => asked())).toEqual([1, 0, 1])
    expect(proxy.exchanges).toMatchObject([{ model: "u2", attempts: 2 }])
  })

  test("is not what the client hears of, if the first failure passes", async () => {
    const proxy = chain([chat([failing(503)]), chat([])], {
      ...once,
      more: { 1: ["max_input_tokens: 1000"] },
    })
    expect(await errorOf(await post(proxy, { messages }))).toMatchObject({ status: 529 })
    expect(proxy.exchanges).toMatchObject([{ model: "u0", attempts: 1, outcome: { kind: "failed" } }])
  })

  test("but it is if the first failure lasts: the client can make its prompt shorter", async () => {
    const proxy = chain([chat([failing(401)]), chat([])], {
      ...once,
      more: { 1: ["max_input_tokens: 1000"] },
    })
    const told = await errorOf(await post(proxy, { messages }))
    expect([told.status, told.message.slice(0, 18)]).toEqual([400, "prompt is too long"])
  })

  test("because it refuses it leads on", async () => {
    const places = [chat([failing(503)]), chat([failing(400)]), chat(answering("third"))]
    const proxy = chain(places, once)
    expect(replyText(await jsonOf(post(proxy)))).toBe("third")
  })

  test("because its key is missing is told of in the log", async () => {
    const proxy = chain([chat([failing(503)]), chat([]), chat(answering("third"))], {
      env: { MAX_RETRIES: "0", KEY_1: "" },
    })
    expect(replyText(await jsonOf(post(proxy)))).toBe("third")
    const told = proxy.logs.find(({ message }) => message === "a fallback cannot be reached")
    expect([told?.level, told?.fields["fallback"]]).toEqual(["warn", "m1"])
    expect(String(told?.fields["why"])).toContain("KEY_1")
  })
})

describe("what is told when all have failed", () => {
  test.each<
    [string, readonly Turn[], { readonly status: number; readonly model: string; readonly after?: string }]
  >([
    ["the last of those that pass", [failing(500), failing(503), failing(529)], { status: 529, model: "u2" }],
    [
      "a limit rather than a fallback's wrong key",
      [failing(429, { "retry-after": "30" }), failing(401), failing(404)],
      { status: 429, model: "u0", after: "30" },
    ],
    [
      "the last one's wait",
      [failing(500), failing(429, { "retry-after": "40" }), failing(402)],
      { status: 429, model: "u1", after: "40" },
    ],
    [
      "the last one where none passes",
      [failing(401), failing(402), failing(403)],
      { status: 403, model: "u2" },
    ],
  ])("%s", async (_name, turns, { status, model, after = null }) => {
    for (const send of [post, postStream]) {
      const proxy = chain(
        turns.map((turn) => chat(() => turn)),
        once,
      )
      const response = await send(proxy)
      expect([response.status, response.headers.get("retry-after")]).toEqual([status, after])
      expect(response.headers.get("x-claude-proxy-route")).toContain(`/${model};`)
      expect(proxy.exchanges).toMatchObject([
        { model, attempts: 3, fallbackFrom: model === "u0" ? undefined : "u0", outcome: { kind: "failed" } },
      ])
      expect(proxy.exchanges[0]?.failures?.length).toBe(2)
      await until(() => proxy.timers() === 0)
    }
  })

  test("as an event, when the answer has begun", async () => {
    const slow: Turn = { kind: "stream", chunks: [{ pauseMs: 60 }], cut: "reset" }
    const proxy = chain([chat([slow]), chat([failing(429, { "retry-after": "30" })])], {
      ...once,
      speed: 1,
      times: { commitMs: 10 },
    })
    const events = await eventsOf(postStream(proxy))
    expect(typesOf(events).filter((type) => type !== "ping")).toEqual(["message_start", "error"])
    expect(events.at(-1)).toMatchObject({ error: { type: "rate_limit_error" } })
  })

  test("an upstream's wait in milliseconds is told in milliseconds too", async () => {
    const proxy = chain([chat([failing(429, { "retry-after-ms": "7250" })])])
    const { headers } = await post(proxy)
    expect([headers.get("retry-after"), headers.get("retry-after-ms")]).toEqual(["8", "7250"])
  })
})

describe("a conversation stays on its fallback", () => {
  const minute = 60_000
  const session = (id: string) => ({ headers: { "x-claude-code-session-id": id } })
  const user = (id: string) => ({ metadata: { user_id: JSON.stringify({ session_id: id }) } })

  /** The first model fails once and is well from then on. */
  function recovering(kind: "chat" | "native" = "chat") {
    const first = chat((body, turn) =>
      turn === 0 ? failing(500) : body["stream"] === true ? fine("first") : whole("first"),
    )
    const second =
      kind === "chat" ? chat(answering("second")) : native([nativeWhole("second"), nativeWhole("second")])
    return { places: [first, second], first, second }
  }

  const say = async (proxy: TestProxy, more = {}, init = {}) =>
    replyText(await jsonOf(post(proxy, more, init)))

  test.each(["chat", "native"] as const)(
    "for ten minutes: %s",
    async (kind) => {
      const { places, first } = recovering(kind)
      // Ten minutes are two seconds.
      const speed = 300
      const proxy = chain(places, { ...once, speed })
      expect(await say(proxy, {}, session("a"))).toBe("second")
      expect(await say(proxy, {}, session("a"))).toBe("second")
      expect(first.asked()).toBe(1)
      expect(proxy.exchanges[1]).toMatchObject({ model: "u1", fallbackFrom: "u0", attempts: 1 })
      await Bun.sleep((10 * minute) / speed)
      expect(await say(proxy, {}, session("a"))).toBe("first")
      expect(await say(proxy, {}, session("a"))).toBe("first")
    },
    20_000,
  )

  test("and others do not", async () => {
    const { places } = recovering()
    const proxy = chain(places, once)
    expect(await say(proxy, user("a"))).toBe("second")
    expect(await say(proxy, user("b"))).toBe("first")
    expect(await say(proxy)).toBe("first")
    expect(await say(proxy, user("a"), { headers: { "x-api-key": "another client" } })).toBe("first")
    expect(await say(proxy, user("a"))).toBe("second")
  })

  test("one without a name is known by how it began; the same words once more are another one", async () => {
    const { places } = recovering()
    const proxy = chain(places, once)
    const asks = (content: unknown) => ({ role: "user", content })
    const marked = [{ type: "text", text: "One?", cache_control: { type: "ephemeral" } }]
    const after = (first: string) => ({
      messages: [asks(first), { role: "assistant", content: "Yes." }, asks("Two?")],
    })
    expect(await say(proxy, { messages: [asks(marked)] })).toBe("second")
    expect(await say(proxy, after("One?"))).toBe("second")
    expect(await say(proxy, after("Another?"))).toBe("first")
    expect(await say(proxy, { messages: [asks("One?")] })).toBe("first")
    expect(await say(proxy, after("One?"))).toBe("first")
  })

  test("until that one fails: then down the list, and to the first model in the end", async () => {
    const first = chat((_body, turn) => (turn === 0 ? failing(500) : whole("first")))
    const second = chat((_body, turn) => (turn === 0 ? whole("second") : failing(500)))
    const third = chat((_body, turn) => (turn === 0 ? whole("third") : failing(500)))
    const proxy = chain([first, second, third], once)
    const answers = []
    for (let turn = 0; turn < 4; turn++) answers.push(await say(proxy, user("a")))
    expect(answers).toEqual(["second", "third", "first", "first"])
    expect([first.asked(), second.asked(), third.asked()]).toEqual([3, 3, 2])
    expect(
      proxy.exchanges.map(({ model, attempts, fallbackFrom }) => [model, attempts, fallbackFrom]),
    ).toEqual([
      ["u1", 2, "u0"],
      ["u2", 2, "u0"],
      ["u0", 3, undefined],
      ["u0", 1, undefined],
    ])
  })

  test("a prompt that has grown too long for the fallback goes to the first model again", async () => {
    const first = chat((_body, turn) => (turn === 0 ? failing(500) : whole("first")))
    const proxy = chain([first, chat(answering("second"))], {
      ...once,
      more: { 1: ["max_input_tokens: 1000"] },
    })
    expect(await say(proxy, user("a"))).toBe("second")
    const messages = [{ role: "user", content: "long word ".repeat(3_000) }]
    expect(await say(proxy, { ...user("a"), messages })).toBe("first")
  })
})

describe("keys that rest", () => {
  test.each([401, 402, 403, 429])(
    "the only key of a model, after %d: its fallback is asked first",
    async (status) => {
      const first = chat(() => failing(status))
      const second = chat(answering("second"))
      const proxy = chain([first, second], { ...once, speed: 1 })
      for (let turn = 0; turn < 3; turn++) expect(replyText(await jsonOf(post(proxy)))).toBe("second")
      expect([first.asked(), second.asked()]).toEqual([1, 3])
      expect(proxy.exchanges.map(({ attempts, fallbackFrom }) => [attempts, fallbackFrom])).toEqual([
        [2, "u0"],
        [1, "u0"],
        [1, "u0"],
      ])
    },
  )

  test("several keys: the fallback is asked when the last of them was refused", async () => {
    const first = chat(() => failing(429, { "retry-after": "3600" }))
    const second = chat(answering("second"))
    const proxy = chain([first, second], { env: { KEY_0: "sk-first-key-0,sk-second-key-0" }, speed: 1 })
    for (let turn = 0; turn < 2; turn++) expect(replyText(await jsonOf(post(proxy)))).toBe("second")
    expect(new Set(first.headers().map((headers) => headers["authorization"]))).toEqual(
      new Set(["Bearer sk-first-key-0", "Bearer sk-second-key-0"]),
    )
    expect(first.asked()).toBe(2)
  })

  test("where all rest, all are asked", async () => {
    const places = [
      chat(() => failing(401)),
      chat((_body, turn) => (turn === 0 ? failing(401) : whole("well"))),
    ]
    const proxy = chain(places, { ...once, speed: 1 })
    expect((await post(proxy)).status).toBe(401)
    expect(replyText(await jsonOf(post(proxy)))).toBe("well")
    expect(places.map(({ asked }) => asked())).toEqual([2, 2])
  })

  test("the only key of a native model", async () => {
    const first = native([nativeError(401, "authentication_error")])
    const proxy = chain([first, native([nativeFine("b"), nativeFine("b")])], { ...once, speed: 1 })
    for (let turn = 0; turn < 2; turn++) expect(textOf(await eventsOf(postStream(proxy)))).toBe("b")
    expect(first.asked()).toBe(1)
  })
})

describe("waiting", () => {
  test("pings and real events go on through retries and fallbacks", async () => {
    const slow = (text?: string): Turn => ({
      kind: "json",
      headersDelayMs: 60,
      ...(text === undefined
        ? { status: 500, body: {} }
        : { body: { choices: [{ message: { content: text } }] } }),
    })
    const proxy = chain([chat([slow(), slow(), slow()]), chat([slow(), slow("late")])], {
      speed: 1,
      times: { commitMs: 20, pingMs: 10, keepAliveMs: 50 },
    })
    const heard = await listen(postStream(proxy))
    expect(await heard.ended).toBe("complete")
    const events = parseAnthropicSse(heard.text())
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("late")
    const types = typesOf(
      events.slice(
        0,
        events.findIndex(({ type }) => type === "content_block_start"),
      ),
    )
    expect(types.filter((type) => type === "ping").length).toBeGreaterThan(5)
    expect(types.filter((type) => type === "message_delta").length).toBeGreaterThan(2)
    expect(proxy.exchanges).toMatchObject([{ model: "u1", attempts: 5 }])
    await until(() => proxy.timers() === 0)
  })

  test.each<[string, Turn]>([
    ["for an attempt", { kind: "stall" }],
    ["for the next attempt", failing(429, { "retry-after": "4" })],
  ])("a client that leaves while it waits %s is not answered by anybody", async (_name, turn) => {
    const first = chat(() => turn)
    const second = chat(answering("no"))
    const proxy = chain([first, second], { speed: 1 })
    const leaving = new AbortController()
    const gone = post(proxy, {}, { signal: leaving.signal }).catch(() => "left")
    await until(() => first.asked() === 1 && proxy.timers() > 0)
    leaving.abort()
    expect(await gone).toBe("left")
    await until(() => proxy.exchanges.length === 1 && proxy.timers() === 0)
    expect(proxy.exchanges[0]?.outcome.kind).toBe("cancelled")
    expect([first.asked(), second.asked()]).toEqual([1, 0])
  })

  test("a client that leaves while a fallback is asked", async () => {
    const second = chat([{ kind: "stall" }])
    const proxy = chain([dead(), second, chat(answering("no"))], { speed: 1 })
    const leaving = new AbortController()
    const gone = postStream(proxy, {}, { signal: leaving.signal }).catch(() => "left")
    await until(() => second.asked() === 1)
    leaving.abort()
    expect(await gone).toBe("left")
    await until(() => proxy.exchanges.length === 1 && proxy.timers() === 0)
    expect(proxy.exchanges).toMatchObject([{ model: "u1", attempts: 2, outcome: { kind: "cancelled" } }])
  })
})

test("test_conversion asks exactly the model that it names", async () => {
  const second = chat(answering("no"))
  const proxy = chain([dead(), second], once)
  const response = await fetch(`${proxy.url}/v1/messages/test_conversion`, {
    method: "POST",
    body: JSON.stringify({ model: "m0", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }),
  })
  expect([response.status, second.asked()]).toEqual([502, 0])
})

test("a fallback's own fallbacks are not asked", async () => {
  const third = chat(answering("no"))
  const proxy = chain([dead(), dead(), third], {
    ...once,
    fallbacks: ["m1"],
    more: { 1: ["fallbacks: [m2]"] },
  })
  expect([(await post(proxy)).status, third.asked()]).toEqual([502, 0])
})

test("a thread that only Anthropic keeps cannot go elsewhere", async () => {
  const second = chat(answering("no"))
  const first = native([nativeError(529, "overloaded_error")])
  const proxy = chain([first, second], { ...once, more: { 0: ["provider: anthropic"] } })
  const thread = { type: "continue", previous_message_id: "msg_1" }
  expect((await errorOf(await post(proxy, { thread }))).status).toBe(529)
  expect([first.asked(), second.asked()]).toEqual([1, 0])
})
