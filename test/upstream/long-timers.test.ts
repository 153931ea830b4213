import { afterEach, expect, jest, test } from "bun:test"
import { createSystemClock } from "../../src/upstream/deadline.ts"
import { createLongTimers } from "../../src/upstream/long-timers.ts"

afterEach(() => {
  jest.useRealTimers()
})

/** Timers on a clock that the test moves on, with the order they ran in and when. */
function bench() {
  jest.useFakeTimers()
  let time = 12_345.6
  const set = createLongTimers(() => time)
  const ran: (readonly [name: string, ms: number])[] = []
  const began = time
  return {
    ran,
    set: (name: string, ms: number) => set(() => ran.push([name, time - began]), ms),
    setRaw: set,
    pass: (ms: number) => {
      for (let left = ms; left > 0; left -= 10) {
        time += Math.min(10, left)
        jest.advanceTimersByTime(Math.min(10, left))
      }
    },
    /** The process stood still, and one tick follows. */
    jump: (ms: number) => {
      time += ms
      jest.advanceTimersByTime(100)
    },
    ticking: () => jest.getTimerCount(),
  }
}

test("each runs once, never early, and at most two ticks late", () => {
  const { ran, set, pass, ticking } = bench()
  const lengths = [5_000, 60_000, 5_301, 15_000, 5_120.5, 10_000]
  for (const ms of lengths) set(String(ms), ms)
  pass(70_000)
  expect(ran.map(([name]) => Number(name))).toEqual(lengths.toSorted((one, other) => one - other))
  for (const [name, ms] of ran) {
    expect(ms).toBeGreaterThanOrEqual(Number(name))
    expect(ms).toBeLessThanOrEqual(Number(name) + 200)
  }
  expect(ticking()).toBe(0)
})

test("those of one tick run in the order they were set, without those that were cancelled", () => {
  const { ran, set, pass, ticking } = bench()
  const cancels = ["a", "b", "c", "d", "e"].map((name) => set(name, 5_000))
  for (const at of [0, 2, 4]) cancels[at]?.()
  cancels[2]?.()
  set("f", 5_000)
  pass(6_000)
  expect(ran.map(([name]) => name)).toEqual(["b", "d", "f"])
  cancels[1]?.()
  set("g", 5_000)
  pass(6_000)
  expect(ran.at(-1)?.[0]).toBe("g")
  expect(ticking()).toBe(0)
})

test("nothing ticks while nothing waits", () => {
  const { ran, set, pass, ticking } = bench()
  expect(ticking()).toBe(0)
  const cancel = set("a", 5_000)
  expect(ticking()).toBe(1)
  cancel()
  pass(200)
  expect(ticking()).toBe(0)
  set("b", 5_000)
  pass(5_300)
  expect(ran.map(([name]) => name)).toEqual(["b"])
})

test("one that is cancelled or set by another of its tick", () => {
  const { ran, set, setRaw, pass } = bench()
  const cancels: (() => void)[] = []
  setRaw(() => {
    for (const cancel of cancels) cancel()
    set("later", 5_000)
  }, 5_000)
  cancels.push(set("never", 5_000))
  set("also", 5_000)
  pass(11_000)
  expect(ran.map(([name]) => name)).toEqual(["also", "later"])
})

test("one that throws stops no other", () => {
  const { ran, set, setRaw, pass } = bench()
  setRaw(() => {
    throw new Error("no")
  }, 5_000)
  set("a", 5_000)
  expect(() => pass(5_400)).toThrow("no")
  pass(400)
  expect(ran.map(([name]) => name)).toEqual(["a"])
})

test("after a standstill all that are due run, in the order of their times", () => {
  const { ran, set, jump, ticking } = bench()
  set("b", 9_000)
  set("a", 6_000)
  set("c", 60_000)
  jump(20_000)
  expect(ran.map(([name]) => name)).toEqual(["a", "b"])
  jump(50_000)
  expect(ran.map(([name]) => name)).toEqual(["a", "b", "c"])
  expect(ticking()).toBe(0)
})

test("a server's clock keeps to short times as they are", async () => {
  const clock = createSystemClock()
  const began = performance.now()
  await new Promise<void>((resolve) => clock.setTimer(resolve, 20))
  expect(performance.now() - began).toBeGreaterThanOrEqual(19)
  const cancelled = clock.setTimer(() => expect.unreachable(), 5)
  cancelled()
  clock.setTimer(() => expect.unreachable(), 60_000)()
  await new Promise<void>((resolve) => clock.setTimer(resolve, 20))
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000)
})
