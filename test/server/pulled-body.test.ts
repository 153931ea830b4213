// A body that is pulled says all that its source gives, however that comes, and ends in order whatever happens.
import { expect, test } from "bun:test"
import { type Piece, type PulledOptions, pulledBody } from "../../src/server/http/pulled-body.ts"
import type { Soon } from "../../src/upstream/batches.ts"
import { property } from "../support/random.ts"
import { later } from "../upstream/later.ts"
import { createTestClock } from "../upstream/support.ts"

const words = (...chunks: Piece["chunks"]): Piece => ({ chunks, last: false })
const end: Piece = { chunks: [], last: true }

function open(next: () => Soon<Piece>, more: Partial<PulledOptions<Piece>> = {}) {
  const [clock, client] = [createTestClock(), new AbortController()]
  const heard: string[] = []
  const body = pulledBody<Piece>(["start "], {
    ...{ clock, next },
    write: (piece) => piece,
    heartbeat: {
      pingMs: 100,
      ping: "ping ",
      keepAlive: { afterMs: 250, events: () => ["still "] },
    },
    fail: (error) => `failed: ${error instanceof Error ? error.message : error}`,
    left: client.signal,
    leave: () => heard.push("leave"),
    ended: () => heard.push("ended"),
    ...more,
  })
  return { body, clock, client, heard }
}

/** Gives these pieces, now and then as a promise. */
function giving(pieces: readonly Piece[], isLate: () => boolean): () => Soon<Piece> {
  const waiting = [...pieces]
  let promised = false
  return () => {
    promised = !promised && isLate()
    return promised ? Promise.resolve() : (waiting.shift() ?? end)
  }
}

property("all that is given, whether it is there or comes later", 200, async (random) => {
  const texts = Array.from({ length: random.integer(0, 30) }, () =>
    random.chance(0.5) ? "" : random.text(10).toWellFormed(),
  )
  const chunk = (text: string) => (random.chance(0.5) ? text : new TextEncoder().encode(text))
  const last: readonly Piece[] = random.chance(0.5) ? [{ chunks: ["end"], last: true }] : []
  const late = random.pick([0, 0.5, 1])
  const { body, clock, heard } = open(
    giving([...texts.map((text) => words(chunk(text))), ...last], () => random.chance(late)),
  )
  expect(await new Response(body).text()).toBe(["start ", ...texts, ...last.map(() => "end")].join(""))
  expect([heard, clock.live()]).toEqual([["ended"], 0])
})

test.each<[string, Partial<PulledOptions<Piece>>]>([
  [
    "the source throws",
    {
      next: () => {
        throw new Error("oops")
      },
    },
  ],
  ["the source rejects", { next: () => Promise.reject(new Error("oops")) }],
  [
    "what is there cannot be written",
    {
      next: () => end,
      write: () => {
        throw new Error("oops")
      },
    },
  ],
  [
    "what comes later cannot be written",
    {
      next: later(() => end),
      write: () => {
        throw new Error("oops")
      },
    },
  ],
])("the last words when %s", async (_name, more) => {
  const { body, clock, heard } = open(() => end, more)
  expect(await new Response(body).text()).toBe("start failed: oops")
  expect([heard, clock.live()]).toEqual([["ended"], 0])
})

test("the last words when it throws after pieces that say nothing", async () => {
  let count = 0
  const { body } = open(() => {
    if (count++ < 10) return count % 2 === 0 ? words("") : Promise.resolve()
    throw new Error("oops")
  })
  expect(await new Response(body).text()).toBe("start failed: oops")
})

test("a source that says nothing to its client is kept alive like one that is silent", async () => {
  let come = () => {}
  let waits = false
  const { body, clock } = open(() => {
    waits = !waits
    if (!waits) return words("")
    return new Promise((resolve) => {
      come = resolve
    })
  })
  const reader = body.getReader()
  const read = async () => new TextDecoder().decode((await reader.read()).value)
  const said: string[] = [await read()]
  for (let times = 0; times < 3; times++) {
    clock.pass(100)
    said.push(await read())
    come()
    await Bun.sleep(0)
  }
  expect(said).toEqual(["start ", "ping ", "ping ", "still "])
  await reader.cancel()
})

test("a source that is silent is kept alive, and left when its client has gone", async () => {
  const { body, clock, heard } = open(() => new Promise<never>(() => {}))
  const reader = body.getReader()
  const read = async () => new TextDecoder().decode((await reader.read()).value)
  expect(await read()).toBe("start ")
  clock.pass(100)
  expect(await read()).toBe("ping ")
  clock.pass(100)
  expect(await read()).toBe("ping ")
  clock.pass(100)
  expect(await read()).toBe("still ")
  await reader.cancel()
  expect([heard, clock.live()]).toEqual([["ended", "leave"], 0])
})

test("nothing is pulled for a client that is known to have left", async () => {
  let pulls = 0
  const { body, client, clock } = open(() => {
    pulls++
    return words("more ")
  })
  client.abort()
  const reader = body.getReader()
  await reader.read()
  const before = pulls
  await Promise.race([reader.read(), Bun.sleep(5)])
  expect([pulls - before, clock.live()]).toEqual([0, 0])
})

test("little more is pulled than the client takes", async () => {
  let [pulled, taken] = [0, 0]
  const { body } = open(() => {
    pulled += 1_000
    return words("x".repeat(1_000))
  })
  const reader = body.getReader()
  for (let count = 0; count < 10; count++) taken += (await reader.read()).value?.length ?? 0
  await Bun.sleep(5)
  expect(taken).toBeGreaterThan(10_000)
  expect(pulled - taken).toBeLessThan(200_000)
  await reader.cancel()
})

test("a client that leaves before it has read anything is heard of", () => {
  const { client, clock, heard } = open(() => end)
  client.abort()
  expect([heard, clock.live()]).toEqual([["ended"], 0])
})
