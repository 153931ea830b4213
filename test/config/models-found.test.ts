// Where the file of models is found, and the forms it may have.
import { afterAll, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { LoadSources } from "../../src/config/sources/load-sources.ts"
import { configOf, folderWith, load, problemsOf, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const keys = { OPENAI_API_KEY: "openai-key" }

test.each([
  ["a list", "- {model_id: a, provider: ollama}", ["a"]],
  [
    "a mapping",
    "models:\n  - {model_id: a, provider: ollama}\n  - {model_id: b, provider: ollama}",
    ["a", "b"],
  ],
  [
    "anchors",
    "- {model_id: a, api_base: &base https://a.example}\n- {model_id: b, api_base: *base}",
    ["a", "b"],
  ],
  ["an empty file", "", []],
  ["comments alone", "# - model_id: a\n", []],
  ["an empty mapping", "models:\n  # - model_id: a\n", []],
])("%s can be read", (_, text, ids) => {
  const configDir = folderWith({ "models.yaml": text })
  expect(configOf(load({ env: keys, configDir })).models.map((model) => model.id)).toEqual(ids)
})

describe("where the file is", () => {
  const file = (id: string) => `- {model_id: ${id}, provider: ollama}`
  const idsOf = (sources: Partial<LoadSources>) =>
    configOf(load({ env: keys, ...sources })).models.map(({ id }) => id)

  test("beside the --env file, then ./, then in the configuration folder; the first one only", () => {
    const own = folderWith({ "models.yaml": file("own") })
    const local = folderWith({ "models.yaml": file("local") })
    const named = folderWith({ ".env": "", "models.yaml": file("named") })
    const bare = folderWith({ ".env": "" })
    expect(idsOf({ configDir: own })).toEqual(["own"])
    expect(idsOf({ configDir: own, localDotEnv: join(bare, ".env") })).toEqual(["own"])
    expect(idsOf({ configDir: own, localDotEnv: join(local, ".env") })).toEqual(["local"])
    const all = { configDir: own, localDotEnv: join(local, ".env"), envFile: join(named, ".env") }
    expect(idsOf(all)).toEqual(["named"])
    const result = load({ env: keys, ...all })
    expect(result.ok && result.described.files).toEqual([join(named, ".env"), join(named, "models.yaml")])
  })

  test("CUSTOM_MODELS_FILE wins; a path in a settings file is meant from that file's folder", () => {
    const folder = folderWith({ ".env": "CUSTOM_MODELS_FILE=sub/mine.yaml", "models.yaml": file("default") })
    mkdirSync(join(folder, "sub"))
    writeFileSync(join(folder, "sub", "mine.yaml"), file("mine"))
    expect(idsOf({ configDir: folder })).toEqual(["mine"])
    const other = folderWith({ "other.yaml": file("other") })
    const env = { ...keys, CUSTOM_MODELS_FILE: join(other, "other.yaml") }
    expect(idsOf({ configDir: folder, env })).toEqual(["other"])
  })

  test("a named file must be there and readable; another one that is not is only told", () => {
    const configDir = folderWith()
    const missing = join(configDir, "none.yaml")
    expect(problemsOf(load({ env: { ...keys, CUSTOM_MODELS_FILE: missing } }))).toEqual([
      `CUSTOM_MODELS_FILE (environment): ${missing} does not exist: give the path of a file with models.`,
    ])
    expect(problemsOf(load({ env: { ...keys, CUSTOM_MODELS_FILE: configDir } }))).toEqual([
      `CUSTOM_MODELS_FILE (environment): ${configDir} cannot be read (EISDIR): give the path of a file with models.`,
    ])
    mkdirSync(join(configDir, "models.yaml"))
    expect(warningsOf(load({ env: { OPENAI_API_KEY: "k-123456" }, configDir }))).toEqual([
      `${join(configDir, "models.yaml")} cannot be read (EISDIR): its models are not used.`,
    ])
  })

  test("the demo needs no models", () => {
    const configDir = folderWith({ "models.yaml": "broken: [" })
    expect(idsOf({ configDir, demoBaseUrl: "http://127.0.0.1:1/v1" })).toEqual([])
  })
})
