// Requests through HTTP proxies and to servers with an authority of their own, from a client's request to the
// upstream, by both ways through this house.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { createMessagesUpstream, nativeEvent, nativeEvents } from "../support/anthropic-upstream.ts"
import { chatReply, textChunk } from "../support/chunks.ts"
import { authority, authorityPath, httpProxy, tlsFront } from "../upstream/http-proxy.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  post,
  postStream,
  scripted,
  startProxy,
  stopAll,
  textOf,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const client = { proxy: false } as const
const portOf = (url: string): number => Number(new URL(url).port)
const hello = () => scripted(() => ({ kind: "json", body: chatReply({ content: "hi" }) }))

type Env = Readonly<Record<string, string>>

/** A proxy whose settings all stand in a file. */
function fromFile(env: Env, more: Readonly<Record<string, string>> = {}) {
  const text = Object.entries({ OPENAI_API_KEY: "sk-upstream-key-1", BIG_MODEL: "m", ...env })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("")
  const result = load({ configDir: folderWith({ ".env": text, ...more }) })
  return startProxy("", { config: { ...configOf(result), port: 0 }, speed: 50 })
}

async function errorOf(response: Response | Promise<Response>): Promise<string> {
  return String(objectOf((await jsonOf(response))["error"])["message"])
}

/** Sets variables of this process, as Bun's fetch reads them, until the test is over. */
function withEnvironment(env: Env): void {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, env)
  cleanUp(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
}

describe("an HTTP proxy", () => {
  test("is asked for http:// upstreams by their whole address, with its login", async () => {
    const upstream = hello()
    const between = await httpProxy(portOf(upstream.url), { login: "us er:p@ss" })
    const proxy = fromFile({
      OPENAI_BASE_URL: "http://upstream.test/v1",
      HTTP_PROXY: `http://us%20er:p%40ss@${between.where}`,
    })
    expect((await post(proxy, {}, client)).status).toBe(200)
    expect(between.asked()).toEqual(["POST http://upstream.test/v1/chat/completions HTTP/1.1"])
    expect(upstream.turns()[0]?.headers["host"]).toBe("upstream.test")
  })

  test("makes a tunnel to https:// upstreams, through which a stream comes as it is written", async () => {
    const rest = Promise.withResolvers<void>()
    const upstream = scripted(() => ({
      kind: "stream",
      chunks: [textChunk("one"), { until: rest.promise }, textChunk(" two")],
    }))
    const between = await httpProxy(await tlsFront(portOf(upstream.url)))
    const proxy = fromFile({
      OPENAI_BASE_URL: "https://upstream.test/v1",
      https_proxy: between.where,
      NODE_EXTRA_CA_CERTS: authorityPath,
    })
    const response = await postStream(proxy, {}, client)
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    let text = ""
    while (!text.includes("one")) text += decoder.decode((await reader?.read())?.value)
    expect(text).not.toContain("two")
    rest.resolve()
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read())
      text += decoder.decode(read.value)
    expect(text).toContain("two")
    expect(between.asked()).toEqual(["CONNECT upstream.test:443 HTTP/1.1"])
  })

  test("is used for what is passed through", async () => {
    const upstream = createMessagesUpstream([
      { steps: nativeEvents("hi").map((event) => nativeEvent(event)) },
    ])
    cleanUp(upstream.stop)
    const between = await httpProxy(await tlsFront(portOf(upstream.url)))
    const proxy = fromFile({
      OPENAI_BASE_URL: "https://upstream.test/anthropic",
      HTTPS_PROXY: between.where,
      NODE_EXTRA_CA_CERTS: authorityPath,
    })
    expect(textOf(await eventsOf(postStream(proxy, {}, client)))).toBe("hi")
    expect(between.asked()).toEqual(["CONNECT upstream.test:443 HTTP/1.1"])
    expect(upstream.calls[0]?.path).toBe("/anthropic/v1/messages")
  })

  test("may itself speak TLS", async () => {
    const upstream = hello()
    const between = await httpProxy(portOf(upstream.url), { secure: true })
    const proxy = fromFile({
      OPENAI_BASE_URL: "http://upstream.test/v1",
      HTTP_PROXY: `https://localhost:${between.port}`,
      NODE_EXTRA_CA_CERTS: authorityPath,
    })
    expect((await post(proxy, {}, client)).status).toBe(200)
    expect(between.asked().length).toBe(1)
  })

  test("that only Bun sees is not used: what counts was read when the settings were", async () => {
    const upstream = hello()
    const between = await httpProxy(portOf(upstream.url))
    const proxy = fromFile({ OPENAI_BASE_URL: "http://no-such-host.invalid/v1" })
    withEnvironment({ HTTP_PROXY: `http://${between.where}`, http_proxy: `http://${between.where}` })
    expect((await post(proxy, {}, client)).status).toBe(502)
    expect(between.asked()).toEqual([])
  })

  test("of one provider alone", async () => {
    const upstream = hello()
    const between = await httpProxy(portOf(upstream.url))
    const yaml = [
      "providers:",
      `  far: { api_base: "http://far.test/v1", proxy: "${between.where}" }`,
      `  near: { api_base: "${upstream.url}" }`,
      `  straight: { api_base: "http://no-such-host.invalid/v1", proxy: false }`,
      "models:",
      "  - { model_id: a, provider: far }",
      "  - { model_id: b, provider: near }",
      "  - { model_id: c, provider: straight }",
    ].join("\n")
    const settings = { OPENAI_BASE_URL: upstream.url, HTTP_PROXY: "127.0.0.1:9" }
    const proxy = fromFile(settings, { "models.yaml": yaml })
    const statuses: number[] = []
    for (const model of ["a", "b", "c"]) statuses.push((await post(proxy, { model }, client)).status)
    expect(statuses).toEqual([200, 200, 502])
    expect(between.asked()).toEqual(["POST http://far.test/v1/chat/completions HTTP/1.1"])
  })
})

