// The statistics file: what goes in comes out, whoever else writes, and whenever somebody dies.
import { Database } from "bun:sqlite"
import { afterEach, describe, expect, test } from "bun:test"
import { renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openUsageStore } from "../../src/store/usage-store.ts"
import {
  batch,
  dayRow,
  newFolder,
  openStore,
  removeFolders,
  requestsIn,
  sessionRow,
  storedValue,
  tally,
} from "./support.ts"

afterEach(removeFolders)

const fileIn = (folder: string) => join(folder, "stats.db")
const problemOf = (path: string, readonly = false) => {
  const opened = openUsageStore(path, { busyMs: 0, readonly })
  if (opened.ok) opened.value.close()
  return opened.ok ? undefined : opened.problem.kind
}

test("what is added is summed, also over a restart", () => {
  const path = fileIn(newFolder())
  for (const requests of [1, 2]) {
    const store = openStore(path)
    storedValue(
      store.add(batch([dayRow({ tally: tally(requests) })], [sessionRow({ tally: tally(requests) })])),
    )
    store.close()
  }
  const store = openStore(path)
  expect(storedValue(store.days(["day", "provider", "model", "client"], ""))).toEqual([
    { ...dayRow({ tally: tally(3) }), since: "2026-01-31" },
  ])
  expect(storedValue(store.sessions(0, 10))).toEqual([
    { session: "s", models: ["openai/gpt-4o"], firstUsed: 1_000, lastUsed: 2_000, tally: tally(3) },
  ])
  store.close()
})

test("every sum has a column of its own", () => {
  const names = Object.keys(tally(1))
  const odd = Object.fromEntries(names.map((name, index) => [name, index + 1]))
  const path = fileIn(newFolder())
  const store = openStore(path)
  const different = { ...tally(0), ...odd }
  storedValue(store.add(batch([dayRow({ tally: different })], [sessionRow({ tally: different })])))
  expect(storedValue(store.days([], ""))[0]?.tally).toEqual(different)
  expect(storedValue(store.sessions(0, 1))[0]?.tally).toEqual(different)
  store.close()
})

test("sums by what is asked for, from a day on", () => {
  const store = openStore(fileIn(newFolder()))
  const rows = [
    dayRow({ day: "2026-01-30", model: "a", client: "key-1", tally: tally(1) }),
    dayRow({ day: "2026-01-31", model: "a", client: "key-2", tally: tally(2) }),
    dayRow({ day: "2026-02-01", model: "b", client: "key-1", tally: tally(4) }),
  ]
  storedValue(store.add(batch(rows)))
  const sums = (by: Parameters<typeof store.days>[0], since: string) =>
    storedValue(store.days(by, since)).map((row) => [
      row.day,
      row.model,
      row.client,
      row.since,
      row.tally.requests,
    ])
  expect(sums([], "")).toEqual([["", "", "", "2026-01-30", 7]])
  expect(sums(["model"], "")).toEqual([
    ["", "a", "", "2026-01-30", 3],
    ["", "b", "", "2026-02-01", 4],
  ])
  expect(sums(["client"], "2026-01-31")).toEqual([
    ["", "", "key-1", "2026-02-01", 4],
    ["", "", "key-2", "2026-01-31", 2],
  ])
  expect(sums(["day"], "2026-02-01")).toEqual([["2026-02-01", "", "", "2026-02-01", 4]])
  expect(sums([], "2026-02-02")).toEqual([])
  store.close()
})

test("sessions: the latest first, with every model they used, as many as are asked for", () => {
  const store = openStore(fileIn(newFolder()))
  const rows = [
    sessionRow({ session: "old", firstUsed: 10, lastUsed: 20 }),
    sessionRow({ session: "new", firstUsed: 15, lastUsed: 30 }),
    sessionRow({ session: "new", provider: "", model: "(others)", firstUsed: 12, lastUsed: 25 }),
  ]
  storedValue(store.add(batch([], rows)))
  // An earlier batch of another process may come later.
  storedValue(store.add(batch([], [sessionRow({ session: "old", firstUsed: 5, lastUsed: 8 })])))
  const shown = storedValue(store.sessions(0, 10)).map(({ session, models, firstUsed, lastUsed }) => [
    ...[session, models.toSorted().join()],
    ...[firstUsed, lastUsed],
  ])
  expect(shown).toEqual([
    ["new", "(others),openai/gpt-4o", 12, 30],
    ["old", "openai/gpt-4o", 5, 20],
  ])
  expect(storedValue(store.sessions(0, 1)).map(({ session }) => session)).toEqual(["new"])
  expect(storedValue(store.sessions(21, 10)).map(({ session }) => session)).toEqual(["new"])
  store.close()
})

test("old sessions are forgotten, and the oldest of too many; days are kept", () => {
  const store = openStore(fileIn(newFolder()))
  const rows = [1, 2, 3, 4].map((time) => sessionRow({ session: `s${time}`, lastUsed: time }))
  storedValue(store.add(batch([dayRow()], rows)))
  storedValue(store.prune(2, 2))
  expect(storedValue(store.sessions(0, 10)).map(({ session }) => session)).toEqual(["s4", "s3"])
  expect(storedValue(store.days([], ""))).toHaveLength(1)
  store.close()
})

