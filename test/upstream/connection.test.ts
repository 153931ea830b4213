// What is said of upstreams that cannot be reached, and what must never be said.
import { afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { connectionFault } from "../../src/upstream/connection.ts"
import { createDeadline } from "../../src/upstream/deadline.ts"
import { rawUpstream } from "../server/raw.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  post,
  postStream,
  scripted,
  start,
  startProxy,
  stopAll,
} from "../server/support.ts"
import { chatReply, textChunk } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { createTestClock } from "./support.ts"

afterEach(stopAll)

async function errorOf(response: Response | Promise<Response>) {
  return objectOf((await jsonOf(response))["error"])
}

const quick = { speed: 100 }

const unexpired = () =>
  [createDeadline(0, new AbortController().signal, createTestClock()), "https://a.example/v1"] as const

function situationOf() {
  const errors = {
    ...{ provider: "p", model: "m", url: "", inputTokens: () => 0, contextWindow: null },
    ...{ keyName: "", secrets: [] },
  }
  return { timeoutMs: 1, signal: new AbortController().signal, errors }
}

describe("what to do is said", () => {
  test("connection refused", async () => {
    const proxy = startProxy("http://127.0.0.1:9/v1", quick)
    const response = await post(proxy)
    expect(response.status).toBe(502)
    expect((await errorOf(response))["message"]).toBe(
      "[generic] cannot connect to http://127.0.0.1:9: connection refused; is it running?",
    )
  })

  test("a host that does not exist", async () => {
    const proxy = startProxy("http://no-such-host.invalid/v1", quick)
    const response = await post(proxy)
    expect(response.status).toBe(502)
    expect((await errorOf(response))["message"]).toBe(
      "[generic] cannot reach http://no-such-host.invalid: the host was not found; check the base URL and the network connection",
    )
  })

  test("https where only http is spoken", async () => {
    const upstream = scripted([])
    const proxy = startProxy(upstream.url.replace("http:", "https:"), quick)
    const response = await post(proxy)
    expect(response.status).toBe(502)
    expect(response.headers.get("x-should-retry")).toBe("false")
    expect(String((await errorOf(response))["message"])).toContain("the base URL must begin with http://")
    expect(proxy.exchanges[0]?.attempts).toBe(1)
  })

  test("a connection that breaks", async () => {
    const upstream = rawUpstream((socket) => socket.reset())
    const proxy = startProxy(upstream.url, quick)
    const error = await errorOf(post(proxy))
    expect(error["message"]).toBe(
      `[generic] network error: the connection to ${new URL(upstream.url).origin} broke: ECONNRESET (connection reset)`,
    )
    expect(upstream.requests()).toBe(3)
  })

  test.each(["EMFILE", "ENFILE"])("no more files may be opened: %s", (code) => {
    const given = connectionFault({ code, message: "x" }, ...unexpired(), situationOf())
    expect(given.message).toBe(
      `[p] no connection to https://a.example: too many files and connections are open on this side (${code}); raise the limit (ulimit -n) where the proxy is started`,
    )
    // Others may be closed soon.
    expect([given.status, given.retry]).toEqual([502, "before-first-byte"])
  })

  const unknownAuthority = (code: string) =>
    `its certificate is signed by an authority that is not known here (${code}); if your network inspects TLS, or the server has an authority of its own, name the file with that authority's certificate in NODE_EXTRA_CA_CERTS, or set NODE_USE_SYSTEM_CA=1 in the environment where this machine trusts it already`

  test.each([
    ["DEPTH_ZERO_SELF_SIGNED_CERT", unknownAuthority("DEPTH_ZERO_SELF_SIGNED_CERT")],
    ["SELF_SIGNED_CERT_IN_CHAIN", unknownAuthority("SELF_SIGNED_CERT_IN_CHAIN")],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", unknownAuthority("UNABLE_TO_VERIFY_LEAF_SIGNATURE")],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", unknownAuthority("UNABLE_TO_GET_ISSUER_CERT_LOCALLY")],
    [
      "CERT_HAS_EXPIRED",
      "its certificate is not valid today (CERT_HAS_EXPIRED); check the clock of this machine, or tell whoever runs the server",
    ],
    [
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "its certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID); check the base URL",
    ],
    [
      "CERT_REVOKED",
      "CERT_REVOKED; if your network inspects TLS, name its certificate in NODE_EXTRA_CA_CERTS",
    ],
  ])("a certificate that is not trusted: %s", (code, why) => {
    const given = connectionFault({ code, message: "x" }, ...unexpired(), situationOf())
    expect(given.message).toBe(`[p] no trusted TLS connection to https://a.example: ${why}`)
    expect([given.status, given.retry, given.finalForClient]).toEqual([502, "no", true])
  })

  test.each([301, 302, 303, 307, 308])("a redirect (%d) is not followed", async (status) => {
    const other = scripted([])
    const location = `${other.url}/chat/completions?token=abc`
    const { upstream, proxy } = start(() => ({ kind: "text", status, body: "", headers: { location } }))
    const response = await postStream(proxy)
    expect(response.status).toBe(502)
    expect(response.headers.get("x-should-retry")).toBe("false")
    expect((await errorOf(response))["message"]).toBe(
      `[generic] the upstream redirects to ${other.url}/chat/completions; set the base URL to the address it moved to`,
    )
    expect([upstream.turns().length, other.requests.length]).toEqual([1, 0])
  })

  test("a base URL that leads nowhere is not a missing model", async () => {
    const { upstream, proxy } = start([{ kind: "json", status: 404, body: { detail: "Not Found" } }])
    const response = await post(proxy)
    expect(response.status).toBe(502)
    expect(response.headers.get("x-should-retry")).toBe("false")
    const message = String((await errorOf(response))["message"])
    expect(upstream.turns().length).toBe(1)
    expect(message).toContain("404 at")
    expect(message).toContain("check the base URL")
  })
})

