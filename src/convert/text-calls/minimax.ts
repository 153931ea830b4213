// Arguments as two MiniMax models write them: M3 in tags that have the parameters' names, M2.7 as flags of a command.
import type { JsonObject } from "../../protocol/json.ts"
import { arrayOf, objectOf, parseJson } from "../../protocol/json.ts"
import { quote } from "../../protocol/texts.ts"
import { minimaxMark as mark } from "./steps.ts"
import { jsonText, type Parameter, resolve, typedValue, typesOf } from "./typed-values.ts"

/** What stands between an opening tag and its closing one. */
interface Element {
  readonly key: string
  /** As it is in the closing tag. */
  readonly tag: string
  text: string
  readonly members: Element[]
}

/**
 * The JSON text of M3's arguments: elements within elements are objects, several of one name a list. Without its
 * marks, which a server may have taken out, what may be a text is one. Undefined: it is no such text.
 */
export function markedArgs(text: string, schema: JsonObject | undefined): string | undefined {
  const elements = text.includes(mark) ? readMarked(text.split(mark)) : readPlain(text)
  const args = elements === undefined ? undefined : objectFrom(elements, schema ?? {}, schema ?? {})
  return args === undefined ? undefined : jsonText(args)
}

const opening = /^<(?:parameter name="([^"]+)"|([^\s<>/]+))>/

/** The element whose opening tag `text` begins with, and what follows that. */
function begin(text: string): { readonly element: Element; readonly rest: string } | undefined {
  const [tag, parameter, name] = opening.exec(text) ?? []
  const key = parameter ?? name
  if (tag === undefined || key === undefined) return undefined
  const element = { key, tag: parameter === undefined ? key : "parameter", text: "", members: [] }
  return { element, rest: text.slice(tag.length) }
}

function readMarked([before = "", ...pieces]: readonly string[]): readonly Element[] | undefined {
  const root: Element = { key: "", tag: "", text: before, members: [] }
  const open = [root]
  for (const piece of pieces) if (!readPiece(open, piece)) return undefined
  return open.length === 1 && root.text.trim() === "" ? root.members : undefined
}

const deepest = 64

/** What follows one mark: a tag and the text behind it, or nothing at the end. */
function readPiece(open: Element[], piece: string): boolean {
  const parent = open.at(-1)
  if (parent === undefined) return false
  if (piece.trim() === "") return true
  const closing = `</${parent.tag}>`
  if (piece.startsWith(closing)) {
    open.pop()
    return addText(open.at(-1), piece.slice(closing.length))
  }
  const begun = begin(piece)
  if (begun === undefined || open.length > deepest) return false
  const { element, rest } = begun
  parent.members.push(element)
  // Its closing tag may be without a mark.
  const own = `</${element.tag}>`
  const closes = rest.trimEnd().endsWith(own)
  if (!closes) open.push(element)
  return addText(element, closes ? rest.slice(0, rest.lastIndexOf(own)) : rest)
}

function addText(element: Element | undefined, text: string): boolean {
  if (element !== undefined) element.text += text
  return element !== undefined
}

/** Elements one after another; a value in which its own tag stands again could be read in two ways. */
function readPlain(text: string): readonly Element[] | undefined {
  const elements: Element[] = []
  for (let left = text.trimStart(); left !== ""; ) {
    const begun = begin(left)
    if (begun === undefined) return undefined
    const { element, rest } = begun
    const closing = `</${element.tag}>`
    const end = rest.indexOf(closing)
    element.text = rest.slice(0, end)
    if (end < 0 || element.text.includes(`<${element.tag}`)) return undefined
    elements.push(element)
    left = rest.slice(end + closing.length).trimStart()
  }
  return elements
}

type Found = { readonly value: unknown } | undefined

function objectFrom(
  elements: readonly Element[],
  schema: JsonObject,
  root: JsonObject,
): JsonObject | undefined {
  const values = new Map<string, unknown[]>()
  for (const element of elements) {
    const found = readValue(element, memberOf(schema, element.key, root), root)
    if (found === undefined) return undefined
    const all = values.get(element.key)
    if (all === undefined) values.set(element.key, [found.value])
    else all.push(found.value)
  }
  const members: [string, unknown][] = []
  for (const [key, all] of values) {
    const types = typesOf(memberOf(schema, key, root), root, 0)
    // Two values of what is no list: which of them was meant is a guess.
    if (all.length > 1 && types.length > 0 && !types.includes("array")) return undefined
    members.push([key, all.length === 1 ? oneOf(all[0], types) : all])
  }
  return Object.fromEntries(members)
}

