// Settings changed under a running server: what is under way goes on as it began, the next request is new.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createLiveLog, followSettings } from "../../src/commands/serve/live-config.ts"
import type { Config } from "../../src/config/config.ts"
import type { LoadSources } from "../../src/config/sources/load-sources.ts"
import type { Exchange } from "../../src/observe/exchange.ts"
import { createLogger } from "../../src/observe/log.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { type RunningServer, startServer } from "../../src/server/server.ts"
import { configFrom, folderWith, load, removeFolders } from "../config/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Script, Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { cleanUp, eventsOf, jsonOf, listen, post, postStream, scripted, stopAll, textOf } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

interface Live {
  readonly server: RunningServer
  readonly lines: readonly string[]
  readonly exchanges: readonly Exchange[]
  readonly env: string
  readonly write: (text: string, port?: number) => void
  /** Resolves when a line of the log holds this. */
  readonly said: (text: string) => Promise<void>
}

const quick = { settleMs: 50, emptySettleMs: 200, pollMs: 150 }

/** A server that follows `.env` in a folder of its own. */
function startLive(text: string, more: Partial<LoadSources> = {}): Live {
  const folder = folderWith({ ".env": `PORT=0\n${text}` })
  const env = join(folder, ".env")
  const reload = () => load({ configDir: folder, ...more })
  const loaded = reload()
  if (!loaded.ok) throw new Error(loaded.problems.join("\n"))
  const lines: string[] = []
  const exchanges: Exchange[] = []
  const makeLog = (config: Config, { alsoSecret = [] }: { alsoSecret?: readonly string[] }) => ({
    log: createLogger({
      level: config.logLevel,
      format: "text",
      write: (line) => lines.push(line.replace(/^\S+ \S+ - /, "")),
      now: () => new Date(),
      secrets: [...config.secrets, ...alsoSecret],
    }),
    onExchange: (exchange: Exchange) => {
      exchanges.push(exchange)
    },
  })
  const live = createLiveLog(makeLog(loaded.config, {}))
  const { log, onExchange } = live
  const server = startServer({ config: loaded.config, log, onExchange, version: "0.0.0-test" })
  const following = followSettings({ loaded, load: reload, server, live, makeLog, times: quick })
  cleanUp(() => server.stop(0))
  cleanUp(following.close)
  return {
    ...{ server, lines, exchanges, env },
    write: (next, port = 0) => writeFileSync(env, `PORT=${port}\n${next}`),
    said: (wanted) => until(() => lines.some((line) => line.includes(wanted))),
  }
}

const settings = (url: string, model: string, key = "sk-key-of-a-test-1") =>
  `OPENAI_BASE_URL=${url}\nOPENAI_API_KEY=${key}\nBIG_MODEL=${model}\n`

const answer = (text: string): Turn => ({ kind: "stream", chunks: [textChunk(text), finishChunk("stop")] })

const echo: Script = (body) => answer(`from ${body["model"]}`)

const modelsOf = async (url: string, path: string): Promise<unknown> => {
  const { models } = await jsonOf(fetch(`${url}${path}`))
  return models
}

async function untilModel(url: string, model: string): Promise<void> {
  const deadline = performance.now() + 4000
  while (!Bun.deepEquals(await modelsOf(url, "/health"), { big: model, middle: model, small: model })) {
    if (performance.now() > deadline) throw new Error(`${model} does not count`)
    await Bun.sleep(10)
  }
}

test("ten streams run on as they began; the next request goes to the new model, with the new key", async () => {
  const go = Promise.withResolvers<void>()
  const slow: Script = (body) => ({
    kind: "stream",
    chunks: [
      textChunk(`${body["model"]} begins, `),
      { until: go.promise },
      textChunk("and ends"),
      finishChunk("stop"),
    ],
  })
  const [first, second] = [scripted(slow), scripted(echo)]
  const { server, write, said, exchanges } = startLive(settings(first.url, "one"))
  const heard = await Promise.all(Array.from({ length: 10 }, () => listen(postStream(server))))
  await until(() => heard.every((one) => one.text().includes("begins")))
  write(settings(second.url, "two", "sk-key-of-a-test-2"))
  await said("settings changed: OPENAI_BASE_URL")
  expect(textOf(await eventsOf(postStream(server)))).toBe("from two")
  expect(second.turns()[0]?.headers["authorization"]).toBe("Bearer sk-key-of-a-test-2")
  expect(await modelsOf(server.url, "/health")).toEqual({ big: "two", middle: "two", small: "two" })
  expect(await modelsOf(server.url, "/")).toEqual({ big: "two", middle: "two", small: "two" })
  expect(first.inFlight()).toBe(10)
  go.resolve()
  for (const one of heard) {
    expect(await one.ended).toBe("complete")
    const events = parseAnthropicSse(one.text())
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("one begins, and ends")
  }
  expect(first.turns().map(({ body }) => body["model"])).toEqual(Array(10).fill("one"))
  await until(() => exchanges.length === 11)
  expect(exchanges.map(({ model, outcome }) => `${model} ${outcome.kind}`).toSorted()).toEqual([
    ...Array(10).fill("one completed"),
    "two completed",
  ])
})