describe("a failure on the way says where and what to do", () => {
  const password = "pass-word-77"

  async function failing(options: Parameters<typeof httpProxy>[1], env: Env = {}) {
    const between = await httpProxy(await tlsFront(portOf(hello().url)), options)
    const proxy = fromFile({
      OPENAI_BASE_URL: "https://upstream.test/v1",
      HTTPS_PROXY: `http://user:${password}@${between.where}`,
      ...env,
    })
    const response = await post(proxy, {}, client)
    const text = await errorOf(response)
    expect(text + JSON.stringify(proxy.logs)).not.toContain(password)
    const final = response.headers.get("x-should-retry") === "false"
    return { text: text.replaceAll(between.where, "HOST:PORT"), final, asked: between.asked().length }
  }

  test("the proxy refuses the login", async () => {
    expect(await failing({ login: "other:one" })).toEqual({
      text: "[generic] the proxy HOST:PORT (HTTPS_PROXY) asks for a user name and a password, or refused those it got (407): write them into its address, http://USER:PASSWORD@HOST:PORT",
      final: true,
      asked: 1,
    })
  })

  test("the proxy does not allow the host", async () => {
    expect(await failing({ refuse: "403 Forbidden" })).toEqual({
      text: "[generic] the proxy HOST:PORT (HTTPS_PROXY) does not connect to upstream.test: 403 Forbidden; ask whoever runs the proxy, or name the host in NO_PROXY if it can be reached without",
      final: true,
      asked: 1,
    })
  })

  test("the proxy cannot reach the host just now", async () => {
    expect(await failing({ refuse: "502 Bad Gateway" })).toEqual({
      text: "[generic] the proxy HOST:PORT (HTTPS_PROXY) does not connect to upstream.test: 502 Bad Gateway",
      final: false,
      asked: 3,
    })
  })

  test("the certificate is one that nobody here trusts", async () => {
    const { text, final } = await failing({})
    expect(text).toContain(
      "no trusted TLS connection to https://upstream.test through the proxy HOST:PORT (HTTPS_PROXY)",
    )
    expect(text).toContain("UNABLE_TO_VERIFY_LEAF_SIGNATURE")
    expect(text).toContain("NODE_EXTRA_CA_CERTS")
    expect(text).not.toMatch(/REJECT_UNAUTHORIZED|insecure|verification/i)
    expect(final).toBe(true)
  })

  const likeTinyproxy =
    '401 Unauthorized\r\ncontent-type: text/html\r\nwww-authenticate: Basic realm="Tinyproxy"'

  test("a proxy in front of plain HTTP refuses the login", async () => {
    const between = await httpProxy(portOf(hello().url), { login: "other:one" })
    const env = { OPENAI_BASE_URL: "http://upstream.test/v1", HTTP_PROXY: between.where }
    const proxy = fromFile(env)
    const expected = `the proxy ${between.where} (HTTP_PROXY) asks for a user name and a password`
    expect(await errorOf(post(proxy, {}, client))).toContain(expected)
    const native = fromFile({ ...env, OPENAI_BASE_URL: "http://upstream.test/anthropic" })
    expect(await errorOf(post(native, {}, client))).toContain(expected)
  })

  test("a wrong password as Tinyproxy answers it, with a 401", async () => {
    const options = { login: "other:one", unknown: likeTinyproxy }
    const tunnel = await failing(options)
    expect(tunnel.text).toStartWith("[generic] the proxy HOST:PORT (HTTPS_PROXY) asks for a user name")
    expect([tunnel.text.includes("(401)"), tunnel.asked]).toEqual([true, 1])
    const between = await httpProxy(portOf(hello().url), options)
    const said = (path: string, address: string) =>
      errorOf(
        post(fromFile({ OPENAI_BASE_URL: `http://upstream.test${path}`, HTTP_PROXY: address }), {}, client),
      )
    const expected = `the proxy ${between.where} (HTTP_PROXY) asks for a user name and a password`
    expect(await said("/v1", `me:no@${between.where}`)).toContain(expected)
    expect(await said("/anthropic", `me:no@${between.where}`)).toContain(expected)
    // Where no password was sent it is the upstream that refuses.
    expect(await said("/v1", between.where)).toContain("refused the API key")
  })

  test.each([
    [
      "is not there",
      "127.0.0.1:9",
      "cannot connect to the proxy 127.0.0.1:9 (HTTP_PROXY): connection refused",
    ],
    [
      "has no such name",
      "no-such-proxy.invalid:8080",
      "cannot reach the proxy no-such-proxy.invalid:8080 (HTTP_PROXY): its host was not found; check its address",
    ],
  ])("the proxy %s", async (_what, address, expected) => {
    const proxy = fromFile({ OPENAI_BASE_URL: "http://upstream.test/v1", HTTP_PROXY: address })
    expect(await errorOf(post(proxy, {}, client))).toContain(expected)
  })
})

