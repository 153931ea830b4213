// The bytes of a Messages stream, read more strictly than any client does.
import { isObject, type JsonObject, parseJson } from "../../src/protocol/json.ts"

/**
 * The events of a body. Throws unless each one is exactly an `event:` line and one `data:` line of JSON whose
 * `type` says the same, followed by a blank line: clients ignore events without their `event:` line.
 */
export function parseAnthropicSse(text: string): readonly JsonObject[] {
  if (text === "") return []
  if (!text.endsWith("\n\n")) throw new Error(`the last event is not complete: ${text.slice(-80)}`)
  return text.slice(0, -2).split("\n\n").map(parseEvent)
}

function parseEvent(event: string, position: number): JsonObject {
  const match = /^event: ([^\r\n]+)\ndata: ([^\r\n]+)$/.exec(event)
  if (match === null) throw new Error(`event ${position} is not an event line and a data line: ${event}`)
  const [, name = "", data = ""] = match
  const parsed = parseJson(data)
  if (!parsed.ok || !isObject(parsed.value))
    throw new Error(`event ${position} holds no JSON object: ${data}`)
  const type = parsed.value["type"]
  if (type !== name) throw new Error(`event ${position} is named ${name} and typed ${String(type)}`)
  return parsed.value
}