test("an upstream on this machine is not looked for behind an HTTP proxy", async () => {
  const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"] as const
  const before = names.map((name) => [name, process.env[name]] as const)
  cleanUp(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  const { upstream, proxy } = start(() => ({ kind: "json", body: chatReply({ content: "hi" }) }), quick)
  const localhost = startProxy(upstream.url.replace("127.0.0.1", "localhost"), quick)
  for (const name of names) process.env[name] = "http://127.0.0.1:9"
  const direct = { proxy: false } as const
  const statuses = [(await post(proxy, {}, direct)).status, (await post(localhost, {}, direct)).status]
  for (const name of names) delete process.env[name]
  expect(statuses).toEqual([200, 200])
})

describe("the key stays here", () => {
  const canary = "canary-5f1d7c9b2e"
  const env = { OPENAI_API_KEY: canary, ALLOWED_API_KEYS: "client-canary-77" }
  const headers = { "x-api-key": "client-canary-77" }
  const echo: Readonly<Record<string, Turn>> = {
    "in an error body": { kind: "json", status: 400, body: { error: { message: `bad: Bearer ${canary}` } } },
    "in a 401": { kind: "json", status: 401, body: { error: { message: `Incorrect key: ${canary}.` } } },
    "in HTML": { kind: "text", status: 502, body: `<p>authorization: Bearer ${canary}</p>` },
    "in an error chunk": { kind: "stream", chunks: [{ error: { message: `key ${canary}` } }] },
    "in an error after content": {
      kind: "stream",
      chunks: [textChunk("hi"), { error: { message: `key ${canary}` } }],
    },
    "in plain text": { kind: "raw", steps: [`data: denied for ${canary}\n\n`] },
    "in a redirect": { kind: "text", status: 302, body: "", headers: { location: `http://a/${canary}` } },
    "in a whole reply": { kind: "json", body: { error: { message: canary, code: canary } } },
  }

  test.each(Object.entries(echo))("echoed %s", async (_name, turn) => {
    const { upstream, proxy } = start(() => turn, { env, ...quick })
    const text = await (await postStream(proxy, {}, { headers })).text()
    const plain = await (await post(proxy, {}, { headers })).text()
    expect(upstream.turns()[0]?.headers["authorization"]).toBe(`Bearer ${canary}`)
    expect(text + plain).toContain("error")
    expect(text + plain + JSON.stringify([proxy.logs, proxy.exchanges])).not.toContain(canary)
  })

  test("the client's own headers go no further", async () => {
    const { upstream, proxy } = start(() => ({ kind: "json", body: chatReply({ content: "hi" }) }), { env })
    const sent = {
      ...headers,
      cookie: "a=b",
      "anthropic-beta": "x",
      "x-stainless-lang": "js",
      "x-claude-code-session-id": "s",
    }
    expect((await post(proxy, {}, { headers: sent })).status).toBe(200)
    const received = upstream.turns()[0]?.headers ?? {}
    expect(JSON.stringify(received)).not.toContain("client-canary-77")
    expect(
      Object.keys(received).filter((name) => /cookie|anthropic|stainless|claude|api-key/.test(name)),
    ).toEqual([])
    expect(received["user-agent"]).toBe("claude-proxy/0.0.0-test")
  })

  test("a stream asks for no compression", async () => {
    const { upstream, proxy } = start(() => ({ kind: "json", body: chatReply({ content: "hi" }) }))
    await eventsOf(postStream(proxy))
    expect(upstream.turns()[0]?.headers["accept-encoding"]).toBe("identity")
    expect(upstream.turns()[0]?.headers["accept"]).toBe("text/event-stream")
  })
})
