// Models of models.yaml among the other settings: tiers, prices, keys.
import { afterAll, describe, expect, test } from "bun:test"
import type { Config } from "../../src/config/config.ts"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { configWith, keys, models, relayRoute, routed } from "./models-support.ts"
import { configOf, folderWith, load, problemsOf, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

describe("tiers", () => {
  test("a tier may be a model, also as custom/ID", () => {
    const config = configWith({ ...keys, BIG_MODEL: "relay/one", SMALL_MODEL: "custom/local" })
    expect(routed(config, "claude-opus-5")).toEqual({ ...relayRoute, reason: "opus → BIG_MODEL" })
    expect(routed(config, "claude-haiku-5")).toMatchObject({
      name: "qwen3:8b",
      reason: "haiku → SMALL_MODEL",
    })
  })

  test("a tier whose model has no key is a problem at once", () => {
    const configDir = folderWith({ "models.yaml": models })
    expect(problemsOf(load({ env: { ...keys, SMALL_MODEL: "keyed" }, configDir }))).toEqual([
      'SMALL_MODEL (environment) cannot be reached: model: "keyed" needs the key OTHER_KEY, which is not set ' +
        "on the proxy. Change that, or name another model.",
    ])
  })

  test("with models of one's own no other upstream is needed", () => {
    const configDir = folderWith({ "models.yaml": models })
    const result = load({ env: { RELAY_API_KEY: "relay-key", BIG_MODEL: "relay/one" }, configDir })
    const config = configOf(result)
    expect(routed(config, "claude-haiku-5")).toEqual({ ...relayRoute, reason: "haiku → SMALL_MODEL" })
    expect(result.ok && result.described.infos).toEqual([
      "BIG_MODEL (environment) is a model of your own, and no other upstream is set: its upstream is the " +
        "default one.",
    ])
    expect(problemsOf(load({ env: { BIG_MODEL: "relay/one" }, configDir }))).toEqual([
      'BIG_MODEL (environment) cannot be reached: model: "relay/one" needs the key RELAY_API_KEY, which is not ' +
        "set on the proxy.",
    ])
  })

  test("the only model is what every tier asks for, and nothing else is said to be", () => {
    const text = "- {model_id: a, api_base: 'https://relay.example/v1', api_key_name: RELAY_API_KEY}\n"
    const configDir = folderWith({ "models.yaml": text })
    const result = load({ env: { RELAY_API_KEY: "relay-key" }, configDir })
    expect(configOf(result).tiers).toEqual({ big: "a", middle: "a", small: "a" })
    expect(result.ok && result.described.infos).toEqual([
      "models.yaml has one model, and no other upstream is set: its upstream is the default one.",
    ])
  })
})

function pricesOf(config: Config, model: string | undefined) {
  const resolved = resolveRoute(config, model)
  return resolved.ok ? resolved.route.prices : undefined
}

test("prices are per token; those for a million win", () => {
  const config = configWith(keys)
  expect(pricesOf(config, "claude-mine")).toEqual({
    input: 2 / 1_000_000,
    output: 8 / 1_000_000,
    cacheRead: 0.5 / 1_000_000,
  })
  expect(pricesOf(config, "local")).toEqual({ input: 0, output: 0, cacheRead: undefined })
  expect(pricesOf(config, "relay/one")).toBeUndefined()
  expect(pricesOf(config, "claude-opus-5")).toBeUndefined()
  expect(pricesOf(configWith({ ...keys, BIG_MODEL: "claude-mine" }), undefined)?.output).toBe(8 / 1_000_000)
})

describe("keys of models", () => {
  test("are read from every source and known for redaction", () => {
    const folder = folderWith({
      ".env": "RELAY_API_KEY=from-the-file\nOTHER_KEY = 'other-key'",
      "models.yaml": models,
    })
    const config = configOf(load({ env: { ...keys, DEEPSEEK_API_KEY: "deepseek-key" }, configDir: folder }))
    expect(config.secrets).toEqual([
      "deepseek-key",
      "query-secret",
      "openai-key",
      "second-key",
      "relay-key",
      "other-key",
    ])
    expect(routed(config, "keyed")).toMatchObject({ apiKey: "other-key", keyName: "OTHER_KEY" })
    expect(routed(config, "hosted")).toMatchObject({ apiKey: "deepseek-key" })
  })

  test("are checked like any other key", () => {
    const configDir = folderWith({ "models.yaml": models })
    const result = load({ env: { OPENAI_API_KEY: "k-123456", RELAY_API_KEY: "relay key" }, configDir })
    expect(problemsOf(result)).toEqual([
      "RELAY_API_KEY (environment) holds a space or a character no key can have: copy the key again.",
    ])
    expect(warningsOf(load({ env: keys, configDir }))).toEqual([])
  })

  test("are no near misses of settings, and other variables are not kept", () => {
    const text = "- {model_id: a, api_base: https://a.example, api_key_name: OPENAI_API_KEY2}"
    const folder = folderWith({
      ".env": "OPENAI_API_KEY=k-123456\nOPENAI_API_KEY2=second-key",
      "models.yaml": text,
    })
    const result = load({ configDir: folder, env: { STRAY_KEY: "stray" } })
    expect(warningsOf(result)).toEqual([])
    expect(result.ok && Object.keys(result.described.origins)).toEqual(["OPENAI_API_KEY", "OPENAI_API_KEY2"])
  })
})

test("the models cannot be changed", () => {
  const config = configWith(keys)
  const parts = config.models.flatMap((model) => [model, ...(model.reach.ok ? [model.reach.upstream] : [])])
  expect([config.models, ...parts].every(Object.isFrozen)).toBe(true)
})
