// An upstream that refuses something of a request: it is asked once more without it, and the next request is
// sent that way at once.
import { afterEach, describe, expect, test } from "bun:test"
import type { AmendedRequest } from "../../src/convert/amend/amend.ts"
import { createMetrics } from "../../src/observe/metrics.ts"
import { fault } from "../../src/protocol/fault.ts"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import { createRefusals } from "../../src/server/learned/refusals.ts"
import type { RefusalRow } from "../../src/store/refusal-store.ts"
import { ask, convert, generic, routeTo, text, user } from "../convert/request-support.ts"
import { chatReply, finishChunk, roleChunk, textChunk, usageChunk } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { eventsOf, post, postStream, start, stopAll, textOf } from "./support.ts"

afterEach(stopAll)

const good = (words = "fine", reason = "stop"): Turn => ({
  kind: "stream",
  chunks: [roleChunk(), textChunk(words), finishChunk(reason), usageChunk(3, 1)],
})
const whole: Turn = { kind: "json", body: chatReply({ content: "fine" }) }
const refusing = (message: string, more: object = {}, status = 400): Turn => ({
  kind: "json",
  status,
  body: { error: { message, type: "invalid_request_error", ...more } },
})

const tooLarge = refusing(
  "max_tokens is too large: 64000. This model supports at most 16384 completion tokens",
)
const otherName = refusing(
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
)
const noSystem = refusing("Unsupported value: 'messages[0].role' does not support 'system' with this model.")
const noTemperature = refusing("Unsupported parameter: 'temperature' is not supported with this model.")
const noStop = refusing("Unrecognized request argument supplied: stop")
const noFormat = refusing("This response_format type is unavailable now")
const noStore = refusing("body.top_p: Extra inputs are not permitted", {}, 422)
const format = { type: "json_schema", schema: { type: "object", properties: {} } }
const everything = {
  ...{ max_tokens: 64_000, temperature: 0.5, top_p: 0.9, stop_sequences: ["END"] },
  output_config: { format },
}

const forms = [
  ["stream", good(), async (proxy: { url: string }, more = {}) => (await postStream(proxy, more)).text()],
  ["plain", whole, async (proxy: { url: string }, more = {}) => (await post(proxy, more)).text()],
] as const

