// The store of one process: how long it keeps things, and how much of them.
import { describe, expect, test } from "bun:test"
import { createMemoryStore } from "../../src/store/memory.ts"
import { property } from "../support/random.ts"

/** A store whose clock only goes when it is told to. */
function withClock(maxBytes = 10_000, maxBuckets?: number) {
  let time = 1_000
  const more = maxBuckets === undefined ? {} : { maxBuckets }
  const store = createMemoryStore({ now: () => time, maxBytes, ...more })
  return {
    store,
    pass: (ms: number) => {
      time += ms
    },
  }
}

describe("values", () => {
  test("are kept for their time, and not a moment longer", async () => {
    const { store, pass } = withClock()
    await store.set("a", "1", 100)
    pass(99)
    expect(await store.get("a")).toBe("1")
    pass(1)
    expect(await store.get("a")).toBe(undefined)
    expect(await store.get("never set")).toBe(undefined)
  })

  test("the last one counts, and its time", async () => {
    const { store, pass } = withClock()
    await store.set("a", "1", 100)
    await store.set("a", "2", 1_000)
    pass(500)
    expect(await store.get("a")).toBe("2")
    await store.set("a", "3", 0)
    expect(await store.get("a")).toBe(undefined)
  })

  test("what was not used for the longest time goes first", async () => {
    // An entry is its texts and 128 bytes more.
    const { store } = withClock(3 * 1_128)
    const value = "x".repeat(999)
    for (const key of ["a", "b", "c"]) await store.set(key, value, 1_000)
    expect(await store.get("a")).toBe(value)
    await store.set("d", value, 1_000)
    expect(await Promise.all(["a", "b", "c", "d"].map(store.get))).toEqual([value, undefined, value, value])
  })

  test("one that is larger than everything is not kept, and takes nothing with it but what it replaces", async () => {
    const { store } = withClock(1_000)
    await store.set("small", "1", 1_000)
    await store.set("large", "1", 1_000)
    await store.set("large", "x".repeat(1_000), 1_000)
    expect(await store.get("large")).toBe(undefined)
    expect(await store.get("small")).toBe("1")
  })

  test.each([
    ["ASCII", "x", 1],
    ["Latin", "é", 2],
    ["Chinese", "字", 3],
    ["a face", "😀", 4],
  ])("%s: counted as what it takes", async (_name, character, bytes) => {
    const value = character.repeat(100)
    const size = 128 + 1 + 100 * bytes
    const enough = withClock(size).store
    await enough.set("k", value, 1_000)
    expect(await enough.get("k")).toBe(value)
    const less = withClock(size - 1).store
    await less.set("k", value, 1_000)
    expect(await less.get("k")).toBe(undefined)
  })

  test("a smaller store keeps what was used last", async () => {
    const { store } = withClock()
    for (const key of ["a", "b", "c"]) await store.set(key, "1", 1_000)
    store.resize(130)
    expect(await Promise.all(["a", "b", "c"].map(store.get))).toEqual([undefined, undefined, "1"])
    store.resize(0)
    await store.set("d", "1", 1_000)
    expect(await Promise.all(["c", "d"].map(store.get))).toEqual([undefined, undefined])
  })
})

describe("buckets", () => {
  const bucket = { capacity: 3, refillMs: 3_000 }

  test("are full at first, give what they hold, and fill up evenly", async () => {
    const { store, pass } = withClock()
    const common = { shared: false }
    expect(await store.take("a", bucket)).toEqual({
      ...{ ...common, allowed: true, remaining: 2, waitMs: 0, fullMs: 1_000 },
    })
    expect((await store.take("a", bucket)).remaining).toBe(1)
    expect(await store.take("a", bucket)).toEqual({
      ...{ ...common, allowed: true, remaining: 0, waitMs: 1_000, fullMs: 3_000 },
    })
    expect(await store.take("a", bucket)).toEqual({
      ...{ ...common, allowed: false, remaining: 0, waitMs: 1_000, fullMs: 3_000 },
    })
    pass(999)
    expect((await store.take("a", bucket)).allowed).toBe(false)
    pass(1)
    expect((await store.take("a", bucket)).allowed).toBe(true)
    expect((await store.take("b", bucket)).remaining).toBe(2)
    pass(3_000)
    expect((await store.take("a", bucket)).remaining).toBe(2)
  })

  test("a clock that is set back, or a smaller bucket, shuts nobody out for longer than it takes to fill", async () => {
    const { store, pass } = withClock()
    for (let count = 0; count < 3; count++) await store.take("a", bucket)
    pass(-1_000_000)
    expect(await store.take("a", bucket)).toMatchObject({ allowed: false, waitMs: 1_000, fullMs: 3_000 })
    expect(await store.take("a", { capacity: 1, refillMs: 1_000 })).toMatchObject({ waitMs: 1_000 })
  })

  test("of more than can be kept the one that was used least lately is forgotten", async () => {
    const { store } = withClock(0, 2)
    for (let count = 0; count < 3; count++) await store.take("a", bucket)
    await store.take("b", bucket)
    expect((await store.take("a", bucket)).allowed).toBe(false)
    await store.take("c", bucket)
    expect((await store.take("a", bucket)).allowed).toBe(false)
    expect((await store.take("b", bucket)).remaining).toBe(2)
  })

  property("never more than the capacity and what came back meanwhile", 200, async (random) => {
    const capacity = random.integer(1, 20)
    const refillMs = random.integer(1, 100_000)
    const { store, pass } = withClock()
    let taken = 0
    let time = 0
    for (let step = 0; step < 60; step++) {
      const ms = random.integer(0, Math.ceil((2 * refillMs) / capacity))
      pass(ms)
      time += ms
      const { allowed, remaining, waitMs } = await store.take("a", { capacity, refillMs })
      if (allowed) taken++
      expect(taken).toBeLessThanOrEqual(capacity + (time * capacity) / refillMs + 0.01)
      expect(waitMs === 0).toBe(remaining > 0)
    }
  })
})

test("a process alone has nobody to tell anything", async () => {
  const { store } = withClock()
  expect(await store.mark("group", "name", 1_000)).toBe(false)
  await store.unmark("group", ["name"])
  expect(await store.marks("group")).toBe(undefined)
  expect(store.shared()).toBe(false)
})
