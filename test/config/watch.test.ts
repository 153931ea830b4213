// Real files, changed in every manner that editors and systems change them. The reading here is a list of
// texts: what is applied must be what a file really held once it was left alone.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import { type WatchTimes, watchFiles } from "../../src/config/load/watch.ts"
import { absent, type Prints, printOf } from "../../src/config/sources/prints.ts"
import { createRandom, property, type Random } from "../support/random.ts"
import { until as untilWithin } from "../support/upstream.ts"
import { folderWith, removeFolders } from "./support.ts"

// On a machine that is busy, which all of them at once make it, seconds pass before a look is taken.
setDefaultTimeout(60_000)
const until = (condition: () => boolean) => untilWithin(condition, 20_000)

interface Reading {
  readonly texts: readonly (string | undefined)[]
  readonly seen: Prints
}

interface Watched {
  /** Every reading that was applied, as the texts of its files. */
  readonly applied: (readonly (string | undefined)[])[]
  readonly last: () => readonly (string | undefined)[] | undefined
  readonly pipes: string[]
  readonly errors: unknown[]
  readonly close: () => void
}

// The tests wait most of their time, and wait together.
const open: (() => void)[] = []
afterAll(() => {
  for (const close of open.splice(0)) close()
  removeFolders()
})

function readAll(paths: readonly string[]): Reading {
  const texts = paths.map((path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined))
  const prints = texts.map((text) => (text === undefined ? absent : printOf(text)))
  return { texts, seen: new Map(paths.map((path, index) => [path, prints[index] ?? absent])) }
}

// A pause within one change must stay shorter than the time that settles it, on a machine that is busy too.
const quick = { settleMs: 200, emptySettleMs: 1_000, pollMs: 300 }

function follow(
  paths: readonly string[],
  options: { times?: Partial<WatchTimes>; read?: () => Reading } = {},
): Watched {
  const applied: (readonly (string | undefined)[])[] = []
  const pipes: string[] = []
  const errors: unknown[] = []
  const watch = watchFiles(readAll(paths).seen, {
    read: options.read ?? (() => readAll(paths)),
    apply: ({ texts }) => {
      applied.push(texts)
    },
    onPipe: (path) => pipes.push(path),
    onError: (error) => errors.push(error),
    times: { ...quick, ...options.times },
  })
  open.push(watch.close)
  return { applied, last: () => applied.at(-1), pipes, errors, close: watch.close }
}

/** Long enough that a reading which is wrongly applied would be. */
const aWhile = () => Bun.sleep(1_500)

const manners: readonly (readonly [string, (path: string) => void | Promise<void>])[] = [
  ["written in place", (path) => writeFileSync(path, "new")],
  [
    "a new file renamed over it",
    (path) => {
      writeFileSync(`${path}.tmp`, "new")
      renameSync(`${path}.tmp`, path)
    },
  ],
  [
    "the old one renamed away, a new one written, as vim does",
    (path) => {
      renameSync(path, `${path}~`)
      writeFileSync(path, "new")
      unlinkSync(`${path}~`)
    },
  ],
  [
    "deleted and made again after a pause",
    async (path) => {
      unlinkSync(path)
      await Bun.sleep(100)
      writeFileSync(path, "new")
    },
  ],
  [
    "emptied and written after a pause",
    async (path) => {
      const file = openSync(path, "w")
      await Bun.sleep(100)
      writeSync(file, "new")
      closeSync(file)
    },
  ],
  [
    "written in pieces",
    async (path) => {
      const file = openSync(path, "w")
      for (const letter of "new") {
        writeSync(file, letter)
        await Bun.sleep(20)
      }
      closeSync(file)
    },
  ],
  [
    "with the old time and the old size",
    (path) => {
      writeFileSync(path, "new")
      utimesSync(path, 1_000_000, 1_000_000)
    },
  ],
]

describe.each([
  ["told of by the system", {}],
  // Nothing is left of the events when the folder that is watched is another one: only the poll sees it.
  ["seen by the poll alone", { linked: true }],
])("a file is changed, %s", (_how, { linked = false }: { linked?: boolean }) => {
  test.concurrent.each(manners)("%s", async (_name, change) => {
    const real = folderWith({ ".env": "old" })
    const shown = linked ? join(folderWith(), "link") : join(real, ".env")
    if (linked) symlinkSync(join(real, ".env"), shown)
    const watched = follow([shown])
    await Bun.sleep(50)
    await change(join(real, ".env"))
    await until(() => watched.applied.length > 0)
    await aWhile()
    expect(watched.applied).toEqual([["new"]])
    expect(watched.errors).toEqual([])
  })
})

describe("what is no change", () => {
  test.concurrent.each([
    ["touched", (path: string) => utimesSync(path, new Date(), new Date())],
    ["written with the same content", (path: string) => writeFileSync(path, "old")],
    ["its permissions changed", (path: string) => chmodSync(path, 0o600)],
    ["a neighbour written", (path: string) => writeFileSync(`${path}.log`, "line")],
    [
      "changed and changed back",
      (path: string) => {
        writeFileSync(path, "new")
        writeFileSync(path, "old")
      },
    ],
  ])("%s", async (_name, change) => {
    const path = join(folderWith({ ".env": "old" }), ".env")
    const watched = follow([path])
    await Bun.sleep(50)
    change(path)
    await aWhile()
    expect(watched.applied).toEqual([])
  })
})

