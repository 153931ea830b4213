// A small language for what a field of a request may hold, so that providers' rules can be written as data.
import { isObject, type JsonObject } from "../../../src/protocol/json.ts"

export type Shape =
  | "anything"
  | "text"
  | "boolean"
  | "integer"
  | "number"
  | "object"
  | { readonly words: readonly (string | boolean)[] }
  | { readonly longest: number }
  /** A number; `above`: more than `from`, not equal to it. */
  | { readonly from: number; readonly to?: number; readonly above?: true; readonly whole?: true }
  | { readonly members: Readonly<Record<string, Shape>>; readonly needs?: readonly string[] }
  | { readonly list: Shape; readonly least?: number; readonly most?: number }
  | { readonly either: readonly Shape[] }
  /** An object whose `type` says which shape it has; `type` itself need not be named there. */
  | { readonly byType: Readonly<Record<string, Shape>> }

export type Shapes = Readonly<Record<string, Shape>>

const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
  anything: () => true,
  text: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  number: Number.isFinite,
  object: isObject,
}

/** `unknown` is the provider's sentence on a key it does not know, with `{}` in the key's place. */
export function checkShape(value: unknown, shape: Shape, path: string, unknown: string): readonly string[] {
  if (typeof shape === "string") {
    return kinds[shape]?.(value) === true ? [] : [`${path}: should be ${shape}, got ${show(value)}`]
  }
  if ("words" in shape) {
    const known = shape.words.some((word) => word === value)
    return known ? [] : [`${path}: should be one of ${shape.words.join(", ")}, got ${show(value)}`]
  }
  if ("longest" in shape) return checkLength(value, shape.longest, path)
  if ("from" in shape) return checkNumber(value, shape, path)
  if ("list" in shape) return checkList(value, shape, path, unknown)
  if ("either" in shape) {
    const tries = shape.either.map((one) => checkShape(value, one, path, unknown))
    return tries.some((reasons) => reasons.length === 0) ? [] : (tries[0] ?? [])
  }
  if (!isObject(value)) return [`${path}: should be an object, got ${show(value)}`]
  if ("byType" in shape) return checkByType(value, shape.byType, path, unknown)
  const missing = (shape.needs ?? []).filter((key) => value[key] === undefined)
  return [
    ...missing.map((key) => `${path}.${key}: Field required`),
    ...checkMembers(value, shape.members, path, unknown),
  ]
}

/** Every key known, and its value of the right shape. */
export function checkMembers(
  value: JsonObject,
  members: Shapes,
  path: string,
  unknown: string,
): readonly string[] {
  return Object.entries(value).flatMap(([key, member]) => {
    const at = path === "" ? key : `${path}.${key}`
    const shape = Object.hasOwn(members, key) ? members[key] : undefined
    return shape === undefined
      ? [`${at}: ${unknown.replace("{}", () => key)}`]
      : checkShape(member, shape, at, unknown)
  })
}

function checkByType(value: JsonObject, types: Shapes, path: string, unknown: string): readonly string[] {
  const type = value["type"]
  const shape = typeof type === "string" && Object.hasOwn(types, type) ? types[type] : undefined
  if (shape === undefined) {
    const words = Object.keys(types).join(", ")
    return [`${path}.type: unknown variant ${show(type)}, expected one of ${words}`]
  }
  const { type: _, ...rest } = value
  return checkShape(rest, shape, path, unknown)
}

function checkLength(value: unknown, longest: number, path: string): readonly string[] {
  if (typeof value !== "string") return [`${path}: should be text, got ${show(value)}`]
  if (value.length <= longest) return []
  return [
    `${path}: string too long. Expected a string with maximum length ${longest}, got length ${value.length}`,
  ]
}

function checkNumber(
  value: unknown,
  shape: { readonly from: number; readonly to?: number; readonly above?: true; readonly whole?: true },
  path: string,
): readonly string[] {
  const { from, to = Number.POSITIVE_INFINITY } = shape
  const number = typeof value === "number" ? value : Number.NaN
  const low = shape.above === true ? number > from : number >= from
  const whole = shape.whole !== true || Number.isInteger(number)
  if (low && number <= to && whole) return []
  const range = `${shape.above === true ? "(" : "["}${from}, ${to}]`
  return [`${path}: should be in the range ${range}, got ${show(value)}`]
}

function checkList(
  value: unknown,
  shape: { readonly list: Shape; readonly least?: number; readonly most?: number },
  path: string,
  unknown: string,
): readonly string[] {
  if (!Array.isArray(value)) return [`${path}: should be a list, got ${show(value)}`]
  const reasons = value.flatMap((item, index) => checkShape(item, shape.list, `${path}[${index}]`, unknown))
  const { least = 0, most = Number.POSITIVE_INFINITY } = shape
  if (value.length < least) return [...reasons, `${path}: array too short, expected at least ${least}`]
  if (value.length <= most) return reasons
  return [
    ...reasons,
    `${path}: array too long. Expected an array with maximum length ${most}, got ${value.length}`,
  ]
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
