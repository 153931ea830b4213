import { expect, test } from "bun:test"
import { editDistance, suggestName } from "../../src/config/near-names.ts"
import { settings } from "../../src/config/settings.ts"

test.each([
  ["OPENAI_BASEURL", "OPENAI_BASE_URL"],
  ["OPENAI_APIKEY", "OPENAI_API_KEY"],
  ["OPEN_AI_API_KEY", "OPENAI_API_KEY"],
  ["OPENAI_API_KYE", "OPENAI_API_KEY"],
  ["openai_api_key", "OPENAI_API_KEY"],
  ["DEEPSEEK_API_KEYS", "DEEPSEEK_API_KEY"],
  ["BIG_MODELS", "BIG_MODEL"],
  ["REQUEST_TIMEOUTS", "REQUEST_TIMEOUT"],
  ["PROT", "PORT"],
  ["CUSTOM_HEADRS_X_A", "CUSTOM_HEADER_X_A"],
  ["CUSTOM_HEADERS_X_A", "CUSTOM_HEADER_X_A"],
])("%s is taken for a misspelt %s", (name, meant) => {
  expect(suggestName(name)).toBe(meant)
})

test.each([
  "PATH",
  "DATABASE_URL",
  "GEMINI_API_KEY",
  "NODE_ENV",
  "OPENAI_API_BASE",
  "ROUTER_DEFAULT",
  "POSTS",
])("%s is left alone", (name) => expect(suggestName(name)).toBeUndefined())

test("no setting is taken for another one", () => {
  expect(settings.filter((setting) => suggestName(setting.name) !== undefined)).toEqual([])
  expect(suggestName("CUSTOM_HEADER_X")).toBeUndefined()
})

test("a swap of neighbours is one change", () => {
  expect(editDistance("kye", "key")).toBe(1)
  expect(editDistance("", "abc")).toBe(3)
  expect(editDistance("abc", "abc")).toBe(0)
})
