// `health`: does a proxy take requests? For what watches over one and has no curl: a container without a shell.

import { loadHere } from "../../config/load/load.ts"
import { escapeControls } from "../../observe/log-fields.ts"
import { errorMessage } from "../../protocol/fault.ts"
import { jsonOf, objectOf, textOf } from "../../protocol/json.ts"
import { clientHost } from "../../server/http/client-host.ts"
import { askingOptions, isProxyAddress, leadsHere, rootOf, shownAddress } from "../common/proxy-address.ts"
import { type CommandIo, fail, say } from "../terminal/io.ts"

interface HealthOptions {
  /** The proxy's address, as clients have it. */
  readonly url: string | undefined
  readonly envFile: string | undefined
}

// Whoever watches gives up after some seconds himself, and then hears no reason.
const limitMs = 2_500

/** 0 when it is healthy; 1 when it is about to end, or is not there, or is something else; 2 for a wrong usage. */
export async function health(options: HealthOptions, io: CommandIo): Promise<number> {
  if (options.url !== undefined && !isProxyAddress(options.url)) {
    const what = `like http://127.0.0.1:8082, not ${JSON.stringify(options.url)}`
    return fail(io, `health takes the address of a proxy, ${what}.`, 2)
  }
  const given = options.url ?? addressHere(options.envFile)
  const url = rootOf(given)
  const { well, told } = await ask(url, options.url === undefined || leadsHere(url))
  if (well) io.out(`${told}\n`)
  else say(io, escapeControls(told))
  return well ? 0 : 1
}

/**
 * Where a proxy with these settings listens. A file that has become wrong since it started is none of its troubles: what
 * can still be read says it, and the defaults.
 */
function addressHere(envFile: string | undefined): string {
  const loaded = loadHere({ flags: {}, envFile, localFile: true, needsUpstream: false })
  if (loaded.ok) {
    const { host, port } = loaded.config
    return addressOf(host, port, loaded.described.origins["TLS_CERT"] !== undefined)
  }
  const { host = "127.0.0.1", port = "8082", secure } = loaded.listens
  return addressOf(host, port, secure)
}

function addressOf(host: string, port: string | number, secure: boolean): string {
  return `${secure ? "https" : "http"}://${clientHost(host)}:${port}`
}

async function ask(
  address: string,
  here: boolean,
): Promise<{ readonly well: boolean; readonly told: string }> {
  const url = shownAddress(address)
  try {
    const response = await fetch(`${address}/health`, {
      signal: AbortSignal.timeout(limitMs),
      ...askingOptions(here),
    })
    const status = textOf(objectOf(jsonOf(await response.text()))["status"])
    if (response.status === 200 && status === "healthy") return { well: true, told: `healthy: ${url}` }
    const what = status ?? `status ${response.status}, and nothing of a claude-proxy`
    return { well: false, told: `${url} answers: ${what}` }
  } catch (error) {
    // Bun goes on with advice for whoever wrote the program.
    const [why] = errorMessage(error).split(/\.? (?=(?:Is|For) )/)
    return { well: false, told: `${url} cannot be reached: ${why}` }
  }
}
