// What was learned of an upstream's refusals, from outside: it outlives the program, other programs see it and take
// it away, and nothing of it but that is ever written.
import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { newFolder, removeFolders } from "../store/support.ts"
import { chatReply } from "../support/chunks.ts"
import { type Environment, type RunningProxy, runProxy, startProxy } from "../support/proxy.ts"
import type { Script } from "../support/script.ts"
import { createUpstream, type ScriptedUpstream } from "../support/upstream.ts"

// Every test starts the program several times.
setDefaultTimeout(120_000)

const running: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop()
})
afterAll(removeFolders)

const secret = "sk-canary-0123456789abcdef"
const prompt = "the violet heron keeps its ledger under the third stone"
const fine = { kind: "json", body: chatReply({ content: "fine" }) } as const

/** Takes no temperature, and says so with everything it has heard. */
const noTemperature: Script = (body) =>
  body["temperature"] === undefined
    ? fine
    : {
        kind: "json",
        status: 400,
        body: {
          error: {
            message: `Unrecognized request argument supplied: temperature (key ${secret}; you said: ${JSON.stringify(body["messages"])})`,
            type: "invalid_request_error",
          },
        },
      }

interface World {
  readonly folder: string
  readonly file: string
  readonly env: Environment
  readonly upstream: ScriptedUpstream
}

function world(script: Script = noTemperature): World {
  const folder = newFolder()
  const upstream = createUpstream(script)
  running.push(upstream.stop)
  return {
    ...{ folder, upstream, file: join(folder, "claude-proxy", "refusals.db") },
    env: {
      XDG_STATE_HOME: folder,
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: secret,
      BIG_MODEL: "big-model",
      SMALL_MODEL: "small-model",
      STATS_ENABLED: "false",
    },
  }
}

async function serve({ env }: World, args: readonly string[] = []): Promise<RunningProxy> {
  const proxy = await startProxy(env, args)
  let stopped: Promise<number> | undefined
  const stop = () => {
    stopped ??= proxy.stop()
    return stopped
  }
  running.push(stop)
  return { ...proxy, stop }
}

async function ask(proxy: RunningProxy, more: object = { temperature: 0.5 }): Promise<string> {
  const response = await fetch(`${proxy.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ model: "claude-opus-5-5", max_tokens: 50, messages: [{ role: "user", content: prompt }] },
      ...more,
    }),
  })
  return response.text()
}

const asked = ({ upstream }: World) => upstream.turns().map(({ body }) => body["temperature"])

async function models({ env }: World, ...args: readonly string[]) {
  return runProxy(["models", ...args], { env })
}

async function learnedOf(given: World, id = "big-model") {
  const { stdout } = await models(given, "--json")
  const rows: readonly { id: string; learned: readonly Record<string, string>[] }[] = JSON.parse(stdout)
  return rows.find((row) => row.id === id)?.learned
}

/** Resolves when the condition holds. */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`)
    await Bun.sleep(20)
  }
}

test("a restart does not pay again", async () => {
  const here = world()
  const first = await serve(here)
  expect(await ask(first)).toContain("fine")
  expect(await first.stop()).toBe(0)
  const second = await serve(here)
  expect(await ask(second)).toContain("fine")
  expect(asked(here)).toEqual([0.5, undefined, undefined])
  expect(await second.stop()).toBe(0)
})

test("models shows it, and when, and why; nothing anybody wrote is in the file, and no key", async () => {
  const here = world()
  const proxy = await serve(here)
  await ask(proxy)
  await until(async () => ((await learnedOf(here)) ?? []).length > 0, "it is written")
  const [entry, ...others] = (await learnedOf(here)) ?? []
  expect(others).toEqual([])
  expect(Object.keys(entry ?? {})).toEqual(["change", "since", "confirmed", "because"])
  expect(entry?.["change"]).toBe("without temperature")
  expect(entry?.["because"]).toStartWith("[generic] Unrecognized request argument supplied: temperature")
  expect(Math.abs(Date.parse(entry?.["since"] ?? "") - Date.now())).toBeLessThan(60_000)
  expect(await learnedOf(here, "small-model")).toEqual([])
  const { stdout, stderr, exitCode } = await models(here)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
  const today = new Date().toLocaleDateString("sv-SE")
  expect(stdout).toContain("Learned from refusals (kept for 30 days;")
  expect(stdout).toContain(`big-model: without temperature, since ${today}, because: [generic] Unrecognized`)
  expect(await proxy.stop()).toBe(0)
  const bytes = readFileSync(here.file, "latin1")
  expect(bytes).toContain("Unrecognized request argument")
  for (const hidden of ["canary", "violet", "heron", "third stone", "ledger"])
    expect(bytes).not.toContain(hidden)
  expect(statSync(here.file).mode & 0o777).toBe(0o600)
  expect(
    readdirSync(join(here.folder, "claude-proxy")).filter((name) => name.startsWith("refusals")),
  ).toEqual(["refusals.db"])
})

