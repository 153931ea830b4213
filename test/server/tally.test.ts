import { expect, test } from "bun:test"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { countEvent, createTally, factsOf, startCounting } from "../../src/server/outcome/tally.ts"

const start = (content_block: Extract<MessagesEvent, { type: "content_block_start" }>["content_block"]) =>
  ({ type: "content_block_start", index: 0, content_block }) as const
const call = (name: string) => start({ type: "tool_use", id: "toolu_1", name, input: {} })
const stop = { type: "content_block_stop", index: 0 } as const

test("events, calls by name, and thinking", () => {
  const counting = startCounting()
  const count = (events: readonly MessagesEvent[]) => {
    for (const event of events) countEvent(counting, event)
  }
  expect(factsOf(counting)).toEqual({ events: 0, calls: {}, thought: false })
  count([start({ type: "text", text: "" }), stop])
  count([call("Bash"), stop, call("Read"), stop, call("Bash")])
  expect(factsOf(counting)).toEqual({ events: 7, calls: { Bash: 2, Read: 1 }, thought: false })
  count([start({ type: "thinking", thinking: "", signature: "" })])
  expect(factsOf(counting)).toEqual({ events: 8, calls: { Bash: 2, Read: 1 }, thought: true })
})

test("of a stream that is passed through, and of a whole reply", () => {
  const tally = createTally()
  tally.pass()
  tally.pass({ type: "tool_use", name: "Bash" })
  tally.pass({ type: "tool_use" })
  tally.pass({ type: "text", name: "no call" })
  expect(tally.facts()).toEqual({ events: 4, calls: { Bash: 1, "": 1 }, thought: false })
  tally.blocks([null, 1, { type: "redacted_thinking" }, { type: "tool_use", name: "Bash" }])
  expect(tally.facts()).toEqual({ events: 4, calls: { Bash: 2, "": 1 }, thought: true })
})

test("a model that makes up names fills no memory", () => {
  const counting = startCounting()
  for (let n = 0; n < 1_000; n++) countEvent(counting, call(`${n} ${"x".repeat(1_000)}`))
  const { calls } = factsOf(counting)
  expect(Object.keys(calls)).toHaveLength(101)
  expect(calls["(others)"]).toBe(900)
  expect(Math.max(...Object.keys(calls).map((name) => name.length))).toBe(128)
})
