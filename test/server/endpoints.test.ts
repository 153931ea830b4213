// Paths, methods, and the endpoints that tell instead of doing.
import { afterEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import { folderWith, removeFolders } from "../config/support.ts"
import { chatReply } from "../support/chunks.ts"
import { until } from "../support/upstream.ts"
import { basicBody, jsonOf, start, startProxy, stopAll } from "./support.ts"

afterEach(stopAll)
afterEach(removeFolders)

const reply = () => ({ kind: "json", body: chatReply({ content: "hi" }) }) as const
const nowhere = "http://127.0.0.1:9/v1"
const requestId = /^req_[0-9A-Za-z]{24}$/

async function get(path: string, init: RequestInit = {}) {
  const proxy = startProxy(nowhere)
  const response = await fetch(proxy.url + path, init)
  const text = await response.text()
  return { proxy, response, text, json: text === "" ? {} : objectOf(JSON.parse(text)) }
}

test.each([
  "/v1/messages",
  "/v1/messages?beta=true",
  "/v1/messages/",
  "//v1/messages",
  "/v1//messages",
  "/v1/v1/messages",
  "/anthropic/v1/messages",
  "/anthropic/v1/v1/messages/?beta=true",
  "/messages",
  "/anthropic/messages?beta=true",
])("POST %s is the Messages API", async (path) => {
  const { proxy } = start(reply)
  const response = await fetch(proxy.url + path, { method: "POST", body: JSON.stringify(basicBody) })
  expect(response.status).toBe(200)
  expect((await jsonOf(response))["type"]).toBe("message")
})

test.each([
  ["GET", "/v1/nothing"],
  ["POST", "/v1/messages/batches"],
  ["POST", "/v1/complete"],
  ["GET", "/v1/files"],
  ["POST", "/v1"],
  ["GET", "/api/oauth/profile"],
  ["GET", "/constructor"],
  ["GET", "/__proto__"],
  ["POST", "/v1/messagesx"],
  ["POST", "/messagesx"],
  ["POST", "/v2/messages"],
  ["OPTIONS", "/nothing"],
])("%s %s is 404 in Anthropic's shape", async (method, path) => {
  const { response, json } = await get(path, { method })
  expect(response.status).toBe(404)
  expect(json).toEqual({
    type: "error",
    error: {
      type: "not_found_error",
      message: `${method} ${path} is not supported by this proxy; see GET / for what is`,
    },
    request_id: expect.stringMatching(requestId),
  })
  expect(response.headers.get("request-id")).toBe(String(json["request_id"]))
})

test.each([
  ["GET", "/v1/messages", "POST, OPTIONS"],
  ["PUT", "/v1/messages/count_tokens", "POST, OPTIONS"],
  ["HEAD", "/v1/messages", "POST, OPTIONS"],
  ["POST", "/v1/models", "GET, HEAD, OPTIONS"],
  ["DELETE", "/v1/models/a", "GET, HEAD, OPTIONS"],
  ["POST", "/", "GET, HEAD, OPTIONS"],
  ["POST", "/health", "GET, HEAD, OPTIONS"],
])("%s %s is 405", async (method, path, allow) => {
  const { response } = await get(path, { method })
  expect(response.status).toBe(405)
  expect(response.headers.get("allow")).toBe(allow)
  expect(response.headers.get("request-id")).toMatch(requestId)
})

test("OPTIONS says what is allowed and lets no web page in", async () => {
  const headers = { origin: "http://localhost:3000", "access-control-request-method": "POST" }
  const { response, text } = await get("/v1/messages", { method: "OPTIONS", headers })
  expect([response.status, response.headers.get("allow"), text]).toEqual([204, "POST, OPTIONS", ""])
  expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
})

test("HEAD / is empty, GET / says what this is", async () => {
  const head = await get("/", { method: "HEAD" })
  expect([head.response.status, head.text]).toEqual([200, ""])
  expect(head.response.headers.get("request-id")).toMatch(requestId)
  const { response, json, text } = await get("/")
  expect(response.status).toBe(200)
  expect(json).toEqual({
    name: "claude-proxy",
    version: "0.0.0-test",
    endpoints: [
      "/v1/messages",
      "/v1/messages/count_tokens",
      "/v1/messages/test_conversion",
      "/v1/chat/completions",
      "/v1/models",
      "/v1/stats",
      "/health",
      "/metrics",
      "/test-connection",
    ],
    models: { big: "big-model", middle: "middle-model", small: "small-model" },
  })
  expect(text).not.toContain("sk-upstream")
})

test("GET /health", async () => {
  const { proxy, response, json, text } = await get("/health")
  expect(response.status).toBe(200)
  expect(json).toEqual({
    status: "healthy",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    server: { host: "127.0.0.1", port: proxy.port },
    models: { big: "big-model", middle: "middle-model", small: "small-model" },
    api_status: { upstream: expect.any(String), api_key_configured: true, client_keys_required: false },
  })
  expect(text).not.toContain("sk-upstream")
})

test.each([
  ["HTTP/1.0, as health checks of old load balancers", "GET /health HTTP/1.0\r\n\r\n"],
  ["an empty Host", "GET /health HTTP/1.1\r\nhost: \r\n\r\n"],
  ["a query", "GET /v1/models?limit=1 HTTP/1.0\r\n\r\n"],
  ["a slash too many", "GET //v1/models HTTP/1.0\r\n\r\n"],
  ["what would be no host", "GET //%5D/../health HTTP/1.0\r\n\r\n"],
])("%s is answered", async (_name, request) => {
  const proxy = startProxy(nowhere)
  let heard = ""
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: proxy.port,
    socket: {
      data: (_socket, data) => {
        heard += data.toString()
      },
    },
  })
  socket.write(request)
  await until(() => heard.includes("\r\n\r\n"))
  expect(heard).toStartWith("HTTP/1.1 200 OK")
  socket.terminate()
})

