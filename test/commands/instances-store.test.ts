// State files: who has a name, and what is kept of whom.
import { afterAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { claim, explainHolder, update } from "../../src/commands/instances/claim.ts"
import { ownFolder } from "../../src/commands/instances/folder.ts"
import { parseRecord } from "../../src/commands/instances/record.ts"
import { select } from "../../src/commands/instances/select.ts"
import { createStore, storeProblem } from "../../src/commands/instances/store.ts"
import { folderWith, removeFolders } from "../config/support.ts"
import { recordOf } from "./instances-support.ts"

afterAll(removeFolders)

const now = () => new Date().toISOString()

describe("the store", () => {
  test("gives back what was written, sorted, whatever the case of the name", () => {
    const store = createStore(join(folderWith(), "state"))
    expect(store.list()).toEqual([])
    const [kimi, glm] = [recordOf({ name: "Kimi-K2" }), recordOf({ name: "glm", id: "2" })]
    store.write(kimi)
    store.write(glm)
    expect(store.list()).toEqual([glm, kimi])
    expect(store.read("KIMI-k2")).toEqual(kimi)
  })

  test("is its owner's alone", () => {
    const folder = join(folderWith(), "state")
    const store = createStore(folder)
    store.write(recordOf())
    const modes = [folder, join(folder, "instances"), join(folder, "instances", "kimi.json")].map(
      (path) => statSync(path).mode & 0o777,
    )
    expect(modes).toEqual([0o700, 0o700, 0o600])
  })

  test("removes the file of this start, not that of the next one", () => {
    const store = createStore(folderWith())
    store.write(recordOf({ id: "second" }))
    store.remove({ name: "kimi", id: "first" })
    expect(store.read("kimi")?.id).toBe("second")
    store.remove({ name: "kimi", id: "second" })
    expect(store.list()).toEqual([])
  })

  test.each(["", "{", "[]", '{"name":"a"}', JSON.stringify({ ...recordOf(), pid: "1" })])(
    "a file with %j in it counts for nothing",
    (text) => {
      expect(parseRecord(text)).toBeUndefined()
      const store = createStore(folderWith())
      store.write(recordOf())
      writeFileSync(join(store.folder, "instances", "kimi.json"), text)
      expect([store.read("kimi"), store.list()]).toEqual([undefined, []])
    },
  )

  test("lets one in at a time, and nobody waits for one who has died", async () => {
    const store = createStore(folderWith())
    let inside = 0
    let most = 0
    const enter = () =>
      store.locked("kimi", async () => {
        inside += 1
        most = Math.max(most, inside)
        await Bun.sleep(2)
        inside -= 1
      })
    await Promise.all(Array.from({ length: 8 }, enter))
    expect(most).toBe(1)
    const lock = join(store.folder, "instances", "kimi.lock")
    writeFileSync(lock, "of one that was killed")
    utimesSync(lock, 1, 1)
    await enter()
    expect(readdirSync(join(store.folder, "instances"))).toEqual([])
  })

  test("a lock of the future is stale as well, and is taken away by one of many alone", async () => {
    const store = createStore(folderWith())
    ownFolder(join(store.folder, "instances"))
    const lock = join(store.folder, "instances", "kimi.lock")
    let inside = 0
    let most = 0
    for (const time of [Date.now() / 1_000 + 86_400, 1]) {
      writeFileSync(lock, "of one that was killed")
      utimesSync(lock, time, time)
      const enter = () =>
        store.locked("kimi", async () => {
          inside += 1
          most = Math.max(most, inside)
          await Bun.sleep(2)
          inside -= 1
        })
      await Promise.all(Array.from({ length: 8 }, enter))
    }
    expect([most, readdirSync(join(store.folder, "instances"))]).toEqual([1, []])
  }, 20_000)

  test("a lock that never becomes free is waited for only so long, and is told of", async () => {
    const store = createStore(folderWith(), 50)
    ownFolder(join(store.folder, "instances"))
    const lock = join(store.folder, "instances", "kimi.lock")
    writeFileSync(lock, "of somebody else")
    const error = await store.locked("kimi", () => "mine").catch((reason: unknown) => reason)
    expect(storeProblem(error, store)).toBe(
      `another claude-proxy is at work on the same name; if none is, remove ${lock}.`,
    )
    expect(readdirSync(join(store.folder, "instances"))).toEqual(["kimi.lock"])
  }, 20_000)

  test.each(["ENOSPC", "EDQUOT"])("a full disk is told of, whose error names no path: %s", (code) => {
    const store = createStore(folderWith())
    const error = Object.assign(new Error(`${code}: no space left on device, write`), {
      code,
      syscall: "write",
    })
    expect(storeProblem(error, store)).toBe(
      `cannot write into ${store.folder} (${code}): make room there, or set XDG_STATE_HOME to another folder.`,
    )
  })
})

describe("a file of another version", () => {
  const { name, id, state, pid, url, port, argv, cwd } = recordOf()
  const least = { name, id, state, pid, url, port, argv, cwd }

  test.each([
    ["an older one, without what it did not know", {}],
    ["a newer one, in other forms", { facts: { version: 2 }, host: null, log: {}, keep: "yes", more: 1 }],
  ])("%s", (_which, other) => {
    expect(parseRecord(JSON.stringify({ ...least, ...other }))).toEqual({
      ...least,
      ...{ keep: false, detached: true, host: "", freePort: false, version: "", startedAt: "" },
      ...{ envFile: null, log: "", fromEnvironment: [], facts: null },
    })
  })

  test.each(Object.keys(least))("but not without %s", (key) => {
    const { [key]: _gone, ...rest }: Readonly<Record<string, unknown>> = least
    expect(parseRecord(JSON.stringify(rest))).toBeUndefined()
  })
})

describe("a name", () => {
  test("goes to exactly one of many who want it at once", async () => {
    const store = createStore(folderWith())
    const wanted = Array.from({ length: 10 }, (_, index) =>
      recordOf({ id: String(index), state: "starting", startedAt: now() }),
    )
    const claims = await Promise.all(wanted.map((record) => claim(store, record, 0)))
    const winners = wanted.filter((_, index) => claims[index]?.ok)
    expect(winners.map(({ id }) => id)).toEqual([String(store.read("kimi")?.id)])
  })

  test("is free when the one who had it is dead", async () => {
    const store = createStore(folderWith())
    store.write(recordOf({ id: "old" }))
    expect(await claim(store, recordOf({ id: "new" }), 0)).toEqual({ ok: true })
    expect(store.read("kimi")?.id).toBe("new")
  })

  test("is free when a start is so long ago that it has failed", async () => {
    const store = createStore(folderWith())
    store.write(recordOf({ id: "old", state: "starting" }))
    expect((await claim(store, recordOf({ id: "new" }), 0)).ok).toBe(true)
  })

  test("is had after all when the one who was starting gives up", async () => {
    const store = createStore(folderWith())
    const first = recordOf({ id: "first", state: "starting", startedAt: now() })
    store.write(first)
    const second = claim(store, recordOf({ id: "second" }), 20_000)
    await Bun.sleep(150)
    store.remove(first)
    expect(await second).toEqual({ ok: true })
  })

  test("who has it is told with all that helps", async () => {
    const store = createStore(folderWith())
    const holder = recordOf({ id: "here", pid: 42 })
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.json({ instance: { id: "here" } }),
    })
    const url = `http://127.0.0.1:${server.port}`
    store.write({ ...holder, url })
    const refused = await claim(store, recordOf({ id: "new" }), 0)
    await server.stop(true)
    const text = refused.ok ? "" : explainHolder(refused)
    expect(text).toMatch(
      /^kimi is running already: http:\S+ \(pid 42, since 2026-0\d-\d\d \d\d:\d\d:\d\d\)\./,
    )
    expect(text).toContain(url)
    expect(text).toContain("claude-proxy stop kimi")
  })

  test("is changed only by who has it", async () => {
    const store = createStore(folderWith())
    store.write(recordOf({ id: "mine" }))
    expect(await update(store, { name: "kimi", id: "mine" }, (found) => ({ ...found, pid: 7 }))).toBe(true)
    expect(await update(store, { name: "kimi", id: "other" }, (found) => ({ ...found, pid: 8 }))).toBe(false)
    expect(store.read("kimi")?.pid).toBe(7)
  })
})

