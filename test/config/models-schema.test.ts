// The JSON Schema for editors: it takes what the file takes, and refuses what the file refuses.
import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { parse } from "yaml"
import { modelsFileSchema } from "../../src/config/models/schema-json.ts"
import { arrayOf, isObject, objectOf } from "../../src/protocol/json.ts"
import { accepts } from "./models-schema-check.ts"
import { otherForm } from "./models-support.ts"
import { folderWith, load, problemsOf, removeFolders } from "./support.ts"

afterAll(removeFolders)

const schema = objectOf(modelsFileSchema())
const example = await Bun.file(join(import.meta.dir, "../../models.yaml.example")).text()

test("says what it is", () => {
  const { $schema, title, description, anyOf, definitions, ...rest } = schema
  expect([$schema, title]).toEqual(["http://json-schema.org/draft-07/schema#", "models.yaml of claude-proxy"])
  expect(typeof description).toBe("string")
  expect(arrayOf(anyOf).map((form) => objectOf(form)["type"])).toEqual(["array", "object", "null"])
  expect(Object.keys(objectOf(definitions))).toEqual(["model", "provider"])
  expect(rest).toEqual({})
})

test("can be written down, and is the same each time", () => {
  expect(JSON.parse(JSON.stringify(schema))).toEqual(modelsFileSchema())
})

test("tells what every key means", () => {
  const silent: string[] = []
  const look = (node: unknown, path: string): void => {
    if (Array.isArray(node)) for (const item of node) look(item, path)
    if (!isObject(node)) return
    for (const [key, member] of Object.entries(objectOf(node["properties"]))) {
      const place = `${path}.${key}`
      const texts = [member, ...arrayOf(objectOf(member)["anyOf"])].map((one) => objectOf(one)["description"])
      const known = texts.some((text) => typeof text === "string") || objectOf(member)["$ref"] !== undefined
      if (!known) silent.push(place)
      look(member, place)
    }
    const { properties: _, ...rest } = node
    for (const member of Object.values(rest)) look(member, path)
  }
  look(schema, "")
  // Below these the key's own description says it.
  const plain = /\.(levels|budgets)\.\w+$|\.clamp\.\w+$|\.turn_headers\.\w+$|^\.instances\.name$/
  expect(silent.filter((path) => !plain.test(path))).toEqual([])
})

const files: readonly (readonly [string, string])[] = [
  ["the example", example],
  ["the other form of the example", otherForm(example)],
  ["an empty file", ""],
  ["empty sections", "models:\nproviders:\nrouter:\ntiers:\nauth:\ncache:\ninstances:\nopenai:\ndeepseek:\n"],
  ["instances as texts", "instances:\n  - 8081:.env:a"],
  ["instances by name", "instances:\n  a: {port: 8081}"],
  ["counts with a k", "- {model_id: a, provider: ollama, max_tokens: 8k, context: 1.5K}"],
  ["false for none", "providers: {ollama: {proxy: false, overrides: {max_tools: false}}}"],
]

const broken: readonly (readonly [string, string])[] = [
  ["a text", "hello"],
  ["a misspelt key of a model", "- {model_id: a, provider: ollama, visoin: true}"],
  ["a model without an id", "- {provider: ollama}"],
  ["a misspelt section", "modles: []"],
  ["a misspelt key of a provider", "providers: {a: {api_bse: https://a.example}}"],
  ["the id of a provider", "providers: {A b: {api_base: https://a.example}}"],
  ["a misspelt key of tiers", "tiers: {bg: a}"],
  ["a misspelt override", "- {model_id: a, provider: ollama, overrides: {dorp: [stop]}}"],
  ["a misspelt word", "- {model_id: a, provider: ollama, overrides: {drop: [stip]}}"],
  ["a number out of range", "- {model_id: a, provider: ollama, temperature: 3}"],
  ["a wrong kind", "- {model_id: a, provider: ollama, vision: often}"],
  ["half a range", "- {model_id: a, provider: ollama, overrides: {clamp: {top_p: [1]}}}"],
  ["an empty value", "- {model_id: a, provider: }"],
  ["a port out of range", "instances: [{name: a, port: 0}]"],
]

describe("agrees with the loader", () => {
  const loads = (text: string) => {
    const env = {
      OPENAI_API_KEY: "openai-key",
      DEEPSEEK_API_KEY: "deepseek-key",
      OFFICE_API_KEY: "office-key",
    }
    return problemsOf(load({ env, configDir: folderWith({ "models.yaml": text }) })).length === 0
  }

  test.each(files)("on %s", (_, text) => {
    expect([accepts(schema, parse(text)), loads(text)]).toEqual([true, true])
  })

  test.each(broken)("on %s, which is wrong", (_, text) => {
    expect([accepts(schema, parse(text)), loads(text)]).toEqual([false, false])
  })
})
