// The one table of settings: names, kinds, defaults, a line of documentation. --help, the loader, `init` and
// the near-miss warnings all read it, so a setting exists exactly when it has a row.
import { providers } from "../providers/table.ts"
import type { LogLevel } from "./config.ts"
import type { Setting } from "./setting.ts"
import { ownSettings } from "./settings-table.ts"

export const logLevels: readonly LogLevel[] = ["DEBUG", "INFO", "WARNING", "ERROR"]
export const logFormats = ["text", "json"] as const
export const thinkingWords = ["true", "false", "auto"] as const
export const tuningWords = ["off", "auto"] as const
export const keyRoles = ["client", "upstream", "both"] as const

export type SettingName = (typeof ownSettings)[number]["name"]

/** What a variable that adds a request header begins with. */
export const headerPrefix = "CUSTOM_HEADER_"

/** Every setting there is, the providers' own key variables included. `CUSTOM_HEADER_*` comes on top. */
export const settings: readonly Setting[] = [...ownSettings, ...keySettings()]

const byName: ReadonlyMap<string, Setting> = new Map(settings.map((setting) => [setting.name, setting]))

function keySettings(): readonly Setting[] {
  const taken = new Set<string>(ownSettings.map((setting) => setting.name))
  const keys = providers.flatMap((row) => row.keyNames.map((name) => ({ name, doc: `Key for ${row.name}.` })))
  const unique = new Map(keys.filter((key) => !taken.has(key.name)).map((key) => [key.name, key.doc]))
  return [...unique].map(([name, doc]) => ({ name, group: "keys", kind: "secret", default: undefined, doc }))
}

/** The row of a setting, or undefined for a name that is not one. */
export function findSetting(name: string): Setting | undefined {
  return byName.get(name)
}

/** Is this a variable we read? */
export function isSettingName(name: string): boolean {
  return name.startsWith(headerPrefix) || byName.has(name)
}
