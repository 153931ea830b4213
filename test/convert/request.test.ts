import { describe, expect, test } from "bun:test"
import { convertRequest } from "../../src/convert/request/request.ts"
import { cacheGroup, sessionOf } from "../../src/convert/request/session.ts"
import { noteUnknownFields } from "../../src/convert/request/unknown-fields.ts"
import type { ChatRequest } from "../../src/protocol/chat/chat.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import {
  ask,
  assistant,
  call,
  convert,
  deepseek,
  generic,
  gpt4o,
  gpt5,
  noteLines,
  ollama,
  parse,
  result,
  routeTo,
  type Target,
  text,
  user,
} from "./request-support.ts"

const hi = user(text("hi"))
const schema = {
  type: "object",
  properties: { a: { type: "string" } },
  required: ["a"],
  additionalProperties: false,
}

describe("the smallest request", () => {
  const messages = [{ role: "user", content: "hi" }]
  test.each<[Target, object]>([
    [gpt4o, { model: "gpt-4o", messages, max_tokens: 1000, store: false }],
    [gpt5, { model: "gpt-5", messages, max_completion_tokens: 1000, store: false }],
    [["azure", "gpt-4.1"], { model: "gpt-4.1", messages, max_tokens: 1000 }],
    [deepseek, { model: "deepseek-v4-pro", messages, max_tokens: 1000 }],
    [ollama, { model: "qwen3", messages, max_tokens: 1000 }],
    [generic, { model: "some-model", messages, max_tokens: 1000 }],
  ])("to %p", (target, expected) => {
    const { body, notes } = convert(ask([hi]), target)
    expect(JSON.stringify(body)).toBe(JSON.stringify(expected))
    expect(notes).toEqual([])
  })
})

