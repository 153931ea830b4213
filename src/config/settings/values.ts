// From texts to typed values: one reading per kind of setting, and a reader that collects what is wrong.
import { lookUp } from "../../protocol/json.ts"
import { redact } from "../../protocol/redact.ts"
import type { Setting } from "./setting.ts"
import { findSetting, isSettingName, type SettingName, secretSettings } from "./settings.ts"

/** A setting's text and where it was found: a flag, "environment", or file:line. */
export interface Found {
  readonly value: string
  readonly origin: string
}

export type Values = ReadonlyMap<string, Found>

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }

export interface Reader {
  readonly text: (name: SettingName) => string | undefined
  readonly list: (name: SettingName) => readonly string[]
  readonly number: (name: SettingName) => number | undefined
  readonly boolean: (name: SettingName) => boolean | undefined
  readonly word: <T extends string>(name: SettingName, words: readonly T[]) => T | undefined
  /** What was wrong so far, in the order of reading. */
  readonly problems: () => readonly string[]
}

/** How a message names a setting. */
export function named(name: string, values: Values): string {
  const found = values.get(name)
  return found === undefined ? name : `${name} (${found.origin})`
}

/** The parts of a comma-separated value. */
export function listOf(found: Found | undefined): readonly string[] {
  if (found === undefined) return []
  const parts = found.value.split(",").map((part) => part.trim())
  return parts.filter((part) => part !== "")
}

/** What is set that is a secret: settings, and whatever is none, a variable that a model takes its key from. */
export function secretNames(values: Values): readonly string[] {
  const names: string[] = []
  for (const name of secretSettings.whole) if (values.has(name)) names.push(name)
  for (const name of values.keys()) if (!isSettingName(name)) names.push(name)
  return names
}

/** Every secret among the values: keys whole, of addresses the password in them. */
export function secretsIn(values: Values): readonly string[] {
  const secrets: string[] = []
  for (const name of secretNames(values)) secrets.push(...listOf(values.get(name)))
  for (const name of secretSettings.inPart) secrets.push(...passwordIn(values.get(name)?.value ?? ""))
  return secrets
}

function passwordIn(address: string): readonly string[] {
  const written = /^[a-z+]*:?(?:\/\/)?[^/@]*:([^/@]+)@/i.exec(address)?.[1]
  return written === undefined ? [] : [...new Set([written, decoded(written)])]
}

/** A text out of an address, as it is meant; as it stands where it is wrongly written. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * Reads settings by the table: its default where nothing is set, its range where it has one. A value that
 * cannot be read gives undefined and a problem that names the setting, where it stands and what to write.
 */
export function createReader(values: Values): Reader {
  const problems: string[] = []

  function take<T>(
    name: SettingName,
    read: (text: string, setting: Setting | undefined) => Read<T>,
  ): T | undefined {
    const setting = findSetting(name)
    const text = values.get(name)?.value ?? setting?.default
    if (text === undefined) return undefined
    const result = read(text, setting)
    if (result.ok) return result.value
    problems.push(`${named(name, values)} is ${shown(text, values)}: ${result.why}.`)
    return undefined
  }

  return {
    text: (name) => values.get(name)?.value ?? findSetting(name)?.default,
    list: (name) => listOf(values.get(name)),
    number: (name) => take(name, readNumber),
    boolean: (name) => take(name, readBoolean),
    word: (name, words) => take(name, (text) => readWord(text, words)),
    problems: () => problems,
  }
}

/** A value in quotes for a message; one that may be a key put into the wrong place is not shown. */
function shown(text: string, values: Values): string {
  if (text.length > 24) return `a text of ${text.length} characters`
  return JSON.stringify(redact(text, secretsIn(values)))
}

const numberForms = {
  integer: /^\d+$/,
  tokens: /^\d+(\.\d+)?k$|^\d+$/i,
  number: /^(\d+(\.\d+)?|\.\d+)(e-?\d{1,3})?$/i,
} as const

function readNumber(text: string, setting: Setting | undefined): Read<number> {
  const kind = setting?.kind === "integer" || setting?.kind === "tokens" ? setting.kind : "number"
  const whole = kind !== "number"
  const [least, most] = setting?.range ?? [0, Number.MAX_SAFE_INTEGER]
  const number = numberForms[kind].test(text) ? amountOf(text) : Number.NaN
  if (number >= least && number <= most) return { ok: true, value: number }
  return { ok: false, why: `give a ${numberWithin(least, most, whole, setting?.unit)}` }
}

/** What a message calls such a number. */
export function numberWithin(least: number, most: number, whole: boolean, unit?: Setting["unit"]): string {
  const open = unit === undefined ? ` of ${least} or more` : `, ${least} or more`
  const limits = most === Number.MAX_SAFE_INTEGER ? open : ` from ${least} to ${most}`
  return `${whole ? "whole " : ""}number${unit === undefined ? "" : ` of ${unit}`}${limits}`
}

/** `128k` is 131072. */
export function amountOf(text: string): number {
  return /k$/i.test(text) ? Math.floor(Number(text.slice(0, -1)) * 1024) : Number(text)
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
}

function readBoolean(text: string): Read<boolean> {
  const word = text.toLowerCase()
  const value = lookUp(booleans, word)
  return value === undefined ? { ok: false, why: "give true or false" } : { ok: true, value }
}

// Python's logging knows more words than ours, and a switch with a third position is written as one with two.
const otherWords: Readonly<Record<string, readonly string[]>> = {
  warn: ["warning"],
  critical: ["error"],
  ...Object.fromEntries(["true", "yes", "on", "1"].map((word) => [word, ["true", "auto"]])),
  ...Object.fromEntries(["false", "no", "off", "0"].map((word) => [word, ["false", "off"]])),
}

function readWord<T extends string>(text: string, words: readonly T[]): Read<T> {
  const lower = text.toLowerCase()
  const meant = [lower, ...(lookUp(otherWords, lower) ?? [])]
  const value = words.find((word) => meant.includes(word.toLowerCase()))
  return value === undefined ? { ok: false, why: `give one of ${words.join(", ")}` } : { ok: true, value }
}
