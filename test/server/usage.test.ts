// What the client is told of tokens, and what the record of a request says of them: wherever, whenever and however
// the upstream counts, or does not.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { estimateText } from "../../src/tokens/estimate.ts"
import { removeFolders } from "../config/support.ts"
import {
  chatReply,
  chatUsage,
  deltaChunk,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import { eventsOf as responsesEvents } from "../support/responses/events.ts"
import { messageItem, reasoningItem, responseOf } from "../support/responses/items.ts"
import { startResponses } from "../support/responses/proxy.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import {
  eventsOf,
  jsonOf,
  listen,
  type ProxyOptions,
  post,
  postStream,
  start,
  stopAll,
  type TestProxy,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const answer = "The answer is here."
const wordy = "A prompt of a few words, to be counted by somebody."
const asked = { messages: [{ role: "user", content: wordy }] } as const
const estimated = { input: estimateText(wordy) + 3, output: estimateText(answer) } as const

type Counts = readonly [input: number, written: number, read: number, output: number, thinking?: number]

function usageOf([input, written, read, output, thinking]: Counts): JsonObject {
  return {
    input_tokens: input,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: output,
    ...(thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
  }
}

/** The usage that a stream ends with. */
async function endOf(response: Promise<Response>): Promise<unknown> {
  const events = await eventsOf(response)
  expect(events.at(-1)).toEqual({ type: "message_stop" })
  return events.findLast(({ type }) => type === "message_delta")?.["usage"]
}

/** The same request as a stream, and folded into one reply: both are told the same, and so is the record. */
async function check(
  proxy: TestProxy,
  more: JsonObject,
  counts: Counts,
  isEstimated: boolean,
): Promise<void> {
  const expected = usageOf(counts)
  expect(await endOf(postStream(proxy, { ...asked, ...more }))).toEqual(expected)
  expect((await jsonOf(post(proxy, { ...asked, ...more })))["usage"]).toMatchObject(expected)
  await until(() => proxy.exchanges.length >= 2)
  for (const { usage, estimated: said } of proxy.exchanges) {
    expect<unknown>(usage).toEqual(expected)
    expect(said).toBe(isEstimated)
  }
}

const withUsage = (usage: unknown, text = "") => ({ ...textChunk(text), usage })
const words = [textChunk("The answer "), textChunk("is here.")]
const plain = { prompt_tokens: 900, completion_tokens: 40, total_tokens: 940 }

interface Case {
  /** Chunks between the role and [DONE]. */
  readonly chunks: readonly JsonObject[]
  readonly counts: Counts
  readonly estimated?: true
}

const late = (usage: JsonObject): readonly JsonObject[] => [
  ...words,
  finishChunk("stop"),
  { ...deltaChunk({}), choices: [], usage },
]

const inChoice = (usage: JsonObject) => ({
  ...finishChunk("stop"),
  choices: [{ index: 0, delta: {}, finish_reason: "stop", usage }],
})

const zeros = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }

const where: Readonly<Record<string, Case>> = {
  early: { chunks: [withUsage(plain), ...words, finishChunk("stop")], counts: [900, 0, 0, 40] },
  late: { chunks: late(plain), counts: [900, 0, 0, 40] },
  "with the finish reason": { chunks: [...words, finishChunk("stop", plain)], counts: [900, 0, 0, 40] },
  "in the choice": { chunks: [...words, inChoice(plain)], counts: [900, 0, 0, 40] },
  "in another choice": {
    chunks: [
      ...words,
      { ...finishChunk("stop"), choices: [{ index: 0, delta: {}, finish_reason: "stop" }, { usage: plain }] },
    ],
    counts: [900, 0, 0, 40],
  },
  "in the choice, beside zeros": {
    chunks: [...words, { ...inChoice(plain), usage: zeros }],
    counts: [900, 0, 0, 40],
  },
  "in x_groq": {
    chunks: [...words, { ...finishChunk("stop"), x_groq: { id: "req_1", usage: plain } }],
    counts: [900, 0, 0, 40],
  },
  cumulatively: {
    chunks: [1, 2, 40].map((output) => withUsage(chatUsage(900, output), output === 1 ? answer : "")),
    counts: [900, 0, 0, 40],
  },
  "cumulatively, with the prompt only at the end": {
    chunks: [
      ...[1, 2].map((output) => withUsage({ completion_tokens: output }, "x")),
      finishChunk("stop", plain),
    ],
    counts: [900, 0, 0, 40],
  },
  twice: {
    chunks: [...words, finishChunk("stop", plain), usageChunk(901, 41, 100)],
    counts: [801, 0, 100, 41],
  },
  "twice, the second time as zeros": {
    chunks: [...words, finishChunk("stop", plain), { ...deltaChunk({}), choices: [], usage: zeros }],
    counts: [900, 0, 0, 40],
  },
  "behind chunks that say null": {
    chunks: [withUsage(null), ...words.map((chunk) => ({ ...chunk, usage: null })), ...late(plain).slice(2)],
    counts: [900, 0, 0, 40],
  },
  "behind Azure's first chunk without choices": {
    chunks: [{ choices: [], id: "", model: "", prompt_filter_results: [] }, ...late(plain)],
    counts: [900, 0, 0, 40],
  },
  never: {
    chunks: [...words, finishChunk("stop")],
    counts: [estimated.input, 0, 0, estimated.output],
    estimated: true,
  },
  "as nulls": {
    chunks: late({ prompt_tokens: null, completion_tokens: null, total_tokens: null }),
    counts: [estimated.input, 0, 0, estimated.output],
    estimated: true,
  },
  "as zeros": { chunks: late(zeros), counts: [estimated.input, 0, 0, estimated.output], estimated: true },
  "as zero for the input alone": {
    chunks: late({ prompt_tokens: 0, completion_tokens: 40 }),
    counts: [estimated.input, 0, 0, 40],
    estimated: true,
  },
  "as zero for the output alone": {
    chunks: late({ prompt_tokens: 900, completion_tokens: 0, total_tokens: 900 }),
    counts: [900, 0, 0, estimated.output],
    estimated: true,
  },
  "as strings": {
    chunks: late({ prompt_tokens: "900", completion_tokens: "40", total_tokens: "940" }),
    counts: [900, 0, 0, 40],
  },
  "as fractions": {
    chunks: late({ prompt_tokens: 899.6, completion_tokens: 40.2 }),
    counts: [900, 0, 0, 40],
  },
  "as negative numbers": {
    chunks: late({ prompt_tokens: -1, completion_tokens: -1 }),
    counts: [estimated.input, 0, 0, estimated.output],
    estimated: true,
  },
  "as numbers that cannot be": {
    chunks: late({
      prompt_tokens: 1e300,
      completion_tokens: 40,
      prompt_tokens_details: { cached_tokens: 1e300 },
    }),
    counts: [estimated.input, 0, 0, 40],
    estimated: true,
  },
  "as words": {
    chunks: late({ prompt_tokens: "many", completion_tokens: true, total_tokens: {} }),
    counts: [estimated.input, 0, 0, estimated.output],
    estimated: true,
  },
}

describe("Chat Completions reports usage", () => {
  test.each(Object.entries(where))("%s", async (_name, given) => {
    const { proxy } = start(() => ({ kind: "stream", chunks: [roleChunk(), ...given.chunks] }))
    await check(proxy, {}, given.counts, given.estimated === true)
  })

  const shapes: Readonly<Record<string, readonly [JsonObject, Counts]>> = {
    "OpenAI, read and written": [
      { ...chatUsage(1000, 50), prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 } },
      [100, 300, 600, 50],
    ],
    "DeepSeek, hit and missed": [
      {
        ...chatUsage(339, 83),
        prompt_cache_hit_tokens: 320,
        prompt_cache_miss_tokens: 19,
        prompt_tokens_details: null,
      },
      [19, 0, 320, 83],
    ],
    "DeepSeek's halves behind a gateway's zeros": [
      { ...chatUsage(339, 83, 0), prompt_cache_hit_tokens: 320, prompt_cache_miss_tokens: 19 },
      [19, 0, 320, 83],
    ],
    "Moonshot, beside the prompt": [{ ...plain, cached_tokens: 800 }, [100, 0, 800, 40]],
    "Mistral's own name": [{ ...plain, num_cached_tokens: 800 }, [100, 0, 800, 40]],
    "Qwen, written": [
      { ...plain, prompt_tokens_details: { cached_tokens: 100, cache_creation_input_tokens: 500 } },
      [300, 500, 100, 40],
    ],
    "xAI, reasoning outside": [
      {
        ...{ prompt_tokens: 291, completion_tokens: 26, total_tokens: 513 },
        prompt_tokens_details: { cached_tokens: 290 },
        completion_tokens_details: { reasoning_tokens: 196 },
      },
      [1, 0, 290, 222, 196],
    ],
    "xAI, reasoning and cache outside": [
      {
        ...{ prompt_tokens: 291, completion_tokens: 26, total_tokens: 713 },
        prompt_tokens_details: { cached_tokens: 200 },
        completion_tokens_details: { reasoning_tokens: 196 },
      },
      [291, 0, 200, 222, 196],
    ],
    "Gemini, thoughts in the total": [{ ...plain, total_tokens: 1000 }, [900, 0, 0, 100]],
    "Copilot, reasoning beside": [{ ...plain, reasoning_tokens: 30 }, [900, 0, 0, 40, 30]],
    "Anthropic's names": [
      {
        ...{ input_tokens: 100, output_tokens: 40 },
        ...{ cache_read_input_tokens: 700, cache_creation_input_tokens: 100 },
      },
      [100, 100, 700, 40],
    ],
    "Anthropic's names, written only": [
      { input_tokens: 100, output_tokens: 40, cache_creation_input_tokens: 30 },
      [100, 30, 0, 40],
    ],
    "a gateway's every name": [
      { ...plain, input_tokens: 0, output_tokens: 0, input_tokens_details: null, prompt_cache_hit_tokens: 0 },
      [900, 0, 0, 40],
    ],
    "the total and the output": [{ completion_tokens: 40, total_tokens: 940 }, [900, 0, 0, 40]],
    "reasoning that is more than the output": [
      { prompt_tokens: 900, completion_tokens: 26, completion_tokens_details: { reasoning_tokens: 196 } },
      [900, 0, 0, 222, 196],
    ],
  }

  test.each(Object.entries(shapes))("in a document and in a stream: %s", async (_name, [usage, counts]) => {
    const document: Turn = { kind: "json", body: chatReply({ content: answer }, "stop", usage) }
    const { proxy } = start(() => document)
    await check(proxy, {}, counts, false)
    const streamed = start(() => ({ kind: "stream", chunks: late(usage) }))
    await check(streamed.proxy, {}, counts, false)
  })

  test("Fireworks: what came from the cache in a header, unless the usage says it", async () => {
    const headers = { "fireworks-prompt-tokens": "900", "fireworks-cached-prompt-tokens": "700" }
    const body = (usage: JsonObject) => chatReply({ content: answer }, "stop", usage)
    const { proxy } = start(() => ({ kind: "json", headers, body: body(plain) }))
    await check(proxy, {}, [200, 0, 700, 40], false)
    const streamed = start(() => ({ kind: "stream", headers, chunks: late(plain) }))
    await check(streamed.proxy, {}, [200, 0, 700, 40], false)
    const told = start(() => ({ kind: "json", headers, body: body(chatUsage(900, 40, 600)) }))
    await check(told.proxy, {}, [300, 0, 600, 40], false)
  })

  test("llama.cpp: by its timings alone", async () => {
    const timings = { cache_n: 700, prompt_n: 200, predicted_n: 40 }
    const { proxy } = start(() => ({
      kind: "stream",
      chunks: [...words, { ...finishChunk("stop"), timings }],
    }))
    await check(proxy, {}, [200, 0, 700, 40], false)
  })
})

