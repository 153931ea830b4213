// The JSON of a request's body out of its bytes. A long conversation is read a few messages at a time: its text as a
// whole would be two bytes a character beside everything that is made of it, in one piece that the system has to find
// anew for each request.
import { isObject, isTooDeep, type Parsed, parseJson } from "../../protocol/json.ts"

/** What the bytes say; undefined where they are no UTF-8. Never throws. */
export function readJson(bytes: Uint8Array): Parsed | undefined {
  const text = decodeText(bytes)
  return text === undefined ? undefined : parseJson(text)
}

/** The same in steps, for bytes that are worth it. */
export function* readJsonInSteps(bytes: Uint8Array): Generator<undefined, Parsed | undefined, undefined> {
  const value = yield* readParts(bytes)
  return value === undefined ? readJson(bytes) : { ok: true, value }
}

/** Are the bytes so many that they are better read in steps? */
export const isLong = (bytes: Uint8Array): boolean => bytes.length >= worthParting

// Whole texts leave nothing behind in it: one does for all.
const decoder = new TextDecoder("utf-8", { fatal: true })

/** Text that is not UTF-8 would reach the model with holes in it: it is undefined instead. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

const worthParting = 256 * 1024
/** Bytes of a part, or as many more as its last message has. */
const partLength = 64 * 1024

// As JSON.stringify writes them. Within a string no quote stands behind a brace or a comma without ending it there, and
// a name behind its end is no JSON: in a body that is JSON these are what they look like.
const firstMessage = Buffer.from(',"messages":[{"role":')
const nextMessage = Buffer.from(',{"role":')
/** Stands for the messages that are read already. */
const mark = "\u0000messages"
const [openBracket, closeBracket] = [0x5b, 0x5d]

/**
 * The body with its messages read part by part. Undefined: it is written in another way, it is no JSON, or what looks
 * like a message stands inside another one. Where each part is JSON by itself, and so is all that is around them, the
 * whole is.
 */
function* readParts(given: Uint8Array): Generator<undefined, unknown, undefined> {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length)
  const found = bytes.indexOf(firstMessage)
  if (found < 0) return undefined
  const start = found + firstMessage.length - nextMessage.length + 1
  const read: unknown[] = []
  let from = start
  try {
    for (let end = partEnd(bytes, from); end >= 0; end = partEnd(bytes, from)) {
      for (const message of readArray(bytes, from, end)) read.push(message)
      from = end + 1
      yield
    }
    const around = `${decoder.decode(bytes.subarray(0, start))}${JSON.stringify(mark)},`
    const text = around + decoder.decode(bytes.subarray(from))
    const body: unknown = JSON.parse(text)
    if (isTooDeep(body, text.length)) return undefined
    // What is done with the body is another step.
    yield
    return withMessages(body, read)
  } catch {
    return undefined
  }
}

/** Where the comma behind a part stands that begins at `from`; -1: what is left is the last one. */
const partEnd = (bytes: Buffer, from: number): number => bytes.indexOf(nextMessage, from + partLength)

/** The messages between two signs, in whose place brackets are put for as long as it takes. */
function readArray(bytes: Buffer, from: number, end: number): readonly unknown[] {
  const [before, behind] = [bytes[from - 1] ?? 0, bytes[end] ?? 0]
  bytes[from - 1] = openBracket
  bytes[end] = closeBracket
  try {
    const text = decoder.decode(bytes.subarray(from - 1, end + 1))
    const values: unknown = JSON.parse(text)
    // The whole is read once more then, and refused.
    if (isTooDeep(values, text.length)) throw new RangeError("nested too deeply")
    return Array.isArray(values) ? values : []
  } finally {
    bytes[from - 1] = before
    bytes[end] = behind
  }
}

/** Undefined: the mark is not where it was put, as of a name that is there twice the last one holds. */
function withMessages(body: unknown, read: readonly unknown[]): unknown {
  const messages: unknown = isObject(body) ? body["messages"] : undefined
  if (!isObject(body) || !Array.isArray(messages) || messages[0] !== mark) return undefined
  const [, ...last] = messages
  return { ...body, messages: [...read, ...last] }
}
