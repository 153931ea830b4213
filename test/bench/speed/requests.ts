// Requests as bytes of HTTP, made before the clock runs.
import { historyBody } from "./history.ts"
import { toolName } from "./reply-text.ts"
import type { Dialect, Reply, Work } from "./work.ts"

const schema = {
  type: "object",
  properties: { path: { type: "string" }, content: { type: "string" } },
  required: ["path", "content"],
}
const tool = { name: toolName, description: "Writes a file." }

const tools: Readonly<Record<Dialect, object>> = {
  chat: { tools: [{ type: "function", function: { ...tool, parameters: schema } }] },
  messages: { tools: [{ ...tool, input_schema: schema }] },
}

const models: Readonly<Record<Dialect, string>> = { chat: "bench-model", messages: "claude-opus-4-8" }

function voiceFields(reply: Reply, dialect: Dialect): object {
  const voice = reply.kind === "stream" ? reply.voice : "text"
  if (voice === "tool") return tools[dialect]
  if (voice !== "reasoning") return {}
  return dialect === "chat"
    ? { reasoning_effort: "low" }
    : { thinking: { type: "enabled", budget_tokens: 1024 } }
}

/** The body of the work's requests. */
export function bodyOf({ reply, history }: Pick<Work, "reply" | "history">, dialect: Dialect): string {
  const streamed = reply.kind !== "plain"
  const usage = streamed && dialect === "chat" ? { stream_options: { include_usage: true } } : {}
  const content =
    history === 0
      ? { messages: [{ role: "user", content: "Say hello, and then what you can do." }] }
      : historyBody(history, dialect)
  return JSON.stringify({
    model: models[dialect],
    max_tokens: 8192,
    ...(streamed ? { stream: true } : {}),
    ...usage,
    ...voiceFields(reply, dialect),
    ...content,
  })
}

/** A POST with everything a client of that API sends. */
export function post(path: string, body: string): Buffer {
  const length = Buffer.byteLength(body)
  const fields = [
    `POST ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Content-Type: application/json",
    "Accept: application/json",
    "User-Agent: bench/1.0",
    "X-Api-Key: bench",
    "Anthropic-Version: 2023-06-01",
    `Content-Length: ${length}`,
  ]
  return Buffer.from(`${fields.join("\r\n")}\r\n\r\n${body}`)
}

export const paths: Readonly<Record<Dialect, string>> = {
  chat: "/v1/chat/completions",
  messages: "/v1/messages",
}

export function requestOf(work: Pick<Work, "reply" | "history">, dialect: Dialect): Buffer {
  return post(paths[dialect], bodyOf(work, dialect))
}

export const healthRequest = Buffer.from("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
