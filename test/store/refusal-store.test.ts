// The file of what upstreams refuse: what is kept in it, who else may use it, and what it leaves alone.
import { Database } from "bun:sqlite"
import { afterEach, expect, test } from "bun:test"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openRefusalStore, type RefusalRow, type RefusalStore } from "../../src/store/refusal-store.ts"
import { newFolder, removeFolders, storedValue } from "./support.ts"

afterEach(removeFolders)

const row = (more: Partial<RefusalRow> = {}): RefusalRow => ({
  ...{ url: "https://host.example/v1/chat/completions", model: "m", cause: "limit", provider: "generic" },
  ...{ amendment: '{"kind":"limit","most":1}', why: "too much", since: 100, confirmed: 100 },
  ...more,
})

const newFile = (): string => join(newFolder(), "refusals.db")
const open = (path: string, readonly = false): RefusalStore =>
  storedValue(openRefusalStore(path, { busyMs: 5_000, readonly }))
const keep = (store: RefusalStore, rows: readonly RefusalRow[], since = 0) =>
  storedValue(store.keep(rows, since))
const read = (store: RefusalStore, since = 0) => storedValue(store.read(since))

test("what is kept is read back, the first that was learned first", () => {
  const path = newFile()
  const store = open(path)
  const rows = [
    row({ cause: "b", since: 300, confirmed: 300 }),
    row({ cause: "a", since: 200, confirmed: 200 }),
  ]
  keep(store, rows)
  expect(read(store)).toEqual(rows.toReversed())
  store.close()
  const reader = open(path, true)
  expect(read(reader)).toEqual(rows.toReversed())
  expect(reader.keep([row()], 0)).toMatchObject({ ok: false })
  reader.close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(path, ".."))).toEqual(["refusals.db"])
})

test("what is learned again is confirmed; another amendment for the same cause begins anew", () => {
  const store = open(newFile())
  keep(store, [row()])
  keep(store, [row({ since: 500, confirmed: 500, why: "still" })])
  expect(read(store)).toEqual([row({ since: 100, confirmed: 500, why: "still" })])
  // A proxy that wrote late does not turn the clock back.
  keep(store, [row({ since: 300, confirmed: 300 })])
  expect(read(store)[0]).toMatchObject({ since: 100, confirmed: 500 })
  keep(store, [row({ amendment: '{"kind":"limit","most":2}', since: 600, confirmed: 600 })])
  expect(read(store)).toEqual([row({ amendment: '{"kind":"limit","most":2}', since: 600, confirmed: 600 })])
  store.close()
})

test("what is old is not read, and goes with the next writing", () => {
  const store = open(newFile())
  keep(store, [row({ cause: "old", confirmed: 50 }), row({ cause: "new" })])
  expect(read(store, 60).map(({ cause }) => cause)).toEqual(["new"])
  expect(read(store)).toHaveLength(2)
  keep(store, [row({ cause: "other" })], 60)
  expect(read(store).map(({ cause }) => cause)).toEqual(["new", "other"])
  store.close()
})

test("what is forgotten is gone, and counted", () => {
  const store = open(newFile())
  keep(store, [row({ cause: "a" }), row({ cause: "b" }), row({ model: "n" })])
  expect(storedValue(store.forget([row({ cause: "a" }), row({ cause: "unknown" })]))).toBe(1)
  expect(read(store)).toEqual([row({ cause: "b" }), row({ model: "n" })])
  store.close()
})

test("a writer is noticed by others, and not by itself", () => {
  const path = newFile()
  const [first, second] = [open(path), open(path)]
  const version = (store: RefusalStore) => storedValue(store.version())
  const [own, other] = [version(first), version(second)]
  keep(first, [row()])
  expect(version(first)).toBe(own)
  expect(version(second)).not.toBe(other)
  expect(read(second)).toEqual([row()])
  first.close()
  second.close()
})

test("many rows: the ones that were confirmed last stay", () => {
  const store = open(newFile())
  keep(
    store,
    Array.from({ length: 5_100 }, (_, at) => row({ cause: `c${at}`, since: at, confirmed: at })),
  )
  const rows = read(store)
  expect(rows).toHaveLength(5_000)
  expect(rows[0]?.cause).toBe("c100")
  store.close()
})

test("many processes at once lose nothing", async () => {
  const path = newFile()
  const script = join(import.meta.dir, "refusal-writer-script.ts")
  const writers = Array.from({ length: 5 }, (_, at) =>
    Bun.spawn([process.execPath, script, path, String(at)], { stdout: "ignore", stderr: "inherit" }),
  )
  expect(await Promise.all(writers.map((writer) => writer.exited))).toEqual([0, 0, 0, 0, 0])
  const store = open(path)
  expect(read(store)).toHaveLength(5 * 20)
  store.close()
  expect(readdirSync(join(path, ".."))).toEqual(["refusals.db"])
}, 60_000)

test.each<[string, (path: string) => void, string]>([
  ["text", (path) => writeFileSync(path, "no database, and that at some length ".repeat(100)), "damaged"],
  [
    "another program's",
    (path) => {
      const database = new Database(path, { create: true })
      database.run("CREATE TABLE a (b)")
      database.close()
    },
    "foreign",
  ],
  [
    "a later version's",
    (path) => {
      open(path).close()
      const database = new Database(path)
      database.run("PRAGMA user_version = 2")
      database.close()
    },
    "newer",
  ],
])("%s file is left alone", (_name, make, kind) => {
  const path = newFile()
  make(path)
  const before = readFileSync(path)
  for (const readonly of [false, true]) {
    const opened = openRefusalStore(path, { busyMs: 0, readonly })
    expect(opened.ok ? "ok" : opened.problem.kind).toBe(kind)
  }
  expect(readFileSync(path).equals(before)).toBe(true)
})
