// What changes in a request that is passed through, and that nothing else does.
import { describe, expect, test } from "bun:test"
import { type DirectOptions, prepareDirectBody } from "../../src/convert/direct/direct.ts"
import { isObject, type JsonObject } from "../../src/protocol/json.ts"
import { property } from "../support/random.ts"

const anthropic: DirectOptions = { model: "claude-opus-5-5", maxTokens: 4096, genuineOnly: true }
const other: DirectOptions = { ...anthropic, model: "deepseek-chat", genuineOnly: false }

function prepare(text: string, options: DirectOptions) {
  const body: unknown = JSON.parse(text)
  if (!isObject(body)) throw new Error(`no object: ${text}`)
  return prepareDirectBody(text, body, options)
}

describe("fields", () => {
  test("nothing to change: the very same text, without a note", () => {
    const text =
      ' {"max_tokens" : 1e2,"mod\\u0065l":"claude-opus-5-5" , "seed":9007199254740993,"messages":[]}\n'
    expect(prepare(text, anthropic)).toEqual({ text, notes: [] })
  })

  test.each([
    [
      '{ "z":9007199254740993, "model" : "opus\\u0021" ,"max_tokens":1,"a":1.0,"é":"\\u00e9"}',
      '{ "z":9007199254740993, "model" : "claude-opus-5-5" ,"max_tokens":1,"a":1.0,"é":"\\u00e9"}',
      ["model"],
    ],
    [
      '{"model":"claude-opus-5-5","model":"b","max_tokens":1}',
      '{"model":"claude-opus-5-5","model":"claude-opus-5-5","max_tokens":1}',
      ["model"],
    ],
    ['{"model":null,"max_tokens":1}', '{"model":"claude-opus-5-5","max_tokens":1}', ["model"]],
    [
      '{"metadata":{"model":"a"},"max_tokens":1}',
      '{"model":"claude-opus-5-5","metadata":{"model":"a"},"max_tokens":1}',
      ["model"],
    ],
    ['{"model":"claude-opus-5-5"}', '{"max_tokens":4096,"model":"claude-opus-5-5"}', ["max_tokens"]],
    [
      '{"model":"claude-opus-5-5","max_tokens": null}',
      '{"model":"claude-opus-5-5","max_tokens": 4096}',
      ["max_tokens"],
    ],
    ['{"model":"claude-opus-5-5","max_tokens":0}', '{"model":"claude-opus-5-5","max_tokens":0}', []],
    [" { }", ' {"model":"claude-opus-5-5","max_tokens":4096 }', ["model", "max_tokens"]],
    ['{"model":"a"}', '{"max_tokens":4096,"model":"claude-opus-5-5"}', ["model", "max_tokens"]],
  ])("%s", (text, expected, paths) => {
    const prepared = prepare(text, anthropic)
    expect(prepared.text).toBe(expected)
    expect(prepared.notes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(
      paths.map((path) => `changed ${path}`),
    )
  })

  test("counting tokens adds no limit", () => {
    const text = '{"model":"a","messages":[]}'
    const prepared = prepare(text, { ...anthropic, maxTokens: undefined })
    expect(prepared.text).toBe('{"model":"claude-opus-5-5","messages":[]}')
  })

  test("a name that needs escapes", () => {
    const prepared = prepare('{"model":"a"}', { ...anthropic, model: 'a"\\\n', maxTokens: undefined })
    expect(prepared.text).toBe('{"model":"a\\"\\\\\\n"}')
  })

  test.each([
    [
      '{"model":"deepseek-chat","max_tokens":1,"thread":{"type":"create"} ,"a":1}',
      '{"model":"deepseek-chat","max_tokens":1 ,"a":1}',
    ],
    ['{"thread":{"type":"create"}, "model":"a"}', '{"max_tokens":4096,"model":"deepseek-chat"}'],
    ['{ "thread":null}', '{"model":"deepseek-chat","max_tokens":4096 }'],
  ])("a thread goes to Anthropic alone: %s", (text, expected) => {
    const prepared = prepare(text, other)
    expect(prepared.text).toBe(expected)
    expect(prepared.notes.at(-1)).toMatchObject({ kind: "dropped", path: "thread" })
    expect(prepare(text, anthropic).text).toContain('"thread":')
  })
})

const ours = "ccp1.eyJwIjoiZGVlcHNlZWsiLCJrIjoicmMifQ"
const genuine = "EqQBCkYIBRgCKkD0+/abcdefghijklmnopqrstuvwxyz0123456789+/AQ=="

const thinking = (signature: string, text = "hm") =>
  `{"type":"thinking", "thinking":${JSON.stringify(text)},"signature":${JSON.stringify(signature)}}`
const redacted = (data: string) => `{"type":"redacted_thinking","data":${JSON.stringify(data)}}`

function conversation(...blocks: readonly string[]): string {
  const head = '{"model":"claude-opus-5-5","max_tokens":10,"messages":['
  return `${head}{"role":"user","content":"hi"}, {"role":"assistant","content":[${blocks.join(" , ")}] }]}`
}

const spoken = '{"type":"text","text":"n\\u00e9 9007199254740993"}'

describe("case 33: thinking on its way to Anthropic", () => {
  test.each([
    ["our own", thinking(ours), false],
    ["our own, redacted", redacted(ours), false],
    ["without a signature", thinking(""), false],
    ["without the field", '{"type":"thinking","thinking":"hm"}', false],
    ["OpenAI's", thinking("gAAAAABmx0Zb3-_abc="), false],
    ["OpenAI's, redacted", redacted("gAAAAABmx0Zb3-_abc="), false],
    ["another proxy's", thinking("Eabc.def"), false],
    ["a word", thinking("placeholder"), false],
    ["url-safe base64", thinking("EqQB_-abc"), false],
    ["of another type", '{"type":"thinking","thinking":"hm","signature":7}', false],
    ["Anthropic's", thinking(genuine), true],
    ["Anthropic's, with its text left out", thinking(genuine, ""), true],
    ["Anthropic's, encoded twice", thinking(`R${genuine.slice(1)}`), true],
    ["Anthropic's newer envelope", thinking("CAISabc="), true],
    ["Anthropic's, redacted", redacted(genuine), true],
  ])("%s", (_name, block, kept) => {
    const text = conversation(block, spoken)
    const prepared = prepare(text, anthropic)
    expect(prepared.text).toBe(kept ? text : conversation(spoken))
    expect(prepared.notes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(
      kept ? [] : ["dropped messages.1.content.0"],
    )
  })

  test("the genuine ones stay in their order, byte for byte", () => {
    const text = conversation(
      thinking(ours),
      thinking(genuine, "a"),
      redacted(ours),
      spoken,
      thinking(genuine, "b"),
    )
    const expected = conversation(thinking(genuine, "a"), spoken, thinking(genuine, "b"))
    expect(prepare(text, anthropic).text).toBe(expected)
  })

  test("a message of nothing else goes as a whole", () => {
    const prepared = prepare(conversation(thinking(ours), redacted(ours)), anthropic)
    expect(prepared.text).toBe(
      '{"model":"claude-opus-5-5","max_tokens":10,"messages":[{"role":"user","content":"hi"}]}',
    )
    expect(prepared.notes.map(({ path }) => path)).toEqual([
      "messages.1.content.0",
      "messages.1.content.1",
      "messages.1",
    ])
  })

  test("an empty message, a text and the user's own words are not touched", () => {
    const user = `{"role":"user","content":[${thinking(ours)}]}`
    const text = `{"model":"claude-opus-5-5","max_tokens":1,"messages":[${user},{"role":"assistant","content":[]},{"role":"assistant","content":"${ours}"},7]}`
    expect(prepare(text, anthropic).text).toBe(text)
  })

  test("content that stands twice in a message: the last one counts", () => {
    const message = (first: string, last: string) =>
      `{"model":"claude-opus-5-5","max_tokens":1,"messages":[{"content":[${first}],"role":"assistant","content":[${last}]}]}`
    const text = message(thinking(ours), `${spoken},${thinking(ours)}`)
    expect(prepare(text, anthropic).text).toBe(message(thinking(ours), spoken))
  })
})

describe("thinking on its way to other hosts that speak Messages", () => {
  test.each([
    ["our own with a text", thinking(ours), true],
    ["our own without one", thinking(ours, ""), false],
    ["our own, redacted", redacted(ours), false],
    ["theirs", thinking("any-thing.at all"), true],
    ["without a signature", thinking(""), true],
    ["Anthropic's", thinking(genuine), true],
  ])("%s", (_name, block, kept) => {
    const text = conversation(block, spoken)
    const options = { ...anthropic, genuineOnly: false }
    expect(prepare(text, options).text).toBe(kept ? text : conversation(spoken))
  })
})

property("cut out of the text or out of the value: the same request", 500, (random) => {
  const signatures = [ours, genuine, "", "gAAAAx", "E.x"]
  const block = (): JsonObject =>
    random.pick([
      { type: "text", text: random.text(9) },
      { type: "thinking", thinking: random.text(9), signature: random.pick(signatures) },
      { type: "redacted_thinking", data: random.pick(signatures) },
      { type: "tool_use", id: "a", name: "b", input: random.json(2) },
    ])
  const messages = Array.from({ length: random.integer(0, 5) }, () => ({
    role: random.pick(["user", "assistant"]),
    content: random.chance(0.2) ? random.text(5) : Array.from({ length: random.integer(1, 4) }, block),
  }))
  const text = JSON.stringify(
    { a: random.json(2), messages, model: "x", max_tokens: 5 },
    null,
    random.integer(0, 2),
  )
  const bad = (one: JsonObject) =>
    one["type"] === "thinking"
      ? one["signature"] !== genuine
      : one["type"] === "redacted_thinking" && one["data"] !== genuine
  const expected = messages
    .map((message) =>
      typeof message.content === "string" || message.role === "user"
        ? message
        : { ...message, content: message.content.filter((one) => !bad(one)) },
    )
    .filter(({ content }) => typeof content === "string" || content.length > 0)
  expect(JSON.parse(prepare(text, anthropic).text)).toEqual({
    ...JSON.parse(text),
    model: anthropic.model,
    messages: expected,
  })
})