describe("the Responses API reports usage", () => {
  const mine = { model: "mine" }
  const usage = {
    ...{ input_tokens: 900, output_tokens: 40, total_tokens: 940 },
    ...{ input_tokens_details: { cached_tokens: 700 }, output_tokens_details: { reasoning_tokens: 30 } },
  }
  const output = [messageItem("1", answer)]
  const all: Counts = [200, 0, 700, 40, 30]
  const none: Counts = [estimated.input, 0, 0, estimated.output]

  test.each<[string, unknown, Counts]>([
    ["at the end", usage, all],
    [
      "with what was written",
      { ...usage, input_tokens_details: { cached_tokens: 700, cache_write_tokens: 150 } },
      [50, 150, 700, 40, 30],
    ],
    ["as strings", { input_tokens: "900", output_tokens: "40" }, [900, 0, 0, 40]],
    [
      "as Chat Completions do",
      { ...plain, prompt_tokens_details: { cached_tokens: 700 } },
      [200, 0, 700, 40],
    ],
    ["never", null, none],
    ["as zeros", { input_tokens: 0, output_tokens: 0, total_tokens: 0 }, none],
    ["as zero for the output alone", { input_tokens: 900, output_tokens: 0 }, [900, 0, 0, estimated.output]],
  ])("%s", async (_name, given, counts) => {
    const end = { usage: given }
    const { proxy } = startResponses((body) =>
      body["stream"] === true
        ? { kind: "events", events: responsesEvents(output, { end }) }
        : { kind: "json", status: 200, body: responseOf(output, end) },
    )
    const isEstimated = counts === none || counts[3] === estimated.output
    await check(proxy, mine, counts, isEstimated)
  })

  /** Events whose first ones say the usage, and whose last one says `end`. */
  const early = (end: unknown) =>
    responsesEvents(output, { end: { usage: end } }).map((event) => {
      const response = objectOf(event["response"])
      return response["status"] === "in_progress" ? { ...event, response: { ...response, usage } } : event
    })

  test.each<[string, unknown, Counts]>([
    ["early alone", null, all],
    ["early, and zeros at the end", { input_tokens: 0, output_tokens: 0 }, all],
    ["twice", { input_tokens: 901, output_tokens: 41 }, [901, 0, 0, 41]],
  ])("%s", async (_name, end, counts) => {
    const { proxy } = startResponses(() => ({ kind: "events", events: early(end) }))
    await check(proxy, mine, counts, false)
  })

  test("when it fails, what it read all the same", async () => {
    const error = { code: "server_error", message: "It broke." }
    const events = responsesEvents(output, { end: { status: "failed", error, usage } })
    const { proxy } = startResponses(() => ({ kind: "events", events }), { env: { MAX_RETRIES: "0" } })
    const told = await eventsOf(postStream(proxy, { ...asked, ...mine }))
    expect(told.at(-1)?.["type"]).toBe("error")
    await until(() => proxy.exchanges.length === 1)
    expect(proxy.exchanges[0]).toMatchObject({
      usage: usageOf(all),
      estimated: false,
      outcome: { kind: "failed" },
    })
  })

  test("reasoning that is shown counts as output where nobody counts", async () => {
    const thought = "First this is to be thought about at some length."
    const both = [reasoningItem("1", [thought]), ...output]
    const { proxy } = startResponses(() => ({ kind: "output", output: both, more: { usage: null } }))
    await jsonOf(post(proxy, { ...asked, ...mine, thinking: { type: "adaptive" } }))
    expect(proxy.exchanges[0]?.usage.output_tokens).toBe(estimateText(thought + answer))
  })
})

