import { describe, expect, test } from "bun:test"
import { modelLimits } from "../../src/commands/run/model-limits.ts"
import { configFrom } from "../config/support.ts"

const anthropic = {
  ANTHROPIC_API_KEY: "a",
  ANTHROPIC_KEY_ROLE: "upstream",
  BIG_MODEL: "anthropic/claude-opus-5-5",
  MIDDLE_MODEL: "anthropic/claude-sonnet-5",
}

describe("who is behind the main models", () => {
  test.each([
    ["Anthropic itself", {}, true],
    ["another for short requests", { OPENAI_API_KEY: "o", SMALL_MODEL: "openai/gpt-5" }, true],
    ["another for one of the families", { OPENAI_API_KEY: "o", MIDDLE_MODEL: "openai/gpt-5" }, false],
    ["another for long requests", { OPENAI_API_KEY: "o", ROUTER_LONG_CONTEXT: "openai/gpt-5" }, false],
    ["another for thinking", { OPENAI_API_KEY: "o", ROUTER_THINK: "openai/gpt-5" }, false],
    [
      "Claude elsewhere",
      { OPENROUTER_API_KEY: "o", BIG_MODEL: "openrouter/anthropic/claude-opus-4.8" },
      false,
    ],
  ])("%s", (_, settings, genuine) => {
    expect(modelLimits(configFrom({ ...anthropic, ...settings })).genuine).toBe(genuine)
  })
})
