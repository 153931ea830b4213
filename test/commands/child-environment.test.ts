import { describe, expect, test } from "bun:test"
import { childEnvironment, proxyVariable, serviceSwitches } from "../../src/commands/run/child-environment.ts"

const url = "http://127.0.0.1:4711"
const token = "one-time"
const always = {
  CLAUDE_CODE_ATTRIBUTION_HEADER: "0",
  NO_PROXY: "localhost,127.0.0.1,::1",
  no_proxy: "localhost,127.0.0.1,::1",
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_AUTH_TOKEN: token,
}
const unknown = { url, token, contextWindow: null, maxOutputTokens: null, genuine: false }

describe("what the models' limits set", () => {
  test.each([
    [null, null, { CLAUDE_CODE_DISABLE_1M_CONTEXT: "1" }],
    [1_000_000, 384_000, { CLAUDE_CODE_MAX_OUTPUT_TOKENS: "384000" }],
    [1_047_576, null, {}],
    [999_999, null, { CLAUDE_CODE_DISABLE_1M_CONTEXT: "1" }],
    [200_000, 100_000, { CLAUDE_CODE_DISABLE_1M_CONTEXT: "1", CLAUDE_CODE_MAX_OUTPUT_TOKENS: "100000" }],
    [
      128_000,
      16_384,
      {
        CLAUDE_CODE_DISABLE_1M_CONTEXT: "1",
        CLAUDE_CODE_AUTO_COMPACT_WINDOW: "128000",
        CLAUDE_CODE_MAX_OUTPUT_TOKENS: "16384",
      },
    ],
    [
      64_000,
      8_192,
      {
        CLAUDE_CODE_DISABLE_1M_CONTEXT: "1",
        CLAUDE_CODE_AUTO_COMPACT_WINDOW: "100000",
        // (64000 - 8192 - 13000) of (100000 - 8192)
        CLAUDE_AUTOCOMPACT_PCT_OVERRIDE: "46",
        CLAUDE_CODE_MAX_OUTPUT_TOKENS: "8192",
      },
    ],
    [
      64_000,
      null,
      {
        CLAUDE_CODE_DISABLE_1M_CONTEXT: "1",
        CLAUDE_CODE_AUTO_COMPACT_WINDOW: "100000",
        CLAUDE_AUTOCOMPACT_PCT_OVERRIDE: "38",
      },
    ],
    // Too small to compact before the first turn ends.
    [32_000, null, { CLAUDE_CODE_DISABLE_1M_CONTEXT: "1", CLAUDE_CODE_AUTO_COMPACT_WINDOW: "100000" }],
  ])("window %p, output %p", (contextWindow, maxOutputTokens, expected) => {
    const env = childEnvironment({}, { ...unknown, contextWindow, maxOutputTokens })
    expect(env).toEqual({ ...always, ...expected })
  })

  test("nothing where Anthropic's own models are asked and no window is named", () => {
    expect(childEnvironment({}, { ...unknown, genuine: true })).toEqual(always)
    const named = childEnvironment({}, { ...unknown, genuine: true, contextWindow: 200_000 })
    expect(named).toEqual({ ...always, CLAUDE_CODE_DISABLE_1M_CONTEXT: "1" })
  })
})

describe("what the user has set", () => {
  test("wins over our limits", () => {
    const mine = {
      CLAUDE_CODE_DISABLE_1M_CONTEXT: "0",
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: "1000",
      CLAUDE_CODE_AUTO_COMPACT_WINDOW: "150000",
      CLAUDE_CODE_ATTRIBUTION_HEADER: "1",
      HOME: "/home/me",
    }
    const env = childEnvironment(mine, { ...unknown, contextWindow: 64_000, maxOutputTokens: 8_192 })
    expect(env).toEqual({ ...always, ...mine })
  })

  test("does not win over the address and the credentials", () => {
    const mine = {
      ANTHROPIC_BASE_URL: "https://api.anthropic.com",
      ANTHROPIC_AUTH_TOKEN: "mine",
      ANTHROPIC_API_KEY: "sk-ant-mine",
      Anthropic_Api_Key: "sk-ant-mine",
    }
    expect(childEnvironment(mine, unknown)).toEqual({ ...always, CLAUDE_CODE_DISABLE_1M_CONTEXT: "1" })
  })

  test.each([
    [{ NO_PROXY: "corp.example" }, "corp.example,localhost,127.0.0.1,::1"],
    [{ no_proxy: "a, b" }, "a,b,localhost,127.0.0.1,::1"],
    [{ NO_PROXY: "a", no_proxy: "a,127.0.0.1" }, "a,127.0.0.1,localhost,::1"],
    [{ NO_PROXY: "*" }, "*"],
    [{ NO_PROXY: "" }, "localhost,127.0.0.1,::1"],
  ])("is kept in NO_PROXY: %j", (mine, expected) => {
    const env = childEnvironment(mine, unknown)
    expect([env["NO_PROXY"], env["no_proxy"]]).toEqual([expected, expected])
  })
})

test.each([
  [{}, undefined],
  [{ HTTP_PROXY: "" }, undefined],
  [{ https_proxy: "http://p:1" }, "https_proxy"],
  [{ ALL_PROXY: "x", HTTP_PROXY: "y" }, "HTTP_PROXY"],
])("the proxy variable of %j", (env, expected) => {
  expect(proxyVariable(env)).toBe(expected)
})

test.each([
  [{ CLAUDE_CODE_USE_BEDROCK: "1" }, ["CLAUDE_CODE_USE_BEDROCK"]],
  [{ CLAUDE_CODE_USE_VERTEX: "0", CLAUDE_CODE_USE_FOUNDRY: "true" }, ["CLAUDE_CODE_USE_FOUNDRY"]],
  [{}, []],
])("services chosen past the base URL by %j", (env, expected) => {
  expect(serviceSwitches(env)).toEqual(expected)
})
