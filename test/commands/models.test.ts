import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import type { ModelRow } from "../../src/commands/models/model-list.ts"
import { type ModelsOptions, models, renderModels } from "../../src/commands/models/models.ts"
import type { Needs } from "../../src/config/load/load.ts"
import { modelsFileSchema } from "../../src/config/models/schema-json.ts"
import type { LoadSources } from "../../src/config/sources/load-sources.ts"
import { folderWith, load, removeFolders } from "../config/support.ts"
import { inWorld } from "../support/command-io.ts"
import { runProxy, withFolder } from "../support/proxy.ts"

afterAll(removeFolders)

interface Given extends Partial<ModelsOptions> {
  readonly env?: Readonly<Record<string, string>>
  readonly yaml?: string
  readonly localServer?: LoadSources["localServer"]
}

function run({ env = {}, yaml, localServer, ...options }: Given) {
  const configDir = folderWith(yaml === undefined ? {} : { "models.yaml": yaml })
  const from = (more: Partial<LoadSources>) => (needs: Needs) =>
    load({
      flags: needs.flags,
      envFile: needs.envFile,
      needsUpstream: needs.needsUpstream,
      env,
      configDir,
      ...more,
    })
  const loaders = { load: from({}), loadForUse: from({ localServer }) }
  return inWorld({}, (io) => models({ json: false, all: false, schema: false, ...options }, io, loaders))
}

async function rows(given: Given): Promise<readonly ModelRow[]> {
  const { code, out } = await run({ ...given, json: true })
  expect(code).toBe(0)
  return JSON.parse(out)
}

const used = (list: readonly ModelRow[]) => list.map(({ id, used_by }) => [id, used_by.join(" ")])

const yaml = `
- model_id: mine
  model_name: vendor/big-one
  api_base: https://host.example/v1
  api_key_name: MINE_KEY
  max_tokens: 9000
  max_input_tokens: 50000
  input_cost_per_token: 0.0000012
  output_cost_per_token: 0.000005
  cache_read_cost_per_token: 0.0000001
  vision: false
  can_stream: false
- model_id: other
  api_base: https://host.example/v1
  api_key_name: OTHER_KEY
`

describe("what is known of a model", () => {
  test("of models.yaml, everything the file says", async () => {
    const [mine] = (await rows({ yaml, env: { MINE_KEY: "k-123456", BIG_MODEL: "custom/mine" } })).slice(0, 1)
    expect(mine).toEqual({
      id: "mine",
      upstream_model: "vendor/big-one",
      provider: "generic",
      provider_name: "OpenAI-compatible",
      dialect: "chat",
      context_window: 50_000,
      max_output_tokens: 9000,
      input_cost_per_million_tokens: 1.2,
      output_cost_per_million_tokens: 5,
      cache_read_cost_per_million_tokens: 0.1,
      vision: false,
      reasoning: false,
      tools: true,
      streaming: false,
      learned: [],
      used_by: ["opus", "sonnet", "haiku"],
      reachable: true,
      why: null,
    })
  })

  test("of a tier, what the table of models knows", async () => {
    const list = await rows({ env: { DEEPSEEK_API_KEY: "k-123456" } })
    expect(used(list)).toEqual([
      ["deepseek-v4-pro", "opus sonnet"],
      ["deepseek-flash", "haiku"],
    ])
    expect(list[0]).toMatchObject({
      upstream_model: "deepseek-v4-pro",
      provider: "deepseek",
      context_window: 1_000_000,
      max_output_tokens: 384_000,
      input_cost_per_million_tokens: null,
      vision: false,
      reasoning: true,
      reachable: true,
    })
  })

  test("passed through, it is the upstream's own affair what it can do", async () => {
    const env = { OPENAI_BASE_URL: "https://api.deepseek.com/anthropic", OPENAI_API_KEY: "k-123456" }
    const [first] = await rows({ env })
    expect(first).toMatchObject({
      dialect: "messages",
      vision: null,
      reasoning: null,
      tools: null,
      streaming: true,
    })
  })

  test("prices for models without any come from the settings", async () => {
    const prices = { DEFAULT_INPUT_COST_PER_TOKEN: "0.000003", DEFAULT_OUTPUT_COST_PER_TOKEN: "0.000015" }
    const [first] = await rows({ env: { OPENAI_API_KEY: "k-123456", ...prices } })
    expect(first).toMatchObject({
      input_cost_per_million_tokens: 3,
      output_cost_per_million_tokens: 15,
      cache_read_cost_per_million_tokens: null,
    })
  })
})

