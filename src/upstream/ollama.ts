// Looks for an Ollama on this machine, for those who have set nothing at all.
import { isLoopback } from "../protocol/hosts.ts"
import { arrayOf, isObject, jsonOf, objectOf, textOf } from "../protocol/json.ts"

interface FoundServer {
  readonly provider: string
  readonly baseUrl: string
  /** Never empty; the one that was last pulled or made comes first. */
  readonly models: readonly string[]
}

const usual = "http://127.0.0.1:11434"

/**
 * The Ollama that listens on loopback and has a model to talk to, or undefined. `host` is what OLLAMA_HOST
 * says, in Ollama's own spelling; a host elsewhere is nobody's default. Never throws, and takes no longer than
 * `timeoutMs`.
 */
export async function findOllama(
  host: string | undefined,
  timeoutMs: number,
): Promise<FoundServer | undefined> {
  const origin = originOf(host)
  if (origin === undefined) return undefined
  try {
    const response = await fetch(`${origin}/api/tags`, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "error",
      proxy: false,
    })
    const told = jsonOf(await response.text())
    const models = response.ok ? modelsIn(told) : []
    return models.length === 0 ? undefined : { provider: "ollama", baseUrl: `${origin}/v1`, models }
  } catch {
    return undefined
  }
}

/** From an address as OLLAMA_HOST has it: with or without scheme and port; 0.0.0.0 is reached by loopback. */
export function originOf(host: string | undefined): string | undefined {
  const text = host?.trim() ?? ""
  if (text === "") return usual
  const url = URL.parse(/^\w+:\/\//.test(text) ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  const name = url.hostname === "0.0.0.0" || url.hostname === "[::]" ? "127.0.0.1" : url.hostname
  if (!isLoopback(name)) return undefined
  const port = url.port === "" && !/^\w+:\/\//.test(text) ? "11434" : url.port
  return `${url.protocol}//${name}${port === "" ? "" : `:${port}`}`
}

// They answer no questions: their families say so, where their names do not.
const embeds = /embed|bert|minilm|\bbge\b/i

function modelsIn(value: unknown): readonly string[] {
  const models = arrayOf(objectOf(value)["models"]).filter(isObject)
  const talking = models.flatMap((model) => {
    const name = textOf(model["name"]) ?? textOf(model["model"])
    const family = textOf(objectOf(model["details"])["family"]) ?? ""
    if (name === undefined || embeds.test(name) || embeds.test(family)) return []
    return [{ name, at: Date.parse(textOf(model["modified_at"]) ?? "") || 0 }]
  })
  return talking.sort((one, other) => other.at - one.at).map(({ name }) => name)
}
