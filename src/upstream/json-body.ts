// The JSON of a request as it is sent. A long conversation is written message by message: in one go its text would be
// copied again and again while it grows, in pieces of memory so large that the system has to find them anew each time.
import { type JsonObject, objectOf } from "../protocol/json.ts"

// Lists with fewer items, such as most conversations begin with, are written at once.
const manyItems = 16
// Characters up to which the parts are put together again.
const shortText = 256 * 1024

/** What `JSON.stringify` makes of a body of plain data, as fetch takes it. */
export function jsonBody(body: object): string | Blob {
  if (!hasLong(objectOf(body))) return JSON.stringify(body)
  const parts: string[] = []
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined) continue
    parts.push(parts.length === 0 ? "{" : ",", JSON.stringify(name), ":")
    if (isLong(value)) writeItems(value, parts)
    else parts.push(JSON.stringify(value))
  }
  parts.push("}")
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return length < shortText ? parts.join("") : new Blob(parts)
}

function hasLong(body: JsonObject): boolean {
  for (const name in body) if (isLong(body[name])) return true
  return false
}

const isLong = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.length >= manyItems

function writeItems(items: readonly unknown[], parts: string[]): void {
  let before = "["
  for (const item of items) {
    parts.push(before, JSON.stringify(item) ?? "null")
    before = ","
  }
  parts.push("]")
}
