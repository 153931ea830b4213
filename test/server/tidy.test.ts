// When an idle proxy collects its garbage: after a rush, and never while anybody is served.
import { describe, expect, test } from "bun:test"
import { createTidy } from "../../src/server/heap/tidy.ts"

const mega = 1024 * 1024

function setUp() {
  let [resident, busy, collected] = [50, false, 0]
  let waiting: { run: () => void; ms: number } | undefined
  const tidy = createTidy({
    isBusy: () => busy,
    residentBytes: () => resident * mega,
    collect: () => {
      collected += 1
      resident = 60
    },
    setTimer: (run, ms) => {
      expect(waiting).toBeUndefined()
      waiting = { run, ms }
    },
  })
  return {
    ...tidy,
    holds: (megabytes: number) => {
      resident = megabytes
    },
    serves: (now: boolean) => {
      busy = now
    },
    collected: () => collected,
    isWaiting: () => waiting !== undefined,
    /** The timer that is set fires. */
    pass: () => {
      const due = waiting
      expect(due?.ms).toBe(5_000)
      waiting = undefined
      due?.run()
    },
  }
}

describe("an idle proxy", () => {
  test("sets no timer before anything was asked", () => {
    expect(setUp().isWaiting()).toBe(false)
  })

  test("collects twice after a rush, and then rests", () => {
    const proxy = setUp()
    proxy.holds(300)
    for (let times = 0; times < 1_000; times += 1) proxy.stir()
    proxy.pass()
    expect(proxy.collected()).toBe(0)
    proxy.pass()
    expect(proxy.collected()).toBe(1)
    proxy.pass()
    expect([proxy.collected(), proxy.isWaiting()]).toEqual([2, false])
  })

  test("waits for what runs, and for a while in which nothing ends", () => {
    const proxy = setUp()
    proxy.holds(300)
    proxy.serves(true)
    proxy.stir()
    for (let times = 0; times < 5; times += 1) proxy.pass()
    proxy.serves(false)
    proxy.stir()
    proxy.pass()
    expect(proxy.collected()).toBe(0)
    proxy.pass()
    expect(proxy.collected()).toBe(1)
  })

  test("leaves alone what is not worth it, and what it could not give back before", () => {
    const proxy = setUp()
    proxy.holds(65)
    proxy.stir()
    proxy.pass()
    expect([proxy.collected(), proxy.isWaiting()]).toEqual([0, false])
    proxy.holds(300)
    proxy.stir()
    proxy.pass()
    proxy.holds(200)
    proxy.pass()
    for (let times = 0; times < 3; times += 1) {
      proxy.stir()
      proxy.pass()
    }
    expect(proxy.collected()).toBe(2)
    proxy.holds(230)
    proxy.stir()
    proxy.pass()
    expect(proxy.collected()).toBe(3)
  })

  test("does not take what the next rush needs for what it needs when idle", () => {
    const proxy = setUp()
    proxy.holds(300)
    proxy.stir()
    proxy.pass()
    expect(proxy.collected()).toBe(1)
    proxy.serves(true)
    proxy.holds(400)
    proxy.pass()
    proxy.serves(false)
    proxy.holds(300)
    proxy.stir()
    proxy.pass()
    proxy.pass()
    expect(proxy.collected()).toBe(2)
  })

  test("leaves the process alone once it has stopped", () => {
    const proxy = setUp()
    proxy.holds(300)
    proxy.stir()
    proxy.pass()
    expect(proxy.collected()).toBe(1)
    proxy.end()
    proxy.holds(400)
    proxy.pass()
    proxy.stir()
    expect([proxy.collected(), proxy.isWaiting()]).toEqual([1, false])
  })
})
