// What keeps the statistics of a running proxy: when it writes, what it does when it cannot, and what it never writes.
import { Database } from "bun:sqlite"
import { afterEach, describe, expect, test } from "bun:test"
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createKeeper, type KeeperTimes } from "../../src/commands/stats/keeper.ts"
import type { Exchange } from "../../src/observe/exchange.ts"
import { mostModels } from "../../src/observe/stats.ts"
import { configFrom } from "../config/support.ts"
import { newFolder, openStore, removeFolders, requestsIn, storedValue } from "../store/support.ts"
import { exchange, randomExchange } from "../support/exchanges.ts"
import { createRandom } from "../support/random.ts"
import { until } from "../support/upstream.ts"

afterEach(removeFolders)

const time = Date.UTC(2026, 0, 31, 12)
const fast: Partial<KeeperTimes> = { batchMs: 5, longestPauseMs: 20, busyMs: 0, lastBusyMs: 5_000 }
const config = { statsEnabled: true, secrets: ["sk-canary-0123456789"] }

function start(folder: string, times: Partial<KeeperTimes> = fast) {
  const warnings: string[] = []
  const infos: string[] = []
  const log = { warn: (text: string) => warnings.push(text), info: (text: string) => infos.push(text) }
  const keeper = createKeeper({ folder, log, config, now: () => time, times })
  return { keeper, warnings, infos, path: join(folder, "stats.db") }
}

const at = (more: Partial<Exchange> = {}) => exchange({ endedAt: time, session: "s", ...more })

test("nothing is made before there is something to write", async () => {
  const folder = join(newFolder(), "state")
  const { keeper } = start(folder)
  expect(await keeper.allTime()).toBe(undefined)
  await keeper.close()
  expect(existsSync(folder)).toBe(false)
})

test("a request is in the file soon after, without being asked for", async () => {
  const { keeper, path } = start(join(newFolder(), "state"))
  keeper.record(at())
  await until(() => existsSync(path) && requestsIn(path).byDay === 1)
  await keeper.close()
})

test("what waits is written at the end, and nothing after it", async () => {
  const { keeper, path } = start(newFolder(), { ...fast, batchMs: 1_000_000 })
  keeper.record(at())
  await keeper.close()
  keeper.record(at())
  await keeper.close()
  expect(requestsIn(path)).toEqual({ byDay: 1, bySession: 1 })
  // The last one out leaves one file.
  expect(readdirSync(join(path, ".."))).toEqual(["stats.db"])
})

test("all time is what was kept before and what waits", async () => {
  const folder = newFolder()
  const first = start(folder)
  first.keeper.record(at({ costUsd: 0.25, endedAt: Date.UTC(2025, 11, 24, 12) }))
  await first.keeper.close()
  const { keeper } = start(folder, { ...fast, batchMs: 1_000_000 })
  keeper.record(at({ model: "other" }))
  const allTime = await keeper.allTime()
  expect(allTime?.since).toBe("2025-12-24")
  expect(allTime?.total).toMatchObject({ requests: 2, inputTokens: 20, costUsd: 0.25, costUnknown: 1 })
  expect(allTime?.models.map(({ model, tally }) => [model, tally.requests])).toEqual([
    ["gpt-4o", 1],
    ["other", 1],
  ])
  await keeper.close()
})

test("two of them on one file, with many requests: the sums are those of all of them", async () => {
  const folder = newFolder()
  const random = createRandom(7)
  const exchanges = Array.from({ length: 400 }, () => ({ ...randomExchange(random), endedAt: time }))
  const keepers = [start(folder), start(folder)]
  for (const [index, one] of exchanges.entries()) {
    keepers[index % 2]?.keeper.record(one)
    if (index % 20 === 0) await Bun.sleep(2)
  }
  await Promise.all(keepers.map(({ keeper }) => keeper.close()))
  const named = exchanges.filter(({ session }) => session !== undefined).length
  expect(requestsIn(join(folder, "stats.db"))).toEqual({ byDay: 400, bySession: named })
  expect(keepers.flatMap(({ warnings }) => warnings)).toEqual([])
})

test("sessions are forgotten after 90 days, sums are not", async () => {
  const { keeper, path } = start(newFolder())
  const old = time - 91 * 86_400_000
  keeper.record(at({ session: "old", endedAt: old }))
  keeper.record(at({ session: "new" }))
  await keeper.close()
  expect(requestsIn(path)).toEqual({ byDay: 2, bySession: 1 })
})

test("names that clients make up do not fill the file", async () => {
  const { keeper, path } = start(newFolder(), { ...fast, batchMs: 1_000_000 })
  for (let index = 0; index < 3_000; index++) keeper.record(at({ model: `m${index}`, session: `s${index}` }))
  await keeper.close()
  const store = openStore(path)
  expect(storedValue(store.days(["model"], ""))).toHaveLength(mostModels + 1)
  expect(storedValue(store.days([], ""))[0]?.tally.requests).toBe(3_000)
  expect(storedValue(store.sessions(0, 10_000))).toHaveLength(1_000)
  store.close()
})

