// What keeps refusals for a running proxy: when it reads and writes, and what it does when it cannot.
import { afterEach, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createRefusalKeeper, type RefusalKeeperTimes } from "../../src/commands/models/refusal-keeper.ts"
import { openRefusalStore, type RefusalRow } from "../../src/store/refusal-store.ts"
import { newFolder, removeFolders, storedValue } from "../store/support.ts"
import { until } from "../support/upstream.ts"

afterEach(removeFolders)

const fast: Partial<RefusalKeeperTimes> = { lookMs: 0, batchMs: 5, longestPauseMs: 20, busyMs: 0 }
const start = Date.UTC(2026, 0, 31, 12)

const row = (cause: string, confirmed = start): RefusalRow => ({
  ...{ url: "u", model: "m", cause, provider: "p", amendment: "{}", why: "", since: confirmed, confirmed },
})

function keeperIn(folder: string, times: Partial<RefusalKeeperTimes> = fast, readonly = false) {
  const warnings: string[] = []
  let time = start
  const log = { warn: (text: string) => warnings.push(text) }
  const keeper = createRefusalKeeper({ folder, log, readonly, now: () => time, times })
  return {
    keeper,
    warnings,
    path: join(folder, "refusals.db"),
    pass: (ms: number) => {
      time += ms
    },
  }
}

function inFile(path: string): readonly string[] {
  if (!existsSync(path)) return []
  const opened = openRefusalStore(path, { busyMs: 2_000, readonly: true })
  if (!opened.ok) return []
  const rows = storedValue(opened.value.read(0))
  opened.value.close()
  return rows.map(({ cause }) => cause)
}

test("nothing is made, and nothing opened, before there is something to keep", async () => {
  const folder = join(newFolder(), "state")
  const { keeper, warnings } = keeperIn(folder)
  await keeper.load()
  expect(keeper.changes()).toBeUndefined()
  await keeper.close()
  expect([existsSync(folder), warnings]).toEqual([false, []])
})

test("what is kept is in the file soon after, and is known at the next start", async () => {
  const folder = join(newFolder(), "state")
  const first = keeperIn(folder)
  first.keeper.keep(row("a"))
  await until(() => inFile(first.path).length === 1)
  await first.keeper.close()
  const second = keeperIn(folder)
  await second.keeper.load()
  expect(second.keeper.changes()).toEqual([row("a")])
  expect(second.keeper.changes()).toBeUndefined()
  await second.keeper.close()
  expect(readdirSync(folder)).toEqual(["refusals.db"])
})

test("what waits is written at the end, and nothing after it", async () => {
  const { keeper, path } = keeperIn(newFolder(), { ...fast, batchMs: 1_000_000 })
  keeper.keep(row("a"))
  await keeper.close()
  keeper.keep(row("b"))
  await keeper.close()
  expect(inFile(path)).toEqual(["a"])
})

test("what others write, and take away, is seen; what waits here counts too", async () => {
  const folder = newFolder()
  const [one, other] = [keeperIn(folder), keeperIn(folder, { ...fast, batchMs: 1_000_000 })]
  one.keeper.keep(row("a"))
  await until(() => inFile(one.path).length === 1)
  other.keeper.keep(row("mine"))
  let seen: readonly RefusalRow[] | undefined
  await until(() => {
    seen = other.keeper.changes() ?? seen
    return seen !== undefined
  })
  expect(seen?.map(({ cause }) => cause)).toEqual(["a", "mine"])
  expect(other.keeper.changes()).toBeUndefined()
  const store = storedValue(openRefusalStore(one.path, { busyMs: 2_000 }))
  storedValue(store.forget([row("a")]))
  store.close()
  expect(other.keeper.changes()?.map(({ cause }) => cause)).toEqual(["mine"])
  rmSync(one.path)
  expect(other.keeper.changes()?.map(({ cause }) => cause)).toEqual(["mine"])
  await Promise.all([one.keeper.close(), other.keeper.close()])
})

test("the file is looked at once in a while, and not at every request", async () => {
  const folder = newFolder()
  const one = keeperIn(folder)
  one.keeper.keep(row("a"))
  await until(() => inFile(one.path).length === 1)
  const { keeper, pass } = keeperIn(folder, { ...fast, lookMs: 1_000 })
  await keeper.load()
  expect(keeper.changes()).toHaveLength(1)
  one.keeper.keep(row("b"))
  await until(() => inFile(one.path).length === 2)
  pass(999)
  expect(keeper.changes()).toBeUndefined()
  pass(1)
  expect(keeper.changes()).toHaveLength(2)
  await Promise.all([one.keeper.close(), keeper.close()])
})

test("what nobody has confirmed for a month is not read, and goes", async () => {
  const folder = newFolder()
  const one = keeperIn(folder)
  one.keeper.keep(row("old", start - 31 * 86_400_000))
  one.keeper.keep(row("new"))
  await until(() => inFile(one.path).length === 1)
  expect(inFile(one.path)).toEqual(["new"])
  one.pass(31 * 86_400_000)
  let seen: readonly RefusalRow[] | undefined
  await until(() => {
    seen = one.keeper.changes() ?? seen
    return seen !== undefined
  })
  expect(seen).toEqual([])
  await one.keeper.close()
})

describe("a file that is no use", () => {
  test("is told of once, left alone, and used again when it is gone", async () => {
    const folder = newFolder()
    const { keeper, warnings, path, pass } = keeperIn(folder)
    writeFileSync(path, "no database, and that at some length ".repeat(100))
    await keeper.load()
    keeper.keep(row("a"))
    await until(() => warnings.length > 0)
    for (let turn = 0; turn < 10; turn += 1) {
      pass(1_000)
      expect(keeper.changes()).toBeUndefined()
      await Bun.sleep(5)
    }
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(path)
    expect(warnings[0]).toEndWith("Move the file away, and a new one is made.")
    rmSync(path)
    pass(1_000)
    await until(() => inFile(path).length === 1)
    await keeper.close()
  })

  test("a process that only reads says nothing of an empty one, and makes none", async () => {
    const folder = newFolder()
    const { keeper, warnings, path } = keeperIn(folder, fast, true)
    keeper.keep(row("a"))
    await keeper.load()
    expect(keeper.changes()).toBeUndefined()
    writeFileSync(path, "")
    await keeper.load()
    expect(keeper.changes()).toBeUndefined()
    await keeper.close()
    expect(warnings).toEqual([])
    expect(readdirSync(folder)).toEqual(["refusals.db"])
  })
})
