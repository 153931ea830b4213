// The text of an event stream as inputs for a reader. Chunks that differ from an earlier one in their text alone
// are recognised by what stands around it, and are not parsed again: a stream is made of little else.
import { decodeText, encodeText, isWide } from "../protocol/byte-text.ts"
import type { StreamInput } from "../protocol/chat/chat.ts"
import { soleText } from "../protocol/chat/chat-run.ts"
import type { ErrorContext } from "../protocol/errors/upstream-error.ts"
import { isObject, type JsonObject } from "../protocol/json.ts"
import {
  flushSse,
  isIdle,
  pendingSse,
  pushSse,
  type SseMessage,
  type SseReading,
  startSse,
} from "../protocol/sse.ts"
import { type ChunkParsing, parseMessages, startParsing } from "./chunk-parser.ts"
import { type Escapes, endOfMessage, type Frame, findRun, newEscapes, readTexts } from "./text-runs.ts"

/** A message as it is written, and the chunk that it is. */
interface Form extends Frame {
  readonly chunk: JsonObject
  readonly field: string
}

// Where every line is another one, looking for their form is a waste.
const mostUseless = 32

// What turns out to be no text is looked at again, and all that was taken for one behind it. So no more are looked at
// in one go than this; behind one that was none only a few, and twice as many with each time that all are texts.
const mostInRun = 256
const fewInRun = 8

/** A stream as far as it was read. It changes in place, by the functions below. */
export interface ChunkReader {
  readonly sse: SseReading
  readonly parsing: ChunkParsing
  form: Form | undefined
  /** Of the text that is being read. */
  readonly escapes: Escapes
  /** Texts to be looked for in one go. */
  inRun: number
  /** Forms in a row that no line had. */
  useless: number
}

/** The reader of one stream. */
export function createChunkReader(errors: ErrorContext): ChunkReader {
  return {
    sse: startSse(),
    parsing: startParsing(errors),
    form: undefined,
    escapes: newEscapes(),
    inRun: mostInRun,
    useless: 0,
  }
}

/** Text whose characters are bytes in, the inputs that are complete out; nothing after an `end` or a `fault`. */
export function pushChunks(reader: ChunkReader, text: string): readonly StreamInput[] {
  const out: StreamInput[] = []
  reader.escapes.next = -1
  let from = 0
  while (from < text.length && !isOver(out)) {
    from = scan(reader, text, from, out)
    if (from === text.length) break
    const end = text.indexOf("\n\n", from)
    const to = end < 0 ? text.length : end + 2
    readOne(reader, from === 0 && to === text.length ? text : text.slice(from, to), out)
    from = to
  }
  return out
}

/** End of input: the last one, even if nothing closed it. */
export function flushChunks({ sse, parsing }: ChunkReader): readonly StreamInput[] {
  return parseMessages(parsing, decoded(flushSse(sse)))
}

function decoded(messages: readonly SseMessage[]): readonly SseMessage[] {
  if (!messages.some(({ data }) => isWide(data))) return messages
  return messages.map(({ event, data }) => ({ event, data: decodeText(data) }))
}

/** Bytes that wait for the rest of their line or message. */
export function pendingChunks({ sse }: ChunkReader): number {
  return pendingSse(sse)
}

/** The messages in a row that have the known form; gives where the first other one begins. */
function scan(reader: ChunkReader, text: string, start: number, out: StreamInput[]): number {
  const { form, sse, inRun, escapes } = reader
  if (form === undefined || !text.startsWith(form.head, start) || !isIdle(sse)) return start
  const found = findRun(form, text, start, inRun, escapes)
  if (found.raws.length === 0) return start
  const { quoted, joined, wide, whole } = readTexts(found)
  const isAll = quoted.length === found.raws.length
  reader.inRun = isAll ? Math.min(inRun * 2, mostInRun) : fewInRun
  // What stands behind them is searched once more.
  if (!isAll) escapes.next = -1
  if (quoted.length === 0) return start
  reader.useless = 0
  const { chunk, field } = form
  out.push({ kind: "run", run: { chunk, field, quoted, joined, wide, whole } })
  return isAll ? found.end : findRun(form, text, start, quoted.length, escapes).end
}

/** One message by the way that is always right. */
function readOne(reader: ChunkReader, piece: string, out: StreamInput[]): void {
  const { sse, parsing } = reader
  const whole = isIdle(sse)
  const inputs = parseMessages(parsing, decoded(pushSse(sse, piece)))
  for (const input of inputs) out.push(input)
  const first = inputs[0]
  if (first === undefined) reader.form = undefined
  else if (whole && reader.useless < mostUseless && first.kind === "chunk" && inputs.length === 1) {
    reader.form = formOf(piece, first.chunk) ?? reader.form
    reader.useless++
  }
}

/** An `end` or a `fault` is the last input. */
export function isOver(inputs: readonly StreamInput[]): boolean {
  const last = inputs.at(-1)
  return last !== undefined && last.kind !== "chunk" && last.kind !== "run"
}

/** The form of one whole message, where its chunk says nothing but one text. */
function formOf(message: string, chunk: unknown): Form | undefined {
  if (!message.startsWith("data:") || !message.endsWith("\n\n")) return undefined
  const sole = soleText(chunk)
  if (sole === undefined || !isObject(chunk)) return undefined
  if (endOfMessage(message, 0) !== message.length || message.includes("\r")) return undefined
  const around = splitAt(message, sole.field, sole.text)
  if (around === undefined) return undefined
  const [head, tail] = around
  const { obfuscation } = chunk
  // OpenAI fills up its chunks to one length with a text that means nothing.
  const padded = typeof obfuscation === "string" ? splitAt(tail, "obfuscation", obfuscation) : undefined
  return { chunk, field: sole.field, head, tail: padded?.[0] ?? tail, rest: padded?.[1] }
}

/** What stands before and behind the only member of this name and value, quotes included. */
function splitAt(line: string, name: string, value: string): readonly [string, string] | undefined {
  const quoted = encodeText(JSON.stringify(value))
  const at = line.indexOf(quoted)
  if (at < 0 || line.includes(quoted, at + 1) || !isValueOf(line, at, name)) return undefined
  return [line.slice(0, at + 1), line.slice(at + quoted.length - 1)]
}

/** Does the value that begins at `at` belong to the member of this name? */
function isValueOf(line: string, at: number, name: string): boolean {
  if (line.startsWith(`"${name}":`, at - name.length - 3)) return true
  const key = line.slice(0, at).trimEnd()
  return key.endsWith(":") && key.slice(0, -1).trimEnd().endsWith(`"${name}"`)
}
