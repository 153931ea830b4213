// The one table of settings: names, kinds, defaults, a line of documentation. --help, the loader, `init` and
// the near-miss warnings all read it, so a setting exists exactly when it has a row.
import { providers } from "../../providers/table.ts"
import type { LogLevel } from "../config.ts"
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

// Every start goes through these tables: in loops, which cost a fraction of calls for each row.
const byName: ReadonlyMap<string, Setting> = named(settings)

function named(rows: readonly Setting[]): Map<string, Setting> {
  const names = new Map<string, Setting>()
  for (const setting of rows) names.set(setting.name, setting)
  return names
}

function keySettings(): readonly Setting[] {
  const taken = named(ownSettings)
  const keys = new Map<string, Setting>()
  for (const row of providers) {
    for (const name of row.keyNames) {
      const doc = `Key for ${row.name}.`
      if (!taken.has(name)) keys.set(name, { name, group: "keys", kind: "secret", default: undefined, doc })
    }
  }
  return [...keys.values()]
}

/** The settings that are secret from end to end, and those that hold a secret as a part. */
export const secretSettings: { readonly whole: readonly string[]; readonly inPart: readonly string[] } =
  secretsAmong(settings)

function secretsAmong(rows: readonly Setting[]): { readonly whole: string[]; readonly inPart: string[] } {
  const whole: string[] = []
  const inPart: string[] = []
  for (const { name, kind, holdsSecrets } of rows) {
    if (kind === "secret" || (kind === "list" && holdsSecrets)) whole.push(name)
    if (kind === "string" && holdsSecrets) inPart.push(name)
  }
  return { whole, inPart }
}

/** The row of a setting, or undefined for a name that is not one. */
export function findSetting(name: string): Setting | undefined {
  return byName.get(name)
}

/** Is this a variable we read? */
export function isSettingName(name: string): boolean {
  return name.startsWith(headerPrefix) || byName.has(name)
}