test.concurrent("a change between the first reading and the beginning of the watch is seen", async () => {
  const path = join(folderWith({ ".env": "new" }), ".env")
  const applied: Reading[] = []
  const watch = watchFiles(new Map([[path, printOf("old")]]), {
    read: () => readAll([path]),
    apply: (reading) => applied.push(reading),
    onPipe: () => {},
    onError: () => {},
    times: quick,
  })
  open.push(watch.close)
  await until(() => applied.length > 0)
  expect(applied[0]?.texts).toEqual(["new"])
})

test.concurrent("a file that is not there yet appears, and goes again", async () => {
  const path = join(folderWith(), "models.yaml")
  const watched = follow([path])
  await Bun.sleep(50)
  writeFileSync(path, "one")
  await until(() => watched.last()?.[0] === "one")
  unlinkSync(path)
  await until(() => watched.applied.length > 1)
  expect(watched.applied).toEqual([["one"], [undefined]])
})

test.concurrent("a file becomes empty and stays so", async () => {
  const path = join(folderWith({ ".env": "old" }), ".env")
  const watched = follow([path])
  await Bun.sleep(50)
  writeFileSync(path, "")
  await until(() => watched.applied.length > 0)
  expect(watched.applied).toEqual([[""]])
})

test.concurrent("a folder appears later, with the file in it", async () => {
  const folder = join(folderWith(), "a", "b")
  const watched = follow([join(folder, ".env")])
  await Bun.sleep(50)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, ".env"), "one")
  await until(() => watched.last()?.[0] === "one")
  // From now on by its own events.
  writeFileSync(join(folder, ".env"), "two")
  await until(() => watched.last()?.[0] === "two")
})

test.concurrent("a folder is removed, and another one takes its place", async () => {
  const folder = join(folderWith(), "a")
  mkdirSync(folder)
  writeFileSync(join(folder, ".env"), "old")
  const watched = follow([join(folder, ".env")])
  await Bun.sleep(50)
  rmSync(folder, { recursive: true })
  await until(() => watched.applied.length > 0)
  mkdirSync(folder)
  writeFileSync(join(folder, ".env"), "new")
  await until(() => watched.last()?.[0] === "new")
  expect(watched.applied).toEqual([[undefined], ["new"]])
})

test.concurrent("a link is turned to another folder, as Kubernetes does", async () => {
  const folder = folderWith()
  for (const name of ["one", "two"]) {
    mkdirSync(join(folder, `..${name}`))
    writeFileSync(join(folder, `..${name}`, ".env"), name)
    writeFileSync(join(folder, `..${name}`, "models.yaml"), name)
  }
  symlinkSync("..one", join(folder, "..data"))
  symlinkSync("..data/.env", join(folder, ".env"))
  symlinkSync("..data/models.yaml", join(folder, "models.yaml"))
  const watched = follow([join(folder, ".env"), join(folder, "models.yaml")])
  await Bun.sleep(50)
  symlinkSync("..two", join(folder, "..new"))
  renameSync(join(folder, "..new"), join(folder, "..data"))
  await until(() => watched.applied.length > 0)
  await aWhile()
  expect(watched.applied).toEqual([["two", "two"]])
})

test.concurrent("several files changed together are one change", async () => {
  const folder = folderWith({ ".env": "old", "models.yaml": "old" })
  const watched = follow([join(folder, ".env"), join(folder, "models.yaml")])
  await Bun.sleep(50)
  writeFileSync(join(folder, ".env"), "new")
  await Bun.sleep(20)
  writeFileSync(join(folder, "models.yaml"), "new")
  await until(() => watched.applied.length > 0)
  await aWhile()
  expect(watched.applied).toEqual([["new", "new"]])
})

test.concurrent("200 rapid writes end in the last state, with few readings", async () => {
  const path = join(folderWith({ ".env": "old" }), ".env")
  const watched = follow([path])
  await Bun.sleep(50)
  for (let write = 1; write <= 200; write += 1) {
    writeFileSync(path, `A=${write}`)
    await Bun.sleep(2)
  }
  await until(() => watched.last()?.[0] === "A=200")
  await aWhile()
  expect(watched.applied.length).toBeLessThanOrEqual(3)
})

test.concurrent("what is applied was read of a file that stood still", async () => {
  const path = join(folderWith({ ".env": "old" }), ".env")
  let reads = 0
  const watched = follow([path], {
    read: () => {
      const reading = readAll([path])
      // The file moves on while it is being read.
      reads += 1
      return reads === 1 ? { texts: ["half"], seen: new Map([[path, printOf("half")]]) } : reading
    },
  })
  await Bun.sleep(50)
  writeFileSync(path, "new")
  await until(() => watched.applied.length > 0)
  expect(watched.applied).toEqual([["new"]])
  expect(reads).toBe(2)
})

