// Sources of settings as layers of one form, and laying them over each other.

import { namesProxy, settingOf } from "../network/network.ts"
import { suggestName } from "../settings/near-names.ts"
import { findSetting, isSettingName } from "../settings/settings.ts"
import type { Found, Values } from "../settings/values.ts"
import { type EnvFile, normaliseValue } from "./env-file.ts"

export interface Layer {
  readonly values: Values
  readonly warnings: readonly string[]
  readonly problems: readonly string[]
}

/** A file of settings; `file` is missing when it could not be read, and `issue` says why. */
export interface SettingsFile {
  /** Given with --env, ./.env, or in our own folder. */
  readonly source: "named" | "local" | "own"
  readonly path: string
  readonly file?: EnvFile
  readonly issue?: string
}

type Texts = Readonly<Record<string, string | undefined>>

const noNames: ReadonlySet<string> = new Set()

/** All sources as layers, strongest first. `keyNames` are wanted besides the settings: keys of models. */
export function layersOf(
  flags: Texts,
  env: Texts,
  files: readonly SettingsFile[],
  keyNames = noNames,
): readonly Layer[] {
  const from = (source: SettingsFile["source"]) =>
    files.filter((file) => file.source === source).map((file) => layerOf(file, keyNames))
  return [
    flagLayer(flags),
    ...from("named"),
    environmentLayer(env, keyNames),
    ...from("local"),
    ...from("own"),
  ]
}

function layerOf({ source, path, file, issue }: SettingsFile, keyNames: ReadonlySet<string>): Layer {
  if (file !== undefined) return fileLayer(path, file, keyNames)
  const values = new Map<string, Found>()
  return source === "named"
    ? {
        values,
        warnings: [],
        problems: [`--env: ${issue}: give the path of a file with NAME=value lines.`],
      }
    : { values, warnings: [`${issue}: its settings are not used.`], problems: [] }
}

/** Settings given as flags, keyed by the setting's name. */
function flagLayer(flags: Texts): Layer {
  return plainLayer(
    flags,
    (text) => text.trim(),
    (name) => findSetting(name)?.flag ?? "command line",
  )
}

/** Settings in the process environment. */
function environmentLayer(env: Texts, keyNames: ReadonlySet<string>): Layer {
  return plainLayer(env, normaliseValue, () => "environment", keyNames)
}

function plainLayer(
  texts: Texts,
  read: (text: string) => string,
  origin: (name: string) => string,
  keyNames = noNames,
): Layer {
  const values = new Map<string, Found>()
  const wanted: { readonly name: string; readonly text: string }[] = []
  // A whole environment: what is no setting is passed over at once.
  for (const name of Object.keys(texts)) {
    const text = texts[name]
    if (text !== undefined && isWanted(name, keyNames)) wanted.push({ name, text })
  }
  for (const { name, text } of inOrder(wanted)) put(values, name, { value: read(text), origin: origin(name) })
  return { values, warnings: [], problems: [] }
}

function isWanted(name: string, keyNames: ReadonlySet<string>): boolean {
  return isSettingName(name) || namesProxy(name) || keyNames.has(name)
}

/** The variables of proxies are written in either case; the lower one counts, as it does for curl and for Bun. */
function inOrder<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  const lower: T[] = []
  const others: T[] = []
  for (const item of items) (settingOf(item.name) === item.name ? others : lower).push(item)
  return [...others, ...lower]
}

function put(values: Map<string, Found>, name: string, found: Found): void {
  const setting = settingOf(name)
  if (setting !== name && found.value === "" && values.has(setting)) return
  values.set(setting, found)
}

// In the middle of a text a lone $ is any sign.
const variable = /\$\{[A-Za-z_]\w*(?:\}|[:?+-])|^\$[A-Za-z_]\w*$/

/**
 * Settings in a dotenv file. Only what cannot be read in one of our own lines is a problem: the file may be
 * somebody else's as well, and what stands before a `=` may be part of a key. A name that is nearly one of ours
 * gives a warning with the name meant. `keyNames` are wanted besides.
 */
function fileLayer(path: string, file: EnvFile, keyNames: ReadonlySet<string>): Layer {
  const isOurs = (name: string) => isWanted(name, keyNames)
  const values = new Map<string, Found>()
  const warnings: string[] = []
  const problems: string[] = []
  for (const { name, value, line } of inOrder(file.entries)) {
    const origin = `${path}:${line}`
    const meant = suggestName(name)
    if (isOurs(name)) {
      const before = values.get(settingOf(name))
      if (before !== undefined && before.value !== value.trim())
        warnings.push(`${name} (${origin}) stands in ${before.origin} as well: the later line counts.`)
      put(values, name, { value: value.trim(), origin })
    } else if (meant !== undefined)
      warnings.push(`${name} (${origin}) is not a setting. Did you mean ${meant}?`)
  }
  warnings.push(...unfollowed(values))
  for (const { name, line, why } of file.issues) {
    const origin = `${path}:${line}`
    if (name !== undefined && isOurs(name)) problems.push(`${name} (${origin}) ${why}: correct the line.`)
    else warnings.push(`A line (${origin}) ${why}: it is not used.`)
  }
  return { values, warnings, problems }
}

/** Other readers of such files put in what the variable holds. */
function unfollowed(values: Values): readonly string[] {
  return [...values].flatMap(([name, { value, origin }]) => {
    if (!variable.test(value)) return []
    return [`${name} (${origin}) names a variable, which is not followed: it is taken as it is written.`]
  })
}

// Bun obeys the one in the environment in any case, so what others say can only come on top of it.
const additive: ReadonlySet<string> = new Set(["NO_PROXY"])

/**
 * A file brings an address and the key for it, and the environment another key, which counts first: it would go
 * to a host that it may not be for.
 */
export function hiddenKeys(layers: readonly Layer[], values: Values): readonly string[] {
  const base = values.get("OPENAI_BASE_URL")
  const used = values.get("OPENAI_API_KEY")
  if (base === undefined || used?.origin !== "environment" || base.origin === "environment") return []
  const own = layers
    .flatMap((layer) => layer.values.get("OPENAI_API_KEY") ?? [])
    .find(
      ({ value, origin }) => value !== "" && value !== used.value && fileOf(origin) === fileOf(base.origin),
    )
  if (own === undefined) return []
  return [
    `OPENAI_API_KEY (environment) counts before the one in ${own.origin}, and goes to the address in ${base.origin}: unset it where it is not for there.`,
  ]
}

const fileOf = (origin: string): string => origin.replace(/:\d+$/, "")

/** The strongest non-empty value of each setting, and all those of NO_PROXY; layers come strongest first. */
export function mergeLayers(layers: readonly Layer[]): Values {
  const merged = new Map<string, Found>()
  for (const { values } of layers) {
    for (const [name, found] of values) {
      const before = merged.get(name)
      if (found.value === "") continue
      if (before === undefined) merged.set(name, found)
      else if (additive.has(name)) merged.set(name, { ...before, value: `${before.value},${found.value}` })
    }
  }
  return merged
}
