// `stats`: what proxies were used for and what it cost, from what they have kept, or from one that runs.

import { resolve } from "node:path"
import { loadHere } from "../../config/load/load.ts"
import { isProxyAddress, leadsHere, shownAddress } from "../common/proxy-address.ts"
import { stateFolder } from "../instances/folder.ts"
import { livenessOf } from "../instances/liveness.ts"
import { select } from "../instances/select.ts"
import { createStore } from "../instances/store.ts"
import { type CommandIo, type Environment, fail } from "../terminal/io.ts"
import { showKept } from "./kept.ts"
import { type Answer, askProxy, showRunning } from "./running.ts"
import { statsFile } from "./stats-file.ts"

interface StatsOptions {
  readonly json: boolean
  /** The address of a running proxy. */
  readonly url?: string | undefined
  /** The name of a running proxy. */
  readonly name?: string | undefined
  readonly days?: number | undefined
}

/** 0 when there was something to tell (or nothing yet), 1 when it cannot be had, 2 for a wrong usage. */
export async function stats(options: StatsOptions, io: CommandIo, env: Environment): Promise<number> {
  const { url, name, days, json } = options
  const wrong = wrongUsage(options)
  if (wrong !== undefined) return fail(io, wrong, 2)
  if (url !== undefined) return ask({ url, keys: clientKeysFor(url, env), json }, io)
  if (name !== undefined) return askNamed(name, json, io, env)
  return showKept(statsFile(stateFolder(env)), { json, days }, io, new Date())
}

function wrongUsage({ url, name, days }: StatsOptions): string | undefined {
  if (url !== undefined && name !== undefined) return "give --url or --name, not both."
  if (days !== undefined && (url ?? name) !== undefined)
    return "--days is for what was kept: a running proxy tells of the time since its start."
  if (url === undefined || isProxyAddress(url)) return undefined
  return `--url must be the address of a proxy, like http://127.0.0.1:8082, not ${JSON.stringify(url)}.`
}

async function askNamed(name: string, json: boolean, io: CommandIo, env: Environment): Promise<number> {
  const selection = select(createStore(stateFolder(env)).list(), { name, all: false })
  const [record] = selection.kind === "some" ? selection.records : []
  if (record === undefined) {
    const unknown = selection.kind === "unknown" || selection.kind === "which"
    return fail(io, unknown ? selection.problem : `no proxy is called ${name}.`)
  }
  const { kind } = await livenessOf(record)
  if (kind !== "running")
    return fail(io, `${record.name} does not run. Without --name: what was kept of all proxies.`)
  const envFile = record.envFile === null ? undefined : resolve(record.cwd, record.envFile)
  const keys = clientKeysFor(record.url, env, envFile)
  return ask({ url: record.url, keys, json }, io)
}

interface Question {
  readonly url: string
  readonly keys: readonly string[]
  readonly json: boolean
}

/** Without a key first: most proxies ask for none, and a key that is not needed stays here. */
async function ask({ url, keys, json }: Question, io: CommandIo): Promise<number> {
  let answer: Answer = await askProxy({ url, key: "" })
  for (const key of keys) {
    if (answer.ok || !answer.refused) break
    answer = await askProxy({ url, key })
  }
  if (answer.ok) {
    showRunning(answer.stats, { url, json }, io)
    return 0
  }
  const how = "set ANTHROPIC_AUTH_TOKEN to a client key, and ANTHROPIC_BASE_URL to this address."
  return fail(io, answer.refused ? `${shownAddress(url)} asks for a client key: ${how}` : `${answer.why}.`)
}

/**
 * The key that clients in this environment would send to that very address; and for one on this machine the
 * client keys of the settings, those of `envFile` where its proxy was started with one.
 */
function clientKeysFor(url: string, env: Environment, envFile?: string): readonly string[] {
  const target = URL.parse(url)?.origin
  const same = target !== undefined && target === URL.parse(env["ANTHROPIC_BASE_URL"] ?? "")?.origin
  const sent = same ? [env["ANTHROPIC_AUTH_TOKEN"], env["ANTHROPIC_API_KEY"]] : []
  const own = leadsHere(url) ? settingsKeys(envFile) : []
  const keys = [...sent, ...own].flatMap((key) => (key === undefined || key === "" ? [] : [key]))
  return [...new Set(keys)]
}

function settingsKeys(envFile: string | undefined): readonly string[] {
  const loaded = loadHere({ flags: {}, envFile, localFile: true, needsUpstream: false })
  // One is as good as another.
  return loaded.ok ? loaded.config.clientKeys.slice(0, 1) : []
}
