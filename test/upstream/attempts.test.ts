import { expect, test } from "bun:test"
import { type Fault, fault } from "../../src/protocol/fault.ts"
import { attempt, type Opening, type Tried } from "../../src/upstream/attempts.ts"
import { type Batches, settled } from "../../src/upstream/batches.ts"
import { later } from "./later.ts"
import { createTestClock } from "./support.ts"

const broken = (more: Partial<Fault> = {}): Fault => ({
  ...fault({ kind: "api_error", source: "upstream", message: "broken" }),
  retry: "before-first-byte",
  ...more,
})

type Item = "role" | "text" | "error"
type Played = Fault | readonly (readonly Item[])[]

/** Plays one entry per attempt, and remembers the waits and which replies were closed. */
function play(script: readonly Played[], maxRetries = 2) {
  const clock = createTestClock()
  const leaving = new AbortController()
  const [waits, closed]: [number[], number[]] = [[], []]
  let opened = 0
  function open(): Promise<Opening<Item>> {
    const number = opened++
    const played = script[number] ?? broken()
    if ("kind" in played) return Promise.resolve({ ok: false, fault: played })
    let next = 0
    const batches: Batches<Item> = {
      next: later(() => played[next++]),
      close: () => closed.push(number),
    }
    return Promise.resolve({ ok: true, batches })
  }
  const tried: Tried = { maxRetries, signal: leaving.signal, clock }
  const done = attempt<Tried, Item>(tried, {
    open,
    scale: () => (batch) => (batch.includes("error") ? broken() : batch.includes("text") ? "go" : "wait"),
    random: () => 0.5,
    onRetry: (_tried, _fault, _attempt, waitMs) => waits.push(waitMs),
  })
  /** Lets time pass until there is an answer. */
  async function result() {
    const settled = done.then((value) => ({ value }))
    for (;;) {
      const first = await Promise.race([settled, Bun.sleep(1)])
      if (first !== undefined) return first.value
      clock.pass(10_000)
    }
  }
  return { result, waits, closed, clock, leave: () => leaving.abort(), opened: () => opened }
}

test("pauses grow, and stay below the limit", async () => {
  const { result, waits, clock, opened } = play([], 8)
  await result()
  expect(opened()).toBe(9)
  expect(waits).toEqual([188, 375, 750, 1500, 3000, 3750, 3750, 3750])
  expect(clock.live()).toBe(0)
})

test.each<[number | undefined, readonly number[]]>([
  [0, [0, 0]],
  [700, [700, 700]],
  [5_000, [5_000, 5_000]],
  [5_001, []],
  [undefined, [188, 375]],
])("asked to wait %p ms", async (retryAfterMs, expected) => {
  const given = broken(retryAfterMs === undefined ? {} : { retryAfterMs })
  const { result, waits, opened } = play([given, given, given])
  expect(await result()).toEqual({ ok: false, fault: given })
  expect(waits).toEqual([...expected])
  expect(opened()).toBe(expected.length + 1)
})

test("what must not be repeated is not", async () => {
  const { result, opened } = play([broken({ retry: "no" })])
  expect((await result()).ok).toBe(false)
  expect(opened()).toBe(1)
})

test("a failed reply is closed; the good one is given whole and then goes on", async () => {
  const { result, closed, opened } = play([
    [["role"], ["error"]],
    [["role"], ["role", "text"], ["text"], ["error"]],
  ])
  const opening = await result()
  expect([opened(), closed]).toEqual([2, [0]])
  if (!opening.ok) throw new Error("not opened")
  const batches: (readonly Item[])[] = []
  const { next } = opening.batches
  for (let batch = await settled(next); batch !== undefined; batch = await settled(next)) batches.push(batch)
  expect(batches).toEqual([["role"], ["role", "text"], ["text"], ["error"]])
})

test("leaving during a pause ends it at once and asks nobody again", async () => {
  const { result, clock, leave, opened } = play([])
  await Bun.sleep(1)
  expect(clock.live()).toBe(1)
  leave()
  await result()
  expect([opened(), clock.live()]).toEqual([1, 0])
})
