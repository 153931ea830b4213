// A client that starts finds the connection to a far upstream there when it sends its first request.
import { afterAll, afterEach, expect, test } from "bun:test"
import { connect, createServer } from "node:net"
import { configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { chatReply } from "../support/chunks.ts"
import type { ScriptedUpstream } from "../support/upstream.ts"
import { authorityPath, httpProxy, tlsFront } from "../upstream/http-proxy.ts"
import { cleanUp, post, scripted, startProxy, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

/** A way to `port` that counts who takes it. */
async function counted(port: number) {
  let count = 0
  const server = createServer((socket) => {
    count += 1
    const onward = connect(port, "127.0.0.1")
    socket.pipe(onward)
    onward.pipe(socket)
    for (const one of [socket, onward]) one.on("error", () => one.destroy())
  })
  cleanUp(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, count: () => count }
}

/** A proxy with one upstream that speaks TLS, and perhaps another one. */
async function start(more: Readonly<Record<string, string>> = {}) {
  const upstream = scripted(() => ({ kind: "json", body: chatReply({ content: "hi" }) }))
  const way = await counted(await tlsFront(Number(new URL(upstream.url).port)))
  const env = {
    OPENAI_BASE_URL: `https://localhost:${way.port}/v1`,
    NODE_EXTRA_CA_CERTS: authorityPath,
    ...{ OPENAI_API_KEY: "sk-upstream-key-1", BIG_MODEL: "m", ...more },
  }
  const text = Object.entries(env).map(([name, value]) => `${name}=${value}\n`)
  const result = load({ configDir: folderWith({ ".env": text.join("") }) })
  const proxy = startProxy("", { config: { ...configOf(result), port: 0 } })
  return { upstream, way, proxy }
}

/** The answer is there: its deadline is over, and its connection free. */
async function isOpen(upstream: ScriptedUpstream, proxy: TestProxy): Promise<void> {
  await upstream.until(() => upstream.requests.length > 0 && proxy.timers() === 0)
}

const asClaudeCode = { method: "HEAD", headers: { "user-agent": "Bun/1.3.0" }, proxy: false } as const

test.each(["/", "/api/hello"])("%s: one connection for both; nothing but the host is told", async (path) => {
  const { upstream, way, proxy } = await start()
  for (let times = 0; times < 3; times++)
    expect((await fetch(proxy.url + path, asClaudeCode)).status).toBe(200)
  await isOpen(upstream, proxy)
  const [ahead] = upstream.requests
  expect([ahead?.method, ahead?.path, ahead?.text]).toEqual(["HEAD", "/", ""])
  expect(JSON.stringify(ahead?.headers)).not.toContain("sk-upstream-key-1")
  expect((await post(proxy, {}, { proxy: false })).status).toBe(200)
  expect([upstream.requests.length, way.count()]).toEqual([2, 1])
})

test.each<[string, RequestInit, Readonly<Record<string, string>>]>([
  ["who only looks", { method: "GET", headers: { "user-agent": "Bun/1.3.0" } }, {}],
  ["a balancer", { method: "HEAD", headers: { "user-agent": "kube-probe/1.30" } }, {}],
  ["who is near", asClaudeCode, { OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }],
])("not for %s", async (_name, init, more) => {
  const { way, proxy } = await start(more)
  expect((await fetch(proxy.url, { ...init, proxy: false })).status).toBe(200)
  await Bun.sleep(50)
  expect(way.count()).toBe(0)
})

test("an upstream that cannot be reached is told of with the first request, and not before", async () => {
  const { proxy } = await start({ OPENAI_BASE_URL: "https://localhost:1/v1" })
  expect((await fetch(proxy.url, asClaudeCode)).status).toBe(200)
  await Bun.sleep(50)
  expect((await post(proxy, {}, { proxy: false })).status).toBe(502)
})

test("through an HTTP proxy the tunnel is there", async () => {
  const first = await start()
  const between = await httpProxy(first.way.port)
  const { proxy } = await start({ OPENAI_BASE_URL: "https://upstream.test/v1", HTTPS_PROXY: between.where })
  await fetch(proxy.url, asClaudeCode)
  await isOpen(first.upstream, proxy)
  expect((await post(proxy, {}, { proxy: false })).status).toBe(200)
  expect([between.asked(), first.way.count()]).toEqual([["CONNECT upstream.test:443 HTTP/1.1"], 1])
})

test("who ends waits for no host that says nothing", async () => {
  let taken = 0
  const silent = createServer(() => {
    taken += 1
  })
  cleanUp(() => void silent.close())
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
  const address = silent.address()
  const port = typeof address === "object" ? address?.port : 0
  const { upstream, proxy } = await start({ OPENAI_BASE_URL: `https://127.0.0.1:${port}/v1` })
  expect((await fetch(proxy.url, asClaudeCode)).status).toBe(200)
  await upstream.until(() => taken > 0)
  expect(proxy.timers()).toBe(1)
  await proxy.stop(0)
  await upstream.until(() => proxy.timers() === 0)
})
