// Reads replies off a connection over bare TCP: what the proxy really writes, before any client makes it nicer.

export interface Reply {
  readonly status: number
  /** Names in small letters; of a name that comes twice the values are joined. */
  readonly headers: ReadonlyMap<string, string>
  readonly head: string
  readonly body: Buffer
}

export interface ReplyReader {
  /** Takes bytes; gives the reply once it is complete. Throws on what is no HTTP, or is more than was asked for. */
  readonly push: (bytes: Uint8Array) => Reply | undefined
  /** The connection has ended: the reply, if this is how it says that it is complete. */
  readonly end: () => Reply | undefined
  /** What there is of the body. */
  readonly soFar: () => Buffer
  /** Has anything come of a reply that is not complete? */
  readonly begun: () => boolean
  /** Ready for the next reply; `noBody`: to a HEAD. */
  readonly reset: (noBody?: boolean) => void
}

type Phase = "head" | "counted" | "size" | "frame" | "frame-end" | "last" | "until-end" | "done"

/** A reader at the beginning of a reply. */
export function createReplyReader(): ReplyReader {
  let phase: Phase = "head"
  let [rest, missing, bodiless] = [Buffer.alloc(0), 0, false]
  let [status, head] = [0, ""]
  let headers: ReadonlyMap<string, string> = new Map()
  let pieces: Uint8Array[] = []

  function lineEnd(): number {
    const end = rest.indexOf("\r\n")
    if (end < 0 && rest.length > 20)
      throw new Error(`broken chunked coding: ${rest.toString("latin1", 0, 40)}`)
    return end
  }

  function readHead(): boolean {
    const end = rest.indexOf("\r\n\r\n")
    if (end < 0) return false
    head = rest.toString("latin1", 0, end)
    rest = rest.subarray(end + 4)
    const found = /^HTTP\/1\.1 (\d{3})(?: |\r|$)/.exec(head)
    if (found === null) throw new Error(`not HTTP: ${head.slice(0, 80)}`)
    status = Number(found[1])
    headers = headersIn(head)
    phase = status < 200 ? "head" : phaseOf()
    return true
  }

  function phaseOf(): Phase {
    const length = headers.get("content-length")
    if (bodiless || status === 204 || status === 304) return "done"
    if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") return "size"
    if (length === undefined) return "until-end"
    missing = Number(length)
    return missing === 0 ? "done" : "counted"
  }

  function readSize(): boolean {
    const end = lineEnd()
    if (end < 0) return false
    const line = rest.toString("latin1", 0, end)
    if (!/^[\da-f]+$/i.test(line)) throw new Error(`broken chunked coding: ${line.slice(0, 40)}`)
    missing = Number.parseInt(line, 16)
    rest = rest.subarray(end + 2)
    phase = missing === 0 ? "last" : "frame"
    return true
  }

  function readBody(): boolean {
    if (rest.length === 0) return false
    const taken = phase === "until-end" ? rest : rest.subarray(0, missing)
    pieces.push(Buffer.from(taken))
    rest = rest.subarray(taken.length)
    missing -= taken.length
    if (missing === 0 && phase !== "until-end") phase = phase === "counted" ? "done" : "frame-end"
    return true
  }

  function readEmptyLine(): boolean {
    if (rest.length < 2) return false
    if (!rest.subarray(0, 2).equals(Buffer.from("\r\n")))
      throw new Error("broken chunked coding: no line's end")
    rest = rest.subarray(2)
    phase = phase === "last" ? "done" : "size"
    return true
  }

  function step(): boolean {
    if (phase === "done") return false
    if (phase === "head") return readHead()
    if (phase === "size") return readSize()
    return phase === "frame-end" || phase === "last" ? readEmptyLine() : readBody()
  }

  const soFar = () => Buffer.concat(pieces)
  const reply = (): Reply => ({ status, headers, head, body: soFar() })

  return {
    push: (bytes) => {
      rest = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes])
      while (step());
      if (phase !== "done") return undefined
      if (rest.length > 0) throw new Error(`more than a reply: ${rest.toString("latin1", 0, 80)}`)
      return reply()
    },
    end: () => (phase === "until-end" ? reply() : undefined),
    soFar,
    begun: () => phase !== "head" || rest.length > 0,
    reset: (noBody = false) => {
      phase = "head"
      ;[rest, missing, bodiless, pieces] = [Buffer.alloc(0), 0, noBody, []]
    },
  }
}

function headersIn(head: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of head.split("\r\n").slice(1)) {
    const colon = line.indexOf(":")
    if (colon < 1) throw new Error(`not a header: ${line.slice(0, 80)}`)
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return headers
}
