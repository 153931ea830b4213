// Anthropic's events as bytes on the wire: an `event:` line, then one line of JSON with the same type.
import { toErrorBody } from "./fault.ts"
import type { DeltaRun, MessagesEvent } from "./messages.ts"
import { encodeSse } from "./sse.ts"

/** One event as text; of a run as many as it stands for. What makes up nearly all of a stream is written by hand. */
export function encodeEvent(event: MessagesEvent, requestId: string): string {
  if (event.type === "content_block_deltas") return encodeRun(event)
  if (event.type === "error") return encodeSse("error", JSON.stringify(toErrorBody(event.fault, requestId)))
  if (event.type === "content_block_delta") {
    const { delta, index } = event
    if (delta.type === "text_delta") return encodeDelta(index, delta.type, delta.text)
    if (delta.type === "thinking_delta") return encodeDelta(index, delta.type, delta.thinking)
    if (delta.type === "input_json_delta") return encodeDelta(index, delta.type, delta.partial_json)
  }
  if (event.type === "native") return encodeSse(event.name, event.data)
  return encodeSse(event.type, JSON.stringify(event))
}

const deltaStart = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":'
const openings = {
  text_delta: ',"delta":{"type":"text_delta","text":"',
  thinking_delta: ',"delta":{"type":"thinking_delta","thinking":"',
  input_json_delta: ',"delta":{"type":"input_json_delta","partial_json":"',
} as const
const deltaEnd = '"}}\n\n'

function encodeDelta(index: number, type: DeltaRun["delta"], text: string): string {
  return deltaStart + index + openings[type] + inString(text) + deltaEnd
}

function encodeRun({ index, delta, texts, whole }: DeltaRun): string {
  const head = deltaStart + index + openings[delta]
  const written = isSpecial(whole) ? texts.map(inString) : [...texts]
  const last = written.length - 1
  // The ends are put on before: on the joined text they would make another copy of all of it.
  written[0] = head + (written[0] ?? "")
  written[last] = (written[last] ?? "") + deltaEnd
  return written.join(deltaEnd + head)
}

// Other characters may have to stand in a JSON string in another form; half a surrogate pair among them.
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

const isSpecial = (text: string): boolean => special.test(text)

/** Text as it stands between the quotes of a JSON string; most of it stands there as it is. */
export function inString(text: string): string {
  return isSpecial(text) ? JSON.stringify(text).slice(1, -1) : text
}

/** The event that keeps a connection alive; clients read it and do nothing. */
export const pingEvent = encodeSse("ping", '{"type":"ping"}')
