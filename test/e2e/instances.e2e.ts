// Proxies in the background, from outside: started, asked, killed, brought back and stopped.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { freePort } from "../support/free-port.ts"
import { type Environment, type Finished, isAlive, runProxy, startProxyCommand } from "../support/proxy.ts"
import { createUpstream, type ScriptedUpstream, until } from "../support/upstream.ts"

setDefaultTimeout(120_000)

interface Home {
  readonly folder: string
  readonly run: (args: readonly string[], env?: Environment) => Promise<Finished>
  readonly start: (args: readonly string[], env?: Environment) => ReturnType<typeof startProxyCommand>
  readonly status: () => Promise<readonly JsonObject[]>
  /** Everything below the state folder, as paths. */
  readonly files: () => readonly string[]
  readonly states: () => readonly string[]
  /** What the state files hold. */
  readonly records: () => readonly unknown[]
}

const homes: Home[] = []
const upstreams: { readonly stop: () => unknown }[] = []

afterEach(async () => {
  for (const home of homes.splice(0)) {
    await home.run(["stop", "--all"])
    for (const { pid } of await home.status()) if (typeof pid === "number") kill(pid)
    await rm(home.folder, { recursive: true, force: true })
  }
  for (const upstream of upstreams.splice(0)) await upstream.stop()
})

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // Gone already.
  }
}

/** What is left of a process that has ended may stay until the system takes it away: that is not running. */
function isRunning(pid: number): boolean {
  try {
    if (readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")) return false
  } catch {
    // Gone, or no Linux.
  }
  return isAlive(pid)
}

async function newHome(files: Readonly<Record<string, string>> = {}): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "claude-proxy-instances-"))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const state = join(folder, "state", "claude-proxy")
  const options = (env: Environment = {}) => ({
    cwd: folder,
    env: { HOME: folder, XDG_STATE_HOME: join(folder, "state"), ...env },
    timeoutMs: 60_000,
  })
  const run: Home["run"] = (args, env) => runProxy(args, options(env))
  const listed = (path: string): readonly string[] =>
    existsSync(path) ? readdirSync(path, { recursive: true }).map((name) => join(path, String(name))) : []
  const home: Home = {
    folder,
    run,
    start: (args, env) => startProxyCommand(args, options(env)),
    status: async () => {
      const parsed = parseJson((await run(["status", "--json"])).stdout)
      return parsed.ok ? arrayOf(parsed.value).filter(isObject) : []
    },
    files: () => listed(state).filter((path) => !["instances", "logs"].some((name) => path.endsWith(name))),
    states: () => listed(join(state, "instances")),
    records: () => {
      const paths = listed(join(state, "instances")).filter((path) => path.endsWith(".json"))
      return paths.flatMap((path) => {
        const parsed = parseJson(existsSync(path) ? readFileSync(path, "utf8") : "")
        return parsed.ok ? [parsed.value] : []
      })
    },
  }
  homes.push(home)
  return home
}

/** An upstream that answers everything with its own name. */
function upstreamOf(name: string): ScriptedUpstream {
  const message = { role: "assistant", content: `this is ${name}` }
  const upstream = createUpstream(() => ({
    kind: "json",
    body: { id: "1", object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] },
  }))
  upstreams.push(upstream)
  return upstream
}

