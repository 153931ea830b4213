// The bench's checker sees what is wrong with a reply, whether or not it has seen a right one before.
import { describe, expect, test } from "bun:test"
import { createChecker } from "../bench/speed/check.ts"
import { stampedPiece } from "../bench/speed/reply-text.ts"
import type { Dialect, Reply, Voice } from "../bench/speed/work.ts"
import { chatBody, messagesEvents } from "./support.ts"

const chunks = 40
const streamOf = (voice: Voice): Reply => ({ kind: "stream", voice, chunks, perWrite: 8 })
const voices = ["text", "reasoning", "tool"] as const

/** What the checker says of a body: at first, and after it has seen a right one. */
function judged(
  reply: Reply,
  dialect: Dialect,
  right: string,
  body: string,
): readonly (string | undefined)[] {
  const fresh = createChecker(reply, dialect, 100)
  const settled = createChecker(reply, dialect, 100)
  expect(settled(Buffer.from(right))).toBeUndefined()
  return [fresh(Buffer.from(body)), settled(Buffer.from(body))]
}

describe("right replies", () => {
  test.each(voices)("%s, as the upstream sends it", (voice) => {
    const body = chatBody(streamOf(voice))
    expect(judged(streamOf(voice), "chat", body, body)).toEqual([undefined, undefined])
  })

  test.each(voices)("%s, converted, under another id each time", (voice) => {
    const bodies = ["msg_1", "msg_2"].map((id) => messagesEvents(voice, chunks, id).join(""))
    const [first = "", second = ""] = bodies
    expect(judged(streamOf(voice), "messages", first, second)).toEqual([undefined, undefined])
  })

  test("with a ping in between", () => {
    const [start = "", ...rest] = messagesEvents("text", chunks)
    const body = [start, 'event: ping\ndata: {"type":"ping"}\n\n', ...rest].join("")
    expect(judged(streamOf("text"), "messages", start + rest.join(""), body)).toEqual([undefined, undefined])
  })

  test("a plain one", () => {
    const body = chatBody({ kind: "plain" })
    expect(judged({ kind: "plain" }, "chat", body, body)).toEqual([undefined, undefined])
  })
})

type Spoil = (events: readonly string[]) => readonly string[]

const without =
  (position: number): Spoil =>
  (events) =>
    events.toSpliced(position, 1)
const repeated =
  (position: number): Spoil =>
  (events) =>
    events.toSpliced(position, 0, ...events.slice(position).slice(0, 1))
const rewritten =
  (from: string, to: string): Spoil =>
  (events) =>
    events.map((event) => event.replace(from, to))

describe("wrong replies, converted", () => {
  test.each<readonly [string, Voice, Spoil, RegExp]>([
    ["a chunk is missing", "text", without(12), /^text: 783 characters instead of 803, "/],
    ["a chunk comes twice", "text", repeated(12), /^text: 823 characters instead of 803/],
    ["a chunk of reasoning is missing", "reasoning", without(12), /^thinking: 783 characters/],
    ["what follows the reasoning is missing", "reasoning", without(44), /^text: 0 characters/],
    ["a piece of the arguments is missing", "tool", without(12), /^args: 780 characters instead of 800/],
    ["an argument is another", "tool", rewritten("src/main.ts", "src/mail.ts"), /^args: .* instead of/],
    ["a doubled message_stop", "text", repeated(-1), /message_stop: after the end/],
    ["no message_stop", "text", without(-1), /no message_stop/],
    ["no message_delta", "text", without(-2), /without a final message_delta/],
    ["a block is not closed", "text", without(-3), /still open/],
    ["another stop reason", "text", rewritten('"end_turn"', '"max_tokens"'), /^finish: /],
    ["an error in the middle", "text", (events) => [...events.slice(0, 9), errorEvent], /an error event/],
    ["the last event is cut", "text", (events) => [events.join("").slice(0, -1)], /not complete/],
    ["no start", "text", without(0), /message_start|grammar/],
  ])("%s", (_, voice, spoil, complaint) => {
    const events = messagesEvents(voice, chunks)
    const [fresh, settled] = judged(streamOf(voice), "messages", events.join(""), spoil(events).join(""))
    expect(fresh).toMatch(complaint)
    expect(settled).toMatch(complaint)
  })
})

const errorEvent = 'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"no"}}\n\n'

describe("wrong replies, passed through", () => {
  const right = chatBody(streamOf("text"))
  const done = "data: [DONE]\n\n"
  const event = (number: number) => `${right.split("\n\n")[number]}\n\n`

  test.each<readonly [string, string, RegExp]>([
    ["a chunk is missing", right.replace(event(12), ""), /^text: 783 characters/],
    ["two ends", right + done, /2 times \[DONE\]/],
    ["no end", right.replace(done, ""), /0 times \[DONE\]/],
    ["something after the end", right.replace(done, done + event(3)), /times \[DONE\]/],
    ["two finish reasons", right.replace(event(41), event(41).repeat(2)), /2 finish reasons/],
  ])("%s", (_, body, complaint) => {
    const [fresh, settled] = judged(streamOf("text"), "chat", right, body)
    expect(fresh).toMatch(complaint)
    expect(settled).toMatch(complaint)
  })
})

describe("replies that are never the same", () => {
  const slow: Reply = { kind: "slow", chunks: 2, everyMs: 100 }
  const stamped = (...numbers: readonly number[]): Buffer => {
    const [start = "", open = "", ...rest] = messagesEvents("text", 0)
    const deltas = numbers.map((number) => {
      const text = stampedPiece(number, 1_795_000_000_123.5)
      const data = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }
      return `event: content_block_delta\ndata: ${JSON.stringify(data)}\n\n`
    })
    return Buffer.from([start, open, ...deltas, ...rest].join(""))
  }

  test.each<readonly [readonly number[], string | undefined]>([
    [[0, 1], undefined],
    [[0], "1 pieces instead of 2"],
    [[1, 0], "not only pieces instead of 2"],
    [[0, 0, 1], "not only pieces instead of 2"],
  ])("slow streams with the pieces %j", (numbers, complaint) => {
    expect(createChecker(slow, "messages", 0)(stamped(...numbers))).toBe(complaint)
  })

  test.each<readonly [number, string | undefined]>([
    [100, undefined],
    [120, undefined],
    [60, "60 bytes of 100 went upstream"],
  ])("a request of 100 bytes of which %d arrive", (bytes, complaint) => {
    const text = `received ${bytes} bytes in 4 parts; that is all.`
    const body = messagesEvents("text", 1).join("").replace("000000 of these word", text)
    expect(createChecker({ kind: "size" }, "messages", 100)(Buffer.from(body))).toBe(complaint)
  })
})
