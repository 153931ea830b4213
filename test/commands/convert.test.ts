// `convert` as its user runs it, with the world passed in.
import { describe, expect, test } from "bun:test"
import { type ConvertOptions, convert } from "../../src/commands/convert.ts"
import { objectOf, parseJson } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { chatReply, finishChunk, textChunk, toolChunks, usageChunk } from "../support/chunks.ts"
import { inWorld } from "../support/command-io.ts"
import { checkGrammar } from "../support/grammar.ts"

const run = (input: string, options: Partial<ConvertOptions> = {}) =>
  inWorld({ stdin: input }, (io) => convert({ explain: false, model: "openai/gpt-4o", ...options }, io))

const json = (text: string) => {
  const parsed = parseJson(text)
  return objectOf(parsed.ok ? parsed.value : undefined)
}

const request = { max_tokens: 10, messages: [{ role: "user", content: "hi" }] }

describe("a request", () => {
  test("becomes the upstream's request", async () => {
    const { code, out, error } = await run(JSON.stringify(request))
    expect([code, error]).toEqual([0, ""])
    expect(json(out)).toEqual({
      model: "gpt-4o",
      messages: [{ role: "user", content: "hi" }],
      max_tokens: 10,
      store: false,
    })
  })

  test("--model takes the same way as a live request", async () => {
    const { out } = await run(JSON.stringify({ ...request, thinking: { type: "disabled" } }), {
      model: "deepseek/deepseek-v4-pro",
    })
    expect(json(out)).toMatchObject({ model: "deepseek-v4-pro", thinking: { type: "disabled" } })
  })

  test("--explain says the route, what was dropped and why, and whether it fits", async () => {
    const { code, error } = await run(JSON.stringify({ ...request, top_k: 5, container: "x" }), {
      explain: true,
    })
    expect(code).toBe(0)
    expect(error).toContain("route    openai/gpt-4o → gpt-4o at openai (model named by the client)")
    expect(error).toContain("dropped  container: ")
    expect(error).toContain("dropped  top_k: ")
    expect(error).toMatch(/tokens {3}about \d+ in, at most 10 out; fits the model's window of 128000/)
  })
})

test("--explain says what goes under another name", async () => {
  const more = { thinking: { type: "adaptive" }, tools: [{ name: "a b", input_schema: { type: "object" } }] }
  const { error } = await run(JSON.stringify({ ...request, ...more }), {
    explain: true,
    model: "openai/gpt-5",
  })
  expect(error).toContain("renamed  max_tokens: max_completion_tokens\n")
  expect(error).toContain('renamed  thinking: reasoning_effort "high"\n')
  expect(error).toMatch(/renamed {2}tools\.0\.name: "a b" as a_b_[0-9a-f]{8}\n/)
})

describe("a reply", () => {
  test("becomes an Anthropic message", async () => {
    const { code, out } = await run(JSON.stringify(chatReply({ content: "hello" })))
    expect(code).toBe(0)
    expect(json(out)).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "hello" }],
      stop_reason: "end_turn",
    })
  })

  test("that is an error becomes Anthropic's error", async () => {
    const { code, out } = await run(JSON.stringify({ error: { message: "no such thing", code: 400 } }))
    expect(code).toBe(0)
    expect(json(out)).toMatchObject({ type: "error", error: { type: "invalid_request_error" } })
  })
})

const chunks = [
  textChunk("Look: "),
  ...toolChunks(0, "call_12345678", "Read", { file: "a" }),
  finishChunk("tool_calls"),
  usageChunk(12, 7),
]

describe("a stream", () => {
  const forms: readonly (readonly [string, string])[] = [
    [
      "server-sent events",
      `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`,
    ],
    ["a chunk a line", chunks.map((chunk) => JSON.stringify(chunk)).join("\n")],
    [
      "a chunk a line after a comment",
      ['{"comment":"x"}', ...chunks.map((chunk) => JSON.stringify(chunk))].join("\n"),
    ],
  ]

  test.each(forms)("as %s becomes Anthropic events", async (_name, input) => {
    const { code, out } = await run(input)
    expect(code).toBe(0)
    const events = parseAnthropicSse(out)
    expect(checkGrammar(events)).toEqual([])
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" }, usage: { input_tokens: 12 } })
  })

  test("that was cut ends in an error event", async () => {
    const { out } = await run(`data: ${JSON.stringify(textChunk("half"))}\n\n`)
    expect(parseAnthropicSse(out).at(-1)).toMatchObject({ type: "error" })
  })
})

const level = '{"type":"tool_result","tool_use_id":"a","content":['
const deep = level.repeat(20_000) + "]}".repeat(20_000)

describe("anything else", () => {
  const cases: readonly (readonly [string, string, Partial<ConvertOptions>, string])[] = [
    ["nothing", "  ", {}, "standard input is empty"],
    ["no JSON", "nonsense", {}, "the input is not valid JSON"],
    ["a list", "[1]", {}, "must be a JSON object"],
    ["an unknown object", '{"a":1}', {}, "messages: Field required"],
    [
      "a bad message",
      '{"messages":[{"role":"user","content":[{"type":"text"}]}]}',
      {},
      "messages.0.content.0.text",
    ],
    [
      "an OpenAI request",
      '{"messages":[{"role":"system","content":"be brief"}]}',
      {},
      "this is an OpenAI request",
    ],
    ["a deep request", `{"messages":[{"role":"user","content":[${deep}]}]}`, {}, "nested too deeply"],
    ["a broken line", '{"choices":[]}\n{"cho', {}, "line 2 is not valid JSON"],
    ["the wrong way", JSON.stringify(request), { to: "anthropic" }, "converts to openai, not to anthropic"],
    ["a file that is not there", "", { file: "gone.json" }, "cannot read gone.json: ENOENT"],
  ]

  test.each(cases)("%s ends with 1 and says what is wrong", async (_name, input, options, why) => {
    const { code, out, error } = await run(input, options)
    expect([code, out]).toEqual([1, ""])
    expect(error).toStartWith("claude-proxy: ")
    expect(error).toContain(why)
  })
})
