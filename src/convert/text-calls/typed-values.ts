// Values that are written as text get the type that the tool's schema gives them.
import { arrayOf, type JsonObject, objectOf, parseJson } from "../../protocol/json.ts"
import type { Take } from "./steps.ts"

export interface Parameter {
  readonly key: string
  readonly take: Take
  readonly text: string
}

/** Two values for one key: which of them was meant is a guess, so it is no call. */
export function typedArgs(
  parameters: readonly Parameter[],
  schema: JsonObject | undefined,
): string | undefined {
  if (new Set(parameters.map(({ key }) => key)).size < parameters.length) return undefined
  const values = parameters.map((parameter) => [parameter.key, typedValue(parameter, schema)] as const)
  if (values.some(([, value]) => value === undefined)) return undefined
  return jsonText(Object.fromEntries(values))
}

export function typedValue({ key, take, text }: Parameter, schema: JsonObject | undefined): unknown {
  if (take === "string") return text
  if (take === "literal") return parsedOr(text, undefined)
  const written = take === "lines" ? text.replace(/^\r?\n/, "").replace(/\r?\n$/, "") : text
  const properties = objectOf(schema?.["properties"])
  const types = Object.hasOwn(properties, key) ? typesOf(properties[key], objectOf(schema), 0) : []
  if (types.includes("string")) return written
  // Without any type, only what is no string in every reading is taken for something else.
  if (types.length === 0 && written.trimStart().startsWith('"')) return written
  return parsedOr(written, written)
}

function parsedOr(text: string, otherwise: unknown): unknown {
  const parsed = parseJson(text)
  return parsed.ok ? parsed.value : otherwise
}

const deepest = 8

/** The JSON types that a schema allows at its top; none when it does not say. */
export function typesOf(value: unknown, root: JsonObject, depth: number): readonly unknown[] {
  const schema = objectOf(value)
  if (depth > deepest) return []
  const target = schema["$ref"]
  if (typeof target === "string") return typesOf(resolve(target, root), root, depth + 1)
  if (schema["type"] !== undefined) return [schema["type"]].flat()
  if (Array.isArray(schema["enum"]))
    return schema["enum"].map((item) => (item === null ? "null" : typeof item))
  if ("const" in schema) return [typeof schema["const"]]
  const parts = ["anyOf", "oneOf", "allOf"].flatMap((word) => arrayOf(schema[word]))
  return parts.flatMap((part) => typesOf(part, root, depth + 1))
}

/** A reference within the schema itself: `#/$defs/Name`. */
export function resolve(target: string, root: JsonObject): unknown {
  const [hash, ...path] = target.split("/")
  return hash === "#" ? path.reduce<unknown>((at, key) => objectOf(at)[key], root) : undefined
}

/** JSON.parse takes deeper nesting than JSON.stringify can walk. */
export function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
