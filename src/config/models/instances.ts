// `instances:` of models.yaml, and the text form of an instance, PORT:FILE:NAME.
import { z } from "zod"
import { isObject } from "../../protocol/json.ts"
import type { Read } from "../settings/values.ts"
import { amount, checkedText, field, mapping, once, text } from "./fields.ts"
import { nameProblem } from "./instance-name.ts"
import { keyAt, type LineOf, type Part, type Path, type Problem, readPart, valueAt } from "./problems.ts"
import type { Instance } from "./read.ts"

const place = () => ({
  port: amount(1, 65_535, true).describe("The port it listens on."),
  env: field(text, "Its settings file; when left out, the settings of all."),
})

/** What is said of an instance whose name stands before it. */
const instanceSchema = once(() => mapping("an instance", place()))

const namedInstanceSchema = once(() => mapping("an instance", { name: checkedText(nameProblem), ...place() }))

/** Every form of `instances`, for editors. */
export const instancesSchema = once(() =>
  z
    .union([
      z.record(z.string(), instanceSchema()),
      z.array(z.union([namedInstanceSchema(), z.string()])),
      z.string(),
    ])
    .describe("Proxies that are started together: mappings with name, port and env, or PORT:FILE:NAME."),
)

const textForm = "PORT:FILE:NAME, like 8081:.env-kimi:Kimi-K2"

/** An instance as the command line has it: `8081:.env-kimi:Kimi-K2`, where the file may be left out. */
export function readInstance(written: string): Read<Instance> {
  // A path of Windows has a colon of its own.
  const [, port = "", file = "", name = ""] = /^\s*(\d+)\s*:(.*):([^:]*)$/s.exec(written) ?? []
  if (port === "") return { ok: false, why: `must be ${textForm}` }
  const number = Number(port)
  if (number < 1 || number > 65_535)
    return { ok: false, why: "needs a port from 1 to 65535 before the first colon" }
  const wrong = nameProblem(name.trim())
  if (wrong !== undefined) return { ok: false, why: `needs a name behind the last colon: it ${wrong}` }
  const envFile = file.trim()
  const value = { name: name.trim(), port: number, envFile: envFile === "" ? undefined : envFile }
  return { ok: true, value }
}

interface Placed {
  readonly instance: Instance
  readonly name: Path
  readonly port: Path
}

type Found = Part<Placed | undefined>

/** Reads a list of mappings or texts, a mapping by names, or one text with commas. */
export function readInstances(value: unknown, lineOf: LineOf): Part<readonly Instance[]> {
  const found = readAll(value, ["instances"])
  const placed = found.flatMap((one) => one.value ?? [])
  const problems = [
    ...found.flatMap((one) => one.problems),
    ...repeated(placed, "name", ({ instance }) => instance.name.toLowerCase(), lineOf),
    ...repeated(placed, "port", ({ instance }) => instance.port, lineOf),
  ]
  return { value: placed.map(({ instance }) => instance), problems }
}

function readAll(value: unknown, path: Path): readonly Found[] {
  if (typeof value === "string")
    return value.split(/,(?=\s*\d+\s*:)/).map((written) => readText(written, path))
  if (Array.isArray(value))
    return value.map((item: unknown, index) =>
      typeof item === "string" ? readText(item, [...path, index]) : readItem(item, [...path, index]),
    )
  if (isObject(value))
    return Object.entries(value).map(([name, item]) => readNamed(name, item, [...path, name]))
  const problem = valueAt(path, "instances must be a list: put a dash before each instance.")
  return [{ value: undefined, problems: [problem] }]
}

function readText(written: string, path: Path): Found {
  const read = readInstance(written)
  if (!read.ok) return { value: undefined, problems: [valueAt(path, `an instance ${read.why}.`)] }
  return { value: { instance: read.value, name: path, port: path }, problems: [] }
}

function readItem(item: unknown, path: Path): Found {
  const { value, problems } = readPart(namedInstanceSchema(), item, path, "an instance")
  if (value === undefined) return { value, problems }
  const instance = { name: value.name, port: value.port, envFile: value.env }
  return { value: { instance, name: [...path, "name"], port: [...path, "port"] }, problems }
}

function readNamed(name: string, item: unknown, path: Path): Found {
  const { value, problems } = readPart(instanceSchema(), item, path, "an instance")
  const wrong = nameProblem(name)
  const named = wrong === undefined ? [] : [keyAt(path, `the name of an instance ${wrong}.`)]
  if (value === undefined || wrong !== undefined)
    return { value: undefined, problems: [...named, ...problems] }
  const instance = { name, port: value.port, envFile: value.env }
  return { value: { instance, name: path, port: [...path, "port"] }, problems }
}

function repeated(
  placed: readonly Placed[],
  what: "name" | "port",
  keyOf: (one: Placed) => string | number,
  lineOf: LineOf,
): readonly Problem[] {
  const first = new Map<string | number, Placed>()
  return placed.flatMap((one) => {
    const before = first.get(keyOf(one))
    if (before === undefined) {
      first.set(keyOf(one), one)
      return []
    }
    const line = lineOf(before[what])
    return [valueAt(one[what], `${what} is the same as in line ${line}: give each instance its own.`)]
  })
}
