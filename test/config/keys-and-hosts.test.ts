// Which key goes to which host: whatever the sources say, a key is for the host it was given for.
import { afterAll, describe, expect, test } from "bun:test"
import type { Config } from "../../src/config/config.ts"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { providers } from "../../src/providers/table.ts"
import { property, type Random } from "../support/random.ts"
import { folderWith, load, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

/** Every place a request may go to, with the keys it would carry. */
function sent(config: Config): readonly (readonly [host: string, keys: readonly string[]])[] {
  const own = config.models.flatMap(({ reach }) => (reach.ok ? [reach.upstream] : []))
  return [config.upstream, ...Object.values(config.others), ...own].map(
    ({ baseUrl, apiKeys }) => [new URL(baseUrl).hostname, apiKeys] as const,
  )
}

function keysAt(host: string, env: Readonly<Record<string, string>>, yaml = ""): readonly string[] {
  const result = load({ env, configDir: folderWith(yaml === "" ? {} : { "models.yaml": yaml }) })
  if (!result.ok) return result.problems
  return [...new Set(sent(result.config).flatMap(([at, keys]) => (at === host ? keys : [])))]
}

const relay = { OPENAI_BASE_URL: "https://relay.example/v1", OPENAI_API_KEY: "relay-key-1" }

describe("ANTHROPIC_KEY_ROLE=client keeps the key from Anthropic", () => {
  const env = {
    OPENAI_API_KEY: "openai-key-1",
    ANTHROPIC_API_KEY: "client-key-1",
    ANTHROPIC_KEY_ROLE: "client",
  }
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["as the base URL", { OPENAI_BASE_URL: "https://api.anthropic.com" }, ""],
    ["as a model's provider", {}, "- {model_id: a, provider: anthropic, direct: true}"],
    ["as a model's address", {}, "- {model_id: a, api_base: https://api.anthropic.com}"],
    ["by a tier", { SMALL_MODEL: "anthropic/claude-haiku-5" }, ""],
    ["by a changed provider", {}, "providers: {anthropic: {extra_headers: {X-A: b}}}"],
  ])("%s", (_, more, yaml) => {
    expect(keysAt("api.anthropic.com", { ...env, ...more }, yaml)).not.toContain("client-key-1")
  })
})

test("a changed provider alone does not take the clients' key", () => {
  const yaml = "providers: {anthropic: {extra_headers: {X-A: b}}}"
  const configDir = folderWith({ "models.yaml": yaml })
  const result = load({ env: { OPENAI_API_KEY: "o-123456", ANTHROPIC_API_KEY: "client-key-1" }, configDir })
  expect(result.ok && result.config.clientKeys).toEqual(["client-key-1"])
})

test("at Anthropic's address its own key goes there, and OpenAI's does not", () => {
  const env = {
    OPENAI_BASE_URL: "https://api.anthropic.com",
    OPENAI_API_KEY: "o-123456",
    ANTHROPIC_API_KEY: "a-123456",
  }
  expect(keysAt("api.anthropic.com", env)).toEqual(["a-123456"])
})

test("two keys for one host: which one it gets is told", () => {
  const env = {
    OPENAI_BASE_URL: "https://api.deepseek.com",
    OPENAI_API_KEY: "o-123456",
    DEEPSEEK_API_KEY: "d-123456",
  }
  expect(warningsOf(load({ env }))).toEqual([
    "OPENAI_API_KEY (environment) is sent to DeepSeek, and DEEPSEEK_API_KEY (environment) is not used: take one out.",
  ])
})

describe("models.yaml does not lead a key elsewhere", () => {
  test.each<[string, string, Readonly<Record<string, string>>, string, readonly string[]]>([
    ["a relay's key", "api.openai.com", relay, "providers: {openai: {temperature: 0.5}}", []],
    [
      ...(["a provider's key", "foreign.example"] as const),
      { OPENAI_API_KEY: "o-123456", DEEPSEEK_API_KEY: "d-123456" },
      "providers: {deepseek: {api_base: https://foreign.example/v1}}",
      [],
    ],
    [
      ...(["the key of a provider of one's own", "other.example", { ...relay, MINE: "mine-123" }] as const),
      "providers: {mine: {api_base: https://mine.example/v1, api_key_name: MINE, extra_headers: {X-Secret: h-123456}}}\nmodels: [{model_id: a, provider: mine, api_base: https://other.example/v1}]",
      [],
    ],
    [
      ...(["nor from there", "mine.example", { ...relay, MINE: "mine-123" }] as const),
      "providers: {mine: {api_base: https://mine.example/v1, api_key_name: MINE}}",
      ["mine-123"],
    ],
  ])("%s to %s", (_, host, env, yaml, keys) => {
    expect(keysAt(host, env, yaml)).toEqual([...keys])
  })

  test("nor a header of it", () => {
    const yaml =
      "providers: {mine: {api_base: https://mine.example/v1, extra_headers: {X-Secret: h-123456}}}\nmodels: [{model_id: a, provider: mine, api_base: https://other.example/v1}, {model_id: b, provider: mine}]"
    const result = load({ env: relay, configDir: folderWith({ "models.yaml": yaml }) })
    if (!result.ok) throw new Error(result.problems.join("\n"))
    const headers = result.config.models.map(({ reach }) => reach.ok && reach.upstream.headers)
    expect(headers).toEqual([{}, { "X-Secret": "h-123456" }])
  })
})

