// Server-sent events, both directions. Reading follows the WHATWG rules and forgives what providers get
// wrong: no space after the colon, CR line ends, comments, a BOM, a last event without its blank line, an error
// in a field of its own, or in none.

export interface SseMessage {
  readonly event: string | undefined
  readonly data: string
}

interface SseDecoder {
  /** Text in, complete messages out; what is incomplete waits for the next call. */
  readonly push: (text: string) => readonly SseMessage[]
  /** End of input: the last message even if no blank line closed it. */
  readonly flush: () => readonly SseMessage[]
  /** Characters that wait for the rest of their line or message. */
  readonly pending: () => number
}

/** A stream as far as it was read. It changes in place, by the functions below. */
export interface SseReading {
  event: string | undefined
  data: string | undefined
  /** The beginning of a line. */
  rest: string
  /** A byte order mark, or the second half of a CRLF that was cut in two: no part of a line. */
  ignored: string
  /** Is an error in a field of its own one? Clients pass over fields that they do not know. */
  readonly hearsErrors: boolean
}

/** One stream, of which nothing was read. Bytes must be decoded as UTF-8 (streaming) before they come here. */
export function startSse(hearsErrors = true): SseReading {
  return { event: undefined, data: undefined, rest: "", ignored: "\uFEFF", hearsErrors }
}

/** The same, by functions of its own. */
export function createSseDecoder(hearsErrors = true): SseDecoder {
  const reading = startSse(hearsErrors)
  return {
    push: (text) => pushSse(reading, text),
    flush: () => flushSse(reading),
    pending: () => pendingSse(reading),
  }
}

/** Text in, complete messages out; what is incomplete waits for the next call. */
export function pushSse(reading: SseReading, text: string): readonly SseMessage[] {
  const sole = isIdle(reading) ? soleData(text) : undefined
  if (sole === undefined) return pushText(reading, text)
  reading.ignored = ""
  return [{ event: undefined, data: sole }]
}

/** Characters that wait for the rest of their line or message. */
export function pendingSse({ rest, data }: SseReading): number {
  return rest.length + (data?.length ?? 0)
}

/** Does the next message begin with the next character? */
export function isIdle({ event, data, rest }: SseReading): boolean {
  return data === undefined && event === undefined && rest === ""
}

/** What nearly every message is: one line of data. Undefined: it is something else, or more. */
function soleData(text: string): string | undefined {
  if (!text.startsWith("data:") || !text.endsWith("\n\n")) return undefined
  const end = text.length - 2
  if (text.indexOf("\n") !== end || text.includes("\r")) return undefined
  return text.slice(text.charCodeAt(5) === space ? 6 : 5, end)
}

const space = 32

/** Text is cut at LF, CRLF and CR. Only new text is looked at: a long line is joined once, at its end. */
function pushText(reading: SseReading, text: string): readonly SseMessage[] {
  const out: SseMessage[] = []
  if (text === "") return out
  const { ignored } = reading
  const fresh = ignored !== "" && text.startsWith(ignored) ? text.slice(1) : text
  reading.ignored = text.endsWith("\r") ? "\n" : ""
  const lines = fresh.includes("\r") ? fresh.split(/\r\n|[\r\n]/) : fresh.split("\n")
  const last = lines.pop() ?? ""
  for (const line of lines) {
    take(reading, reading.rest === "" ? line : reading.rest + line, out)
    reading.rest = ""
  }
  reading.rest += last
  return out
}

/** End of input: the last message even if no blank line closed it. */
export function flushSse(reading: SseReading): readonly SseMessage[] {
  const out: SseMessage[] = []
  const last = reading.rest
  reading.rest = ""
  if (last !== "") take(reading, last, out)
  take(reading, "", out)
  return out
}

function take(reading: SseReading, line: string, out: SseMessage[]): void {
  if (line === "") {
    const { event, data } = reading
    if (data !== undefined) out.push({ event, data })
    reading.event = undefined
    reading.data = undefined
    return
  }
  const { name, value } = splitField(line)
  // llama.cpp's server wrote `error: {…}` and then `data: [DONE]` (until 2025-08: tools/server, server_sent_event).
  if (name === "error" && reading.hearsErrors) takeError(reading, value, out)
  else if (name === "data") addData(reading, value)
  else if (name === "event") reading.event = value
  // "data:" and its JSON in the next line (0xPlaygrounds/rig#534).
  else if (reading.hearsErrors && reading.data === "" && /^\s+\{/.test(line)) reading.data = line.trim()
  else if (reading.hearsErrors && bareError.test(line)) takeError(reading, line, out)
}

// Gateways that fail in mid-stream write the reply they would have given without a stream.
const bareError = /^\{\s*"error"\s*:\s*[{"]/

/** A message of its own: what breaks in on a stream may have no blank line before it, nor behind it. */
function takeError(reading: SseReading, value: string, out: SseMessage[]): void {
  take(reading, "", out)
  out.push({ event: "error", data: value })
}

function addData(reading: SseReading, value: string): void {
  reading.data = reading.data === undefined ? value : `${reading.data}\n${value}`
}

function splitField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":")
  if (colon < 0) return { name: line, value: "" }
  const from = line.charCodeAt(colon + 1) === space ? colon + 2 : colon + 1
  return { name: line.slice(0, colon), value: line.slice(from) }
}

/** One event on the wire. `data` must be one line, which JSON.stringify guarantees. */
export function encodeSse(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}
