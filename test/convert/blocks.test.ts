// The writer by itself: whatever deltas come, Anthropic's grammar goes out.
import { describe, expect, test } from "bun:test"
import { encodeCarrier, isOurs, noCargo } from "../../src/convert/common/carrier.ts"
import type { Delta } from "../../src/convert/common/delta.ts"
import { begin } from "../../src/convert/writer/blocks.ts"
import { keepAlive } from "../../src/convert/writer/keep-alive.ts"
import { hasContent, initialWriter, type WriterState } from "../../src/convert/writer/writer-state.ts"
import { fault } from "../../src/protocol/fault.ts"
import { renderEvents, writerOptions } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property, type Random } from "../support/random.ts"
import { writeEach } from "../support/write-each.ts"

const text = (text: string): Delta => ({ kind: "text", text })
const thought = (text: string): Delta => ({ kind: "reasoning", text, field: "reasoning" })
const tool = (key: number, args: string, complete = false): Delta => ({
  ...{ kind: "tool", key, id: `call_${key}`, name: "Read", args, complete },
})
const end: Delta = { kind: "end", clean: true }
const failure: Delta = {
  kind: "fault",
  fault: fault({ kind: "api_error", source: "upstream", message: "gone" }),
}

const state = initialWriter(writerOptions)
const lines = (...deltas: readonly Delta[]) => renderEvents(writeEach(state, deltas)[1])
const after = (...deltas: readonly Delta[]): WriterState => writeEach(state, deltas)[0]

function started(): WriterState {
  const begun = { ...state }
  begin(begun)
  return begun
}

describe("blocks", () => {
  test("an open call that is complete makes room for those that wait, in order", () => {
    const deltas = [tool(0, "{"), tool(1, "{"), tool(2, "{}", true), tool(1, "}", true), tool(0, "}", true)]
    expect(lines(...deltas).slice(1)).toEqual([
      "0 tool_use Read call_0",
      '0   ""',
      '0   "{"',
      '0   "}"',
      "0 stop",
      "1 tool_use Read call_1",
      '1   ""',
      '1   "{}"',
      "1 stop",
      "2 tool_use Read call_2",
      '2   ""',
      '2   "{}"',
    ])
  })

  test("what waits on behind a call that could be opened still grows", () => {
    const deltas = [
      tool(0, "{"),
      text("a"),
      tool(1, "{"),
      text("b"),
      tool(0, "}", true),
      text("c"),
      text("d"),
    ]
    expect(lines(...deltas, tool(2, "{}", true), tool(1, "}", true)).slice(1)).toEqual([
      ...["0 tool_use Read call_0", '0   ""', '0   "{"', '0   "}"', "0 stop"],
      ...["1 text", '1   "a"', "1 stop"],
      ...["2 tool_use Read call_1", '2   ""', '2   "{"', '2   "}"', "2 stop"],
      ...["3 text", '3   "bcd"', "3 stop"],
      ...["4 tool_use Read call_2", '4   ""', '4   "{}"'],
    ])
  })

  test("a thinking block stays open until the next block starts", () => {
    expect(lines(thought("a"), { kind: "finish", reason: "end_turn", stopSequence: null })).toEqual([
      "message_start 7",
      "0 thinking",
      '0   "a"',
    ])
  })

  test("the signature says where the reasoning came from, and that it is ours", () => {
    const [, events] = writeEach(state, [thought("a"), text("b")])
    const carrier = { provider: "generic", model: "test-model", field: "reasoning", cargo: noCargo }
    const signature = encodeCarrier(carrier, "a")
    expect(events[3]).toEqual({
      type: "content_block_delta",
      index: 0,
      delta: { type: "signature_delta", signature },
    })
    expect(isOurs(signature)).toBe(true)
    expect(isOurs("EqQBCkYIAxgC")).toBe(false)
    expect(signature).toMatch(/^ccp1\.[A-Za-z0-9_-]+$/)
  })

  test("no signature of words stands behind an answer, where it would be taken for the answer", () => {
    const signature = {
      kind: "opaque",
      opaque: { kind: "signature", toolId: undefined, value: "EjQ" },
    } as const
    const item = { type: "reasoning.encrypted", data: "EjQ", format: "google-gemini-v1", index: 0 }
    const details = { kind: "opaque", opaque: { kind: "details", items: [item] } } as const
    for (const opaque of [signature, details]) {
      const answer = lines(text("a"), opaque, end)
      expect(answer.filter((line) => line.endsWith("thinking"))).toEqual([])
      const turn = lines(tool(0, "{}", true), text("a"), opaque, end)
      expect(turn.filter((line) => line.endsWith("thinking"))).toEqual(["2 thinking"])
    }
  })

  test("a fault ends the message as it stands, and nothing follows", () => {
    expect(lines(thought("a"), failure, text("b"), end)).toEqual([
      "message_start 7",
      "0 thinking",
      '0   "a"',
      "error 500 api_error: gone",
    ])
    expect(lines(failure)).toEqual(["error 500 api_error: gone"])
  })

  test("a fault says whether a block is complete before it", () => {
    const isMidway = (...deltas: readonly Delta[]) =>
      writeEach(state, [...deltas, failure])[1].some((event) => event.type === "error" && event.midway)
    expect([isMidway(), isMidway(thought("a")), isMidway(text("a"))]).toEqual([false, false, false])
    expect([isMidway(thought("a"), text("b")), isMidway(tool(0, "{}", true), tool(1, "{"))]).toEqual([
      true,
      true,
    ])
  })

  test("an unclean end is an error", () => {
    expect(lines(text("a"), { kind: "end", clean: false }).at(-1)).toBe(
      "error 502 api_error: network error: the upstream closed the connection before its reply was complete (premature close)",
    )
  })

  test("pieces of a call that is over are ignored", () => {
    expect(
      lines(tool(0, "{}", true), text("a"), tool(0, "{}", true), end).filter((line) =>
        line.includes("tool_use"),
      ),
    ).toEqual(["0 tool_use Read call_0", expect.stringContaining("message_delta tool_use")])
  })

  test("an empty message is a message", () => {
    expect(lines(end).map((line) => line.split(" ")[0])).toEqual([
      "message_start",
      "message_delta",
      "message_stop",
    ])
  })

  test("the message may begin before the first delta, once", () => {
    const begun = { ...state }
    expect(begin(begun).length).toBe(1)
    expect(begin(begun)).toEqual([])
    expect(renderEvents(writeEach(begun, [text("a")])[1])).toEqual(["0 text", '0   "a"'])
  })

  test("hasContent is true from the first block on", () => {
    expect(hasContent(started())).toBe(false)
    expect(hasContent(after(text("a")))).toBe(true)
    expect(hasContent(after(text("")))).toBe(false)
  })
})

