import { afterEach, describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { logFolder } from "../../src/commands/common/log-folder.ts"
import { createLogging, type LoggingOptions } from "../../src/commands/common/logging.ts"
import type { Config } from "../../src/config/config.ts"
import type { Exchange } from "../../src/observe/exchange.ts"
import { dayOf } from "../../src/observe/log-days.ts"
import { inWorld } from "../support/command-io.ts"
import { startProxy } from "../support/proxy.ts"
import { until } from "../support/upstream.ts"

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "logging-"))
  folders.push(folder)
  return folder
}

const exchange: Exchange = {
  requestId: "req_1",
  requestedModel: "claude-haiku-4-5",
  model: "gpt-4o-mini",
  provider: "openai",
  reason: "haiku → SMALL_MODEL",
  stream: true,
  attempts: 1,
  firstContentMs: 1,
  durationMs: 2,
  usage: {
    input_tokens: 1,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 2,
    output_tokens_details: { thinking_tokens: 1 },
  },
  estimated: false,
  notes: [],
  repairs: [],
  reply: { events: 9, calls: { Bash: 1 }, thought: true },
  outcome: { kind: "completed" },
}

type LogConfig = Pick<Config, "logLevel" | "logFormat" | "logFolder" | "logRetentionDays" | "secrets">

function configOf(folder: string | undefined, more: Partial<LogConfig> = {}): LogConfig {
  return {
    logLevel: "INFO",
    logFormat: "text",
    logFolder: folder,
    logRetentionDays: 3,
    secrets: ["canary-key-of-a-test"],
    ...more,
  }
}

type Use = (logging: ReturnType<typeof createLogging>) => void | Promise<void>

/** What came to standard error while the logging was used, its times taken out. */
async function errorsOf(config: LogConfig, options: LoggingOptions, use: Use): Promise<readonly string[]> {
  const { error } = await inWorld({}, async (io) => {
    const logging = createLogging(config, io, options)
    await use(logging)
    await logging.close()
    return 0
  })
  return linesOf(error)
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - /, ""))
}

function linesIn(folder: string): Readonly<Record<string, readonly string[]>> {
  const names = readdirSync(folder).toSorted()
  return Object.fromEntries(names.map((name) => [name, linesOf(readFileSync(join(folder, name), "utf8"))]))
}

const usage =
  "INFO - 🎯 Token Usage [Stream] | Model: claude-haiku-4-5 → gpt-4o-mini | Input: 1 | Output: 2 | Total: 3"

describe("where it is logged", () => {
  test("without a folder: to standard error alone", async () => {
    const errors = await errorsOf(configOf(undefined), { stderr: true }, ({ log, onExchange, folder }) => {
      expect(folder).toBeUndefined()
      log.warn("canary-key-of-a-test")
      onExchange(exchange)
    })
    expect(errors).toEqual(["WARNING - [redacted]", usage])
  })

  test("with one: server.log holds the same, and each subject its own", async () => {
    const folder = join(newFolder(), "logs")
    const errors = await errorsOf(configOf(folder), { stderr: true }, ({ log, onExchange }) => {
      log.warn("a warning of canary-key-of-a-test")
      log.debug("not at this level")
      onExchange(exchange)
    })
    expect(errors).toEqual([
      `INFO - log files are written to ${folder}`,
      "WARNING - a warning of [redacted]",
      usage,
    ])
    const { "server.log": server, ...subjects } = linesIn(folder)
    expect(server).toEqual(errors)
    const about = "requestId=req_1 requested=claude-haiku-4-5 model=gpt-4o-mini provider=openai"
    expect(Object.keys(subjects)).toEqual(["streaming.log", "thinking.log", "tools.log"])
    expect(subjects["streaming.log"]?.[0]).toStartWith(`INFO - stream completed ${about} started=`)
    expect(subjects["thinking.log"]).toEqual([`INFO - thinking ${about} thought=true reasoningTokens=1`])
    expect(subjects["tools.log"]).toEqual([`INFO - tool calls ${about} calls=1 tools=["Bash"]`])
  })

  test("in JSON where the log is JSON", async () => {
    const folder = newFolder()
    await errorsOf(configOf(folder, { logFormat: "json" }), { stderr: true }, ({ onExchange }) =>
      onExchange(exchange),
    )
    for (const lines of Object.values(linesIn(folder))) {
      for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: "INFO" })
    }
  })

  test("while another program has the terminal: to files alone, and problems are kept", async () => {
    const folder = newFolder()
    const blocked = join(folder, "file")
    writeFileSync(blocked, "in the way")
    const problems: string[] = []
    const errors = await errorsOf(configOf(blocked), { stderr: false }, async (logging) => {
      logging.log.info("one")
      logging.onExchange(exchange)
      await logging.close()
      problems.push(...logging.problems())
    })
    expect(errors).toEqual([])
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain("cannot write the log file")
  })
})

