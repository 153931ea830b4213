// Replies of upstreams that speak Messages, in the other form: a whole message as the events of a stream, and
// the events of a stream as a whole message. Fields and blocks that nobody here knows go along.
import { arrayOf, isObject, type JsonObject, objectOf, parseJson, textOf } from "../../protocol/json.ts"

/** The event stream that says what `message` says. */
export function streamOfMessage(message: JsonObject): string {
  return eventsOfMessage(message)
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("")
}

/** The same as a list of events. */
export function eventsOfMessage(message: JsonObject) {
  const { stop_reason = null, stop_sequence = null, usage, content, ...head } = message
  const blocks = arrayOf(content).filter(isObject)
  const start = { ...head, content: [], stop_reason: null, stop_sequence: null, usage: objectOf(usage) }
  return [
    { type: "message_start", message: start },
    ...blocks.flatMap(eventsOfBlock),
    { type: "message_delta", delta: { stop_reason, stop_sequence }, usage: objectOf(usage) },
    { type: "message_stop" },
  ]
}

// What a block begins without, by the delta that brings it.
const grown = { text: "text_delta", thinking: "thinking_delta", signature: "signature_delta" } as const

function eventsOfBlock(block: JsonObject, index: number) {
  const deltas: JsonObject[] = []
  const start: Record<string, unknown> = { ...block }
  for (const [field, type] of Object.entries(grown)) {
    const value = block[field]
    if (typeof value !== "string") continue
    start[field] = ""
    if (value !== "") deltas.push({ type, [field]: value })
  }
  if (isObject(block["input"])) {
    start["input"] = {}
    deltas.push({ type: "input_json_delta", partial_json: JSON.stringify(block["input"]) })
  }
  for (const citation of arrayOf(block["citations"])) deltas.push({ type: "citations_delta", citation })
  if (deltas.some(({ type }) => type === "citations_delta")) start["citations"] = []
  return [
    { type: "content_block_start", index, content_block: start },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ]
}

/**
 * The message that a stream's events tell, or undefined when they do not tell it to its end.
 * An `error` event is the caller's to look for.
 */
export function messageOfStream(events: readonly JsonObject[]): JsonObject | undefined {
  let message: JsonObject | undefined
  let complete = false
  const blocks = new Map<unknown, OpenBlock>()
  for (const event of events) {
    switch (event["type"]) {
      case "message_start":
        message ??= objectOf(event["message"])
        break
      case "content_block_start":
        blocks.set(event["index"], openBlock(objectOf(event["content_block"])))
        break
      case "content_block_delta":
        grow(blocks.get(event["index"]), objectOf(event["delta"]))
        break
      case "message_delta":
        if (message !== undefined) message = ended(message, event)
        break
      case "message_stop":
        complete = true
        break
      default:
    }
  }
  if (message === undefined || !complete) return undefined
  return { ...message, content: [...blocks.values()].map(closed) }
}

interface OpenBlock {
  readonly fields: Record<string, unknown>
  /** Of the JSON of a call's input. */
  readonly pieces: string[]
  readonly citations: unknown[]
}

const openBlock = (fields: JsonObject): OpenBlock => {
  return { fields: { ...fields }, pieces: [], citations: [...arrayOf(fields["citations"])] }
}

function grow(block: OpenBlock | undefined, { type, ...delta }: JsonObject): void {
  if (block === undefined) return
  const { fields, pieces, citations } = block
  if (type === "input_json_delta") pieces.push(textOf(delta["partial_json"]) ?? "")
  else if (type === "citations_delta") {
    citations.push(delta["citation"])
  } else {
    for (const [field, value] of Object.entries(delta)) {
      const before = fields[field]
      fields[field] = typeof before === "string" && typeof value === "string" ? before + value : value
    }
  }
}

function closed({ fields, pieces, citations }: OpenBlock): JsonObject {
  const text = pieces.join("")
  const cited = citations.length === 0 ? fields : { ...fields, citations }
  if (text === "") return cited
  const input = parseJson(text)
  return { ...cited, input: input.ok ? input.value : { _raw_arguments: text } }
}

function ended(message: JsonObject, { delta, usage }: JsonObject): JsonObject {
  return { ...message, ...objectOf(delta), usage: { ...objectOf(message["usage"]), ...objectOf(usage) } }
}
