// Treacherous streams, one test for each number: where tokens are counted, and chunks that say nothing.
import { expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { chatUsage, deltaChunk, finishChunk, roleChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { eventsOf, inputs, optionsFor, play, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { strictProviders } from "../support/strict/providers.ts"

/** The usage at the end of the message, the same by the row of every provider. */
function usageOf(chunks: readonly JsonObject[]): unknown {
  const found = strictProviders.map(({ id, models }) => {
    const events = play(inputs(chunks), optionsFor({ provider: id, model: models[0] ?? "m" }))
    expect(checkGrammar(events)).toEqual([])
    const ends = events.flatMap((event) => (event.type === "message_delta" ? [event.usage] : []))
    expect(ends.length).toBe(1)
    return JSON.stringify(ends[0])
  })
  const [usage = "null"] = found
  expect(new Set(found)).toEqual(new Set([usage]))
  return JSON.parse(usage)
}

const tokens = (input: number, output: number, cached = 0) => ({
  input_tokens: input,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cached,
  output_tokens: output,
})

test("52: the finish reason with the last text and usage in a chunk without choices: one message_delta", () => {
  const last = { ...textChunk("b"), choices: [{ index: 0, delta: { content: "b" }, finish_reason: "stop" }] }
  const chunks = [roleChunk(), textChunk("a"), last, usageChunk(10, 2, 4)]
  expect(usageOf(chunks)).toEqual(tokens(6, 2, 4))
  const { reply } = foldEvents(eventsOf(chunks))
  expect(reply?.content).toEqual([{ type: "text", text: "ab" }])
  expect(reply?.stop_reason).toBe("end_turn")
})

test("53: usage counts once: the last of many, in a choice, or only in x_groq", () => {
  const text = (count: number) => ({ ...textChunk("a"), usage: chatUsage(10, count) })
  expect(usageOf([text(1), text(2), text(3), finishChunk("stop", chatUsage(10, 4))])).toEqual(tokens(10, 4))
  const inChoice = {
    ...finishChunk("stop"),
    choices: [{ index: 0, delta: {}, finish_reason: "stop", usage: chatUsage(9, 3) }],
  }
  expect(usageOf([textChunk("a"), inChoice])).toEqual(tokens(9, 3))
  const groq = { ...finishChunk("stop"), x_groq: { id: "req_1", usage: chatUsage(8, 5) } }
  expect(usageOf([textChunk("a"), groq])).toEqual(tokens(8, 5))
  const nothing = { ...textChunk("a"), usage: null }
  expect(usageOf([nothing, finishChunk("stop", chatUsage(7, 2))])).toEqual(tokens(7, 2))
})

test("54: where nobody counts, the output is estimated from the text and the input from the request", () => {
  const chunks = [textChunk("one two three four"), finishChunk("stop")]
  const usage = foldEvents(eventsOf(chunks)).reply?.usage
  expect(usage?.output_tokens).toBeGreaterThan(0)
  expect(usage?.input_tokens).toBe(7)
  expect(eventsOf(chunks)[0]).toMatchObject({ message: { usage: { input_tokens: 7 } } })
})

test("55: Azure's first chunk without choices and id means nothing", () => {
  const first = {
    ...{ id: "", object: "", created: 0, model: "", choices: [] },
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: { filtered: false } } }],
  }
  const rest = [roleChunk(), textChunk("a"), finishChunk("stop", chatUsage(3, 2))]
  expect(eventsOf([first, ...rest])).toEqual(eventsOf(rest))
  expect(eventsOf([deltaChunk({}), ...rest])).toEqual(eventsOf(rest))
})

test("64: xAI's reasoning is added to the output, and DeepSeek's hits are read from the cache", () => {
  const xai = {
    ...{ prompt_tokens: 291, completion_tokens: 26, total_tokens: 513 },
    completion_tokens_details: { reasoning_tokens: 196 },
    prompt_tokens_details: { cached_tokens: 0 },
  }
  const deepseek = {
    ...{ prompt_tokens: 339, completion_tokens: 83, total_tokens: 422 },
    ...{ prompt_cache_hit_tokens: 320, prompt_cache_miss_tokens: 19 },
    completion_tokens_details: { reasoning_tokens: 39 },
  }
  const gemini = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 45 }
  const cases: readonly (readonly [JsonObject, JsonObject])[] = [
    [xai, { ...tokens(291, 222), output_tokens_details: { thinking_tokens: 196 } }],
    [deepseek, { ...tokens(19, 83, 320), output_tokens_details: { thinking_tokens: 39 } }],
    [{ prompt_tokens: 50, completion_tokens: 5, cached_tokens: 30 }, tokens(20, 5, 30)],
    [gemini, tokens(10, 35)],
  ]
  for (const [usage, expected] of cases) {
    expect(usageOf([textChunk("a"), finishChunk("stop", usage)])).toEqual(expected)
    const choices = [{ index: 0, message: { role: "assistant", content: "a" }, finish_reason: "stop" }]
    expect(foldEvents(replyEvents({ choices, usage })).reply?.usage).toMatchObject(expected)
  }
})
