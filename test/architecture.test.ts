// The rules of the house, read off the source: what the compiler and the linter cannot hold.
import { expect, test } from "bun:test"
import { readdir } from "node:fs/promises"
import { resolve } from "node:path"
import { objectOf } from "../src/protocol/json.ts"
import { checkFloors, checkImports, findCycles, type SourceFile } from "./support/walls.ts"
import { checkWords } from "./support/words.ts"

const root = resolve(import.meta.dir, "..")

async function readSource(): Promise<readonly SourceFile[]> {
  const paths = await Array.fromAsync(new Bun.Glob("**/*.ts").scan({ cwd: `${root}/src` }))
  return Promise.all(
    paths.toSorted().map(async (path) => ({
      path: path.replaceAll("\\", "/"),
      text: await Bun.file(`${root}/src/${path}`).text(),
    })),
  )
}

const files = await readSource()

function complaints(check: (file: SourceFile) => readonly string[]): readonly string[] {
  return files.flatMap((file) => check(file).map((what) => `${file.path} ${what}`))
}

test("there is something to judge", () => {
  expect(files.length).toBeGreaterThan(20)
})

test("no room imports what it may not know", () => {
  expect(complaints(checkImports)).toEqual([])
})

test("no folder of a divided room imports one above it", () => {
  expect(complaints(checkFloors)).toEqual([])
})

test.each([
  ["server/http/body.ts", 'import { a } from "../reply/a.ts"', ["may not import ../reply/a.ts"]],
  ["server/http/body.ts", 'import { a } from "../server.ts"', ["may not import ../server.ts"]],
  ["server/odd/body.ts", "", ["is in no known floor: odd"]],
  ["server/reply/a.ts", 'import { a } from "../http/a.ts"\nimport { b } from "./b.ts"', []],
  ["server/http/a.ts", 'import type { Context } from "../context.ts"', []],
  ["server/server.ts", 'import { a } from "./reply/a.ts"', []],
  ["config/settings/a.ts", 'import { a } from "../models/a.ts"', ["may not import ../models/a.ts"]],
  ["config/models/a.ts", 'import { a } from "../settings/a.ts"\nimport { b } from "../config.ts"', []],
  ["protocol/chat/a.ts", 'import { a } from "../json.ts"\nimport { b } from "../messages/b.ts"', []],
  ["protocol/messages/a.ts", 'import { a } from "../errors/a.ts"', ["may not import ../errors/a.ts"]],
  ["upstream/odd/a.ts", 'import { a } from "../a.ts"', []],
])("floors: %s with %s", (path, text, expected) => {
  expect(checkFloors({ path, text })).toEqual(expected)
})

test("no file imports itself by a detour", () => {
  expect(findCycles(files)).toEqual([])
})

test("no file says what its room may not say, and none is too long", () => {
  expect(complaints(checkWords)).toEqual([])
})

test("five packages at run time, no more", async () => {
  const manifest = objectOf(await Bun.file(`${root}/package.json`).json())
  const names = Object.keys(objectOf(manifest["dependencies"]))
  expect(names.toSorted()).toEqual(["citty", "js-tiktoken", "picocolors", "yaml", "zod"])
  for (const version of Object.values(objectOf(manifest["dependencies"])))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
})

const readme = Bun.file(`${root}/README.md`)

test.skipIf(!(await readme.exists()))("the README names the Bun version that package.json pins", async () => {
  const manifest = objectOf(await Bun.file(`${root}/package.json`).json())
  const named = new Set((await readme.text()).match(/\bbun@[\w.-]+/g))
  expect([...named]).toEqual([String(manifest["packageManager"])])
})

