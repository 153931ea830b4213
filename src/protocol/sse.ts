// Server-sent events, both directions. Reading follows the WHATWG rules and forgives what providers get
// wrong: no space after the colon, CR line ends, comments, a BOM, a last event without its blank line.

export interface SseMessage {
  readonly event: string | undefined
  readonly data: string
}

export interface SseDecoder {
  /** Text in, complete messages out; what is incomplete waits for the next call. */
  readonly push: (text: string) => readonly SseMessage[]
  /** End of input: the last message even if no blank line closed it. */
  readonly flush: () => readonly SseMessage[]
  /** Characters that wait for the rest of their line or message. */
  readonly pending: () => number
}

/** Creates a decoder for one stream. Bytes must be decoded as UTF-8 (streaming) before they come here. */
export function createSseDecoder(): SseDecoder {
  let rest = ""
  let event: string | undefined
  let data: string | undefined
  let first = true

  function take(line: string, out: SseMessage[]): void {
    if (line === "") {
      if (data !== undefined) out.push({ event, data })
      event = undefined
      data = undefined
      return
    }
    const field = splitField(line)
    if (field.name === "data") data = data === undefined ? field.value : `${data}\n${field.value}`
    else if (field.name === "event") event = field.value
  }

  function push(text: string): readonly SseMessage[] {
    const out: SseMessage[] = []
    if (text === "") return out
    const fresh = first && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    first = false
    const buffer = rest + fresh
    // What waited holds no line end, unless it ends in a CR: a long line in small pieces is scanned once.
    rest = takeLines(buffer, Math.max(0, rest.length - 1), (line) => take(line, out))
    return out
  }

  function flush(): readonly SseMessage[] {
    const out: SseMessage[] = []
    if (rest !== "") take(rest.endsWith("\r") ? rest.slice(0, -1) : rest, out)
    rest = ""
    take("", out)
    return out
  }

  return { push, flush, pending: () => rest.length + (data?.length ?? 0) }
}

function splitField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":")
  if (colon < 0) return { name: line, value: "" }
  const from = line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1
  return { name: line.slice(0, colon), value: line.slice(from) }
}

/** Calls `take` for every complete line of `buffer`, looking from `scanFrom` on; gives back the rest. */
function takeLines(buffer: string, scanFrom: number, take: (line: string) => void): string {
  const onlyLf = !buffer.includes("\r")
  let from = scanFrom
  let start = 0
  while (start < buffer.length) {
    const end = onlyLf ? buffer.indexOf("\n", from) : lineEnd(buffer, from)
    // A CR that is the last character may be half of a CRLF: it waits.
    if (end < 0 || (end === buffer.length - 1 && buffer.charCodeAt(end) === 13)) break
    take(buffer.slice(start, end))
    start = buffer.charCodeAt(end) === 13 && buffer.charCodeAt(end + 1) === 10 ? end + 2 : end + 1
    from = start
  }
  return start === 0 ? buffer : buffer.slice(start)
}

function lineEnd(text: string, from: number): number {
  const feed = text.indexOf("\n", from)
  const back = text.indexOf("\r", from)
  if (back < 0) return feed
  return feed < 0 || back < feed ? back : feed
}

/** One event on the wire. `data` must be one line, which JSON.stringify guarantees. */
export function encodeSse(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}
