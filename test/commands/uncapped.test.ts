import { expect, test } from "bun:test"

async function start(limit: string | undefined, purge?: string) {
  const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: limit, MIMALLOC_PURGE_DELAY: purge }
  const script = `${import.meta.dir}/uncapped-script.ts`
  const child = Bun.spawn([process.execPath, script, "a", "b c"], { env, stdout: "pipe" })
  const text = await new Response(child.stdout).text()
  return { shown: JSON.parse(text), exitCode: await child.exited, pid: child.pid }
}

const posix = process.platform !== "win32"

test("a process without the limit begins anew in place, with its arguments", async () => {
  const { shown, exitCode, pid } = await start(undefined)
  const { pid: itsPid, ...rest } = shown
  expect(rest).toEqual({ result: "ready", limit: "65336", purge: "60000", arguments: ["a", "b c"] })
  expect(exitCode).toBe(0)
  // The same pid: nobody else was started, and nobody is left.
  if (posix) expect(itsPid).toBe(pid)
})

test("a limit the user has set stays", async () => {
  const { shown, pid } = await start("512")
  expect(shown).toEqual({ result: "ready", limit: "512", pid, arguments: ["a", "b c"] })
})

test("memory is kept as long as the user has set", async () => {
  const { shown } = await start(undefined, "5")
  expect([shown.limit, shown.purge]).toEqual(["65336", "5"])
})
