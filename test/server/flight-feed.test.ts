// What a flight's readers are told of its end, whoever of them is quicker.
import { expect, test } from "bun:test"
import type { Delta } from "../../src/convert/common/delta.ts"
import { since } from "../../src/server/flights/event-log.ts"
import { createFeed, pull } from "../../src/server/flights/flight-feed.ts"
import { createReasoningMemory } from "../../src/server/learned/memory.ts"
import { createOutcome } from "../../src/server/outcome/outcome.ts"
import { createProgress } from "../../src/server/reply/progress.ts"
import { createSource, type Source } from "../../src/server/reply/reading.ts"
import { measurePrompt } from "../../src/server/request/prompt.ts"
import { oneBatch } from "../../src/upstream/batches.ts"
import { generic, routeTo } from "../convert/request-support.ts"
import { createTestClock } from "../upstream/support.ts"

const deltas: readonly Delta[] = [
  { kind: "text", text: "all" },
  { kind: "finish", reason: "end_turn", stopSequence: null },
  { kind: "end", clean: true },
]

/** A request whose first batch is its last one. */
function sourceOf(opening: Source["opening"]): Source {
  const route = routeTo(generic)
  const unexpected = () => expect.unreachable()
  const request = { requestId: "req_1", stream: true, scope: "" }
  const outcome = createOutcome(
    { ...request, route, startedAt: 0, notes: [], caller: {}, account: unexpected },
    {
      clock: createTestClock(),
      log: { warn: unexpected, error: unexpected },
      onExchange: unexpected,
      running: new Set(),
      rush: { begin: () => {} },
    },
  )
  const ratios = { correct: () => 1, isSure: () => false, isSettled: unexpected, learn: unexpected }
  const prompt = measurePrompt({ body: {}, tokens: () => 1 }, route, ratios)
  const context = {
    config: { estimateTokens: false },
    ratios: { correct: unexpected },
    memory: createReasoningMemory(),
  }
  const answering = { route, prompt, isOwn: false, countsMore: false }
  return createSource(opening, createProgress(request, answering, outcome, context))
}

test("the end is not told before the last events can be read", async () => {
  const opening = Promise.withResolvers<Awaited<Source["opening"]>>()
  const source = sourceOf(opening.promise)
  const feed = createFeed(source, () => {})
  void pull(feed)
  const batches = oneBatch(deltas)
  source.progress.batches = batches
  opening.resolve({ ok: true, batches })
  let turns = 0
  for (; !feed.ended && turns < 100; turns++) await Promise.resolve()
  expect(feed.ended).toBe(true)
  expect(since(feed.log, 0).map(({ type }) => type)).toEqual([
    ...(["message_start", "content_block_start", "content_block_delta", "content_block_stop"] as const),
    ...(["message_delta", "message_stop"] as const),
  ])
  expect(feed.sound).toBe(true)
})
