import { expect, test } from "bun:test"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import type { ErrorContext } from "../../src/protocol/errors/upstream-error.ts"
import { settled } from "../../src/upstream/batches.ts"
import { createBodyText } from "../../src/upstream/body-text.ts"
import { createDeadline } from "../../src/upstream/deadline.ts"
import { readEventStream } from "../../src/upstream/event-stream.ts"
import { property } from "../support/random.ts"
import { createTestClock } from "./support.ts"

const errors: ErrorContext = {
  provider: "p",
  model: "m",
  url: "http://127.0.0.1/v1/chat/completions",
  inputTokens: () => 1,
  contextWindow: null,
  keyName: "KEY",
  secrets: [],
}

/** A body of these pieces; then it ends, breaks, or says nothing more. */
function open(pieces: readonly (string | Uint8Array)[], then: "end" | "break" | "silence" = "end") {
  const clock = createTestClock()
  const outer = new AbortController()
  const deadline = createDeadline(1000, outer.signal, clock)
  let next = 0
  const read = async () => {
    const piece = pieces[next++]
    if (piece !== undefined) {
      return { done: false, value: typeof piece === "string" ? new TextEncoder().encode(piece) : piece }
    }
    if (then === "break") throw Object.assign(new Error("reset"), { code: "ECONNRESET" })
    if (then === "end") return { done: true }
    return new Promise<never>((_resolve, reject) =>
      deadline.signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true }),
    )
  }
  const situation = { clock, timeoutMs: 1000, signal: outer.signal, errors }
  return {
    batches: readEventStream("", createBodyText({ read }, deadline), situation),
    clock,
    deadline,
    outer,
  }
}

async function all(given: ReturnType<typeof open>): Promise<readonly StreamInput[]> {
  const inputs: StreamInput[] = []
  const next = () => settled(given.batches.next)
  for (let batch = await next(); batch !== undefined; batch = await next()) inputs.push(...batch)
  expect(given.batches.next()).toBe(undefined)
  return inputs
}

const chunk = (value: unknown): StreamInput => ({ kind: "chunk", chunk: value })
const end = (clean: boolean): StreamInput => ({ kind: "end", clean })

test.each<[string, readonly string[], readonly StreamInput[]]>([
  ["one chunk and the end", ['data: {"a":1}\n\n', "data: [DONE]\n\n"], [chunk({ a: 1 }), end(true)]],
  ["[DONE] with blanks", ["data:  [DONE] \n\n"], [end(true)]],
  ["nothing after [DONE]", ['data: [DONE]\n\ndata: {"a":1}\n\n'], [end(true)]],
  ["no [DONE]", ['data: {"a":1}\n\n'], [chunk({ a: 1 }), end(false)]],
  ["no blank line at the end", ['data: {"a":1}'], [chunk({ a: 1 }), end(false)]],
  ["[DONE] without its line end", ["data: [DONE]"], [end(true)]],
  ["CRLF, comments, no space", [': hi\r\n\r\ndata:{"a":1}\r\n\r\n'], [chunk({ a: 1 }), end(false)]],
  ["two halves of a JSON text", ['data: {"a":\n\ndata: 1}\n\n'], [chunk({ a: 1 }), end(false)]],
  [
    "a bad line among good ones",
    ['data: {"a":1}\n\ndata: oops\n\ndata: {"b":2}\n\n'],
    [chunk({ a: 1 }), chunk({ b: 2 }), end(false)],
  ],
  ["nothing", [], [end(false)]],
])("%s", async (_name, pieces, expected) => {
  const given = open(pieces)
  expect(await all(given)).toEqual([...expected])
  await Bun.sleep(0)
  expect(given.clock.live()).toBe(0)
})

test("one read makes one batch", async () => {
  const { batches } = open([
    ": hi\n\n",
    'data: {"a":1}\n\ndata: {"b":2}\n\ndata: {"c',
    '":3}\n\ndata: [DONE]\n\n',
  ])
  expect(await settled(batches.next)).toEqual([chunk({ a: 1 }), chunk({ b: 2 })])
  expect(await settled(batches.next)).toEqual([chunk({ c: 3 }), end(true)])
})

test("a line may be longer than what is taken of a read at once", async () => {
  const long = "x".repeat(300_000)
  const given = open([`data: {"a":"${long}"}\n\ndata: {"b":1}\n\ndata: [DONE]\n\n`])
  expect(await all(given)).toEqual([chunk({ a: long }), chunk({ b: 1 }), end(true)])
})

test("text that is no JSON, first of all, is an error", async () => {
  const [input] = await all(open(["data: no healthy upstream\n\n"]))
  expect(input).toMatchObject({ kind: "fault", fault: { status: 502, message: "[p] no healthy upstream" } })
})

test("a connection that breaks is a fault, the last input", async () => {
  const inputs = await all(open(['data: {"a":1}\n\n'], "break"))
  expect(inputs[0]).toEqual(chunk({ a: 1 }))
  expect(inputs[1]).toMatchObject({
    kind: "fault",
    fault: { status: 502, retry: "before-first-byte" },
  })
  expect(inputs.length).toBe(2)
})

test("a line without an end is given up", async () => {
  const inputs = await all(
    open(
      Array.from({ length: 40 }, () => `data: ${"x".repeat(1 << 19)}`),
      "silence",
    ),
  )
  expect(inputs).toMatchObject([
    { kind: "fault", fault: { message: "[p] the upstream sent a line of more than 16 MiB", retry: "no" } },
  ])
})

test("silence is a timeout that gives the connection up", async () => {
  const given = open(['data: {"a":1}\n\n'], "silence")
  await settled(given.batches.next)
  const waiting = settled(given.batches.next)
  given.clock.pass(1000)
  expect(await waiting).toMatchObject([{ kind: "fault", fault: { kind: "timeout_error", status: 504 } }])
  expect([given.deadline.signal.aborted, given.clock.live()]).toEqual([true, 0])
})

test("closing ends the wait and the connection", async () => {
  const given = open([], "silence")
  const waiting = settled(given.batches.next)
  given.batches.close()
  expect(await waiting).toBe(undefined)
  expect(given.batches.next()).toBe(undefined)
  expect([given.deadline.signal.aborted, given.clock.live()]).toEqual([true, 0])
})

test("after [DONE] the rest is waited for, but only half a second", async () => {
  const given = open(["data: [DONE]\n\n"], "silence")
  expect(await all(given)).toEqual([end(true)])
  given.clock.pass(499)
  expect(given.deadline.signal.aborted).toBe(false)
  given.clock.pass(1)
  expect(given.deadline.signal.aborted).toBe(true)
  await Bun.sleep(0)
  expect(given.clock.live()).toBe(0)
})

property("any cut of the bytes gives the same inputs", 200, async (random) => {
  const values = Array.from({ length: random.integer(1, 6) }, () => ({ text: random.text(20) }))
  const text = values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join("")
  const bytes = new TextEncoder().encode(`${text}data: [DONE]\n\n`)
  expect(await all(open(random.cut(bytes)))).toEqual([...values.map(chunk), end(true)])
})
