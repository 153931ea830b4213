// `health`, as whoever watches over a proxy uses it.
import { afterEach, expect, test } from "bun:test"
import { join } from "node:path"
import { freePort } from "../support/free-port.ts"
import { type RunningProxy, runProxy, startProxy, withFolder } from "../support/proxy.ts"

const started: { readonly stop: () => unknown }[] = []

afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

async function demo(env: Readonly<Record<string, string>> = {}): Promise<RunningProxy> {
  const proxy = await startProxy(env, ["--demo"])
  started.push(proxy)
  return proxy
}

function serve(answer: () => Response): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer })
  started.push({ stop: () => server.stop(true) })
  return `http://127.0.0.1:${server.port}`
}

test("a proxy that takes requests is healthy, whatever keys it asks for", async () => {
  const { url } = await demo({ ALLOWED_API_KEYS: "one-client-key" })
  const { exitCode, stdout, stderr } = await runProxy(["health", `${url}/v1`])
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `healthy: ${url}\n`, stderr: "" })
})

test("a password in the address is not shown", async () => {
  const { url } = await demo()
  const withLogin = (address: string) => address.replace("//", "//me:p@ss@")
  const well = await runProxy(["health", withLogin(url)])
  expect([well.exitCode, well.stdout]).toEqual([0, `healthy: ${url}\n`])
  const gone = await runProxy(["health", withLogin(`http://127.0.0.1:${freePort()}`)])
  expect([gone.exitCode, gone.stderr.includes("p@ss")]).toEqual([1, false])
})

test("without an address it is the one that the settings say, all interfaces included", async () => {
  const port = String(new URL((await demo()).url).port)
  expect((await runProxy(["health"], { env: { HOST: "0.0.0.0", PORT: port } })).exitCode).toBe(0)
  await withFolder(async (cwd) => {
    await Bun.write(join(cwd, ".env"), `PORT=${port}\n`)
    expect((await runProxy(["health"], { cwd })).exitCode).toBe(0)
  })
})

test("settings that have become wrong since are none of the proxy's troubles", async () => {
  const port = String(new URL((await demo()).url).port)
  await withFolder(async (cwd) => {
    await Bun.write(join(cwd, ".env"), "MAX_RETRIES=many\n")
    const { exitCode, stdout } = await runProxy(["health"], { cwd, env: { PORT: `"${port}"` } })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `healthy: http://127.0.0.1:${port}\n` })
    await Bun.write(join(cwd, ".env"), `PORT=${port}\nMAX_RETRIES=many\n`)
    expect((await runProxy(["health"], { cwd })).exitCode).toBe(0)
  })
})

test.each([
  ["one about to end", () => Response.json({ status: "draining" }, { status: 503 }), "answers: draining"],
  [
    "what would speak to the terminal",
    () => Response.json({ status: "a\u001b[2J\nb" }),
    "answers: a\\u001b[2J\\nb",
  ],
  ["something else", () => new Response("hello"), "answers: status 200, and nothing of a claude-proxy"],
])("%s is not healthy", async (_, answer, told) => {
  const url = serve(answer)
  const { exitCode, stdout, stderr } = await runProxy(["health", url])
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `claude-proxy: ${url} ${told}\n`,
  })
})

test("nor is what cannot be reached, or never answers", async () => {
  const gone = `http://127.0.0.1:${freePort()}`
  const refused = await runProxy(["health", gone])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toStartWith(`claude-proxy: ${gone} cannot be reached: `)
  const server = Bun.listen({ port: 0, hostname: "127.0.0.1", socket: { data: () => {} } })
  started.push({ stop: () => server.stop(true) })
  const { exitCode, timedOut } = await runProxy(["health", `http://127.0.0.1:${server.port}`], {
    timeoutMs: 20_000,
  })
  expect({ exitCode, timedOut }).toEqual({ exitCode: 1, timedOut: false })
})

test.each(["127.0.0.1:8082", "localhost:8082", "kimi"])("%s is no address of a proxy", async (url) => {
  const { exitCode, stderr } = await runProxy(["health", url])
  expect(exitCode).toBe(2)
  expect(stderr).toContain(`like http://127.0.0.1:8082, not "${url}"`)
})
