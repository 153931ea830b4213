// Pieces in a row that are handled as one: whoever looks at the events sees what each piece by itself would have given.
import { describe, expect, test } from "bun:test"
import type { Delta, Piece } from "../../src/convert/common/delta.ts"
import { spreadRuns, withText } from "../../src/convert/common/pieces.ts"
import { applyFilters, initialFilters } from "../../src/convert/filters/filters.ts"
import { readChat } from "../../src/convert/reader/chat-stream.ts"
import { initialReader } from "../../src/convert/reader/reader.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { writeAll } from "../../src/convert/reply/reply.ts"
import { initialChatWriter, writeChat } from "../../src/convert/reverse/chunks.ts"
import { encodeChat } from "../../src/convert/reverse/encode.ts"
import { initialWriter } from "../../src/convert/writer/writer-state.ts"
import { encodeEvent } from "../../src/protocol/messages/encode.ts"
import type { DeltaRun, MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { quoteAll, textsOf, wholeOf } from "../../src/protocol/texts.ts"
import { textChunk } from "../support/chunks.ts"
import { readerOptions, writerOptions } from "../support/fixtures.ts"
import { property, type Random } from "../support/random.ts"
import { eventsOfRun, writeEach } from "../support/write-each.ts"

const encoded = (events: readonly MessagesEvent[]): string =>
  events.map((event) => encodeEvent(event, "req_1")).join("")

function randomPiece(random: Random): Piece {
  const text = random.text(8) || "x"
  const kind = random.pick(["text", "text", "reasoning", "tool"] as const)
  if (kind === "text") return { kind, text }
  if (kind === "reasoning") return { kind, text, field: "reasoning" }
  const key = random.integer(0, 2)
  return { kind, key, id: `toolu_${key}`, name: "Read", args: text, complete: random.chance(0.4) }
}

function randomDeltas(random: Random): readonly Delta[] {
  return Array.from({ length: random.integer(1, 12) }, (): Delta => {
    const like = randomPiece(random)
    if (random.chance(0.4)) return like
    const texts = Array.from({ length: random.integer(1, 5) }, () => random.text(8) || "y")
    return { kind: "run", like, ...quoteAll(texts) }
  })
}

const end: readonly Delta[] = [
  { kind: "finish", reason: "end_turn", stopSequence: null },
  { kind: "end", clean: true },
]

property("the writer", 1_500, (random) => {
  const deltas = [...randomDeltas(random), ...end]
  const [runs, singles] = [writeAll(initialWriter(writerOptions), deltas), spreadRuns(deltas)]
  let state = initialWriter(writerOptions)
  const events: MessagesEvent[] = []
  for (const delta of singles) {
    const [next, more] = writeEach(state, [delta])
    state = next
    events.push(...more)
  }
  expect(encoded(runs)).toBe(encoded(events))
  for (const event of runs)
    if (event.type === "content_block_deltas") expect(wholeOf(event)).toBe(textsOf(event).join(""))
  expect(foldEvents(runs)).toEqual(foldEvents(events))
  expect(chat(runs)).toBe(chat(events))
})

function chat(events: readonly MessagesEvent[]): string {
  let state = initialChatWriter({ created: 1, includeUsage: true, legacyCalls: false })
  return events
    .map((event) => {
      const [next, outputs] = writeChat(state, event)
      state = next
      return encodeChat(outputs)
    })
    .join("")
}

property("the filters", 500, (random) => {
  const deltas = [...randomDeltas(random), ...end]
  const wishes = {
    json: random.chance(0.3),
    repeats: random.pick(["", "x"]),
    watchedStops: random.pick([[], ["a"], ["y", "zz"]]),
    summary: random.chance(0.2),
  }
  const [, given] = applyFilters(initialFilters(wishes), deltas)
  const [, expected] = applyFilters(initialFilters(wishes), spreadRuns(deltas))
  expect(spreadRuns(given)).toEqual(spreadRuns(expected))
})

describe("on the wire", () => {
  const odd = ["plain", 'a"b\\c\n\r\u0000', "\ud800", "🎯", "→ é", " "]

  test.each(["text_delta", "thinking_delta", "input_json_delta"] as const)("each %s is an event", (delta) => {
    for (const texts of [odd, ["a", "b"], ["a"]]) {
      const run: DeltaRun = { type: "content_block_deltas", index: 3, delta, ...quoteAll(texts) }
      expect(encodeEvent(run, "req_1")).toBe(encoded(eventsOfRun(run)))
      expect(chat([start, run])).toBe(chat([start, ...eventsOfRun(run)]))
    }
  })

  const block = { type: "tool_use", id: "toolu_1", name: "Read", input: {} } as const
  const start: MessagesEvent = { type: "content_block_start", index: 3, content_block: block }
})

test("a piece of a run is like the others", () => {
  const like = { kind: "tool", key: 0, id: "a", name: "b", args: "", complete: false } as const
  expect(withText(like, "{")).toEqual({ ...like, args: "{" })
})

test("where calls are looked for in the text, pieces in which none can begin stay together", () => {
  const texts = ["Look: ", "`a` ", "at <", "b> ", "and ", "on"]
  const run = { chunk: textChunk("So. "), field: "content", ...quoteAll(texts) }
  const state = initialReader(readerOptions())
  readChat(state, { kind: "chunk", chunk: run.chunk })
  expect(state.textCalls).toBeDefined()
  const deltas = readChat(state, { kind: "run", run })
  const like = { kind: "text", text: "" } as const
  // What ends within what may begin a call waits for the rest.
  expect(deltas).toEqual([
    { kind: "run", like, ...quoteAll(["Look: ", "`a` "]) },
    { kind: "text", text: "at " },
    { kind: "text", text: "<b> " },
    { kind: "run", like, ...quoteAll(["and ", "on"]) },
  ])
})
