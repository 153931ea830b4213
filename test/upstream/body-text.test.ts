// The text of a body is what its bytes say, however they are cut, and slices end with an event where they can.
import { expect, test } from "bun:test"
import { createBodyText, moreText, nextRead, receive, restOfText } from "../../src/upstream/body-text.ts"
import { createDeadline } from "../../src/upstream/deadline.ts"
import { property } from "../support/random.ts"
import { createTestClock } from "./support.ts"

function open(pieces: readonly Uint8Array[]) {
  let next = 0
  const read = async () => ({ done: next === pieces.length, value: pieces[next++] })
  return createBodyText({ read }, createDeadline(0, new AbortController().signal, createTestClock()))
}

async function slicesOf(pieces: readonly Uint8Array[]): Promise<readonly string[]> {
  const body = open(pieces)
  const slices: string[] = []
  const read = async () => receive(body, await nextRead(body))
  for (let text = await read(); text !== undefined; text = await read()) {
    slices.push(text)
    for (let more = moreText(body); more !== undefined; more = moreText(body)) slices.push(more)
  }
  expect(body.received).toBe(pieces.reduce((sum, piece) => sum + piece.length, 0))
  return [...slices, restOfText(body)]
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

property("all of the text, in order", 200, (random) => {
  const line = () => `data: ${random.text(random.pick([10, 300]))}→ 漢\n${random.chance(0.8) ? "\n" : ""}`
  const text = Array.from({ length: random.integer(0, 400) }, line).join("")
  const pieces = random.chance(0.5) ? [bytesOf(text)] : random.cut(bytesOf(text))
  return slicesOf(pieces).then((slices) => expect(slices.join("")).toBe(text.toWellFormed()))
})

test("a slice ends with an event", async () => {
  const event = `data: ${"x".repeat(290)}\n\n`
  const slices = await slicesOf([bytesOf(event.repeat(500))])
  expect(slices.length).toBeGreaterThan(5)
  for (const slice of slices.slice(0, -1)) expect(slice.length % event.length).toBe(0)
})

test("one long line is cut all the same, and a character is not", async () => {
  const text = "漢".repeat(20_000)
  const slices = await slicesOf([bytesOf(text)])
  expect(slices.length).toBeGreaterThan(3)
  expect(slices.join("")).toBe(text)
})

test("half a character at the end is a sign of its own", async () => {
  expect((await slicesOf([bytesOf("漢").subarray(0, 2)])).join("")).toBe("\uFFFD")
})
