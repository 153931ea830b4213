// Azure, shape by shape: what really arrives there. The upstream is asked as an HTTP proxy would be, so that its
// name is a real one.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { cleanUp, post, scripted, startProxy, stopAll } from "../server/support.ts"
import { createMessagesUpstream, nativeEvent, nativeEvents } from "../support/anthropic-upstream.ts"
import { chatReply } from "../support/chunks.ts"

afterEach(stopAll)
afterAll(removeFolders)

const client = { proxy: false } as const
const root = "http://my.openai.azure.com"
const dated = "api-version=2024-10-21"
const chat = "/chat/completions"

type Env = Readonly<Record<string, string>>

function proxyFor(env: Env, port: string, yaml?: string) {
  const files = yaml === undefined ? {} : { "models.yaml": yaml }
  const all = { AZURE_OPENAI_API_KEY: "azure-key-1", HTTP_PROXY: `127.0.0.1:${port}`, ...env }
  const config = configOf(load({ env: all, configDir: folderWith(files) }))
  return startProxy("", { config: { ...config, port: 0 } })
}

async function sentFor(env: Env, yaml?: string) {
  const upstream = scripted(() => ({ kind: "json", body: chatReply({ content: "hi" }) }))
  const proxy = proxyFor(env, new URL(upstream.url).port, yaml)
  const response = await post(proxy, {}, client)
  expect(response.status).toBe(200)
  const [request, ...more] = upstream.requests
  expect(more).toEqual([])
  const { host = "", "api-key": key = "", authorization = "" } = request?.headers ?? {}
  return { url: `http://${host}${request?.path}`, model: request?.body["model"], key, authorization }
}

describe("the URL", () => {
  const inFoundry = "http://my.services.ai.azure.com"
  test.each<[string, Env, string]>([
    ["the resource", { OPENAI_BASE_URL: root }, `${root}/openai/deployments/gpt-4o${chat}?${dated}`],
    [
      "with /openai",
      { OPENAI_BASE_URL: `${root}/openai/` },
      `${root}/openai/deployments/gpt-4o${chat}?${dated}`,
    ],
    [
      "a version of one's own",
      { OPENAI_BASE_URL: root, AZURE_API_VERSION: "2025-03-01-preview" },
      `${root}/openai/deployments/gpt-4o${chat}?api-version=2025-03-01-preview`,
    ],
    [
      "one deployment",
      { OPENAI_BASE_URL: `${root}/openai/deployments/mine` },
      `${root}/openai/deployments/mine${chat}?${dated}`,
    ],
    [
      "one deployment, as the portal shows it",
      { OPENAI_BASE_URL: `${root}/openai/deployments/mine${chat}?api-version=2025-01-01-preview` },
      `${root}/openai/deployments/mine${chat}?api-version=2025-01-01-preview`,
    ],
    [
      "the version in the URL counts more",
      { OPENAI_BASE_URL: `${root}/openai/deployments/mine?api-version=a`, AZURE_API_VERSION: "b" },
      `${root}/openai/deployments/mine${chat}?api-version=a`,
    ],
    ["v1", { OPENAI_BASE_URL: `${root}/openai/v1/` }, `${root}/openai/v1${chat}`],
    [
      "v1 with a version",
      { OPENAI_BASE_URL: `${root}/openai/v1`, AZURE_API_VERSION: "preview" },
      `${root}/openai/v1${chat}?api-version=preview`,
    ],
    ["v1 in Foundry", { OPENAI_BASE_URL: `${inFoundry}/openai/v1` }, `${inFoundry}/openai/v1${chat}`],
    [
      "Foundry's inference API",
      { OPENAI_BASE_URL: `${inFoundry}/models` },
      `${inFoundry}/models${chat}?api-version=2024-05-01-preview`,
    ],
    [
      "a resource of Cognitive Services",
      { OPENAI_BASE_URL: "http://my.cognitiveservices.azure.com/" },
      `http://my.cognitiveservices.azure.com/openai/deployments/gpt-4o${chat}?${dated}`,
    ],
    [
      "a gateway in front",
      { OPENAI_BASE_URL: "http://gate.example/azure/openai/deployments/mine" },
      `http://gate.example/azure/openai/deployments/mine${chat}?${dated}`,
    ],
    [
      "a gateway that a version makes Azure",
      { OPENAI_BASE_URL: "http://gate.example/azure", AZURE_API_VERSION: "2024-06-01" },
      `http://gate.example/azure/openai/deployments/gpt-4o${chat}?api-version=2024-06-01`,
    ],
  ])("%s", async (_shape, env, url) => {
    const sent = await sentFor({ BIG_MODEL: "gpt-4o", ...env })
    expect(sent).toEqual({ url, model: "gpt-4o", key: "azure-key-1", authorization: "" })
  })

  test("a deployment in the URL is the model, if none is named", async () => {
    const { model } = await sentFor({ OPENAI_BASE_URL: `${root}/openai/deployments/my%20own` })
    expect(model).toBe("my own")
  })

  test.each<[string, Env, string]>([
    ["v1", { OPENAI_BASE_URL: `${root}/openai/v1` }, "/openai/v1/responses"],
    ["the resource", { OPENAI_BASE_URL: root }, "/openai/v1/responses"],
    ["a deployment", { OPENAI_BASE_URL: `${root}/openai/deployments/gpt-5-codex` }, "/openai/v1/responses"],
    [
      "a version too old for it",
      { OPENAI_BASE_URL: root, AZURE_API_VERSION: "2024-12-01-preview" },
      "/openai/v1/responses",
    ],
    [
      "as the portal shows it",
      { OPENAI_BASE_URL: `${root}/openai/responses?api-version=2025-04-01-preview` },
      "/openai/responses?api-version=2025-04-01-preview",
    ],
    [
      "Foundry's inference API",
      { OPENAI_BASE_URL: "http://my.services.ai.azure.com/models" },
      "/openai/v1/responses",
    ],
    [
      "a gateway that may know nothing of it",
      { OPENAI_BASE_URL: "http://gate.example/azure/openai/deployments/gpt-5-codex" },
      `/azure/openai/deployments/gpt-5-codex${chat}?${dated}`,
    ],
  ])(
    "a model that needs the Responses API is asked by it where Azure has it: %s",
    async (_shape, env, path) => {
      const upstream = scripted([])
      const proxy = proxyFor({ BIG_MODEL: "gpt-5-codex", ...env }, new URL(upstream.url).port)
      await post(proxy, {}, client)
      expect(upstream.requests[0]?.path).toBe(path)
      expect(upstream.requests[0]?.headers["api-key"]).toBe("azure-key-1")
    },
  )
})