test.each([
  ["before the message", state, []],
  ["no block open", started(), ['message_delta  {"output_tokens":0}']],
  ["in text", after(text("a")), ['0   ""']],
  ["in thinking", after(thought("a")), ['0   ""']],
  ["in a call", after(tool(0, "{")), ['0   ""']],
  ["after the end", after(text("a"), end), []],
])("keep-alive: %s", (_name, at, expected) => {
  expect(renderEvents(keepAlive(at))).toEqual(expected)
})

function randomDelta(random: Random): Delta {
  const key = random.integer(0, 3)
  switch (random.integer(0, 7)) {
    case 0:
      return text(random.text(5))
    case 1:
      return thought(random.text(5))
    case 2:
      return {
        kind: "usage",
        usage: {
          input_tokens: 1,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: 1,
        },
      }
    case 3:
      return {
        kind: "finish",
        reason: random.pick(["end_turn", "tool_use", "max_tokens"]),
        stopSequence: null,
      }
    default:
      return tool(key, random.pick(["", "{", "}", "1"]), random.chance(0.5))
  }
}

property("any deltas, with keep-alives anywhere, obey the grammar", 2000, (random) => {
  let current = state
  const events: unknown[] = []
  for (let count = random.integer(0, 20); count > 0; count--) {
    const [next, more] = writeEach(current, [randomDelta(random)])
    current = next
    events.push(...more)
    if (random.chance(0.2)) events.push(...keepAlive(current))
  }
  events.push(...writeEach(current, [random.pick([end, failure, { kind: "end", clean: false }])])[1])
  expect(checkGrammar(events, { toolJson: false })).toEqual([])
})
