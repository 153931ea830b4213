import { expect, test } from "bun:test"
import {
  claudeSettingsFiles,
  findConflicts,
  settingsConflicts,
} from "../../src/commands/run/claude-settings.ts"

test("the files of the user, the project and the project's own user, in that order", () => {
  expect(claudeSettingsFiles({}, "/home/me", "/project")).toEqual([
    "/home/me/.claude/settings.json",
    "/project/.claude/settings.json",
    "/project/.claude/settings.local.json",
  ])
  expect(claudeSettingsFiles({ CLAUDE_CONFIG_DIR: "/cfg" }, "/home/me", "/project")[0]).toBe(
    "/cfg/settings.json",
  )
  expect(claudeSettingsFiles({}, "/home/me", "/home/me")).toHaveLength(2)
})

test.each([
  ["{}", []],
  ["not json", []],
  ["[]", []],
  ['{"env":null,"model":"opus"}', []],
  ['{"env":{"CLAUDE_CODE_USE_BEDROCK":"0","FOO":"1"}}', []],
  [
    '{"env":{"ANTHROPIC_BASE_URL":"https://secret.example"}}',
    ["f sets ANTHROPIC_BASE_URL: Claude Code follows it and does not come to this proxy."],
  ],
  [
    '{"env":{"CLAUDE_CODE_USE_BEDROCK":1}}',
    ["f sets CLAUDE_CODE_USE_BEDROCK: Claude Code follows it and does not come to this proxy."],
  ],
  [
    '\uFEFF{"apiKeyHelper":"cat secret","env":{"ANTHROPIC_API_KEY":"sk-secret"}}',
    [
      "f sets ANTHROPIC_API_KEY: Claude Code may send it instead of this proxy's token.",
      "f sets apiKeyHelper: Claude Code may send its key instead of this proxy's token.",
    ],
  ],
])("%s", (text, expected) => {
  expect(settingsConflicts("f", text)).toEqual(expected)
})

test("a file that cannot be read says nothing", async () => {
  const files: Readonly<Record<string, string>> = { b: '{"apiKeyHelper":"x"}' }
  const readFile = async (path: string) => files[path] ?? Promise.reject(new Error("ENOENT"))
  expect(await findConflicts(["a", "b"], readFile)).toEqual([
    "b sets apiKeyHelper: Claude Code may send its key instead of this proxy's token.",
  ])
})