test("a running proxy notices that it was forgotten, and learns it again", async () => {
  const here = world()
  const proxy = await serve(here)
  await ask(proxy)
  await until(async () => ((await learnedOf(here)) ?? []).length > 0, "it is written")
  expect(asked(here)).toEqual([0.5, undefined])
  const { exitCode, stdout, stderr } = await models(here, "--forget", "big-model")
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" })
  expect(stdout).toContain("Forgotten:\n  big-model: without temperature, since ")
  expect(await learnedOf(here)).toEqual([])
  await until(async () => {
    await ask(proxy)
    return asked(here).filter((temperature) => temperature === 0.5).length === 2
  }, "it is sent again")
  expect(asked(here).slice(-2)).toEqual([0.5, undefined])
  await until(async () => ((await learnedOf(here)) ?? []).length > 0, "it is learned again")
  await ask(proxy)
  expect(asked(here).at(-1)).toBeUndefined()
})

test("what one proxy learns, another one knows a moment later", async () => {
  const here = world()
  const [first, second] = [await serve(here), await serve(here)]
  await ask(first)
  await until(async () => {
    const before = asked(here).length
    await ask(second, { temperature: 0.7 })
    return asked(here).length - before === 1
  }, "the other one knows it")
  expect(asked(here).at(-1)).toBeUndefined()
})

describe("forgetting", () => {
  async function learned(): Promise<World> {
    const here = world()
    const proxy = await serve(here)
    await ask(proxy)
    await ask(proxy, { temperature: 0.5, model: "claude-haiku-4-5" })
    await ask(proxy, { temperature: 0.5, model: "other-model" })
    expect(await proxy.stop()).toBe(0)
    return here
  }

  test("one model, by any of its names; the others stay", async () => {
    const here = await learned()
    const { stdout, exitCode } = await models(here, "--forget", "generic/small-model", "--json")
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      forgotten: [
        { model: "small-model", url: `${here.upstream.url}/chat/completions`, change: "without temperature" },
      ],
    })
    expect(await learnedOf(here, "small-model")).toEqual([])
    expect(await learnedOf(here)).toHaveLength(1)
    // A model that only a request has named is seen, and can be named here too.
    expect(await learnedOf(here, "other-model")).toHaveLength(1)
    const other = await models(here, "--forget", "other-model")
    expect({ exitCode: other.exitCode, stderr: other.stderr }).toEqual({ exitCode: 0, stderr: "" })
    expect(other.stdout).toContain("other-model: without temperature")
    expect(await learnedOf(here, "other-model")).toBeUndefined()
  })

  test("everything", async () => {
    const here = await learned()
    const { stdout, exitCode } = await models(here, "--forget", "all")
    expect(exitCode).toBe(0)
    for (const model of ["big-model", "small-model", "other-model"]) expect(stdout).toContain(`  ${model}: `)
    const again = await models(here, "--forget", "all")
    expect(again).toMatchObject({ exitCode: 0, stdout: "Nothing was learned: there is nothing to forget.\n" })
    const proxy = await serve(here)
    await ask(proxy)
    expect(asked(here).slice(-2)).toEqual([0.5, undefined])
  })

  test("a model that nothing is known of, one that is not there, and a wrong usage", async () => {
    const here = world()
    const nothing = await models(here, "--forget", "big-model")
    expect(nothing).toMatchObject({
      exitCode: 0,
      stdout: "Nothing was learned of big-model: there is nothing to forget.\n",
      stderr: "",
    })
    const unknown = await models(here, "--forget", "big-modle")
    expect(unknown).toMatchObject({ exitCode: 1, stdout: "" })
    expect(unknown.stderr).toBe('claude-proxy: no model is called "big-modle"; did you mean big-model?\n')
    const far = await models(here, "--forget", "zzz")
    expect(far.stderr).toBe(
      'claude-proxy: no model is called "zzz"; claude-proxy models lists what there is\n',
    )
    expect((await models(here, "--forget")).exitCode).toBe(2)
    expect((await models(here, "--forget", "all", "--schema")).exitCode).toBe(2)
    expect(existsSync(join(here.folder, "claude-proxy"))).toBe(false)
  })
})