describe("max_tokens", () => {
  type Limits = Parameters<typeof convertRequest>[2]
  const defaults: Limits = { defaultMaxTokens: 8192, minTokensLimit: 1, maxTokensLimit: undefined }
  test.each<[number | null, Partial<Limits>, Target, number, boolean]>([
    [1000, {}, gpt4o, 1000, false],
    [16_384, {}, gpt4o, 16_384, false],
    [16_385, {}, gpt4o, 16_384, true],
    [128_000, {}, generic, 128_000, false],
    [null, {}, generic, 8192, true],
    [null, { defaultMaxTokens: 50_000 }, gpt4o, 16_384, true],
    [50, { minTokensLimit: 100 }, generic, 8192, true],
    [100, { minTokensLimit: 100 }, generic, 100, false],
    [8500, { minTokensLimit: 9000 }, generic, 9000, true],
    [1000, { maxTokensLimit: 500 }, generic, 500, true],
    [128_000, { maxTokensLimit: 100_000 }, gpt4o, 16_384, true],
    [1000, { maxTokensLimit: 0 }, generic, 1, true],
    [0.5, {}, generic, 8192, true],
  ])("%p with %j to %p: %p", (max_tokens, more, target, expected, noted) => {
    const request = parse(ask([hi], { max_tokens }))
    const { body, notes } = convertRequest(request, routeTo(target), { ...defaults, ...more }, undefined)
    expect(body.max_tokens).toBe(expected)
    expect(notes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(noted ? ["changed max_tokens"] : [])
  })
})

describe("single fields", () => {
  const six = ["1", "2", "3", "4", "5", "6"]
  test.each<[Target, object, Partial<ChatRequest>, readonly string[]]>([
    [gpt4o, { temperature: 0, top_p: 0.5 }, { temperature: 0, top_p: 0.5 }, []],
    [gpt4o, { temperature: null, top_p: null, top_k: null }, {}, []],
    [gpt4o, { top_k: 40 }, {}, ["dropped top_k"]],
    [gpt5, { temperature: 1, top_p: 1 }, {}, ["dropped temperature", "dropped top_p"]],
    [["openai", "gpt-5-chat-latest"], { temperature: 1 }, { temperature: 1 }, []],
    [gpt4o, { stop_sequences: six }, { stop: ["1", "2", "3", "4"] }, ["changed stop_sequences"]],
    [gpt5, { stop_sequences: ["a"] }, {}, ["changed stop_sequences"]],
    [deepseek, { stop_sequences: six }, { stop: six }, []],
    [gpt4o, { stop_sequences: ["", "a"] }, { stop: ["a"] }, []],
    [gpt4o, { stop_sequences: [] }, {}, []],
    [gpt4o, { stream: true }, { stream: true, stream_options: { include_usage: true } }, []],
    [gpt4o, { stream: false }, {}, []],
    [gpt4o, { service_tier: "auto" }, { service_tier: "auto" }, []],
    [gpt4o, { service_tier: "standard_only" }, { service_tier: "default" }, []],
    [gpt4o, { speed: "fast" }, { service_tier: "priority" }, []],
    [gpt4o, { speed: "standard" }, {}, []],
    [deepseek, { service_tier: "auto" }, {}, ["dropped service_tier"]],
    [deepseek, { speed: "fast" }, {}, ["dropped speed"]],
    [gpt4o, { metadata: { user_id: "u" } }, {}, ["dropped metadata.user_id"]],
    [gpt4o, { metadata: { user_id: null } }, {}, []],
  ])("%p %j", (target, more, expected, notes) => {
    const conversion = convert(ask([hi], { ...more }), target)
    const { model: _model, messages: _messages, max_tokens: _max, store: _store, ...rest } = conversion.body
    const { max_completion_tokens: _completion, ...fields } = rest
    expect<Partial<ChatRequest>>(fields).toEqual(expected)
    expect(noteLines(conversion)).toEqual([...notes])
  })

  test("a stop sequence that the model may repeat with the beginning of its answer is watched for", () => {
    const begun = [hi, { role: "assistant", content: "```json" }]
    const { body, watchedStops, notes } = convert(ask(begun, { stop_sequences: ["```", "END"] }), gpt4o)
    expect([body.stop, watchedStops]).toEqual([["END"], ["```", "END"]])
    expect(notes.map(({ path }) => path)).toEqual(["messages", "stop_sequences"])
    expect(convert(ask(begun, { stop_sequences: ["END"] }), gpt4o).watchedStops).toEqual([])
  })

  test("stop sequences that the profile drops are watched for, as those beyond its number are", () => {
    const conversion = convert(ask([hi], { stop_sequences: ["END"] }), gpt4o, { drop: ["stop"] })
    expect([conversion.body.stop, conversion.watchedStops]).toEqual([undefined, ["END"]])
    expect(noteLines(conversion)).toEqual(["changed stop_sequences"])
  })

  test("an endpoint that knows no stream_options gets none", () => {
    const { body } = convert(ask([hi], { stream: true }), generic, { streamUsage: false })
    expect([body.stream, "stream_options" in body]).toEqual([true, false])
  })

  test.each<[ProfileDelta, object, readonly string[]]>([
    [{ clamp: { temperature: [0.1, 1] } }, { temperature: 0.1 }, ["changed temperature"]],
    [{ clamp: { temperature: [0, 1] } }, { temperature: 0 }, []],
    [{ allow: ["top_k"] }, { temperature: 0, top_k: 40 }, []],
    [{ drop: ["stream_options", "max_tokens"] }, { temperature: 0 }, ["dropped max_tokens"]],
  ])("the profile has the last word: %j", (delta, expected, notes) => {
    const more = { temperature: 0, ...("allow" in delta ? { top_k: 40 } : {}) }
    const conversion = convert(ask([hi], more), generic, delta)
    expect(conversion.body).toMatchObject(expected)
    expect(noteLines(conversion)).toEqual([...notes])
    for (const field of delta.drop ?? []) expect(field in conversion.body).toBe(false)
  })
})

describe("structured output", () => {
  const json_schema = (more: object) => ({ type: "json_schema", json_schema: { name: "response", ...more } })
  const open = { ...schema, additionalProperties: true }

  test.each<[string, object, object]>([
    [
      "a strict schema",
      { output_config: { format: { type: "json_schema", schema } } },
      { schema, strict: true },
    ],
    ["the old field", { output_format: { type: "json_schema", schema } }, { schema, strict: true }],
    [
      "an open schema",
      { output_config: { format: { type: "json_schema", schema: open } } },
      { schema: open },
    ],
    [
      "a schema with $schema",
      { output_config: { format: { type: "json_schema", schema: { $schema: "x", ...schema } } } },
      { schema, strict: true },
    ],
  ])("%s", (_, more, expected) => {
    expect<unknown>(convert(ask([hi], { ...more })).body.response_format).toEqual(json_schema(expected))
  })

  test("without a field for it the system prompt asks, with or without one of its own", () => {
    const more = { output_config: { format: { type: "json_schema", schema } } }
    const asked = `Answer with one JSON object only, no other text, that matches this JSON schema:\n${JSON.stringify(schema)}`
    for (const [delta, expected] of [
      [{ responseFormat: "json_object" }, { type: "json_object" }],
      [{ responseFormat: "none" }, undefined],
    ] as const) {
      const { body } = convert(ask([hi], more), generic, delta)
      expect(body.messages[0]).toEqual({ role: "system", content: asked })
      expect<unknown>(body.response_format).toEqual(expected)
      const prompted = convert(ask([hi], { ...more, system: "Be brief." }), generic, delta).body
      expect(prompted.messages[0]).toEqual({ role: "system", content: `Be brief.\n\n${asked}` })
    }
  })

  test.each([{ type: "grammar" }, { type: "json_schema" }, { type: "json_schema", schema: null }])(
    "a format nobody knows is left out: %j",
    (format) => {
      const conversion = convert(ask([hi], { output_config: { format } }))
      expect(conversion.body.response_format).toBe(undefined)
      expect(noteLines(conversion)).toEqual(["dropped output_config.format"])
    },
  )
})

describe("what the way back needs", () => {
  test("ids in use, stop sequences, names that were changed, names that are offered", () => {
    const long = "n".repeat(70)
    const gone = "m".repeat(70)
    const history = [hi, assistant(call("a", {}, gone), call("b", {}, long)), user(result("a"))]
    const tools = [{ name: long, input_schema: schema }]
    const conversion = convert(ask(history, { tools, stop_sequences: ["x", ""] }), gpt5)
    const short = (name: string) => [...conversion.toolNames].find(([, own]) => own === name)?.[0]
    expect([...conversion.seenIds]).toEqual(["a", "b"])
    expect(conversion.stopSequences).toEqual(["x"])
    expect([...conversion.offered]).toEqual([long])
    expect(conversion.body.tools?.[0]?.function?.name).toBe(short(long) ?? "")
    expect(short(gone)).toMatch(/^m{55}_[0-9a-f]{8}$/)
  })

  test.each<[Target, object, boolean]>([
    [gpt4o, {}, true],
    [gpt4o, { thinking: { type: "disabled" } }, false],
    [deepseek, { thinking: { type: "disabled" } }, false],
    [["minimax", "MiniMax-M2.5"], { thinking: { type: "disabled" } }, true],
    [ollama, { thinking: { type: "between_tools" } }, false],
  ])("is reasoning shown? %p %j", (target, more, expected) => {
    expect(convert(ask([hi], { ...more }), target).showReasoning).toBe(expected)
  })
})

describe("the session", () => {
  const uuid = "11111111-2222-4333-8444-555555555555"
  test.each([
    [{ user_id: JSON.stringify({ device_id: "d", session_id: "s" }) }, "s"],
    [{ user_id: JSON.stringify({ device_id: "d", session_id: "" }) }, undefined],
    [{ user_id: `user_${"0".repeat(64)}_account__session_${uuid}` }, uuid],
    [{ user_id: "someone" }, undefined],
    [{ user_id: "[1]" }, undefined],
    [{ user_id: `{"session_${uuid}` }, uuid],
    [{ user_id: null }, undefined],
    [{}, undefined],
    [null, undefined],
    [undefined, undefined],
  ])("in %j is %p", (metadata, expected) => {
    expect(sessionOf(parse(ask([hi], { metadata })))).toBe(expected)
  })

  test.each([
    [undefined, undefined, undefined],
    ["s", undefined, "s"],
    [undefined, "a", "a"],
    ["s", "a", "s:a"],
  ])("of %p and agent %p is the group %p", (session, agent, expected) => {
    expect(cacheGroup(session, agent)).toBe(expected)
  })

  test("a cache key has 64 characters at most", () => {
    const { body } = convertRequest(
      parse(ask([hi])),
      routeTo(gpt4o),
      { defaultMaxTokens: 1, minTokensLimit: 1, maxTokensLimit: undefined },
      `${"k".repeat(63)}🎯`,
    )
    expect(body.prompt_cache_key).toBe(`${"k".repeat(63)}\ufffd`)
  })
})

test("fields outside the schema are noted unless they are null", () => {
  const raw = { ...ask([hi]), context_management: {}, container: null, betas: [], diagnostics: undefined }
  expect(
    noteUnknownFields(JSON.parse(JSON.stringify(raw)), routeTo(gpt4o).profile).map(({ path }) => path),
  ).toEqual(["context_management", "betas"])
})
