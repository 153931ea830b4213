// The body of a request: read, decompressed, parsed; or a Fault that says what is wrong with it. No more of it is
// taken than may be, neither in bytes nor in time.
import { type Fault, fault, invalidRequest } from "../../protocol/fault.ts"
import { isObject, type JsonObject, lookUp, type Parsed, tooDeep } from "../../protocol/json.ts"
import type { Clock } from "../../upstream/deadline.ts"
import type { Turns } from "../common/turns.ts"
import { decodeText, isLong, readJson, readJsonInSteps } from "./body-json.ts"
import { readLimited } from "./read-limited.ts"

type Body =
  /** The object, and the very bytes it was read from, which are UTF-8. */
  | { readonly ok: true; readonly json: JsonObject; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly fault: Fault }

/** What a context says of bodies. */
export interface BodyLimits {
  /** In bytes, before and after decompression. */
  readonly config: { readonly maxBodyBytes: number }
  /** How long a client may send nothing of a body that it has begun. */
  readonly times: { readonly bodyMs: number }
  readonly clock: Clock
  readonly turns: Turns
}

/** Nothing is to be expected on this connection any more. */
const closing = { connection: "close" } as const

const tooLarge = ({ config }: BodyLimits) =>
  fault({
    kind: "request_too_large",
    source: "client",
    message: `the request body is larger than the ${config.maxBodyBytes} bytes that this proxy takes (MAX_BODY_BYTES)`,
  })

/** Nothing is to be expected on this connection but the rest of that body. */
const tooSlow = ({ times }: BodyLimits) =>
  fault({
    kind: "timeout_error",
    source: "client",
    status: 408,
    message: `the request body did not come: nothing, or next to nothing, was received of it for ${times.bodyMs / 1000} s`,
    headers: closing,
  })

const formats: Readonly<Record<string, "gzip" | "deflate" | "brotli" | "zstd">> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "brotli",
  zstd: "zstd",
}

/** Reads a JSON object out of a request's body, as `useBody`. Never throws. */
export function readBody(request: Request, limits: BodyLimits): Promise<Body> {
  return useBody(request, limits, asRead)
}

const asRead = (body: Body): Body => body

/**
 * Reads a JSON object out of a request's body, and gives what `use` makes of it; nothing but that may throw. What is
 * over the limit is a 413, as early as it is known, and the rest of it is never kept: Bun reads it off the connection,
 * so that the client hears the answer.
 */
export function useBody<Used>(
  request: Request,
  limits: BodyLimits,
  use: (body: Body) => Used | Promise<Used>,
): Promise<Used> {
  const { headers } = request
  const encoding = (headers.get("content-encoding") ?? "").trim().toLowerCase()
  const isPlain = encoding === "" || encoding === "identity"
  const length = Number(headers.get("content-length") ?? Number.NaN)
  return isPlain && length <= Math.min(onePiece, limits.config.maxBodyBytes)
    ? readShort(request, length, limits, (bytes) => usedBy(parseBody(bytes, limits), use))
    : readUnusual(request, length, isPlain ? undefined : encoding, limits).then(use)
}

/** At once where the body is read: there is a promise for each request, and none in between. */
function usedBy<Used>(
  body: Body | Promise<Body>,
  use: (body: Body) => Used | Promise<Used>,
): Used | Promise<Used> {
  return body instanceof Promise ? body.then(use) : use(body)
}

/** A body that is long, of unknown length, or compressed. */
async function readUnusual(
  request: Request,
  length: number,
  encoding: string | undefined,
  limits: BodyLimits,
): Promise<Body> {
  const sent = await readSent(request, length, limits)
  return parseBody(encoding === undefined ? sent : await unpack(sent, encoding, limits), limits)
}

function parseBody(given: Bytes, { turns }: BodyLimits): Body | Promise<Body> {
  if (!given.ok) return given
  const { bytes } = given
  return isLong(bytes)
    ? turns.run(readJsonInSteps(bytes)).then((parsed) => bodyOf(parsed, bytes))
    : bodyOf(readJson(bytes), bytes)
}

function bodyOf(parsed: Parsed | undefined, bytes: Uint8Array): Body {
  if (parsed === undefined) return refused("the request body is not valid UTF-8")
  if (parsed === tooDeep) return refused("the request body is nested too deeply")
  if (!parsed.ok) {
    const why = isBlank(bytes) ? "it is empty" : parsed.why
    return refused(`the request body is not valid JSON: ${why}`)
  }
  return isObject(parsed.value)
    ? { ok: true, json: parsed.value, bytes }
    : refused("the request body must be a JSON object")
}