test.each([
  "/api/event_logging/batch",
  "/api/event_logging/v2/batch",
  "/api/claude_code/metrics",
  "/v1/traces",
])("telemetry to %s ends here", async (path) => {
  const { response, json } = await get(path, { method: "POST", body: "x" })
  expect([response.status, json]).toEqual([200, {}])
})

describe("GET /v1/models", () => {
  const all = [
    ...["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"],
    ...["big-model", "middle-model", "small-model"],
  ]
  test.each<[string, readonly string[], boolean]>([
    ["", all, false],
    ["?limit=1000&lifecycle%5B%5D=active&unknown=1", all, false],
    ["?limit=2", all.slice(0, 2), true],
    ["?limit=2&after_id=claude-sonnet-5-5", all.slice(2, 4), true],
    ["?limit=3&after_id=claude-haiku-5-5", all.slice(3), false],
    ["?after_id=small-model", [], false],
    ["?limit=2&before_id=middle-model", all.slice(2, 4), true],
    ["?before_id=claude-sonnet-5-5", all.slice(0, 1), false],
  ])("%j", async (query, ids, more) => {
    const { response, json } = await get(`/v1/models${query}`)
    expect(response.status).toBe(200)
    const data = Array.isArray(json["data"]) ? json["data"] : []
    expect(data.map((model) => objectOf(model)["id"])).toEqual([...ids])
    expect([json["has_more"], json["first_id"], json["last_id"]]).toEqual([
      more,
      ids[0] ?? null,
      ids.at(-1) ?? null,
    ])
  })

  test.each(["0", "1001", "x", "", "1.5"])("limit=%s is refused", async (limit) => {
    const { response, json } = await get(`/v1/models?limit=${limit}`)
    expect(response.status).toBe(400)
    expect(objectOf(json["error"])["type"]).toBe("invalid_request_error")
  })

  test("a model's fields", async () => {
    const { json } = await get("/v1/models/claude-opus-5-5")
    expect(json).toEqual({
      type: "model",
      id: "claude-opus-5-5",
      display_name: "big-model (opus)",
      created_at: "2026-01-01T00:00:00Z",
      max_input_tokens: null,
      max_tokens: null,
      capabilities: null,
      deprecated_at: null,
      retires_at: null,
      lifecycle: "active",
      line: "opus",
    })
  })

  test("families are called after what they lead to, and routes can be asked for", async () => {
    const namesOf = async (upstream: string, env: Record<string, string>) => {
      const { data } = await jsonOf(fetch(`${startProxy(upstream, { env }).url}/v1/models`))
      return arrayOf(data).map((model) => objectOf(model)["display_name"])
    }
    const routes = { ROUTER_DEFAULT: "mine", ROUTER_BACKGROUND: "tiny" }
    expect(await namesOf(nowhere, routes)).toEqual([
      ...["mine (opus)", "mine (sonnet)", "tiny (haiku)"],
      ...["big-model", "middle-model", "small-model", "mine", "tiny"],
    ])
    const unset = { BIG_MODEL: "", MIDDLE_MODEL: "", SMALL_MODEL: "" }
    expect(await namesOf("https://api.anthropic.com", unset)).toEqual([
      ...["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"],
    ])
  })

  test("what no family leads to has a name that Claude Code's discovery shows, and leads there by it", async () => {
    const models = ["mine", "claude-own", "relay/other"].map(
      (id) =>
        `- {model_id: ${id}, model_name: real-${id}, api_base: ${nowhere}, api_key_name: OPENAI_API_KEY}\n`,
    )
    const CUSTOM_MODELS_FILE = join(folderWith({ "models.yaml": models.join("") }), "models.yaml")
    const env = { CUSTOM_MODELS_FILE, BIG_MODEL: "mine", ROUTER_THINK: "deep/thinker" }
    const proxy = startProxy(nowhere, { env })
    const { data } = await jsonOf(fetch(`${proxy.url}/v1/models`))
    const listed = arrayOf(data).map(objectOf)
    expect(listed.slice(-2).map(({ id, display_name }) => [id, display_name])).toEqual([
      ["claude-via-deep/thinker", "deep/thinker"],
      ["claude-via-relay/other", "relay/other"],
    ])
    const found = await jsonOf(fetch(`${proxy.url}/v1/models/claude-via-relay%2Fother`))
    expect(found["display_name"]).toBe("relay/other")
  })

  test.each([
    ["/v1/models/small-model", "small-model", null],
    ["/v1/models/claude-sonnet-4-20250514", "claude-sonnet-4-20250514", "sonnet"],
    ["/v1/models/claude-opus-5-5%5B1m%5D", "claude-opus-5-5[1m]", "opus"],
    ["/v1/v1/models/claude-x", "claude-x", null],
    ["/models/claude-x", "claude-x", null],
    ["/v1/models/anthropic/claude-haiku", "anthropic/claude-haiku", "haiku"],
    ["/v1/models/anthropic%2Fclaude-haiku", "anthropic/claude-haiku", "haiku"],
  ])("%s", async (path, id, line) => {
    const { response, json } = await get(path)
    expect(response.status).toBe(200)
    expect([json["id"], json["line"]]).toEqual([id, line])
  })

  test("names with a provider, or custom/ before them, are known as well", async () => {
    const models = "- {model_id: mine, api_base: https://relay.example/v1, api_key_name: OPENAI_API_KEY}\n"
    const CUSTOM_MODELS_FILE = join(folderWith({ "models.yaml": models }), "models.yaml")
    const proxy = startProxy(nowhere, { env: { DEEPSEEK_API_KEY: "sk-deepseek", CUSTOM_MODELS_FILE } })
    const statusOf = async (id: string) =>
      (await fetch(`${proxy.url}/v1/models/${encodeURIComponent(id)}`)).status
    const ids = ["deepseek/deepseek-v4-pro", "custom/mine", "mine", "groq/x", "custom/yours", "deepseek/"]
    expect(await Promise.all(ids.map(statusOf))).toEqual([200, 200, 200, 404, 404, 404])
  })

  test.each(["/v1/models/nobody-knows-it", "/v1/models/%E0%A4%A", "/v1/models/*"])(
    "%s is 404",
    async (path) => {
      const { response, json } = await get(path)
      expect(response.status).toBe(404)
      expect(objectOf(json["error"])["type"]).toBe("not_found_error")
    },
  )

  test("a tier that is called like an alias is listed once", async () => {
    const proxy = startProxy(nowhere, { env: { BIG_MODEL: "claude-opus-5-5", MIDDLE_MODEL: "org/model" } })
    const json = await jsonOf(fetch(`${proxy.url}/v1/models`))
    const data = Array.isArray(json["data"]) ? json["data"] : []
    const ids = data.map((model) => objectOf(model)["id"])
    expect(ids).toEqual([...all.slice(0, 3), "org/model", "small-model"])
    expect((await fetch(`${proxy.url}/v1/models/org%2Fmodel`)).status).toBe(200)
  })
})

