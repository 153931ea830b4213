// A state folder that is not ours, as a volume of a container may be.
import { afterAll, describe, expect, test } from "bun:test"
import { chmodSync, statSync } from "node:fs"
import { ownFolder } from "../../src/commands/instances/folder.ts"
import { folderWith, removeFolders } from "../config/support.ts"

afterAll(removeFolders)

const modeOf = (path: string) => statSync(path).mode & 0o7777

test("a folder of our own is made private", () => {
  const folder = folderWith()
  chmodSync(folder, 0o755)
  ownFolder(folder)
  expect(modeOf(folder)).toBe(0o700)
})

// Only root can give a folder away, or be somebody else.
describe.skipIf(process.geteuid?.() !== 0)("a folder of somebody else", () => {
  function asNobody(action: () => void): void {
    process.seteuid?.(65_534)
    try {
      action()
    } finally {
      process.seteuid?.(0)
    }
  }

  test("is taken as it is", () => {
    const folder = folderWith()
    chmodSync(folder, 0o2775)
    asNobody(() => ownFolder(folder))
    expect(modeOf(folder)).toBe(0o2775)
  })

  test("is refused where everybody may write", () => {
    const folder = folderWith()
    chmodSync(folder, 0o1777)
    asNobody(() => expect(() => ownFolder(folder)).toThrow("EPERM"))
  })
})
