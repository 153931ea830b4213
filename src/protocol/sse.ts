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
  /** Does the next message begin with the next character? */
  readonly isIdle: () => boolean
}

/** Creates a decoder for one stream. Bytes must be decoded as UTF-8 (streaming) before they come here. */
export function createSseDecoder(): SseDecoder {
  const lines = createLines()
  let event: string | undefined
  let data: string | undefined

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
    lines.push(text, (line) => take(line, out))
    return out
  }

  function flush(): readonly SseMessage[] {
    const out: SseMessage[] = []
    const last = lines.flush()
    if (last !== "") take(last, out)
    take("", out)
    return out
  }

  return {
    push,
    flush,
    pending: () => lines.pending() + (data?.length ?? 0),
    isIdle: () => data === undefined && event === undefined && lines.isIdle(),
  }
}

/** Text in pieces, cut at LF, CRLF and CR. Only new text is looked at: a long line is joined once, at its end. */
function createLines() {
  let rest = ""
  // A byte order mark, or the second half of a CRLF that was cut in two: no part of a line.
  let ignored = "\uFEFF"

  function push(text: string, take: (line: string) => void): void {
    if (text === "") return
    const fresh = ignored !== "" && text.startsWith(ignored) ? text.slice(1) : text
    ignored = text.endsWith("\r") ? "\n" : ""
    const lines = fresh.includes("\r") ? fresh.split(/\r\n|[\r\n]/) : fresh.split("\n")
    const last = lines.pop() ?? ""
    for (const line of lines) {
      take(rest === "" ? line : rest + line)
      rest = ""
    }
    rest += last
  }

  function flush(): string {
    const last = rest
    rest = ""
    return last
  }

  return { push, flush, pending: () => rest.length, isIdle: () => rest === "" }
}

function splitField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(":")
  if (colon < 0) return { name: line, value: "" }
  const from = line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1
  return { name: line.slice(0, colon), value: line.slice(from) }
}

/** One event on the wire. `data` must be one line, which JSON.stringify guarantees. */
export function encodeSse(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}
