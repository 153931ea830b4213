// `serve` and `demo` as their users start them: as processes, in an empty folder.
import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { proxyCommand, runProxy, startProcess, startProxy, withFolder } from "../support/proxy.ts"
import { until } from "../support/upstream.ts"

// Every one of them starts processes, on a machine that may be busy.
setDefaultTimeout(60_000)

const key = { OPENAI_API_KEY: "canary-key-of-a-test" }

describe("serve", () => {
  test("says where it listens, which upstream and models, what clients need, and the line to paste", async () => {
    const proxy = await startProxy(key)
    const health = await fetch(`${proxy.url}/health`)
    await proxy.stop()
    const output = proxy.output()
    expect(health.status).toBe(200)
    expect(output).toContain(`listening on ${proxy.url}`)
    expect(output).toContain("upstream  OpenAI, https://api.openai.com/v1 (key from OPENAI_API_KEY)")
    expect(output).toContain("models    opus → gpt-4o, sonnet → gpt-4o, haiku → gpt-4o-mini")
    expect(output).toContain("clients   no key needed")
    expect(output).toContain(`ANTHROPIC_BASE_URL=${proxy.url} ANTHROPIC_AUTH_TOKEN=unused claude`)
    expect(output).not.toContain(key.OPENAI_API_KEY)
  })

  test("a key that the shell has for other programs is named where it is asked for", async () => {
    const shell = { ...key, ANTHROPIC_API_KEY: "canary-key-of-the-shell" }
    const note = "note      ANTHROPIC_API_KEY (environment) is the key that clients must send."
    const proxy = await startProxy(shell)
    const refused = await fetch(`${proxy.url}/v1/models`, { headers: { "x-api-key": "another" } })
    const answer = await refused.text()
    await proxy.stop()
    expect(proxy.output()).toContain(note)
    expect([refused.status, answer]).toEqual([401, expect.stringContaining("or ANTHROPIC_API_KEY")])
    expect(proxy.output() + answer).not.toMatch(/canary-key/)
    for (const more of [
      { ALLOWED_API_KEYS: "a-key" },
      { ANTHROPIC_KEY_ROLE: "both" },
      { ROUTER_THINK: "gpt-5" },
    ]) {
      const other = await startProxy({ ...shell, ...more })
      await other.stop()
      expect(other.output()).not.toContain("note ")
    }
  })

  test("a taken port names its holder and ends with 1", async () => {
    const holder = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() })
    const { port } = holder
    const ended = await runProxy(["serve", "--demo", "--port", String(port)])
    await holder.stop(true)
    expect(ended.exitCode).toBe(1)
    expect(ended.stderr).toContain(`127.0.0.1:${port} is taken by`)
    expect(ended.stderr).toContain(`(pid ${process.pid})`)
  })

  test("a host without an address is told as one, and not as a taken port", async () => {
    const ended = await runProxy(["serve", "--demo", "--host", "nowhere.invalid", "--port", "0"])
    expect([ended.exitCode, ended.stderr]).toEqual([
      1,
      "claude-proxy: HOST (or --host) nowhere.invalid has no address; name one of this machine, or 127.0.0.1\n",
    ])
  })

  test("a second proxy on the same port is refused as well", async () => {
    const first = await startProxy(key)
    const ended = await runProxy(["serve", "--demo", "--port", new URL(first.url).port])
    await first.stop()
    expect(ended.exitCode).toBe(1)
    expect(ended.stderr).toContain(`(pid ${first.pid})`)
  })

  test("a broken configuration is told line by line and ends with 2", async () => {
    const ended = await runProxy(["serve"], { env: { ...key, PORT: "80x", MAX_RETRIES: "many" } })
    expect([ended.exitCode, ended.stdout]).toEqual([2, ""])
    expect(ended.stderr.split("\n").filter((line) => line.startsWith("claude-proxy: "))).toHaveLength(2)
  })

  test("a host that others can reach, without client keys, is warned of", async () => {
    const proxy = await startProxy({ ...key, HOST: "0.0.0.0" })
    await proxy.stop()
    expect(proxy.output()).toContain("can be reached from other machines and asks for no key")
  })
})

