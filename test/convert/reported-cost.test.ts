// What a provider says it charged: read, carried to the end, and not shown to the client.
import { expect, test } from "bun:test"
import type { Delta } from "../../src/convert/common/delta.ts"
import { reportedCost } from "../../src/convert/common/reported-cost.ts"
import { readChat } from "../../src/convert/reader/chat-stream.ts"
import { initialReader } from "../../src/convert/reader/reader.ts"
import { readResponsesReply } from "../../src/convert/reader/responses-stream.ts"
import { initialWriter } from "../../src/convert/writer/writer-state.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { inputs, readerOptions, writerOptions } from "../support/fixtures.ts"
import { writeEach } from "../support/write-each.ts"

test.each([
  [
    "OpenRouter",
    { cost: 0.0033789, is_byok: false, cost_details: { upstream_inference_cost: 0.0033789 } },
    0.0033789,
  ],
  ["OpenRouter, for nothing", { cost: 0 }, 0],
  ["OpenRouter, own key", { cost: 0.25, is_byok: true, cost_details: { upstream_inference_cost: 5 } }, 5.25],
  ["OpenRouter, own key, price untold", { cost: 0.25, is_byok: true, cost_details: null }, undefined],
  ["xAI", { cost_in_usd_ticks: 37_756_000 }, 0.0037756],
  ["Perplexity", { cost: { input_tokens_cost: 0.1, total_cost: 0.3 } }, 0.3],
  ["dollars by name", { cost: 0.5, currency: "usd" }, 0.5],
  ["another currency", { cost: 0.5, currency: "CNY" }, undefined],
  ["another currency within", { cost: { total_cost: 1, currency: "CNY" } }, undefined],
  ["no cost", { prompt_tokens: 5 }, undefined],
  ["null", { cost: null, cost_in_usd_ticks: null }, undefined],
  ["below nothing", { cost: -1 }, undefined],
  ["beyond belief", { cost: 1.7e308 }, undefined],
  ["no number", { cost: "free" }, undefined],
  ["a truth value", { cost: true }, undefined],
  ["no usage", undefined, undefined],
  ["a list", [1], undefined],
])("%s", (_, usage, expected) => {
  expect(reportedCost(usage)).toBe(expected)
})

/** What the writer knows at the end of these deltas, and all that the client was sent. */
function written(deltas: readonly Delta[]) {
  let state = initialWriter(writerOptions)
  const events: MessagesEvent[] = []
  for (const delta of deltas) {
    const [next, more] = writeEach(state, [delta])
    state = next
    events.push(...more)
  }
  return { costUsd: state.costUsd, sent: JSON.stringify(events) }
}

function readAll(chunks: readonly unknown[]): readonly Delta[] {
  const state = initialReader(readerOptions())
  return inputs(chunks).flatMap((input) => readChat(state, input))
}

const counted = (more = {}) => ({
  choices: [],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, ...more },
})

test.each([
  ["with the last chunk", [counted({ cost: 0.5 })], 0.5],
  ["growing with the reply", [counted({ cost: 0.25 }), counted({ cost: 0.5 })], 0.5],
  ["before a usage without it", [counted({ cost: 0.5 }), counted()], 0.5],
  ["never", [counted()], undefined],
])("a stream that tells its cost %s", (_, usages, expected) => {
  const { costUsd, sent } = written(readAll([textChunk("Hi"), finishChunk("stop"), ...usages]))
  expect(costUsd).toBe(expected)
  expect(sent).toContain('"input_tokens":9')
  expect(sent).not.toContain("cost")
})

test("a whole reply of the Responses API", () => {
  const deltas = readResponsesReply(readerOptions(), {
    status: "completed",
    output: [{ type: "message", content: [{ type: "output_text", text: "Hi" }] }],
    usage: { input_tokens: 9, output_tokens: 2, total_tokens: 11, cost_in_usd_ticks: 5_000_000_000 },
  })
  const { costUsd, sent } = written(deltas)
  expect(costUsd).toBe(0.5)
  expect(sent).not.toContain("cost")
})