async function ask(url: unknown): Promise<unknown> {
  const response = await fetch(`${String(url)}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({
      model: "claude-sonnet-5",
      max_tokens: 10,
      messages: [{ role: "user", content: "hi" }],
    }),
  })
  const body = objectOf(await response.json())
  return objectOf(arrayOf(body["content"])[0])["text"]
}

const canary = "sk-canary-0123456789abcdef"
const names = ["Kimi-K2", "GLM-4.6", "deep_seek", "qwen"] as const

interface Four {
  readonly home: Home
  readonly ports: readonly number[]
  readonly list: string
}

async function four(): Promise<Four> {
  const ports = names.map(freePort)
  const files = names.map((name) => [
    `.env-${name}`,
    `OPENAI_API_KEY=${canary}-${name}\nOPENAI_BASE_URL=${upstreamOf(name).url}\nBIG_MODEL=model-of-${name}\n`,
  ])
  const home = await newHome(Object.fromEntries(files))
  const list = names.map((name, index) => `${ports[index]}:.env-${name}:${name}`).join(",")
  return { home, ports, list }
}

describe("four instances from four files", () => {
  test("start, serve, show in status, and stop; one that is killed is told of and comes back", async () => {
    const { home, ports, list } = await four()
    const started = await home.run(["serve", "--detach", "--instances", list])
    expect([started.exitCode, started.stderr]).toEqual([0, ""])
    for (const name of names) expect(started.stdout).toMatch(new RegExp(`✓ +${name} +http://127`))

    const running = await home.status()
    expect(running.map(({ name, state, port }) => ({ name, state, port }))).toEqual(
      names
        .map((name, index) => ({ name, state: "running", port: ports[index] }))
        .toSorted((one, other) => one.name.localeCompare(other.name)),
    )
    for (const { name, url, models } of running) {
      expect(await ask(url)).toBe(`this is ${String(name)}`)
      expect(objectOf(models)["big"]).toBe(`model-of-${String(name)}`)
    }

    const victim = running.find(({ name }) => name === "GLM-4.6")
    kill(Number(victim?.["pid"]))
    await until(() => !isRunning(Number(victim?.["pid"])), 20_000)
    const told = await home.run(["status"])
    expect(told.exitCode).toBe(1)
    expect(told.stdout).toMatch(/GLM-4\.6 +dead \(its port does not answer\)/)
    expect(told.stdout.match(/ running /g)).toHaveLength(3)
    expect((await home.run(["status", "GLM-4.6"])).exitCode).toBe(1)
    expect((await home.run(["status", "Kimi-K2"])).exitCode).toBe(0)

    const back = await home.run(["restart", "glm-4.6"])
    expect([back.exitCode, back.stderr]).toEqual([0, ""])
    expect(back.stdout).toContain(`listening on ${String(victim?.["url"])}`)
    expect(await ask(victim?.["url"])).toBe("this is GLM-4.6")
    expect((await home.run(["status"])).exitCode).toBe(0)

    const pids = (await home.status()).map(({ pid }) => Number(pid))
    expect((await home.run(["stop"])).exitCode).toBe(2)
    const stopped = await home.run(["stop", "--all"])
    expect([stopped.exitCode, stopped.stdout.trim().split("\n")]).toEqual([
      0,
      ["deep_seek", "GLM-4.6", "Kimi-K2", "qwen"].map((name) => `${name} is stopped`),
    ])
    // What is left of a process is taken away by the system in its own time.
    await until(() => !pids.some(isRunning), 20_000)
    expect(home.states()).toEqual([])
    const after = await home.run(["status"])
    expect([after.exitCode, after.stdout]).toEqual([0, expect.stringContaining("serve --detach")])
  })

  test("one that cannot start does not keep the others from it", async () => {
    const { home, list } = await four()
    const started = await home.run([
      "serve",
      "--detach",
      "--instances",
      `${list},${freePort()}:nowhere.env:lost`,
    ])
    expect(started.exitCode).toBe(1)
    expect(started.stdout).toMatch(/✗ +lost +– +--env: nowhere\.env does not exist/)
    expect((await home.status()).map(({ state }) => state)).toEqual(names.map(() => "running"))
  })

  test("listed in models.yaml: all of them without a word, one by its name", async () => {
    const { home, ports } = await four()
    const listed = names.map(
      (name, index) => `  - { name: ${name}, port: ${ports[index]}, env: .env-${name} }\n`,
    )
    writeFileSync(join(home.folder, "models.yaml"), `models: []\ninstances:\n${listed.join("")}`)
    const one = await home.run(["serve", "--detach", "--name", "qwen"])
    expect([one.exitCode, one.stderr]).toEqual([0, ""])
    expect((await home.status()).map(({ name, port }) => [name, port])).toEqual([["qwen", ports[3]]])
    await home.run(["stop"])
    expect((await home.run(["serve", "--detach", "--name", "qwem"])).stderr).toContain("Did you mean qwen?")
    const all = await home.run(["serve", "--detach"])
    expect([all.exitCode, all.stdout, all.stderr]).toEqual([0, expect.any(String), ""])
    const running = await home.status()
    expect(running).toHaveLength(4)
    for (const { name, url } of running) expect(await ask(url)).toBe(`this is ${String(name)}`)
  })

  test("in the foreground: their lines carry their names, one that dies is told of, a signal ends all", async () => {
    const { home, list } = await four()
    const parent = await home.start(["serve", "--instances", list])
    await until(() => parent.stdout().match(/\| claude-proxy \S+ listening on /g)?.length === 4, 30_000)
    expect(parent.stdout()).toMatch(/^Kimi-K2 +\| claude-proxy /m)
    const running = await home.status()
    expect(running.map(({ state }) => state)).toEqual(names.map(() => "running"))
    for (const { name, url } of running) expect(await ask(url)).toBe(`this is ${String(name)}`)
    kill(Number(running[0]?.["pid"]))
    await until(() => parent.stderr().includes("has ended (SIGKILL)"), 20_000)
    expect(await ask(running[1]?.["url"])).toStartWith("this is")
    parent.signal("SIGINT")
    expect((await parent.finished).exitCode).toBe(1)
    await until(() => !running.some(({ pid }) => isRunning(Number(pid))), 20_000)
  })

  test("in the foreground: they end with the process that started them, however it ends", async () => {
    const { home, list } = await four()
    const parent = await home.start(["serve", "--instances", list])
    await until(() => parent.stdout().match(/\| claude-proxy \S+ listening on /g)?.length === 4, 30_000)
    const pids = (await home.status()).map(({ pid }) => Number(pid))
    parent.signal("SIGKILL")
    await parent.finished
    await until(() => !pids.some(isRunning), 20_000)
    expect(home.states()).toEqual([])
  })
})

