// `--instances`, names, and what one `serve` is to start.
import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { stateFolder } from "../../src/commands/instances/folder.ts"
import { parseInstances } from "../../src/commands/instances/list.ts"
import { flagsFor, flagsOf, planLoaded, planStart } from "../../src/commands/instances/plan.ts"
import { keyOf, nameProblem } from "../../src/config/models/instance-name.ts"
import type { Instance } from "../../src/config/models/read.ts"
import type { LoadResult } from "../../src/config/sources/loaded.ts"
import { folderWith, load, removeFolders } from "../config/support.ts"

afterAll(removeFolders)

const plain = { demo: false, detach: false }
const kimi: Instance = { name: "kimi", port: 8081, envFile: ".env-kimi" }
const glm: Instance = { name: "glm", port: 8082, envFile: undefined }

describe("--instances", () => {
  test.each([
    [
      "8081:.env-kimi:Kimi-K2,8082:.env-glm:GLM-4.6",
      [
        { port: 8081, envFile: ".env-kimi", name: "Kimi-K2" },
        { port: 8082, envFile: ".env-glm", name: "GLM-4.6" },
      ],
    ],
    ["8081:C:\\x\\.env:name", [{ port: 8081, envFile: "C:\\x\\.env", name: "name" }]],
    ["9:/a,b/1,2.env:x", [{ port: 9, envFile: "/a,b/1,2.env", name: "x" }]],
    [
      " 1 : a : b , 2 : c : d , ",
      [
        { port: 1, envFile: "a", name: "b" },
        { port: 2, envFile: "c", name: "d" },
      ],
    ],
    ["8081::shared", [{ port: 8081, envFile: undefined, name: "shared" }]],
  ])("%j", (text, instances) => {
    expect(parseInstances(text)).toEqual({ ok: true, instances })
  })

  test.each([
    ["", "PORT:FILE:NAME"],
    [",", "PORT:FILE:NAME"],
    ["8081", '"8081" must be PORT:FILE:NAME'],
    ["8081:.env", '"8081:.env" must be PORT:FILE:NAME'],
    ["8o81:.env:x", '"8o81:.env:x" must be PORT:FILE:NAME'],
    ["70000:.env:x", "needs a port from 1 to 65535"],
    ["1:a:x y", '"1:a:x y" needs a name behind the last colon'],
    ["1:a:", '"1:a:" needs a name'],
    ["1:a:x,2:b:X", "two instances are called x"],
    ["1:a:x,1:b:y", "two instances have port 1"],
  ])("%j is refused", (text, part) => {
    const read = parseInstances(text)
    expect(read.ok ? "" : read.problem).toContain(part)
  })
})

test.each(["a", "Kimi-K2", "GLM-4.6", "_x", "1", "x".repeat(64)])("%j is a name", (name) => {
  expect(nameProblem(name)).toBeUndefined()
})

test.each(["", ".a", "-a", "a b", "a/b", "..", "a:b", "é", "a.", "x".repeat(65), "con", "NUL.txt", "com1"])(
  "%j is no name",
  (name) => {
    expect(nameProblem(name)).toBeString()
  },
)

test("names that differ in case alone are the same", () => {
  expect(keyOf("Kimi-K2")).toBe(keyOf("KIMI-k2"))
})

test.each([
  [{ XDG_STATE_HOME: "/s" }, "linux", "/s/claude-proxy"],
  [{ XDG_STATE_HOME: "relative" }, "linux", "/home/u/.local/state/claude-proxy"],
  [{}, "linux", "/home/u/.local/state/claude-proxy"],
  [{}, "darwin", "/home/u/Library/Application Support/claude-proxy/state"],
  [{ XDG_STATE_HOME: "/s" }, "darwin", "/s/claude-proxy"],
  [{ LOCALAPPDATA: "C:\\L" }, "win32", "C:\\L\\claude-proxy"],
])("the state folder for %j on %s", (env, platform, folder) => {
  expect(stateFolder(env, platform, "/home/u")).toBe(folder)
})

describe("what serve starts", () => {
  test.each([
    [{ ...plain }, { kind: "here", options: plain }],
    [
      { ...plain, detach: true, demo: true },
      { kind: "background", name: "default" },
    ],
    [
      { ...plain, detach: true, name: "a", port: "1" },
      { kind: "background", name: "a" },
    ],
    [{ ...plain, instances: "1:a:x" }, { kind: "many" }],
    [{ ...plain, instances: "1:a:x,2::y", envFile: ".env" }, { kind: "many" }],
  ])("%j", (options, expected) => {
    const start = planStart(options, {})
    const name = start.kind === "background" ? { name: start.options.name } : {}
    expect({ ...start, ...name }).toMatchObject(expected)
  })

  test.each([
    [{ ...plain, name: "../x" }, '--name "../x" must be'],
    [{ ...plain, instances: "1:a:x", port: "1" }, "--port cannot be given with --instances"],
    [{ ...plain, instances: "1:a:x", name: "x" }, "--name cannot be given with --instances"],
    [{ ...plain, instances: "nonsense" }, "--instances: "],
    [{ ...plain, instances: "1:a:x,2:b:y", envFile: ".env" }, "--env has no effect"],
    [{ ...plain, demo: true, modelsFile: "m.yaml" }, "--config cannot be given with --demo"],
  ])("%j is wrong", (options, part) => {
    const start = planStart(options, {})
    expect(start.kind === "wrong" ? start.problem : "").toContain(part)
  })

  function loaded(instances: readonly Instance[]): LoadResult {
    const path = join(folderWith({ "models.yaml": "models: []\n" }), "models.yaml")
    const result = load({ env: { OPENAI_API_KEY: "k", CUSTOM_MODELS_FILE: path } })
    if (!result.ok) return result
    return { ...result, sources: { ...result.sources, models: { ...result.sources.models, instances } } }
  }

  test("all instances of models.yaml, their files as seen from it", () => {
    const result = loaded([kimi, glm])
    const folder = result.ok ? (result.described.files[0] ?? "") : ""
    expect(planLoaded(plain, result, {})).toEqual({
      kind: "many",
      instances: [{ ...kimi, envFile: join(folder, "..", ".env-kimi") }, glm],
    })
  })

  test.each([{ port: "1" }, { name: "other" }, { demo: true }])("only one with %j", (more) => {
    const options = { ...plain, ...more }
    expect(planLoaded(options, loaded([kimi, glm]), {})).toEqual({ kind: "here", options })
  })

  test("none where there are none, or where the process is one of them itself", () => {
    expect(planLoaded(plain, loaded([]), {})).toEqual({ kind: "here", options: plain })
    expect(planLoaded(plain, loaded([kimi]), { CLAUDE_PROXY_INSTANCE: "id" })).toEqual({
      kind: "here",
      options: plain,
    })
  })

  test("flags are handed on", () => {
    const shared = { host: "::1", envFile: ".env", modelsFile: "m.yaml", logLevel: "debug", demo: true }
    expect(flagsOf({ ...shared, port: "0" })).toEqual([
      ...["--host=::1", "--port=0", "--env=.env", "--config=m.yaml", "--log-level=debug", "--demo"],
    ])
    expect(flagsFor(kimi, { demo: false })).toEqual(["--port=8081", "--env=.env-kimi"])
    expect(flagsFor(glm, { demo: false, envFile: "base" })).toEqual(["--port=8082", "--env=base"])
  })
})
