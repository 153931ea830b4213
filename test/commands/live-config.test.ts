// Live reload as users have it: the program, a file, an editor.
import { describe, expect, test } from "bun:test"
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { renderOpenWarning } from "../../src/commands/instances/start-block.ts"
import { renderChanges } from "../../src/commands/serve/live-config-lines.ts"
import { load } from "../config/support.ts"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { startProxy, withFolder } from "../support/proxy.ts"
import { createUpstream, until } from "../support/upstream.ts"

const patient = 15_000

describe("a reload that takes the last client key away", () => {
  const loaded = (env: Readonly<Record<string, string>>) => {
    const result = load({ env: { OPENAI_API_KEY: "k", ...env } })
    if (!result.ok) throw new Error(result.problems.join())
    return result
  }
  const [before, after] = [loaded({ ALLOWED_API_KEYS: "client-key-of-a-test" }), loaded({})]

  test.each([
    ["0.0.0.0", 8082, "0.0.0.0:8082"],
    ["192.168.1.7", 0, "192.168.1.7"],
  ])("on %s says in the words of the start that the proxy is open", (host, port, address) => {
    const lines = renderChanges(before, after, { host, port, tls: undefined, refused: false })
    const [, first = "", second = ""] = renderOpenWarning(address)
      .split("\n")
      .map((line) => line.replace(/^!! /, ""))
    expect(lines.filter(({ level }) => level === "error")).toEqual([
      { level: "error", text: `clients need no key any more: ${first} ${second}` },
    ])
    expect(first).toContain(`${address} can be reached from other machines`)
  })

  test.each(["127.0.0.1", "localhost", "::1"])("on %s is a warning", (host) => {
    const lines = renderChanges(before, after, { host, port: 8082, tls: undefined, refused: false })
    expect(lines.filter(({ level }) => level === "error" || level === "warn")).toEqual([
      { level: "warn", text: "clients need no key any more: ALLOWED_API_KEYS asks for one" },
    ])
  })

  test("is silent when there was none, or one is left", () => {
    for (const [one, other] of [
      [after, after] as const,
      [after, before] as const,
      [before, before] as const,
    ]) {
      const lines = renderChanges(one, other, { host: "0.0.0.0", port: 1, tls: undefined, refused: false })
      expect(lines.filter(({ level }) => level === "error" || level === "warn")).toEqual([])
    }
  })
})

test(
  "serve follows its files, says what changed without values, and ends as before",
  async () => {
    const upstream = createUpstream((body) => ({
      kind: "stream",
      chunks: [textChunk(`from ${body["model"]}`), finishChunk("stop")],
    }))
    await withFolder(async (folder) => {
      const file = join(folder, "my.env")
      const settings = (model: string, key: string) =>
        `OPENAI_BASE_URL=${upstream.url}\nOPENAI_API_KEY=${key}\nBIG_MODEL=${model}\n`
      writeFileSync(file, settings("one", "canary-first-key"))
      const proxy = await startProxy({ LOG_LEVEL: "DEBUG" }, ["--env", file])
      const ask = async () => {
        const body = { model: "claude-opus-5-5", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }
        const reply = await fetch(`${proxy.url}/v1/messages`, { method: "POST", body: JSON.stringify(body) })
        return reply.text()
      }
      const said = (text: string) => until(() => proxy.output().includes(text), patient)
      try {
        expect(await ask()).toContain("from one")
        // As vim does it.
        renameSync(file, `${file}~`)
        writeFileSync(file, settings("two", "canary-second-key"))
        unlinkSync(`${file}~`)
        await said(`settings changed: OPENAI_API_KEY (${file}:2), BIG_MODEL (${file}:3)`)
        expect(await ask()).toContain("from two")
        writeFileSync(file, `${settings("three", "canary-third-key")}MAX_RETRIES=many\n`)
        await said(`MAX_RETRIES (${file}:4)`)
        expect(await ask()).toContain("from two")
        unlinkSync(file)
        await said(`${file} does not exist`)
        expect(await ask()).toContain("from two")
        const sent = upstream.turns().map(({ headers }) => headers["authorization"])
        const second = "Bearer canary-second-key"
        expect(sent).toEqual(["Bearer canary-first-key", second, second, second])
      } finally {
        expect(await proxy.stop()).toBe(0)
        await upstream.stop()
      }
      expect(proxy.output()).not.toContain("canary")
      expect(proxy.output().split("does not exist")).toHaveLength(2)
    })
  },
  4 * patient,
)

// It is there, and cannot be read, also by root. What a closed folder holds is told like the second.
test.each([
  ["EISDIR", (path: string) => void mkdirSync(path)],
  ["ELOOP", (path: string) => symlinkSync(path, path)],
])(
  "a file that cannot be read any more (%s) takes no client key away",
  async (code, close) => {
    await withFolder(async (folder) => {
      const [env, models] = [join(folder, "my.env"), join(folder, "models.yaml")]
      const keys = (name: string) => `auth: {allowed_keys: [${name}]}\n`
      writeFileSync(env, "OPENAI_BASE_URL=http://127.0.0.1:9/v1\nOPENAI_API_KEY=k\n")
      writeFileSync(models, keys("first-key-of-a-client"))
      const proxy = await startProxy({}, ["--env", env])
      const status = async (key: string) => {
        const headers = { "x-api-key": key }
        return (await fetch(`${proxy.url}/v1/models`, { headers })).status
      }
      const said = (text: string) => until(() => proxy.output().includes(text), patient)
      try {
        expect([await status(""), await status("first-key-of-a-client")]).toEqual([401, 200])
        renameSync(models, `${models}~`)
        close(models)
        await said(`those in force stay: ${models} cannot be read (${code}).`)
        expect([await status(""), await status("first-key-of-a-client")]).toEqual([401, 200])
        rmSync(models, { recursive: true })
        writeFileSync(models, keys("second-key-of-a-client"))
        await said("settings changed: ALLOWED_API_KEYS")
        expect([await status("first-key-of-a-client"), await status("second-key-of-a-client")]).toEqual([
          401, 200,
        ])
      } finally {
        expect(await proxy.stop()).toBe(0)
      }
    })
  },
  4 * patient,
)
