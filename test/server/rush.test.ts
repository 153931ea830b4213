// When garbage is collected while hundreds of long replies are under way.
import { describe, expect, test } from "bun:test"
import { createRush } from "../../src/server/heap/rush.ts"
import { createOutcome, type RequestOutcome } from "../../src/server/outcome/outcome.ts"
import { generic, routeTo } from "../convert/request-support.ts"
import { createTestClock } from "../upstream/support.ts"

const mega = 1024 * 1024

/** A collection takes 20 ms and leaves 60 MB. */
function setUp() {
  let [running, resident, now, left] = [0, 50, 0, 60]
  const collectedAt: number[] = []
  let waiting: (() => void) | undefined
  const rush = createRush({
    running: () => running,
    residentBytes: () => resident * mega,
    now: () => now,
    collect: () => {
      now += 20
      collectedAt.push(now)
      resident = left
    },
    setTimer: (run, ms) => {
      expect([waiting, ms]).toEqual([undefined, 250])
      waiting = run
    },
  })
  return {
    end: rush.end,
    begin: (count: number) => {
      for (let times = 0; times < count; times += 1) {
        running += 1
        rush.begin()
      }
    },
    finish: (count: number) => {
      running -= count
    },
    holds: (megabytes: number) => {
      resident = megabytes
    },
    /** So many megabytes stay behind a collection. */
    leaves: (megabytes: number) => {
      left = megabytes
    },
    /** So many looks. */
    pass: (looks: number) => {
      for (let look = 0; look < looks; look += 1) {
        now += 250
        const run = waiting
        waiting = undefined
        run?.()
      }
    },
    isWaiting: () => waiting !== undefined,
    collectedAt,
  }
}

describe("many replies at once", () => {
  test("are not looked after where there are few of them", () => {
    const proxy = setUp()
    proxy.begin(255)
    expect(proxy.isWaiting()).toBe(false)
    proxy.finish(200)
    proxy.begin(150)
    expect(proxy.isWaiting()).toBe(false)
  })

  test("are rid of what their beginning left behind once they have all begun", () => {
    const proxy = setUp()
    proxy.begin(300)
    proxy.holds(100)
    for (let times = 0; times < 4; times += 1) {
      proxy.begin(50)
      proxy.pass(1)
    }
    expect(proxy.collectedAt).toEqual([])
    proxy.begin(5)
    proxy.pass(1)
    expect(proxy.collectedAt).toEqual([1_270])
  })

  test("are held up for no more than one part in 150 of the time, and only where memory has grown", () => {
    const proxy = setUp()
    proxy.begin(300)
    proxy.holds(100)
    proxy.pass(2)
    expect(proxy.collectedAt).toEqual([520])
    proxy.holds(100)
    proxy.pass(11)
    expect(proxy.collectedAt).toEqual([520])
    proxy.pass(1)
    expect(proxy.collectedAt).toEqual([520, 3_540])
    proxy.holds(67)
    proxy.pass(40)
    expect(proxy.collectedAt).toHaveLength(2)
    proxy.holds(68)
    proxy.pass(1)
    expect(proxy.collectedAt).toHaveLength(3)
  })

  test("are measured by what was held at last, however much it was in an earlier rush", () => {
    const proxy = setUp()
    proxy.begin(300)
    proxy.leaves(400)
    proxy.holds(500)
    proxy.pass(2)
    expect(proxy.collectedAt).toHaveLength(1)
    proxy.holds(100)
    proxy.pass(20)
    proxy.holds(107)
    proxy.pass(20)
    expect(proxy.collectedAt).toHaveLength(1)
    proxy.holds(108)
    proxy.pass(1)
    expect(proxy.collectedAt).toHaveLength(2)
  })

  test("are left alone where short ones come and go all the time", () => {
    const proxy = setUp()
    proxy.begin(300)
    proxy.holds(500)
    for (let times = 0; times < 40; times += 1) {
      proxy.begin(20)
      proxy.finish(20)
      proxy.pass(1)
    }
    expect(proxy.collectedAt).toEqual([])
  })

  test("are forgotten when few are left, and once the server has stopped", () => {
    const proxy = setUp()
    proxy.begin(300)
    proxy.finish(100)
    proxy.pass(1)
    expect(proxy.isWaiting()).toBe(false)
    proxy.begin(100)
    expect(proxy.isWaiting()).toBe(true)
    proxy.holds(500)
    proxy.end()
    proxy.pass(2)
    expect([proxy.isWaiting(), proxy.collectedAt]).toEqual([false, []])
    proxy.begin(100)
    expect(proxy.isWaiting()).toBe(false)
  })
})

test("a request counts as under way before its beginning is told", () => {
  const running = new Set<RequestOutcome>()
  const told: number[] = []
  const unexpected = () => expect.unreachable()
  const context = {
    clock: createTestClock(),
    log: { warn: unexpected, error: unexpected },
    onExchange: unexpected,
    running,
    rush: { begin: () => void told.push(running.size) },
  }
  const facts = {
    requestId: "req_1",
    stream: true,
    scope: "",
    route: routeTo(generic),
    startedAt: 0,
    notes: [],
  }
  for (let times = 0; times < 3; times += 1)
    createOutcome({ ...facts, caller: {}, account: unexpected }, context)
  expect(told).toEqual([1, 2, 3])
})