describe.each(forms)("%s", (_name, reply, send) => {
  test("what is refused is left out, at once and from then on", async () => {
    const { upstream, proxy } = start([tooLarge, reply, reply, reply])
    expect(await send(proxy, { max_tokens: 64_000 })).toContain("fine")
    expect(await send(proxy, { max_tokens: 64_000 })).toContain("fine")
    expect(await send(proxy, { max_tokens: 900 })).toContain("fine")
    expect(upstream.turns().map(({ body }) => body["max_tokens"])).toEqual([64_000, 16_384, 16_384, 900])
    // No attempt failed: the request was said in another way.
    expect(proxy.exchanges.map(({ attempts }) => attempts)).toEqual([1, 1, 1])
    expect(proxy.exchanges.map(({ notes }) => notes.map(({ path }) => path))).toEqual([
      [],
      ["max_tokens"],
      [],
    ])
    const warnings = proxy.logs.filter(({ level }) => level === "warn")
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.message).toBe("the upstream refused part of a request; it is left out from now on")
    expect(warnings[0]?.fields).toMatchObject({
      model: "big-model",
      changes: ["changed max_tokens: lowered from 64000 to 16384, the most this model gives in one reply"],
    })
    const metrics = await (await fetch(`${proxy.url}/metrics`)).text()
    expect(metrics).toContain('field="max_tokens",action="changed"} 2')
  })

  test("six things are left out one after another, and no more", async () => {
    const { upstream, proxy } = start([tooLarge, noTemperature, noStop, reply])
    expect(await send(proxy, everything)).toContain("fine")
    const last = upstream.turns().at(-1)?.body ?? {}
    expect([last["max_tokens"], last["temperature"], last["stop"]]).toEqual([16_384, undefined, undefined])
    expect(last["top_p"]).toBe(0.9)

    const six = [otherName, tooLarge, noTemperature, noStop, noFormat, noStore]
    const many = start([...six, reply])
    expect(await send(many.proxy, everything)).toContain("fine")
    expect(many.upstream.turns()).toHaveLength(7)

    const tooMany = start([...six, noSystem, reply])
    expect(await send(tooMany.proxy, { ...everything, system: "Be kind." })).not.toContain("fine")
    expect(tooMany.upstream.turns()).toHaveLength(7)
  })

  test("credit for a shorter reply is enough, this time", async () => {
    const short = refusing(
      "This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 8411. To increase, visit the settings and add more credits",
      { code: 402 },
      402,
    )
    const { upstream, proxy } = start([short, reply, reply])
    expect(await send(proxy, { max_tokens: 32_000 })).toContain("fine")
    expect(await send(proxy, { max_tokens: 32_000 })).toContain("fine")
    expect(upstream.turns().map(({ body }) => body["max_tokens"])).toEqual([32_000, 8_411, 32_000])
  })

  test.each([
    "This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 71.",
    "Insufficient credits. This account never purchased credits.",
    "Prompt tokens limit exceeded: 61000 > 2043.",
    "Insufficient balance: temperature is not supported",
  ])("an account without credit is told so, and nothing is sent again: %s", async (message) => {
    const { upstream, proxy } = start([refusing(message, { code: 402 }, 402), reply])
    const answer = await send(proxy, { max_tokens: 32_000, temperature: 0.5 })
    expect(answer).toContain("billing_error")
    expect(upstream.turns()).toHaveLength(1)
  })

  test("who refuses the same thing again is not asked again", async () => {
    const { upstream, proxy } = start(() => noTemperature)
    await send(proxy, { temperature: 0.5 })
    expect(upstream.turns()).toHaveLength(2)
    const stubborn = start(({ max_tokens }) =>
      refusing(`max_tokens: ${Number(max_tokens)} > ${Number(max_tokens) - 1}`),
    )
    await send(stubborn.proxy, { max_tokens: 64_000 })
    expect(stubborn.upstream.turns()).toHaveLength(2)
  })

  test("what did not help is not remembered", async () => {
    const { upstream, proxy } = start([noTemperature, noTemperature, reply])
    await send(proxy, { temperature: 0.5 })
    expect(await send(proxy, { temperature: 0.5 })).toContain("fine")
    expect(upstream.turns().map(({ body }) => body["temperature"])).toEqual([0.5, undefined, 0.5])
    expect(proxy.logs.filter(({ level }) => level === "warn").map(({ message }) => message)).not.toContain(
      "the upstream refused part of a request; it is left out from now on",
    )
  })

  test("a refusal that names nothing is final", async () => {
    const { upstream, proxy } = start([refusing("messages: too many images"), reply])
    await send(proxy, everything)
    expect(upstream.turns()).toHaveLength(1)
  })

  test("other models and other proxies start anew", async () => {
    const { upstream, proxy } = start([tooLarge, reply, reply])
    await send(proxy, { max_tokens: 64_000 })
    await send(proxy, { max_tokens: 64_000, model: "claude-haiku-4-5" })
    expect(upstream.turns().at(-1)?.body).toMatchObject({ model: "small-model", max_tokens: 64_000 })
  })

  test("a failure after the change is repeated with the change", async () => {
    const { upstream, proxy } = start([noTemperature, refusing("down", {}, 500), reply], { speed: 100 })
    expect(await send(proxy, { temperature: 0.5 })).toContain("fine")
    expect(upstream.turns().map(({ body }) => body["temperature"])).toEqual([0.5, undefined, undefined])
    expect(proxy.exchanges[0]?.attempts).toBe(2)
  })

  test("a schema that is refused is asked for in words, and a fence is still taken off", async () => {
    const { upstream, proxy } = start([noFormat, reply, reply])
    await send(proxy, everything)
    await send(proxy, everything)
    for (const { body } of upstream.turns().slice(1)) {
      expect(body["response_format"]).toBeUndefined()
      expect(objectOf(arrayOf(body["messages"])[0])["content"]).toContain("JSON schema")
    }
  })

  test("FastAPI's 422 is read too", async () => {
    const { upstream, proxy } = start([noStore, reply])
    expect(await send(proxy, everything)).toContain("fine")
    expect(upstream.turns().at(-1)?.body["top_p"]).toBeUndefined()
  })

  test("a reply that is too long for what is left beside the prompt: once, and not remembered", async () => {
    const full = refusing(
      "This model's maximum context length is 128000 tokens. However, you requested 130000 tokens (98000 in the messages, 32000 in the completion).",
    )
    const { upstream, proxy } = start([full, reply, reply])
    expect(await send(proxy, { max_tokens: 32_000 })).toContain("fine")
    await send(proxy, { max_tokens: 32_000 })
    expect(upstream.turns().map(({ body }) => body["max_tokens"])).toEqual([32_000, 29_000, 32_000])
    expect(proxy.logs.filter(({ level }) => level === "warn")).toEqual([])
  })
})