describe("nor does an address that is the base URL", () => {
  const deepseek = "https://api.deepseek.com/v1"
  const corp =
    "providers: {deepseek: {api_base: https://gw.example/v1, api_key_name: CORP_KEY, extra_headers: {X-Corp: c-123456}}}"
  test.each<[string, string, Readonly<Record<string, string>>, string, readonly string[]]>([
    ["an entry's key", "api.deepseek.com", { OPENAI_BASE_URL: deepseek, CORP_KEY: "corp-1234" }, corp, []],
    [
      ...(["a relay's key, by a changed openai", "api.openai.com", relay] as const),
      "providers: {openai: {api_base: https://relay.example/v1}}\nmodels: [{model_id: a, api_base: https://api.openai.com/v1}]",
      [],
    ],
    [
      ...(["a provider's key, to an address of the user's", "foreign.example"] as const),
      { OPENAI_BASE_URL: "https://foreign.example/v1", DEEPSEEK_API_KEY: "d-123456" },
      "providers: {deepseek: {api_base: https://foreign.example/v1}}",
      [],
    ],
    [
      ...(["Anthropic's key, to a relay", "relay.example"] as const),
      { OPENAI_BASE_URL: "https://relay.example/v1", ANTHROPIC_API_KEY: "a-123456" },
      "providers: {anthropic: {api_base: https://relay.example/v1}}",
      [],
    ],
    [
      ...(["DeepSeek's key, to OpenAI", "api.openai.com"] as const),
      {
        OPENAI_BASE_URL: "https://api.openai.com/v1",
        DEEPSEEK_API_KEY: "d-123456",
        DEEPSEEK_THINKING: "true",
      },
      "",
      [],
    ],
    [
      ...(["unless it is said whose host it is", "foreign.example"] as const),
      {
        OPENAI_BASE_URL: "https://foreign.example/v1",
        DEEPSEEK_API_KEY: "d-123456",
        DEEPSEEK_THINKING: "true",
      },
      "",
      ["d-123456"],
    ],
    [
      ...(["the variable that is named, before the common one", "openrouter.ai"] as const),
      { OPENAI_BASE_URL: "https://openrouter.ai/api/v1", OPENAI_API_KEY: "o-123456", MY_KEY: "m-123456" },
      "providers: {openrouter: {api_key_name: MY_KEY}}",
      ["m-123456"],
    ],
  ])("%s to %s", (_, host, env, yaml, keys) => {
    expect(keysAt(host, { BIG_MODEL: "m", ...env }, yaml)).toEqual([...keys])
  })

  test("nor its headers, whatever they are called", () => {
    const yaml = `${corp.replace("extra_headers", "overrides: {headers: {X-Rule: r-123456}}, extra_headers")}
models: [{model_id: a, provider: deepseek, api_base: https://other.example/v1}]`
    const env = { OPENAI_BASE_URL: deepseek, DEEPSEEK_API_KEY: "d-123456", CORP_KEY: "corp-1234" }
    const result = load({ env, configDir: folderWith({ "models.yaml": yaml }) })
    if (!result.ok) throw new Error(result.problems.join("\n"))
    const { upstream, models } = result.config
    const own = models.flatMap(({ reach }) => (reach.ok ? [reach.upstream] : []))
    for (const { headers, delta } of [upstream, ...own])
      expect([headers, delta.headers ?? {}]).toEqual([{}, {}])
  })
})

test("a deployment that is no name does not end the loading", () => {
  const env = {
    OPENAI_API_KEY: "a-123456",
    OPENAI_BASE_URL: "https://x.openai.azure.com/openai/deployments/a%zz",
  }
  const result = load({ env })
  expect(result.ok && result.config.tiers.big).toBe("a%zz")
})

