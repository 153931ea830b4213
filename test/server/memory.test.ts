// The memory of what was thought before a call: bounded by size, apart for every client, filled while a reply is
// written.
import { describe, expect, test } from "bun:test"
import type { ThinkingBlock } from "../../src/convert/dialogue/history-reasoning.ts"
import type { MessagesEvent, ReplyBlock } from "../../src/protocol/messages/messages.ts"
import {
  createReasoningMemory,
  type ReasoningMemory,
  recordEvent,
  scopeOf,
  startRecording,
} from "../../src/server/learned/memory.ts"

const block = (thinking: string, signature = "s"): ThinkingBlock => ({ thinking, signature })
/** With its key ("" and "toolu_1" with a space between them) an entry of 20 characters. */
const twenty = block("0123456789", "s")

describe("the memory", () => {
  test("gives back what it was told, the last word counts", () => {
    const memory = createReasoningMemory()
    expect(memory.recall("", "toolu_1")).toBeUndefined()
    memory.remember("", "toolu_1", [block("first")])
    memory.remember("", "toolu_1", [block("second"), block("")])
    expect(memory.recall("", "toolu_1")).toEqual([block("second"), block("")])
  })

  test("keeps clients apart, also where their names and the ids run into each other", () => {
    const memory = createReasoningMemory()
    memory.remember("one", "toolu_1", [block("of one")])
    expect(memory.recall("two", "toolu_1")).toBeUndefined()
    expect(memory.recall("", "toolu_1")).toBeUndefined()
    expect(memory.recall("on", "e toolu_1")).toBeUndefined()
    memory.remember("two", "toolu_1", [block("of two")])
    expect(memory.recall("one", "toolu_1")).toEqual([block("of one")])
  })

  test("recalls in one scope what it knows of it, and nothing before it knows anything", () => {
    const memory = createReasoningMemory()
    expect(memory.recallIn("one")("toolu_1")).toBeUndefined()
    memory.remember("one", "toolu_1", [block("of one")])
    const recall = memory.recallIn("one")
    expect(recall("toolu_1")).toEqual([block("of one")])
    memory.remember("one", "toolu_2", [block("of later")])
    expect(recall("toolu_2")).toEqual([block("of later")])
    expect(memory.recallIn("two")("toolu_1")).toBeUndefined()
  })

  test("forgets what was not used for the longest time, by size", () => {
    const memory = createReasoningMemory(60)
    for (const id of ["toolu_1", "toolu_2", "toolu_3"]) memory.remember("", id, [twenty])
    expect(known(memory, 4)).toEqual([1, 2, 3])
    // Looking at all of them was a use of each, in that order; this one is now the last.
    memory.recall("", "toolu_1")
    memory.remember("", "toolu_4", [twenty])
    expect(known(memory, 4)).toEqual([1, 3, 4])
  })

  test("a large entry drives out several small ones, and what is told anew does not count twice", () => {
    const memory = createReasoningMemory(60)
    for (const id of ["toolu_1", "toolu_2", "toolu_2", "toolu_2", "toolu_3"])
      memory.remember("", id, [twenty])
    expect(known(memory, 3)).toEqual([1, 2, 3])
    memory.remember("", "toolu_4", [twenty, block("0123456789", "0123456789")])
    expect(known(memory, 4)).toEqual([3, 4])
  })

  test("what does not fit at all is not kept, and drives nothing out", () => {
    const memory = createReasoningMemory(60)
    memory.remember("", "toolu_1", [twenty])
    memory.remember("", "toolu_2", [twenty])
    memory.remember("", "toolu_2", [block("x".repeat(61))])
    expect(known(memory, 2)).toEqual([1])
  })

  test("never holds more than its limit, however it is used", () => {
    const memory = createReasoningMemory(10_000)
    for (let count = 0; count < 5_000; count++)
      memory.remember(`scope-${count % 3}`, `toolu_${count % 700}`, [block("t".repeat((count * 37) % 400))])
    let size = 0
    for (let scope = 0; scope < 3; scope++) {
      for (let id = 0; id < 700; id++) {
        const [found] = memory.recall(`scope-${scope}`, `toolu_${id}`) ?? []
        size += found === undefined ? 0 : found.thinking.length
      }
    }
    expect(size).toBeGreaterThan(5_000)
    expect(size).toBeLessThan(10_000)
  })
})

/** Numbers of the calls, up to `last`, that are remembered. */
function known(memory: ReasoningMemory, last: number): readonly number[] {
  const numbers = Array.from({ length: last }, (_, index) => index + 1)
  return numbers.filter((number) => memory.recall("", `toolu_${number}`) !== undefined)
}

const start = (content_block: ReplyBlock): MessagesEvent => ({
  type: "content_block_start",
  index: 0,
  content_block,
})
const stop: MessagesEvent = { type: "content_block_stop", index: 0 }
const end: MessagesEvent = { type: "message_stop" }
const delta = (given: Extract<MessagesEvent, { type: "content_block_delta" }>["delta"]): MessagesEvent => ({
  type: "content_block_delta",
  index: 0,
  delta: given,
})

