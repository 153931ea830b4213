// Reads the text format of Prometheus: with a parser that others wrote for its figures, and strictly, line by line,
// for what a lenient parser lets pass.
import parse from "parse-prometheus-text-format"
import { isObject, type JsonObject, objectOf, textOf } from "../../src/protocol/json.ts"

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Every sample, by the parser. It takes those of a histogram with labels apart only when they have no type. */
export function samplesOf(text: string): readonly Sample[] {
  objectsIn(parse(text))
  const untyped = text.replace(/^# TYPE \S+ histogram\n/gm, "")
  return objectsIn(parse(untyped)).flatMap(({ name, metrics }) =>
    objectsIn(metrics).map(({ labels, value }) => ({
      name: textOf(name) ?? "",
      labels: Object.fromEntries(Object.entries(objectOf(labels)).map(([key, text]) => [key, String(text)])),
      value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value),
    })),
  )
}

function objectsIn(value: unknown): readonly JsonObject[] {
  if (!Array.isArray(value) || !value.every(isObject)) throw new Error("the parser gave no list of objects")
  return value
}

/** The sum of all samples of this name that have at least these labels; undefined when there is none. */
export function figure(
  given: string | readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const samples = typeof given === "string" ? samplesOf(given) : given
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
}

const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,|(?=\})))*)\})? (\S+)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g
const numberText = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/

interface Line {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: string
}

interface Family {
  readonly name: string
  readonly type: string
  readonly lines: readonly Line[]
}

/** What is wrong with a text; empty when it is strictly in the format. */
export function checkExposition(text: string): readonly string[] {
  if (!text.endsWith("\n")) return ["the last line does not end"]
  const problems: string[] = []
  const families: { name: string; type: string; lines: Line[] }[] = []
  let help: string | undefined
  for (const line of text.slice(0, -1).split("\n")) {
    const meta = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    const family = families.at(-1)
    if (meta?.[1] === "HELP") help = meta[2]
    else if (meta?.[1] === "TYPE") {
      if (help !== meta[2]) problems.push(`no HELP right before: ${line}`)
      if (families.some(({ name }) => name === meta[2])) problems.push(`a second time: ${line}`)
      families.push({ name: meta[2] ?? "", type: meta[3] ?? "", lines: [] })
    } else {
      const read = readSample(line)
      if (read === undefined) problems.push(`no sample: ${line}`)
      else if (family === undefined || !belongs(read.name, family))
        problems.push(`outside its family: ${line}`)
      else family.lines.push(read)
    }
  }
  return [...problems, ...families.flatMap(checkFamily)]
}

function readSample(line: string): Line | undefined {
  const [, name, labels = "", value] = sampleLine.exec(line) ?? []
  if (name === undefined || value === undefined || !numberText.test(value)) return undefined
  const pairs = [...labels.matchAll(labelPair)].map(([, key = "", text = ""]) => [key, text] as const)
  const read = new Map(pairs)
  return read.size === pairs.length ? { name, labels: read, value } : undefined
}

function belongs(name: string, family: Family): boolean {
  if (family.type !== "histogram") return name === family.name
  return ["_bucket", "_sum", "_count"].some((end) => name === family.name + end)
}

function checkFamily(family: Family): readonly string[] {
  const { name, type, lines } = family
  const problems: string[] = []
  if (!["counter", "gauge", "histogram"].includes(type)) problems.push(`${name}: no such type: ${type}`)
  if ((type === "counter") !== name.endsWith("_total")) problems.push(`${name}: a wrong end for a ${type}`)
  const keys = lines.map((line) => line.name + keyOf(line))
  if (new Set(keys).size < keys.length) problems.push(`${name}: the same series twice`)
  if (type === "counter" && lines.some(({ value }) => !(Number(value) >= 0)))
    problems.push(`${name}: less than nothing`)
  return type === "histogram" ? [...problems, ...checkHistogram(family)] : problems
}

function keyOf({ labels }: Line, without?: string): string {
  return JSON.stringify([...labels].filter(([key]) => key !== without).toSorted())
}

function checkHistogram({ name, lines }: Family): readonly string[] {
  const series = Map.groupBy(lines, (line) => keyOf(line, "le"))
  return [...series].flatMap(([key, own]) => {
    const buckets = own.filter((line) => line.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => Number(labels.get("le")?.replace("+Inf", "Infinity")))
    const counts = buckets.map(({ value }) => Number(value))
    const sums = own.filter((line) => line.name === `${name}_sum`)
    const totals = own.filter((line) => line.name === `${name}_count`)
    const problems = [
      bounds.at(-1) !== Number.POSITIVE_INFINITY && "no last bucket",
      bounds.some((bound, index) => !(bound > (bounds[index - 1] ?? Number.NEGATIVE_INFINITY))) &&
        "bounds that do not rise",
      counts.some((count, index) => count < (counts[index - 1] ?? 0)) && "buckets that fall",
      (sums.length !== 1 || totals.length !== 1) && "not one sum and one count",
      Number(totals[0]?.value) !== counts.at(-1) && "a count that is not the last bucket's",
    ]
    return problems.filter((problem) => problem !== false).map((problem) => `${name} ${key}: ${problem}`)
  })
}
