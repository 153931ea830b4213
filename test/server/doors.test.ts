// Who is let in: programs under this machine's own names, and no page of a browser that comes from elsewhere.
import { afterEach, describe, expect, test } from "bun:test"
import { createDoors } from "../../src/server/entrance/doors.ts"
import { chatReply } from "../support/chunks.ts"
import { rawClient } from "./raw-client.ts"
import { basicBody, jsonOf, start, startProxy, stopAll } from "./support.ts"

afterEach(stopAll)

const reply = () => ({ kind: "json", body: chatReply({ content: "hi" }) }) as const
const nowhere = "http://127.0.0.1:9/v1"

const own = [
  ...["localhost", "LOCALHOST:8082", "localhost.", "a.localhost:1", "127.0.0.1:8082", "127.9.8.7", "127.1"],
  ...["[::1]", "[::1]:8082", "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.0.0.1]:8082", ""],
  ...["host.docker.internal:8082", "host.containers.internal"],
]
const foreign = [
  ...[
    "evil.example",
    "evil.example:8082",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "notlocalhost",
  ],
  ...["192.168.1.4:8082", "10.0.0.1", "0.0.0.0:8082", "[fe80::1]", "128.0.0.1", "a.host.docker.internal"],
  ...["localhost, evil.example", "evil.example, localhost", "a b", "x@localhost", "localhost/evil.example"],
  ...["localhost:port", "localhost:8082:1", "localhost\\evil", "%6cocalhost.evil", ".localhost.evil", "::1"],
]