describe("everything a provider's entry says counts where it is the default upstream", () => {
  const env = { DEEPSEEK_API_KEY: "d-123456", WORK_KEY: "w-123456" }
  test.each<[string, Readonly<Record<string, string>>, string, readonly [string, string, readonly string[]]]>(
    [
      ["key", env, "{api_key_name: WORK_KEY}", ["deepseek", "https://api.deepseek.com", ["w-123456"]]],
      [
        "key alone",
        { WORK_KEY: "w-123456" },
        "{api_key_name: WORK_KEY}",
        ["deepseek", "https://api.deepseek.com", ["w-123456"]],
      ],
      [
        ...(["address and key", env] as const),
        "{api_base: https://gateway.example/v1, api_key_name: WORK_KEY}",
        ["deepseek", "https://gateway.example/v1", ["w-123456"]],
      ],
    ],
  )("%s", (_, given, entry, [id, baseUrl, keys]) => {
    const yaml = `providers: {deepseek: ${entry}}`
    const result = load({ env: given, configDir: folderWith({ "models.yaml": yaml }) })
    if (!result.ok) throw new Error(result.problems.join("\n"))
    const { upstream } = result.config
    expect([upstream.row.id, upstream.baseUrl, upstream.apiKeys]).toEqual([id, baseUrl, [...keys]])
  })
})

describe("providers of one's own", () => {
  const yaml =
    "providers: {one: {api_base: https://one.example/v1, api_key_name: ONE}, two: {api_base: https://two.example/v1, api_key_name: TWO}}"
  const both = { ONE: "one-12345", TWO: "two-12345" }

  test("two of them: the question can be answered", () => {
    const configDir = folderWith({ "models.yaml": yaml })
    const result = load({ env: both, configDir })
    expect(result.ok ? [] : result.problems).toEqual([
      "ONE (environment) and TWO (environment) are set, and nothing says which provider is the default one: set BIG_MODEL=one/MODEL or BIG_MODEL=two/MODEL.",
    ])
    const answered = load({ env: { ...both, BIG_MODEL: "two/x" }, configDir })
    if (!answered.ok) throw new Error(answered.problems.join("\n"))
    expect([answered.config.upstream.row.id, answered.config.upstream.apiKeys]).toEqual([
      "two",
      ["two-12345"],
    ])
  })

  test("the address of one of them is that provider", () => {
    const env = { ...both, OPENAI_BASE_URL: "https://one.example/v1" }
    const result = load({ env: { ...env, BIG_MODEL: "x" }, configDir: folderWith({ "models.yaml": yaml }) })
    if (!result.ok) throw new Error(result.problems.join("\n"))
    expect([result.config.upstream.row.id, result.config.upstream.apiKeys]).toEqual(["one", ["one-12345"]])
  })

  test("a missing key is told at once", () => {
    const env = { OPENAI_API_KEY: "o-123456", BIG_MODEL: "one/x" }
    const result = load({ env, configDir: folderWith({ "models.yaml": yaml }) })
    expect(result.ok ? [] : result.problems).toEqual([
      'BIG_MODEL (environment) cannot be reached: model: "one/x" names one, but ONE is not set on the proxy. Change that, or name another model.',
    ])
  })
})

test("routes are checked also where Anthropic answers for its own models", () => {
  const env = {
    OPENAI_BASE_URL: "https://api.anthropic.com",
    ANTHROPIC_API_KEY: "a-123456",
    ROUTER_THINK: "xai/grok",
  }
  const result = load({ env })
  expect(result.ok ? [] : result.problems).toEqual([
    'ROUTER_THINK (environment) cannot be reached: model: "xai/grok" names xAI, but XAI_API_KEY is not set on the proxy. Change that, or name another model.',
  ])
})

