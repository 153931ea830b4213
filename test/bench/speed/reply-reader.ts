// Reads one reply after the other off a connection: status and body, of known length or in chunked coding.

export interface ReplyReader {
  /** Takes bytes. True: the reply is complete. Throws on what is no HTTP. */
  readonly push: (bytes: Buffer) => boolean
  readonly status: () => number
  /** The body as far as it is there: valid until the next `push` or `reset`. */
  readonly body: () => Buffer
  /** Bytes of body so far. */
  readonly length: () => number
  /** Ready for the next reply. */
  readonly reset: () => void
}

type Phase = "head" | "counted" | "size" | "frame" | "frame-end" | "last" | "done"

const blankLine = Buffer.from("\r\n\r\n")
const newline = 10

export function createReplyReader(capacity = 65_536): ReplyReader {
  let buffer = Buffer.allocUnsafe(capacity)
  let length = 0
  let phase: Phase = "head"
  let missing = 0
  let status = 0
  /** A head, or the line of a frame's size, that was cut between two reads. */
  let cut: Buffer | undefined

  function append(bytes: Buffer, from: number, to: number): void {
    const needed = length + to - from
    if (needed > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, buffer.length * 2))
      buffer.copy(larger, 0, 0, length)
      buffer = larger
    }
    bytes.copy(buffer, length, from, to)
    length = needed
  }

  function readHead(bytes: Buffer): number {
    const end = bytes.indexOf(blankLine)
    if (end < 0) return -1
    const head = bytes.toString("latin1", 0, end)
    const found = /^HTTP\/1\.1 (\d{3})/.exec(head)
    if (found === null) throw new Error(`not HTTP: ${head.slice(0, 80)}`)
    status = Number(found[1])
    const counted = /\r\ncontent-length: *(\d+)/i.exec(head)
    missing = Number(counted?.[1] ?? 0)
    if (counted !== null) phase = missing === 0 ? "done" : "counted"
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) phase = "size"
    else throw new Error(`a reply without length: ${head.slice(0, 200)}`)
    return end + blankLine.length
  }

  /** The line that says how long the next frame is, or ends one. */
  function readLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(newline, from)
    if (end < 0) return -1
    if (phase === "size") {
      missing = Number.parseInt(bytes.toString("latin1", from, end), 16)
      if (Number.isNaN(missing)) throw new Error("broken chunked coding")
      phase = missing === 0 ? "last" : "frame"
    } else phase = phase === "last" ? "done" : "size"
    return end + 1
  }

  function readBody(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + missing)
    append(bytes, from, to)
    missing -= to - from
    if (missing === 0) phase = phase === "counted" ? "done" : "frame-end"
    return to
  }

  function step(bytes: Buffer, at: number): number {
    if (phase === "head") return readHead(bytes)
    return phase === "counted" || phase === "frame" ? readBody(bytes, at) : readLine(bytes, at)
  }

  function push(given: Buffer): boolean {
    const bytes = cut === undefined ? given : Buffer.concat([cut, given])
    cut = undefined
    for (let at = 0; at < bytes.length && phase !== "done"; ) {
      const next = step(bytes, at)
      if (next < 0) {
        cut = Buffer.from(bytes.subarray(at))
        return false
      }
      at = next
    }
    return phase === "done"
  }

  return {
    push,
    status: () => status,
    body: () => buffer.subarray(0, length),
    length: () => length,
    reset: () => {
      length = 0
      phase = "head"
      cut = undefined
    },
  }
}