const topLevel = [
  ...["src", "test", "deploy", "bunfig.toml", "package.json", "tsconfig.json", "models.yaml.example"],
  ...["README.md", "bun.lock", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md"],
]
// What .gitignore keeps out: it may lie in a working folder, not in the repository.
const ignored = ["node_modules", "dist", "models.yaml"]

test("the top level holds what it is meant to hold", async () => {
  const names = (await readdir(root)).filter((name) => !name.startsWith(".") && !name.endsWith(".log"))
  expect(names.filter((name) => !topLevel.includes(name) && !ignored.includes(name))).toEqual([])
})

test.each([
  ["protocol/a.ts", 'import { a } from "../convert/a.ts"', "may not import ../convert/a.ts"],
  ["protocol/a.ts", 'export { a } from "../providers/a.ts"', "may not import ../providers/a.ts"],
  ["protocol/a.ts", 'import { a } from "yaml"', "may not use yaml"],
  ["providers/a.ts", 'import { z } from "zod"', "may not use zod"],
  ["convert/a.ts", 'import { readFile } from "node:fs"', "may not use node:fs"],
  ["convert/a.ts", 'import {\n  type A,\n  b,\n} from "../upstream/a.ts"', "may not import ../upstream/a.ts"],
  ["convert/a.ts", 'type A = import("../config/config.ts").A', "may not import ../config/config.ts"],
  ["convert/a.ts", 'const a = await import("../server/a.ts")', "may not import ../server/a.ts"],
  ["convert/a.ts", 'import "../server/a.ts"', "may not import ../server/a.ts"],
  ["tokens/a.ts", 'import type { A } from "../providers/a.ts"', "may not import ../providers/a.ts"],
  ["config/routes/a.ts", 'import { a } from "../load/a.ts"', "may not import ../load/a.ts"],
  ["config/load/a.ts", 'import { a } from "../../upstream/a.ts"', "may not import ../../upstream/a.ts"],
  ["upstream/a.ts", 'import { a } from "../observe/a.ts"', "may not import ../observe/a.ts"],
  ["upstream/a.ts", 'import { a } from "../convert/a.ts"', "may not import ../convert/a.ts"],
  ["server/a.ts", 'import { a } from "../config/load/a.ts"', "may not import ../config/load/a.ts"],
  ["server/a.ts", 'import { a } from "../commands/a.ts"', "may not import ../commands/a.ts"],
  ["server/a.ts", 'import { a } from "../cli.ts"', "may not import ../cli.ts"],
  ["helpers/a.ts", "export const a = 1", "stands in no room"],
  ["version.ts", "export const a = 1", "stands in no room"],
  ["server/a.ts", 'import { a } from "../../test/support/a.ts"', "no such room: ../../test/support/a.ts"],
])("a broken wall is seen: %s: %j", (path, text, complaint) => {
  expect(checkImports({ path, text })).toEqual([complaint])
})

test.each([
  ["convert/a.ts", 'import type { A } from "../protocol/a.ts"\nimport { b } from "./b.ts"'],
  ["upstream/a.ts", 'import { type A, type B } from "../observe/a.ts"\nimport { c } from "../store/c.ts"'],
  ["tokens/count.ts", 'const a = await import("js-tiktoken/lite")'],
  ["config/load/a.ts", 'import { a } from "../settings/a.ts"\nimport { readFile } from "node:fs/promises"'],
  ["commands/a.ts", 'import { a } from "../config/load/a.ts"\nimport { b } from "../server/b.ts"'],
  ["convert/a.ts", '// import { a } from "../server/a.ts"'],
])("an open door is open: %s: %j", (path, text) => {
  expect(checkImports({ path, text })).toEqual([])
})

test("a circle is seen, also when it is made of types", () => {
  const circle = [
    { path: "convert/a.ts", text: 'import { b } from "./b.ts"' },
    { path: "convert/b.ts", text: 'import type { C } from "./c.ts"' },
    { path: "convert/c.ts", text: 'type A = import("./a.ts").A' },
    { path: "convert/d.ts", text: 'import { b } from "./b.ts"' },
  ]
  expect(findCycles(circle)).toEqual(["convert/a.ts -> convert/b.ts -> convert/c.ts -> convert/a.ts"])
  expect(findCycles(circle.slice(1))).toEqual([])
})

test.each([
  ["protocol/a.ts", "fetch(url)", ["says fetch"]],
  ["convert/a.ts", "const now = Date.now()", ["says Date"]],
  ["convert/a.ts", `const id = \`msg_\${crypto.randomUUID()}\``, ["says crypto"]],
  ["convert/a.ts", "const id = Math.random()", ["says Math.random"]],
  ["convert/a.ts", "setTimeout(() => {}, 1)", ["says setTimeout"]],
  ["providers/a.ts", "Bun.file(a)", ["says Bun"]],
  ["tokens/a.ts", "process.cwd()", ["says process"]],
  ["tokens/a.ts", "const a = await b", ["says await"]],
  ["tokens/estimate.ts", 'const a = await import("js-tiktoken/lite")', ["says await"]],
  ["convert/a.ts", "console.log(1)", ["says console", "says console"]],
  ["server/a.ts", "console.log(1)", ["says console"]],
  ["server/a.ts", "let count = 0", ["says a module's let"]],
  ["server/a.ts", "export let count = 0", ["says a module's let"]],
  ["server/a.ts", "function a(b: any) {}", ["says any"]],
  ["server/a.ts", "const a: Record<string, any[]> = {}", ["says any"]],
  ["server/a.ts", "const a = b as any", ["says any", "says a cast"]],
  ["server/a.ts", "const a = b as unknown as string", ["says a cast"]],
  ["server/a.ts", "const a = b!.c", ["says a non-null !"]],
  ["server/a.ts", "const a = b()!", ["says a non-null !"]],
  ["server/a.ts", "export default a", ["says export default"]],
  ["server/a.ts", 'export * from "./b.ts"', ["says export *"]],
  ["server/a.ts", "export class A {}", ["says a class"]],
  ["server/a.ts", "const a = process.env.HOME", ["says the environment"]],
  ["config/settings/settings.ts", 'const a = Bun.env["HOME"]', ["says the environment"]],
  ["commands/a.ts", "process.exit(1)", ["says process.exit"]],
  ["convert/a.ts", 'if (route.provider === "azure") return', ["says a provider's name"]],
  ["upstream/a.ts", 'if (baseUrl.includes("openai.com")) return', ["says a provider's name"]],
])("a forbidden word is heard: %s: %j", (path, text, expected) => {
  expect(checkWords({ path, text })).toEqual([...expected])
})

test.each([
  ["convert/a.ts", "// await fetch(Date.now()) as any\nconst a = 'process' + \"console\" // let it be"],
  ["convert/a.ts", "/* let\nlet x\n*/ const a = `fetch console`"],
  ["convert/a.ts", 'const a = /["\'`] process/.test(b) ? "fetch" : x.process(y.fetch)'],
  ["convert/a.ts", 'const a = { any: "auto" } as const\nif (!a || b !== c || d!==e) f(toolChoice.any)'],
  ["convert/a.ts", 'import { a as b, type C as D } from "./c.ts"\nimport * as e from "./e.ts"'],
  ["convert/a.ts", "interface A { readonly any: string; update: string; reprocess: number }"],
  ["convert/a.ts", "function a() {\n  let b = 1\n  return b / 2 / c\n}"],
  ["tokens/count.ts", 'const a = await import("js-tiktoken/lite")'],
  ["cli.ts", "console.log(process.env); process.exit(1)"],
  ["config/load/load.ts", "const a = process.env"],
  ["providers/a.ts", 'const a = row.provider === "x" && baseUrl.endsWith("y")'],
  ["server/a.ts", "const a = Date.now() + Math.random()"],
])("a harmless word is not: %s: %j", (path, text) => {
  expect(checkWords({ path, text })).toEqual([])
})

test("a file of 251 lines is too long", () => {
  expect(checkWords({ path: "convert/a.ts", text: "a\n".repeat(250) })).toEqual([])
  expect(checkWords({ path: "convert/a.ts", text: "a\n".repeat(251) })).toEqual(["has 251 lines"])
})
