// The requests of a fuzz: each is made of its seed alone, from requests as real clients send them.
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { randomRequest } from "../convert/request-random.ts"
import { strangersKeys } from "./fuzz-canaries.ts"
import { mutateHeaders } from "./fuzz-headers.ts"
import { changeBytes, changeJson, jsonText } from "./fuzz-json.ts"
import { oddTarget, placeFor } from "./fuzz-places.ts"
import { fuzzModels, maxBodyBytes } from "./fuzz-proxy.ts"
import type { Random } from "./random.ts"

export type Header = readonly [name: string, value: string]

export interface FuzzRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly Header[]
  readonly body: Buffer | undefined
  /** It may be refused below the proxy, by the HTTP server that it runs on. */
  readonly oddHead: boolean
  /** Nothing of it was changed: it is to be answered well. */
  readonly unchanged: boolean
}

const folder = resolve(import.meta.dir, "../fixtures/requests")
const recorded: readonly unknown[] = readdirSync(folder)
  .map((name) => readFileSync(`${folder}/${name}`, "utf8"))
  .filter((text) => text.length < 10_000)
  .map((text) => JSON.parse(text))

const simple = (model: string, stream: boolean) => ({
  ...{ model, max_tokens: 50, stream },
  messages: [{ role: "user", content: "Good morning." }],
})

const tool = {
  type: "function",
  function: {
    name: "Read",
    description: "Reads.",
    parameters: { type: "object", properties: { path: { type: "string" } } },
  },
}
const called = { id: "call_1", type: "function", function: { name: "Read", arguments: '{"path":"/a"}' } }
const chats: readonly unknown[] = [
  simple("chat", false),
  {
    ...{
      model: "native",
      stream: true,
      stream_options: { include_usage: true },
      tools: [tool],
      temperature: 0.5,
    },
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Read it." }] },
      { role: "assistant", content: null, tool_calls: [called] },
      { role: "tool", tool_call_id: "call_1", content: "It says so." },
    ],
  },
  {
    ...{
      model: "responses",
      max_completion_tokens: 100,
      stop: ["."],
      response_format: { type: "json_object" },
    },
    messages: [
      { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBOR" } }] },
    ],
  },
]

function messagesBody(random: Random): unknown {
  const model = random.pick([...fuzzModels, "claude-opus-5-5", "claude-haiku-5"])
  const at = random.next()
  if (at < 0.65) return simple(model, random.chance(0.5))
  const base = at < 0.9 ? random.pick(recorded) : randomRequest(random)
  return { ...Object(base), model, stream: random.chance(0.6) }
}

/** A key where a client may have put it by mistake. */
function withKey(body: unknown, random: Random): unknown {
  const isPlain = typeof body === "object" && body !== null && !Array.isArray(body)
  if (!isPlain || !random.chance(0.05)) return body
  return {
    ...body,
    [random.pick(["api_key", "apiKey", "authorization", "x-api-key"])]: random.pick(strangersKeys),
  }
}

/** One request in so many is sent as it was recorded. */
const unchangedShare = 0.1

interface Bodied {
  readonly bytes: Buffer
  readonly headers: readonly Header[]
  readonly unchanged: boolean
}

function bodyFor(kind: "messages" | "chat", random: Random): Bodied {
  if (random.chance(unchangedShare)) {
    const body = kind === "chat" ? random.pick(chats) : simple(random.pick(fuzzModels), random.chance(0.5))
    return { bytes: Buffer.from(JSON.stringify(body)), headers: [], unchanged: true }
  }
  let body = kind === "messages" ? messagesBody(random) : random.pick(chats)
  for (let left = random.integer(0, 4); left > 0; left--) body = changeJson(body, random)
  const text = jsonText(withKey(body, random), random)
  let bytes: Buffer = Buffer.from(text)
  // A torn key is not a key: it may be told where a message shows what it could not read.
  if (random.chance(0.12) && !strangersKeys.some((key) => text.includes(key)))
    bytes = changeBytes(bytes, random)
  return { ...packed(bytes, random), unchanged: false }
}

const bomb = gzipSync(Buffer.alloc(4 * maxBodyBytes, 32))
const long = Buffer.alloc(maxBodyBytes + 1, 32)

function packed(bytes: Buffer, random: Random): Omit<Bodied, "unchanged"> {
  const as = (encoding: string, sent: Buffer) => ({
    bytes: sent,
    headers: [["content-encoding", encoding]] as const,
  })
  if (random.chance(0.002)) return random.pick([as("gzip", bomb), { bytes: long, headers: [] }])
  if (!random.chance(0.06)) return { bytes, headers: [] }
  switch (random.integer(0, 6)) {
    case 0:
      return as("gzip", gzipSync(bytes, { level: 1 }))
    case 1:
      return as("deflate", deflateSync(bytes, { level: 1 }))
    case 2:
      return as("br", brotliCompressSync(bytes, { params: { 1: 0 } }))
    case 3:
      return as("gzip", changeBytes(gzipSync(bytes, { level: 1 }), random))
    case 4:
      return as(random.pick(["gzip", "br", "zstd", "deflate"]), bytes)
    case 5:
      return as(random.pick(["identity", "", "gzip, gzip", "GZIP", "compress", "constructor", "é"]), bytes)
    default:
      return as("gzip", gzipSync(bytes, { level: 1 }).subarray(0, 12))
  }
}

/** The request that these random numbers make. */
export function fuzzRequest(random: Random, clientKey: string): FuzzRequest {
  const place = placeFor(random)
  const { kind } = place
  const bodied = kind === "none" ? undefined : bodyFor(kind, random)
  const unchanged = bodied?.unchanged === true && place.method === "POST"
  const plain: readonly Header[] = [
    ["host", "127.0.0.1"],
    ["x-api-key", clientKey],
    ["anthropic-version", "2023-06-01"],
    ...(bodied === undefined ? [] : [["content-type", "application/json"] as const, ...bodied.headers]),
  ]
  const { headers, odd } = unchanged ? { headers: plain, odd: false } : mutateHeaders(plain, random)
  const target = unchanged ? place.path : oddTarget(place.path, random)
  return { method: place.method, target, headers, body: bodied?.bytes, oddHead: odd, unchanged }
}

/** As it goes over the wire; a body in pieces of a chunked coding where `pieces` are given. */
export function wireOf({ method, target, headers, body }: FuzzRequest, random: Random): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")
  const first = `${method} ${target} HTTP/1.1\r\n${lines}`
  if (body === undefined) return Buffer.from(`${first}\r\n`, "latin1")
  if (body.length > 20_000 || !random.chance(0.08)) {
    return Buffer.concat([Buffer.from(`${first}content-length: ${body.length}\r\n\r\n`, "latin1"), body])
  }
  const size = random.integer(Math.ceil(body.length / 8), body.length + 1)
  const parts: Uint8Array[] = [Buffer.from(`${first}transfer-encoding: chunked\r\n\r\n`, "latin1")]
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size)
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"))
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")])
}
