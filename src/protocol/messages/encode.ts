// Anthropic's events as bytes on the wire: an `event:` line, then one line of JSON with the same type.
import { type Fault, type FaultKind, toErrorBody } from "../fault.ts"
import { encodeSse } from "../sse.ts"
import { quote, quotedTexts } from "../texts.ts"
import type { DeltaRun, MessagesEvent, ReplyBlock } from "./messages.ts"

/** One event as text; of a run as many as it stands for. What makes up nearly all of a stream is written by hand. */
export function encodeEvent(event: MessagesEvent, requestId: string): string {
  if (event.type === "content_block_deltas") return encodeRun(event, quotedTexts(event))
  if (event.type === "error") return encodeSse("error", JSON.stringify(toErrorBody(toldOf(event), requestId)))
  if (event.type === "content_block_delta") {
    const { delta, index } = event
    if (delta.type === "text_delta") return encodeDelta(index, delta.type, delta.text)
    if (delta.type === "thinking_delta") return encodeDelta(index, delta.type, delta.thinking)
    if (delta.type === "input_json_delta") return encodeDelta(index, delta.type, delta.partial_json)
  }
  if (event.type === "native") return encodeSse(event.name, event.data)
  if (event.type === "content_block_start" && isEmptyText(event.content_block))
    return textStart + event.index + textStartEnd
  if (event.type === "content_block_stop") return blockStop + event.index + stopEnd
  if (event.type === "message_stop") return messageStop
  return encodeSse(event.type, JSON.stringify(event))
}

// Behind a complete block Claude Code asks for the rest after these alone; any other ends its turn (observed: 2.1.332).
const askedOn: ReadonlySet<FaultKind> = new Set(["api_error", "overloaded_error", "timeout_error"])

/** What passes, like a rate limit, goes by a name after which the client goes on. */
function toldOf({ fault, midway }: Extract<MessagesEvent, { type: "error" }>): Fault {
  const passes = midway === true && fault.retry !== "no" && !askedOn.has(fault.kind)
  return passes ? { ...fault, kind: "overloaded_error" } : fault
}

const textStart = 'event: content_block_start\ndata: {"type":"content_block_start","index":'
const textStartEnd = ',"content_block":{"type":"text","text":""}}\n\n'
const blockStop = 'event: content_block_stop\ndata: {"type":"content_block_stop","index":'
const stopEnd = "}\n\n"
const messageStop = encodeSse("message_stop", '{"type":"message_stop"}')

const openings = {
  text_delta: ',"delta":{"type":"text_delta","text":"',
  thinking_delta: ',"delta":{"type":"thinking_delta","thinking":"',
  input_json_delta: ',"delta":{"type":"input_json_delta","partial_json":"',
} as const
const isEmptyText = (block: ReplyBlock): boolean => block.type === "text" && block.text === ""

const deltaEnd = '"}}\n\n'

/** What stands around the texts of deltas. */
interface Frame {
  readonly head: string
  /** What stands between two texts. */
  readonly between: string
}

function frameOf(index: number, type: DeltaRun["delta"]): Frame {
  const start = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":'
  // Joined and not added: a sum would be put together anew at each use.
  const head = [start, index, openings[type]].join("")
  return { head, between: [deltaEnd, head].join("") }
}

// Few replies have more blocks.
const usualIndexes = Array.from({ length: 16 }, (_, index) => index)

const usualFrames: Readonly<Record<DeltaRun["delta"], readonly Frame[]>> = {
  text_delta: usualIndexes.map((index) => frameOf(index, "text_delta")),
  thinking_delta: usualIndexes.map((index) => frameOf(index, "thinking_delta")),
  input_json_delta: usualIndexes.map((index) => frameOf(index, "input_json_delta")),
}

const frameFor = (index: number, type: DeltaRun["delta"]): Frame =>
  usualFrames[type][index] ?? frameOf(index, type)

function encodeDelta(index: number, type: DeltaRun["delta"], text: string): string {
  return frameFor(index, type).head + quote(text) + deltaEnd
}

/** The events of a run, of which these are the texts, still quoted. */
export function encodeRun({ index, delta }: DeltaRun, quoted: readonly string[]): string {
  const { head, between } = frameFor(index, delta)
  const [only] = quoted
  if (quoted.length === 1 && only !== undefined) return head + only + deltaEnd
  const written = quoted.slice()
  const last = written.length - 1
  // The ends are put on before: on the joined text they would make another copy of all of it.
  written[0] = head + (written[0] ?? "")
  written[last] = (written[last] ?? "") + deltaEnd
  return written.join(between)
}

/** The event that keeps a connection alive; clients read it and do nothing. */
export const pingEvent = encodeSse("ping", '{"type":"ping"}')
