// Which fallback a conversation stays on, how long, and for how many conversations.
import { expect, test } from "bun:test"
import { createStays } from "../../src/server/course/stays.ts"

const minute = 60_000

test("ten minutes from the move, however often it is used", () => {
  let now = 1_000
  const stays = createStays(() => now)
  expect(stays.at("a")).toBeUndefined()
  stays.answered("a", "m1")
  for (let at = 0; at < 10; at++) {
    expect([stays.at("a"), stays.at("b")]).toEqual(["m1", undefined])
    stays.answered("a", "m1")
    now += minute
  }
  expect(stays.at("a")).toBeUndefined()
})

test("another fallback is another move, and the first model ends it", () => {
  let now = 0
  const stays = createStays(() => now)
  stays.answered("a", "m1")
  now += 9 * minute
  stays.answered("a", "m2")
  now += 9 * minute
  expect(stays.at("a")).toBe("m2")
  stays.answered("a", undefined)
  expect(stays.at("a")).toBeUndefined()
})

test("no more than ten thousand: the oldest are forgotten", () => {
  const stays = createStays(() => 0)
  for (let at = 0; at < 10_500; at++) stays.answered(String(at), "m1")
  expect([stays.at("0"), stays.at("499"), stays.at("500"), stays.at("10499")]).toEqual([
    ...[undefined, undefined, "m1", "m1"],
  ])
})