test.skipIf(process.platform === "win32")("the file and what lies beside it are their owner's alone", () => {
  const path = fileIn(newFolder())
  const store = openStore(path)
  storedValue(store.add(batch([dayRow()])))
  for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600)
  store.close()
})

describe("what is in the way", () => {
  test("no SQLite file", () => {
    const path = fileIn(newFolder())
    writeFileSync(path, "this is no database, and long enough to be read as one".repeat(200))
    expect(problemOf(path)).toBe("damaged")
    expect(problemOf(path, true)).toBe("damaged")
  })

  test("a file that is broken within", () => {
    const path = fileIn(newFolder())
    const store = openStore(path)
    const rows = Array.from({ length: 500 }, (_, index) => dayRow({ model: `m${index}` }))
    storedValue(store.add(batch(rows)))
    store.close()
    const bytes = new Uint8Array(statSync(path).size)
    writeFileSync(path, bytes.fill(7), { flag: "r+" })
    expect(problemOf(path)).toBe("damaged")
  })

  test("somebody else's database is left alone", () => {
    const path = fileIn(newFolder())
    const other = new Database(path, { create: true })
    other.run("CREATE TABLE theirs (a)")
    other.close()
    expect(problemOf(path)).toBe("foreign")
    const again = new Database(path, { readonly: true })
    expect(again.query<unknown, []>("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "theirs" }])
    again.close()
  })

  test("a file of a later version is left alone", () => {
    const path = fileIn(newFolder())
    openStore(path).close()
    const later = new Database(path)
    later.run("PRAGMA user_version = 2")
    later.close()
    expect(problemOf(path)).toBe("newer")
  })

  test("a folder that is not there, or no folder", () => {
    const folder = newFolder()
    writeFileSync(join(folder, "file"), "")
    expect(problemOf(join(folder, "none", "stats.db"))).toBe("failing")
    expect(problemOf(join(folder, "file", "stats.db"))).toBe("failing")
  })

  test("nothing yet, for who only reads", () => {
    const path = fileIn(newFolder())
    expect(problemOf(path, true)).toBe("failing")
    writeFileSync(path, "")
    expect(problemOf(path, true)).toBe("empty")
    expect(problemOf(path)).toBe(undefined)
  })

  test("another process that writes: busy, nothing is half in, and it works once that is over", () => {
    const path = fileIn(newFolder())
    const store = openStore(path, 0)
    const other = new Database(path)
    other.run("BEGIN IMMEDIATE")
    expect(store.add(batch([dayRow()], [sessionRow()]))).toEqual({
      ok: false,
      problem: { kind: "busy", why: "another process holds it" },
    })
    other.run("ROLLBACK")
    other.close()
    storedValue(store.add(batch([dayRow()], [sessionRow()])))
    store.close()
    expect(requestsIn(path)).toEqual({ byDay: 1, bySession: 1 })
  })

  test("a file that was moved away is noticed", () => {
    const path = fileIn(newFolder())
    const store = openStore(path)
    expect(store.gone()).toBe(false)
    renameSync(path, `${path}.old`)
    expect(store.gone()).toBe(true)
    store.close()
  })
})

const script = join(import.meta.dir, "writer-script.ts")

function writer(path: string, batches: number, rows: number) {
  return Bun.spawn([process.execPath, script, path, String(batches), String(rows)], {
    stdout: "pipe",
    stderr: "inherit",
  })
}

const linesOf = async (stream: ReadableStream<Uint8Array>) =>
  (await new Response(stream).text()).split("\n").filter((line) => line !== "").length

describe("several processes", () => {
  test("that begin and write at the same time lose nothing", async () => {
    const path = fileIn(newFolder())
    const writers = [1, 2, 3].map(() => writer(path, 100, 3))
    expect(await Promise.all(writers.map(({ exited }) => exited))).toEqual([0, 0, 0])
    expect(requestsIn(path)).toEqual({ byDay: 900, bySession: 900 })
  }, 60_000)

  test("one that is killed while it writes loses at most its last batch, and never the file", async () => {
    const path = fileIn(newFolder())
    let told = 0
    let killed = 0
    for (let round = 0; round < 6; round++) {
      const child = writer(path, 1_000_000, 5)
      const lines = linesOf(child.stdout)
      // It is in the middle of its writing: it has written before, and would go on for hours.
      while ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) await Bun.sleep(5)
      await Bun.sleep(150 + round * 37)
      child.kill("SIGKILL")
      await child.exited
      told += await lines
      killed += 1
      const { byDay, bySession } = requestsIn(path)
      expect(byDay).toBe(bySession)
      expect(byDay % 5).toBe(0)
      // What was told was in the file; what was not told yet may be.
      expect(byDay / 5).toBeGreaterThanOrEqual(told)
      expect(byDay / 5).toBeLessThanOrEqual(told + killed)
    }
    expect(told).toBeGreaterThan(0)
    const database = new Database(path)
    expect(database.query<unknown, []>("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }])
    database.close()
  }, 60_000)
})
