// `serve` and `demo` as their users start them: as processes, in an empty folder.
import { describe, expect, test } from "bun:test"
import { runProxy, startProxy } from "../support/proxy.ts"

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

  test("a taken port names its holder and ends with 1", async () => {
    const holder = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() })
    const { port } = holder
    const ended = await runProxy(["serve", "--demo", "--port", String(port)])
    await holder.stop(true)
    expect(ended.exitCode).toBe(1)
    expect(ended.stderr).toContain(`127.0.0.1:${port} is taken by`)
    expect(ended.stderr).toContain(`(pid ${process.pid})`)
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

test("demo --once plays a request with thinking, text and a tool call to its end", async () => {
  const ended = await runProxy(["demo", "--once"])
  expect(ended.exitCode).toBe(0)
  const kinds = ended.stdout
    .split("\n")
    .flatMap((line) => /^(message_\w+|thinking|text|tool_use)\b/.exec(line)?.[1] ?? [])
  expect(kinds).toEqual(["message_start", "thinking", "text", "tool_use", "message_delta", "message_stop"])
  expect(ended.stdout).toContain('get_weather {"city":"Paris"}')
})
