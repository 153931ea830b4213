// The bench's command line.
import type { Binary } from "./targets.ts"
import { extraWorks, usualSeconds, works } from "./work.ts"

export interface Options {
  readonly rounds: number
  readonly quick: boolean
  /** How long works are measured: so many times as long as the table says. */
  readonly scale: number
  /** Names of works; all of them when none is named. */
  readonly only: readonly string[]
  readonly binaries: readonly Binary[]
  readonly json: string | undefined
  readonly markdown: boolean
  readonly strict: boolean
}

export type Read =
  | { readonly kind: "run"; readonly options: Options }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly problem: string }

const names = [...works.map(({ name }) => name), ...extraWorks]

export const usage = `bun run bench [options]

  --quick               one short round: to see that all works (a minute)
  --seconds N           how long streams and small requests are measured; the rest in proportion (0.7)
  --rounds N            how often everything is measured, the targets taking turns (3)
  --only WORK,...       only these; a name may end in *
  --binary [NAME=]PATH  a compiled proxy to measure in place of a fresh build; may be repeated, to compare
  --json FILE           writes every figure of every round
  --markdown            prints tables for the README
  --strict              exit code 1 when a goal is missed

works: ${names.join(", ")}
`

type Wrong = Extract<Read, { readonly kind: "wrong" }>
const wrong = (problem: string): Wrong => ({ kind: "wrong", problem })

const switches = ["--quick", "--markdown", "--strict"] as const
const valued = ["--rounds", "--seconds", "--only", "--binary", "--json"] as const

interface Given {
  readonly on: Set<string>
  readonly values: Map<string, string[]>
}

/** Reads the words of the command line. */
export function readOptions(args: readonly string[]): Read {
  if (args.includes("--help") || args.includes("-h")) return { kind: "help" }
  const given = split(args)
  if ("kind" in given) return given
  const { on, values } = given
  const quick = on.has("--quick")
  const rounds = Number(values.get("--rounds")?.at(-1) ?? (quick ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    return wrong("--rounds takes a number from 1 to 100")
  const seconds = Number(values.get("--seconds")?.at(-1) ?? (quick ? 0.3 : usualSeconds))
  if (!(seconds >= 0.1 && seconds <= 60)) return wrong("--seconds takes a number from 0.1 to 60")
  const asked = (values.get("--only") ?? []).flatMap((list) => list.split(","))
  const only = asked.flatMap(matching)
  const unknown = asked.find((pattern) => matching(pattern).length === 0)
  if (unknown !== undefined) return wrong(`no work is called ${unknown}`)
  const binaries = (values.get("--binary") ?? []).map(readBinary)
  if (new Set(binaries.map(({ name }) => name)).size < binaries.length)
    return wrong("two binaries have the same name: --binary NAME=PATH")
  const json = values.get("--json")?.at(-1)
  const options = { rounds, quick, scale: seconds / usualSeconds, only, binaries, json }
  return { kind: "run", options: { ...options, markdown: on.has("--markdown"), strict: on.has("--strict") } }
}

function split(args: readonly string[]): Given | Wrong {
  const on = new Set<string>()
  const values = new Map<string, string[]>()
  const words = args.flatMap((arg) => (/^--\w+=/.test(arg) ? [cut(arg, "=")].flat() : [arg]))
  for (let at = 0; at < words.length; at++) {
    const name = words[at] ?? ""
    if (switches.some((one) => one === name)) on.add(name)
    else if (!valued.some((one) => one === name)) return wrong(`no such option: ${name}`)
    else {
      const value = words[++at]
      if (value === undefined) return wrong(`${name} wants a value`)
      values.set(name, [...(values.get(name) ?? []), value])
    }
  }
  return { on, values }
}

/** Before and after the first of these signs. */
function cut(text: string, sign: string): readonly [string, string] {
  const at = text.indexOf(sign)
  return [text.slice(0, at), text.slice(at + 1)]
}

function matching(pattern: string): readonly string[] {
  if (!pattern.endsWith("*")) return names.filter((name) => name === pattern)
  return names.filter((name) => name.startsWith(pattern.slice(0, -1)))
}

function readBinary(text: string): Binary {
  if (!text.includes("=")) return { name: text.split("/").at(-1) ?? text, path: text }
  const [name, path] = cut(text, "=")
  return { name, path }
}