test("the client hears of the last refusal, with its own status", async () => {
  const { proxy } = start([noTemperature, refusing("the real trouble")])
  const response = await post(proxy, { temperature: 0.5 })
  expect(response.status).toBe(400)
  expect(await response.text()).toContain("the real trouble")
})

test("stop sequences that were refused are still obeyed", async () => {
  const { proxy } = start([noStop, good("one END two"), good("three END four")])
  for (const words of ["one ", "three "]) {
    const events = await eventsOf(postStream(proxy, { stop_sequences: ["END"] }))
    expect(textOf(events)).toBe(words)
    expect(JSON.stringify(events)).toContain('"stop_reason":"stop_sequence"')
  }
})

test("a reply cut by the lower limit says so", async () => {
  const { proxy } = start([tooLarge, good("fine", "length")])
  const events = await eventsOf(postStream(proxy, { max_tokens: 64_000 }))
  expect(JSON.stringify(events)).toContain('"stop_reason":"max_tokens"')
})

test("a refusal inside a 200 counts too", async () => {
  const error = { message: "Unsupported parameter: 'temperature'", code: 400, type: "invalid_request_error" }
  const { upstream, proxy } = start([{ kind: "stream", chunks: [{ error }] }, good()])
  expect(textOf(await eventsOf(postStream(proxy, { temperature: 0.5 })))).toBe("fine")
  expect(upstream.turns().map(({ body }) => body["temperature"])).toEqual([0.5, undefined])
})

const error200 = (message: string) => ({
  error: { message, code: 400, type: "invalid_request_error" },
})

test.each<[string, Turn]>([
  ["a whole reply", { kind: "json", body: error200("Unsupported parameter: 'temperature'") }],
  [
    "MiniMax's",
    {
      kind: "json",
      body: {
        choices: null,
        base_resp: { status_code: 2013, status_msg: "invalid params, unsupported parameter: temperature" },
      },
    },
  ],
  ["the first event", { kind: "stream", chunks: [error200("Unsupported parameter: 'temperature'")] }],
  [
    "an event after an empty one",
    { kind: "stream", chunks: [roleChunk(), error200("Unsupported parameter: 'temperature'")] },
  ],
])("a refusal inside a 200, in %s, streamed and not", async (_name, refused) => {
  for (const [, reply, send] of forms) {
    const { upstream, proxy } = start([refused, reply, reply])
    expect(await send(proxy, { temperature: 0.5 })).toContain("fine")
    expect(await send(proxy, { temperature: 0.5 })).toContain("fine")
    expect(upstream.turns().map(({ body }) => body["temperature"])).toEqual([0.5, undefined, undefined])
  }
})

test("a model that only streams gives a plain reply all the same", async () => {
  const { upstream, proxy } = start(({ stream }) =>
    stream === true
      ? good()
      : refusing("This model only support stream mode, please enable the stream parameter"),
  )
  for (let turn = 0; turn < 2; turn += 1) {
    const response = await post(proxy, { max_tokens: 100 })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      type: "message",
      content: [{ type: "text", text: "fine" }],
    })
  }
  expect(upstream.turns().map(({ body }) => body["stream"])).toEqual([undefined, true, true])
})

test("a forced call that a thinking model refuses: the call is what counts", async () => {
  const { upstream, proxy } = start(({ tool_choice }) =>
    tool_choice === undefined ? whole : refusing("Thinking mode does not support this tool_choice"),
  )
  const tools = [{ name: "Bash", input_schema: { type: "object", properties: {} } }]
  const forced = { tools, tool_choice: { type: "any" } }
  expect(await (await post(proxy, forced)).text()).toContain("fine")
  expect(await (await post(proxy, forced)).text()).toContain("fine")
  expect(upstream.turns().map(({ body }) => body["tool_choice"])).toEqual(["required", undefined, undefined])
  expect(proxy.exchanges.at(-1)?.notes).toContainEqual({
    ...{ kind: "changed", path: "tool_choice", why: "left to the model: the upstream forces no tool" },
  })
})

