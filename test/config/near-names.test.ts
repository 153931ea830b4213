import { afterAll, expect, test } from "bun:test"
import { join } from "node:path"
import { editDistance, otherNames, suggestName } from "../../src/config/settings/near-names.ts"
import { settings } from "../../src/config/settings/settings.ts"
import { folderWith, load, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

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
  "ROUTER_DEFAULT",
  "POSTS",
  "ANTHROPIC_BASE_URL",
  "ANTHROPIC_MODEL",
  "OLLAMA_HOST",
  "BASE_URL",
])("%s is left alone", (name) => expect(suggestName(name)).toBeUndefined())

test.each([
  ["SERVER_HOST", "HOST"],
  ["SERVER_PORT", "PORT"],
  ["PROXY_PORT", "PORT"],
  ["OPENAI_API_BASE", "OPENAI_BASE_URL"],
  ["OPENAI_API_BASE_URL", "OPENAI_BASE_URL"],
  ["OPENAI_API_URL", "OPENAI_BASE_URL"],
  ["VLLM_ENDPOINT", "OPENAI_BASE_URL"],
  ["VLLM_API_KEY", "OPENAI_API_KEY"],
  ["AZURE_OPENAI_ENDPOINT", "OPENAI_BASE_URL"],
  ["AZURE_OPENAI_API_VERSION", "AZURE_API_VERSION"],
  ["API_KEY", "OPENAI_API_KEY"],
  ["MODEL", "BIG_MODEL"],
  ["deepseek_model", "BIG_MODEL"],
  ["DEEPSEEK_MAX_TOKENS", "DEFAULT_MAX_TOKENS"],
  ["DEEPSEEK_TEMPERATURE", "temperature, which is said of a model in models.yaml"],
  ["RATE_LIMIT", "RATE_LIMIT_REQUESTS_PER_MINUTE"],
  ["REQUIRE_API_KEY", "ALLOWED_API_KEYS, which lists the keys that clients must send"],
  ["ANTHROPIC_AUTH_TOKEN", "ALLOWED_API_KEYS, which lists the keys that clients must send"],
  ["PREFERRED_PROVIDER", "OPENAI_BASE_URL, or the provider before a model, like BIG_MODEL=gemini/NAME"],
  ["LOG_FILE", "LOG_FILE_PATH, the folder for log files"],
])("what another proxy calls %s is %s here", (name, meant) => {
  expect(suggestName(name)).toBe(meant)
})

test("a name of another proxy is none of ours, and means something that there is", () => {
  const known = [...settings.map((setting) => setting.name), "temperature"]
  const ours = otherNames.flatMap(([text, names]) =>
    names.map((name) => [name, text.split(",")[0] ?? ""] as const),
  )
  expect(ours.filter(([, meant]) => !known.includes(meant))).toEqual([])
  expect(ours.filter(([name]) => known.includes(name) || name !== name.toUpperCase())).toEqual([])
})

test("in a file such a name is a warning with its place; in the environment it is another program's", () => {
  const path = join(
    folderWith({ "a.env": "OPENAI_API_KEY=k-123456\nRATE_LIMIT=5\nREQUIRE_API_KEY=yes\n" }),
    "a.env",
  )
  expect(warningsOf(load({ envFile: path, env: { SERVER_PORT: "1", MODEL: "x" } }))).toEqual([
    `RATE_LIMIT (${path}:2) is not a setting. Did you mean RATE_LIMIT_REQUESTS_PER_MINUTE?`,
    `REQUIRE_API_KEY (${path}:3) is not a setting. Did you mean ALLOWED_API_KEYS, which lists the keys that clients must send?`,
  ])
})

test("no setting is taken for another one", () => {
  expect(settings.filter((setting) => suggestName(setting.name) !== undefined)).toEqual([])
  expect(suggestName("CUSTOM_HEADER_X")).toBeUndefined()
})

test("a swap of neighbours is one change", () => {
  expect(editDistance("kye", "key")).toBe(1)
  expect(editDistance("", "abc")).toBe(3)
  expect(editDistance("abc", "abc")).toBe(0)
})
