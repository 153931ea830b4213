// The small tables: finish reasons and token counts, as every provider writes them.
import { describe, expect, test } from "bun:test"
import { addText, noText } from "../../src/convert/common/grown-text.ts"
import { convertUsage, laterUsage, mapFinishReason } from "../../src/convert/reader/finish.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { finalReason, finalUsage, isEstimated } from "../../src/convert/writer/final.ts"
import { initialWriter } from "../../src/convert/writer/writer-state.ts"
import { objectOf } from "../../src/protocol/json.ts"
import type { MessagesUsage } from "../../src/protocol/messages/messages.ts"
import { chatReply, deltaChunk, finishChunk, textChunk } from "../support/chunks.ts"
import { foldOf, replyEvents, writerOptions } from "../support/fixtures.ts"
import { property } from "../support/random.ts"

describe("finish reasons", () => {
  const stop = (reason: string) => ({ kind: "stop", reason, known: true })
  test.each([
    ...["stop", "end", "eos", "end_turn", "load", "STOP"].map((word) => [word, stop("end_turn")] as const),
    ...["length", "max_tokens", "model_length", "max_output_tokens"].map(
      (word) => [word, stop("max_tokens")] as const,
    ),
    ...["tool_calls", "function_call", "tool_use"].map((word) => [word, stop("tool_use")] as const),
    ...["content_filter", "refusal", "sensitive", "SAFETY", "RECITATION", "SPII"].map(
      (word) => [word, { kind: "filtered" }] as const,
    ),
    ...["content_filter: RECITATION", "content_filter: PROHIBITED_CONTENT"].map(
      (word) => [word, { kind: "filtered" }] as const,
    ),
    ["function_call_filter: MALFORMED_FUNCTION_CALL", { kind: "stop", reason: "end_turn", known: false }],
    ["model_context_window_exceeded", { kind: "window" }],
    ["something_new", { kind: "stop", reason: "end_turn", known: false }],
    ["toString", { kind: "stop", reason: "end_turn", known: false }],
    ["__proto__", { kind: "stop", reason: "end_turn", known: false }],
  ])("%s", (word, finish) => {
    expect<unknown>(mapFinishReason(word, {})).toEqual(finish)
  })

  test.each([
    ["error", "api_error", 502],
    ["network_error", "api_error", 502],
    ["abort", "api_error", 502],
    ["insufficient_system_resource", "overloaded_error", 529],
  ])("%s is a failure", (word, kind, status) => {
    expect(mapFinishReason(word, {})).toMatchObject({
      kind: "fault",
      fault: { kind, status, retry: "before-first-byte" },
    })
  })

  test("a provider's own words win", () => {
    expect(mapFinishReason("stop", { stop: "max_tokens" })).toEqual({
      kind: "stop",
      reason: "max_tokens",
      known: true,
    })
  })
})

/** Input, written, read, output, and thinking tokens where they are told. */
function counts(usage: MessagesUsage | undefined): readonly number[] | undefined {
  if (usage === undefined) return undefined
  const {
    input_tokens,
    cache_creation_input_tokens,
    cache_read_input_tokens,
    output_tokens,
    output_tokens_details,
  } = usage
  const thinking = output_tokens_details === undefined ? [] : [output_tokens_details.thinking_tokens]
  return [input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens, ...thinking]
}

