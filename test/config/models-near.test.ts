// What a key that is unknown in models.yaml was probably meant to be.
import { expect, test } from "bun:test"
import { modelKeys } from "../../src/config/models/schema.ts"
import { nearestKey } from "../../src/config/settings/near-names.ts"

test.each([
  ["modelId", "model_id"],
  ["model-name", "model_name"],
  ["apibase", "api_base"],
  ["max_token", "max_tokens"],
  ["visoin", "vision"],
  ["id", "model_id"],
  ["model", "model_id"],
  ["name", "model_name"],
  ["base_url", "api_base"],
  ["endpoint", "api_base"],
  ["api_key", "api_key_name"],
  ["context_window", "max_input_tokens"],
  ["context_length", "max_input_tokens"],
  ["max_output_tokens", "max_tokens"],
  ["headers", "extra_headers"],
  ["streaming", "can_stream"],
  ["supports_vision", "vision"],
  ["thinking", "reasoning"],
  ["effort", "reasoning_effort"],
])("%s of a model is taken for %s", (key, meant) => {
  expect(nearestKey(key, modelKeys())).toBe(meant)
})

test.each(["colour", "x", "constructor", "", "prompt"])("%j of a model is taken for nothing", (key) => {
  expect(nearestKey(key, modelKeys())).toBeUndefined()
})

test("a word is only suggested where it is known", () => {
  expect(nearestKey("base_url", ["api_base"])).toBe("api_base")
  expect(nearestKey("api_base", ["base_url"])).toBe("base_url")
  expect(nearestKey("base_url", ["port"])).toBeUndefined()
  expect(nearestKey("haiku", ["big", "small"])).toBe("small")
  expect(nearestKey("haiku", ["default", "background"])).toBe("background")
})

test("no key of a model is taken for another one", () => {
  const others = (key: string) => modelKeys().filter((other) => other !== key)
  const confused = modelKeys().filter((key) => {
    const meant = nearestKey(key, modelKeys())
    return meant !== key || others(key).includes(meant)
  })
  expect(confused).toEqual([])
})
