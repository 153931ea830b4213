// Claude Code's own settings files can override the environment that `run` gives it. They are the user's: we
// read them, say so, and never write them or show a value.
import { join } from "node:path"
import { isObject, objectOf, parseJson } from "../../protocol/json.ts"
import type { Environment } from "../terminal/io.ts"
import { serviceSwitches } from "./child-environment.ts"

/** The files in the order Claude Code lays them over each other. */
export function claudeSettingsFiles(env: Environment, home: string, folder: string): readonly string[] {
  const configured = env["CLAUDE_CONFIG_DIR"] ?? ""
  const own = configured === "" ? join(home, ".claude") : configured
  const files = [
    join(own, "settings.json"),
    join(folder, ".claude", "settings.json"),
    join(folder, ".claude", "settings.local.json"),
  ]
  return [...new Set(files)]
}

const address = "ANTHROPIC_BASE_URL"
const credentials = ["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"] as const

/** What one settings file sets against us, as sentences that name the file and the key. */
export function settingsConflicts(path: string, text: string): readonly string[] {
  const parsed = parseJson(text.replace(/^\uFEFF/, ""))
  if (!parsed.ok || !isObject(parsed.value)) return []
  const settings = parsed.value
  const env = objectOf(settings["env"])
  const texts = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value === null ? undefined : String(value)]),
  )
  const past = [...(address in env ? [address] : []), ...serviceSwitches(texts)]
  const refused = credentials.filter((name) => name in env)
  return [
    ...past.map((name) => `${path} sets ${name}: Claude Code follows it and does not come to this proxy.`),
    ...refused.map((name) => `${path} sets ${name}: Claude Code may send it instead of this proxy's token.`),
    ...("apiKeyHelper" in settings
      ? [`${path} sets apiKeyHelper: Claude Code may send its key instead of this proxy's token.`]
      : []),
  ]
}

/** The conflicts of all files that can be read. */
export async function findConflicts(
  files: readonly string[],
  readFile: (path: string) => Promise<string>,
): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map(async (path) => {
      try {
        return settingsConflicts(path, await readFile(path))
      } catch {
        return []
      }
    }),
  )
  return found.flat()
}
