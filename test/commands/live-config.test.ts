// Live reload as users have it: the program, a file, an editor.
import { expect, test } from "bun:test"
import { renameSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { startProxy, withFolder } from "../support/proxy.ts"
import { createUpstream, until } from "../support/upstream.ts"

const patient = 15_000

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