describe("where nobody counts", () => {
  const never: Turn = { kind: "stream", chunks: [...words, finishChunk("stop")] }

  test("the log marks the estimate", async () => {
    const { proxy } = start([never])
    await endOf(postStream(proxy, asked))
    await until(() => proxy.exchanges.length === 1)
    expect(proxy.exchanges[0]?.estimated).toBe(true)
  })

  test("reasoning and calls count as output", async () => {
    const call = toolChunks(0, "call_1", "Read", { file_path: "/etc/hosts" })
    const chunks = [reasoningChunk("Let me look at it."), ...words, ...call, finishChunk("tool_calls")]
    const { proxy } = start([{ kind: "stream", chunks }])
    const tools = [{ name: "Read", input_schema: { type: "object" } }]
    const usage = objectOf(
      await endOf(postStream(proxy, { ...asked, tools, thinking: { type: "adaptive" } })),
    )
    const all = `Let me look at it.${answer}Read{"file_path":"/etc/hosts"}`
    expect(usage["output_tokens"]).toBe(estimateText(all))
  })

  const off: ProxyOptions = { env: { ENABLE_TOKEN_ESTIMATION: "false" } }

  test("without estimation a stream's end leaves the input out, and a whole reply holds no forecast", async () => {
    const { proxy } = start(() => never, off)
    const events = await eventsOf(postStream(proxy, asked))
    expect(events.findLast(({ type }) => type === "message_delta")?.["usage"]).toEqual({ output_tokens: 0 })
    expect((await jsonOf(post(proxy, asked)))["usage"]).toEqual(usageOf([0, 0, 0, 0]))
    for (const { usage, estimated: said } of proxy.exchanges) {
      expect<unknown>(usage).toEqual(usageOf([0, 0, 0, 0]))
      expect(said).toBe(false)
    }
  })

  test("without estimation what is reported is told as ever", async () => {
    const { proxy } = start(() => ({ kind: "stream", chunks: late(plain) }), off)
    await check(proxy, {}, [900, 0, 0, 40], false)
  })

  test("the message begins with the estimate", async () => {
    const { proxy } = start([never])
    const [first] = await eventsOf(postStream(proxy, asked))
    expect(objectOf(first?.["message"])["usage"]).toEqual(usageOf([estimated.input, 0, 0, 0]))
  })
})