const refused = (message: string) => ({ ok: false, fault: invalidRequest(message) }) as const

const unreadable = refused("the request body could not be read")

const isBlank = (bytes: Uint8Array): boolean => textOfBody(bytes).trim() === ""

/** The text of a body that was read; it is made each time. */
export const textOfBody = (bytes: Uint8Array): string => decodeText(bytes) ?? ""

type Bytes = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly fault: Fault }

async function unpack(sent: Bytes, encoding: string, limits: BodyLimits): Promise<Bytes> {
  if (!sent.ok) return sent
  const format = lookUp(formats, encoding)
  if (format === undefined)
    return badEncoding("unsupported", "content-encoding must be gzip, deflate, br or zstd")
  try {
    const unpacked = new Blob([sent.bytes]).stream().pipeThrough(new DecompressionStream(format))
    const bytes = await readLimited(unpacked.getReader(), limits.config.maxBodyBytes)
    if (bytes !== undefined) return { ok: true, bytes }
    return { ok: false, fault: { ...tooLarge(limits), code: "request_body_too_large_after_decoding" } }
  } catch {
    return badEncoding("invalid", `the request body is not valid ${encoding}`)
  }
}

// A body of this length is read in one piece, which takes half the time. What of it has come is not seen then.
const onePiece = 2 * 1024 * 1024
// Bytes a millisecond of the slowest line that a body may come over, beyond the time in which nothing need come.
const slowest = 16

// Bun reads what is left of a body off the connection, so that a client that writes first and reads then hears the 413.
// What is longer by more than this is not worth it: there the connection ends.
const mostDrained = 256 * 1024 * 1024

function tooLong(length: number, limits: BodyLimits): Fault {
  const given = tooLarge(limits)
  return length > limits.config.maxBodyBytes + mostDrained ? { ...given, headers: closing } : given
}

/** The bytes on the wire. Nothing is read of a body that says that it is too large. */
function readSent(request: Request, length: number, limits: BodyLimits): Bytes | Promise<Bytes> {
  if (length > limits.config.maxBodyBytes) return { ok: false, fault: tooLong(length, limits) }
  return length <= onePiece ? readShort(request, length, limits, asSent) : readLong(request.body, limits)
}

const asSent = (bytes: Bytes): Bytes => bytes

/** In one piece, and not for ever; what `use` makes of it. */
function readShort<Used>(
  request: Request,
  length: number,
  limits: BodyLimits,
  use: (bytes: Bytes) => Used | Promise<Used>,
): Promise<Used> {
  return new Promise((resolve, reject) => {
    const cancel = limits.clock.setTimer(giveUp, limits.times.bodyMs + length / slowest)
    let over = false
    function giveUp(): void {
      end({ ok: false, fault: tooSlow(limits) })
    }
    function end(bytes: Bytes): void {
      if (over) return
      over = true
      cancel()
      try {
        resolve(use(bytes))
      } catch (error) {
        reject(error)
      }
    }
    request.bytes().then(
      (bytes) => end({ ok: true, bytes }),
      () => end(unreadable),
    )
  })
}

async function readLong(body: Request["body"], limits: BodyLimits): Promise<Bytes> {
  if (body === null) return { ok: true, bytes: new Uint8Array(0) }
  try {
    return await readPieces(body, limits)
  } catch {
    return unreadable
  }
}

// One byte now and then is no upload: so much must come in the time in which something must.
const leastBytes = 1024

/** A long body, or one of unknown length, as it comes: not for ever, and no more than may be. */
async function readPieces(body: ReadableStream<Uint8Array>, limits: BodyLimits): Promise<Bytes> {
  const { clock, times, config } = limits
  const reader = body.getReader()
  const began = clock.steady()
  let [size, last, late] = [0, began, false]
  let cancel = clock.setTimer(check, times.bodyMs)

  function check(): void {
    const now = clock.steady()
    const expected = Math.floor((now - began) / times.bodyMs) * leastBytes
    if (now - last >= times.bodyMs || size < expected) {
      late = true
      reader.cancel().catch(() => {})
    } else cancel = clock.setTimer(check, last + times.bodyMs - now)
  }

  try {
    const bytes = await readLimited(reader, config.maxBodyBytes, (count) => {
      size += count
      last = clock.steady()
    })
    if (late) return { ok: false, fault: tooSlow(limits) }
    return bytes === undefined ? { ok: false, fault: tooLarge(limits) } : { ok: true, bytes }
  } finally {
    cancel()
  }
}

function badEncoding(verdict: "unsupported" | "invalid", message: string): Bytes {
  return { ok: false, fault: { ...invalidRequest(message), code: `request_body_encoding_${verdict}` } }
}
