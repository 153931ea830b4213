// Responses streams of which parts come only with an item's end, or with the end of it all.
import { describe, expect, test } from "bun:test"
import { readResponsesReply } from "../../src/convert/reader/responses-stream.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import type { ReplyBlock } from "../../src/protocol/messages/messages.ts"
import { property } from "../support/random.ts"
import { callItem, messageItem, reasoningItem, responseOf } from "../support/responses/items.ts"
import { foldStream, playReply, playStream, responsesOptions, streamed } from "../support/responses/play.ts"

const message = messageItem("1", "Hello.")
const thought = reasoningItem("2", ["So."], "gAAAAA")
const call = callItem("3", "Bash", '{"command":"ls"}')

const added = (output_index: number, { content: _text, summary, arguments: _args, ...item }: JsonObject) => ({
  ...{ type: "response.output_item.added", output_index },
  item: { ...item, ...(summary === undefined ? {} : { summary: [], encrypted_content: null }) },
})
const done = (output_index: number, item: JsonObject) => ({
  type: "response.output_item.done",
  output_index,
  item,
})
const completed = (...output: readonly JsonObject[]) => {
  return { type: "response.completed", response: responseOf(output) }
}
const argumentsDelta = (delta: string) => {
  return { type: "response.function_call_arguments.delta", output_index: 0, delta }
}
const textDelta = (delta: string) => {
  return { type: "response.output_text.delta", output_index: 0, content_index: 0, delta }
}

const cases: ReadonlyArray<readonly [string, readonly JsonObject[], readonly JsonObject[]]> = [
  ["a message that was only begun", [added(0, message)], [message]],
  ["a message cut off in the middle", [added(0, message), textDelta("Hel")], [message]],
  ["reasoning, and a message that was not begun", [added(0, thought), done(0, thought)], [thought, message]],
  ["reasoning that was not ended", [added(0, thought)], [thought, message]],
  ["a message, and a call that was not begun", [added(0, message), done(0, message)], [message, call]],
  ["a call that was only begun", [added(0, call)], [call]],
  ["a call known by its arguments first", [argumentsDelta('{"comm'), done(0, call)], [call]],
  ["an end that is said twice", [added(0, message), done(0, message), done(0, message)], [message]],
  [
    "no numbers at all",
    [message, call].map((item) => ({ type: "response.output_item.done", item })),
    [message, call],
  ],
]

describe("the message is the one of the whole reply", () => {
  test.each(cases)("%s", (_, events, output) => {
    const whole = foldEvents(playReply(responseOf(output))).reply
    const streamed = foldStream([...events, completed(...output)]).reply
    expect(streamed?.content.map(withoutText)).toEqual(whole?.content.map(withoutText))
    expect(streamed?.stop_reason).toBe(whole?.stop_reason)
    // Only the end of a text that was begun is lost: what its pieces said stands.
    if (!events.some(({ type }) => type === "response.output_text.delta")) {
      expect(streamed?.content).toEqual(whole?.content)
    }
  })
})

const bye = messageItem("4", "Bye.")
const again = callItem("5", "Bash", '{"command":"pwd"}')
const partBefore = {
  ...{ type: "response.content_part.done", output_index: 0, content_index: 0 },
  part: { type: "output_text", text: "Hello." },
}

