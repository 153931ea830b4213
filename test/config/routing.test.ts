// Routing by content: what ROUTER_* settings, thinking, the size of a prompt and the name asked for lead to.
import { afterAll, describe, expect, test } from "bun:test"
import type { Config } from "../../src/config/config.ts"
import { type RouteRequest, resolveRoute } from "../../src/config/routes/route.ts"
import { configFrom, folderWith, load, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const files = folderWith({
  "models.yaml": `
- model_id: think-big
  model_name: vendor/thinker
  api_base: https://relay.example/v1
  max_input_tokens: 20000
- model_id: long
  api_base: https://long.example/v1
  max_input_tokens: 1000000
- model_id: claude-mine
  api_base: https://relay.example/v1
`,
})

const base = { OPENAI_API_KEY: "o-123456", DEEPSEEK_API_KEY: "d-123456" }

function config(env: Readonly<Record<string, string>>): Config {
  return configFrom({ ...base, ...env }, { configDir: files })
}

const all = config({
  ROUTER_DEFAULT: "gpt-4.1",
  ROUTER_BACKGROUND: "gpt-4.1-mini",
  ROUTER_THINK: "custom/think-big",
  ROUTER_LONG_CONTEXT: "long",
  LONG_CONTEXT_THRESHOLD: "64k",
})
const some = config({ ROUTER_THINK: "deepseek/deepseek-v4-pro", MIDDLE_MODEL: "gpt-4.1" })
const only = config({ ROUTER_LONG_CONTEXT: "long", BIG_MODEL: "think-big", SMALL_MODEL: "gpt-4o-mini" })
const plain = config({ BIG_MODEL: "gpt-4.1" })

type Case = readonly [
  what: string,
  config: Config,
  model: string | undefined,
  request: RouteRequest,
  target: string,
  reason: string,
]

const thinking = { thinking: true }
const tokens = (count: number): RouteRequest => ({ tokens: () => count })

const cases: readonly Case[] = [
  ["sonnet is the default", all, "claude-sonnet-5-5", {}, "openai/gpt-4.1", "sonnet → ROUTER_DEFAULT"],
  ["opus too", all, "claude-opus-5[1m]", {}, "openai/gpt-4.1", "opus → ROUTER_DEFAULT"],
  ["a Claude of the future too", all, "claude-saga-9", {}, "openai/gpt-4.1", "claude → ROUTER_DEFAULT"],
  ["no name too", all, undefined, {}, "openai/gpt-4.1", "no model named → ROUTER_DEFAULT"],
  ["a name nobody knows too", all, "my-model", {}, "openai/gpt-4.1", "unknown model → ROUTER_DEFAULT"],
  ["haiku is background", all, "CLAUDE-HAIKU-4-5", {}, "openai/gpt-4.1-mini", "haiku → ROUTER_BACKGROUND"],
  ["thinking", all, "claude-opus-5", thinking, "generic/vendor/thinker", "thinking → ROUTER_THINK"],
  ["thinking of haiku", all, "claude-haiku-5", thinking, "generic/vendor/thinker", "thinking → ROUTER_THINK"],
  ["thinking before a name", all, "gpt-4o", thinking, "generic/vendor/thinker", "thinking → ROUTER_THINK"],
  ["a model we know by name", all, "gpt-4o", {}, "openai/gpt-4o", "model named by the client"],
  ["a model of models.yaml", all, "claude-mine", {}, "generic/claude-mine", "model named by the client"],
  [
    "the same as custom/ID",
    all,
    "custom/think-big",
    {},
    "generic/vendor/thinker",
    "model named by the client",
  ],
  ["PROVIDER/NAME", all, "deepseek/x", {}, "deepseek/x", "model named by the client"],
  ["openai/NAME", all, "openai/some", {}, "openai/some", "model named by the client"],
  ["a model of a route", all, "gpt-4.1-mini", {}, "openai/gpt-4.1-mini", "model named by the client"],
  [
    "at the threshold, nothing",
    all,
    "claude-opus-5",
    tokens(65_536),
    "openai/gpt-4.1",
    "opus → ROUTER_DEFAULT",
  ],
  [
    "above it, long",
    all,
    "claude-opus-5",
    tokens(65_537),
    "generic/long",
    "65537 tokens, more than 65536 → ROUTER_LONG_CONTEXT",
  ],
  [
    "long before thinking",
    all,
    "claude-haiku-5",
    { ...thinking, ...tokens(100_000) },
    "generic/long",
    "100000 tokens, more than 20000 → ROUTER_LONG_CONTEXT",
  ],
  [
    "the picked model's window is a threshold too",
    all,
    "claude-opus-5",
    { ...thinking, ...tokens(20_001) },
    "generic/long",
    "20001 tokens, more than 20000 → ROUTER_LONG_CONTEXT",
  ],
  ["an unset slot: the tier", some, "claude-sonnet-5", {}, "openai/gpt-4.1", "sonnet → MIDDLE_MODEL"],
  ["an unset slot: haiku's tier", some, "claude-haiku-5", {}, "openai/gpt-4o-mini", "haiku → SMALL_MODEL"],
  ["a set one", some, "claude-haiku-5", thinking, "deepseek/deepseek-v4-pro", "thinking → ROUTER_THINK"],
  ["long, but no slot", some, "claude-opus-5", tokens(999_999), "openai/gpt-4o", "opus → BIG_MODEL"],
  ["an unknown name, no default", some, "my-model", {}, "openai/my-model", "model named by the client"],
  [
    "a tier's window",
    only,
    "claude-opus-5",
    tokens(20_001),
    "generic/long",
    "20001 tokens, more than 20000 → ROUTER_LONG_CONTEXT",
  ],
  ["within it", only, "claude-opus-5", tokens(20_000), "generic/vendor/thinker", "opus → BIG_MODEL"],
  ["thinking without a slot", only, "claude-haiku-5", thinking, "openai/gpt-4o-mini", "haiku → SMALL_MODEL"],
  [
    "no router: thinking changes nothing",
    plain,
    "claude-opus-5",
    thinking,
    "openai/gpt-4.1",
    "opus → BIG_MODEL",
  ],
  ["nor does size", plain, "claude-opus-5", tokens(9_999_999), "openai/gpt-4.1", "opus → BIG_MODEL"],
  [
    "exact: no rule",
    all,
    "gpt-4o",
    { exact: true, ...thinking },
    "openai/gpt-4o",
    "model named by the client",
  ],
  [
    "exact: not even for Claude's names",
    all,
    "claude-opus-5",
    { exact: true },
    "openai/claude-opus-5",
    "model named by the client",
  ],
]

test.each(cases)("%s", (_, given, model, request, target, reason) => {
  const resolved = resolveRoute(given, model, request)
  if (!resolved.ok) throw new Error(resolved.fault.message)
  const { route } = resolved
  expect([`${route.provider}/${route.model}`, route.reason, route.routed]).toEqual([
    target,
    reason,
    /ROUTER_/.test(reason),
  ])
})

test("tokens are counted only where a rule depends on them", () => {
  const refuse = (): number => {
    throw new Error("counted")
  }
  for (const given of [some, plain])
    expect(resolveRoute(given, "claude-opus-5", { tokens: refuse }).ok).toBe(true)
  expect(() => resolveRoute(all, "claude-opus-5", { tokens: refuse })).toThrow("counted")
})

describe("ANTHROPIC_API_KEY", () => {
  const key = { ANTHROPIC_API_KEY: "a-123456" }
  type KeyCase = readonly [string, Readonly<Record<string, string>>, readonly string[], boolean]
  test.each<KeyCase>([
    ["is a client's key", {}, ["a-123456"], false],
    ["is Anthropic's where a tier leads there", { BIG_MODEL: "anthropic/claude-opus-5" }, [], true],
    ["is Anthropic's where a route leads there", { ROUTER_THINK: "anthropic/claude-opus-5" }, [], true],
    ["is Anthropic's with any ROUTER_*", { ROUTER_DEFAULT: "gpt-4.1" }, [], true],
    [
      "client: whatever the routes say",
      { ROUTER_DEFAULT: "gpt-4.1", ANTHROPIC_KEY_ROLE: "client" },
      ["a-123456"],
      false,
    ],
    ["upstream: no client's, and reachable", { ANTHROPIC_KEY_ROLE: "upstream" }, [], true],
    ["both", { ANTHROPIC_KEY_ROLE: "Both" }, ["a-123456"], true],
  ])("%s", (_, env, clientKeys, upstream) => {
    const given = config({ ...key, ...env })
    expect([given.clientKeys, given.others["anthropic"]?.apiKeys ?? []]).toEqual([
      clientKeys,
      upstream ? ["a-123456"] : [],
    ])
    const elsewhere = Object.entries(given.others).filter(([id]) => id !== "anthropic")
    const sent = [given.upstream, ...elsewhere.map(([, other]) => other)].flatMap(({ apiKeys }) => apiKeys)
    expect(sent).not.toContain("a-123456")
  })

  test("who loses a client key by ROUTER_* is told", () => {
    const env = { ...base, ...key, ROUTER_DEFAULT: "gpt-4.1" }
    expect(warningsOf(load({ env }))).toEqual([
      "ANTHROPIC_API_KEY (environment) is not asked of clients, as ROUTER_* settings are in use: set ANTHROPIC_KEY_ROLE=client if it should be, or ANTHROPIC_KEY_ROLE=upstream to say that it should not.",
    ])
    expect(warningsOf(load({ env: { ...env, ALLOWED_API_KEYS: "c" } }))).toEqual([])
  })
})