test("no key is written, wherever it stands", async () => {
  const folder = newFolder()
  const { keeper } = start(folder)
  keeper.record(at({ model: "sk-canary-0123456789", requestId: "sk-canary-0123456789" }))
  keeper.record(at({ requestedModel: "sk-canary-0123456789", reason: "sk-canary-0123456789" }))
  await keeper.allTime()
  for (const name of readdirSync(folder))
    expect(readFileSync(join(folder, name), "latin1")).not.toContain("canary")
  await keeper.close()
  expect(readFileSync(join(folder, "stats.db"), "latin1")).not.toContain("canary")
})

describe("switched off and on", () => {
  const off = { ...config, statsEnabled: false }
  const whole = configFrom({ OPENAI_API_KEY: "sk-upstream-0123456789" })

  test("off from the start: no file", async () => {
    const folder = join(newFolder(), "state")
    const log = { warn: () => {}, info: () => {} }
    const keeper = createKeeper({ folder, log, config: off, times: fast })
    keeper.record(at())
    expect(await keeper.allTime()).toBe(undefined)
    await keeper.close()
    expect(existsSync(folder)).toBe(false)
  })

  test("by a changed configuration: what came before is written, what comes between is not", async () => {
    const { keeper, path } = start(newFolder(), { ...fast, batchMs: 1_000_000 })
    keeper.record(at())
    keeper.use({ ...whole, ...off })
    keeper.record(at())
    await until(() => existsSync(path) && requestsIn(path).byDay === 1)
    expect(await keeper.allTime()).toBe(undefined)
    keeper.use({ ...whole, ...config })
    keeper.record(at())
    expect((await keeper.allTime())?.total.requests).toBe(2)
    await keeper.close()
    expect(requestsIn(path).byDay).toBe(2)
  })

  test("while another process writes: nobody is kept waiting, and nothing is lost", async () => {
    const { keeper, warnings, path } = start(newFolder())
    openStore(path).close()
    const other = new Database(path)
    other.run("BEGIN IMMEDIATE")
    keeper.record(at())
    const started = performance.now()
    keeper.use({ ...whole, ...off })
    expect(await keeper.allTime()).toBe(undefined)
    expect(performance.now() - started).toBeLessThan(2_500)
    other.run("ROLLBACK")
    other.close()
    await until(() => requestsIn(path).byDay === 1)
    // Closed, and so one file.
    await until(() => readdirSync(join(path, "..")).length === 1)
    expect(warnings).toEqual([])
    await keeper.close()
  })
})

describe("a file that cannot be written", () => {
  const warned = (path: string) => `statistics are kept in memory alone, as ${path} cannot be written: `

  test("is said once, tried again, and made up for", async () => {
    const { keeper, warnings, infos, path } = start(newFolder())
    writeFileSync(path, "no database at all, but long enough to look like one to SQLite".repeat(100))
    keeper.record(at())
    await until(() => warnings.length > 0)
    await Bun.sleep(60)
    keeper.record(at())
    await Bun.sleep(60)
    expect(warnings).toEqual([
      `${warned(path)}file is not a database. Move the file away, and a new one is made.`,
    ])
    expect(await keeper.allTime()).toBe(undefined)
    expect(readFileSync(path, "utf8")).toStartWith("no database at all")
    renameSync(path, `${path}.bad`)
    await until(() => infos.length > 0)
    expect(infos).toEqual(["statistics are written again"])
    await keeper.close()
    expect(requestsIn(path)).toEqual({ byDay: 2, bySession: 2 })
  })

  test("a folder that is a file", async () => {
    const folder = join(newFolder(), "state")
    writeFileSync(folder, "")
    const { keeper, warnings, infos, path } = start(folder)
    keeper.record(at())
    await until(() => warnings.length > 0)
    expect(warnings[0]).toStartWith(warned(path))
    expect(warnings[0]).toContain("STATS_ENABLED=false")
    rmSync(folder)
    await until(() => infos.length > 0)
    await keeper.close()
    expect(requestsIn(path).byDay).toBe(1)
  })

  test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "a folder that is read only",
    async () => {
      const above = newFolder()
      chmodSync(above, 0o500)
      const { keeper, warnings, path } = start(join(above, "state"))
      keeper.record(at())
      await until(() => warnings.length > 0)
      expect(warnings).toHaveLength(1)
      chmodSync(above, 0o700)
      await keeper.close()
      expect(requestsIn(path).byDay).toBe(1)
    },
  )

  test("one that another process holds for long: a warning after some attempts, and nothing lost", async () => {
    const { keeper, warnings, path } = start(newFolder())
    openStore(path).close()
    const other = new Database(path)
    other.run("BEGIN IMMEDIATE")
    keeper.record(at())
    await until(() => warnings.length > 0)
    expect(warnings).toEqual([`${warned(path)}another process holds it. It is tried again.`])
    other.run("ROLLBACK")
    other.close()
    await keeper.close()
    expect(requestsIn(path).byDay).toBe(1)
  })

  test.skipIf(process.platform === "win32")(
    "one that was moved away while it was open is made anew",
    async () => {
      const { keeper, path, warnings } = start(newFolder())
      keeper.record(at())
      await keeper.allTime()
      for (const suffix of ["", "-wal", "-shm"]) renameSync(path + suffix, `${path}.old${suffix}`)
      keeper.record(at())
      await keeper.close()
      expect(requestsIn(path).byDay).toBe(1)
      expect(requestsIn(`${path}.old`).byDay).toBe(1)
      expect(warnings).toEqual([])
    },
  )
})
