import { afterEach, describe, expect, test } from "bun:test"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cutoffDay, datedDay, dayOf } from "../../src/observe/log-days.ts"
import { createLogFile, type LogFileOptions } from "../../src/observe/log-files.ts"
import { type Random, runProperty } from "../support/random.ts"

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "log-files-"))
  folders.push(folder)
  return folder
}

const noon = (day: number) => new Date(2025, 0, day, 12)

/** A file `server.log` with a clock that the test sets, and what it complained of. */
function open(folder: string, options: Partial<LogFileOptions> = {}) {
  let time = noon(1)
  const problems: string[] = []
  const file = createLogFile({
    folder,
    name: "server",
    retentionDays: 3,
    now: () => time,
    onProblem: (message) => problems.push(message),
    ...options,
  })
  const say = async (...lines: readonly string[]) => {
    for (const line of lines) file.write(line)
    await file.flush()
  }
  return { file, problems, say, setDay: (day: number) => (time = noon(day)) }
}

/** Every file of the folder with its lines. */
function linesIn(folder: string): Readonly<Record<string, readonly string[]>> {
  const names = readdirSync(folder).toSorted()
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1)]),
  )
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > end) throw new Error("waited in vain")
    await Bun.sleep(5)
  }
}

describe("writing", () => {
  test("folder and file are made for their owner alone, with the first line", async () => {
    const folder = join(newFolder(), "deep", "logs")
    const { file, say } = open(folder)
    expect(() => statSync(folder)).toThrow()
    await say("one", "zwei ü")
    expect(linesIn(folder)).toEqual({ "server.log": ["one", "zwei ü"] })
    expect([statSync(folder).mode & 0o777, statSync(file.path).mode & 0o777]).toEqual([0o700, 0o600])
    await file.close()
  })

  test("lines come by themselves, a little later", async () => {
    const folder = newFolder()
    const { file, problems } = open(folder)
    file.write("by itself")
    expect(readdirSync(folder)).toEqual([])
    await until(() => linesIn(folder)["server.log"]?.length === 1)
    expect(problems).toEqual([])
    await file.close()
  })

  test("many lines do not wait for the timer", async () => {
    const folder = newFolder()
    const { file } = open(folder, { limits: { flushMs: 3_600_000, enough: 1_000 } })
    const lines = Array.from({ length: 100 }, (_, n) => `line ${n} ${"x".repeat(20)}`)
    for (const line of lines) file.write(line)
    await until(() => linesIn(folder)["server.log"]?.length === 100)
    expect(linesIn(folder)).toEqual({ "server.log": lines })
    await file.close()
  })

  test("closing writes what waits; afterwards nothing is taken", async () => {
    const folder = newFolder()
    const { file, say } = open(folder)
    file.write("last")
    await file.close()
    await file.close()
    await say("too late")
    expect(linesIn(folder)).toEqual({ "server.log": ["last"] })
  })

  test("at the end of the process what waits is written without waiting", () => {
    const folder = join(newFolder(), "logs")
    const { file } = open(folder)
    file.write("one")
    file.write("two")
    file.flushNow()
    file.flushNow()
    expect(linesIn(folder)).toEqual({ "server.log": ["one", "two"] })
  })
})