describe("usage", () => {
  const p = (prompt_tokens: number, completion_tokens: number, more = {}) => ({
    prompt_tokens,
    completion_tokens,
    ...more,
  })
  const details = (prompt: object, completion?: object) => ({
    prompt_tokens_details: prompt,
    ...(completion === undefined ? {} : { completion_tokens_details: completion }),
  })
  test.each([
    ["plain", p(10, 5), [10, 0, 0, 5]],
    [
      "OpenAI, cached and written",
      p(100, 5, details({ cached_tokens: 60, cache_write_tokens: 30 })),
      [10, 30, 60, 5],
    ],
    ["case 64: DeepSeek's hit tokens", p(100, 5, { prompt_cache_hit_tokens: 64 }), [36, 0, 64, 5]],
    ["Moonshot's own field", p(100, 5, { cached_tokens: 64 }), [36, 0, 64, 5]],
    [
      "Qwen's written tokens",
      p(100, 5, details({ cached_tokens: 10, cache_creation_input_tokens: 20 })),
      [70, 20, 10, 5],
    ],
    [
      "new-api's written tokens, before Claude",
      p(180, 20, { total_tokens: 200, ...details({ cached_tokens: 30, cached_creation_tokens: 50 }) }),
      [100, 50, 30, 20],
    ],
    [
      "Requesty's written tokens",
      p(180, 20, details({ cached_tokens: 30, caching_tokens: 50 })),
      [100, 50, 30, 20],
    ],
    [
      "case 64: xAI's reasoning outside",
      p(291, 26, { total_tokens: 513, ...details({}, { reasoning_tokens: 196 }) }),
      [291, 0, 0, 222, 196],
    ],
    [
      "OpenAI's reasoning inside",
      p(10, 50, { total_tokens: 60, ...details({}, { reasoning_tokens: 40 }) }),
      [10, 0, 0, 50, 40],
    ],
    ["xAI's cache outside the prompt", p(10, 5, details({ cached_tokens: 60 })), [10, 0, 60, 5]],
    [
      "a relay's cache outside, told by the total",
      p(100, 5, { total_tokens: 165, ...details({ cached_tokens: 60 }) }),
      [100, 0, 60, 5],
    ],
    ["Gemini's thoughts outside", p(10, 5, { total_tokens: 45 }), [10, 0, 0, 35]],
    [
      "Anthropic's names",
      { input_tokens: 100, output_tokens: 5, cache_read_input_tokens: 60, cache_creation_input_tokens: 7 },
      [100, 7, 60, 5],
    ],
    [
      "Anthropic's names, nothing read",
      { input_tokens: 100, output_tokens: 5, cache_creation_input_tokens: 30 },
      [100, 30, 0, 5],
    ],
    [
      "Responses' names beside Anthropic's as zeros",
      {
        ...{ input_tokens: 100, output_tokens: 5, input_tokens_details: { cached_tokens: 60 } },
        ...{ cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
      },
      [40, 0, 60, 5],
    ],
    [
      "xAI's cache and reasoning outside",
      p(291, 26, { total_tokens: 713, ...details({ cached_tokens: 200 }, { reasoning_tokens: 196 }) }),
      [291, 0, 200, 222, 196],
    ],
    [
      "as much reasoning outside as was cached inside",
      p(300, 26, { total_tokens: 526, ...details({ cached_tokens: 200 }, { reasoning_tokens: 200 }) }),
      [100, 0, 200, 226, 200],
    ],
    [
      "Anthropic's names as an echo of OpenAI's details",
      {
        ...{ input_tokens: 1000, output_tokens: 10, total_tokens: 1010 },
        ...{ cache_read_input_tokens: 800, input_tokens_details: { cached_tokens: 800 } },
      },
      [200, 0, 800, 10],
    ],
    [
      "Anthropic's names beside OpenAI's details, with a total that holds both",
      {
        ...{ input_tokens: 1000, output_tokens: 10, total_tokens: 1810 },
        ...{ cache_read_input_tokens: 800, input_tokens_details: { cached_tokens: 800 } },
      },
      [1000, 0, 800, 10],
    ],
    [
      "Anthropic's names with a total that leaves the cache out",
      { input_tokens: 1000, output_tokens: 10, cache_read_input_tokens: 800, total_tokens: 1010 },
      [1000, 0, 800, 10],
    ],
    ["Copilot's reasoning beside the details", p(100, 40, { reasoning_tokens: 30 }), [100, 0, 0, 40, 30]],
    ["more reasoning than output", p(100, 26, details({}, { reasoning_tokens: 196 })), [100, 0, 0, 222, 196]],
    [
      "DeepSeek's halves without their sum",
      { prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36, completion_tokens: 5 },
      [36, 0, 64, 5],
    ],
    [
      "a zero beside a count",
      p(100, 5, { ...details({ cached_tokens: 0 }), cached_tokens: 64 }),
      [36, 0, 64, 5],
    ],
    ["zeros under other names", { ...p(100, 5), input_tokens: 0, output_tokens: 0 }, [100, 0, 0, 5]],
    ["zeros under the usual names", { ...p(0, 0), input_tokens: 100, output_tokens: 5 }, [100, 0, 0, 5]],
    ["the total and the output", { completion_tokens: 5, total_tokens: 105 }, [100, 0, 0, 5]],
    ["the total and the input", { prompt_tokens: 100, total_tokens: 105 }, [100, 0, 0, 5]],
    ["fractions", p(99.6, 5.2), [100, 0, 0, 5]],
    ["too many to be true", p(1e300, 5, details({ cached_tokens: 1e300 })), [0, 0, 0, 5]],
    ["numbers as strings", { prompt_tokens: "10", completion_tokens: "5" }, [10, 0, 0, 5]],
    ["the output alone", { completion_tokens: 5 }, [0, 0, 0, 5]],
    ["nothing that counts", { total_tokens: 5, prompt_tokens: null }, undefined],
    ["negative", p(-1, 5), [0, 0, 0, 5]],
    ["no object", 12, undefined],
    ["null", null, undefined],
  ])("%s", (_name, raw, expected) => {
    expect(counts(convertUsage(raw))).toEqual(expected)
  })

  property("the parts add up, whatever a provider writes", 500, (random) => {
    const fields = ["prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"]
    const others = ["cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "reasoning_tokens"]
    const count = () =>
      random.pick<unknown>([0, 1, 7, 100, 250, 1e6, -5, 1e300, 0.5, "12", "x", null, {}, []])
    const some = (names: readonly string[]) =>
      Object.fromEntries(names.filter(() => random.chance(0.6)).map((name) => [name, count()]))
    const found = convertUsage({
      ...some([...fields, ...others]),
      prompt_tokens_details: some(["cached_tokens", "cache_write_tokens"]),
      completion_tokens_details: some(["reasoning_tokens"]),
    })
    if (found === undefined) return
    const parts = counts(found) ?? []
    for (const part of parts) {
      expect(Number.isInteger(part)).toBe(true)
      expect(part).toBeGreaterThanOrEqual(0)
    }
    expect(found.output_tokens_details?.thinking_tokens ?? 0).toBeLessThanOrEqual(found.output_tokens)
  })

  const usage = (raw: object) =>
    convertUsage(raw) ?? {
      input_tokens: 0,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 0,
    }

  test("a later report stands, but a zero takes nothing back", () => {
    expect(counts(laterUsage(usage(p(10, 5)), usage(p(11, 6))))).toEqual([11, 0, 0, 6])
    expect(counts(laterUsage(usage(p(10, 5)), usage(p(0, 0))))).toEqual([10, 0, 0, 5])
    expect(counts(laterUsage(usage(p(10, 0)), usage({ completion_tokens: 6 })))).toEqual([10, 0, 0, 6])
  })

  const withUsage = (usage: unknown) => ({ ...textChunk("x"), usage })

  test("case 53: usage in every chunk is not added up; in the choice; in x_groq", () => {
    const used = (...chunks: readonly unknown[]) =>
      counts(foldOf([textChunk("Hello"), ...chunks, finishChunk("stop")]).reply?.usage)
    expect(used(withUsage(p(9, 1)), withUsage(p(9, 2)), withUsage(p(9, 3)))).toEqual([9, 0, 0, 3])
    expect(used({ choices: [{ delta: {}, usage: p(9, 3) }] })).toEqual([9, 0, 0, 3])
    expect(used({ ...deltaChunk({}), x_groq: { usage: p(9, 3) } })).toEqual([9, 0, 0, 3])
    expect(used({ ...deltaChunk({}), usage: {}, x_groq: { usage: p(9, 3) } })).toEqual([9, 0, 0, 3])
  })

  const timings = { cache_n: 60, prompt_n: 40, prompt_ms: 1, predicted_n: 5 }
  test.each<[string, unknown, object, readonly number[] | undefined]>([
    ["what came from the cache", p(100, 5), timings, [40, 0, 60, 5]],
    ["a count of the usage's own wins", p(100, 5, details({ cached_tokens: 0 })), timings, [100, 0, 0, 5]],
    ["everything, where there is no usage", undefined, timings, [40, 0, 60, 5]],
    ["without a cache", null, { prompt_n: 40, predicted_n: 5 }, [40, 0, 0, 5]],
    ["the output alone", undefined, { cache_n: 60, predicted_n: 5 }, [0, 0, 0, 5]],
    ["nothing", undefined, { cache_n: 60, prompt_ms: 1 }, undefined],
    ["other timings", p(100, 5), { prompt_ms: 1 }, [100, 0, 0, 5]],
  ])("llama.cpp's timings: %s", (_name, raw, times, expected) => {
    expect(counts(convertUsage(raw, objectOf(times)))).toEqual(expected)
  })

  test("llama.cpp's timings in the chunk of the usage, before it, after it, and alone", () => {
    const used = (...chunks: readonly object[]) =>
      counts(foldOf([textChunk("Hello"), ...chunks, finishChunk("stop")]).reply?.usage)
    const usage = { choices: [], usage: p(100, 5) }
    expect(used({ ...usage, timings })).toEqual([40, 0, 60, 5])
    expect(used({ choices: [], timings }, usage)).toEqual([40, 0, 60, 5])
    expect(used(usage, { choices: [], timings })).toEqual([40, 0, 60, 5])
    expect(used({ choices: [], timings: { ...timings, predicted_n: 1 } }, { choices: [], timings })).toEqual([
      40, 0, 60, 5,
    ])
    const own = { choices: [], usage: p(100, 5, details({ cached_tokens: 0 })) }
    expect(used({ choices: [], timings }, own)).toEqual([100, 0, 0, 5])
    expect(used(own, { choices: [], timings })).toEqual([100, 0, 0, 5])
    expect(
      counts(
        foldEvents(replyEvents({ ...chatReply({ content: "a" }, "stop", p(100, 5)), timings })).reply?.usage,
      ),
    ).toEqual([40, 0, 60, 5])
  })

  test("case 54: what nobody counted is estimated", () => {
    const used = (usage: unknown) =>
      counts(foldOf([textChunk("Hello, you"), withUsage(usage), finishChunk("stop")]).reply?.usage)
    expect(used(null)).toEqual([7, 0, 0, 3])
    expect(used(p(0, 0))).toEqual([7, 0, 0, 3])
    expect(used(p(9, 0))).toEqual([9, 0, 0, 3])
    expect(used({ completion_tokens: 4 })).toEqual([7, 0, 0, 4])
  })

  test("without an estimate the unknown is left out", () => {
    const state = {
      ...initialWriter({ ...writerOptions, estimate: null }),
      written: addText(noText, "Hello"),
    }
    expect(finalUsage(state)).toEqual({ output_tokens: 0 })
    expect(finalUsage({ ...state, usage: usage(p(0, 5)) })).toEqual({ output_tokens: 5 })
    expect(isEstimated(state)).toBe(false)
  })

  test("it is said when something was estimated", () => {
    const state = { ...initialWriter(writerOptions), written: addText(noText, "Hello") }
    expect(isEstimated(state)).toBe(true)
    expect(isEstimated({ ...state, usage: usage(p(9, 0)) })).toBe(true)
    expect(isEstimated({ ...state, usage: usage(p(9, 1)) })).toBe(false)
  })

  test.each([
    ["whole", 1, true, 1, false],
    ["cut, told of less than was written", 1, false, 3, true],
    ["cut, told of more than was written", 4, false, 4, false],
    ["cut, told of just as much", 3, false, 3, false],
  ] as const)("a reply that is %s", (_name, reported, isWhole, output, estimated) => {
    const state = {
      ...initialWriter(writerOptions),
      written: addText(noText, "Hello, you"),
      usage: usage(p(9, reported)),
    }
    expect(finalUsage(state, isWhole).output_tokens).toBe(output)
    expect(isEstimated(state, isWhole)).toBe(estimated)
    const bare = { ...state, options: { ...writerOptions, estimate: null } }
    expect(finalUsage(bare, isWhole).output_tokens).toBe(reported)
    expect(isEstimated(bare, isWhole)).toBe(false)
  })
})

test.each([
  [{ finish: "end_turn", sawTool: true, lastToolComplete: true }, "tool_use"],
  [{ finish: "max_tokens", sawTool: true, lastToolComplete: true }, "tool_use"],
  [{ finish: "max_tokens", sawTool: true, lastToolComplete: false }, "max_tokens"],
  [{ finish: "tool_use", sawTool: false }, "end_turn"],
  [{ finish: undefined, sawTool: false }, "end_turn"],
  [{ finish: "stop_sequence", sawTool: false }, "stop_sequence"],
] as const)("%j ends with %s", (state, reason) => {
  expect(finalReason({ ...initialWriter(writerOptions), ...state })).toBe(reason)
})