test("a request that is being repeated keeps its model, its key and its number of attempts", async () => {
  const script: Script = (_body, turn) =>
    turn === 0 ? { kind: "json", status: 500, body: {}, headersDelayMs: 300 } : answer("at last")
  const upstream = scripted(script)
  const { server } = startLive(settings(upstream.url, "one"))
  const pending = postStream(server)
  await until(() => upstream.turns().length === 1)
  const env = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1", OPENAI_API_KEY: "sk-other", MAX_RETRIES: "0" }
  server.reload(configFrom({ ...env, BIG_MODEL: "two", ALLOWED_API_KEYS: "a-client-key" }))
  expect(textOf(await eventsOf(pending))).toBe("at last")
  const sent = upstream.turns().map(({ body, headers }) => [body["model"], headers["authorization"]])
  expect(sent).toEqual(Array(2).fill(["one", "Bearer sk-key-of-a-test-1"]))
  expect((await post(server)).status).toBe(401)
})

test("client keys change: the old one is refused, the new one is let in, a running stream goes on", async () => {
  const go = Promise.withResolvers<void>()
  const upstream = scripted((_body, turn) =>
    turn === 0
      ? { kind: "stream", chunks: [textChunk("one"), { until: go.promise }, finishChunk("stop")] }
      : answer("two"),
  )
  const common = settings(upstream.url, "one")
  const { server, write, said } = startLive(`${common}ALLOWED_API_KEYS=old-client-key`)
  const as = (key: string) => postStream(server, {}, { headers: { "x-api-key": key } })
  const heard = await listen(as("old-client-key"))
  await until(() => heard.text().includes("one"))
  write(`${common}ALLOWED_API_KEYS=new-client-key`)
  await said("settings changed: ALLOWED_API_KEYS")
  expect((await as("old-client-key")).status).toBe(401)
  expect((await as("new-client-key")).status).toBe(200)
  go.resolve()
  expect(await heard.ended).toBe("complete")
  write(common)
  await said("WARNING - clients need no key any more: ALLOWED_API_KEYS asks for one")
  expect((await post(server)).status).toBe(200)
})

