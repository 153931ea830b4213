// What a schema said in keywords that its reader does not take, in a few words for the description.
import { objectOf } from "../../protocol/json.ts"

const longest = 80

const written = (value: unknown): string => (JSON.stringify(value) ?? "").slice(0, longest)

const bound =
  (words: string) =>
  (value: unknown): string | undefined =>
    typeof value === "number" ? `${words} ${value}` : undefined

const hints: ReadonlyMap<string, (value: unknown) => string | undefined> = new Map([
  ["const", (value) => `always ${written(value)}`],
  ["enum", (value) => (Array.isArray(value) && value.length > 0 ? `one of ${oneOf(value)}` : undefined)],
  ["default", (value) => (value === null ? undefined : `default ${written(value)}`)],
  ["format", (value) => (typeof value === "string" ? `format ${value.slice(0, longest)}` : undefined)],
  ["exclusiveMinimum", bound("more than")],
  ["exclusiveMaximum", bound("less than")],
  ["multipleOf", bound("a multiple of")],
  ["uniqueItems", (value) => (value === true ? "no item twice" : undefined)],
  ["propertyNames", (value) => namesHint(objectOf(value)["pattern"])],
])

/** The words for one keyword, or undefined where a model gains nothing from it. */
export function hintFor(keyword: string, value: unknown): string | undefined {
  return hints.get(keyword)?.(value)
}

function namesHint(pattern: unknown): string | undefined {
  return typeof pattern === "string" ? `names match ${pattern.slice(0, longest)}` : undefined
}

const oneOf = (values: readonly unknown[]): string =>
  values
    .slice(0, 20)
    .map((value) => written(value))
    .join(", ")
    .slice(0, 200)

/** A description with hints in brackets behind it. */
export function describe(description: unknown, hints: readonly string[]): { readonly description?: string } {
  const text = typeof description === "string" ? description : ""
  const told = [...new Set(hints)].join("; ")
  if (told === "") return text === "" ? {} : { description: text }
  return { description: text === "" ? told : `${text} (${told})` }
}
