import { expect, test } from "bun:test"
import { createTurns } from "../../src/server/common/turns.ts"

/** Turns that are had by hand, with a clock that a step takes a millisecond of. */
function byHand() {
  const due: (() => void)[] = []
  let time = 0
  const turns = createTurns({ now: () => time, later: (run) => void due.push(run) })
  const done: string[] = []
  function* steps(name: string, count: number): Generator<undefined, string, undefined> {
    for (let at = 0; at < count; at++) {
      time += 1
      done.push(name)
      yield
    }
    return name
  }
  /** One look at the connections; gives who had a turn in it, by step. */
  async function look(): Promise<readonly string[]> {
    done.length = 0
    for (const run of due.splice(0)) run()
    await Promise.resolve()
    await Promise.resolve()
    return [...done]
  }
  return { turns, steps, look, done, due }
}

test("what takes one step is done at once", async () => {
  const { turns, steps, due } = byHand()
  expect(await turns.run(steps("short", 0))).toBe("short")
  expect(due).toEqual([])
})

test("what is long is done in turns of a few milliseconds, one of them between two looks", async () => {
  const { turns, steps, look, done } = byHand()
  const both = Promise.all([turns.run(steps("a", 6)), turns.run(steps("b", 6))])
  expect(done).toEqual(["a", "b"])
  expect(await look()).toEqual(["a", "a"])
  expect(await look()).toEqual(["b", "b"])
  expect(await look()).toEqual(["a", "a"])
  expect(await look()).toEqual(["b", "b"])
  expect(await look()).toEqual(["a"])
  expect(await look()).toEqual(["b"])
  expect(await both).toEqual(["a", "b"])
  expect(await look()).toEqual([])
})

test("steps that throw end their own turn alone", async () => {
  const { turns, steps, look } = byHand()
  function* broken(): Generator<undefined, string, undefined> {
    yield
    throw new Error("broken")
  }
  const first = turns.run(broken())
  const second = turns.run(steps("sound", 2))
  first.catch(() => {})
  await look()
  await look()
  expect(first).rejects.toThrow("broken")
  expect(await second).toBe("sound")
})
