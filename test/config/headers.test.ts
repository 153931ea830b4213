import { expect, test } from "bun:test"
import { customHeaders, headerName } from "../../src/config/headers.ts"
import { configFrom } from "./support.ts"

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