describe.skipIf(process.platform === "win32")("settings from a pipe", () => {
  const settings = "OPENAI_API_KEY=canary-key-of-a-test\\nPORT=0\\nALLOWED_API_KEYS=canary-client\\n"

  /** `serve` with these arguments, by a shell; $PIPE is a named pipe that gives the settings once. */
  async function started(args: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    return await withFolder(async (folder) => {
      const words = proxyCommand().map((word) => `'${word}'`)
      const script = `mkfifo pipe; printf '${settings}' > pipe & exec ${words.join(" ")} serve ${args}`
      const child = startProcess(["bash", "-c", script], folder, { env })
      const output = () => child.stdout() + child.stderr()
      let ended = false
      void child.finished.then(() => {
        ended = true
      })
      // The last line of the block at the start.
      await until(() => ended || output().includes("ANTHROPIC_BASE_URL="), 30_000)
      child.signal("SIGTERM")
      await child.finished
      killGroup(child.pid)
      expect(output()).not.toContain("canary")
      return output()
    })
  }

  test.each([
    ["--env <(printf '%b' \"$SETTINGS\")", /upstream {2}OpenAI[\s\S]*must send a client key/],
    ["--env pipe", /upstream {2}OpenAI[\s\S]*must send a client key/],
    ["--name x --env pipe", /upstream {2}OpenAI[\s\S]*must send a client key[\s\S]*name {6}x/],
  ])("serve %s has them", async (args, expected) => {
    expect(await started(args, { SETTINGS: settings })).toMatch(expected)
  })

  test("what one held is not lost when a server on this machine stands in", async () => {
    const ollama = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.json({ models: [{ name: "qwen3:8b", model: "qwen3:8b" }], version: "0.12.0" }),
    })
    try {
      const env = {
        OLLAMA_HOST: `127.0.0.1:${ollama.port}`,
        SETTINGS: "PORT=0\\nALLOWED_API_KEYS=canary-client\\n",
      }
      const output = await started("--env <(printf '%b' \"$SETTINGS\")", env)
      expect(output).toMatch(/upstream {2}Ollama[\s\S]*must send a client key/)
    } finally {
      await ollama.stop(true)
    }
  })

  test.each(["--detach --env pipe", "--detach --env <(echo)", "--instances 8081::a,8082::b --env pipe"])(
    "serve %s is refused: who comes second would find nothing",
    async (args) => {
      expect(await started(args)).toMatch(
        /^claude-proxy: --env: \S+ is a pipe, which can be read only once\./,
      )
    },
  )
})

/** Whoever still waits to write into a pipe that nobody reads. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Nobody.
  }
}

test("demo --once plays a request with thinking, text and a tool call to its end", async () => {
  const ended = await runProxy(["demo", "--once"])
  expect(ended.exitCode).toBe(0)
  const kinds = ended.stdout
    .split("\n")
    .flatMap((line) => /^(message_\w+|thinking|text|tool_use)\b/.exec(line)?.[1] ?? [])
  expect(kinds).toEqual(["message_start", "thinking", "text", "tool_use", "message_delta", "message_stop"])
  expect(ended.stdout).toContain('get_weather {"city":"Paris"}')
})

test.skipIf(process.platform !== "linux")(
  "started by nohup it outlives its terminal, and can be stopped",
  () =>
    withFolder(async (home) => {
      const command = [...proxyCommand(), "serve", "--demo", "--port", "0"]
      const started = startProcess(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", ...command], home, {})
      await until(() => started.stdout().includes("listening on"), 15_000)
      const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(started.stdout()) ?? []
      started.signal("SIGHUP")
      await Bun.sleep(200)
      expect((await fetch(`${url}/health`)).status).toBe(200)
      started.signal("SIGTERM")
      const { exitCode, stderr } = await started.finished
      expect([exitCode, stderr.includes("SIGHUP")]).toEqual([0, false])
    }),
)