describe("which models there are", () => {
  const env = { OPENAI_API_KEY: "k-123456" }

  test.each([
    [
      "the tiers",
      env,
      [
        ["gpt-4o", "opus sonnet"],
        ["gpt-4o-mini", "haiku"],
      ],
    ],
    [
      "at another provider, as it is named",
      { ...env, DEEPSEEK_API_KEY: "k-654321", BIG_MODEL: "deepseek/deepseek-flash" },
      [
        ["deepseek/deepseek-flash", "opus sonnet"],
        ["gpt-4o-mini", "haiku"],
      ],
    ],
    [
      "one name for one model, however it is written",
      { DEEPSEEK_API_KEY: "k-654321", BIG_MODEL: "deepseek-flash", SMALL_MODEL: "deepseek/deepseek-flash" },
      [["deepseek-flash", "opus sonnet haiku"]],
    ],
    [
      "those of the routes",
      { ...env, ROUTER_THINK: "o3", ROUTER_LONG_CONTEXT: "gpt-4.1" },
      [
        ["gpt-4o", "opus sonnet"],
        ["gpt-4o-mini", "haiku"],
        ["o3", "ROUTER_THINK"],
        ["gpt-4.1", "ROUTER_LONG_CONTEXT"],
      ],
    ],
    [
      "families go where the routes send them; a tier that was set is still there",
      { ...env, ROUTER_DEFAULT: "gpt-4.1", MIDDLE_MODEL: "gpt-5" },
      [
        ["gpt-4.1", "opus sonnet ROUTER_DEFAULT"],
        ["gpt-4o-mini", "haiku"],
        ["gpt-5", ""],
      ],
    ],
    [
      "none, where Claude's own names are passed on",
      { OPENAI_BASE_URL: "https://api.anthropic.com", ANTHROPIC_API_KEY: "k-1" },
      [],
    ],
  ] as const)("%s", async (_, settings, expected) => {
    expect(used(await rows({ env: settings }))).toEqual(expected.map((row) => [...row]))
  })

  test("--all adds the usual models of providers whose key is set", async () => {
    const all = { ...env, XAI_API_KEY: "k-654321", BIG_MODEL: "gpt-5" }
    expect(used(await rows({ env: all }))).toEqual([
      ["gpt-5", "opus sonnet"],
      ["gpt-4o-mini", "haiku"],
    ])
    expect(used(await rows({ env: all, all: true }))).toEqual([
      ["gpt-5", "opus sonnet"],
      ["gpt-4o-mini", "haiku"],
      ["gpt-4o", ""],
      ["xai/grok-4", ""],
      ["xai/grok-3-mini", ""],
    ])
  })

  test("a local server that answers", async () => {
    const localServer = { provider: "ollama", baseUrl: "http://localhost:11434/v1", models: ["qwen3"] }
    const list = await rows({ localServer })
    expect(used(list)).toEqual([["qwen3", "opus sonnet haiku"]])
    expect(list[0]).toMatchObject({ provider: "ollama", reachable: true })
  })

  test("a server of one's own needs no key", async () => {
    const settings = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1", BIG_MODEL: "a" }
    expect((await rows({ env: settings })).map(({ reachable }) => reachable)).toEqual([true])
  })
})