describe("a request that does not come to its end", () => {
  const hang = { until: new Promise<void>(() => {}) }

  async function leave(chunks: readonly (JsonObject | typeof hang)[], after: string | undefined) {
    const { proxy, upstream } = start([{ kind: "stream", chunks }])
    const leaving = new AbortController()
    const pending = postStream(proxy, asked, { signal: leaving.signal })
    if (after === undefined) {
      pending.catch(() => {})
      await until(() => upstream.turns().length === 1)
    } else {
      const heard = await listen(pending)
      await until(() => heard.text().includes(after))
    }
    leaving.abort()
    await until(() => proxy.exchanges.length === 1)
    return proxy.exchanges[0]
  }

  test("left before anything came: nothing is known", async () => {
    expect(await leave([roleChunk(), hang], undefined)).toMatchObject({
      ...{ outcome: { kind: "cancelled" }, usage: usageOf([0, 0, 0, 0]), estimated: false },
    })
  })

  test("left in mid-stream: the prompt, and what was written so far", async () => {
    expect(await leave([...words, hang], "is here")).toMatchObject({
      ...{ outcome: { kind: "cancelled" }, estimated: true },
      usage: usageOf([estimated.input, 0, 0, estimated.output]),
    })
  })

  test("left in mid-stream, the upstream counting as it goes", async () => {
    const counted = words.map((chunk, at) => ({ ...chunk, usage: chatUsage(900, 10 * at + 10, 400) }))
    expect(await leave([...counted, hang], "is here")).toMatchObject({
      ...{ outcome: { kind: "cancelled" }, estimated: false },
      usage: usageOf([500, 0, 400, 20]),
    })
  })

  test("left in mid-stream, told of its output before most of it was written", async () => {
    const early = { ...textChunk(""), usage: chatUsage(900, 1, 400) }
    expect(await leave([early, ...words, hang], "is here")).toMatchObject({
      ...{ outcome: { kind: "cancelled" }, estimated: true },
      usage: usageOf([500, 0, 400, estimated.output]),
    })
  })

  test("broken off in mid-stream", async () => {
    const { proxy } = start([{ kind: "stream", chunks: words, cut: "reset" }])
    expect((await eventsOf(postStream(proxy, asked))).at(-1)?.["type"]).toBe("error")
    await until(() => proxy.exchanges.length === 1)
    expect(proxy.exchanges[0]).toMatchObject({
      ...{ outcome: { kind: "failed" }, estimated: true },
      usage: usageOf([estimated.input, 0, 0, estimated.output]),
    })
  })

  test("refused: nothing was used", async () => {
    const { proxy } = start([{ kind: "json", status: 401, body: { error: { message: "no" } } }])
    await post(proxy, asked)
    expect(proxy.exchanges[0]).toMatchObject({ usage: usageOf([0, 0, 0, 0]), estimated: false })
  })

  test("answered by the proxy itself: nothing was used", async () => {
    const { proxy, upstream } = start([])
    const tools = [{ type: "web_search_20250305", name: "web_search" }]
    const message = "Perform a web search for the query: bun"
    const more = { tools, messages: [{ role: "user", content: message }] }
    expect((await post(proxy, { ...more, tool_choice: { type: "tool", name: "web_search" } })).status).toBe(
      200,
    )
    expect(upstream.turns()).toEqual([])
    expect(proxy.exchanges[0]).toMatchObject({ usage: usageOf([0, 0, 0, 0]), estimated: false })
  })
})