describe("paths of OpenAI's API say what is wrong in its shape", () => {
  const shape = (type: string) => ({
    error: { message: expect.any(String), type, param: null, code: expect.anything() },
  })
  test.each([
    ["GET", "/v1/chat/completions", 405, "POST, OPTIONS"],
    ["DELETE", "/v1/chat/completions/", 405, "POST, OPTIONS"],
    ["GET", "/v1/chat/completions/abc", 404, null],
    ["POST", "/v1/chat/nothing", 404, null],
  ])("%s %s is %p", async (method, path, status, allow) => {
    const { response, json } = await get(path, { method })
    expect(response.status).toBe(status)
    expect(Object.keys(json)).toEqual(["error"])
    expect(Object.keys(objectOf(json["error"]))).toEqual(Object.keys(shape("").error))
    expect(response.headers.get("allow")).toBe(allow)
    expect(response.headers.get("x-request-id")).toMatch(requestId)
  })

  test("a body that is too large", async () => {
    const body = new Uint8Array(64 * 1024 * 1024 + 1)
    const { response, json } = await get("/v1/chat/completions", { method: "POST", body })
    expect(response.status).toBe(413)
    expect(Object.keys(json)).toEqual(["error"])
  })

  test("no key", async () => {
    const proxy = startProxy(nowhere, { env: { ALLOWED_API_KEYS: "right" } })
    const response = await fetch(`${proxy.url}/v1/chat/completions`, { method: "POST", body: "{}" })
    expect(response.status).toBe(401)
    expect(Object.keys(await jsonOf(response))).toEqual(["error"])
  })
})

