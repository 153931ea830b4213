// Which client keys a running proxy may be asked with: those that are meant for it, and no others.
import { loadHere } from "../../config/load/load.ts"
import { isLoopback } from "../common/proxy-address.ts"

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The key that clients in this environment would send to that very address; and for one on this machine the
 * client keys of the settings, those of `envFile` where its proxy was started with one.
 */
export function clientKeysFor(url: string, env: Environment, envFile?: string): readonly string[] {
  const target = originOf(url)
  const same = target !== undefined && target === originOf(env["ANTHROPIC_BASE_URL"] ?? "")
  const sent = same ? [env["ANTHROPIC_AUTH_TOKEN"], env["ANTHROPIC_API_KEY"]] : []
  const own = isLoopback(url) ? settingsKeys(envFile) : []
  const keys = [...sent, ...own].flatMap((key) => (key === undefined || key === "" ? [] : [key]))
  return [...new Set(keys)]
}

function settingsKeys(envFile: string | undefined): readonly string[] {
  const loaded = loadHere({ flags: {}, envFile, localFile: true, needsUpstream: false })
  // One is as good as another.
  return loaded.ok ? loaded.config.clientKeys.slice(0, 1) : []
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined
}