/** A list of one is written like what is in it. */
function oneOf(value: unknown, types: readonly unknown[]): unknown {
  const isList = types.includes("array") && types.every((type) => type === "array" || type === "null")
  return isList && value !== null && !Array.isArray(value) ? [value] : value
}

/** A list's items stand in tags of their own, as the model's template writes them (ml-explore/mlx-lm#1416). */
function readValue({ key, tag, text, members }: Element, own: JsonObject, root: JsonObject): Found {
  const list = listOf(own, root)
  const inner = list === undefined ? own : resolved(list["items"], root)
  if (members.length === 0) {
    const parts = wantsParts(text, own, root) ? readPlain(text) : []
    if (parts?.length === 0) return { value: leafValue(text, own, list && inner, root) }
    return parts && readValue({ key, tag, text: "", members: [...parts] }, own, root)
  }
  if (text.trim() !== "") return undefined
  const mayBeList = list !== undefined || typesOf(own, root, 0).length === 0
  if (mayBeList && members.every((member) => member.key === "item")) {
    const items = members.flatMap((member) => readValue(member, inner, root) ?? [])
    return items.length < members.length ? undefined : { value: items.map(({ value }) => value) }
  }
  const value = objectFrom(members, inner, root)
  return value && { value }
}

/** Of what is no text, tags are parts, whether or not they have their marks. */
function wantsParts(text: string, own: JsonObject, root: JsonObject): boolean {
  const types = typesOf(own, root, 0)
  if (types.includes("string") || !text.trimStart().startsWith("<")) return false
  return types.includes("array") || types.includes("object")
}

/** Where a list is wanted it may stand there as JSON, too, or be the one item of it. */
function leafValue(text: string, own: JsonObject, item: JsonObject | undefined, root: JsonObject): unknown {
  const types = typesOf(own, root, 0)
  const isList = item !== undefined && !types.includes("string")
  if (isList && text.trim() === "") return []
  const list = isList ? parseJson(text) : undefined
  if (list?.ok && (Array.isArray(list.value) || (list.value === null && types.includes("null"))))
    return list.value
  const value = isList ? item : own
  return typedValue({ key: "value", take: "value", text }, { ...root, properties: { value } })
}

function memberOf(schema: JsonObject, key: string, root: JsonObject): JsonObject {
  const properties = objectOf(schema["properties"])
  return Object.hasOwn(properties, key) ? resolved(properties[key], root) : {}
}

/** The list among what a schema allows, if there is one. */
function listOf(schema: JsonObject, root: JsonObject): JsonObject | undefined {
  const parts = ["anyOf", "oneOf"].flatMap((word) => arrayOf(schema[word]))
  const all = [schema, ...parts.map((part) => resolved(part, root))]
  return all.find(({ type }) => type === "array" || arrayOf(type).includes("array"))
}

function resolved(value: unknown, root: JsonObject): JsonObject {
  const schema = objectOf(value)
  return typeof schema["$ref"] === "string" ? objectOf(resolve(schema["$ref"], root)) : schema
}

// A flag behind a flag is no value.
const flag = /\s*--([\w.-]+)\s+("(?:[^"\\]|\\[\s\S])*"|(?!--)[^\s}]+)/y

const escapes = /(\\\P{Cc})|\\?\p{Cc}/gu

/** A line break or a tab stands there as it is, behind the backslash at a line's end too. */
const asJson = (written: string): string =>
  written.replaceAll(escapes, (found: string, escaped: string | undefined) => escaped ?? quote(found))

/** `{ --KEY "VALUE" --KEY 1 }`; undefined: something else stands there. */
export function readFlags(text: string): readonly Parameter[] | undefined {
  const parameters: Parameter[] = []
  flag.lastIndex = 1
  let end = 1
  for (let found = flag.exec(text); found !== null; found = flag.exec(text)) {
    const [, key = "", written = ""] = found
    const value = written.startsWith('"') ? parseJson(asJson(written)) : undefined
    if (value !== undefined && !(value.ok && typeof value.value === "string")) return undefined
    parameters.push({ key, take: "value", text: value?.ok ? String(value.value) : written })
    end = flag.lastIndex
  }
  return text.slice(end).trim() === "}" ? parameters : undefined
}
