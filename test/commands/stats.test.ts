// `stats` as its user sees it, and the statistics of real proxies over their ends.
import { afterEach, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { showKept } from "../../src/commands/stats/kept.ts"
import { stats } from "../../src/commands/stats/stats.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { post, start, stopAll } from "../server/support.ts"
import {
  batch,
  dayRow,
  newFolder,
  openStore,
  removeFolders,
  requestsIn,
  sessionRow,
  storedValue,
  tally,
} from "../store/support.ts"
import { chatReply } from "../support/chunks.ts"
import { inWorld } from "../support/command-io.ts"
import { runProxy, startProxyCommand } from "../support/proxy.ts"
import { createUpstream, until } from "../support/upstream.ts"

afterEach(async () => {
  await stopAll()
  removeFolders()
})

const now = new Date(2026, 1, 1, 12)
const used = (day: number, hour: number) => new Date(2026, 0, day, hour).getTime()

/** A file with three days of two models. */
function keptFile(): string {
  const path = join(newFolder(), "stats.db")
  const store = openStore(path)
  const unknown = { costUsd: 0, costKnown: 0, costUnknown: 2 }
  storedValue(
    store.add(
      batch(
        [
          dayRow({ day: "2026-01-25", tally: tally(1, { outputTokens: 1_000 }) }),
          dayRow({
            day: "2026-01-31",
            client: "key-1",
            tally: tally(4, { failures: 1, cacheReadTokens: 7 }),
          }),
          dayRow({ day: "2026-02-01", provider: "ollama", model: "qwen3", tally: tally(2, unknown) }),
        ],
        [
          sessionRow({ session: "first", firstUsed: used(25, 9), lastUsed: used(25, 10) }),
          sessionRow({ session: "second", firstUsed: used(31, 9), lastUsed: used(31, 10), tally: tally(4) }),
        ],
      ),
    ),
  )
  store.close()
  return path
}

const show = (path: string, options: { readonly json?: boolean; readonly days?: number } = {}) =>
  inWorld({}, async (io) => showKept(path, { json: false, days: undefined, ...options }, io, now))

describe("what was kept", () => {
  test("as tables", async () => {
    const path = keptFile()
    expect(await show(path)).toEqual({
      code: 0,
      error: "",
      out: `Statistics since 2026-01-25, kept in ${path}
7 requests (1 failed), 70 input tokens (7 cached), 1,000 output tokens, cost $1.2500 + unknown

MODEL          REQUESTS  FAILED  INPUT  CACHED  OUTPUT     COST
openai/gpt-4o         5       1     50       7   1,000  $1.2500
ollama/qwen3          2       0     20       0       0  unknown

DAY         REQUESTS  FAILED  INPUT  CACHED  OUTPUT     COST
2026-02-01         2       0     20       0       0  unknown
2026-01-31         4       1     40       7       0  $1.0000
2026-01-25         1       0     10       0   1,000  $0.2500

SESSION  LAST USED         MODELS         REQUESTS  FAILED  INPUT  CACHED  OUTPUT     COST
second   2026-01-31 10:00  openai/gpt-4o         4       0     40       0       0  $1.0000
first    2026-01-25 10:00  openai/gpt-4o         1       0     10       0       0  $0.2500

CLIENT  REQUESTS  FAILED  INPUT  CACHED  OUTPUT     COST
key-1          4       1     40       7       0  $1.0000
`,
    })
  })

  test("of the last days alone", async () => {
    const { out } = await show(keptFile(), { days: 2 })
    expect(out.split("\n").slice(0, 2)).toEqual([
      expect.stringMatching(/^Statistics since 2026-01-31, /),
      "6 requests (1 failed), 60 input tokens (7 cached), 0 output tokens, cost $1.0000 + unknown",
    ])
    expect(out).not.toContain("2026-01-25")
    expect(out).not.toContain("first")
  })

  test("as JSON, a cost that is not known being null", async () => {
    const path = keptFile()
    const { out } = await show(path, { json: true, days: 1 })
    const row = {
      ...{ requests: 2, failed_requests: 0, input_tokens: 20, output_tokens: 0, cache_read_tokens: 0 },
      ...{ cache_creation_tokens: 0, reasoning_tokens: 0, cost_usd: null, cost_unknown_requests: 2 },
      cost_known_requests: 0,
      estimated_requests: 0,
    }
    expect(JSON.parse(out)).toEqual({
      source: path,
      days: 1,
      since: "2026-02-01",
      total: row,
      models: [{ provider: "ollama", model: "qwen3", ...row }],
      by_day: [{ day: "2026-02-01", ...row }],
      sessions: [],
      clients: [],
    })
  })

  test("only the latest of many sessions, and how many more there are", async () => {
    const path = join(newFolder(), "stats.db")
    const store = openStore(path)
    const rows = Array.from({ length: 30 }, (_, index) =>
      sessionRow({ session: `s${index}`, lastUsed: index }),
    )
    storedValue(store.add(batch([dayRow()], rows)))
    store.close()
    const { out } = await show(path)
    expect(out.match(/^s\d+/gm)).toEqual([
      "s29",
      "s28",
      "s27",
      "s26",
      "s25",
      "s24",
      "s23",
      "s22",
      "s21",
      "s20",
    ])
    expect(out).toContain("… 20 more sessions: --json shows all\n")
    expect(objectOf(JSON.parse((await show(path, { json: true })).out))["sessions"]).toHaveLength(30)
  })

  test("names cannot move the cursor", async () => {
    const path = join(newFolder(), "stats.db")
    const store = openStore(path)
    storedValue(store.add(batch([dayRow({ model: "\u001b[2Jevil\r\u0007" })])))
    store.close()
    expect((await show(path)).out).toContain("\nopenai/evil   ")
  })

  test.each([[{}], [{ days: 3 }]])("nothing yet is no failure: %j", async (options) => {
    const path = join(newFolder(), "stats.db")
    const when = "days" in options ? "in the last 3 days" : "yet"
    const said = `No statistics ${when}. claude-proxy serve keeps them in ${path}.\n`
    expect(await show(path, options)).toEqual({ code: 0, out: said, error: "" })
    expect(existsSync(path)).toBe(false)
    const { out } = await show(path, { json: true })
    expect(JSON.parse(out)).toMatchObject({ since: null, total: { requests: 0, cost_usd: 0 }, models: [] })
  })

  test("a file that is none of ours", async () => {
    const path = join(newFolder(), "stats.db")
    writeFileSync(path, "what is this? ".repeat(1_000))
    expect(await show(path)).toEqual({
      code: 1,
      out: "",
      error: `claude-proxy: the statistics in ${path} cannot be read: file is not a database. Move the file away, and the next proxy makes a new one.\n`,
    })
  })

  test("where a file stands in the place of the folder", async () => {
    const folder = join(newFolder(), "state")
    writeFileSync(folder, "")
    const { code, out, error } = await show(join(folder, "stats.db"))
    expect([code, out]).toEqual([1, ""])
    expect(error).toContain("cannot be read: ENOTDIR")
  })
})

describe("a running proxy", () => {
  const key = "sk-client-key-0123456789"
  const ask = (url: string, env: Readonly<Record<string, string>> = {}, json = false) =>
    inWorld({}, (io) => stats({ url, json }, io, env))
  const answered = () => ({ kind: "json", body: chatReply({ content: "hi" }) }) as const

  test("is asked for its own figures", async () => {
    const { proxy } = start(answered)
    await (await post(proxy, {}, { headers: { "x-claude-code-session-id": "5e551044" } })).text()
    const { code, out } = await ask(`${proxy.url}/v1/`)
    expect(code).toBe(0)
    expect(out).toStartWith(`Statistics of ${proxy.url}/v1/ since it was started, 20`)
    expect(out).toContain("\n1 request, ")
    expect(out).toMatch(/\ngeneric\/big-model +1 .* unknown\n/)
    expect(out).toMatch(/\n5e551044 +20\d\d-\d\d-\d\d \d\d:\d\d +1 /)
    const json = await ask(proxy.url, {}, true)
    expect(JSON.parse(json.out)).toMatchObject({ total_requests: 1, cost_unknown_requests: 1 })
  })

  test("a failure that cost nothing is no known cost", async () => {
    const turns = [
      { kind: "json", status: 401, body: { error: { message: "no" } } },
      { kind: "json", body: chatReply({ content: "hi" }) },
    ] as const
    const { proxy } = start([...turns], { env: { MAX_RETRIES: "0" } })
    for (const model of ["haiku", "opus"]) await (await post(proxy, { model })).text()
    const { out } = await ask(proxy.url)
    expect(out).toMatch(/\n2 requests \(1 failed\), .*, cost unknown\n/)
    expect(out).toMatch(/\ngeneric\/big-model +1 .* unknown\n/)
    expect(out).toMatch(/\ngeneric\/small-model +1 +1 .* \$0\.0000\n/)
  })

  test("that wants a key gets the one its clients send it", async () => {
    const { proxy } = start(answered, { env: { ALLOWED_API_KEYS: key } })
    const base = { ANTHROPIC_BASE_URL: `${proxy.url}/`, ANTHROPIC_AUTH_TOKEN: key }
    expect((await ask(proxy.url, base)).code).toBe(0)
    const elsewhere = await ask(proxy.url, { ...base, ANTHROPIC_BASE_URL: "http://127.0.0.1:9" })
    expect(elsewhere.code).toBe(1)
    expect(elsewhere.error).toContain("asks for a client key: set ANTHROPIC_AUTH_TOKEN")
    expect(elsewhere.error).not.toContain(key)
  })

  test("that is not there, or is another program", async () => {
    const gone = await ask("http://127.0.0.1:9")
    expect(gone.code).toBe(1)
    expect(gone.error).toStartWith("claude-proxy: http://127.0.0.1:9/v1/stats cannot be reached: ")
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({ ok: true }) })
    const answer = await ask(`http://127.0.0.1:${other.port}`)
    await other.stop(true)
    expect(answer).toMatchObject({ code: 1, out: "" })
    expect(answer.error).toContain("/v1/stats answers 200: no claude-proxy, or one without statistics.")
  })

  test.each([
    [{ url: "http://127.0.0.1:1", name: "a" }, 2, "give --url or --name, not both."],
    [{ url: "127.0.0.1:8082" }, 2, "--url must be the address of a proxy"],
    [{ url: "http://127.0.0.1:1", days: 2 }, 2, "--days is for what was kept"],
    [{ name: "nobody" }, 1, "no proxy is called nobody."],
  ])("%j: %d", async (options, code, text) => {
    const env = { XDG_STATE_HOME: newFolder() }
    const ended = await inWorld({}, (io) => stats({ json: false, ...options }, io, env))
    expect(ended.code).toBe(code)
    expect(ended.error).toContain(text)
  })
})