describe("certificate authorities", () => {
  const secure = async () => `https://localhost:${await tlsFront(portOf(hello().url))}/v1`

  test("those of a file that a .env names count, for a path from where that .env is", async () => {
    const base = await secure()
    const env = { OPENAI_BASE_URL: base, NODE_EXTRA_CA_CERTS: "company.pem" }
    const proxy = fromFile(env, { "company.pem": `# Company\r\n${authority}` })
    expect((await post(proxy, {}, client)).status).toBe(200)
  })

  test("without one the connection is refused, once", async () => {
    const proxy = fromFile({ OPENAI_BASE_URL: await secure() })
    expect(await errorOf(post(proxy, {}, client))).toContain("signed by an authority that is not known here")
    expect(proxy.exchanges[0]?.attempts).toBe(1)
  })

  test("those that are trusted anyway still count", () => {
    const yaml = { "company.pem": authority, ".env": "OPENAI_API_KEY=k1\nNODE_EXTRA_CA_CERTS=company.pem\n" }
    const { authorities } = configOf(load({ configDir: folderWith(yaml) })).network
    const pieces = (authorities ?? "").split("-----BEGIN CERTIFICATE-----").length - 1
    expect(pieces).toBeGreaterThan(50)
    expect(authorities?.endsWith(authority.trim())).toBe(true)
  })
})
