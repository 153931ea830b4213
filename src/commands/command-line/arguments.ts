// The command line as it was typed, checked before citty reads it: citty takes unknown flags, empty values
// and `--no-port` in silence, and sees `--help` even behind `--`.
import type { ArgsDef } from "citty"
import { editDistance } from "../../config/settings/near-names.ts"
import { lookUp } from "../../protocol/json.ts"

export interface SplitArguments {
  /** Ours: what stands before the first `--`. */
  readonly own: readonly string[]
  /** What stands behind it; undefined without a `--`. */
  readonly rest: readonly string[] | undefined
}

/** Cuts at the first `--`, which belongs to neither side. */
export function splitArguments(argv: readonly string[]): SplitArguments {
  const at = argv.indexOf("--")
  if (at < 0) return { own: argv, rest: undefined }
  return { own: argv.slice(0, at), rest: argv.slice(at + 1) }
}

interface Checked {
  readonly positionals: readonly string[]
  /** The first thing wrong, as a sentence. */
  readonly problem: string | undefined
}

/**
 * Checks one command's arguments (without its name) against what the command takes. `behind` are those that
 * a `--` keeps from being flags.
 */
export function checkArguments(
  own: readonly string[],
  definition: ArgsDef,
  behind: readonly string[] = [],
): Checked {
  const positionals: string[] = []
  let index = 0
  while (index < own.length) {
    const token = own[index] ?? ""
    index += 1
    if (!isFlag(token)) {
      positionals.push(token)
      continue
    }
    const seen = checkFlag(token, own[index], definition)
    if (seen.problem !== undefined) return { positionals, problem: seen.problem }
    if (seen.takesNext) index += 1
  }
  positionals.push(...behind)
  const allowed = Object.values(definition).filter((argument) => argument.type === "positional").length
  const extra = positionals[allowed]
  const problem = extra === undefined ? undefined : `unexpected argument ${JSON.stringify(extra)}.`
  return { positionals, problem }
}

/** The flags among checked arguments, each with what it was given; of several the last one counts. */
export function flagsIn(
  own: readonly string[],
  definition: ArgsDef,
): Readonly<Record<string, string | boolean>> {
  const flags: Record<string, string | boolean> = {}
  let name: string | undefined
  for (const token of own) {
    if (name !== undefined) {
      flags[name] = token
      name = undefined
    } else if (isFlag(token)) {
      const [, flag = "", value] = /^--([^=]*)=?(.*)$/s.exec(token) ?? []
      if (definition[flag]?.type === "boolean") flags[flag] = true
      else if (token.includes("=")) flags[flag] = value ?? ""
      else name = flag
    }
  }
  return flags
}

/** A single dash means standard input. */
function isFlag(token: string): boolean {
  return token.startsWith("-") && token !== "-"
}

interface SeenFlag {
  readonly problem?: string
  readonly takesNext?: boolean
}

function checkFlag(token: string, next: string | undefined, definition: ArgsDef): SeenFlag {
  const equals = token.indexOf("=")
  const flag = equals < 0 ? token : token.slice(0, equals)
  const value = equals < 0 ? undefined : token.slice(equals + 1)
  const name = flag.slice(2)
  const argument = flag.startsWith("--") ? lookUp(definition, name) : undefined
  if (argument === undefined || argument.type === "positional")
    return { problem: unknownFlag(flag, definition) }
  if (argument.type === "boolean") return value === undefined ? {} : { problem: `${flag} takes no value.` }
  const missing = value === undefined ? next === undefined || next === "" || isFlag(next) : value === ""
  if (missing)
    return { problem: `${flag} needs a value: ${flag} ${(argument.valueHint ?? "value").toUpperCase()}` }
  return { takesNext: value === undefined }
}

function unknownFlag(flag: string, definition: ArgsDef): string {
  const names = Object.keys(definition).filter((name) => definition[name]?.type !== "positional")
  const flags = [...names, "help", "version"].map((name) => `--${name}`)
  const negated = flag.startsWith("--no-") ? `--${flag.slice("--no-".length)}` : ""
  if (flags.includes(negated)) return `unknown option ${flag}. To do without ${negated}, leave it out.`
  const dashed = `--${flag.replace(/^-+/, "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  const meant = nearest(dashed, flags)
  return `unknown option ${flag}.${meant === undefined ? "" : ` Did you mean ${meant}?`}`
}

/** The word of a list that was probably meant: begun with what was typed, or at most two letters off. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const plain = (word: string) => word.replace(/^-+/, "").toLowerCase()
  const wanted = plain(typed)
  if (wanted === "") return undefined
  const begun = words.find((word) => wanted.length > 1 && plain(word).startsWith(wanted))
  if (begun !== undefined) return begun
  const close = words
    .map((word) => ({ word, distance: editDistance(wanted, plain(word)) }))
    .filter(({ word, distance }) => distance <= (plain(word).length > 3 ? 2 : 1))
    .sort((one, other) => one.distance - other.distance)
  return close[0]?.word
}