const clientKey = "sk-canary-client-0123456789"
const upstreamKey = "sk-canary-upstream-0123456789"

/** A proxy as a program that keeps its statistics in `state`. */
async function serve(state: string, upstream: string, more: Readonly<Record<string, string>> = {}) {
  const env = {
    ...{ XDG_STATE_HOME: state, OPENAI_BASE_URL: upstream, OPENAI_API_KEY: upstreamKey },
    ...{ BIG_MODEL: "big", SMALL_MODEL: "small", ALLOWED_API_KEYS: clientKey },
    ...more,
  }
  const started = await startProxyCommand(["serve", "--port", "0"], { env, timeoutMs: 120_000 })
  const url = () => /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(started.stdout())?.[1]
  await until(() => url() !== undefined, 30_000)
  const ask = () => {
    const headers = { "x-api-key": clientKey, "x-claude-code-session-id": "5e551044" }
    return post({ url: url() ?? "" }, {}, { headers }).then((response) => response.text())
  }
  return { ...started, ask }
}

async function totals(state: string) {
  const ended = await runProxy(["stats", "--json"], { env: { XDG_STATE_HOME: state } })
  expect(ended.stderr).toBe("")
  const { total, clients, sessions } = objectOf(JSON.parse(ended.stdout))
  return { total: objectOf(total), clients, sessions }
}

