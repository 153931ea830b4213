// How instances end: told to, killed, to be started again, and with their files taken away meanwhile.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ownFolder } from "../../src/commands/instances/folder.ts"
import { endAll } from "../../src/commands/instances/foreground.ts"
import { livenessOf } from "../../src/commands/instances/liveness.ts"
import { createTake, logs } from "../../src/commands/instances/logs.ts"
import type { InstanceRecord, StartFacts } from "../../src/commands/instances/record.ts"
import { enter } from "../../src/commands/instances/self.ts"
import { stopOne } from "../../src/commands/instances/stop.ts"
import { createStore } from "../../src/commands/instances/store.ts"
import { createTail } from "../../src/commands/instances/tail.ts"
import { folderWith, load, removeFolders } from "../config/support.ts"
import { inWorld } from "../support/command-io.ts"
import { until } from "../support/upstream.ts"
import { onWindows, recordOf } from "./instances-support.ts"

const open: { readonly stop: () => unknown }[] = []

afterEach(async () => {
  for (const one of open.splice(0)) await one.stop()
})
afterAll(removeFolders)

/** A process that passes for an instance; it says on its output which signals it hears, and ignores them. */
async function deafProcess(name: string): Promise<Bun.Subprocess<"ignore", "pipe", "inherit">> {
  const script = `process.on("SIGTERM", () => console.log("SIGTERM")); console.log("ready"); setInterval(() => {}, 1000)`
  const child = Bun.spawn([process.execPath, "-e", script, "serve", "--name", name], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  open.push({
    stop: async () => {
      child.kill("SIGKILL")
      await child.exited
    },
  })
  return child
}

/** Reads what it wrote, until it ends or says `word`. */
async function heard(child: Bun.Subprocess<"ignore", "pipe", "inherit">, word?: string): Promise<string> {
  const decoder = new TextDecoder()
  const reader = child.stdout.getReader()
  let text = ""
  while (word === undefined || !text.includes(word)) {
    const { done, value } = await reader.read()
    if (done) break
    text += decoder.decode(value)
  }
  reader.releaseLock()
  return text
}

function answering(id: string): string {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.json({ status: "healthy", instance: { id } }),
  })
  open.push({ stop: () => server.stop(true) })
  return `http://127.0.0.1:${server.port}`
}

async function stopWith(record: InstanceRecord, store: ReturnType<typeof createStore>, patienceMs: number) {
  let ended = { ok: false, text: "" }
  const { error } = await inWorld({}, async (io) => {
    ended = await stopOne(record, store, io, { patienceMs })
    return 0
  })
  return { ...ended, error }
}

describe("stop", () => {
  test("tells it once: a second stop only waits, and one that does not end is killed", async () => {
    const store = createStore(folderWith())
    const child = await deafProcess("kimi")
    expect(await heard(child, "ready")).toContain("ready")
    const record = recordOf({ url: answering("id-of-kimi"), pid: child.pid })
    store.write(record)
    const first = stopWith(record, store, 3_000)
    await until(() => store.read("kimi")?.state === "draining", 10_000)
    const second = stopWith(record, store, 3_000)
    const told = heard(child)
    const results = await Promise.all([first, second])
    expect(results.map(({ ok }) => ok)).toEqual([true, true])
    expect((await told).match(/SIGTERM/g)).toHaveLength(1)
    await child.exited
    expect([store.list(), child.signalCode]).toEqual([[], "SIGKILL"])
  }, 60_000)

  test("on Windows: one that is killed is gone, though nobody takes its file away", async () => {
    const store = createStore(folderWith())
    const child = await deafProcess("kimi")
    await heard(child, "ready")
    const record = recordOf({ url: answering("id-of-kimi"), pid: child.pid })
    store.write(record)
    const stopped = await onWindows(() => stopWith(record, store, 200))
    expect(stopped).toMatchObject({ ok: true, text: "kimi did not end within 0.2 s and was killed" })
    expect([store.list(), existsSync(store.stopFile(record))]).toEqual([[], false])
  }, 60_000)

  test("on Windows: a process that may be anybody's is not ended", async () => {
    const store = createStore(folderWith())
    const child = await deafProcess("kimi")
    await heard(child, "ready")
    const record = recordOf({ url: "http://127.0.0.1:1", pid: child.pid })
    store.write(record)
    const stopped = await onWindows(() => stopWith(record, store, 200))
    expect(stopped.ok).toBe(false)
    expect(stopped.text).toContain(`whether process ${child.pid} is it cannot be told here`)
    expect([child.exitCode, store.read("kimi")?.state]).toEqual([null, "running"])
  }, 60_000)

  test("for a restart: what it was started with stays", async () => {
    const store = createStore(folderWith())
    const record = recordOf({ argv: ["--port=1"] })
    store.write(record)
    await inWorld({}, async (io) => ((await stopOne(record, store, io, { keep: true })).ok ? 0 : 1))
    expect(store.list()).toEqual([{ ...record, state: "ended" }])
  })
})

describe("several in one terminal are told to end", () => {
  function fake(said: string[]) {
    return {
      exitCode: null,
      kill: (signal: NodeJS.Signals) => void said.push(signal),
      stdin: { end: () => said.push("end of input") },
    }
  }

  test.each([
    ["linux", "SIGTERM"],
    // Every signal would kill there.
    ["win32", "end of input"],
  ])("on %s: %s first", async (platform, expected) => {
    const said: string[] = []
    const all = Promise.withResolvers<void>()
    const ended = endAll([fake(said)], all.promise, { platform })
    await Bun.sleep(20)
    expect(said).toEqual([expected])
    all.resolve()
    await ended
  })
})