test("a changed configuration shares the files of the old one, and the old one goes on", async () => {
  const [first, second] = [newFolder(), newFolder()]
  await errorsOf(configOf(first), { stderr: true }, (logging) => {
    const same = logging.renew(configOf(first, { logLevel: "DEBUG", secrets: ["new-secret"] }), {
      alsoSecret: ["canary-key-of-a-test"],
    })
    const moved = logging.renew(configOf(second))
    same.log.debug("same new-secret canary-key-of-a-test")
    moved.log.info("moved")
    logging.log.info("a request that began before")
  })
  expect(linesIn(first)).toEqual({
    "server.log": [
      `INFO - log files are written to ${first}`,
      "DEBUG - same [redacted] [redacted]",
      "INFO - a request that began before",
    ],
  })
  expect(linesIn(second)).toEqual({
    "server.log": [`INFO - log files are written to ${second}`, "INFO - moved"],
  })
})

test.skipIf(process.platform !== "linux")(
  "files of a former folder are let go of once nothing is written to them, and opened again for a late line",
  async () => {
    const [first, second] = [newFolder(), newFolder()]
    const isOpen = (folder: string) => openFiles().some((path) => path.startsWith(folder))
    await errorsOf(configOf(first), { stderr: true }, async (logging) => {
      await until(() => isOpen(first), 10_000)
      logging.renew(configOf(second))
      logging.log.info("a request that began before")
      await until(() => isOpen(second) && !isOpen(first), 20_000)
      logging.log.info("and ends late")
      await until(() => isOpen(first), 10_000)
      await until(() => !isOpen(first), 20_000)
      expect(isOpen(second)).toBe(true)
      logging.renew(configOf(undefined))
      await until(() => !isOpen(second), 20_000)
    })
    expect(linesIn(first)["server.log"]).toEqual([
      `INFO - log files are written to ${first}`,
      "INFO - a request that began before",
      "INFO - and ends late",
    ])
  },
  60_000,
)

test.skipIf(process.platform !== "linux")(
  "a changed retention counts for the file that is open, which stays one file",
  async () => {
    const folder = newFolder()
    const day = (back: number) => {
      const time = new Date()
      time.setDate(time.getDate() - back)
      return dayOf(time)
    }
    const [young, old] = [`server.log.${day(2)}`, `server.log.${day(20)}`]
    for (const name of [young, old]) writeFileSync(join(folder, name), "x\n")
    await errorsOf(configOf(folder, { logRetentionDays: 30 }), { stderr: true }, async (logging) => {
      await until(() => openFiles().length > 0 && readdirSync(folder).includes("server.log"), 10_000)
      const renewed = logging.renew(configOf(folder, { logRetentionDays: 3 }))
      renewed.log.info("renewed")
      logging.log.info("before")
      await until(() => !readdirSync(folder).includes(old), 10_000)
      const writers = openFiles().filter((path) => path.startsWith(folder))
      expect(writers).toEqual([join(folder, "server.log")])
    })
    expect(readdirSync(folder).toSorted()).toEqual(["server.log", young])
    expect(linesIn(folder)["server.log"]).toEqual([
      `INFO - log files are written to ${folder}`,
      "INFO - renewed",
      "INFO - before",
    ])
  },
  60_000,
)

/** The paths of all files this process has open. */
function openFiles(): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`)
    } catch {
      // The folder that was being read, for one.
      return []
    }
  })
}

test("a path that was meant for a file is told of", async () => {
  const folder = newFolder()
  const errors = await errorsOf(configOf(join(folder, "proxy.log")), { stderr: true }, () => {})
  expect(errors[0]).toBe(
    `WARNING - LOG_FILE_PATH names a folder here, not a file: ${folder} is used, with server.log and three others in it.`,
  )
  expect(Object.keys(linesIn(folder))).toEqual(["server.log"])
})

describe("the folder that is meant", () => {
  test.each([
    ["/var/log/proxy", undefined, "/var/log/proxy"],
    ["/var/log/proxy.log", "/etc/proxy/.env:3", "/var/log"],
    ["logs", "/etc/proxy/.env:3", "/etc/proxy/logs"],
    ["../logs", "/etc/proxy/models.yaml:3:7", "/etc/logs"],
    ["logs/proxy.log", "/etc/proxy/.env:3", "/etc/proxy/logs"],
    ["logs", "environment", join(process.cwd(), "logs")],
    ["logs", undefined, join(process.cwd(), "logs")],
    ["logs", ".env:1", join(process.cwd(), "logs")],
    ["~/logs", "/etc/proxy/.env:3", join(homedir(), "logs")],
    ["~", undefined, homedir()],
    ["~logs", "/etc/proxy/.env:3", "/etc/proxy/~logs"],
    ["logs.log/", "/etc/proxy/.env:3", "/etc/proxy/logs.log"],
  ])("%s set in %p is %s", (setting, origin, path) => {
    expect(logFolder(setting, origin).path).toBe(path)
  })
})

test("serve writes its files and closes them when it is stopped", async () => {
  const folder = join(newFolder(), "logs")
  const proxy = await startProxy({ OPENAI_API_KEY: "canary-key-of-a-test", LOG_FILE_PATH: folder })
  await fetch(`${proxy.url}/v1/messages`, { method: "POST", body: "{}" })
  await proxy.stop()
  const { "server.log": server = [], ...others } = linesIn(folder)
  expect(others).toEqual({})
  const messages = server.map((line) => JSON.parse(line).message)
  expect(messages).toContain(`log files are written to ${folder}`)
  expect(messages).toContain("request refused")
  expect(messages.at(-1)).toContain("SIGTERM: finishing running requests")
}, 30_000)
