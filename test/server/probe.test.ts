// What is said of models that cannot be reached: one line for every way this can fail.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { createServer, type Server } from "node:net"
import { objectOf } from "../../src/protocol/json.ts"
import { nearModels } from "../../src/server/probe/names.ts"
import { targetNamed, targetsOf } from "../../src/server/probe/target.ts"
import { configFrom, configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { textChunk, toolChunks } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { httpProxy, tlsFront } from "../upstream/http-proxy.ts"
import {
  adviceFor,
  chat,
  configFor,
  configForProfile,
  goodTurn,
  paths,
  probe,
  refusing,
} from "./probe-support.ts"
import { cleanUp, scripted, stopAll } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const endpoint = "/v1/chat/completions"
const page = () =>
  new Response("<html><title>Welcome</title></html>", { headers: { "content-type": "text/html" } })
const list =
  (...ids: readonly string[]) =>
  () =>
    Response.json({ data: ids.map((id) => ({ id, object: "model" })) })
const noModel = refusing(404, "The model `big-model` does not exist", { code: "model_not_found" })

describe("an upstream that refuses", () => {
  test.each<[string, number, string, string]>([
    [
      "the key",
      401,
      "Incorrect API key provided",
      "HOST refuses the key in OPENAI_API_KEY: check that it is whole, not revoked, and made for this host",
    ],
    [
      "the account",
      403,
      "Country not supported",
      "HOST does not allow this to the key in OPENAI_API_KEY: check that its account may use big-model, and from here",
    ],
    [
      "for want of money",
      402,
      "Insufficient balance",
      "the account behind OPENAI_API_KEY has no credit or quota left at HOST: look at its billing",
    ],
    [
      "for want of quota",
      429,
      "You exceeded your current quota",
      "the account behind OPENAI_API_KEY has no credit or quota left at HOST: look at its billing",
    ],
    [
      "for too many requests",
      429,
      "Rate limit reached",
      "HOST takes no more requests for the key in OPENAI_API_KEY now: wait a little, or raise the account's limits",
    ],
    ["for too much work", 529, "Overloaded", "HOST is overloaded: try again later"],
    [
      "for a mistake of its own",
      500,
      "oops",
      "HOST has a problem of its own: try again; if it stays, ask whoever runs it",
    ],
    [
      "the request",
      400,
      "temperature: unsupported",
      "HOST refuses the request itself: claude-proxy convert --explain --model big-model shows what is sent",
    ],
    [
      "plain HTTP",
      400,
      "The plain HTTP request was sent to HTTPS port",
      "OPENAI_BASE_URL should begin with https://: https://HOST/v1",
    ],
    [
      "so small a prompt",
      400,
      "This model's maximum context length is 4 tokens. However, you requested 1040 tokens",
      "the window of big-model is too small: choose a model with a larger one",
    ],
  ])("%s", async (_name, status, message, advice) => {
    const url = paths({ [endpoint]: refusing(status, message) })
    expect(await adviceFor(configFor(`${url}/v1`))).toBe(advice)
  })

  test("for want of a key that nobody has set", async () => {
    const url = paths({ [endpoint]: refusing(401, "no key") })
    const config = configFrom({ OPENAI_BASE_URL: `${url}/v1`, BIG_MODEL: "big-model" })
    expect(await adviceFor(config)).toBe("set OPENAI_API_KEY: big-model needs it, and it is not set")
  })

  test("for want of a key of which no name is known", async () => {
    const url = paths({ [endpoint]: refusing(401, "no key") })
    expect(await adviceFor(configForProfile("ollama", `${url}/v1`))).toBe(
      "HOST wants a key: name the variable that holds it as api_key_name in models.yaml",
    )
  })

  test("tools, at the only check that has any", async () => {
    const upstream = scripted((body) =>
      body["tools"] === undefined
        ? goodTurn(body)
        : { kind: "json", status: 400, body: { error: { message: "big-model does not support tools" } } },
    )
    const report = await probe(configFor(upstream.url), { checks: ["plain", "stream", "tools"] })
    expect(report.problems).toEqual([
      {
        check: "tools",
        status: 400,
        message: "[generic] big-model does not support tools",
        advice:
          "big-model takes no tools here, and Claude Code does its work by them: set BIG_MODEL to a model that does",
      },
    ])
  })

  test.each([
    [
      '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
      "start vllm with --enable-auto-tool-choice and the --tool-call-parser of this model",
    ],
    [
      "tools param requires --jinja flag",
      "start llama-server with --jinja: without it there are no tool calls",
    ],
  ])("tools, as it was started: %s", async (message, advice) => {
    const url = paths({ [endpoint]: refusing(400, message) })
    expect(await adviceFor(configFor(`${url}/v1`), { checks: ["tools"] })).toBe(advice)
  })
})

describe("a base URL that is none", () => {
  const refusal = refusing(401, "who are you?")
  test.each<[string, string, Parameters<typeof paths>[0], string]>([
    [
      "lacks its /v1",
      "",
      { [endpoint]: chat },
      "OPENAI_BASE_URL should be http://HOST/v1 (it is http://HOST)",
    ],
    [
      "lacks its /v1, where the key is refused too",
      "",
      { [endpoint]: refusal },
      "OPENAI_BASE_URL should be http://HOST/v1 (it is http://HOST)",
    ],
    [
      "lacks its /v1, where the model is unknown too",
      "",
      { [endpoint]: noModel },
      "OPENAI_BASE_URL should be http://HOST/v1 (it is http://HOST)",
    ],
    [
      "has a /v1 too much",
      "/v1",
      { "/chat/completions": chat },
      "OPENAI_BASE_URL should be http://HOST (it is http://HOST/v1)",
    ],
    [
      "has it twice",
      "/v1/v1",
      { [endpoint]: chat },
      "OPENAI_BASE_URL should be http://HOST/v1 (it is http://HOST/v1/v1)",
    ],
    [
      "lacks /api/v1",
      "",
      { "/api/v1/chat/completions": chat },
      "OPENAI_BASE_URL should be http://HOST/api/v1 (it is http://HOST)",
    ],
    [
      "leads to a page beside the API",
      "",
      { "/chat/completions": page, [endpoint]: chat },
      "OPENAI_BASE_URL should be http://HOST/v1 (it is http://HOST)",
    ],
    [
      "leads to a page",
      "/v1",
      { [endpoint]: page },
      "OPENAI_BASE_URL is http://HOST/v1, and there is a web page: look up the base URL of your provider, which mostly ends in /v1",
    ],
    [
      "leads nowhere",
      "/abc",
      {},
      "OPENAI_BASE_URL is http://HOST/abc, and there is no API for chat: look up the base URL of your provider, which mostly ends in /v1",
    ],
    [
      "is answered by pages everywhere",
      "/v1",
      { [endpoint]: page, "/chat/completions": page, "/api/v1/chat/completions": page },
      "OPENAI_BASE_URL is http://HOST/v1, and there is a web page: look up the base URL of your provider, which mostly ends in /v1",
    ],
    [
      "has moved",
      "/v1",
      { [endpoint]: () => Response.redirect("https://new.example/v1/chat/completions", 308) },
      "OPENAI_BASE_URL should be https://new.example/v1",
    ],
    [
      "has moved to who knows where",
      "/v1",
      { [endpoint]: () => Response.redirect("https://new.example/login", 302) },
      "set OPENAI_BASE_URL to the address that it redirects to",
    ],
  ])("%s", async (_name, path, answers, advice) => {
    expect(await adviceFor(configFor(paths(answers) + path))).toBe(advice)
  })

  test("of a model of models.yaml is corrected there", async () => {
    const url = paths({ [endpoint]: chat })
    expect(await adviceFor(configForProfile("vllm", url))).toBe(
      "api_base of the model mine in models.yaml should be http://HOST/v1 (it is http://HOST)",
    )
  })

  test("of an upstream that is to be passed through", async () => {
    const reply = { type: "message", role: "assistant", content: [{ type: "text", text: "OK" }] }
    const url = paths({ "/anthropic/v1/messages": () => Response.json(reply) })
    const yaml = `- model_id: mine\n  api_base: ${url}\n  direct: true\n`
    const config = configOf(
      load({ env: { BIG_MODEL: "mine" }, configDir: folderWith({ "models.yaml": yaml }) }),
    )
    expect(await adviceFor(config)).toBe(
      "api_base of the model mine in models.yaml should be http://HOST/anthropic (it is http://HOST)",
    )
  })

  test("at Azure", async () => {
    const config = configFor(paths({}), { AZURE_API_VERSION: "2020-01-01" })
    expect(await adviceFor(config)).toBe(
      'on Azure a model is called like its deployment: check that HOST has a deployment "big-model" (else set BIG_MODEL), and that AZURE_API_VERSION is one it knows',
    )
  })
})

describe("a model that is not there", () => {
  test.each<[string, readonly string[] | undefined, string]>([
    [
      "has names like its own",
      ["other", "big-model-2", "vendor/Big_Model"],
      "set BIG_MODEL to vendor/Big_Model or big-model-2",
    ],
    ["has no such names", ["a1", "b2"], "set BIG_MODEL to one it has: a1, b2"],
    [
      "is one of many others",
      ["a", "b", "c", "d", "e", "f", "g"],
      "set BIG_MODEL to one it has: a, b, c, d, e and 2 more",
    ],
    ["has no list", undefined, "set BIG_MODEL to a name that your provider documents"],
  ])("%s", async (_name, names, rest) => {
    const models = names === undefined ? {} : { "/v1/models": list(...names) }
    const url = paths({ [endpoint]: noModel, ...models })
    expect(await adviceFor(configFor(`${url}/v1`))).toBe(`HOST has no "big-model": ${rest}`)
  })

  test("and is listed all the same", async () => {
    const url = paths({ [endpoint]: noModel, "/v1/models": list("big-model") })
    expect(await adviceFor(configFor(`${url}/v1`))).toBe(
      'HOST lists "big-model" and refuses it: check that your account may use it',
    )
  })

  test("in Ollama can be fetched", async () => {
    const url = paths({ [endpoint]: noModel, "/v1/models": list("qwen3:8b") })
    expect(await adviceFor(configForProfile("ollama", `${url}/v1`))).toBe(
      'HOST has no "big-model": get it with ollama pull big-model, or set model_name of mine in models.yaml to one it has: qwen3:8b',
    )
  })

  test.each<[string, readonly string[], readonly string[]]>([
    ["gpt-4x", ["gpt-4", "gpt-4o", "gpt-4.1", "gpt-4o-mini", "whisper-1"], ["gpt-4", "gpt-4o", "gpt-4.1"]],
    ["deepseek-chat", ["deepseek/deepseek-chat", "deepseek/deepseek-v4"], ["deepseek/deepseek-chat"]],
    ["GLM-4.6", ["glm-4.6", "glm-4.5-air", "embedding-3"], ["glm-4.6"]],
    ["kimi-k3", ["kimi-k2.5", "moonshot-v1-8k"], ["kimi-k2.5"]],
    ["x", ["y", "z".repeat(10_000)], []],
  ])("%s is most like", (wanted, names, near) => {
    expect(nearModels(wanted, names).slice(0, Math.max(near.length, 1))).toEqual([...near])
  })
})

const silentServer = (onData: (server: Server) => void = () => {}): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy())
      socket.on("data", () => {
        onData(server)
        socket.destroy()
      })
    })
    cleanUp(() => {
      server.close()
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

describe("a connection that fails", () => {
  test("nothing listens", async () => {
    expect(await adviceFor(configFor("http://127.0.0.1:9/v1"))).toBe(
      "nothing listens at http://HOST: start the server, or correct OPENAI_BASE_URL",
    )
  })

  test("nothing listens at the address of a provider of models.yaml", async () => {
    const yaml =
      "models: [{ model_id: mine, provider: relay }]\nproviders: { relay: { api_base: http://127.0.0.1:9/v1 } }\n"
    const configDir = folderWith({ "models.yaml": yaml })
    for (const model of ["mine", "relay/other"]) {
      expect(await adviceFor(configOf(load({ env: { BIG_MODEL: model }, configDir })))).toBe(
        "nothing listens at http://HOST: start the server, or correct api_base of the provider relay in models.yaml",
      )
    }
  })

  test("Ollama is not started", async () => {
    expect(await adviceFor(configForProfile("ollama", "http://127.0.0.1:9/v1"))).toBe(
      "nothing listens at http://HOST: start it (ollama serve), or correct api_base of the model mine in models.yaml",
    )
  })

  test("the host does not exist", async () => {
    expect(await adviceFor(configFor("http://nobody.invalid/v1"))).toBe(
      "check the spelling of nobody.invalid in OPENAI_BASE_URL, and this machine's network and VPN",
    )
  })

  test("the certificate is not trusted", async () => {
    const port = await tlsFront(9)
    expect(await adviceFor(configFor(`https://127.0.0.1:${port}/v1`))).toBe(
      "set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that HOST is signed by (of your company's, if it inspects TLS)",
    )
  })

  test("https:// to a server without TLS", async () => {
    const url = paths({}).replace("http:", "https:")
    expect(await adviceFor(configFor(`${url}/v1`))).toBe(
      "OPENAI_BASE_URL should begin with http://: http://HOST/v1",
    )
  })

  test("http:// to a server with TLS", async () => {
    const port = await tlsFront(9)
    expect(await adviceFor(configFor(`http://127.0.0.1:${port}/v1`))).toBe(
      "OPENAI_BASE_URL should begin with https://: https://HOST/v1",
    )
  })

  test("the server hangs up", async () => {
    const port = await silentServer()
    expect(await adviceFor(configFor(`http://127.0.0.1:${port}/v1`))).toBe(
      "check that HOST in OPENAI_BASE_URL is an API, and whether a firewall or a VPN stands in the way",
    )
  })

  test("the server never answers", async () => {
    const upstream = scripted([{ kind: "stall" }])
    const report = await probe(configFor(upstream.url), { timeoutMs: 200, checks: ["plain", "stream"] })
    expect(report.problems).toHaveLength(1)
    expect(report.problems[0]?.advice.replace(/127.*?(?= )/, "HOST")).toBe(
      "HOST is slow or does not answer: try again, or wait longer with test-connection --timeout SECONDS",
    )
  })

  test("the server goes on for ever", async () => {
    const chunks = Array.from({ length: 1000 }, () => textChunk("again "))
    const upstream = scripted(() => ({ kind: "stream", chunks, delayMs: 20 }))
    const report = await probe(configFor(upstream.url), { timeoutMs: 300, checks: ["stream"] })
    expect(report.problems.map(({ message }) => message)).toEqual(["no complete reply within 0.3 s"])
  })

  test("an HTTP proxy stands in the way", async () => {
    const between = await httpProxy(9, { refuse: "403 Forbidden" })
    const env = { HTTPS_PROXY: `http://127.0.0.1:${between.port}` }
    expect(await adviceFor(configFor("https://upstream.test/v1", env))).toBe(
      "HTTPS_PROXY leads through a proxy that does not let this pass: check it, or add upstream.test to NO_PROXY",
    )
  })

  test("an HTTP proxy is not there", async () => {
    const env = { HTTP_PROXY: "http://127.0.0.1:9" }
    expect(await adviceFor(configFor("http://upstream.test/v1", env))).toBe(
      "HTTP_PROXY leads through a proxy that does not let this pass: check it, or add upstream.test to NO_PROXY",
    )
  })
})

describe("what works, but not well", () => {
  const checked = async (answer: (body: Readonly<Record<string, unknown>>) => Turn) =>
    probe(configFor(scripted(answer).url), { checks: ["plain", "stream", "tools"] })

  test("nothing, where all is well", async () => {
    const { ok, checks, problems, warnings } = await checked(goodTurn)
    expect({ ok, problems, warnings }).toEqual({ ok: true, problems: [], warnings: [] })
    const figures = { latencyMs: expect.any(Number), replyId: expect.stringMatching(/^msg_/) }
    expect(checks).toEqual({
      plain: { kind: "ok", ...figures, firstTokenMs: undefined },
      stream: { kind: "ok", ...figures, firstTokenMs: expect.any(Number) },
      tools: { kind: "ok", ...figures, firstTokenMs: expect.any(Number) },
    })
  })

  test("a model that calls no tool", async () => {
    const { ok, warnings } = await checked((body) => goodTurn({ stream: body["stream"] }))
    expect({ ok, warnings }).toEqual({
      ok: true,
      warnings: ["did not call the tool it was asked to call: Claude Code does its work by such calls"],
    })
  })

  test("a model that calls it with something else", async () => {
    const { ok, warnings } = await checked((body) =>
      body["tools"] === undefined
        ? goodTurn(body)
        : { kind: "stream", chunks: toolChunks(0, "c", "get_weather", { town: 7 }) },
    )
    expect({ ok, warnings }).toEqual({
      ok: true,
      warnings: [
        "called the tool with arguments that do not fit it: it may fail at the tools of Claude Code",
      ],
    })
  })

  const narrow = (tokens: number, how: string) =>
    `its window of ${tokens} tokens is too small for Claude Code, which begins with about 24000: ${how}`

  test.each(["context_length", "context_window", "max_model_len", "max_context_length"])(
    "a window that the list of models calls %s",
    async (field) => {
      const models = () =>
        Response.json({
          data: [
            { id: "other", [field]: 1 },
            { id: "big-model", [field]: 8192 },
          ],
        })
      const report = await probe(configFor(`${paths({ [endpoint]: chat, "/v1/models": models })}/v1`))
      expect([report.ok, report.window]).toEqual([true, 8192])
      expect(report.warnings).toEqual([narrow(8192, "choose a model with a larger one")])
    },
  )

  const widen = "set OLLAMA_CONTEXT_LENGTH=65536 where Ollama runs, and start it anew"
  test.each<[string, Parameters<typeof paths>[0], number | undefined, readonly string[]]>([
    [
      "as it runs",
      {
        "/api/ps": () => Response.json({ models: [{ name: "big-model:latest", context_length: 4096 }] }),
        "/api/show": () => Response.json({ model_info: { "qwen3.context_length": 40960 } }),
      },
      4096,
      [narrow(4096, widen)],
    ],
    [
      "as it was told",
      {
        "/api/ps": () => Response.json({ models: [] }),
        "/api/show": () =>
          Response.json({
            parameters: "stop x\nnum_ctx    16384",
            model_info: { "a.context_length": 40960 },
          }),
      },
      16384,
      [narrow(16384, widen)],
    ],
    [
      "as it could be",
      {
        "/api/show": async (request) =>
          Response.json({
            model_info: { [`${objectOf(await request.json())["model"]}.context_length`]: 40960 },
          }),
      },
      40960,
      [],
    ],
    ["of which nothing is known", {}, undefined, []],
  ])("Ollama's window, %s", async (_name, answers, window, warnings) => {
    const url = paths({ [endpoint]: chat, ...answers })
    const report = await probe(configForProfile("ollama", `${url}/v1`))
    expect([report.window, report.warnings]).toEqual([window, [...warnings]])
  })

  test("llama.cpp's window, which its list does not tell", async () => {
    const url = paths({
      [endpoint]: chat,
      "/v1/models": () =>
        Response.json({ data: [{ id: "big-model", owned_by: "llamacpp", meta: { n_ctx_train: 40960 } }] }),
      "/props": () => Response.json({ default_generation_settings: { n_ctx: 4096 } }),
    })
    expect((await probe(configFor(`${url}/v1`))).window).toBe(4096)
  })

  test("a window that only models.yaml tells", async () => {
    const url = paths({ [endpoint]: chat })
    const yaml = `- model_id: mine\n  api_base: ${url}/v1\n  max_input_tokens: 16000\n`
    const config = configOf(
      load({ env: { BIG_MODEL: "mine" }, configDir: folderWith({ "models.yaml": yaml }) }),
    )
    expect((await probe(config)).warnings).toEqual([narrow(16000, "choose a model with a larger one")])
  })
})

describe("which models are tested", () => {
  const yaml = [
    "- { model_id: one, provider: deepseek }",
    "- { model_id: two, provider: moonshot }",
    "- { model_id: big, provider: openai, model_name: gpt-5 }",
    "",
  ].join("\n")
  const config = configOf(
    load({
      env: {
        OPENAI_API_KEY: "k",
        BIG_MODEL: "big",
        SMALL_MODEL: "gpt-5",
        ROUTER_THINK: "one",
        DEEPSEEK_API_KEY: "d",
      },
      configDir: folderWith({ "models.yaml": yaml }),
    }),
  )
  const shown = (targets: ReturnType<typeof targetsOf>) =>
    targets.map(({ name, uses, resolved, spare }) => [name, uses.join(), resolved.ok, spare])

  test("those that tiers and routes lead to, each once", () => {
    expect(shown(targetsOf(config, false))).toEqual([
      ["big", "big,middle,small", true, false],
      ["one", "think", true, false],
    ])
  })

  test("and those of models.yaml", () => {
    expect(shown(targetsOf(config, true))).toEqual([
      ["big", "big,middle,small", true, false],
      ["one", "think", true, false],
      ["two", "", false, true],
    ])
  })

  test("a route that takes a whole family stands before its tier", () => {
    const env = { OPENAI_API_KEY: "k", ROUTER_DEFAULT: "gpt-5", ROUTER_BACKGROUND: "gpt-5-mini" }
    const targets = targetsOf(configOf(load({ env })), false)
    expect(targets.map(({ name, uses, modelSetting }) => [name, uses.join(), modelSetting])).toEqual([
      ["gpt-5", "big,middle,default", "ROUTER_DEFAULT"],
      ["gpt-5-mini", "small,background", "ROUTER_BACKGROUND"],
    ])
  })

  test("models that differ in what is sent alone are two", () => {
    const same = "provider: openai, model_name: gpt-5"
    const file = [
      `- { model_id: plain, ${same} }`,
      `- { model_id: again, ${same} }`,
      `- { model_id: body, ${same}, extra_body: { service_tier: flex } }`,
      `- { model_id: cold, ${same}, temperature: 0 }`,
      `- { model_id: ruled, ${same}, profile: vllm }`,
      "",
    ].join("\n")
    const env = { OPENAI_API_KEY: "k", BIG_MODEL: "plain", SMALL_MODEL: "plain" }
    const given = configOf(load({ env, configDir: folderWith({ "models.yaml": file }) }))
    expect(targetsOf(given, true).map(({ name }) => name)).toEqual(["plain", "body", "cold", "ruled"])
  })

  test.each([
    ["claude-sonnet-5-5", "big", true],
    ["custom/one", "custom/one", true],
    ["deepseek/deepseek-chat", "deepseek/deepseek-chat", true],
    ["gpt-4o", "gpt-4o", true],
    ["two", "two", false],
    ["moonshot/x", "moonshot/x", false],
  ])("one by its name: %s", (name, meant, ok) => {
    const target = targetNamed(config, name)
    expect([target.name, target.resolved.ok, target.spare]).toEqual([meant, ok, false])
  })
})
