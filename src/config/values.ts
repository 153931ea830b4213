// From texts to typed values: one reading per kind of setting, and a reader that collects what is wrong.
import { redact } from "../protocol/redact.ts"
import { findSetting, isSettingName, type SettingName, settings } from "./settings.ts"

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
  const parts = found?.value.split(",") ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== "")
}

/** Settings that hold secrets, and whatever is no setting: a variable that a model takes its key from. */
export function secretNames(values: Values): readonly string[] {
  const holders = settings.filter(
    ({ kind, holdsSecrets }) => kind === "secret" || (kind === "list" && holdsSecrets),
  )
  const others = [...values.keys()].filter((name) => !isSettingName(name))
  return [...holders.map((setting) => setting.name), ...others]
}

/** Every secret among the values: keys whole, of addresses the password in them. */
export function secretsIn(values: Values): readonly string[] {
  const keys = secretNames(values).flatMap((name) => listOf(values.get(name)))
  const addresses = settings.filter(({ kind, holdsSecrets }) => kind === "string" && holdsSecrets)
  return [...keys, ...addresses.flatMap(({ name }) => passwordIn(values.get(name)?.value ?? ""))]
}

function passwordIn(address: string): readonly string[] {
  const written = /^[a-z+]*:?(?:\/\/)?[^/@]*:([^/@]+)@/i.exec(address)?.[1]
  return written === undefined ? [] : [...new Set([written, decoded(written)])]
}

function decoded(text: string): string {
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
  const secrets = secretsIn(values)

  function take<T>(name: SettingName, read: (text: string) => Read<T>): T | undefined {
    const text = values.get(name)?.value ?? findSetting(name)?.default
    if (text === undefined) return undefined
    const result = read(text)
    if (result.ok) return result.value
    problems.push(`${named(name, values)} is ${shown(text, secrets)}: ${result.why}.`)
    return undefined
  }

  return {
    text: (name) => values.get(name)?.value ?? findSetting(name)?.default,
    list: (name) => listOf(values.get(name)),
    number: (name) => take(name, (text) => readNumber(text, name)),
    boolean: (name) => take(name, readBoolean),
    word: (name, words) => take(name, (text) => readWord(text, words)),
    problems: () => problems,
  }
}

/** A value in quotes for a message; one that may be a key put into the wrong place is not shown. */
function shown(text: string, secrets: readonly string[]): string {
  return text.length > 24 ? `a text of ${text.length} characters` : JSON.stringify(redact(text, secrets))
}

const numberForms = {
  integer: /^\d+$/,
  tokens: /^\d+(\.\d+)?k$|^\d+$/i,
  number: /^(\d+(\.\d+)?|\.\d+)(e-?\d{1,3})?$/i,
} as const

function readNumber(text: string, name: SettingName): Read<number> {
  const setting = findSetting(name)
  const kind = setting?.kind === "integer" || setting?.kind === "tokens" ? setting.kind : "number"
  const whole = kind !== "number"
  const [least, most] = setting?.range ?? [0, Number.MAX_SAFE_INTEGER]
  const number = numberForms[kind].test(text) ? amountOf(text) : Number.NaN
  if (number >= least && number <= most) return { ok: true, value: number }
  const limits = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`
  return { ok: false, why: `give a ${whole ? "whole " : ""}number ${limits}` }
}

/** `128k` is 131072. */
function amountOf(text: string): number {
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
  const value = Object.hasOwn(booleans, word) ? booleans[word] : undefined
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
  const meant = [lower, ...(Object.hasOwn(otherWords, lower) ? (otherWords[lower] ?? []) : [])]
  const value = words.find((word) => meant.includes(word.toLowerCase()))
  return value === undefined ? { ok: false, why: `give one of ${words.join(", ")}` } : { ok: true, value }
}