describe("days", () => {
  test("a new day begins a new file, and the old one is named for its day", async () => {
    const folder = newFolder()
    const { file, say, setDay } = open(folder)
    await say("first day")
    setDay(2)
    await say("second day")
    await say("still the second day")
    expect(linesIn(folder)).toEqual({
      "server.log": ["second day", "still the second day"],
      "server.log.2025-01-01": ["first day"],
    })
    await file.close()
  })

  test("a file that an earlier day left behind is put away at the start", async () => {
    const folder = newFolder()
    writeFileSync(join(folder, "server.log"), "before\n")
    utimesSync(join(folder, "server.log"), noon(1), noon(1))
    const { file, say, setDay } = open(folder)
    setDay(3)
    await say("now")
    expect(linesIn(folder)).toEqual({ "server.log": ["now"], "server.log.2025-01-01": ["before"] })
    await file.close()
  })

  test("a file of the same day is gone on with, and so is one of tomorrow", async () => {
    for (const day of [1, 2]) {
      const folder = newFolder()
      writeFileSync(join(folder, "server.log"), "before\n")
      utimesSync(join(folder, "server.log"), noon(day), noon(day))
      const { file, say } = open(folder)
      await say("now")
      expect(linesIn(folder)).toEqual({ "server.log": ["before", "now"] })
      await file.close()
    }
  })

  test("a name that is taken is never written over", async () => {
    const folder = newFolder()
    writeFileSync(join(folder, "server.log.2025-01-01"), "of an earlier turn\n")
    const { file, say, setDay } = open(folder)
    await say("first day")
    setDay(2)
    await say("second day")
    expect(linesIn(folder)).toEqual({
      "server.log": ["second day"],
      "server.log.2025-01-01": ["of an earlier turn"],
      "server.log.2025-01-01.2": ["first day"],
    })
    await file.close()
  })

  test("a process that claimed the name and died is waited for, but not for ever", async () => {
    const folder = newFolder()
    const { file, say, setDay } = open(folder)
    await say("first day")
    writeFileSync(join(folder, "server.log.2025-01-01"), "")
    setDay(2)
    const rest = Array.from({ length: 8 }, (_, n) => `line ${n}`)
    for (const line of rest) await say(line)
    const found = linesIn(folder)
    expect(found["server.log.2025-01-01"]).toEqual([])
    expect(found["server.log.2025-01-01.2"]?.[0]).toBe("first day")
    expect([...(found["server.log.2025-01-01.2"] ?? []), ...(found["server.log"] ?? [])]).toEqual([
      "first day",
      ...rest,
    ])
    expect(found["server.log"]?.at(-1)).toBe("line 7")
    await file.close()
  })

  test("what is older than it may be goes, and nothing that is not ours", async () => {
    const folder = newFolder()
    const kept = [
      "server.log.2025-01-07",
      "server.log.2025-01-09",
      "other.log.2024-01-01",
      "server.log.2024-01-01.gz",
      "server.log.old",
      "server.log.2024-1-1",
      "my-server.log.2024-01-01",
      "server.log2024-01-01",
    ]
    const gone = ["server.log.2025-01-06", "server.log.2024-12-31", "server.log.2024-01-01.2"]
    for (const name of [...kept, ...gone]) writeFileSync(join(folder, name), "x\n")
    mkdirSync(join(folder, "server.log.2023-01-01"))
    const { file, say, setDay } = open(folder)
    setDay(10)
    await say("now")
    expect(readdirSync(folder).toSorted()).toEqual(
      [...kept, "server.log", "server.log.2023-01-01"].toSorted(),
    )
    await file.close()
  })

  test.each([
    [new Date(2025, 0, 3), 3, "2024-12-31"],
    [new Date(2024, 2, 1), 1, "2024-02-29"],
    [new Date(2025, 2, 31, 23, 59), 30, "2025-03-01"],
  ])("%p less %d days is %s", (time, days, expected) => {
    expect(cutoffDay(time, days)).toBe(expected)
    expect(dayOf(time) > expected).toBe(true)
  })

  test.each([
    ["server.log.2025-01-31", "2025-01-31"],
    ["server.log.2025-01-31.2", "2025-01-31"],
    ["server.log.2025-01-31.x", undefined],
    ["server.log", undefined],
  ])("the day of %s", (name, expected) => {
    expect(datedDay(name, "server.log.")).toBe(expected)
  })
})