const facts: StartFacts = {
  version: "0",
  url: "http://127.0.0.1:8082",
  upstream: "x",
  models: { big: "a", middle: "a", small: "a" },
  keyNeeded: false,
  files: [],
  routes: [],
  infos: [],
  warnings: [],
  openAt: null,
}
const server = {
  url: facts.url,
  hostname: "127.0.0.1",
  port: 8082,
  reload: () => {},
  stop: () => Promise.resolve(),
}

describe("an instance itself", () => {
  async function begin(more: Readonly<Record<string, string>> = {}) {
    const folder = folderWith()
    const store = createStore(join(folder, "claude-proxy"))
    const loaded = load({ env: { OPENAI_API_KEY: "k" } })
    if (!loaded.ok) throw new Error(loaded.problems.join())
    const env = { XDG_STATE_HOME: folder, ...more }
    const start = async () => {
      const options = { name: "kimi", argv: ["--port=8082"], envFile: undefined }
      const io = { out: () => {}, error: () => {}, stdinIsTerminal: false, color: false }
      const world = { ...io, readStdin: async () => "", readFile: async () => "" }
      const self = await enter(options, loaded, world, env)
      if (typeof self === "string") throw new Error(self)
      return self
    }
    return { store, start }
  }

  test("writes its file again when somebody has deleted it", async () => {
    const { store, start } = await begin()
    const self = await start()
    rmSync(join(store.folder, "instances", "kimi.json"))
    expect(await self.announce(facts, server)).toBeUndefined()
    expect(store.read("kimi")).toMatchObject({ state: "running", url: facts.url, pid: process.pid, facts })
    await self.leave()
    expect(store.list()).toEqual([])
  })

  test("in the background as well, before it has read what was written of it", async () => {
    const { store, start } = await begin({ CLAUDE_PROXY_INSTANCE: "given" })
    const self = await start()
    expect(store.read("kimi")).toMatchObject({ id: "given", detached: true, argv: ["--port=8082"] })
    await self.leave()
  })

  test("gives way to another one that has its name by now, and says who that is", async () => {
    const { store, start } = await begin()
    const self = await start()
    store.write(recordOf({ id: "other", url: answering("other"), pid: 42 }))
    expect(await self.announce(facts, server)).toStartWith("kimi is running already: http://127.0.0.1:")
    await self.leave()
    expect(store.read("kimi")?.id).toBe("other")
  })

  test("writes down that it is ending", async () => {
    const { store, start } = await begin()
    const self = await start()
    await self.announce(facts, server)
    await self.draining(10_000)
    expect(store.read("kimi")?.state).toBe("draining")
    await self.leave()
    expect(store.list()).toEqual([])
  })

  test("leaves its file behind when it is to be started again", async () => {
    const { store, start } = await begin()
    const self = await start()
    await self.announce(facts, server)
    const record = store.read("kimi") ?? recordOf()
    store.write({ ...record, keep: true })
    await self.draining(10_000)
    await self.leave()
    expect(store.read("kimi")).toMatchObject({ state: "ended", argv: ["--port=8082"], url: facts.url })
    expect((await livenessOf(store.read("kimi") ?? recordOf())).kind).toBe("dead")
  })
})

describe("logs", () => {
  function world() {
    const folder = folderWith()
    const store = createStore(join(folder, "claude-proxy"))
    ownFolder(store.logs.folder)
    writeFileSync(store.logs.pathOf("kimi"), "one\ntwo\n")
    writeFileSync(store.logs.outputOf("kimi"), "panic: out of luck")
    const show = (lines: number) =>
      inWorld({}, (io) => logs({ name: "kimi", lines, follow: false }, io, { XDG_STATE_HOME: folder }))
    return { store, show }
  }

  test("shows what a process wrote past its log behind it, and moves nothing", async () => {
    const { store, show } = world()
    expect((await show(10)).out).toBe("one\ntwo\npanic: out of luck\n")
    expect((await show(2)).out).toBe("two\npanic: out of luck\n")
    expect(readFileSync(store.logs.pathOf("kimi"), "utf8")).toBe("one\ntwo\n")
    expect(readFileSync(store.logs.outputOf("kimi"), "utf8")).toBe("panic: out of luck")
  })

  test("followed: what was shown of a crash is not shown again when the next start puts it into the log", () => {
    const { store } = world()
    const [log, output] = [createTail(store.logs.pathOf("kimi")), createTail(store.logs.outputOf("kimi"))]
    log.skip()
    output.skip()
    const take = createTake(log, output, ["panic: out of luck"])
    expect(take()).toBe("")
    store.logs.absorb("kimi")
    writeFileSync(store.logs.pathOf("kimi"), "three\n", { flag: "a" })
    expect(take()).toBe("three\n")
    writeFileSync(store.logs.outputOf("kimi"), "panic: again\n", { flag: "a" })
    expect(take()).toBe("panic: again\n")
    expect(take()).toBe("")
    store.logs.absorb("kimi")
    expect(take()).toBe("")
  })
})