describe("a deployment that is called otherwise than its model", () => {
  const mine = { OPENAI_BASE_URL: `${root}/openai/deployments/mine`, BIG_MODEL: "gpt-5-codex" }

  test("is asked where its name stands in the path", async () => {
    const { url } = await sentFor(mine)
    expect(url).toBe(`${root}/openai/deployments/mine${chat}?${dated}`)
  })
})

describe("the key", () => {
  test.each<[string, Env, string]>([
    ["of its own variable", { AZURE_API_KEY: "other" }, "azure-key-1"],
    ["of its other variable", { AZURE_OPENAI_API_KEY: "", AZURE_API_KEY: "other" }, "other"],
    ["of the general variable", { OPENAI_API_KEY: "general" }, "general"],
    ["the first of several", { AZURE_OPENAI_API_KEY: "one, two" }, "one"],
    ["that a header of the user's replaces", { CUSTOM_HEADER_API_KEY: "mine" }, "mine"],
  ])("%s", async (_which, env, key) => {
    const sent = await sentFor({ OPENAI_BASE_URL: root, BIG_MODEL: "gpt-4o", ...env })
    expect([sent.key, sent.authorization]).toEqual([key, ""])
  })

  test("a token of Entra's goes into a header of the user's", async () => {
    const env = { OPENAI_BASE_URL: root, BIG_MODEL: "gpt-4o", CUSTOM_HEADER_AUTHORIZATION: "Bearer eyJ0.e.x" }
    const sent = await sentFor({ ...env, AZURE_OPENAI_API_KEY: "" })
    expect([sent.key, sent.authorization]).toEqual(["", "Bearer eyJ0.e.x"])
  })
})

test("a provider of models.yaml has the same shapes", async () => {
  const yaml = [
    "providers:",
    `  east: { profile: azure, api_base: "${root}", api_key_name: EAST_KEY, extra_headers: { X-Team: blue } }`,
    "models:",
    "  - { model_id: m, provider: east, model_name: my-gpt }",
  ].join("\n")
  const sent = await sentFor({ BIG_MODEL: "m", EAST_KEY: "east-key-1", AZURE_OPENAI_API_KEY: "" }, yaml)
  expect(sent).toEqual({
    url: `${root}/openai/deployments/my-gpt${chat}?${dated}`,
    model: "my-gpt",
    key: "east-key-1",
    authorization: "",
  })
})

test("Anthropic's API in Foundry has no versions", async () => {
  const upstream = createMessagesUpstream([{ steps: nativeEvents("hi").map((event) => nativeEvent(event)) }])
  cleanUp(upstream.stop)
  const base = "http://my.services.ai.azure.com/anthropic"
  const proxy = proxyFor({ OPENAI_BASE_URL: base, BIG_MODEL: "claude-opus-5-5" }, new URL(upstream.url).port)
  expect((await post(proxy, { stream: true }, client)).status).toBe(200)
  expect(upstream.calls.map(({ path, headers }) => [path, headers["api-key"]])).toEqual([
    ["/anthropic/v1/messages", "azure-key-1"],
  ])
})