describe("on loopback, by the Host", () => {
  test.each(own)("%j is let in", async (host) => {
    const proxy = startProxy(nowhere)
    const { status } = await rawClient(proxy.port, {
      text: `GET /health HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    })
    expect(await status()).toBe(200)
  })

  test.each(foreign)("%j is not", async (host) => {
    const proxy = startProxy(nowhere)
    const client = await rawClient(proxy.port, { text: `GET /health HTTP/1.1\r\nhost: ${host}\r\n\r\n` })
    expect(await client.status()).toBe(403)
    expect(client.heard()).toContain("ALLOWED_HOSTS")
  })

  test("two of them are not one of ours", async () => {
    const proxy = startProxy(nowhere)
    const hosts = "host: localhost\r\nhost: evil.example"
    const client = await rawClient(proxy.port, { text: `GET /health HTTP/1.1\r\n${hosts}\r\n\r\n` })
    expect(await client.status()).toBe(403)
  })

  test("none at all is let in, as HTTP/1.0 has it", async () => {
    const proxy = startProxy(nowhere)
    const client = await rawClient(proxy.port, { text: "GET /health HTTP/1.0\r\n\r\n" })
    expect(await client.status()).toBe(200)
  })
})

const ownPages = [
  ...["http://localhost:3000", "https://localhost", "http://127.0.0.1:8082", "http://[::1]:1"],
  "http://app.localhost:3000",
]
const foreignPages = [
  ...["https://evil.example", "null", "file://", "http://localhost.evil.example", "http://192.168.1.4"],
  ...["chrome-extension://abcdefgh", "app://localhost", "", "evil", "http://host.docker.internal:1"],
]

describe("on loopback, by the Origin", () => {
  test.each(ownPages)("%j is let in, and gets no CORS header", async (origin) => {
    const proxy = startProxy(nowhere)
    const response = await fetch(`${proxy.url}/health`, { headers: { origin } })
    expect(response.status).toBe(200)
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
  })

  test.each(foreignPages)("%j is not, not even with a client key", async (origin) => {
    const { proxy, upstream } = start(reply, { env: { ALLOWED_API_KEYS: "client-key-1" } })
    const response = await fetch(`${proxy.url}/v1/messages`, {
      method: "POST",
      headers: { origin, "x-api-key": "client-key-1", "content-type": "text/plain" },
      body: JSON.stringify(basicBody),
    })
    expect(response.status).toBe(403)
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([])
    expect(upstream.turns()).toEqual([])
  })

  test.each([
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-user": "?1" }, 200],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, 403],
    [
      {
        ...{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
        ...{ "sec-fetch-dest": "iframe", "sec-fetch-user": "?1" },
      },
      403,
    ],
    [{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }, 200],
    [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }, 200],
    [{ "sec-fetch-site": "cross-site", origin: "http://localhost:1" }, 200],
  ])("a browser that names no origin: %j is %d", async (headers, status) => {
    const proxy = startProxy(nowhere)
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, value ?? ""])
    expect((await fetch(`${proxy.url}/`, { headers: given })).status).toBe(status)
  })
})

describe("what the refused are told", () => {
  const paths = [
    ...["/", "/health", "/metrics", "/v1/models", "/v1/stats", "/test-connection", "/nothing", "/api/hello"],
  ]

  test.each(paths)("GET %s: in Anthropic's words", async (path) => {
    const proxy = startProxy(nowhere)
    const response = await fetch(`${proxy.url}${path}`, { headers: { host: "evil.example" } })
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([403, "false"])
    const error = await jsonOf(response)
    expect(error).toEqual({
      type: "error",
      error: { type: "permission_error", message: expect.stringContaining('"evil.example"') },
      request_id: expect.stringMatching(/^req_/),
    })
  })

  test.each(["POST", "OPTIONS", "GET"])("%s /v1/chat/completions: in OpenAI's words", async (method) => {
    const proxy = startProxy(nowhere)
    const response = await fetch(`${proxy.url}/v1/chat/completions`, {
      method,
      headers: { host: "evil.example" },
      ...(method === "POST" ? { body: "{}" } : {}),
    })
    expect(response.status).toBe(403)
    const error = await jsonOf(response)
    expect(Object.keys(error)).toEqual(["error"])
    expect(error["error"]).toMatchObject({ message: expect.stringContaining("ALLOWED_HOSTS") })
  })

  test("the log tells of each name once, and of no more than it can remember", async () => {
    const proxy = startProxy(nowhere)
    const ask = (host: string) => fetch(`${proxy.url}/health`, { headers: { host } })
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 150; index++) await ask(`evil-${index}.example`)
    }
    const told = proxy.logs.filter(({ level }) => level === "warn")
    expect(told.length).toBe(100)
    expect(told[0]?.fields).toMatchObject({ status: 403, why: expect.stringContaining("evil-0.example") })
  })

  test("a name of any length is cut in both", async () => {
    const proxy = startProxy(nowhere)
    const response = await fetch(`${proxy.url}/health`, { headers: { host: `${"a".repeat(5000)}.example` } })
    expect(response.status).toBe(403)
    expect((await response.text()).length).toBeLessThan(600)
  })
})

describe("ALLOWED_HOSTS", () => {
  const status = async (allowed: string, headers: Record<string, string>) => {
    const proxy = startProxy(nowhere, { env: { ALLOWED_HOSTS: allowed } })
    return (await fetch(`${proxy.url}/health`, { headers })).status
  }

  test.each([
    ["proxy.example", { host: "proxy.example" }, 200],
    ["a.example, Proxy.Example", { host: "PROXY.example:443" }, 200],
    ["proxy.example", { host: "other.example" }, 403],
    ["proxy.example", { host: "a.proxy.example" }, 403],
    ["*.example", { host: "a.b.example" }, 200],
    ["*.example", { host: "example" }, 403],
    ["192.168.1.4", { host: "192.168.1.4:8082" }, 200],
    ["[fd00::1]", { host: "[fd00::1]:8082" }, 200],
    ["*", { host: "anything.example", origin: "https://evil.example" }, 200],
    ["*", { origin: "null" }, 200],
    ["proxy.example", { host: "proxy.example", origin: "https://proxy.example" }, 200],
    ["proxy.example", { host: "proxy.example", origin: "https://evil.example" }, 403],
    ["notes.example", { origin: "app://notes.example" }, 200],
  ])("%s with %j: %d", async (allowed, headers, expected) => {
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, value ?? ""])
    expect(await status(allowed, Object.fromEntries(given))).toBe(expected)
  })
})

describe("on an address that others can reach", () => {
  const outer = (clientKeys: readonly string[], headers: Record<string, string>) => {
    const doors = createDoors({ host: "0.0.0.0", allowedHosts: ["notes.example"], clientKeys }, { warn() {} })
    return doors(new Headers(headers), "req_1")?.status
  }

  test.each([
    [[], { host: "box.example:8082" }, undefined],
    [[], { host: "192.168.1.4:8082", origin: "http://192.168.1.4:8082" }, undefined],
    [[], { host: "ai.example", origin: "https://ai.example" }, undefined],
    [[], { host: "ai.example", origin: "https://notes.example" }, undefined],
    [[], { host: "ai.example", origin: "http://localhost:3000" }, undefined],
    [[], { host: "ai.example", origin: "https://evil.example" }, 403],
    [[], { host: "ai.example", origin: "null" }, 403],
    [[], { origin: "null" }, 403],
    [[], { host: "ai.example", "sec-fetch-site": "cross-site" }, 403],
    [["client-key-1"], { host: "ai.example", origin: "https://evil.example" }, undefined],
  ])("keys %j, %j: %p", (clientKeys, headers, expected) => {
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, value ?? ""])
    expect(outer(clientKeys, Object.fromEntries(given))).toBe(expected)
  })
})

describe("heads that are no heads are answered by Bun, and harm nobody", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `h${index}: v\r\n`).join("")
  test.each([
    ["a long header", `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(1_000_000)}\r\n\r\n`, 431],
    ["many headers", `GET / HTTP/1.1\r\nhost: localhost\r\n${lines(5_000)}\r\n`, 431],
    ["a long address", `GET /${"y".repeat(1_000_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
    ["no Host in HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", 400],
    ["no HTTP", "\x00\x01\x02\r\n\r\n", 400],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
    [
      "two lengths",
      "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
      400,
    ],
    ["as many headers as may be", `GET /health HTTP/1.1\r\nhost: localhost\r\n${lines(100)}\r\n`, 200],
  ])("%s", async (_, text, expected) => {
    const proxy = startProxy(nowhere)
    const client = await rawClient(proxy.port, { text })
    expect(await client.status()).toBe(expected)
    expect((await fetch(`${proxy.url}/health`)).status).toBe(200)
  })
})
