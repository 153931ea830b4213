// The scripted upstream's replies as bytes of HTTP, made before anybody asks for them.
import { conclusion, piecesOf, plainText, sizePieces, stampedPiece, toolId, toolName } from "./reply-text.ts"
import type { Reply, Voice } from "./work.ts"

const start =
  '{"id":"chatcmpl-bench0000000000000001","object":"chat.completion.chunk","created":1795000000,"model":"bench-model","system_fingerprint":"fp_bench00"'
const usage = '{"prompt_tokens":1200,"completion_tokens":340,"total_tokens":1540}'

/** One chunk as a server-sent event: 230 bytes, give or take a few, like a real provider's. */
function event(delta: string, finish = "null"): string {
  return `data: ${start},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]}\n\n`
}

function delta(voice: Voice, piece: string): string {
  const text = JSON.stringify(piece)
  switch (voice) {
    case "text":
      return `{"content":${text}}`
    case "reasoning":
      return `{"reasoning_content":${text}}`
    case "tool":
      return `{"tool_calls":[{"index":0,"function":{"arguments":${text}}}]}`
    default:
      return voice satisfies never
  }
}

const role = event('{"role":"assistant","content":""}')
const call = event(
  `{"tool_calls":[{"index":0,"id":"${toolId}","type":"function","function":{"name":"${toolName}","arguments":""}}]}`,
)

function ending(finish: "stop" | "tool_calls"): string {
  return `${event("{}", `"${finish}"`)}data: ${start},"choices":[],"usage":${usage}}\n\ndata: [DONE]\n\n`
}

const head = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`
const streamHead = head("Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked")

/** One piece of a body in HTTP's chunked coding. */
function framed(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

const lastFrame = "0\r\n\r\n"

function plainReply(): string {
  const message = { role: "assistant", content: plainText, refusal: null }
  const body = JSON.stringify({
    id: "chatcmpl-bench0000000000000001",
    object: "chat.completion",
    created: 1_795_000_000,
    model: "bench-model",
    choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }],
    usage: JSON.parse(usage),
    system_fingerprint: "fp_bench00",
  })
  return head(`Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`) + body
}

function streamReply(voice: Voice, chunks: number, perWrite: number): readonly string[] {
  const events = piecesOf(voice, chunks).map((piece) => event(delta(voice, piece)))
  const writes = [streamHead + framed(voice === "tool" ? role + call : role)]
  for (let at = 0; at < events.length; at += perWrite) {
    writes.push(framed(events.slice(at, at + perWrite).join("")))
  }
  const said = voice === "reasoning" ? event(delta("text", conclusion)) : ""
  writes.push(framed(said + ending(voice === "tool" ? "tool_calls" : "stop")) + lastFrame)
  return writes
}

/** The writes of a reply, one after the other; for replies that depend on their request or the time, undefined. */
export function writesOf(reply: Reply): readonly Buffer[] | undefined {
  switch (reply.kind) {
    case "plain":
      return [Buffer.from(plainReply())]
    case "stream":
      return streamReply(reply.voice, reply.chunks, reply.perWrite).map((text) => Buffer.from(text))
    case "size":
    case "slow":
      return undefined
    default:
      return reply satisfies never
  }
}

/** A short stream that names the size of its request. */
export function sizeReply(bytes: number): Buffer {
  const events = sizePieces(bytes).map((piece) => event(delta("text", piece)))
  return Buffer.from(streamHead + framed(role + events.join("") + ending("stop")) + lastFrame)
}

/** A slow stream: its beginning, each of its pieces, and its end. */
export const slowStart = Buffer.from(streamHead + framed(role))
export const slowEnd = Buffer.from(framed(ending("stop")) + lastFrame)
export function slowPiece(index: number, now: number): string {
  return framed(event(delta("text", stampedPiece(index, now))))
}