/** A proxy in the background with a reply under way that ends when it is told to. */
async function withReply() {
  const gate = Promise.withResolvers<void>()
  const encoder = new TextEncoder()
  const event = (chunk: JsonObject) => encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`)
  const upstream = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          start: async (controller) => {
            controller.enqueue(event(textChunk("begun ")))
            await gate.promise
            controller.enqueue(event(textChunk("and ended")))
            controller.enqueue(event(finishChunk("stop")))
            controller.enqueue(encoder.encode("data: [DONE]\n\n"))
            controller.close()
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  })
  upstreams.push({ stop: () => upstream.stop(true) })
  const home = await newHome({
    ".env": `OPENAI_API_KEY=${canary}\nOPENAI_BASE_URL=http://127.0.0.1:${upstream.port}/v1\n`,
  })
  expect((await home.run(["serve", "--detach", "--port", "0"])).exitCode).toBe(0)
  const [one] = await home.status()
  const reply = await fetch(`${String(one?.["url"])}/v1/messages`, {
    method: "POST",
    body: JSON.stringify({
      model: "claude-sonnet-5",
      max_tokens: 10,
      stream: true,
      messages: [{ role: "user", content: "hi" }],
    }),
  })
  const text = reply.text().catch(String)
  return { home, pid: Number(one?.["pid"]), text, finish: gate.resolve }
}

describe("with a reply under way", () => {
  test("two that stop it leave the reply alone; it is told of as finishing its requests", async () => {
    const { home, text, finish } = await withReply()
    const first = await home.start(["stop"])
    await until(() => objectOf(home.records()[0])["state"] === "draining", 20_000)
    const second = await home.start(["stop"])
    const told = await home.run(["status"])
    expect([told.exitCode, told.stdout]).toEqual([
      0,
      expect.stringContaining("draining (finishing its requests)"),
    ])
    const again = await home.run(["serve", "--detach", "--port", "0"])
    expect([again.exitCode, again.stderr]).toEqual([
      1,
      expect.stringContaining("default was told to end and is finishing its requests"),
    ])
    await until(() => second.stderr().includes("finishes its running requests"), 20_000)
    finish()
    expect(await text).toContain("and ended")
    for (const { finished } of [first, second]) {
      expect(await finished).toMatchObject({ exitCode: 0, stdout: "default is stopped\n" })
    }
    expect(home.states()).toEqual([])
  })

  test("a restart that is broken off leaves the reply alone, and can be made up for", async () => {
    const { home, pid, text, finish } = await withReply()
    const restart = await home.start(["restart"])
    await until(() => objectOf(home.records()[0])["state"] === "draining", 20_000)
    restart.signal("SIGINT")
    await until(() => restart.stderr().includes("is then not started again"), 20_000)
    finish()
    expect(await text).toContain("and ended")
    const ended = await restart.finished
    expect(ended.exitCode).toBe(130)
    expect(ended.stderr).toEndWith(
      "default is not running. To start it again: claude-proxy restart default\n",
    )
    expect(isRunning(pid)).toBe(false)
    expect(await home.status()).toMatchObject([{ name: "default", state: "dead" }])
    expect((await home.run(["restart"])).exitCode).toBe(0)
  })

  test("a restart that is killed loses nothing either", async () => {
    const { home, pid, text, finish } = await withReply()
    const restart = await home.start(["restart"])
    await until(() => objectOf(home.records()[0])["state"] === "draining", 20_000)
    restart.signal("SIGKILL")
    await restart.finished
    finish()
    expect(await text).toContain("and ended")
    await until(() => !isRunning(pid), 20_000)
    expect(await home.status()).toMatchObject([
      { name: "default", state: "dead", why: "its restart failed or was broken off" },
    ])
    expect((await home.run(["restart"])).exitCode).toBe(0)
  })
})

