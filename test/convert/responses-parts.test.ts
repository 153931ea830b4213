// Parts of items whose pieces and whole do not fit together as documented: each thing is still said once, and all of it.
import { describe, expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { responseOf } from "../support/responses/items.ts"
import { deltasOf, foldStream, streamed } from "../support/responses/play.ts"
import {
  added,
  at,
  call,
  called,
  done,
  output,
  said,
  summary,
  thought,
  words,
} from "../support/responses/single.ts"

const args = '{"file_path":"/x"}'
const completedWith = (...items: readonly JsonObject[]) => {
  return { type: "response.completed", response: responseOf(items) }
}
const textDelta = (delta: string, content_index = 0) => at(0, "output_text.delta", { content_index, delta })
const deltas = (events: readonly JsonObject[]) => deltasOf(streamed(events)).slice(0, -1)

describe("pieces that were lost come with the whole", () => {
  test.each<[string, readonly JsonObject[], readonly unknown[]]>([
    [
      "of a text",
      [added(0, "message"), textDelta("Hel"), at(0, "output_text.done", { content_index: 0, text: "Hello" })],
      [said("Hel"), said("lo")],
    ],
    [
      "of a text, at the end of its message",
      [added(0, "message"), textDelta("Hel"), done(0, "message", words(output("Hello")))],
      [said("Hel"), said("lo")],
    ],
    [
      "of a text, at the end of the reply",
      [
        added(0, "message"),
        textDelta("Hel"),
        {
          type: "response.completed",
          response: { output: [{ type: "message", ...words(output("Hello")) }] },
        },
      ],
      [said("Hel"), said("lo"), { kind: "finish", reason: "end_turn", stopSequence: null }],
    ],
    [
      "of a second part",
      [
        added(0, "message"),
        textDelta("One."),
        at(0, "output_text.done", { content_index: 0, text: "One." }),
        textDelta("Tw", 1),
        done(0, "message", words(output("One."), output("Two."))),
      ],
      [said("One."), said("Tw"), said("o.")],
    ],
    [
      "of a summary",
      [
        added(0, "reasoning"),
        at(0, "reasoning_summary_text.delta", { summary_index: 0, delta: "So" }),
        done(0, "reasoning", summary("So it is.")),
      ],
      [thought("So"), thought(" it is.")],
    ],
    [
      "of arguments",
      [
        added(0, "function_call", call("")),
        at(0, "function_call_arguments.delta", { delta: args.slice(0, 6) }),
        at(0, "function_call_arguments.done", { arguments: args }),
        done(0, "function_call", call(args)),
      ],
      [called(args.slice(0, 6), false), called(args.slice(6), true)],
    ],
    [
      "but not where the whole is another text",
      [added(0, "message"), textDelta("\n\nHello"), done(0, "message", words(output("Hello there")))],
      [said("\n\nHello")],
    ],
  ])("%s", (_name, events, expected) => {
    expect<readonly unknown[]>(deltas(events)).toEqual(expected)
  })
})

describe("an item that was never added ends where one of another kind begins", () => {
  const whole = at(0, "reasoning_text.done", { content_index: 0, text: "Think" })
  const piece = at(0, "reasoning_text.delta", { content_index: 0, delta: "Think" })
  test.each([
    [0, whole],
    [1, whole],
    [0, piece],
    [1, piece],
  ])("the message behind it, at index %p, is told as it comes: %j", (index, whole) => {
    const begun = [
      at(index, "output_item.added", { item: { type: "message", id: "m" } }),
      at(index, "output_text.delta", { content_index: 0, delta: "Hi" }),
    ]
    const message = { type: "message", ...words(output("Hi")) }
    const end = [done(index, "message", words(output("Hi"))), completedWith(message)]
    expect(deltas([whole, ...begun])).toEqual([thought("Think", "reasoning"), said("Hi")])
    expect(foldStream([whole, ...begun, ...end]).reply?.content).toMatchObject([
      { type: "thinking", thinking: "Think" },
      { type: "text", text: "Hi" },
    ])
  })

  test("but no other item of its kind", () => {
    const events = [added(0, "message"), textDelta("Hi"), at(1, "output_text.done", { text: "Hi" })]
    expect(deltas(events)).toEqual([said("Hi")])
  })
})

test("arguments that are an object, and no text of one", () => {
  const given = { ...call(), arguments: { file_path: "/x" } }
  expect(deltas([done(0, "function_call", given)])).toEqual([called(args, true)])
})

// vLLM, entrypoints/openai/responses, as of 2025-11 and 2026-02.
const reasoning = {
  type: "reasoning",
  id: "r",
  summary: [],
  content: [{ type: "reasoning_text", text: "I think" }],
}
const message = { type: "message", id: "m", role: "assistant", content: [output("Hello you")] }
const of = (item_id: string, events: readonly JsonObject[]): readonly JsonObject[] =>
  events.map((event) =>
    event["item"] === undefined ? { ...event, item_id } : { ...event, item_id: undefined },
  )
const completed = completedWith(reasoning, message)

/** Every piece has a content_index of its own, and the message is added under the index of the reasoning. */
const numbered = [
  ...of("r", [
    at(0, "output_item.added", { item: { ...reasoning, content: undefined } }),
    at(0, "content_part.added", { content_index: 0, part: output("") }),
    at(0, "reasoning_text.delta", { content_index: 1, delta: "I" }),
    at(0, "reasoning_text.delta", { content_index: 2, delta: " think" }),
    at(0, "reasoning_text.done", { content_index: 3, text: "I think" }),
    at(0, "output_item.done", { item: reasoning }),
    at(0, "output_item.added", { item: { ...message, id: "r", content: [] } }),
  ]),
  ...of("m", [
    at(1, "content_part.added", { content_index: 0, part: output("") }),
    at(1, "output_text.delta", { content_index: 1, delta: "Hello" }),
    at(1, "output_text.delta", { content_index: 2, delta: " you" }),
    at(1, "output_text.done", { content_index: 3, text: "Hello you" }),
    at(1, "content_part.done", { content_index: 4, part: output("Hello you") }),
    at(1, "output_item.done", { item: message }),
  ]),
]

/** An item ends under the index of the one behind it. */
const ahead = [
  ...of("r", [
    at(0, "output_item.added", { item: { ...reasoning, content: undefined } }),
    at(0, "reasoning_text.delta", { content_index: 0, delta: "I" }),
    at(0, "reasoning_text.delta", { content_index: 0, delta: " think" }),
    at(1, "reasoning_text.done", { content_index: 0, text: "I think" }),
    at(1, "output_item.done", { item: reasoning }),
  ]),
  ...of("m", [
    at(1, "output_item.added", { item: { ...message, content: [] } }),
    at(1, "content_part.added", { content_index: 1, part: output("") }),
    at(1, "output_text.delta", { content_index: 1, delta: "Hello" }),
    at(1, "output_text.delta", { content_index: 1, delta: " you" }),
    at(2, "output_text.done", { content_index: 1, text: "Hello you" }),
    at(2, "output_item.done", { item: message }),
  ]),
]

describe("streams of vLLM", () => {
  test.each([
    ["whose pieces are numbered", numbered],
    ["whose items end too late", ahead],
  ])("%s: each thing is said once", (_name, events) => {
    const { reply } = foldStream([...events, completed])
    expect(reply?.content).toMatchObject([
      { type: "thinking", thinking: "I think" },
      { type: "text", text: "Hello you" },
    ])
  })

  test.each([
    ["whose pieces are numbered", numbered],
    ["whose items end too late", ahead],
  ])("%s: as soon as it comes", (_name, events) => {
    const upTo = events.findIndex(({ delta }) => delta === "Hello") + 1
    const told = deltasOf([...streamed(events.slice(0, upTo))].slice(0, -1))
    expect(told.at(-1)).toEqual(said("Hello"))
  })
})