describe("real proxies", () => {
  const scripted = () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost: 0.25 }
    return createUpstream(() => ({ kind: "json", body: { ...chatReply({ content: "hi" }), usage } }))
  }

  test("totals outlive a restart, a kill, and two proxies at once; no key is in the file", async () => {
    const upstream = scripted()
    const state = newFolder()
    const folder = join(state, "claude-proxy")
    const first = await serve(state, upstream.url)
    const second = await serve(state, upstream.url)
    for (let index = 0; index < 5; index++) await Promise.all([first.ask(), second.ask()])
    first.signal("SIGTERM")
    expect((await first.finished).exitCode).toBe(0)
    // Killed once it has nothing more to write.
    await until(() => requestsIn(join(folder, "stats.db")).byDay === 10, 10_000)
    second.signal("SIGKILL")
    await second.finished
    expect((await totals(state)).total).toMatchObject({ requests: 10, input_tokens: 100, cost_usd: 2.5 })
    const third = await serve(state, upstream.url)
    await third.ask()
    third.signal("SIGTERM")
    await third.finished
    const { total, clients, sessions } = await totals(state)
    expect(total).toMatchObject({ requests: 11, output_tokens: 55, cost_usd: 2.75, cost_unknown_requests: 0 })
    expect(clients).toMatchObject([{ client: "key-1", requests: 11 }])
    expect(sessions).toMatchObject([{ session: "5e551044", requests: 11 }])
    const files = readdirSync(folder).filter((name) => name.startsWith("stats.db"))
    expect(files).not.toEqual([])
    for (const name of files) expect(readFileSync(join(folder, name), "latin1")).not.toContain("canary")
    await upstream.stop()
  }, 120_000)

  test("with STATS_ENABLED=false there is no file", async () => {
    const upstream = scripted()
    const state = newFolder()
    const proxy = await serve(state, upstream.url, { STATS_ENABLED: "false" })
    await proxy.ask()
    proxy.signal("SIGTERM")
    await proxy.finished
    expect(readdirSync(state)).toEqual([])
    await upstream.stop()
  }, 60_000)

  test("a broken file does not keep a proxy from its work, and is said once", async () => {
    const upstream = scripted()
    const state = newFolder()
    const folder = join(state, "claude-proxy")
    mkdirSync(folder)
    writeFileSync(join(folder, "stats.db"), "broken ".repeat(2_000))
    const proxy = await serve(state, upstream.url)
    expect(await proxy.ask()).toContain('"hi"')
    await until(() => proxy.stderr().includes("statistics are kept in memory alone"), 10_000)
    expect(await proxy.ask()).toContain('"hi"')
    proxy.signal("SIGTERM")
    expect((await proxy.finished).exitCode).toBe(0)
    expect(proxy.stderr().match(/statistics are kept in memory alone/g)).toHaveLength(1)
    expect(readFileSync(join(folder, "stats.db"), "utf8")).toStartWith("broken broken")
    await upstream.stop()
  }, 60_000)

  test("run writes nothing", async () => {
    const upstream = scripted()
    const state = newFolder()
    const ask =
      'curl -s -o /dev/null -H "x-api-key: $ANTHROPIC_AUTH_TOKEN" -d \'{"messages":[{"role":"user","content":"hi"}]}\' "$ANTHROPIC_BASE_URL/v1/messages"'
    const env = {
      XDG_STATE_HOME: state,
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: upstreamKey,
      BIG_MODEL: "big",
    }
    const ended = await runProxy(["run", "--", "sh", "-c", ask], { env })
    expect(ended.stderr).toContain("1 request, 10 input tokens, 5 output tokens, cost $0.2500\n")
    expect(readdirSync(state)).toEqual([])
    await upstream.stop()
  }, 60_000)
})
