// The text of a body is what its bytes say, however they are cut, and slices end with an event where they can.
import { expect, test } from "bun:test"
import { createBodyText, moreText, nextRead, receive } from "../../src/upstream/body-text.ts"
import { createDeadline } from "../../src/upstream/deadline.ts"
import { property } from "../support/random.ts"
import { createTestClock } from "./support.ts"

function open(pieces: readonly Uint8Array[]) {
  let next = 0
  const read = async () => ({ done: next === pieces.length, value: pieces[next++] })
  return createBodyText({ read }, createDeadline(0, new AbortController().signal, createTestClock()))
}

/** The slices as bytes. */
async function slicesOf(pieces: readonly Uint8Array[]): Promise<readonly Buffer[]> {
  const body = open(pieces)
  const slices: Buffer[] = []
  const keep = (text: string) => slices.push(Buffer.from(text, "latin1"))
  const read = async () => receive(body, await nextRead(body))
  for (let text = await read(); text !== undefined; text = await read()) {
    keep(text)
    for (let more = moreText(body); more !== undefined; more = moreText(body)) keep(more)
  }
  expect(body.received).toBe(pieces.reduce((sum, piece) => sum + piece.length, 0))
  return slices
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

property("all of the text, in order", 200, (random) => {
  const line = () => `data: ${random.text(random.pick([10, 300]))}→ 漢\n${random.chance(0.8) ? "\n" : ""}`
  const text = Array.from({ length: random.integer(0, 400) }, line).join("")
  const pieces = random.chance(0.5) ? [bytesOf(text)] : random.cut(bytesOf(text))
  return slicesOf(pieces).then((slices) => expect(Buffer.concat(slices).toString()).toBe(text.toWellFormed()))
})

test("a slice ends with an event", async () => {
  const event = `data: ${"x".repeat(290)}\n\n`
  const slices = await slicesOf([bytesOf(event.repeat(500))])
  expect(slices.length).toBeGreaterThan(5)
  for (const slice of slices.slice(0, -1)) expect(slice.length % event.length).toBe(0)
})

test("one long line is cut all the same", async () => {
  const text = "漢".repeat(20_000)
  const slices = await slicesOf([bytesOf(text)])
  expect(slices.length).toBeGreaterThan(3)
  expect(Buffer.concat(slices).toString()).toBe(text)
})