describe("one in the background", () => {
  const key = { OPENAI_API_KEY: canary }

  test("says what serve says, where its log is and how to stop it, and outlives its terminal", async () => {
    const home = await newHome()
    const started = await home.run(["serve", "--detach", "--port", "0"], key)
    expect([started.exitCode, started.stderr]).toEqual([0, ""])
    expect(started.stdout).toMatch(/^claude-proxy \S+ listening on http:\/\/127\.0\.0\.1:\d+$/m)
    expect(started.stdout).toContain("upstream  OpenAI, https://api.openai.com/v1 (key from OPENAI_API_KEY)")
    expect(started.stdout).toMatch(/^ {2}log +\S+default\.log$/m)
    expect(started.stdout).toContain("claude-proxy stop default")
    const [one] = await home.status()
    expect(one).toMatchObject({ name: "default", state: "running" })
    const health = await fetch(`${String(one?.["url"])}/health`)
    expect(objectOf(await health.json())).toMatchObject({ instance: { name: "default" } })
    const again = await home.run(["serve", "--detach", "--port", "0"], key)
    expect(again.exitCode).toBe(1)
    expect(again.stderr).toContain(
      `default is running already: ${String(one?.["url"])} (pid ${String(one?.["pid"])}`,
    )
  })

  test("a broken configuration is told as serve tells it, and leaves nothing", async () => {
    const home = await newHome({ ".env": "PORT=80x\nMAX_RETRIES=many\n" })
    const ended = await home.run(["serve", "--detach"], key)
    expect([ended.exitCode, ended.stdout]).toEqual([2, ""])
    expect(ended.stderr.match(/^claude-proxy: /gm)).toHaveLength(2)
    expect(ended.stderr).toMatch(/PORT \(\S+\.env:1\)/)
    expect(home.states()).toEqual([])
  })

  test("a taken port names its holder", async () => {
    const home = await newHome()
    const holder = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() })
    const ended = await home.run(["serve", "--detach", "--port", String(holder.port)], key)
    await holder.stop(true)
    expect([ended.exitCode, ended.stdout]).toEqual([1, ""])
    expect(ended.stderr).toContain(`is taken by`)
    expect(ended.stderr).toContain(`(pid ${process.pid})`)
    expect(home.states()).toEqual([])
  })

  test("of two starts at the same moment exactly one wins", async () => {
    const home = await newHome()
    const ended = await Promise.all(
      [0, 1, 2].map(() => home.run(["serve", "--detach", "--name", "only", "--port", "0"], key)),
    )
    expect(ended.map(({ exitCode }) => exitCode).toSorted()).toEqual([0, 1, 1])
    const [one] = await home.status()
    for (const { exitCode, stderr } of ended)
      if (exitCode === 1) expect(stderr).toContain(`only is running already: ${String(one?.["url"])}`)
  })

  test("a restart keeps the port that was found, and says which variables it lacks", async () => {
    const home = await newHome()
    await home.run(["serve", "--detach", "--port", "0"], key)
    const [before] = await home.status()
    const lacking = await home.run(["restart"])
    expect(lacking.exitCode).toBe(1)
    expect(lacking.stderr).toContain("default was started with OPENAI_API_KEY in its environment")
    // Nothing was done: it is still the same one that runs.
    expect((await home.status())[0]?.["pid"]).toBe(before?.["pid"])
    const forced = await home.run(["restart", "--force"])
    expect(forced.exitCode).toBe(2)
    expect(forced.stderr).toContain("OPENAI_API_KEY is not set")
    expect(forced.stderr).toEndWith("claude-proxy: default was not restarted; it runs as before.\n")
    expect((await home.status())[0]).toMatchObject({ state: "running", pid: before?.["pid"] })
    const back = await home.run(["restart"], key)
    expect(back.exitCode).toBe(0)
    const [after] = await home.status()
    expect(after?.["url"]).toBe(before?.["url"])
    expect(after?.["pid"]).not.toBe(before?.["pid"])
  })

  test("a mistake in its settings does not end what runs", async () => {
    const home = await newHome({ ".env": "OPENAI_API_KEY=a-key\n" })
    await home.run(["serve", "--detach", "--port", "0"])
    const [before] = await home.status()
    writeFileSync(join(home.folder, ".env"), "OPENAI_API_KEY=a-key\nMAX_RETRIES=many\n")
    const restart = await home.run(["restart"])
    expect(restart.exitCode).toBe(2)
    expect(restart.stderr).toContain("MAX_RETRIES")
    expect(restart.stderr).toEndWith("claude-proxy: default was not restarted; it runs as before.\n")
    expect((await home.status())[0]).toMatchObject({ state: "running", pid: before?.["pid"] })
    writeFileSync(join(home.folder, ".env"), "OPENAI_API_KEY=a-key\n")
    expect((await home.run(["restart"])).exitCode).toBe(0)
    expect((await home.status())[0]?.["pid"]).not.toBe(before?.["pid"])
  })

  test("no secret is written down, whether it comes from the environment or from a file", async () => {
    const home = await newHome({ ".env": `ALLOWED_API_KEYS=${canary}-client\n` })
    const started = await home.run(["serve", "--detach", "--port", "0", "--log-level", "debug"], key)
    expect(started.exitCode).toBe(0)
    expect(home.files().length).toBeGreaterThan(1)
    for (const path of home.files()) expect(readFileSync(path, "utf8")).not.toContain("canary")
    expect((await home.run(["restart"], key)).exitCode).toBe(0)
    for (const path of home.files()) expect(readFileSync(path, "utf8")).not.toContain("canary")
  })

  test.skipIf(process.platform === "win32")(
    "a start that is interrupted says so, and leaves neither a process nor a file",
    async () => {
      const home = await newHome()
      const pipe = join(home.folder, "models.pipe")
      expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0)
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        // It waits for its models for ever.
        const start = await home.start(["serve", "--detach", "--port", "0"], {
          ...key,
          CUSTOM_MODELS_FILE: pipe,
        })
        const pid = () => Number(objectOf(home.records()[0])["pid"] ?? 0)
        await until(() => pid() > 0, 30_000)
        const child = pid()
        expect(await home.status()).toMatchObject([{ name: "default", state: "starting", pid: child }])
        start.signal(signal)
        const ended = await start.finished
        expect([ended.exitCode, ended.stdout, ended.stderr]).toEqual([
          130,
          "",
          "claude-proxy: default was not started.\n",
        ])
        expect(home.states()).toEqual([])
        await until(() => !isRunning(child), 20_000)
      }
    },
  )

  test("one that is killed while it starts is dead at once, and its name is free", async () => {
    const home = await newHome()
    const pipe = join(home.folder, "models.pipe")
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0)
    const start = await home.start(["serve", "--detach", "--port", "0"], { ...key, CUSTOM_MODELS_FILE: pipe })
    const pid = () => Number(objectOf(home.records()[0])["pid"] ?? 0)
    await until(() => pid() > 0, 30_000)
    // First who waits for it: it can take nothing away.
    start.signal("SIGKILL")
    await start.finished
    kill(pid())
    await until(() => !isRunning(pid()), 20_000)
    expect(await home.status()).toMatchObject([{ state: "dead", why: "it did not come up" }])
    expect((await home.run(["serve", "--detach", "--port", "0"], key)).exitCode).toBe(0)
  })

  test("logs --follow goes on over a rotation, and ends with 0", async () => {
    const home = await newHome()
    await home.run(["serve", "--detach", "--port", "0"], key)
    const [one] = await home.status()
    const path = String(one?.["log"])
    const follower = await home.start(["logs", "--follow"])
    await until(() => follower.stdout().includes("listening on"), 20_000)
    renameSync(path, `${path}.2026-01-31`)
    writeFileSync(path, "the first line of a new day\n")
    await until(() => follower.stdout().includes("the first line of a new day\n"), 20_000)
    await home.run(["stop"])
    await until(() => follower.stdout().includes("SIGTERM: finishing"), 20_000)
    follower.signal("SIGINT")
    expect((await follower.finished).exitCode).toBe(0)
  })

  test("a name in the foreground is known as well", async () => {
    const home = await newHome()
    const running = await home.start(["serve", "--name", "here", "--port", "0", "--demo"])
    await until(() => running.stdout().includes("listening on"), 20_000)
    expect(await home.status()).toMatchObject([{ name: "here", state: "running", detached: false }])
    expect((await home.run(["restart", "here"])).stderr).toContain("here runs in a terminal")
    expect((await home.run(["stop", "here"])).stdout).toBe("here is stopped\n")
    expect((await running.finished).exitCode).toBe(0)
    expect(home.states()).toEqual([])
  })

  test("a name nobody has is answered with the nearest one", async () => {
    const home = await newHome()
    await home.run(["serve", "--detach", "--name", "kimi", "--port", "0", "--demo"])
    for (const command of ["status", "stop", "restart", "logs"]) {
      const { exitCode, stderr } = await home.run([command, "kimmi"])
      expect([command, exitCode, stderr]).toEqual([
        command,
        1,
        "claude-proxy: no proxy is called kimmi. Did you mean kimi?\n",
      ])
    }
  })
})
