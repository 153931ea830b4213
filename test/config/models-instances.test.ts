// Instances: every form that models.yaml takes, and the form of the command line.
import { afterAll, describe, expect, test } from "bun:test"
import { readInstance } from "../../src/config/models/instances.ts"
import type { Instance } from "../../src/config/models/read.ts"
import { folderWith, load, problemsOf, removeFolders } from "./support.ts"

afterAll(removeFolders)

function instancesIn(text: string): readonly Instance[] {
  const result = load({ env: { OPENAI_API_KEY: "k-123456" }, configDir: folderWith({ "models.yaml": text }) })
  if (!result.ok) throw new Error(problemsOf(result).join("\n"))
  return result.sources.models.instances
}

const kimi = { name: "Kimi-K2", port: 8081, envFile: ".env-kimi" }
const glm = { name: "GLM-4.6", port: 8082, envFile: undefined }

test.each([
  [
    "mappings",
    "instances:\n  - {name: Kimi-K2, port: 8081, env: .env-kimi}\n  - {name: GLM-4.6, port: 8082}",
  ],
  ["names", "instances:\n  Kimi-K2: {port: 8081, env: .env-kimi}\n  GLM-4.6:\n    port: 8082"],
  ["texts", "instances:\n  - 8081:.env-kimi:Kimi-K2\n  - 8082::GLM-4.6"],
  ["one text", 'instances: "8081:.env-kimi:Kimi-K2, 8082::GLM-4.6"'],
  ["texts and mappings", "instances:\n  - 8081:.env-kimi:Kimi-K2\n  - {name: GLM-4.6, port: 8082}"],
])("%s", (_, text) => {
  expect(instancesIn(text)).toEqual([kimi, glm])
})

test("a file may have colons and commas of its own", () => {
  expect(instancesIn("instances: '8081:C:\\a,b\\.env:one,8082:.env:two'")).toEqual([
    { name: "one", port: 8081, envFile: "C:\\a,b\\.env" },
    { name: "two", port: 8082, envFile: ".env" },
  ])
})

describe("a text", () => {
  test.each([
    [" 8081 : .env-kimi : Kimi-K2 ", kimi],
    ["8082::GLM-4.6", glm],
    ["1:a b/.env:_x", { name: "_x", port: 1, envFile: "a b/.env" }],
  ])("%j", (text, value) => {
    expect(readInstance(text)).toEqual({ ok: true, value })
  })

  test.each([
    "",
    "8081",
    "8081:.env",
    ":.env:a",
    "x:.env:a",
    "0:.env:a",
    "65536::a",
    "1::",
    "1::a b",
    "1::.",
    "1::con",
  ])("%j is refused", (text) => {
    expect(readInstance(text).ok).toBe(false)
  })

  test("names of 64 letters are the longest", () => {
    expect(readInstance(`1::${"a".repeat(64)}`).ok).toBe(true)
    expect(readInstance(`1::${"a".repeat(65)}`).ok).toBe(false)
  })
})
