// What the README says is what the project does; and every text about settings is about the same ones.
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { renderEnvTemplate } from "../src/commands/init/env-template.ts"
import { renderSettingsHelp } from "../src/commands/settings-help.ts"
import { settings } from "../src/config/settings/settings.ts"
import { renderSettingsTable } from "./support/settings-table.ts"

const root = join(import.meta.dir, "..")
const readme = await Bun.file(join(root, "README.md")).text()
const block = /<!-- settings -->\n([\s\S]*?)\n?<!-- \/settings -->/.exec(readme)?.[1] ?? ""

test("the table of settings is the one in the code", () => {
  expect(block).toBe(renderSettingsTable())
})

const names = settings.map(({ name }) => name).toSorted()
const help = renderSettingsHelp("serve")

describe("every setting stands once in", () => {
  test.each([
    ["README's table", block, /^\| `([A-Z0-9_]+)` \|/gm],
    [
      "serve --help",
      help,
      /^ {2}([A-Z0-9_]{4,}) {2}|(?<=(?:Keys of providers: |, |^ {2}))([A-Z_]+_KEY)(?=[,.])/gm,
    ],
    ["the .env of init", template(), /^#?([A-Z0-9_]+)=/gm],
  ] as const)("%s", (_, text, pattern) => {
    const found = [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? "")
    expect(found.toSorted()).toEqual(names)
  })
})

function template(): string {
  return renderEnvTemplate({ row: undefined, keyInEnvironment: undefined, rivals: [] })
}

test.each([
  ["run", ["TLS_CERT", "TLS_KEY", "SHUTDOWN_TIMEOUT", "RATE_LIMIT_REQUESTS_PER_MINUTE"], ["LOG_LEVEL"]],
  ["convert", ["MAX_BODY_BYTES", "MAX_CONCURRENT_REQUESTS"], ["ENABLE_TOKEN_ESTIMATION"]],
])("the help of %s has the settings that count for it, and no other", (command, idle, counting) => {
  const shown = [...renderSettingsHelp(command).matchAll(/^ {2}([A-Z0-9_]{4,}) {2}/gm)].map(
    ([, name]) => name,
  )
  expect(shown.filter((name) => [...idle, ...counting].includes(name ?? ""))).toEqual(counting)
})

test("help is at most 100 columns wide", () => {
  const texts = ["serve", "run", "convert"].map(renderSettingsHelp)
  const lines = texts.flatMap((text) => text.split("\n"))
  expect(lines.length).toBeGreaterThan(100)
  expect(lines.filter((line) => line.length > 100)).toEqual([])
})

test("every script that the README names exists", async () => {
  const { scripts } = await Bun.file(join(root, "package.json")).json()
  const named = [...readme.matchAll(/npx -y bun@[\d.]+ run ([\w:]+)/g)].map((match) => match[1] ?? "")
  expect(named.length).toBeGreaterThan(3)
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
})