describe("what cannot be reached", () => {
  test("a model without its key, with everything else that is known of it", async () => {
    const env = { MINE_KEY: "k-123456", BIG_MODEL: "mine" }
    const { out } = await run({ yaml, env })
    expect(out).toContain(
      "\nCannot be reached:\n  other: needs the key OTHER_KEY, which is not set on the proxy\n",
    )
    const other = (await rows({ yaml, env })).find(({ id }) => id === "other")
    expect(other).toMatchObject({ provider: "generic", reachable: false, used_by: [], dialect: "chat" })
  })

  test("without any setting: what would be used, and on standard error what is missing", async () => {
    const { code, out, error } = await run({ json: true })
    expect(code).toBe(0)
    const list: readonly ModelRow[] = JSON.parse(out)
    expect(list.map(({ id, why }) => [id, why])).toEqual([
      ["gpt-4o", "needs the key OPENAI_API_KEY, which is not set"],
      ["gpt-4o-mini", "needs the key OPENAI_API_KEY, which is not set"],
    ])
    expect(error).toStartWith("claude-proxy: OPENAI_API_KEY is not set: write OPENAI_API_KEY=... into ")
  })

  test("without any setting, models.yaml is listed all the same", async () => {
    const { code, out, error } = await run({ yaml })
    expect(code).toBe(0)
    expect(out).toMatch(/^✗ mine +vendor\/big-one +generic +50,000 +9,000 +1\.2 +5 +0\.1 /m)
    expect(out).toContain("  mine: needs the key MINE_KEY, which is not set\n")
    expect(error).toContain("set BIG_MODEL, for example to mine")
  })

  test("two keys and nothing to choose by", async () => {
    const { code, error } = await run({ env: { XAI_API_KEY: "k-123456", GROQ_API_KEY: "k-654321" } })
    expect(code).toBe(0)
    expect(error).toContain("nothing says which provider is the default one")
  })

  test("a tier at a provider without a key", async () => {
    const env = { OPENAI_API_KEY: "k-123456", BIG_MODEL: "deepseek/deepseek-v4-pro" }
    const [first] = await rows({ env })
    expect(first).toMatchObject({ provider: "deepseek", context_window: 1_000_000, reachable: false })
    expect(first?.why).toBe("needs the key DEEPSEEK_API_KEY, which is not set")
  })

  test("a key that goes elsewhere", async () => {
    const env = { OPENAI_API_KEY: "k-123456", OPENAI_BASE_URL: "https://api.deepseek.com" }
    const [first] = await rows({ env: { ...env, BIG_MODEL: "custom/openai/gpt-4o" } })
    expect(first?.why).toBe("needs a key: OPENAI_API_KEY is the one for DeepSeek here")
  })

  test("servers of one's own that want no key are none of it", async () => {
    const file = [
      "- { model_id: mine, provider: generic, api_base: 'http://127.0.0.1:8000/v1' }",
      "- { model_id: same, provider: generic, api_base: 'http://127.0.0.1:9/v1' }",
      "- { model_id: ours, provider: vllm }",
      "- { model_id: keyed, provider: generic, api_base: 'https://host.example/v1', api_key_name: HOST_KEY }",
      "",
    ].join("\n")
    const local = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1", BIG_MODEL: "a" }
    for (const env of [
      local,
      { ...local, OPENAI_BASE_URL: "https://api.x.ai/v1" },
      { OPENAI_API_KEY: "k-123456" },
    ]) {
      const list = await rows({ env, yaml: file })
      const own = list.filter(({ id }) => ["mine", "same", "ours", "keyed"].includes(id))
      expect(own.map(({ id, why }) => [id, why])).toEqual([
        ["mine", null],
        ["same", null],
        ["ours", null],
        ["keyed", "needs the key HOST_KEY, which is not set on the proxy"],
      ])
    }
  })

  test.each([
    ["https://api.x.ai/v1", "grok-4: needs the key XAI_API_KEY"],
    ["https://openrouter.ai/api/v1", "openrouter/auto: needs the key OPENROUTER_API_KEY"],
  ])("the default upstream %s without its key", async (address, text) => {
    const { out } = await run({ env: { OPENAI_BASE_URL: address } })
    expect(out).toContain(`  ${text}, which is not set\n`)
  })
})

