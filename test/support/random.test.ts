import { expect, spyOn, test } from "bun:test"
import { createRandom, property, runProperty } from "./random.ts"

test("a seed always plays the same, another seed something else", () => {
  const play = (seed: number) => {
    const random = createRandom(seed)
    return [random.text(50), random.json(3), random.shuffle([1, 2, 3, 4, 5, 6, 7, 8])]
  }
  expect(play(7)).toEqual(play(7))
  expect(play(7)).not.toEqual(play(8))
})

property("numbers stay in their bounds", 50, (random) => {
  const number = random.integer(-2, 3)
  expect([-2, -1, 0, 1, 2, 3]).toContain(number)
  expect(random.next()).toBeWithin(0, 1)
  expect(["a", "b"]).toContain(random.pick(["a", "b"]))
})

property("cut bytes are the same bytes", 200, (random) => {
  const bytes = new TextEncoder().encode(random.text(60))
  expect(Buffer.concat(random.cut(bytes)).equals(bytes)).toBe(true)
})

property("interleaved lists keep their own order and lose nothing", 200, (random) => {
  const lists = [[1, 2, 3, 4], [], [11, 12], [21, 22, 23]]
  const mixed = random.interleave(lists)
  expect(mixed.filter((item) => item < 10)).toEqual([1, 2, 3, 4])
  expect(mixed.filter((item) => item > 10 && item < 20)).toEqual([11, 12])
  expect(mixed.filter((item) => item > 20)).toEqual([21, 22, 23])
})

property("shuffled items are the same items", 20, (random) => {
  expect(random.shuffle([3, 1, 2]).toSorted()).toEqual([1, 2, 3])
})

property("json survives a round trip", 200, (random) => {
  const value = random.json(4)
  expect(JSON.parse(JSON.stringify(value))).toEqual(value)
})

test("picking from nothing is our own mistake", () => {
  expect(() => createRandom(1).pick([])).toThrow("nothing to pick from")
})

test("the failing seed is printed and the failure passed on", async () => {
  const error = spyOn(console, "error").mockImplementation(() => {})
  let runs = 0
  const third = () => {
    runs += 1
    if (runs === 3) throw new Error("third")
  }
  await expect(runProperty("p", 5, third)).rejects.toThrow("third")
  expect(error.mock.calls).toEqual([['"p" failed with seed 3: PROPERTY_SEED=3 runs it alone']])
  error.mockRestore()
})
