// The proxy as a program in a folder of its own, with the models of all cases and a key in every place that takes one.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isObject, type JsonObject, parseJson } from "../../src/protocol/json.ts"
import type { FaultyAddresses } from "./faulty-addresses.ts"
import { ask, type Door, type Result } from "./faulty-asking.ts"
import { type FaultCase, keyNameOf, modelsFile } from "./faulty-cases.ts"
import { canary } from "./faulty-script.ts"
import { type Environment, proxyCommand, startProcess } from "./proxy.ts"
import { until } from "./upstream.ts"

export interface FaultyProxy extends Door {
  /** The lines of its log that say what became of a request. */
  readonly ends: () => readonly JsonObject[]
  /** Everything it wrote, its log files too. */
  readonly stop: () => Promise<{ readonly exitCode: number; readonly output: string }>
  /** Names of the files in its folder that hold a key, and of all. */
  readonly files: () => { readonly telling: readonly string[]; readonly all: readonly string[] }
  readonly remove: () => Promise<void>
}

// Of every shape: what is redacted must not depend on what it looks like.
const keyOf = (index: number): string =>
  [`sk-${canary}-${index}-0123456789abcdef`, `${canary}.${index}.x`, `key${canary}+${index}/=`][index % 3] ??
  ""

/** Starts it; resolves when it listens. */
export async function startFaultyProxy(
  cases: readonly FaultCase[],
  origin: string,
  { rows, trusted }: Pick<FaultyAddresses, "rows" | "trusted">,
  settings: Environment,
): Promise<FaultyProxy> {
  const folder = mkdtempSync(join(tmpdir(), "claude-proxy-faults-"))
  const nobody = rows["connection refused"]?.origin ?? ""
  writeFileSync(join(folder, "models.yaml"), modelsFile(cases, origin, nobody))
  writeFileSync(join(folder, "trusted.pem"), trusted)
  const names = new Set(["KEY_FINE", "KEY_BAD", "KEY_FULL", ...cases.map(keyNameOf)])
  const clientKey = `${canary}-of-the-client`
  const env = {
    ...Object.fromEntries([...names].map((name, index) => [name, keyOf(index)])),
    XDG_STATE_HOME: join(folder, "state"),
    XDG_CONFIG_HOME: join(folder, "config"),
    CUSTOM_MODELS_FILE: join(folder, "models.yaml"),
    NODE_EXTRA_CA_CERTS: join(folder, "trusted.pem"),
    LOG_FILE_PATH: join(folder, "logs"),
    LOG_LEVEL: "DEBUG",
    OPENAI_BASE_URL: `${origin}/good/v1`,
    OPENAI_API_KEY: keyOf(names.size),
    CUSTOM_HEADER_X_GATE: `${canary}-of-the-gate`,
    ALLOWED_API_KEYS: clientKey,
    ...settings,
  }
  const started = startProcess([...proxyCommand(), "serve", "--port", "0"], folder, {
    env,
    timeoutMs: 300_000,
  })
  const begun = () => started.stdout().includes("ANTHROPIC_BASE_URL=")
  await until(begun, 30_000).catch(() => {
    started.signal("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`the proxy did not start:\n${started.stdout()}${started.stderr()}`)
  })
  return {
    url: /ANTHROPIC_BASE_URL=(\S+)/.exec(started.stdout())?.[1] ?? "",
    clientKey,
    ends: () => endsIn(join(folder, "logs", "server.log")),
    stop: async () => {
      started.signal("SIGTERM")
      const { exitCode, stdout, stderr } = await started.finished
      return { exitCode, output: stdout + stderr }
    },
    files: () => {
      const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
      const telling = all.filter(({ parentPath, name }) =>
        readFileSync(join(parentPath, name)).includes(canary),
      )
      return { telling: telling.map(({ name }) => name), all: all.map(({ name }) => name) }
    },
    remove: async () => {
      started.signal("SIGKILL")
      await started.finished
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function endsIn(path: string): readonly JsonObject[] {
  const lines = readFileSync(path, "utf8").split("\n")
  return lines.flatMap((line) => {
    const parsed = parseJson(line)
    if (!parsed.ok || !isObject(parsed.value)) return []
    const { message } = parsed.value
    return /Token Usage|request failed|closed the connection$/.test(String(message)) ? [parsed.value] : []
  })
}

/** Asks all cases, so many at once; each has its result at once, as a promise. */
export function askAll(
  cases: readonly FaultCase[],
  door: Door,
  width: number,
): ReadonlyMap<number, Promise<Result>> {
  const waiting = cases.map((one) => ({ one, ...Promise.withResolvers<Result>() }))
  const results = new Map(waiting.map(({ one, promise }) => [one.id, promise]))
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      next.resolve(await ask(next.one, door))
  }
  for (let worker = 0; worker < width; worker++) void work()
  return results
}
