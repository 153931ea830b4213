// Input that is legal but absurd must cost no more than its length.
import { expect, test } from "bun:test"
import { initialTags, splitTags } from "../../src/convert/reader/think-tags.ts"
import { noArguments, takeArguments } from "../../src/convert/tool-calls/json-scan.ts"
import { deltaChunk, reasoningChunk, textChunk, toolChunk } from "../support/chunks.ts"
import { inputs, play } from "../support/fixtures.ts"
import { ask, assistant, call, convert, result, text, user } from "./request-support.ts"

const pieces = 80_000

function timed(run: () => void): number {
  // Time on the processor: other programs do not count.
  const started = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1_000
}

test("a model that never stops sending white space: before any text", () => {
  let state = initialTags("start")
  const took = timed(() => {
    for (let count = 0; count < pieces; count++) [state] = splitTags(state, "\n")
  })
  expect(took).toBeLessThan(3_000)
  expect(splitTags(state, "text")[1].map((piece) => piece.text.trim())).toEqual(["text"])
})

test("a model that never stops sending white space: behind its thinking", () => {
  let [state] = splitTags(initialTags("start"), "<think>a</think>")
  const took = timed(() => {
    for (let count = 0; count < pieces; count++) [state] = splitTags(state, "\n")
  })
  expect(took).toBeLessThan(3_000)
})

test("a model that never stops sending white space: in a call's arguments", () => {
  let { args } = takeArguments(noArguments, "{")
  const took = timed(() => {
    for (let count = 0; count < pieces; count++) args = takeArguments(args, "\n").args
  })
  expect(took).toBeLessThan(3_000)
  expect(takeArguments(args, '"a":1}').out).toBe('{"a":1}')
})

test("ten thousand calls with one id keep ids of their own", () => {
  const turn = assistant(...Array.from({ length: 10_000 }, () => call("same")))
  let ids: readonly string[] = []
  const took = timed(() => {
    const [message] = convert(ask([turn])).body.messages
    ids = message?.role === "assistant" ? (message.tool_calls ?? []).map(({ id }) => id) : []
  })
  expect(took).toBeLessThan(3_000)
  expect(new Set(ids).size).toBe(10_000)
})

const many = <T>(size: number, make: (at: number) => T) => Array.from({ length: size }, (_, at) => make(at))
const asked = (...messages: readonly unknown[]) => void convert(ask(messages))
const read = (...chunks: readonly unknown[]) => void play(inputs(chunks))
const aCall = (at: number, args = "{}") => toolChunk({ index: at, id: `c${at}`, name: "Bash", args })

const openCall = (index: number) => aCall(index, '{"a":"')
const openCalls = many(1_000, openCall)
const pieceOf = (index: number) => toolChunk({ index, args: "b" })
const sameId = (index: number) => toolChunk({ index, id: "call_same", name: "Bash", args: `{"a":${index}}` })

/** What each number of pieces is converted as. */
const absurd: ReadonlyArray<readonly [string, (size: number) => void]> = [
  ["reminders that are never closed", (size) => asked(user(text("<system-reminder>".repeat(size))))],
  ["reminders", (size) => asked(user(text("<system-reminder>a</system-reminder>".repeat(size))))],
  [
    "turns with one id",
    (size) => asked(...many(size, () => [assistant(call("a")), user(result("a"))]).flat()),
  ],
  ["results that nobody asked for", (size) => asked(user(...many(size, (at) => result(`r${at}`))))],
  ["blocks of text", (size) => asked(user(...many(size, (at) => text(`t${at}`))))],
  [
    "choices in one chunk",
    (size) => read({ choices: many(size, (index) => ({ index, delta: { content: "a" } })) }),
  ],
  ["parts in one chunk", (size) => read(deltaChunk({ content: many(size, () => text("a")) }))],
  ["objects as one call's arguments", (size) => read(aCall(0), aCall(0, '{"a":1}'.repeat(size)))],
  ["calls", (size) => read(...many(size, (at) => aCall(at)))],
  ["calls with one id", (size) => read(...many(size, (at) => sameId(at)))],
  ["pieces of many calls at once", (size) => read(...openCalls, ...many(size, (at) => pieceOf(at % 1_000)))],
  [
    "text and reasoning behind a call that is open",
    (size) => read(openCall(0), ...many(size, (at) => (at % 2 === 0 ? textChunk("a") : reasoningChunk("b")))),
  ],
  ["signs of a tag", (size) => read(...many(size, () => textChunk("<")))],
  [
    "white space in a call's name",
    (size) => read(toolChunk({ index: 0, id: "c", name: `a${"\t".repeat(size)}b`, args: "{}" })),
  ],
  [
    "signs in a call written as text",
    (size) => read(textChunk("<tool_call>"), ...many(size, () => textChunk("<"))),
  ],
]

test.each(absurd)("%s cost in proportion to their number", (_, run) => {
  const best = (size: number) => Math.min(...many(3, () => timed(() => run(size))))
  best(100)
  // Eight times as many; a square would cost sixty-four times as much. The floor is for the noise of short times.
  expect(best(8_000)).toBeLessThan(Math.max(best(1_000), 3) * 40)
})
