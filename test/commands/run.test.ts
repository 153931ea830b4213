import { afterAll, describe, expect, test } from "bun:test"
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { folderWith, removeFolders } from "../config/support.ts"

afterAll(removeFolders)

const cli = `${import.meta.dir}/../../src/cli.ts`

function spawn(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env["PATH"], HOME: "/nonexistent", XDG_CONFIG_HOME: "/nonexistent", ...more }
  return Bun.spawn([process.execPath, "--no-env-file", cli, "run", ...args], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
}

async function start(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const child = spawn(args, more)
  const [out, error, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { out, error, exitCode }
}

const shell = (script: string) => ["--demo", "--", "sh", "-c", script]

describe.skipIf(process.platform === "win32")("run", () => {
  test("everything behind -- belongs to the child", async () => {
    const { out, exitCode } = await start(["--demo", "--", "echo", "--help", "--", "--version"])
    expect({ out, exitCode }).toEqual({ out: "--help -- --version\n", exitCode: 0 })
  })

  test.each([
    ["exit 7", 7],
    ["kill -TERM $$", 143],
    ["kill -KILL $$", 137],
  ])("%s gives %i", async (script, expected) => {
    expect(await start(shell(script))).toEqual({
      out: "",
      error: "claude-proxy: 0 requests\n",
      exitCode: expected,
    })
  })

  test("the child's way to the proxy works, and is closed afterwards", async () => {
    const request = `curl -s "$ANTHROPIC_BASE_URL/v1/models" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" -o /dev/null -w "%{http_code} "`
    const script = `${request}; curl -s "$ANTHROPIC_BASE_URL/v1/models" -o /dev/null -w "%{http_code} "; echo "$ANTHROPIC_BASE_URL"`
    const { out, exitCode } = await start(shell(script))
    const [allowed, refused, url = ""] = out.trim().split(" ")
    expect([allowed, refused, exitCode]).toEqual(["200", "401", 0])
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(
      await fetch(url).then(
        () => "answered",
        () => "closed",
      ),
    ).toBe("closed")
  })

  test("the rate limit of a proxy for others does not count for the one client", async () => {
    const request = `curl -s "$ANTHROPIC_BASE_URL/v1/messages" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" -d '{"messages":[{"role":"user","content":"hi"}]}' -o /dev/null -w "%{http_code} "`
    const { out } = await start(shell(`${request}; ${request}`), { RATE_LIMIT_REQUESTS_PER_MINUTE: "1" })
    expect(out).toBe("200 200 ")
  })

  test("--model counts before the routes too", async () => {
    const body = `'{"model":"claude-haiku-5","thinking":{"type":"enabled","budget_tokens":1024},"max_tokens":2000,"messages":[{"role":"user","content":"hi"}]}'`
    const request = `curl -s "$ANTHROPIC_BASE_URL/v1/messages" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" -d ${body} -o /dev/null -D -`
    const env = { OPENAI_BASE_URL: "http://127.0.0.1:1/v1", MAX_RETRIES: "0" }
    const routes = {
      ROUTER_DEFAULT: "a",
      ROUTER_BACKGROUND: "b",
      ROUTER_THINK: "c",
      ROUTER_LONG_CONTEXT: "d",
    }
    const more = { ...env, ...routes, LONG_CONTEXT_THRESHOLD: "1" }
    const { out } = await start(["--model", "mine", "--", "sh", "-c", request], more)
    expect(out).toContain("x-claude-proxy-route: generic/mine; haiku -> SMALL_MODEL")
  })

  test.each([
    [["--", "no-such-program"], "claude-proxy: no-such-program: command not found\n", 127],
    [["--", "./no-such-program"], "claude-proxy: ./no-such-program: no such file\n", 127],
    [["--", "/etc/passwd"], "claude-proxy: /etc/passwd: cannot be executed\n", 126],
  ])("%j", async (args, error, exitCode) => {
    expect(await start(args)).toEqual({ out: "", error, exitCode })
  })

  test("a script that does not say what runs it is a shell's", async () => {
    const script = join(folderWith({ "go.sh": 'echo "$1"; exit 4\n' }), "go.sh")
    chmodSync(script, 0o755)
    const { out, exitCode } = await start(["--demo", "--", script, "an argument"])
    expect({ out, exitCode }).toEqual({ out: "an argument\n", exitCode: 4 })
  })

  test("a program for another machine is none", async () => {
    const program = join(folderWith({ go: "\u007fELF\u0000\u0000\u0000" }), "go")
    chmodSync(program, 0o755)
    const { error, exitCode } = await start(["--demo", "--", program])
    expect(error).toContain(`${program}: cannot be started (ENOEXEC)`)
    expect(exitCode).toBe(126)
  })

  test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
    "%s goes to the child, which decides",
    async (signal) => {
      const name = signal.slice("SIG".length)
      const child = spawn(
        shell(`trap 'echo got ${name}; exit 9' ${name}; echo up; while :; do sleep 0.05; done`),
      )
      const reader = child.stdout.getReader()
      await reader.read()
      child.kill(signal)
      const { value } = await reader.read()
      expect([new TextDecoder().decode(value), await child.exited]).toEqual([`got ${name}\n`, 9])
    },
  )

  test.skipIf(process.platform !== "linux")("under nohup the child outlives a SIGHUP too", async () => {
    const script = "kill -HUP $$; kill -HUP $PPID; sleep 0.1; echo alive; exit 3"
    const run = [process.execPath, "--no-env-file", cli, "run", ...shell(script)]
    const child = Bun.spawn(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", ...run], {
      env: { PATH: process.env["PATH"], HOME: "/nonexistent", XDG_CONFIG_HOME: "/nonexistent" },
      stdio: ["ignore", "pipe", "ignore"],
    })
    const out = await new Response(child.stdout).text()
    expect([out, await child.exited]).toEqual(["alive\n", 3])
  })
})
