// The settings as `--help` shows them, from the one table.
import type { Setting } from "../config/settings/setting.ts"
import { headerPrefix, settings } from "../config/settings/settings.ts"
import { lookUp } from "../protocol/json.ts"
import { wrap } from "./terminal/wrap.ts"

const width = 100

/** The settings that count for a command: all of them, or those of some groups, or all but some. */
interface SettingsShown {
  readonly groups?: readonly Setting["group"][]
  readonly without?: readonly string[]
}

// What `run` decides itself: its proxy is nobody else's, and ends with its command. `convert` sends nothing.
const shownBy: Readonly<Record<string, SettingsShown>> = {
  serve: {},
  run: {
    without: [
      ...["HOST", "PORT", "TLS_CERT", "TLS_KEY", "SHUTDOWN_TIMEOUT"],
      ...["ALLOWED_API_KEYS", "RATE_LIMIT_REQUESTS_PER_MINUTE", "STATS_ENABLED"],
    ],
  },
  convert: {
    groups: ["upstream", "models", "routing", "limits", "keys"],
    without: [
      ...["REQUEST_TIMEOUT", "MAX_RETRIES", "MAX_BODY_BYTES", "MAX_CONCURRENT_REQUESTS"],
      ...["DEFAULT_INPUT_COST_PER_TOKEN", "DEFAULT_OUTPUT_COST_PER_TOKEN"],
    ],
  },
}

const sources: Readonly<Record<string, string>> = {
  run: "Read from --env FILE, the environment, and .env in the configuration folder; the first of them counts. Defaults stand in brackets.",
}

const usualSources =
  "Read from flags, --env FILE, the environment, ./.env, and .env in the configuration folder; the first of them counts. Defaults stand in brackets."

/** The section for one command; empty for one that reads no settings. */
export function renderSettingsHelp(command: string): string {
  const shown = lookUp(shownBy, command)
  if (shown === undefined) return ""
  const { groups, without = [] } = shown
  const rows = settings.filter(
    ({ name, group }) => (groups?.includes(group) ?? true) && !without.includes(name),
  )
  const own = rows.filter(({ group }) => group !== "keys")
  const column = Math.max(...own.map(({ name }) => name.length)) + 4
  const lines = own.flatMap((setting) => entry(setting, column))
  const keys = rows.filter(({ group }) => group === "keys").map(({ name }) => name)
  const more = [
    `Keys of providers: ${keys.join(", ")}.`,
    `${headerPrefix}X_TEAM=a sends the header X-Team: a with every upstream request.`,
  ]
  const head = sources[command] ?? usualSources
  return ["SETTINGS", "", ...indented(head), "", ...lines, "", ...more.flatMap(indented)].join("\n")
}

function entry({ name, doc, default: value }: Setting, column: number): readonly string[] {
  const usual = value === undefined ? "" : ` [${value}]`
  const [first = "", ...others] = wrap(`${doc}${usual}`, width - column)
  return [`  ${name.padEnd(column - 2)}${first}`, ...others.map((line) => `${" ".repeat(column)}${line}`)]
}

function indented(text: string): readonly string[] {
  return wrap(text, width - 2).map((line) => `  ${line}`)
}
