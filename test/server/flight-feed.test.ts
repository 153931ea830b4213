// What a flight's readers are told of its end, whoever of them is quicker.
import { expect, test } from "bun:test"
import type { Delta } from "../../src/convert/delta.ts"
import type { MessagesEvent } from "../../src/protocol/messages.ts"
import { createFeed } from "../../src/server/flight-feed.ts"
import type { Source } from "../../src/server/reading.ts"
import { oneBatch } from "../../src/upstream/batches.ts"

const deltas: readonly Delta[] = [{ kind: "end", clean: true }]
const last: readonly MessagesEvent[] = [{ type: "message_stop" }]

/** A session whose first batch is its last one. */
function sessionOf(opening: Source["opening"]): Source {
  let ended = false
  const write = () => {
    ended = true
    return last
  }
  const unexpected = () => expect.unreachable()
  return {
    requestId: "req_1",
    stream: true,
    opening,
    progress: { begin: () => [], write, keepAlive: () => [], ended: () => ended, settle: () => {} },
    outcome: {
      ...{ complete: unexpected, refuse: unexpected, fail: unexpected, leave: unexpected },
      ...{ handOver: unexpected, stopped: () => false, explain: (given) => given },
    },
  }
}

test("the end is not told before the last events can be read", async () => {
  const opening = Promise.withResolvers<Awaited<Source["opening"]>>()
  const feed = createFeed(sessionOf(opening.promise), () => {})
  feed.pull()
  opening.resolve({ ok: true, batches: oneBatch(deltas) })
  let turns = 0
  for (; !feed.ended() && turns < 100; turns++) await Promise.resolve()
  expect(feed.ended()).toBe(true)
  expect(feed.log.since(0)).toEqual(last)
})