describe("DEEPSEEK_THINKING", () => {
  const base = { OPENAI_BASE_URL: "https://gateway.example/v1", OPENAI_API_KEY: "o-123456" }
  test.each([
    ["true", "on"],
    ["1", "on"],
    ["Yes", "on"],
    ["off", "off"],
    ["0", "off"],
    ["Auto", "auto"],
  ] as const)("%s is %s", (word, thinking) => {
    const result = load({ env: { ...base, DEEPSEEK_THINKING: word } })
    expect(result.ok && result.config.upstream.defaults.thinking).toBe(thinking)
  })

  test("another word is a problem", () => {
    const result = load({ env: { ...base, DEEPSEEK_THINKING: "__proto__" } })
    expect(result.ok ? [] : result.problems).toEqual([
      'DEEPSEEK_THINKING (environment) is "__proto__": give one of true, false, auto.',
    ])
  })

  test("counts for a provider by DeepSeek's rules, and is told of where there is none", () => {
    const yaml = "providers: {mine: {api_base: https://mine.example/v1, profile: deepseek}}"
    const env = { OPENAI_API_KEY: "o-123456", DEEPSEEK_THINKING: "auto" }
    const result = load({ env, configDir: folderWith({ "models.yaml": yaml }) })
    expect(result.ok && result.config.others["mine"]?.defaults.thinking).toBe("auto")
    expect(warningsOf(load({ env }))).toEqual([
      "DEEPSEEK_THINKING (environment) has no effect: no upstream is DeepSeek. Set OPENAI_BASE_URL to where its model is served.",
    ])
  })
})

const rows = providers.filter(({ baseUrl, keyNames }) => baseUrl !== null && keyNames.length > 0)

/** A random configuration of variables, an address and entries of models.yaml, with a key for every variable. */
function randomSources(random: Random) {
  const some = rows.filter(() => random.chance(0.4))
  const names = some.flatMap(({ keyNames }) => keyNames.filter(() => random.chance(0.7)))
  const env: Record<string, string> = Object.fromEntries(names.map((name) => [name, `key-of-${name}`]))
  if (random.chance(0.5)) env["OPENAI_API_KEY"] = "key-of-OPENAI_API_KEY"
  if (random.chance(0.3))
    env["OPENAI_BASE_URL"] = random.pick(["https://relay.example/v1", "https://api.x.ai/v1"])
  if (random.chance(0.3)) env["ROUTER_DEFAULT"] = "any"
  const entries = rows
    .filter(() => random.chance(0.2))
    .map(({ id }) => {
      const base = random.chance(0.5) ? "api_base: https://foreign.example/v1" : "temperature: 0.5"
      return `  ${id}: {${base}}`
    })
  const models = rows
    .filter(() => random.chance(0.2))
    .map(({ id }, index) => {
      const base = random.chance(0.5) ? ", api_base: https://foreign.example/v1" : ""
      return `  - {model_id: m${index}, provider: ${id}${base}}`
    })
  const yaml = [
    ...(entries.length === 0 ? [] : ["providers:", ...entries]),
    ...(models.length === 0 ? [] : ["models:", ...models]),
  ].join("\n")
  return { env, yaml }
}

property("no provider's key goes to a host that is not its own", 300, (random) => {
  const { env, yaml } = randomSources(random)
  const result = load({ env, configDir: folderWith({ "models.yaml": yaml }) })
  if (!result.ok) return
  const main = new URL(result.config.upstream.baseUrl).hostname
  for (const [host, keys] of sent(result.config)) {
    for (const key of keys) {
      const variable = key.slice("key-of-".length)
      const homes = rows.filter(({ keyNames }) => keyNames.includes(variable))
      const hosts = homes.map(({ baseUrl }) => new URL(baseUrl ?? "").hostname)
      // OPENAI_API_KEY is the key of the default upstream, wherever that is.
      const allowed = variable === "OPENAI_API_KEY" ? [...hosts, main] : hosts
      expect(allowed).toContain(host)
    }
  }
})

describe("custom/ID", () => {
  const env = { OPENAI_API_KEY: "o-123456" }
  const configDir = folderWith({ "models.yaml": "- {model_id: Kimi-K2, api_base: https://kimi.example/v1}" })

  test("is found in whatever case", () => {
    const result = load({ env: { ...env, BIG_MODEL: "custom/kimi-k2" }, configDir })
    if (!result.ok) throw new Error(result.problems.join("\n"))
    const resolved = resolveRoute(result.config, "claude-opus-5")
    expect(resolved.ok && resolved.route.url).toBe("https://kimi.example/v1/chat/completions")
  })

  test("that is not there is a problem at once, and never another upstream's model", () => {
    const result = load({ env: { ...env, ROUTER_THINK: "custom/kimi-k" }, configDir })
    expect(result.ok ? [] : result.problems).toEqual([
      'ROUTER_THINK (environment) cannot be reached: model: "custom/kimi-k" is no model_id of models.yaml (did you mean custom/Kimi-K2?). Change that, or name another model.',
    ])
    const config = load({ env, configDir })
    const resolved = config.ok && resolveRoute(config.config, "custom/nothing")
    expect(resolved && !resolved.ok && resolved.fault.message).toBe(
      'model: "custom/nothing" is no model_id of models.yaml',
    )
  })
})
