// What the record of a passed-through request says of tokens. The client's bytes stay the upstream's own.
import { afterEach, describe, expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { estimateText } from "../../src/tokens/estimate.ts"
import { type MessagesTurn, nativeEvent } from "../support/anthropic-upstream.ts"
import { until } from "../support/upstream.ts"
import { type DirectOptions, send, startDirect } from "./direct-support.ts"
import { cleanUp, listen, stopAll } from "./support.ts"

afterEach(stopAll)

const asked = { model: "opus", max_tokens: 50, messages: [{ role: "user", content: "hi" }] }
const streamed = JSON.stringify({ ...asked, stream: true })
const answer = "The answer is here, and it is not short."

interface Told {
  readonly start?: JsonObject
  readonly end?: JsonObject
}

const begin = (usage?: JsonObject) => ({ type: "message_start", message: { type: "message", usage } })
const block = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }
const delta = (text: string) => ({
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text },
})

function bytesOf({ start, end }: Told): string {
  const half = answer.length / 2
  const pieces = [answer.slice(0, half), answer.slice(half)].map(delta)
  const last = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: end }
  const events = [begin(start), block, ...pieces, { type: "content_block_stop", index: 0 }, last]
  return [...events, { type: "message_stop" }].map((event) => nativeEvent(event)).join("")
}

const usageOf = (input: number, output: number, read = 0) => ({
  input_tokens: input,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: read,
  output_tokens: output,
})

/** What the support's handlers estimate any prompt at. */
const prompt = 77
const output = estimateText(answer)

async function record(turn: MessagesTurn, options: DirectOptions = {}, body = streamed) {
  const { url, exchanges } = startDirect([turn], options)
  const text = await (await send({ url }, body)).text()
  await until(() => exchanges.length === 1)
  return { exchange: exchanges[0], text }
}

describe("a stream that is passed through", () => {
  test.each<[string, Told, JsonObject, boolean]>([
    [
      "at its two ends",
      { start: usageOf(12, 1, 40), end: { output_tokens: 25 } },
      usageOf(12, 25, 40),
      false,
    ],
    ["at its end alone", { end: usageOf(12, 25, 40) }, usageOf(12, 25, 40), false],
    ["at its end anew", { start: usageOf(99, 1), end: usageOf(12, 25, 40) }, usageOf(12, 25, 40), false],
    ["with zeros at its end", { start: usageOf(12, 1, 40), end: usageOf(0, 25) }, usageOf(12, 25, 40), false],
    [
      "all of it read from the cache",
      { start: usageOf(52, 1), end: usageOf(0, 25, 52) },
      usageOf(0, 25, 52),
      false,
    ],
    ["nowhere", {}, usageOf(prompt, output), true],
    ["as zeros", { start: usageOf(0, 0), end: usageOf(0, 0) }, usageOf(prompt, output), true],
    ["the input alone", { start: usageOf(12, 0) }, usageOf(12, output), true],
    ["the output alone", { end: { output_tokens: 25 } }, usageOf(prompt, 25), true],
  ])("counted %s", async (_name, told, usage, estimated) => {
    const bytes = bytesOf(told)
    const { exchange, text } = await record({ steps: [bytes] })
    expect(text).toBe(bytes)
    expect<unknown>(exchange?.usage).toEqual(usage)
    expect(exchange?.estimated).toBe(estimated)
  })

  test("without estimation nothing is made up", async () => {
    const options = { env: { ENABLE_TOKEN_ESTIMATION: "false" } }
    const { exchange } = await record({ steps: [bytesOf({})] }, options)
    expect(exchange).toMatchObject({ usage: usageOf(0, 0), estimated: false })
  })

  test("broken off, it has told of its prompt and not of what it wrote", async () => {
    const half = [begin(usageOf(12, 1)), block, delta(answer)].map((event) => nativeEvent(event)).join("")
    const { exchange } = await record({ steps: [half], reset: true })
    expect(exchange).toMatchObject({
      outcome: { kind: "failed" },
      usage: usageOf(12, output),
      estimated: true,
    })
  })

  test("left by its client", async () => {
    const half = [begin(usageOf(12, 1)), block, delta(answer)].map((event) => nativeEvent(event)).join("")
    const { url, exchanges } = startDirect([{ steps: [half, { until: new Promise(() => {}) }] }])
    const leaving = new AbortController()
    cleanUp(() => leaving.abort())
    const heard = await listen(send({ url }, streamed, { signal: leaving.signal }))
    await until(() => heard.text().includes("not short"))
    leaving.abort()
    await until(() => exchanges.length === 1)
    expect(exchanges[0]).toMatchObject({
      ...{ outcome: { kind: "cancelled" }, usage: usageOf(12, output), estimated: true },
    })
  })

  test("refused: nothing was used", async () => {
    const error = { type: "error", error: { type: "invalid_request_error", message: "no" } }
    const { exchange } = await record({ status: 400, steps: [JSON.stringify(error)] })
    expect(exchange).toMatchObject({ usage: usageOf(0, 0), estimated: false })
  })
})

test("a document that counts nothing: thinking, text and calls are its output", async () => {
  const thinking = "Let me see what there is to be seen."
  const input = { file_path: "/etc/hosts" }
  const content = [
    { type: "thinking", thinking, signature: "x" },
    { type: "text", text: answer },
    { type: "tool_use", id: "a", name: "Read", input },
  ]
  const steps = [JSON.stringify({ type: "message", content })]
  const turn = { headers: { "content-type": "application/json" }, steps }
  const { exchange } = await record(turn, {}, JSON.stringify(asked))
  const written = thinking + answer + JSON.stringify(input)
  expect(exchange).toMatchObject({ usage: usageOf(prompt, estimateText(written)), estimated: true })
})
