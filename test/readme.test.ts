// What the README says is what the project does.
import { expect, test } from "bun:test"
import { join } from "node:path"
import { renderSettingsTable } from "./support/settings-table.ts"

const root = join(import.meta.dir, "..")
const readme = await Bun.file(join(root, "README.md")).text()

test("the table of settings is the one in the code", () => {
  const block = /<!-- settings -->\n([\s\S]*?)\n?<!-- \/settings -->/.exec(readme)?.[1]
  expect(block).toBe(renderSettingsTable())
})

test("every script that the README names exists", async () => {
  const { scripts } = await Bun.file(join(root, "package.json")).json()
  const named = [...readme.matchAll(/npx -y bun@[\d.]+ run ([\w:]+)/g)].map((match) => match[1] ?? "")
  expect(named.length).toBeGreaterThan(3)
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
})