describe("POST /v1/messages/count_tokens", () => {
  test.each([
    ["string content", { messages: basicBody.messages }],
    ["tools: []", { messages: basicBody.messages, tools: [] }],
    ["blocks", { messages: [{ role: "user", content: [{ type: "text", text: "hi there" }] }] }],
  ])("%s", async (_name, body) => {
    const { response, json } = await get("/v1/messages/count_tokens?beta=true", {
      method: "POST",
      body: JSON.stringify({ model: "claude-opus-5-5", ...body }),
    })
    expect(response.status).toBe(200)
    expect(Object.keys(json)).toEqual(["input_tokens"])
    expect(Number(json["input_tokens"])).toBeGreaterThan(0)
  })

  test("a toolset is as long as the tools that are offered for it", async () => {
    const lengthWith = async (...types: readonly string[]) => {
      const body = JSON.stringify({ ...basicBody, tools: types.map((type) => ({ type })) })
      const { json } = await get("/v1/messages/count_tokens", { method: "POST", body })
      return Number(json["input_tokens"])
    }
    const none = await lengthWith()
    expect((await lengthWith("computer_toolset_20260801")) - none).toBeGreaterThan(500)
    expect((await lengthWith("browser_toolset_20260801")) - none).toBeGreaterThan(1_500)
  })

  test("with context management", async () => {
    const body = JSON.stringify({ ...basicBody, context_management: { edits: [] } })
    const { json } = await get("/v1/messages/count_tokens", { method: "POST", body })
    expect(json["context_management"]).toEqual({ original_input_tokens: json["input_tokens"] })
  })

  test.each(["", "{", "[]", '{"messages":"hi"}', "{}", '{"messages":[]}', '{"system":"a"}'])(
    "%j is refused",
    async (body) => {
      const { response, json } = await get("/v1/messages/count_tokens", { method: "POST", body })
      expect(response.status).toBe(400)
      expect(objectOf(json["error"])["type"]).toBe("invalid_request_error")
    },
  )
})

describe("count_tokens", () => {
  const long = "The quick brown fox jumps over the lazy dog. ".repeat(200)
  const asked = { messages: [{ role: "user", content: long }] }
  const count = async (url: string, model: string) => {
    const init = { method: "POST", body: JSON.stringify({ ...asked, model }) }
    const { input_tokens } = await jsonOf(fetch(`${url}/v1/messages/count_tokens`, init))
    return input_tokens
  }

  test("counts in the model's own vocabulary where that is known, and estimates elsewhere", async () => {
    const { proxy } = start([])
    // Ten tokens a sentence, one for the last space, and what a message costs besides.
    expect(await count(proxy.url, "gpt-4o")).toBe(2_001 + 3)
    const estimated = Number(await count(proxy.url, "some-model"))
    expect(Math.abs(estimated / 2_004 - 1)).toBeLessThan(0.08)
  })
})
