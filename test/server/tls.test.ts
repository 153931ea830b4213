// https: the server itself, and the program with everything around it.
import { afterEach, describe, expect, test } from "bun:test"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { configFrom } from "../config/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { isAlive, runProxy, startProxyCommand, withFolder } from "../support/proxy.ts"
import { until } from "../support/upstream.ts"
import { cleanUp, post, postStream, scripted, startProxy, stopAll } from "./support.ts"

afterEach(stopAll)

const fixtures = join(import.meta.dir, "../fixtures/tls")
const authority = readFileSync(join(fixtures, "authority.pem"), "utf8")
const files = { TLS_CERT: join(fixtures, "server.pem"), TLS_KEY: join(fixtures, "server.key") }
const tls = { tls: { ca: authority } }
const script = () => ({ kind: "stream", chunks: [textChunk("hi"), finishChunk("stop")] }) as const
const patient = 30_000

function secure() {
  const upstream = scripted(script)
  const env = {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: "sk-upstream-key-1",
    PORT: "0",
    BIG_MODEL: "m",
  }
  const config = configFrom({ ...env, ...files }, { listens: true })
  return startProxy(upstream.url, { config })
}

test("the server speaks https, with streams and whole replies", async () => {
  const proxy = secure()
  expect(proxy.url).toStartWith("https://127.0.0.1:")
  expect((await post(proxy, {}, tls)).status).toBe(200)
  const events = parseAnthropicSse(await (await postStream(proxy, {}, tls)).text())
  expect(events.at(-1)?.["type"]).toBe("message_stop")
  const health = await fetch(`${proxy.url}/health`, { ...tls, headers: { origin: "https://localhost:1" } })
  expect(health.status).toBe(200)
  const foreign = await fetch(`${proxy.url}/health`, { ...tls, headers: { host: "evil.example" } })
  expect(foreign.status).toBe(403)
})

test("who trusts nobody, or speaks http, gets nothing", async () => {
  const proxy = secure()
  const untrusted = await fetch(`${proxy.url}/health`).catch((error) => String(error.code))
  expect(typeof untrusted).toBe("string")
  const plain = await fetch(`${proxy.url.replace("https", "http")}/health`).catch((error) =>
    String(error.code),
  )
  expect(typeof plain).toBe("string")
  expect((await fetch(`${proxy.url}/health`, tls)).status).toBe(200)
})

describe("the program", () => {
  /** Its settings in a folder of their own, where its state is kept as well. */
  function surroundings(folder: string, upstream: string, more: Readonly<Record<string, string>> = {}) {
    const known = { OPENAI_BASE_URL: upstream, OPENAI_API_KEY: "sk-upstream-key-1", BIG_MODEL: "big-model" }
    return { ...known, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder, ...more }
  }

  test(
    "says https at its start, and needs a restart for another certificate",
    () =>
      withFolder(async (folder) => {
        const own = { TLS_CERT: join(folder, "cert.pem"), TLS_KEY: join(folder, "key.pem") }
        copyFileSync(files.TLS_CERT, own.TLS_CERT)
        copyFileSync(files.TLS_KEY, own.TLS_KEY)
        const env = surroundings(folder, scripted(script).url, own)
        const started = await startProxyCommand(["serve", "--port", "0"], { env })
        cleanUp(() => {
          if (isAlive(started.pid)) started.signal("SIGKILL")
        })
        const url = () => /listening on (https:\/\/127\.0\.0\.1:\d+)/.exec(started.stdout())?.[1]
        await until(() => started.stdout().includes("ANTHROPIC_AUTH_TOKEN"), patient)
        expect(started.stdout()).toContain(`ANTHROPIC_BASE_URL=${url()} `)
        expect((await fetch(`${url()}/health`, tls)).status).toBe(200)
        writeFileSync(own.TLS_CERT, `${readFileSync(files.TLS_CERT, "utf8")}${authority}`)
        const told =
          "TLS_CERT and TLS_KEY need a restart: until then the proxy serves https with the certificate it was started with"
        await until(() => started.stderr().includes(told), patient)
        expect(started.stderr()).not.toContain("settings changed")
        writeFileSync(own.TLS_KEY, "nothing")
        await until(() => started.stderr().includes("the changed settings are not used"), patient)
        expect((await fetch(`${url()}/health`, tls)).status).toBe(200)
        started.signal("SIGTERM")
        expect((await started.finished).exitCode).toBe(0)
      }),
    2 * patient,
  )

  test.each([
    [{ TLS_CERT: files.TLS_CERT }, "TLS_CERT (environment) is set and TLS_KEY is not"],
    [{ ...files, TLS_KEY: files.TLS_CERT }, "holds no private key"],
    [{ ...files, TLS_CERT: join(fixtures, "authority.pem") }, "is not the private key of"],
  ])(
    "%#: does not start with what is wrong, and says what",
    (env, said) =>
      withFolder(async (folder) => {
        const given = Object.entries(env).map(([name, value]): [string, string] => [name, value ?? ""])
        const known = surroundings(folder, "http://127.0.0.1:9/v1", Object.fromEntries(given))
        const { exitCode, stderr } = await runProxy(["serve", "--port", "0"], { env: known })
        expect(exitCode).toBe(2)
        expect(stderr).toContain(said)
      }),
    patient,
  )

  test(
    "in the background it is found, asked, restarted and stopped",
    () =>
      withFolder(async (folder) => {
        const env = surroundings(folder, scripted(script).url)
        const lines = Object.entries({ ...env, ...files }).map(([name, value]) => `${name}=${value}`)
        const file = join(folder, "my.env")
        writeFileSync(file, `${lines.join("\n")}\n`)
        const run = async (...args: readonly string[]) => {
          const { exitCode, stdout, stderr } = await runProxy(args, { env, cwd: folder, timeoutMs: patient })
          return { exitCode, stdout, text: stdout + stderr }
        }
        const begun = await run("serve", "--detach", "--name", "secure", "--port", "0", "--env", file)
        expect([begun.exitCode, begun.text]).toEqual([0, expect.stringContaining("https://127.0.0.1:")])
        try {
          const status = await run("status", "--json")
          expect([status.exitCode, status.stdout]).toEqual([0, expect.stringContaining("https://127.0.0.1:")])
          expect(status.stdout).toContain("running")
          const stats = await run("stats", "--name", "secure", "--json")
          expect([stats.exitCode, stats.stdout]).toEqual([0, expect.stringContaining("total_requests")])
          const again = await run("restart", "secure")
          expect([again.exitCode, again.text]).toEqual([0, expect.stringContaining("https://127.0.0.1:")])
          const stopped = await run("stop", "secure")
          expect([stopped.exitCode, stopped.text]).toEqual([0, expect.stringContaining("is stopped")])
        } finally {
          await run("stop", "secure")
        }
      }),
    4 * patient,
  )

  test(
    "a private proxy of a command stays on http, whatever the certificate is",
    () =>
      withFolder(async (folder) => {
        const env = surroundings(folder, scripted(script).url, { TLS_CERT: "/nowhere", TLS_KEY: "/nowhere" })
        const { exitCode, stdout } = await runProxy(
          ["run", "--", process.execPath, "-e", "console.log(process.env.ANTHROPIC_BASE_URL)"],
          { env },
        )
        expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\n$/)])
        const tested = await runProxy(["test-connection"], { env })
        expect([tested.exitCode, tested.stdout]).toEqual([0, expect.any(String)])
      }),
    patient,
  )
})
