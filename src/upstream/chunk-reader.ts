// The text of an event stream as inputs for a reader. Chunks that differ from an earlier one in their text alone
// are recognised by what stands around it, and are not parsed again: a stream is made of little else.
import type { StreamInput } from "../protocol/chat.ts"
import { type ChatRun, soleText } from "../protocol/chat-run.ts"
import { isObject, type JsonObject, parseJson } from "../protocol/json.ts"
import { flushSse, isIdle, pendingSse, pushSse, type SseReading, startSse } from "../protocol/sse.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import { type ChunkParsing, parseMessages, startParsing } from "./chunk-parser.ts"

/** A line as it is written, around the text that changes. */
interface Form {
  readonly chunk: JsonObject
  readonly field: string
  readonly head: string
  /** Up to the end of the message, or up to the padding where there is some. */
  readonly tail: string
  /** What follows the padding. */
  readonly rest: string | undefined
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
  /** Texts to be looked for in one go. */
  inRun: number
  /** Forms in a row that no line had. */
  useless: number
}

/** The reader of one stream. Bytes must be decoded as UTF-8 (streaming) before they come here. */
export function createChunkReader(errors: ErrorContext): ChunkReader {
  return { sse: startSse(), parsing: startParsing(errors), form: undefined, inRun: mostInRun, useless: 0 }
}

/** Text in, the inputs that are complete out; nothing after an `end` or a `fault`. */
export function pushChunks(reader: ChunkReader, text: string): readonly StreamInput[] {
  const out: StreamInput[] = []
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
  return parseMessages(parsing, flushSse(sse))
}

/** Characters that wait for the rest of their line or message. */
export function pendingChunks({ sse }: ChunkReader): number {
  return pendingSse(sse)
}

/** The messages in a row that have the known form; gives where the first other one begins. */
function scan(reader: ChunkReader, text: string, start: number, out: StreamInput[]): number {
  const { form, sse } = reader
  if (form === undefined || !text.startsWith(form.head, start) || !isIdle(sse)) return start
  const raws: string[] = []
  const end = scanRun(form, text, start, raws, reader.inRun)
  if (raws.length === 0) return start
  const { texts, whole } = unquoteRun(raws)
  const isAll = texts.length === raws.length
  reader.inRun = isAll ? Math.min(reader.inRun * 2, mostInRun) : fewInRun
  if (texts.length === 0) return start
  reader.useless = 0
  out.push({ kind: "run", run: { chunk: form.chunk, field: form.field, texts, whole } })
  return isAll ? end : scanRun(form, text, start, [], texts.length)
}

/** One message by the way that is always right. */
function readOne(reader: ChunkReader, piece: string, out: StreamInput[]): void {
  const { sse, parsing } = reader
  const whole = isIdle(sse)
  const inputs = parseMessages(parsing, pushSse(sse, piece))
  for (const input of inputs) out.push(input)
  const first = inputs[0]
  if (first === undefined) reader.form = undefined
  else if (whole && reader.useless < mostUseless && first.kind === "chunk" && inputs.length === 1) {
    reader.form = formOf(piece, first.chunk) ?? reader.form
    reader.useless++
  }
}

/** An `end` or a `fault` is the last input. */
function isOver(inputs: readonly StreamInput[]): boolean {
  const last = inputs.at(-1)
  return last !== undefined && last.kind !== "chunk" && last.kind !== "run"
}

/**
 * What stands in place of the text in messages of this form, from `start` on and in no more than `most` of them; gives
 * where the next one begins.
 */
function scanRun(form: Form, text: string, start: number, raws: string[], most: number): number {
  const { head, tail, rest } = form
  let from = start
  while (raws.length < most && text.startsWith(head, from)) {
    const at = from + head.length
    const to = rest === undefined ? endOfText(tail, text, at) : endBeforePadding(tail, rest, text, at)
    if (to <= at) break
    raws.push(text.slice(at, to))
    from = rest === undefined ? to + tail.length : endOfMessage(text, to)
  }
  return from
}

/** Behind the line that goes on at `at` and the empty one after it, which is for a tail to look for. */
const endOfMessage = (text: string, at: number): number => text.indexOf("\n", at) + 2

/** Where the text that begins at `at` ends, if its message goes on from there as it should; -1: it does not. */
function endOfText(tail: string, text: string, at: number): number {
  // In most texts stands no quote.
  const quote = text.indexOf('"', at)
  if (text.startsWith(tail, quote)) return quote
  const to = endOfMessage(text, at) - tail.length
  return to > at && text.startsWith(tail, to) ? to : -1
}

/** The same where something stands between `tail` and `rest` that means nothing. */
function endBeforePadding(tail: string, rest: string, text: string, at: number): number {
  const last = endOfMessage(text, at) - rest.length
  const to = text.indexOf(tail, at)
  const padding = to + tail.length
  const isRest = to > at && padding <= last && text.startsWith(rest, last)
  return isRest && !special.test(text.slice(padding, last)) ? to : -1
}

// What a JSON string holds only in another form, and what it cannot hold at all.
const special = /[^ !#-[\]-\uffff]/

/** The texts that stand between the quotes of JSON strings, up to the first that is none; and all of them together. */
function unquoteRun(raws: readonly string[]): Pick<ChatRun, "texts" | "whole"> {
  const whole = joined(raws)
  if (!isSpecial(whole)) return { texts: raws, whole }
  const texts = (isMostlySpecial(raws) ? unquoteAtOnce(raws) : undefined) ?? unquoteEach(raws)
  return { texts, whole: joined(texts) }
}

/** Servers that write all but ASCII as escape sequences do it everywhere. */
function isMostlySpecial(raws: readonly string[]): boolean {
  const [first, last] = [raws[0], raws.at(-1)]
  return raws.length > 1 && isSpecial(first ?? "") && isSpecial(last ?? "")
}

function joined(texts: readonly string[]): string {
  const [first = ""] = texts
  return texts.length === 1 ? first : texts.join("")
}

// A character that JSON writes as it is, and hardly any text holds.
const between = "\u007f"

/**
 * They are read as one string, which is one only if each of them is: none can end within an escape sequence. Undefined
 * where they are not, or where their number shows that something else parts them as well.
 */
function unquoteAtOnce(raws: readonly string[]): readonly string[] | undefined {
  const texts = unquoted(raws.join(between))?.split(between)
  return texts?.length === raws.length ? texts : undefined
}

function unquoteEach(raws: readonly string[]): readonly string[] {
  const texts: string[] = []
  for (const raw of raws) {
    const text = isSpecial(raw) ? unquoted(raw) : raw
    if (text === undefined) break
    texts.push(text)
  }
  return texts
}

const isSpecial = (raw: string): boolean => special.test(raw)

/** The text that stands between the quotes of a JSON string; undefined when there is more than that. */
function unquoted(raw: string): string | undefined {
  const parsed = parseJson(`"${raw}"`)
  return parsed.ok && typeof parsed.value === "string" ? parsed.value : undefined
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
  const quoted = JSON.stringify(value)
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
