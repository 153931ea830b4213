// `health`: does a proxy take requests? For what watches over one and has no curl: a container without a shell.

import { loadHere } from "../../config/load/load.ts"
import { normaliseValue } from "../../config/sources/env-file.ts"
import { objectOf, parseJson, textOf } from "../../protocol/json.ts"
import { clientHost } from "../../server/http/client-host.ts"
import { isLoopback } from "../stats/client-keys.ts"
import type { CommandIo, Environment } from "../terminal/io.ts"

export interface HealthOptions {
  /** The proxy's address, as clients have it. */
  readonly url: string | undefined
  readonly envFile: string | undefined
}

// Whoever watches gives up after some seconds himself, and then hears no reason.
const limitMs = 2_500

/** 0 when it is healthy; 1 when it is about to end, or is not there, or is something else. */
export async function health(options: HealthOptions, io: CommandIo, env: Environment): Promise<number> {
  const given = options.url ?? addressHere(options.envFile, env)
  const url = given.replace(/\/+$/, "").replace(/\/v1$/, "")
  const { well, told } = await ask(url, options.url === undefined || isLoopback(url))
  if (well) io.out(`${told}\n`)
  else io.error(`claude-proxy: ${told}\n`)
  return well ? 0 : 1
}

/**
 * Where a proxy with these settings listens. A file that has become wrong since it started is none of its troubles: then
 * the environment says it, and the defaults.
 */
function addressHere(envFile: string | undefined, env: Environment): string {
  const loaded = loadHere({ flags: {}, envFile, localFile: true, needsUpstream: false })
  const said = (name: string, usual: string) => normaliseValue(env[name] ?? "") || usual
  const { host, port } = loaded.ok
    ? loaded.config
    : { host: said("HOST", "127.0.0.1"), port: said("PORT", "8082") }
  const secure = loaded.ok ? loaded.described.origins["TLS_CERT"] !== undefined : said("TLS_CERT", "") !== ""
  return `${secure ? "https" : "http"}://${clientHost(host)}:${port}`
}

async function ask(url: string, here: boolean): Promise<{ readonly well: boolean; readonly told: string }> {
  try {
    const response = await fetch(`${url}/health`, {
      signal: AbortSignal.timeout(limitMs),
      redirect: "manual",
      // Its certificate is for its names, and no HTTP proxy stands before this machine.
      ...(here ? { proxy: false, tls: { rejectUnauthorized: false } } : {}),
    })
    const parsed = parseJson(await response.text())
    const status = textOf(objectOf(parsed.ok ? parsed.value : undefined)["status"])
    if (response.status === 200 && status === "healthy") return { well: true, told: `healthy: ${url}` }
    const what = status ?? `status ${response.status}, and nothing of a claude-proxy`
    return { well: false, told: `${url} answers: ${what}` }
  } catch (error) {
    // Bun goes on with advice for whoever wrote the program.
    const [why] = (error instanceof Error ? error.message : String(error)).split(/\.? (?=(?:Is|For) )/)
    return { well: false, told: `${url} cannot be reached: ${why}` }
  }
}
