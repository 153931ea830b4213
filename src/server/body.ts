// The body of a request: read, decompressed, parsed; or a Fault that says what is wrong with it.
import { type Fault, fault, invalidRequest } from "../protocol/fault.ts"
import { isObject, type JsonObject, parseJson } from "../protocol/json.ts"

export type Body =
  | { readonly ok: true; readonly json: JsonObject }
  | { readonly ok: false; readonly fault: Fault }

/** Largest body taken, in bytes, before and after decompression. Anthropic's own limit is 32 MB. */
export const bodyLimit = 64 * 1024 * 1024

const tooLarge = fault({
  kind: "request_too_large",
  source: "client",
  message: `the request body is larger than ${bodyLimit / 1024 / 1024} MiB`,
})

const decompress: Readonly<Record<string, "gzip" | "deflate" | "brotli" | "zstd">> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "brotli",
  zstd: "zstd",
}

/** Reads a JSON object out of a request's body. Never throws. */
export async function readBody(request: Request): Promise<Body> {
  if (Number(request.headers.get("content-length") ?? 0) > bodyLimit) return { ok: false, fault: tooLarge }
  const text = await readText(request)
  if (!text.ok) return text
  const parsed = parseJson(text.text)
  if (!parsed.ok) {
    const why = text.text.trim() === "" ? "it is empty" : parsed.why
    return { ok: false, fault: invalidRequest(`the request body is not valid JSON: ${why}`) }
  }
  if (!isObject(parsed.value))
    return { ok: false, fault: invalidRequest("the request body must be a JSON object") }
  return { ok: true, json: parsed.value }
}

type Text = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: Fault }

async function readText(request: Request): Promise<Text> {
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase()
  try {
    if (encoding === "identity" || encoding === "") return { ok: true, text: await request.text() }
    const format = Object.hasOwn(decompress, encoding) ? decompress[encoding] : undefined
    if (format === undefined || request.body === null) return badEncoding(encoding, "unsupported")
    const stream = request.body.pipeThrough(new DecompressionStream(format))
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of stream) {
      size += chunk.byteLength
      if (size > bodyLimit)
        return { ok: false, fault: { ...tooLarge, code: "request_body_too_large_after_decoding" } }
      chunks.push(chunk)
    }
    return { ok: true, text: Buffer.concat(chunks).toString("utf8") }
  } catch {
    if (encoding !== "identity") return badEncoding(encoding, "invalid")
    return { ok: false, fault: invalidRequest("the request body could not be read") }
  }
}

function badEncoding(encoding: string, verdict: "unsupported" | "invalid"): Text {
  const what =
    verdict === "unsupported" ? "is not supported (gzip, deflate, br and zstd are)" : "could not be decoded"
  return {
    ok: false,
    fault: {
      ...invalidRequest(`content-encoding ${encoding} ${what}`),
      code: `request_body_encoding_${verdict}`,
    },
  }
}
