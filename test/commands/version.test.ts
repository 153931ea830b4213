import { expect, test } from "bun:test"
import { compiled, isInBinary } from "../../src/commands/common/version.ts"

test.each([
  ["/$bunfs/root/claude-proxy", true],
  ["B:/~BUN/root/claude-proxy.exe", true],
  ["B:\\~BUN\\root\\claude-proxy.exe", true],
  ["/home/me/claude-proxy/src/cli.ts", false],
  ["/home/me/$bunfs/cli.ts", false],
  ["B:/work/cli.ts", false],
  ["", false],
])("the entry %s lies in a binary: %p", (main, expected) => {
  expect(isInBinary(main)).toBe(expected)
})

test("from source nothing is compiled", () => {
  expect(compiled).toBe(false)
})
