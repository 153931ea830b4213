// The end of a server: what runs goes on for a while, what is new is sent elsewhere, and what is cut is told.
import { afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { isAlive, startProxyCommand } from "../support/proxy.ts"
import { until } from "../support/upstream.ts"
import { postText, rawClient } from "./raw-client.ts"
import { basicBody, cleanUp, jsonOf, listen, postStream, scripted, start, stopAll } from "./support.ts"

afterEach(stopAll)

const never = new Promise<void>(() => {})
const stalled = { kind: "stream", chunks: [textChunk("one"), { until: never }] } as const

/** A proxy with one stream under way that does not end, and its end begun. */
async function draining(graceMs: number) {
  const { proxy } = start(() => stalled)
  const heard = await listen(postStream(proxy))
  await until(() => heard.text().includes("one"))
  return { proxy, heard, stopped: proxy.stop(graceMs) }
}

describe("while something runs", () => {
  test("/health says that it drains, and the rest tells what it told", async () => {
    const { proxy } = await draining(5000)
    const health = await fetch(`${proxy.url}/health`)
    expect(health.status).toBe(503)
    expect(await jsonOf(health)).toMatchObject({ status: "draining", server: { port: proxy.port } })
    for (const path of ["/", "/v1/models", "/v1/stats", "/metrics", "/api/hello"])
      expect([path, (await fetch(`${proxy.url}${path}`)).status]).toEqual([path, 200])
  })

  const asking = [
    ["POST", "/v1/messages"],
    ["POST", "/v1/messages/count_tokens"],
    ["POST", "/v1/messages/test_conversion"],
    ["POST", "/v1/chat/completions"],
    ["GET", "/test-connection"],
  ] as const

  test.each(asking)("%s %s is sent elsewhere", async (method, path) => {
    const { proxy } = await draining(5000)
    const body = method === "POST" ? { body: JSON.stringify(basicBody) } : {}
    const refused = await fetch(`${proxy.url}${path}`, { method, ...body })
    expect(refused.status).toBe(503)
    expect([refused.headers.get("retry-after"), refused.headers.get("connection")]).toEqual(["1", "close"])
    const error = await jsonOf(refused)
    expect(String(objectOf(error["error"])["message"])).toContain("shutting down")
    expect(Object.keys(error)).toContain("error")
    if (path !== "/v1/chat/completions") expect(objectOf(error["error"])["type"]).toBe("overloaded_error")
  })
})

test("what is cut is told: how many, which models, how long they ran", async () => {
  const { proxy, heard, stopped } = await draining(300)
  await stopped
  await heard.ended
  expect(parseAnthropicSse(heard.text()).at(-1)?.["type"]).toBe("error")
  const [told, ...more] = proxy.logs.filter(({ message }) => message.includes("SHUTDOWN_TIMEOUT"))
  expect(more).toEqual([])
  expect(told).toEqual({
    level: "warn",
    message: "the time to finish is over (SHUTDOWN_TIMEOUT): 1 request is cut",
    fields: {
      requests: [
        {
          requestId: expect.stringMatching(/^req_/),
          model: basicBody.model,
          seconds: expect.any(Number),
        },
      ],
    },
  })
  const [request] = Array.isArray(told?.fields["requests"]) ? told.fields["requests"] : []
  expect(objectOf(request)["seconds"]).toBeWithin(0.3, 5)
})

test("nothing runs: nothing is told, and it is over at once", async () => {
  const { proxy } = start(() => stalled)
  await (await fetch(`${proxy.url}/health`)).text()
  const from = performance.now()
  await proxy.stop(60_000)
  expect(performance.now() - from).toBeLessThan(500)
  expect(proxy.logs.filter(({ level }) => level === "warn")).toEqual([])
})

test("told a second time, the shorter time counts", async () => {
  const { proxy, heard, stopped } = await draining(60_000)
  const from = performance.now()
  await proxy.stop(0)
  expect(performance.now() - from).toBeLessThan(2000)
  await Promise.all([heard.ended, stopped])
  expect(proxy.exchanges.map(({ outcome }) => outcome.kind)).toEqual(["failed"])
})

test("a body on its way is waited for", async () => {
  const { proxy } = start([{ kind: "stream", chunks: [textChunk("one"), finishChunk("stop")] }])
  const text = postText("/v1/messages", JSON.stringify({ ...basicBody, stream: true }))
  const client = await rawClient(proxy.port, { text: text.slice(0, -10) })
  await Bun.sleep(100)
  const stopped = proxy.stop(5000)
  expect((await fetch(`${proxy.url}/health`)).status).toBe(503)
  client.send(text.slice(-10))
  expect(await client.status()).toBe(200)
  await stopped
  expect(client.heard()).toContain("message_stop")
})

/** The program in front of an upstream whose streams stall, with one of them under way. */
async function program(env: Readonly<Record<string, string>>) {
  const go = Promise.withResolvers<void>()
  const chunks = [textChunk("one"), { until: go.promise }, finishChunk("stop")]
  const upstream = scripted(() => ({ kind: "stream", chunks }))
  const known = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-upstream-key-1", BIG_MODEL: "big-model" }
  const started = await startProxyCommand(["serve", "--port", "0"], { env: { ...known, ...env } })
  cleanUp(() => {
    if (isAlive(started.pid)) started.signal("SIGKILL")
  })
  const found = () => /listening on (http:\S+)/.exec(started.stdout())?.[1]
  await until(() => found() !== undefined, 15_000)
  const url = found() ?? ""
  const heard = await listen(postStream({ url }))
  await until(() => heard.text().includes("one"))
  return { url, started, heard, finish: go.resolve }
}

describe("the program", () => {
  test("finishes what runs, is seen to drain, and ends by itself", async () => {
    const { url, started, heard, finish } = await program({})
    // A connection that idles.
    await (await fetch(`${url}/api/hello`)).text()
    started.signal("SIGTERM")
    await until(() => started.stderr().includes("SIGTERM"))
    expect(started.stderr()).toContain("at most 10 s")
    const health = await fetch(`${url}/health`)
    expect([health.status, (await jsonOf(health))["status"]]).toEqual([503, "draining"])
    expect((await postStream({ url })).status).toBe(503)
    finish()
    await heard.ended
    expect(parseAnthropicSse(heard.text()).at(-1)?.["type"]).toBe("message_stop")
    const from = performance.now()
    const { exitCode, stderr } = await started.finished
    expect(performance.now() - from).toBeLessThan(3000)
    expect(exitCode).toBe(0)
    expect(stderr).not.toContain("cut")
  })

  test("cuts what does not end, and says so", async () => {
    const { started, heard } = await program({ SHUTDOWN_TIMEOUT: "0.5" })
    started.signal("SIGINT")
    const { exitCode, stderr } = await started.finished
    await heard.ended
    expect(parseAnthropicSse(heard.text()).at(-1)?.["type"]).toBe("error")
    expect(exitCode).toBe(0)
    expect(stderr).toContain("the time to finish is over (SHUTDOWN_TIMEOUT): 1 request is cut")
    expect(stderr).toContain(basicBody.model)
  })

  test("a second signal ends it at once", async () => {
    const { started } = await program({ SHUTDOWN_TIMEOUT: "600" })
    started.signal("SIGTERM")
    await until(() => started.stderr().includes("at most 600 s"))
    const from = performance.now()
    started.signal("SIGTERM")
    const { exitCode } = await started.finished
    expect(performance.now() - from).toBeLessThan(3000)
    expect(exitCode).toBe(143)
  })
})