describe("what is said", () => {
  const common = settings("http://127.0.0.1:9/v1", "one")

  test("an invalid edit keeps the old settings and names every problem; the next valid one counts", async () => {
    const upstream = scripted(echo)
    const { server, env, lines, write, said } = startLive(settings(upstream.url, "one"))
    write(`${settings(upstream.url, "two")}MAX_RETRIES=many\nLOG_LEVEL=loud`)
    await said("ERROR - ")
    expect(lines).toEqual([
      `ERROR - the changed settings are not used, those in force stay: LOG_LEVEL (${env}:6) is "loud": give one of DEBUG, INFO, WARNING, ERROR. MAX_RETRIES (${env}:5) is "many": give a whole number of 0 or more.`,
    ])
    expect(textOf(await eventsOf(postStream(server)))).toBe("from one")
    write(`${settings(upstream.url, "two")}MAX_RETRIES=3`)
    await said("settings changed")
    expect(lines.slice(1)).toEqual([`INFO - settings changed: BIG_MODEL (${env}:4), MAX_RETRIES (${env}:5)`])
    expect(textOf(await eventsOf(postStream(server)))).toBe("from two")
  })

  test("an invalid edit taken back is told as such", async () => {
    const { lines, write, said } = startLive(common)
    write(`${common}MAX_RETRIES=many`)
    await said("ERROR - ")
    write(`${common}# better not`)
    await said("INFO - ")
    expect(lines.slice(1)).toEqual(["INFO - the settings are valid again, and none has changed"])
  })

  test("an edit without effect is told at DEBUG alone", async () => {
    const { lines, write, said } = startLive(`LOG_LEVEL=DEBUG\n${common}`)
    write(`# a comment\nLOG_LEVEL=DEBUG\n${common}`)
    await said("DEBUG - ")
    expect(lines).toEqual(["DEBUG - the files of settings have changed, but no setting"])
  })

  test("host and port stay, and need a restart", async () => {
    const { server, env, lines, write, said } = startLive(common)
    write(`${common}HOST=0.0.0.0`, 9)
    await said("PORT (")
    const rest = "needs a restart: until then the proxy listens as before, HOST 127.0.0.1, PORT 0"
    expect(lines).toEqual([`WARNING - PORT (${env}:1) ${rest}`, `WARNING - HOST (${env}:5) ${rest}`])
    const { server: told } = await jsonOf(fetch(`${server.url}/health`))
    expect(told).toEqual({ host: "127.0.0.1", port: server.port })
  })

  test("a new warning is told once, an old one not again", async () => {
    const { env, lines, write, said } = startLive(`${common}PROT=1`)
    write(`${common}MAX_RETRIES=5\nPROT=1\nBIG_MODLE=a`)
    await said("BIG_MODLE")
    expect(lines).toEqual([
      `INFO - settings changed: MAX_RETRIES (${env}:5)`,
      `WARNING - BIG_MODLE (${env}:7) is not a setting. Did you mean BIG_MODEL?`,
    ])
  })

  test("a setting that the environment has already is told to have no effect", async () => {
    const { server, env, lines, write, said } = startLive(common, { env: { BIG_MODEL: "theirs" } })
    write(settings("http://127.0.0.1:9/v1", "two"))
    await said("no effect")
    expect(lines).toEqual([
      `INFO - BIG_MODEL (${env}:4) has no effect: the environment sets it as well, and counts first`,
    ])
    expect(await modelsOf(server.url, "/health")).toMatchObject({ big: "theirs" })
  })

  test("models.yaml appears, changes, breaks and goes", async () => {
    const { env, lines, write, said } = startLive(common)
    const file = join(env, "../models.yaml")
    const model = (id: string, more = "") => `- model_id: ${id}\n  api_base: http://127.0.0.1:9/v1\n${more}`
    writeFileSync(file, model("fast") + model("local"))
    await said("+ fast")
    writeFileSync(file, model("slow") + model("local", "  max_tokens: 5\n"))
    await said("- fast")
    writeFileSync(file, model("slow", "  max_tokenz: 5\n"))
    await said("max_tokenz")
    unlinkSync(file)
    await said("- slow")
    write(`${common}MAX_RETRIES=5`)
    await said("MAX_RETRIES")
    expect(lines).toEqual([
      "INFO - settings changed: models.yaml: + fast, + local",
      "INFO - settings changed: models.yaml: + slow, ~ local, - fast",
      expect.stringMatching(
        /^ERROR - the changed .* stay: .*models\.yaml:3:3: max_tokenz is not a key of a model\./,
      ),
      "INFO - settings changed: models.yaml: - slow, - local",
      `INFO - settings changed: MAX_RETRIES (${env}:5)`,
    ])
  })

  test("a file of --env that goes is told once; when it is back it counts again", async () => {
    const named = join(folderWith({ "my.env": "MAX_RETRIES=5" }), "my.env")
    const { lines, said } = startLive(common, { envFile: named })
    unlinkSync(named)
    await said("ERROR - ")
    await Bun.sleep(500)
    writeFileSync(named, "MAX_RETRIES=6")
    await said("INFO - ")
    expect(lines).toEqual([
      `ERROR - the changed settings are not used, those in force stay: --env: ${named} does not exist: give the path of a file with NAME=value lines.`,
      `INFO - settings changed: MAX_RETRIES (${named}:1)`,
    ])
  })

  test("neither an old key nor a new one is ever in the log", async () => {
    const keys = ["canary-old-key-1", "canary-new-key-2"] as const
    const refuse = (body: JsonObject): Turn => ({
      kind: "json",
      status: 400,
      body: { error: { message: `${body["model"]} knows ${keys.join(" and ")}` } },
    })
    const upstream = scripted(refuse)
    const { server, lines, write, said } = startLive(
      `LOG_LEVEL=DEBUG\n${settings(upstream.url, "one", keys[0])}`,
    )
    await post(server)
    write(`LOG_LEVEL=DEBUG\nMAX_RETRIES=x\n${settings(upstream.url, "two", keys[1])}`)
    await said("MAX_RETRIES")
    write(`LOG_LEVEL=DEBUG\n${settings(upstream.url, "two", keys[1])}`)
    await said("settings changed")
    await post(server)
    await until(() => upstream.turns().length === 2)
    const later = lines.slice(lines.findIndex((line) => line.includes("settings changed"))).join("\n")
    expect(later).not.toContain("canary")
    expect(lines.filter((line) => line.includes(keys[0]))).toEqual([])
  })

  test("the level changes, in both directions", async () => {
    const { server, lines, write, said } = startLive(settings("http://127.0.0.1:9/v1", "one"))
    write(`LOG_LEVEL=ERROR\n${settings("http://127.0.0.1:9/v1", "two")}`)
    await untilModel(server.url, "two")
    expect(lines).toEqual([])
    write(`LOG_LEVEL=DEBUG\n${settings("http://127.0.0.1:9/v1", "two")}`)
    await said("INFO - settings changed: LOG_LEVEL")
  })
})

test("200 rapid edits end in the last one, with few reloads; requests meanwhile all succeed", async () => {
  const upstream = scripted(echo)
  const { server, lines, write } = startLive(settings(upstream.url, "model-0"))
  const answers: Promise<string>[] = []
  for (let edit = 1; edit <= 200; edit += 1) {
    write(settings(upstream.url, `model-${edit}`))
    if (edit % 10 === 0) answers.push(eventsOf(postStream(server)).then(textOf))
    await Bun.sleep(2)
  }
  await untilModel(server.url, "model-200")
  for (const text of await Promise.all(answers)) expect(text).toMatch(/^from model-\d+$/)
  expect(lines.filter((line) => line.includes("settings changed")).length).toBeWithin(1, 6)
  expect(lines.filter((line) => line.includes("ERROR"))).toEqual([])
})
