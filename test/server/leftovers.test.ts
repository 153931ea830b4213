// What a large request leaves behind is collected once it is being answered; what small ones leave never is.
import { describe, expect, test } from "bun:test"
import { createLeftovers } from "../../src/server/heap/leftovers.ts"

const mega = 1024 * 1024

function setUp() {
  let [young, all, used] = [0, 0, 10]
  let waiting: (() => void) | undefined
  const { answered } = createLeftovers({
    collectYoung: () => {
      young += 1
      return used * mega
    },
    collectAll: () => {
      all += 1
      used = 12
      return used * mega
    },
    later: (run) => {
      expect(waiting).toBeUndefined()
      waiting = run
    },
  })
  return {
    answered,
    uses: (megabytes: number) => {
      used = megabytes
    },
    collected: () => [young, all],
    isWaiting: () => waiting !== undefined,
    /** What was under way is done. */
    pass: () => {
      const run = waiting
      waiting = undefined
      run?.()
    },
  }
}

describe("what requests leave behind", () => {
  test("is left to the engine where it is little", () => {
    const leftovers = setUp()
    leftovers.answered(500_000)
    expect(leftovers.isWaiting()).toBe(false)
  })

  test("is collected later, once for all that are answered meanwhile", () => {
    const leftovers = setUp()
    for (let times = 0; times < 3; times += 1) leftovers.answered(mega)
    expect(leftovers.collected()).toEqual([0, 0])
    leftovers.pass()
    expect([leftovers.collected(), leftovers.isWaiting()]).toEqual([[1, 0], false])
    leftovers.answered(mega)
    leftovers.pass()
    expect(leftovers.collected()).toEqual([2, 0])
  })

  test("is collected altogether once much of it has become old", () => {
    const leftovers = setUp()
    const answer = (megabytes: number) => {
      leftovers.uses(megabytes)
      leftovers.answered(mega)
      leftovers.pass()
      return leftovers.collected()[1]
    }
    // Of 10 MB: twice as much and 48.
    expect([answer(10), answer(68), answer(69)]).toEqual([0, 0, 1])
    // Of the 12 that were left then.
    expect([answer(72), answer(73)]).toEqual([1, 2])
    // Of 8: the engine may have collected by itself.
    expect([answer(8), answer(64), answer(65)]).toEqual([2, 2, 3])
  })
})
