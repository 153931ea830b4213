// Reads requests off a connection as fast as can be: where the head ends, how long the body is, when it is there.

export interface RequestReader {
  /** Takes bytes; calls back when a request is complete, with the size of its body. */
  readonly push: (bytes: Buffer) => void
}

const blankLine = Buffer.from("\r\n\r\n")

/** `wantsBody` is asked once per request: without it the body is counted and thrown away. */
export function createRequestReader(
  wantsBody: () => boolean,
  complete: (size: number, body: Buffer | undefined) => void,
): RequestReader {
  let head: Buffer | undefined
  let kept: Buffer[] | undefined
  let size = 0
  let missing = -1

  function finish(): void {
    const body = kept === undefined ? undefined : Buffer.concat(kept)
    missing = -1
    kept = undefined
    complete(size, body)
  }

  function takeBody(bytes: Buffer): void {
    if (bytes.length > 0) kept?.push(bytes)
    missing -= bytes.length
    if (missing <= 0) finish()
  }

  function push(bytes: Buffer): void {
    if (missing > 0) {
      takeBody(bytes)
      return
    }
    const all = head === undefined ? bytes : Buffer.concat([head, bytes])
    const end = all.indexOf(blankLine)
    if (end < 0) {
      head = all
      return
    }
    head = undefined
    size = contentLength(all.toString("latin1", 0, end))
    missing = size
    kept = wantsBody() ? [] : undefined
    takeBody(all.subarray(end + blankLine.length))
  }

  return { push }
}

function contentLength(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
}
