// `run`: what the wrapped command sees, and what is left when it has ended.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import {
  type Environment,
  isAlive,
  type RunOptions,
  runProxy,
  startProxyCommand,
  withFolder,
} from "../support/proxy.ts"
import { createUpstream, type ScriptedUpstream, until } from "../support/upstream.ts"
import { anyTextTurn } from "./session.ts"

setDefaultTimeout(30_000)

const open: ScriptedUpstream[] = []

afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.stop()
})

const settings: Environment = { OPENAI_API_KEY: "sk-scripted", BIG_MODEL: "scripted-model" }

function run(command: readonly string[], options: RunOptions = {}) {
  return runProxy(["run", "--", ...command], {
    timeoutMs: 30_000,
    ...options,
    env: { ...settings, ...options.env },
  })
}

async function environmentOf(env: Environment): Promise<Environment> {
  const { stdout, exitCode } = await run(["env"], { env })
  expect(exitCode).toBe(0)
  return Object.fromEntries(
    stdout.split("\n").map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  )
}

test.each([
  ["exit 0", 0],
  ["exit 7", 7],
  ["kill -TERM $$", 143],
  ["kill -KILL $$", 137],
])("the exit code of `%s` is passed on", async (script, expected) => {
  expect((await run(["sh", "-c", script])).exitCode).toBe(expected)
})

test("input, output and flags are the command's own", async () => {
  const script = 'cat; echo "$@"; echo oops >&2'
  const finished = await run(["sh", "-c", script, "name", "--help", "--port", "1"], {
    stdin: "from outside\n",
  })
  expect(finished.stdout).toBe("from outside\n--help --port 1\n")
  expect(finished.stderr).toContain("oops\n")
})

test("the command is told where to go, and keeps what its user has set", async () => {
  const given = { ANTHROPIC_API_KEY: "sk-ant-mine", NO_PROXY: "example.com", MINE: "1" }
  const seen = await environmentOf(given)
  expect(seen["ANTHROPIC_BASE_URL"]).toMatch(/^http:\/\/(127\.0\.0\.1|localhost):\d+$/)
  expect(seen["ANTHROPIC_AUTH_TOKEN"]?.length).toBeGreaterThanOrEqual(16)
  expect(seen["ANTHROPIC_API_KEY"]).toBeUndefined()
  for (const name of ["NO_PROXY", "no_proxy"]) {
    expect(seen[name]?.split(",")).toEqual(expect.arrayContaining(["example.com", "127.0.0.1", "localhost"]))
  }
  expect(seen["CLAUDE_CODE_ATTRIBUTION_HEADER"]).toBe("0")
  expect(seen["CLAUDE_CODE_DISABLE_1M_CONTEXT"]).toBe("1")
  expect(seen["MINE"]).toBe("1")
  const other = await environmentOf({ CLAUDE_CODE_ATTRIBUTION_HEADER: "1" })
  expect(other["CLAUDE_CODE_ATTRIBUTION_HEADER"]).toBe("1")
  expect(other["ANTHROPIC_AUTH_TOKEN"]).not.toBe(seen["ANTHROPIC_AUTH_TOKEN"])
})

/** A command that asks the proxy once with its token and once with another, and prints both answers. */
const asking = `
  const { ANTHROPIC_BASE_URL: base, ANTHROPIC_AUTH_TOKEN: token } = process.env
  const ask = async (key) => {
    const body = JSON.stringify({ model: "claude-opus-5-5", max_tokens: 9, messages: [{ role: "user", content: "hi" }] })
    const headers = { authorization: "Bearer " + key, "content-type": "application/json" }
    const answer = await fetch(base + "/v1/messages", { method: "POST", headers, body })
    return { status: answer.status, body: await answer.json() }
  }
  console.log(JSON.stringify({ base, mine: await ask(token), other: await ask("other") }))
`

test("only the command's token opens its proxy, which ends with it; the totals are one line", () =>
  withFolder(async (folder) => {
    const upstream = createUpstream((body) => anyTextTurn(body, "Hello."))
    open.push(upstream)
    await Bun.write(
      `${folder}/.env`,
      "BIG_MODEL=from-the-project\nSURPRISE=1\nOPENAI_API_KEY=sk-of-the-project\n",
    )
    const command = [process.execPath, "--no-env-file", "-e", asking]
    const finished = await run(command, { cwd: folder, env: { OPENAI_BASE_URL: upstream.url } })
    expect(finished).toMatchObject({ exitCode: 0 })
    const answers = objectOf(JSON.parse(finished.stdout))
    expect(answers["mine"]).toMatchObject({
      status: 200,
      body: { content: [{ type: "text", text: "Hello." }] },
    })
    expect(answers["other"]).toMatchObject({ status: 401, body: { error: { type: "authentication_error" } } })
    expect(finished.stderr.split("\n").filter((line) => /\b\d+ requests?\b/.test(line)).length).toBe(1)

    // The folder belongs to somebody's project: its .env is neither read nor handed on.
    const [turn] = upstream.turns()
    expect(turn?.body["model"]).toBe("scripted-model")
    expect(turn?.headers["authorization"]).toBe("Bearer sk-scripted")
    expect((await run(["env"], { cwd: folder })).stdout).not.toContain("SURPRISE")
    await expect(fetch(String(answers["base"]))).rejects.toThrow()
  }))

/** Starts `run -- sh -c SCRIPT`; the script prints its process id first. */
/** Runs a script that prints its pid once it is ready for signals. */
async function startShell(script: string) {
  const started = await startProxyCommand(["run", "--", "sh", "-c", script], { env: settings })
  await until(() => /^\d+\n/.test(started.stdout()), 15_000)
  return { ...started, child: Number.parseInt(started.stdout(), 10) }
}

test("SIGTERM ends the command, and nothing stays behind", async () => {
  const started = await startShell("echo $$; exec sleep 60")
  expect(isAlive(started.child)).toBe(true)
  started.signal("SIGTERM")
  const finished = await started.finished
  expect(finished).toMatchObject({ exitCode: 143, timedOut: false })
  expect(isAlive(started.child)).toBe(false)
})

test("a command that handles the signal has the last word", async () => {
  const started = await startShell('trap "echo bye; exit 9" TERM; echo $$; while :; do sleep 0.05; done')
  started.signal("SIGTERM")
  const finished = await started.finished
  expect(finished).toMatchObject({ exitCode: 9, timedOut: false })
  expect(finished.stdout).toEndWith("bye\n")
})
