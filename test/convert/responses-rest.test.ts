// Responses streams of which parts come only with an item's end, or with the end of it all.
import { describe, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/reply.ts"
import { readResponsesReply } from "../../src/convert/reply/responses-stream.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { callItem, messageItem, reasoningItem, responseOf } from "../support/responses/items.ts"
import { foldStream, playReply, responsesOptions } from "../support/responses/play.ts"

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

const withoutText = ({ type }: { readonly type: string }): string => type

test("usage is told first: who stops reading at a stop sequence knows it all the same", () => {
  const kinds = readResponsesReply(responsesOptions(), responseOf([message])).map(({ kind }) => kind)
  expect(kinds.indexOf("usage")).toBeLessThan(kinds.indexOf("text"))
})

test("seventy items at once are each told once", () => {
  const items = Array.from({ length: 70 }, (_, at) => messageItem(`${at}`, `[${at}]`))
  const events = [...items.map((item, at) => added(at, item)), ...items.map((item, at) => done(at, item))]
  const text = JSON.stringify(foldStream([...events, completed(...items)]).reply?.content)
  for (let at = 6; at < 70; at++) expect(text.split(`[${at}]`).length).toBe(2)
})