describe("kept beyond the process", () => {
  const rowOf = (more: Partial<RefusalRow> = {}): RefusalRow => ({
    ...{
      url: "https://upstream.test/chat/completions",
      model: "m",
      cause: "drop temperature",
      provider: "generic",
    },
    ...{ amendment: '{"kind":"drop","fields":["temperature"]}', why: "no", since: 1_000, confirmed: 1_000 },
    ...more,
  })
  const day = 86_400_000

  function memory(rows: readonly (readonly RefusalRow[] | undefined)[], model = "m") {
    const kept: RefusalRow[] = []
    const given = [...rows]
    let time = 1_000
    const log = { warn: () => {}, debug: () => {} }
    const history = { changes: () => given.shift(), keep: (row: RefusalRow) => kept.push(row) }
    const secrets = () => ["a-client-key"]
    const refusals = createRefusals({ log, metrics: createMetrics(), secrets, now: () => time, history })
    const route = {
      ...routeTo(["generic", model]),
      url: "https://name:pass@upstream.test/chat/completions?api-key=k-1",
    }
    const conversion = convert(ask([user(text("the violet heron"))], { temperature: 1 }), generic)
    return {
      kept,
      pass: (ms: number) => {
        time += ms
      },
      sends: () => refusals.foresee(route, conversion).conversion.body.temperature,
      refuse: (message: string) =>
        refusals.learn(
          route,
          conversion,
          { conversion, notes: [], amendment: { kind: "drop", fields: ["temperature"] } },
          fault({ kind: "invalid_request_error", source: "upstream", message }),
        ),
    }
  }

  test("what is there counts, until it is said to be gone", () => {
    const { sends } = memory([[rowOf()], undefined, []])
    expect([sends(), sends(), sends(), sends()]).toEqual([undefined, undefined, 1, 1])
  })

  test("after a month without a word it is tried again", () => {
    const { sends, pass, refuse, kept } = memory([[rowOf()]])
    expect(sends()).toBeUndefined()
    pass(29 * day)
    expect(sends()).toBeUndefined()
    pass(2 * day)
    expect(sends()).toBe(1)
    refuse("no")
    expect(sends()).toBeUndefined()
    expect(kept).toHaveLength(1)
  })

  test("it is written once, without credentials and without anybody's words", () => {
    const { refuse, kept } = memory([])
    refuse("temperature is not taken. You said: the violet heron")
    refuse("temperature is not taken")
    expect(kept).toEqual([rowOf({ why: "temperature is not taken. You […]" })])
  })

  test.each(["a-client-key", "vendor/sk-ant-somebody-elses"])(
    "a key that was sent for the model's name (%s) is in no file",
    (model) => {
      const { refuse, kept, sends } = memory([], model)
      refuse("temperature is not taken")
      expect([sends(), kept]).toEqual([undefined, []])
    },
  )

  test.each([
    rowOf({ amendment: "{" }),
    rowOf({ amendment: '{"kind":"drop","fields":["messages"]}' }),
    rowOf({ amendment: '{"kind":"of a later version"}' }),
    rowOf({ model: "another" }),
    rowOf({ url: "https://other.test/chat/completions" }),
  ])("%j changes nothing here", (row) => {
    expect(memory([[row]]).sends()).toBe(1)
  })
})

test("the memory forgets the model that was not used for the longest time, and keeps little of each", () => {
  const lines: string[] = []
  const write = (message: string) => lines.push(message)
  const refusals = createRefusals({ log: { warn: write, debug: write }, metrics: createMetrics(), limit: 2 })
  const conversion = convert(ask([user(text("hi"))], { temperature: 1 }), generic)
  const route = (model: string) => routeTo(["generic", model])
  const amended: AmendedRequest = {
    ...{ conversion, notes: [], amendment: { kind: "drop", fields: ["temperature"] } },
  }
  const about = fault({ kind: "invalid_request_error", source: "upstream", message: "no" })
  const refuse = (model: string, given = amended) => refusals.learn(route(model), conversion, given, about)
  const known = (model: string) =>
    refusals.foresee(route(model), conversion).conversion.body.temperature === undefined
  refuse("a")
  refuse("b")
  expect([known("a"), known("b"), known("a")]).toEqual([true, true, true])
  refuse("c")
  expect(["a", "b", "c"].map(known)).toEqual([true, false, true])
  const warnings = () => lines.filter((line) => line.includes("from now on")).length
  expect(warnings()).toBe(3)
  refuse("a")
  expect(warnings()).toBe(3)
})