describe("broken settings are exit code 2, and nothing on standard output", () => {
  test.each([
    ["a setting", { env: { OPENAI_API_KEY: "k-123456", PORT: "x" } }, 'PORT (environment) is "x"'],
    ["models.yaml", { yaml: "- model_id: a\n  api_bas: b\n" }, "models.yaml:2:3: "],
    [
      "--config",
      { configFile: "/nonexistent/m.yaml" },
      "CUSTOM_MODELS_FILE (--config): /nonexistent/m.yaml does not exist",
    ],
    ["--env", { envFile: "/nonexistent/a.env" }, "--env: /nonexistent/a.env does not exist"],
  ] as const)("%s", async (_, given, problem) => {
    const { code, out, error } = await run(given)
    expect({ code, out }).toEqual({ code: 2, out: "" })
    expect(error).toContain(problem)
  })
})

test("no key is ever shown", async () => {
  const env = {
    OPENAI_API_KEY: "k-secret-1",
    XAI_API_KEY: "k-secret-2",
    MINE_KEY: "k-secret-3",
    BIG_MODEL: "mine",
  }
  for (const json of [true, false]) {
    const { out, error } = await run({ env, yaml, json, all: true })
    expect(out.length).toBeGreaterThan(100)
    expect(out + error).not.toContain("k-secret")
  }
})

describe("the table", () => {
  test("is aligned, plain without colours, and ends with the default upstream", async () => {
    const { out, error } = await run({ env: { OPENAI_API_KEY: "k-123456" } })
    expect(error).toBe("")
    expect(out).toBe(
      [
        "  model        provider   window   reply  $/M in  out  cached  capabilities                 used by",
        "✓ gpt-4o       openai    128,000  16,384       –    –       –  vision tools streaming chat  opus, sonnet",
        "✓ gpt-4o-mini  openai    128,000  16,384       –    –       –  vision tools streaming chat  haiku",
        "",
        "Default upstream: OpenAI, https://api.openai.com/v1 (key from OPENAI_API_KEY)",
        "",
      ].join("\n"),
    )
  })

  test("colours its marks where it may, and lets no name move the cursor", async () => {
    const [row] = await rows({ env: { OPENAI_API_KEY: "k-123456" } })
    if (row === undefined) throw new Error("no row")
    const table = renderModels([{ ...row, id: "a\u001b[2Jb\nc" }], true)
    expect(table).toContain("\u001b[32m✓\u001b[39m ab c ")
    expect(renderModels([], true)).toBe("")
  })
})

test("as a program: ./.env is read as serve reads it, and --json is JSON alone", async () => {
  await withFolder(async (folder) => {
    await Bun.write(join(folder, ".env"), "DEEPSEEK_API_KEY=k-123456\n")
    const { exitCode, stdout, stderr } = await runProxy(["models", "--json"], { cwd: folder })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
    const list: readonly ModelRow[] = JSON.parse(stdout)
    expect(list.map(({ id }) => id)).toEqual(["deepseek-v4-pro", "deepseek-flash"])
  })
})

test("as a program: --schema is the schema that the file is read with", async () => {
  const { exitCode, stdout, stderr } = await runProxy(["models", "--schema"])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
  expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(modelsFileSchema())))
  expect(stdout).toContain('"model_id"')
  for (const more of [["--all"], ["--config", "nowhere.yaml"], ["--env", "nowhere"]])
    expect(await runProxy(["models", "--schema", ...more])).toMatchObject({ exitCode: 2, stdout: "" })
})
