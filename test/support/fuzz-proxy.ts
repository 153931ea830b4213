// The proxy as a program for a fuzz: every setting that takes a key has one, and everything is logged and kept.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { keyFor, tellsKey } from "./fuzz-canaries.ts"
import { proxyCommand, startProcess } from "./proxy.ts"
import { until } from "./upstream.ts"

export interface FuzzedProxy {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly clientKey: string
  /** Everything it wrote so far, both outputs. */
  readonly output: () => string
  /** SIGTERM, and the exit code. */
  readonly stop: () => Promise<number>
  /** Names of the files in its folder that hold a key, and of all. */
  readonly files: () => { readonly telling: readonly string[]; readonly all: readonly string[] }
  /** All lines that it logged or wrote. */
  readonly lines: () => readonly string[]
  readonly remove: () => Promise<void>
}

/** One for each way to an upstream. */
export const fuzzModels = ["chat", "thinker", "whole", "native", "responses", "twice"] as const
export type FuzzModel = (typeof fuzzModels)[number]

/** More than this is not taken of a body. */
export const maxBodyBytes = 300_000
/** Seconds. */
export const requestTimeout = 4

const keyOfYaml = keyFor("yaml", 1)
const keyOfClient = keyFor("client", 2)

/** The models, each with a key and a header of its own; nothing but the path says to the upstream which one asks. */
function modelsFile(origin: string): string {
  const model = (id: string, path: string, ...more: readonly string[]) => [
    `  - model_id: ${id}`,
    `    model_name: up-${id}`,
    `    api_base: ${origin}/${path}`,
    `    api_key_name: KEY_${id.toUpperCase()}`,
    `    extra_headers: {X-Team: "${keyFor(`team-${id}`, 1)}"}`,
    ...more.map((line) => `    ${line}`),
  ]
  return [
    "models:",
    ...model("chat", "chat/v1"),
    ...model("thinker", "thinker/v1", "profile: deepseek", "reasoning: true"),
    ...model("whole", "whole/v1", "can_stream: false"),
    ...model("native", "native/v1", "direct: true"),
    ...model("responses", "responses/v1", "dialect: responses", "reasoning: true"),
    ...model("twice", "twice/v1", "fallbacks: [chat]"),
    // Behind a proxy at which nobody answers, and whose address holds a password.
    "  - model_id: distant",
    "    provider: far",
    "  - model_id: distant-too",
    "    api_base: https://too.invalid/v1",
    "    api_key_name: KEY_FAR",
    "providers:",
    "  far:",
    "    api_base: https://far.invalid/v1",
    "    api_key_name: KEY_FAR",
    `    proxy: http://someone:${encodeURIComponent(keyFor("far-proxy", 1))}@127.0.0.1:9`,
    "tiers:",
    "  big: chat",
    "  middle: native",
    "  small: responses",
    "auth:",
    `  allowed_keys: ["${keyOfYaml}"]`,
    "  rate_limit: 10000000",
  ].join("\n")
}

/** Starts it; resolves when it listens. */
export async function startFuzzedProxy(origin: string): Promise<FuzzedProxy> {
  const folder = mkdtempSync(join(tmpdir(), "claude-proxy-fuzz-"))
  writeFileSync(join(folder, "models.yaml"), modelsFile(origin))
  const settings = {
    ...Object.fromEntries(
      fuzzModels.map((id, at) => [`KEY_${id.toUpperCase()}`, keyFor(id, shapes[at % 3] ?? 0)]),
    ),
    KEY_FAR: keyFor("far", 0),
    OPENAI_BASE_URL: `${origin}/default/v1`,
    OPENAI_API_KEY: `${keyFor("default", 0)},${keyFor("second", 2)}`,
    ANTHROPIC_API_KEY: keyFor("anthropic", 0),
    CUSTOM_HEADER_X_GATE: keyFor("gate", 1),
    HTTPS_PROXY: `http://someone:${encodeURIComponent(keyFor("https-proxy", 2))}@127.0.0.1:9`,
    REDIS_URL: `redis://:${encodeURIComponent(keyFor("redis", 2))}@127.0.0.1:9`,
    CACHE_ENABLED: "true",
    ...{ LOG_LEVEL: "DEBUG", LOG_FILE_PATH: join(folder, "logs") },
    ...{ MAX_RETRIES: "0", REQUEST_TIMEOUT: String(requestTimeout), MAX_BODY_BYTES: String(maxBodyBytes) },
    ...{ XDG_STATE_HOME: join(folder, "state"), XDG_CONFIG_HOME: join(folder, "config") },
  }
  // A file of settings is where most keys are; those of clients and of Redis come from the environment here.
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  writeFileSync(join(folder, ".env"), lines.join("\n"))
  const started = startProcess([...proxyCommand(), "serve", "--port", "0"], folder, {
    env: { ALLOWED_API_KEYS: keyOfClient, CUSTOM_MODELS_FILE: join(folder, "models.yaml") },
    timeoutMs: 300_000,
  })
  const output = () => started.stdout() + started.stderr()
  const remove = async () => {
    started.signal("SIGKILL")
    await started.finished
    rmSync(folder, { recursive: true, force: true })
  }
  await until(() => started.stdout().includes("ANTHROPIC_BASE_URL="), 30_000).catch(async () => {
    await remove()
    throw new Error(`the proxy did not start:\n${output()}`)
  })
  const url = /ANTHROPIC_BASE_URL=(\S+)/.exec(started.stdout())?.[1] ?? ""
  return {
    ...{ url, port: Number(new URL(url).port), pid: started.pid, clientKey: keyOfClient },
    ...{ output, remove },
    stop: async () => {
      started.signal("SIGTERM")
      return (await started.finished).exitCode
    },
    files: () => filesIn(folder),
    lines: () => {
      const logs = readdirSync(join(folder, "logs")).map((name) =>
        readFileSync(join(folder, "logs", name), "utf8"),
      )
      return [output(), ...logs].flatMap((text) => text.split("\n"))
    },
  }
}

const shapes = [0, 1, 2] as const
// What its user wrote there holds keys.
const own: ReadonlySet<string> = new Set(["models.yaml", ".env"])

function filesIn(folder: string): ReturnType<FuzzedProxy["files"]> {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const told = all.filter(({ name }) => !own.has(name))
  const telling = told.filter(({ parentPath, name }) => tellsKey(readFileSync(join(parentPath, name))))
  return { telling: telling.map(({ name }) => name), all: told.map(({ name }) => name) }
}