test.concurrent("a reading that never agrees with what is seen is applied once, not for ever", async () => {
  const path = join(folderWith({ ".env": "old" }), ".env")
  let reads = 0
  const watched = follow([path], {
    read: () => {
      reads += 1
      return { texts: ["other"], seen: new Map([[path, printOf("other")]]) }
    },
  })
  await Bun.sleep(50)
  writeFileSync(path, "new")
  await until(() => watched.applied.length > 0)
  await aWhile()
  expect([watched.applied.length, reads]).toEqual([1, 2])
})

test.concurrent("the files to watch may change: new ones are followed, others are not any more", async () => {
  const folder = folderWith({ ".env": "one", one: "1", two: "2" })
  const env = join(folder, ".env")
  const read = () => readAll([env, join(folder, readFileSync(env, "utf8"))])
  const applied: Reading[] = []
  const watch = watchFiles(read().seen, {
    read,
    apply: (reading) => applied.push(reading),
    onPipe: () => {},
    onError: () => {},
    times: quick,
  })
  open.push(watch.close)
  await Bun.sleep(50)
  writeFileSync(env, "two")
  await until(() => applied.at(-1)?.texts[1] === "2")
  writeFileSync(join(folder, "two"), "2b")
  await until(() => applied.at(-1)?.texts[1] === "2b")
  const before = applied.length
  writeFileSync(join(folder, "one"), "1b")
  await aWhile()
  expect(applied.length).toBe(before)
})

test.concurrent("a reading that throws is told once, and the next change is read again", async () => {
  const path = join(folderWith({ ".env": "old" }), ".env")
  let broken = true
  const watched = follow([path], {
    read: () => {
      if (broken) throw new Error("no")
      return readAll([path])
    },
  })
  await Bun.sleep(50)
  writeFileSync(path, "new")
  await until(() => watched.errors.length > 0)
  await aWhile()
  expect(watched.errors).toEqual([new Error("no")])
  broken = false
  writeFileSync(path, "newer")
  await until(() => watched.last()?.[0] === "newer")
})

test.concurrent("a pipe is never read, and told of once", async () => {
  const folder = folderWith({ ".env": "old" })
  const pipe = join(folder, "pipe")
  Bun.spawnSync(["mkfifo", pipe])
  const paths = [join(folder, ".env"), pipe]
  const applied: Reading[] = []
  const pipes: string[] = []
  const seen = new Map(paths.map((path) => [path, printOf("old")]))
  const watch = watchFiles(seen, {
    read: () => ({ texts: [], seen }),
    apply: (reading) => applied.push(reading),
    onPipe: (path) => pipes.push(path),
    onError: () => {},
    times: quick,
  })
  open.push(watch.close)
  await until(() => pipes.length > 0)
  appendFileSync(join(folder, ".env"), "er")
  await aWhile()
  expect([applied.length, pipes]).toEqual([0, [pipe]])
})

test.concurrent("after the end nothing is read and nothing told", async () => {
  const path = join(folderWith({ ".env": "old" }), ".env")
  const watched = follow([path])
  await Bun.sleep(50)
  writeFileSync(path, "new")
  watched.close()
  await aWhile()
  expect(watched.applied).toEqual([])
})

test.concurrent("a watch alone does not keep a process alive", async () => {
  const folder = folderWith({ ".env": "old" })
  const script = `
    import { watchFiles } from ${JSON.stringify(join(import.meta.dir, "../../src/config/load/watch.ts"))}
    watchFiles(new Map([[process.argv[1], "x"]]), {
      read: () => ({ seen: new Map() }), apply: () => {}, onPipe: () => {}, onError: () => {},
      times: { settleMs: 60_000 },
    })`
  const child = Bun.spawn([process.execPath, "-e", script, join(folder, ".env")], { stderr: "pipe" })
  expect(await child.exited).toBe(0)
  expect(await new Response(child.stderr).text()).toBe("")
})

property("any sequence of changes ends in what the files hold", 1, async (random) => {
  const seeds = Array.from({ length: 12 }, () => random.integer(0, 1e6))
  await Promise.all(seeds.map((seed) => playChanges(createRandom(seed))))
})

async function playChanges(random: Random): Promise<void> {
  const folder = folderWith({ a: "old" })
  const paths = [join(folder, "a"), join(folder, "b")]
  const watched = follow(paths)
  for (let step = 0; step < 8; step += 1) {
    const path = random.pick(paths)
    const [, change] = random.pick(manners)
    if (!existsSync(path)) writeFileSync(path, "first")
    await change(path)
    if (random.chance(0.3)) unlinkSync(path)
    if (random.chance(0.3)) await Bun.sleep(random.integer(0, 300))
  }
  writeFileSync(join(folder, "a"), `end ${random.integer(0, 1e6)}`)
  const wanted = JSON.stringify(readAll(paths).texts)
  await until(() => JSON.stringify(watched.last()) === wanted)
  expect(watched.errors).toEqual([])
}
