import { afterAll, expect, test } from "bun:test"
import { customHeaders, headerName } from "../../src/config/network/headers.ts"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { configFrom, configOf, folderWith, load, removeFolders } from "./support.ts"

afterAll(removeFolders)

test.each([
  ["CUSTOM_HEADER_X_API_KEY", "X-Api-Key"],
  ["CUSTOM_HEADER_AUTHORIZATION", "Authorization"],
  ["CUSTOM_HEADER_HTTP_REFERER", "Http-Referer"],
  ["CUSTOM_HEADER_x_title", "X-Title"],
])("%s is %s", (variable, header) => {
  expect(headerName(variable)).toBe(header)
})

test.each([
  "CONNECTION",
  "KEEP_ALIVE",
  "TE",
  "UPGRADE",
  "TRANSFER_ENCODING",
  "HOST",
  "CONTENT_LENGTH",
  "CONTENT_TYPE",
  "ACCEPT_ENCODING",
  "ACCEPT",
])("%s is refused with a warning", (rest) => {
  const values = new Map([[`CUSTOM_HEADER_${rest}`, { value: "v", origin: "environment" }]])
  const { headers, problems, warnings } = customHeaders(values)
  expect([headers, problems, warnings.length]).toEqual([{}, [], 1])
})

test("added headers go to every upstream", () => {
  const config = configFrom({ OPENAI_API_KEY: "k1", DEEPSEEK_API_KEY: "k2", CUSTOM_HEADER_X_TEAM: "a b" })
  expect(config.upstream.headers).toEqual({ "X-Team": "a b" })
  expect(config.others["deepseek"]?.headers).toEqual({ "X-Team": "a b" })
})

test("a model's headers count more than its provider's, and those more than everybody's", () => {
  const yaml = [
    "providers:",
    "  relay:",
    '    api_base: "https://relay.example/v1"',
    "    extra_headers: { x-team: provider, X-Place: provider-place }",
    "models:",
    "  - { model_id: a, provider: relay, extra_headers: { X-TEAM: model-team } }",
    "  - { model_id: b, provider: relay }",
  ].join("\n")
  const env = { OPENAI_API_KEY: "k1", CUSTOM_HEADER_X_TEAM: "everybody", CUSTOM_HEADER_X_MORE: "more-of-it" }
  const config = configOf(load({ env, configDir: folderWith({ "models.yaml": yaml }) }))
  const headersOf = (model: string) => {
    const resolved = resolveRoute(config, model)
    return resolved.ok ? resolved.route.headers : {}
  }
  expect(headersOf("a")).toEqual({
    "X-TEAM": "model-team",
    "X-More": "more-of-it",
    "X-Place": "provider-place",
  })
  expect(headersOf("b")).toEqual({
    "x-team": "provider",
    "X-More": "more-of-it",
    "X-Place": "provider-place",
  })
  expect(headersOf("gpt-4o")).toEqual({ "X-Team": "everybody", "X-More": "more-of-it" })
  // Any of them may be a key: none may be seen in a log.
  for (const value of ["model-team", "provider", "provider-place", "everybody", "more-of-it"])
    expect(config.secrets).toContain(value)
})

test("what an added body has under the name of a secret is one", () => {
  const yaml = [
    "providers:",
    "  relay:",
    '    api_base: "https://relay.example/v1"',
    "    extra_body: { user_token: relay-token, session_key_name: not-this-one, service_tier: priority-one }",
    "models:",
    "  - model_id: a",
    "    provider: relay",
    '    extra_body: { tools: [{ type: mcp, headers: { Authorization: "deep-inside", X-Api-Key: "Bearer deeper-inside" } }], max_tokens: 12345678 }',
    "  - { model_id: b, provider: relay, overrides: { extra_body: { password: of-the-rules, key: short } } }",
  ].join("\n")
  const { secrets } = configOf(
    load({ env: { OPENAI_API_KEY: "k1" }, configDir: folderWith({ "models.yaml": yaml }) }),
  )
  expect([...secrets].sort()).toEqual([
    ...["Bearer deeper-inside", "Bearer%20deeper-inside", "deep-inside", "deeper-inside"],
    ...["k1", "of-the-rules", "relay-token"],
  ])
})

test("no header that is added stops a stream from being one, or replaces the body's type", () => {
  const names = ["ACCEPT", "CONTENT_TYPE", "CONTENT_LENGTH", "TRANSFER_ENCODING", "HOST"]
  const env = Object.fromEntries(names.map((name) => [`CUSTOM_HEADER_${name}`, "application/json"]))
  const result = load({ env: { OPENAI_API_KEY: "k1", ...env } })
  expect(configOf(result).upstream.headers).toEqual({})
  const warnings = result.ok ? result.warnings : []
  expect(warnings.filter((warning) => warning.includes("is not sent")).length).toBe(names.length)
})
