// A reply out of the cache, read as any other.
import { retell } from "../../convert/reply/retell.ts"
import type { MessagesEvent, MessagesReply } from "../../protocol/messages/messages.ts"
import { randomId } from "../common/ids.ts"
import type { Rider } from "../flights/flight-reader.ts"
import { beginsToCome, clientOf, complete, fail, leave, refuse } from "../outcome/outcome.ts"
import type { Reading } from "../reply/reading.ts"
import type { KeptReply } from "./cache.ts"

// A client takes one batch after the other: a long reply is not written out for one that has left.
const batchSize = 100

/** The kept reply as a message of its own: two with one id would be merged by their client. */
export function readKeptReply(kept: KeptReply, rider: Rider): Reading {
  const { requestId, stream, model } = rider
  const outcome = rider.outcome()
  const id = `msg_${randomId()}`
  const reply: MessagesReply = { id, type: "message", role: "assistant", model, ...kept }
  const events = retell(reply)
  let over = false

  function take(most: number): readonly MessagesEvent[] {
    const batch: MessagesEvent[] = []
    while (batch.length < most) {
      const { value, done } = events.next()
      if (done === true) {
        over = true
        break
      }
      batch.push(value)
    }
    return batch
  }

  function next(): readonly MessagesEvent[] | undefined {
    if (over) return undefined
    beginsToCome(outcome)
    const batch = take(batchSize)
    if (over) complete(outcome)
    return batch
  }

  return {
    ...{ requestId, stream, next },
    opened: Promise.resolve({ fault: undefined }),
    begin: () => take(1),
    keepAlive: () => [],
    leave: () => leave(outcome),
    left: clientOf(outcome),
    fail: (error) => fail(outcome, error),
    refuse: (given) => refuse(outcome, given),
  }
}