describe("trouble", () => {
  test("a file or folder that is deleted or moved away is made again", async () => {
    const folder = join(newFolder(), "logs")
    const { file, problems, say } = open(folder)
    await say("one")
    unlinkSync(file.path)
    await say("two")
    expect(linesIn(folder)).toEqual({ "server.log": ["two"] })
    renameSync(file.path, `${file.path}.old`)
    await say("three")
    expect(linesIn(folder)).toEqual({ "server.log": ["three"], "server.log.old": ["two"] })
    rmSync(folder, { recursive: true })
    await say("four")
    expect(linesIn(folder)).toEqual({ "server.log": ["four"] })
    expect(problems).toEqual([])
    await file.close()
  })

  test("a folder that cannot be is told of once, and tried again", async () => {
    const folder = join(newFolder(), "logs")
    writeFileSync(folder, "in the way")
    const { file, problems, say } = open(folder, { limits: { retryMs: 5 } })
    await say("one")
    await say("two")
    await Bun.sleep(30)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`cannot write the log file ${file.path}: `)
    unlinkSync(folder)
    file.write("three")
    await until(() => readdirSync(join(folder, "..")).includes("logs") && readdirSync(folder).length === 1)
    await file.flush()
    expect(linesIn(folder)).toEqual({ "server.log": ["one", "two", "three"] })
    expect(problems).toHaveLength(1)
    await file.close()
  })

  test.skipIf(process.platform !== "linux")(
    "a full disk costs the oldest lines, which are counted, and memory stays bounded",
    async () => {
      const folder = newFolder()
      symlinkSync("/dev/full", join(folder, "server.log"))
      const { file, problems, say } = open(folder, { limits: { retryMs: 5, most: 1_000 } })
      const lines = Array.from({ length: 500 }, (_, n) => `line ${n}`)
      await say("held in the batch that failed")
      for (const line of lines) file.write(line)
      await file.flush()
      expect(problems).toHaveLength(1)
      expect(problems[0]).toContain("ENOSPC")
      unlinkSync(join(folder, "server.log"))
      await file.flush()
      const [first, ...rest] = linesIn(folder)["server.log"] ?? []
      expect(first).toBe("held in the batch that failed")
      expect(rest).toEqual(lines.slice(-rest.length))
      expect(rest.join("\n").length).toBeLessThan(1_000)
      expect(problems).toHaveLength(2)
      expect(problems[1]).toContain(`${500 - rest.length} lines of the log file`)
      await file.close()
    },
  )

  test.skipIf(process.platform === "win32")("a disk that hangs does not keep the process", async () => {
    const folder = newFolder()
    const path = join(folder, "server.log")
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0)
    const { file, problems } = open(folder, { limits: { closeMs: 50, most: 100 } })
    const lines = Array.from({ length: 50 }, (_, n) => `line ${n}`)
    file.write("hangs")
    const hanging = file.flush()
    for (const line of lines) file.write(line)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain("faster than they can be written")
    const before = performance.now()
    await file.close()
    expect(performance.now() - before).toBeLessThan(5_000)
    // A reader frees it.
    const reader = Bun.spawn(["cat", path], { stdout: "pipe" })
    await hanging
    expect(await new Response(reader.stdout).text()).toStartWith("hangs\n")
  })
})

describe("several writers of one file", () => {
  const name = "in whatever order they write and see the new day, nothing is lost"
  const check = async (random: Random) => {
    const folder = newFolder()
    const writers = Array.from({ length: 3 }, () => open(folder, { retentionDays: 1_000 }))
    const written: string[] = []
    const pending: Promise<void>[] = []
    for (let step = 0; step < 60; step++) {
      const at = random.integer(0, writers.length - 1)
      const writer = writers[at]
      // Every writer sees the days in its own time.
      if (random.integer(0, 3) === 0) writer?.setDay(1 + Math.floor(step / 20))
      const line = `writer ${at} line ${step}`
      written.push(line)
      writer?.file.write(line)
      if (random.integer(0, 1) === 0) pending.push(writer?.file.flush() ?? Promise.resolve())
      if (random.integer(0, 4) === 0) await Promise.all(pending.splice(0))
    }
    await Promise.all(writers.map(({ file }) => file.close()))
    expect(Object.values(linesIn(folder)).flat().toSorted()).toEqual(written.toSorted())
    expect(writers.flatMap(({ problems }) => problems)).toEqual([])
    rmSync(folder, { recursive: true })
  }
  test(name, () => runProperty(name, 25, check), 60_000)

  test("processes too", async () => {
    const folder = newFolder()
    const script = `
      const { createLogFile } = await import(${JSON.stringify(join(import.meta.dir, "../../src/observe/log-files.ts"))})
      const [folder, who] = process.argv.slice(-2)
      let day = 1
      const file = createLogFile({
        folder, name: "server", retentionDays: 1000,
        now: () => new Date(2025, 0, day), onProblem: (message) => console.error(message),
      })
      for (let step = 0; step < 600; step++) {
        if (step % 100 === 99) day += 1
        file.write("process " + who + " line " + step + " " + "x".repeat(step))
        if (step % 10 === 0) await file.flush()
      }
      await file.close()`
    const processes = ["a", "b", "c"].map((who) =>
      Bun.spawn([process.execPath, "-e", script, folder, who], { stdout: "pipe", stderr: "pipe" }),
    )
    const errors = await Promise.all(processes.map(({ stderr }) => new Response(stderr).text()))
    expect(errors).toEqual(["", "", ""])
    const expected = ["a", "b", "c"].flatMap((who) =>
      Array.from({ length: 600 }, (_, step) => `process ${who} line ${step} ${"x".repeat(step)}`),
    )
    const found = linesIn(folder)
    expect(Object.values(found).flat().toSorted()).toEqual(expected.toSorted())
    expect(Object.keys(found).length).toBeGreaterThan(5)
  }, 60_000)
})
