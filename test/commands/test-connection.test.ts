// test-connection as its user runs it: the table, the JSON, the exit codes.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { runCommand } from "citty"
import { commandTable } from "../../src/commands/table.ts"
import { type TestConnectionOptions, testConfig } from "../../src/commands/test-connection/test-connection.ts"
import type { Config } from "../../src/config/config.ts"
import { configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { configFor, goodTurn } from "../server/probe-support.ts"
import { scripted, stopAll } from "../server/support.ts"
import { inWorld } from "../support/command-io.ts"
import { isAlive, runProxy, startProxyCommand } from "../support/proxy.ts"
import { until } from "../support/upstream.ts"

afterEach(stopAll)
afterAll(removeFolders)

const run = (config: Config, options: Partial<TestConnectionOptions> = {}) =>
  inWorld({}, (io) => testConfig(config, { all: false, json: false, timeoutSeconds: 20, ...options }, io))

/** What is the same every time. */
const settled = (text: string) =>
  text.replaceAll(/ +\d+ ms/g, " N ms").replaceAll(/127\.0\.0\.1:\d+/g, "HOST")

const failing = {
  kind: "json",
  status: 401,
  body: { error: { message: "bad key sk-probe-secret-0001" } },
} as const

/** One that works, one that calls no tools, one whose key is refused. */
const mixed = () =>
  scripted((body) => {
    if (body["model"] === "broken") return failing
    return goodTurn(body["model"] === "idle" ? { stream: body["stream"] } : body)
  })

describe("the table", () => {
  test("all is well", async () => {
    const { code, out, error } = await run(configFor(scripted(goodTurn).url))
    expect([code, error]).toEqual([0, ""])
    expect(settled(out).split("\n")).toEqual([
      "model      for                  plain  stream  tools    latency  first token",
      "big-model  opus, sonnet, haiku  ✓      ✓       ✓ N ms N ms",
      "",
      "1 model: 1 works",
      "",
    ])
  })

  test("not all is well", async () => {
    const config = configFor(mixed().url, {
      MIDDLE_MODEL: "idle",
      SMALL_MODEL: "broken",
      ROUTER_THINK: "idle",
    })
    const { code, out, error } = await run(config)
    expect([code, error]).toEqual([1, ""])
    expect(settled(out).split("\n")).toEqual([
      "model      for               plain  stream  tools    latency  first token",
      "big-model  opus              ✓      ✓       ✓ N ms N ms",
      "idle       sonnet, thinking  ✓      ✓       ! N ms N ms",
      "  ! did not call the tool it was asked to call: Claude Code does its work by such calls",
      "broken     haiku             ✗      –       – N ms",
      "  ✗ plain: [generic] the upstream refused the API key (the key comes from OPENAI_API_KEY): bad key [redacted]",
      "    → HOST refuses the key in OPENAI_API_KEY: check that it is whole, not revoked, and made for this host",
      "",
      "3 models: 2 work, 1 of them with a warning, 1 fails",
      "",
    ])
  })

  test("of a key that is refused it is told where it stands", async () => {
    const config = configFor(mixed().url, { BIG_MODEL: "broken" })
    const options = { all: false, json: false, timeoutSeconds: 20 }
    const { out } = await inWorld({}, (io) =>
      testConfig(config, options, io, { OPENAI_API_KEY: "environment", BIG_MODEL: "/a/.env:3" }),
    )
    expect(out).toContain(" refuses the key in OPENAI_API_KEY (environment): check that it is whole,")
  })

  test("what fails three times in one way is told once", async () => {
    const upstream = scripted(() => ({
      kind: "json",
      status: 500,
      body: { error: { message: "oops\u001b[2J" } },
    }))
    const { code, out } = await run(configFor(upstream.url))
    expect([code, out.includes("\u001b")]).toEqual([1, false])
    expect(settled(out).split("\n").slice(1, -1)).toEqual([
      "big-model  opus, sonnet, haiku  ✗      ✗       ✗ N ms",
      "  ✗ plain, stream, tools: [generic] oops\\u001b[2J",
      "    → HOST has a problem of its own: try again; if it stays, ask whoever runs it",
      "",
      "1 model: 0 work, 1 fails",
    ])
  })
})

test.each([false, true])(
  "header values of overrides that an upstream repeats are not shown (--json: %p)",
  async (json) => {
    const value = "override-header-value"
    const upstream = scripted(() => {
      const echoed = upstream.requests.at(-1)?.headers["x-tenant"]
      return { kind: "json", status: 400, body: { error: { message: `who is ${echoed}?` } } }
    })
    const yaml = `
models: [{ model_id: mine, api_base: "${upstream.url}", overrides: { headers: { X-Tenant: ${value} } } }]
`
    const config = configOf(
      load({ env: { BIG_MODEL: "mine" }, configDir: folderWith({ "models.yaml": yaml }) }),
    )
    const { code, out, error } = await run(config, { json })
    expect(code).toBe(1)
    expect(upstream.turns().map(({ headers }) => headers?.["x-tenant"])).toContain(value)
    expect(out).toContain("who is [redacted]?")
    expect(out + error).not.toContain(value)
  },
)

describe("which models", () => {
  const withModels = (url: string) => {
    const yaml = `- { model_id: mine, api_base: ${url} }\n- { model_id: unkeyed, provider: deepseek }\n`
    const env = { OPENAI_BASE_URL: url, OPENAI_API_KEY: "k-0001", BIG_MODEL: "big-model" }
    return configOf(load({ env, configDir: folderWith({ "models.yaml": yaml }) }))
  }

  test("--all: also those of models.yaml, as far as they can be reached", async () => {
    const { code, out } = await run(withModels(scripted(goodTurn).url), { all: true })
    expect(code).toBe(0)
    expect(settled(out).split("\n").slice(1, -1)).toEqual([
      "big-model  opus, sonnet, haiku  ✓      ✓       ✓ N ms N ms",
      "mine       –                    ✓      ✓       ✓ N ms N ms",
      "unkeyed    –                    –      –       –",
      '  ! not tried: model: "unkeyed" needs the key DEEPSEEK_API_KEY, which is not set on the proxy: set DEEPSEEK_API_KEY',
      "",
      "3 models: 2 work, 1 not tried",
    ])
  })

  test("--model: that one, and what it lacks", async () => {
    const upstream = scripted(goodTurn)
    const config = withModels(upstream.url)
    expect((await run(config, { model: "custom/mine" })).code).toBe(0)
    expect(new Set(upstream.turns().map(({ body }) => body["model"]))).toEqual(new Set(["mine"]))
    const { code, out } = await run(config, { model: "unkeyed" })
    expect(code).toBe(1)
    expect(out.split("\n").slice(1, -1)).toEqual([
      "unkeyed  –    ✗      –       –",
      '  ✗ plain: model: "unkeyed" needs the key DEEPSEEK_API_KEY, which is not set on the proxy',
      "    → set DEEPSEEK_API_KEY",
      "",
      "1 model: 0 work, 1 fails",
    ])
  })

  test("--model with a name that nobody knows says which names there are", async () => {
    const server = scripted(() => ({
      kind: "json",
      status: 404,
      body: { error: { message: "no such model", code: "model_not_found" } },
    }))
    const { out } = await run(configFor(server.url), { model: "typo" })
    expect(settled(out)).toContain(
      '    → HOST has no "typo": change --model to a name that your provider documents\n',
    )
  })
})

test("--json is data and nothing else", async () => {
  const upstream = mixed()
  const { code, out, error } = await run(configFor(upstream.url, { SMALL_MODEL: "broken" }), { json: true })
  expect([code, error]).toEqual([1, ""])
  const passed = { ok: true, latency_ms: expect.any(Number), first_token_ms: expect.any(Number) }
  const common = { provider: "generic", url: `${upstream.url}/chat/completions`, context_window: null }
  expect(JSON.parse(out)).toEqual({
    ok: false,
    models: [
      {
        ...{
          ...common,
          model: "big-model",
          upstream_model: "big-model",
          used_as: ["big", "middle"],
          ok: true,
        },
        checks: { plain: { ...passed, first_token_ms: null }, stream: passed, tools: passed },
        ...{ problems: [], warnings: [] },
      },
      {
        ...{ ...common, model: "broken", upstream_model: "broken", used_as: ["small"], ok: false },
        checks: {
          plain: { ok: false, latency_ms: expect.any(Number), first_token_ms: null },
          ...{ stream: null, tools: null },
        },
        problems: [
          {
            ...{ check: "plain", status: 401, message: expect.stringContaining("bad key [redacted]") },
            advice: expect.stringContaining("refuses the key in OPENAI_API_KEY"),
          },
        ],
        warnings: [],
      },
    ],
  })
})

describe("wrong usage is exit code 2", () => {
  test.each([
    [{ all: true, model: "x" }, "--model tests one model and --all tests every one: leave one of them out."],
    [{ timeout: "0" }, '--timeout must be a number of seconds from 1 to 9999, not "0".'],
    [{ timeout: "soon" }, '--timeout must be a number of seconds from 1 to 9999, not "soon".'],
  ])("%j", async (given, problem) => {
    const { code, error } = await inWorld({}, async (io) => {
      const entry = commandTable({ io, env: {}, rest: [] }).find(({ name }) => name === "test-connection")
      if (entry === undefined) throw new Error("no such command")
      const rawArgs = Object.entries(given).map(([name, value]) =>
        value === true ? `--${name}` : `--${name}=${value}`,
      )
      const { result } = await runCommand(entry.command, { rawArgs })
      return Number(result)
    })
    expect([code, error]).toEqual([2, `claude-proxy: ${problem}\n`])
  })
})

describe("as a program", () => {
  test("it reads ./.env and the --config file, and ends by itself", async () => {
    const upstream = scripted(goodTurn)
    const cwd = folderWith({
      ".env": `OPENAI_BASE_URL=${upstream.url}\nOPENAI_API_KEY=sk-program-key-01\nBIG_MODEL=mine\n`,
      "others.yaml": `- model_id: mine\n  model_name: vendor-name\n  api_base: ${upstream.url}\n`,
    })
    const ended = await runProxy(["test-connection", "--config", "others.yaml", "--timeout", "30"], { cwd })
    expect([ended.exitCode, ended.stderr]).toEqual([0, ""])
    expect(ended.stdout).toContain("1 model: 1 works\n")
    expect(new Set(upstream.turns().map(({ body }) => body["model"]))).toEqual(new Set(["vendor-name"]))
  }, 60_000)

  test("a broken configuration is exit code 2", async () => {
    const ended = await runProxy(["test-connection"], { env: { OPENAI_BASE_URL: "nowhere" } })
    expect([ended.exitCode, ended.stdout]).toEqual([2, ""])
    expect(ended.stderr).toStartWith("claude-proxy: OPENAI_BASE_URL (environment) is not an http://")
  }, 60_000)

  test("Ctrl-C ends it at once", async () => {
    const upstream = scripted(() => ({ kind: "stall" }))
    const env = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-program-key-01" }
    const started = await startProxyCommand(["test-connection"], { env })
    await until(() => upstream.turns().length > 0, 20_000)
    const begun = performance.now()
    started.signal("SIGINT")
    const ended = await started.finished
    expect(ended.exitCode).toBe(130)
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(isAlive(started.pid)).toBe(false)
  }, 60_000)
})
