// A long body is read part by part; whatever it says, it must be what reading it at once makes of it.
import { afterEach, describe, expect, test } from "bun:test"
import { arrayOf, isObject, objectOf } from "../../src/protocol/json.ts"
import { readJsonInSteps } from "../../src/server/http/body-json.ts"
import { chatReply } from "../support/chunks.ts"
import { createRandom, type Random } from "../support/random.ts"
import { basicBody, post, start, stopAll } from "./support.ts"

afterEach(stopAll)

const decoder = new TextDecoder("utf-8", { fatal: true })
const atOnce = (bytes: Uint8Array): unknown => JSON.parse(decoder.decode(bytes))

const filler = 'words, “quoted” → and {"braces"}, [brackets] \\ 漢字 🎯\n\u0000\u2028'

/** Reads by parts to the end. */
function readJson(bytes: Uint8Array) {
  const steps = readJsonInSteps(bytes)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** A body of half a megabyte or more. */
function longBody(random: Random): Record<string, unknown> {
  const textOf = () => filler.repeat(random.integer(1, 400))
  const block = () =>
    random.pick([
      () => ({ type: "text", text: textOf() }),
      () => ({ type: "tool_use", id: "a", name: "Read", input: { path: textOf(), "": null, __proto__: 1 } }),
      () => ({ type: "tool_result", tool_use_id: "a", content: `,{"role":"user"},{"role":${textOf()}` }),
    ])()
  const messages = Array.from({ length: 60 }, (_, at) => ({
    role: at % 2 === 0 ? "user" : "assistant",
    content: random.chance(0.3) ? textOf() : Array.from({ length: random.integer(1, 4) }, block),
  }))
  return { model: "m", max_tokens: 1, messages, system: textOf(), tools: [{ name: textOf() }], stream: true }
}

/** Reads the text by parts, and says what reading it at once makes of it. */
function read(text: string | Uint8Array) {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text
  const before = Bun.hash(bytes)
  const parsed = readJson(bytes)
  expect(Bun.hash(bytes)).toBe(before)
  return { parsed, bytes }
}

function expectSame(text: string): void {
  const { parsed, bytes } = read(text)
  const expected = atOnce(bytes)
  expect(parsed?.ok === true && JSON.stringify(parsed.value)).toBe(JSON.stringify(expected))
  if (isObject(expected))
    expect(Object.keys(objectOf(parsed?.ok && parsed.value))).toEqual(Object.keys(expected))
}

test("a long body is the same part by part and at once", () => {
  const random = createRandom(11)
  for (let round = 0; round < 12; round++) expectSame(JSON.stringify(longBody(random)))
})

const nested = {
  role: "user",
  content: [],
  more: [{ role: "a" }, { role: "b" }, { x: [{ y: 1 }, { role: 1 }] }],
}

describe("the same at once, however it is written", () => {
  const body = longBody(createRandom(3))
  const { messages, ...rest } = body
  const long = JSON.stringify(messages)
  const tail = JSON.stringify(rest).slice(1)
  const cases: Readonly<Record<string, string>> = {
    "with blanks": JSON.stringify(body, null, 2),
    "messages first": `{"messages":${long},${tail}`,
    "messages last": `{${tail.slice(0, -1)},"messages":${long}}`,
    "messages twice": `{"a":1,"messages":${long},"messages":[{"role":"user","content":"x"}],${tail}`,
    "messages twice, once in disguise": `{"a":1,"messages":${long},"\\u006dessages":[{"role":"user"}],${tail}`,
    "messages of something else": `{"a":{"b":1,"messages":${long}},"messages":[{"role":"user"}],${tail}`,
    "only messages of something else": `{"a":{"b":1,"messages":${long}},${tail}`,
    "messages of a list": `[{"a":1,"messages":${long}}]`,
    "messages in messages": JSON.stringify({
      a: 1,
      messages: Array.from({ length: 40 }, () => ({ ...nested, text: filler.repeat(200) })),
    }),
    "one long message": JSON.stringify({
      a: 1,
      messages: [{ role: "user", content: filler.repeat(20_000) }],
    }),
    "a mark of ours": JSON.stringify({
      a: "\u0000messages",
      messages: ["\u0000messages"],
      b: filler.repeat(9_000),
    }),
    "a byte order mark": `\uFEFF${JSON.stringify(body)}`,
    "no messages at all": JSON.stringify({ text: filler.repeat(10_000) }),
  }
  test.each(Object.keys(cases))("%s", (name) => expectSame(cases[name] ?? ""))
})

test("a body is broken wherever it is broken", () => {
  const random = createRandom(5)
  const text = JSON.stringify(longBody(random))
  for (let round = 0; round < 30; round++) {
    const at = random.integer(0, text.length - 1)
    const broken = random.pick([text.slice(0, at), `${text.slice(0, at)}\u0001${text.slice(at)}`, `${text}}`])
    const { parsed, bytes } = read(broken)
    expect(parsed?.ok).toBe(false)
    expect(() => atOnce(bytes)).toThrow()
  }
})

test("brackets that only fit together across messages are no JSON", () => {
  const text = filler.repeat(2_000)
  const messages = [
    { role: "user", content: text },
    { role: "user", content: text },
    { role: "user", content: text },
  ]
  const written = JSON.stringify({ a: 1, messages })
  const at = written.indexOf(',{"role":', 200_000)
  const crossed = `${written.slice(0, at)}]${written.slice(at, at + 1)}[${written.slice(at + 1)}`
  expect(read(crossed).parsed?.ok).toBe(false)
})

test("what is no UTF-8 anywhere is none", () => {
  const bytes = new TextEncoder().encode(JSON.stringify(longBody(createRandom(9))))
  for (const at of [1, 70_000, 200_000, bytes.length - 3]) {
    const broken = bytes.slice()
    broken[at] = 0xff
    expect(readJson(broken)).toBeUndefined()
  }
})

test("a long conversation comes to the upstream as it was sent, also where others are sent meanwhile", async () => {
  const { upstream, proxy } = start(() => ({ kind: "json", body: chatReply({ content: "hi" }) }))
  const texts = Array.from({ length: 60 }, (_, at) => `${at} ${filler.repeat(300)}`)
  const messages = texts.map((content, at) => ({ role: at % 2 === 0 ? "user" : "assistant", content }))
  const replies = await Promise.all(
    [0, 1, 2].map((at) =>
      post(proxy, { ...basicBody, messages: [...messages, { role: "user", content: `${at}` }] }),
    ),
  )
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
  const sent = upstream.turns().map(({ text }) =>
    arrayOf(objectOf(JSON.parse(text))["messages"])
      .map((message) => objectOf(message)["content"])
      .slice(-61),
  )
  const last = sent.map((contents) => contents.at(-1))
  expect(last.toSorted()).toEqual(["0", "1", "2"])
  for (const contents of sent) expect(contents.slice(0, -1)).toEqual(texts)
})

test.each(["first", "last"])("a long body with a message that is nested too deeply: the %s", (place) => {
  const deep = `{"role":"user","content":${"[".repeat(30_000)}${"]".repeat(30_000)}}`
  const usual = Array.from({ length: 40 }, () =>
    JSON.stringify({ role: "user", content: "a".repeat(10_000) }),
  )
  const messages = place === "first" ? [deep, ...usual] : [...usual, deep]
  const { parsed } = read(`{"model":"m","messages":[${messages.join(",")}]}`)
  expect(parsed).toEqual({ ok: false, why: "it is nested too deeply" })
})
