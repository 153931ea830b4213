// Input that is legal but absurd must cost no more than its length.
import { expect, test } from "bun:test"
import { initialTags, splitTags } from "../../src/convert/reply/think-tags.ts"
import { noArguments, takeArguments } from "../../src/convert/tool-calls/json-scan.ts"
import { ask, assistant, call, convert } from "./request-support.ts"

const pieces = 80_000

function timed(run: () => void): number {
  const started = performance.now()
  run()
  return performance.now() - started
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
