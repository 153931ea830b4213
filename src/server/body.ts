// The body of a request: read, decompressed, parsed; or a Fault that says what is wrong with it.
import { type Fault, fault, invalidRequest } from "../protocol/fault.ts"
import { isObject, type JsonObject, parseJson } from "../protocol/json.ts"

export type Body =
  /** The object, and the very text it was read from. */
  | { readonly ok: true; readonly json: JsonObject; readonly text: string }
  | { readonly ok: false; readonly fault: Fault }

/** Largest body taken, in bytes, before and after decompression. Anthropic's own limit is 32 MB. */
export const bodyLimit = 64 * 1024 * 1024

const tooLarge = fault({
  kind: "request_too_large",
  source: "client",
  message: `the request body is larger than ${bodyLimit / 1024 / 1024} MiB`,
})

const formats: Readonly<Record<string, "gzip" | "deflate" | "brotli" | "zstd">> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "brotli",
  zstd: "zstd",
}

/** Reads a JSON object out of a request's body. Never throws. */
export async function readBody(request: Request): Promise<Body> {
  const bytes = await readBytes(request)
  if (!bytes.ok) return bytes
  const text = decodeText(bytes.bytes)
  if (text === undefined) return refused("the request body is not valid UTF-8")
  const parsed = parseJson(text)
  if (!parsed.ok) {
    const why = text.trim() === "" ? "it is empty" : parsed.why
    return refused(`the request body is not valid JSON: ${why}`)
  }
  return isObject(parsed.value)
    ? { ok: true, json: parsed.value, text }
    : refused("the request body must be a JSON object")
}

const refused = (message: string) => ({ ok: false, fault: invalidRequest(message) }) as const

/** Text that is not UTF-8 would reach the model with holes in it: it is undefined instead. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

type Bytes = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly fault: Fault }

async function readBytes(request: Request): Promise<Bytes> {
  const encoding = (request.headers.get("content-encoding") ?? "").trim().toLowerCase()
  const sent = await readSent(request)
  if (!sent.ok || encoding === "" || encoding === "identity") return sent
  const format = Object.hasOwn(formats, encoding) ? formats[encoding] : undefined
  if (format === undefined) {
    return badEncoding("unsupported", "content-encoding must be gzip, deflate, br or zstd")
  }
  try {
    const bytes = await readLimited(
      new Blob([sent.bytes]).stream().pipeThrough(new DecompressionStream(format)),
    )
    if (bytes !== undefined) return { ok: true, bytes }
    return { ok: false, fault: { ...tooLarge, code: "request_body_too_large_after_decoding" } }
  } catch {
    return badEncoding("invalid", `the request body is not valid ${encoding}`)
  }
}

/** The bytes on the wire. Nothing is read of a body that says that it is too large. */
async function readSent(request: Request): Promise<Bytes> {
  const length = request.headers.get("content-length")
  if (Number(length ?? 0) > bodyLimit) return { ok: false, fault: tooLarge }
  try {
    const whole = length !== null || request.body === null
    const bytes = whole ? await request.bytes() : await readLimited(request.body)
    return bytes === undefined ? { ok: false, fault: tooLarge } : { ok: true, bytes }
  } catch {
    return refused("the request body could not be read")
  }
}

/** Everything a stream gives, or undefined once it is more than the limit. */
async function readLimited(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > bodyLimit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function badEncoding(verdict: "unsupported" | "invalid", message: string): Bytes {
  return { ok: false, fault: { ...invalidRequest(message), code: `request_body_encoding_${verdict}` } }
}