describe("a file that is no use", () => {
  test.each<[string, (here: World) => void, RegExp]>([
    [
      "damaged",
      ({ file }) => writeFileSync(file, "no database at all, but long enough to be one".repeat(40)),
      /not a database|malformed/,
    ],
    [
      "of a later version",
      ({ file }) => {
        const { Database } = require("bun:sqlite")
        const database = new Database(file, { create: true })
        for (const line of [
          "CREATE TABLE refusals (a)",
          "PRAGMA application_id = 1129347186",
          "PRAGMA user_version = 9",
        ])
          database.run(line)
        database.close()
      },
      /later version/,
    ],
    ["a folder", ({ file }) => mkdirSync(file), /./],
  ])("%s: one warning, and the proxy does without", async (_name, spoil, why) => {
    const here = world()
    mkdirSync(join(here.folder, "claude-proxy"), { mode: 0o700 })
    spoil(here)
    const before = statSync(here.file).isFile() ? readFileSync(here.file, "latin1") : ""
    const proxy = await serve(here)
    expect(await ask(proxy)).toContain("fine")
    expect(await ask(proxy)).toContain("fine")
    expect(asked(here)).toEqual([0.5, undefined, undefined])
    await until(() => proxy.output().includes("kept in memory alone"), "a warning")
    const list = await models(here)
    expect(list.exitCode).toBe(0)
    expect(list.stdout).toContain("big-model")
    expect(list.stderr).toMatch(/what was learned of refusals, in .*refusals\.db, cannot be read: /)
    expect(list.stderr).toMatch(why)
    const forget = await models(here, "--forget", "all")
    expect(forget.exitCode).toBe(1)
    expect(forget.stderr).toContain("cannot be read")
    expect(await proxy.stop()).toBe(0)
    expect(proxy.output().split("kept in memory alone")).toHaveLength(2)
    if (before !== "") expect(readFileSync(here.file, "latin1")).toBe(before)
  })

  test("a file in the place of the folder: the models are listed all the same", async () => {
    const here = world()
    writeFileSync(join(here.folder, "claude-proxy"), "")
    const list = await models(here)
    expect([list.exitCode, list.stdout]).toEqual([0, expect.stringContaining("big-model")])
    expect(list.stderr).toContain("cannot be read: ENOTDIR")
    const forget = await models(here, "--forget", "all")
    expect([forget.exitCode, forget.stderr]).toEqual([1, expect.stringContaining("ENOTDIR")])
  })

  test.skipIf(process.getuid?.() === 0)("a folder that cannot be written", async () => {
    const here = world()
    chmodSync(here.folder, 0o500)
    const proxy = await serve(here)
    expect(await ask(proxy)).toContain("fine")
    expect(await ask(proxy)).toContain("fine")
    expect(asked(here)).toEqual([0.5, undefined, undefined])
    await until(() => proxy.output().includes("kept in memory alone"), "a warning")
    expect(await proxy.stop()).toBe(0)
    chmodSync(here.folder, 0o700)
  })
})

test("run knows what was learned, and writes nothing", async () => {
  const here = world()
  const script = `const r = await fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST",
    headers: { "x-api-key": process.env.ANTHROPIC_AUTH_TOKEN },
    body: JSON.stringify({ model: "claude-opus-5-5", max_tokens: 50, temperature: 0.5, messages: [{ role: "user", content: "hi" }] }) })
    console.log(await r.text())`
  const run = () => runProxy(["run", "--", process.execPath, "-e", script], { env: here.env })
  expect((await run()).stdout).toContain("fine")
  expect(existsSync(join(here.folder, "claude-proxy"))).toBe(false)
  expect(asked(here)).toEqual([0.5, undefined])
  const proxy = await serve(here)
  await ask(proxy)
  expect(await proxy.stop()).toBe(0)
  const before = readFileSync(here.file)
  const listed = readdirSync(join(here.folder, "claude-proxy"))
  expect((await run()).stdout).toContain("fine")
  expect(asked(here)).toEqual([0.5, undefined, 0.5, undefined, undefined])
  expect(readFileSync(here.file).equals(before)).toBe(true)
  expect(readdirSync(join(here.folder, "claude-proxy"))).toEqual(listed)
})

test("workers share it", async () => {
  const here = world()
  const proxy = await serve(here, ["--workers", "2"])
  await ask(proxy)
  await until(async () => {
    const before = asked(here).length
    // A new connection each time: the system may give it to either of them.
    await Promise.all(Array.from({ length: 4 }, () => ask(proxy)))
    return asked(here).length - before === 4
  }, "both know it")
  expect(await proxy.stop()).toBe(0)
})
