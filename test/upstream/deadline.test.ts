import { expect, test } from "bun:test"
import {
  clearDeadline,
  countSilence,
  createDeadline,
  endSilence,
  heardOf,
} from "../../src/upstream/deadline.ts"
import { createTestClock } from "./support.ts"

function start(ms = 100) {
  const clock = createTestClock()
  const outer = new AbortController()
  return { clock, outer, deadline: createDeadline(ms, outer.signal, clock) }
}

test("silence of the whole limit expires it", () => {
  const { clock, deadline } = start()
  clock.pass(99)
  expect([deadline.expired, deadline.signal.aborted]).toEqual([false, false])
  clock.pass(1)
  expect([deadline.expired, deadline.signal.aborted, clock.live()]).toEqual([true, true, 0])
})

test("every byte begins a new silence, with one timer in all", () => {
  const { clock, deadline } = start()
  for (let count = 0; count < 50; count++) {
    clock.pass(60)
    endSilence(deadline)
    countSilence(deadline)
    expect(clock.live()).toBe(1)
  }
  expect(deadline.expired).toBe(false)
  clock.pass(100)
  expect(deadline.expired).toBe(true)
})

test("a clock that is set makes no silence longer or shorter", () => {
  const { clock, deadline } = start()
  clock.set(3_600_000)
  clock.pass(60)
  endSilence(deadline)
  countSilence(deadline)
  clock.set(3_600_000)
  clock.pass(99)
  expect(deadline.expired).toBe(false)
  clock.set(-9_000_000)
  clock.pass(1)
  expect(deadline.expired).toBe(true)
})

test("what came while the process stood still is read before silence is judged", () => {
  const { clock, deadline } = start()
  clock.stand(60_000)
  clock.pass(1)
  expect([deadline.expired, deadline.signal.aborted]).toEqual([false, false])
  endSilence(deadline)
  countSilence(deadline)
  clock.pass(99)
  clock.stand(60_000)
  clock.pass(1)
  expect(deadline.expired).toBe(false)
  clock.pass(98)
  expect(deadline.expired).toBe(false)
  clock.pass(1)
  expect(deadline.expired).toBe(true)
})

test("time in which nobody waits for the upstream does not count", () => {
  const { clock, deadline } = start()
  endSilence(deadline)
  clock.pass(10_000)
  expect(deadline.expired).toBe(false)
  countSilence(deadline)
  clock.pass(99)
  expect(deadline.expired).toBe(false)
  clock.pass(101)
  expect(deadline.expired).toBe(true)
})

test("the outer signal fires it, without having expired", () => {
  const { clock, outer, deadline } = start()
  outer.abort()
  expect([deadline.expired, deadline.signal.aborted, clock.live()]).toEqual([false, true, 0])
})

test("an outer signal that has fired already fires it at once", () => {
  const clock = createTestClock()
  const deadline = createDeadline(100, AbortSignal.abort(), clock)
  expect([deadline.signal.aborted, clock.live()]).toEqual([true, 0])
})

test("clear and abort leave nothing behind", () => {
  const cleared = start()
  clearDeadline(cleared.deadline)
  cleared.outer.abort()
  cleared.clock.pass(1000)
  expect([cleared.deadline.signal.aborted, cleared.clock.live()]).toEqual([false, 0])
  const aborted = start()
  aborted.deadline.abort()
  expect([aborted.deadline.signal.aborted, aborted.deadline.expired, aborted.clock.live()]).toEqual([
    true,
    false,
    0,
  ])
})

test("0 is no limit", () => {
  const { clock, deadline } = start(0)
  clock.pass(1e9)
  expect([deadline.expired, clock.live()]).toEqual([false, 0])
})

test("how far the upstream has come", () => {
  const { deadline } = start()
  const heard = [heardOf(deadline)]
  for (let count = 0; count < 3; count++) {
    endSilence(deadline)
    heard.push(heardOf(deadline))
  }
  expect(heard).toEqual(["nothing", "head", "bytes", "bytes"])
})