const thought = (signature: string, ...pieces: readonly string[]): readonly MessagesEvent[] => [
  start({ type: "thinking", thinking: "", signature: "" }),
  ...pieces.map((thinking) => delta({ type: "thinking_delta", thinking })),
  delta({ type: "signature_delta", signature }),
  stop,
]
const called = (id: string): readonly MessagesEvent[] => [
  start({ type: "tool_use", id, name: "Bash", input: {} }),
  delta({ type: "input_json_delta", partial_json: "{}" }),
  stop,
]
const said: readonly MessagesEvent[] = [
  start({ type: "text", text: "" }),
  delta({ type: "text_delta", text: "Hello." }),
  stop,
]

/** What is remembered of the calls after these events. */
function recorded(events: readonly MessagesEvent[], ids: readonly string[]): readonly unknown[] {
  const memory = createReasoningMemory()
  record(memory, "scope", events)
  return ids.map((id) => memory.recall("scope", id))
}

function record(memory: ReasoningMemory, scope: string, events: readonly MessagesEvent[]): void {
  const recording = startRecording(memory, scope)
  for (const event of events) recordEvent(recording, event)
}

describe("the recorder", () => {
  const first = thought("s1", "Lo", "ok.")
  const second = thought("s2")

  test.each<[string, readonly MessagesEvent[], readonly unknown[]]>([
    ["nothing was thought", [...said, ...called("a"), end], [undefined, undefined]],
    ["nothing was called", [...first, ...said, end], [undefined, undefined]],
    ["one thought, one call", [...first, ...said, ...called("a"), end], [[block("Look.", "s1")], undefined]],
    [
      "parallel calls have one thought",
      [...first, ...called("a"), ...called("b"), end],
      [[block("Look.", "s1")], [block("Look.", "s1")]],
    ],
    [
      "what comes after a call belongs to the message, and so to every call of it",
      [...first, ...called("a"), ...second, ...called("b"), end],
      [
        [block("Look.", "s1"), block("", "s2")],
        [block("Look.", "s1"), block("", "s2")],
      ],
    ],
    [
      "the opaque half alone, after the call",
      [...called("a"), ...second, end],
      [[block("", "s2")], undefined],
    ],
    [
      "a reply that breaks off: what was known when the call began",
      [...first, ...called("a"), ...second, ...called("b")],
      [[block("Look.", "s1")], [block("Look.", "s1"), block("", "s2")]],
    ],
    [
      "a thought that was not finished is none",
      [
        start({ type: "thinking", thinking: "", signature: "" }),
        delta({ type: "thinking_delta", thinking: "L" }),
      ],
      [undefined, undefined],
    ],
  ])("%s", (_name, events, expected) => {
    expect(recorded(events, ["a", "b"])).toEqual(expected)
  })

  test("writes under its own scope only", () => {
    const memory = createReasoningMemory()
    record(memory, "one", [...first, ...called("a"), end])
    expect([memory.recall("one", "a"), memory.recall("two", "a")]).toEqual([
      [block("Look.", "s1")],
      undefined,
    ])
  })
})

describe("the name of a client", () => {
  const scope = (headers: Record<string, string>) => scopeOf(new Headers(headers), undefined)

  test("is one for each key, and shows nothing of it", () => {
    const names = ["sk-1", "sk-2"].flatMap((key) => [
      scope({ "x-api-key": key }),
      scope({ authorization: `Bearer ${key}` }),
    ])
    expect(new Set(names).size).toBe(4)
    expect(names.join(" ")).not.toContain("sk-")
    expect(scope({ "x-api-key": "sk-1" })).toBe(scope({ "X-Api-Key": "sk-1", accept: "*/*" }))
  })

  test("where two keys are sent, Authorization is the one that counts, as at the gate", () => {
    const authorization = "Bearer sk-1"
    expect(scope({ authorization, "x-api-key": "sk-2" })).toBe(scope({ authorization }))
  })

  test("is another one for each session", () => {
    const headers = new Headers({ "x-api-key": "sk-1" })
    expect(new Set(["a", "b", undefined].map((session) => scopeOf(headers, session))).size).toBe(3)
  })

  test("is the same from a memory, whoever asked before", () => {
    const memory = createReasoningMemory()
    const asked = ["sk-1", "sk-1", "sk-2", "sk-1"].flatMap((key) =>
      ["a", undefined, "b", "b"].map((session) => [new Headers({ "x-api-key": key }), session] as const),
    )
    expect(asked.map(([headers, session]) => memory.scopeOf(headers, session))).toEqual(
      asked.map(([headers, session]) => scopeOf(headers, session)),
    )
  })

  test("without a key is the same for everybody", () => {
    expect(scope({})).toBe(scope({ "x-api-key": "" }))
  })
})
