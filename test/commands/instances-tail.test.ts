// The end of a log, and what is added to it, over midnight.
import { afterAll, describe, expect, test } from "bun:test"
import { appendFileSync, renameSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ownFolder } from "../../src/commands/instances/folder.ts"
import { logs } from "../../src/commands/instances/logs.ts"
import { createStore } from "../../src/commands/instances/store.ts"
import { createTail, lastLines } from "../../src/commands/instances/tail.ts"
import { folderWith, removeFolders } from "../config/support.ts"
import { inWorld } from "../support/command-io.ts"

afterAll(removeFolders)

function fileWith(text: string): string {
  return join(folderWith({ "a.log": text }), "a.log")
}

describe("the last lines", () => {
  const many = Array.from({ length: 20_000 }, (_, index) => `line ${index} — 漢`)

  test.each([
    ["", 5, []],
    ["one\n", 5, ["one"]],
    ["one\ntwo\nthree", 2, ["two", "three"]],
    ["one\n\n\n", 2, ["", ""]],
    ["one\ntwo\n", 0, []],
    [`${many.join("\n")}\n`, 10_000, many.slice(10_000)],
    [`${many.join("\n")}\n`, 1_000_000, many],
  ])("%#", (text, lines, expected) => {
    expect(lastLines(fileWith(text), lines)).toEqual(expected)
  })

  test("of no file are none", () => {
    expect(lastLines("/nowhere/a.log", 5)).toEqual([])
  })
})

describe("what is added", () => {
  test("is given once, also half a character at a time", () => {
    const path = fileWith("old\n")
    const tail = createTail(path)
    expect(tail.skip()).toBe(4)
    expect(tail.take()).toEqual([])
    const bytes = Buffer.from("漢\n")
    appendFileSync(path, bytes.subarray(0, 2))
    const first = tail.take().join("")
    appendFileSync(path, bytes.subarray(2))
    expect(first + tail.take().join("")).toBe("漢\n")
    expect(tail.take()).toEqual([])
  })

  test("goes on in the new file after a rename, without losing the end of the old one", () => {
    const path = fileWith("old\n")
    const tail = createTail(path)
    tail.skip()
    appendFileSync(path, "last\n")
    renameSync(path, `${path}.2026-01-31`)
    expect(tail.take().join("")).toBe("last\n")
    appendFileSync(`${path}.2026-01-31`, "later\n")
    expect(tail.take().join("")).toBe("later\n")
    writeFileSync(path, "new day\n")
    expect(tail.take().join("")).toBe("new day\n")
    appendFileSync(path, "and on\n")
    expect(tail.take().join("")).toBe("and on\n")
  })

  test("is seen in a file that begins anew, or comes later", () => {
    const path = fileWith("a long line\n")
    const tail = createTail(path)
    tail.skip()
    truncateSync(path)
    expect(tail.take()).toEqual([])
    appendFileSync(path, "short\n")
    expect(tail.take().join("")).toBe("short\n")
    const late = createTail(`${path}.not-yet`)
    expect([late.skip(), late.take()]).toEqual([0, []])
    writeFileSync(`${path}.not-yet`, "here\n")
    expect(late.take().join("")).toBe("here\n")
  })
})

describe("logs", () => {
  const show = (folder: string, name: string | undefined, lines: number) =>
    inWorld({}, (io) => logs({ name, lines, follow: false }, io, { XDG_STATE_HOME: folder }))

  function folderOf(files: Readonly<Record<string, string>>): string {
    const folder = folderWith()
    const store = createStore(join(folder, "claude-proxy"))
    ownFolder(store.logs.folder)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(store.logs.folder, name), text)
    return folder
  }

  test("shows the end, over several days where one is too short, and what a crash left", async () => {
    const folder = folderOf({
      "kimi.log.2026-01-29": "1\n2\n",
      "kimi.log.2026-01-30": "3\n",
      "kimi.log.2026-01-30.2": "4\n",
      "kimi.log": "5\n",
      "kimi.output": "panic\n",
      "kimi2.log": "other\n",
    })
    expect(await show(folder, "Kimi", 5)).toEqual({ code: 0, out: "2\n3\n4\n5\npanic\n", error: "" })
    expect(await show(folder, "kimi", 1)).toEqual({ code: 0, out: "panic\n", error: "" })
  })

  test("takes the only one, asks which of several, and knows who may be meant", async () => {
    expect(await show(folderOf({ "kimi.log": "1\n" }), undefined, 5)).toEqual({
      code: 0,
      out: "1\n",
      error: "",
    })
    const two = folderOf({ "kimi.log": "1\n", "glm.log": "2\n" })
    expect(await show(two, undefined, 5)).toMatchObject({ code: 2, out: "" })
    const near = await show(two, "kimmi", 5)
    expect(near).toEqual({
      code: 1,
      out: "",
      error: "claude-proxy: no proxy is called kimmi. Did you mean kimi?\n",
    })
    expect((await show(folderWith(), undefined, 5)).code).toBe(1)
  })
})