test("what a process wrote past its logger goes on in its log", async () => {
  const { logs } = createStore(folderWith())
  ownFolder(logs.folder)
  writeFileSync(logs.pathOf("kimi"), "one\n")
  expect(logs.absorb("kimi")).toBe("")
  writeFileSync(logs.outputOf("kimi"), "panic: out of luck")
  expect(logs.absorb("kimi")).toBe("panic: out of luck")
  writeFileSync(logs.outputOf("kimi"), "again\n", { flag: "a" })
  logs.absorb("kimi")
  expect(await Bun.file(logs.pathOf("kimi")).text()).toBe("one\npanic: out of luck\nagain\n")
})

test("old logs go, but none of a proxy that is known", () => {
  const store = createStore(folderWith())
  const { logs } = store
  ownFolder(logs.folder)
  store.write(recordOf({ name: "Kimi" }))
  const files = ["kimi.log", "kimi.log.2026-01-31", "kimi.output", "glm.log", "glm.log.2026-01-31", "new.log"]
  for (const file of files) {
    writeFileSync(join(logs.folder, file), "x")
    if (file !== "new.log") utimesSync(join(logs.folder, file), 1, 1)
  }
  logs.sweep(1_000_000)
  expect(files.filter((file) => existsSync(join(logs.folder, file)))).toEqual([
    ...["kimi.log", "kimi.log.2026-01-31", "kimi.output", "new.log"],
  ])
})

describe("which one is meant", () => {
  const [kimi, glm] = [recordOf({ name: "Kimi" }), recordOf({ name: "glm" })]

  test.each([
    [[kimi], {}, { kind: "some", records: [kimi] }],
    [[kimi, glm], { name: "KIMI" }, { kind: "some", records: [kimi] }],
    [[kimi, glm], { all: true }, { kind: "some", records: [kimi, glm] }],
    [[], {}, { kind: "none" }],
    [[], { all: true }, { kind: "none" }],
    [[kimi, glm], {}, { kind: "which", problem: "which one? Kimi, glm. Give a name, or --all." }],
    [[kimi], { name: "kimi", all: true }, { kind: "which", problem: "give a name or --all, not both." }],
    [
      [kimi, glm],
      { name: "kim" },
      { kind: "unknown", problem: "no proxy is called kim. Did you mean Kimi?" },
    ],
  ])("%#", (records, wanted, expected) => {
    expect(select(records, { all: false, ...wanted })).toMatchObject(expected)
  })
})