describe("a last event that lists other items than were streamed says nothing twice", () => {
  test.each<[string, readonly JsonObject[], readonly JsonObject[], readonly unknown[]]>([
    ["a call behind reasoning", [done(0, call)], [thought, call], ["Bash"]],
    ["a message behind reasoning", [done(0, message)], [thought, message], ["Hello."]],
    [
      "an open message behind reasoning",
      [added(0, message), textDelta("Hello.")],
      [thought, message],
      ["Hello.", "So."],
    ],
    ["numbers from one on", [done(1, thought)], [thought, message], ["So.", "Hello."]],
    ["one number for all", [done(0, message), done(0, bye)], [message, bye], ["Hello.\n\nBye."]],
    [
      "a text that is never begun, under the number of the reasoning before it (LiteLLM)",
      [
        added(0, thought),
        done(0, thought),
        textDelta("Hello."),
        added(1, call),
        done(1, call),
        done(0, message),
      ],
      [thought, message, call],
      ["So.", "Hello.", "Bash"],
    ],
    [
      "a text that is never begun, and goes on behind the call after it (LiteLLM)",
      [
        added(0, thought),
        done(0, thought),
        { ...textDelta("Hel"), item_id: "msg_1" },
        added(1, call),
        { ...textDelta("lo."), item_id: "msg_1" },
        done(1, call),
        done(0, message),
      ],
      [thought, message, call],
      ["So.", "Hel", "Bash", "lo."],
    ],
    [
      "a message that is never done, calls under its number, and a list without it (Ollama)",
      [
        added(0, message),
        textDelta("Hello."),
        ...[call, again].flatMap((one) => [added(0, one), done(0, one)]),
      ],
      [call, again],
      ["Hello.", "Bash", "Bash"],
    ],
    [
      "a call that ends under the number of a message",
      [added(0, message), textDelta("Hello."), added(0, call), done(0, call), done(0, message)],
      [message, call],
      ["Hello.", "Bash"],
    ],
    ["a part that ended, without its words", [added(0, message), partBefore], [message], ["Hello."]],
    ["an item that it leaves out", [added(0, thought), added(1, message)], [message], ["Hello."]],
    [
      "one that is done behind one that is not",
      [added(0, thought), done(1, message)],
      [thought, message],
      ["So.", "Hello."],
    ],
    [
      "an item whose type was never said",
      [{ type: "response.output_item.added", output_index: 0 }],
      [message],
      ["Hello."],
    ],
  ])("%s", (_, events, output, expected) => {
    const content = foldStream([...events, completed(...output)]).reply?.content
    expect(content?.map(words)).toEqual([...expected])
  })

  property("any items, any of them streamed, under shifted numbers: each at most once", 300, (random) => {
    const items = Array.from({ length: random.integer(1, 6) }, (_, at) =>
      random.pick([messageItem(`${at}`, `[${at}]`), callItem(`${at}_abcdef`, "Bash", `{"n":"[${at}]"}`)]),
    )
    const from = random.integer(0, items.length)
    const shift = random.integer(0, 2)
    const streamed = items
      .slice(0, from)
      .flatMap((item, at) => [added(at + shift, item), done(at + shift, item)])
    const reply = foldStream([...streamed, completed(...items)]).reply
    const text = JSON.stringify(reply?.content)
    for (const at of items.keys()) expect(text.split(`[${at}]`).length).toBe(2)
  })
})

function words(block: ReplyBlock): unknown {
  if (block.type === "text") return block.text
  if (block.type === "thinking") return block.thinking
  return block.type === "tool_use" ? block.name : block.type
}

test("what waits behind an item that is never ended has a limit", () => {
  const delta = textDelta("a".repeat(1024 * 1024))
  const events = [added(0, thought), added(1, message)]
  const waiting = (count: number) => Array.from({ length: count }, () => ({ ...delta, output_index: 1 }))
  expect(foldStream([...events, ...waiting(15), completed()]).fault).toBe(undefined)
  const played = playStream(streamed([...events, ...waiting(17), ...waiting(1)]))
  expect(played.filter(({ type }) => type === "error")).toMatchObject([
    { fault: { kind: "api_error", status: 502, message: expect.stringContaining("16 MiB") } },
  ])
})

const withoutText = ({ type }: { readonly type: string }): string => type

test("usage is told first: who stops reading at a stop sequence knows it all the same", () => {
  const kinds = readResponsesReply(responsesOptions(), responseOf([message])).map(({ kind }) => kind)
  expect(kinds.indexOf("usage")).toBeLessThan(kinds.indexOf("text"))
})

test("seventy items at once are each told once", () => {
  const items = Array.from({ length: 70 }, (_, at) => messageItem(`${at}`, `[${at}]`))
  const events = [...items.map((item, at) => added(at, item)), ...items.map((item, at) => done(at, item))]
  const text = JSON.stringify(foldStream([...events, completed(...items)]).reply?.content)
  for (let at = 0; at < 70; at++) expect(text.split(`[${at}]`).length).toBe(2)
})
