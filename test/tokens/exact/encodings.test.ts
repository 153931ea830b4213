import { expect, test } from "bun:test"
import { encodingOf } from "../../../src/tokens/exact/encodings.ts"

test.each([
  ["gpt-4o", "o200k_base", true],
  ["gpt-4o-mini-2024-07-18", "o200k_base", true],
  ["chatgpt-4o-latest", "o200k_base", true],
  ["gpt-4.1-nano", "o200k_base", true],
  ["gpt-5.6", "o200k_base", true],
  ["gpt-5-codex", "o200k_base", true],
  ["gpt-oss-120b", "o200k_base", true],
  ["o3", "o200k_base", true],
  ["o4-mini", "o200k_base", true],
  ["openai/gpt-4o", "o200k_base", true],
  ["OpenAI/O1-Preview", "o200k_base", true],
  ["ft:gpt-4o-mini:acme::abc", "o200k_base", true],
  ["gpt-4", "cl100k_base", true],
  ["gpt-4-turbo", "cl100k_base", true],
  ["gpt-3.5-turbo-0125", "cl100k_base", true],
  ["gpt-35-turbo", "cl100k_base", true],
  ["ft:gpt-3.5-turbo:acme::abc", "cl100k_base", true],
  ["deepseek-chat", "o200k_base", false],
  ["claude-opus-4-8", "o200k_base", false],
  ["qwen/qwen3-coder", "o200k_base", false],
  ["olmo-2", "o200k_base", false],
  ["", "o200k_base", false],
  [undefined, "o200k_base", false],
] as const)("%s is counted in %s (known: %p)", (model, name, known) => {
  expect(encodingOf(model)).toEqual({ name, known })
})
