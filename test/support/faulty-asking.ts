// One case asked by a client of either kind, and what that client saw.
import Anthropic from "@anthropic-ai/sdk"
import { arrayOf, type JsonObject, objectOf, parseJson, textOf } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "./anthropic-sse.ts"
import type { FaultCase } from "./faulty-cases.ts"
import { askRaw, type RawAnswer } from "./faulty-client.ts"
import { promptOf } from "./faulty-script.ts"
import { checkGrammar } from "./grammar.ts"

export interface Result {
  /** All of an answer; the beginning of a stream and an error; an error alone; what no client can read. */
  readonly kind: "text" | "cut" | "refused" | "broken"
  readonly text: string
  readonly status: number | undefined
  readonly error: JsonObject
  /** In seconds. */
  readonly retryAfter: number | undefined
  readonly shouldRetry: string | undefined
  readonly requestId: string | undefined
  readonly ms: number
  /** Everything that there was to see. */
  readonly seen: string
}

export interface Door {
  readonly url: string
  readonly clientKey: string
}

const patienceMs = 60_000

/** Never rejects: what goes wrong is part of what was seen. */
export function ask(one: FaultCase, door: Door): Promise<Result> {
  return (one.client === "raw" ? askBytes(one, door) : askSdk(one, door)).catch((error: unknown) => ({
    ...{ kind: "broken", text: String(error), status: undefined, error: {}, ms: 0, seen: String(error) },
    ...{ retryAfter: undefined, shouldRetry: undefined, requestId: undefined },
  }))
}

const question = ({ id }: FaultCase) => ({
  model: `m${id}`,
  max_tokens: 100,
  messages: [{ role: "user" as const, content: promptOf(id) }],
})

async function askBytes(one: FaultCase, { url, clientKey }: Door): Promise<Result> {
  const body = JSON.stringify({ ...question(one), ...(one.stream ? { stream: true } : {}) })
  const headers = { "x-api-key": clientKey }
  const answer = await askRaw(url, { path: "/v1/messages", body, headers, timeoutMs: patienceMs })
  const { status, ms, bytes } = answer
  return {
    ...{ ...readAnswer(answer), status, ms, seen: bytes },
    retryAfter: secondsIn(answer.headers["retry-after"]),
    shouldRetry: answer.headers["x-should-retry"],
    requestId: answer.headers["request-id"],
  }
}

type Read = Pick<Result, "kind" | "text" | "error">

const unreadable = (text: string): Read => ({ kind: "broken", text, error: {} })

function readAnswer({ status, headers, body, whole }: RawAnswer): Read {
  if (!whole) return unreadable(`the framing is not whole: ${body.slice(-200)}`)
  if (headers["content-type"]?.startsWith("text/event-stream") === true) return readEvents(body)
  const parsed = parseJson(body)
  const json = parsed.ok ? objectOf(parsed.value) : {}
  if (status !== 200)
    return json["type"] === "error"
      ? { kind: "refused", text: "", error: objectOf(json["error"]) }
      : unreadable(body)
  const blocks = arrayOf(json["content"]).map((block) => textOf(objectOf(block)["text"]) ?? "")
  return json["type"] === "message" ? { kind: "text", text: blocks.join(""), error: {} } : unreadable(body)
}

/** Comments may stand before the first event, and tell nothing. */
function readEvents(body: string): Read {
  const events = parseAnthropicSse(body.replaceAll(/^: [^\n]*\n\n/gm, ""))
  const wrong = checkGrammar(events)
  if (wrong.length > 0) return unreadable(`${wrong.join("; ")} in ${body}`)
  const text = events.map((event) => textOf(objectOf(event["delta"])["text"]) ?? "").join("")
  const last = events.at(-1)
  if (last?.["type"] !== "error") return { kind: "text", text, error: {} }
  return { kind: "cut", text, error: objectOf(last["error"]) }
}

async function askSdk(one: FaultCase, { url, clientKey }: Door): Promise<Result> {
  const client = new Anthropic({ baseURL: url, apiKey: clientKey, maxRetries: 0, timeout: patienceMs })
  const from = performance.now()
  const none = { retryAfter: undefined, shouldRetry: undefined, requestId: undefined, status: 200, error: {} }
  let text = ""
  try {
    const stream = one.stream ? client.messages.stream(question(one)) : undefined
    stream?.on("text", (more) => {
      text += more
    })
    const message = await (stream?.finalMessage() ?? client.messages.create(question(one)))
    const said = message.content.map((block) => (block.type === "text" ? block.text : "")).join("")
    const ms = performance.now() - from
    return { ...none, kind: "text", text: said, ms, seen: JSON.stringify(message) }
  } catch (error) {
    if (!(error instanceof Anthropic.APIError)) throw error
    const { status, type, message, headers } = error
    return {
      // An error event has no status of its own.
      kind: status === undefined ? "cut" : "refused",
      ...{ text, status: status ?? 200, error: { type, message }, ms: performance.now() - from },
      retryAfter: secondsIn(headers?.get("retry-after") ?? undefined),
      shouldRetry: headers?.get("x-should-retry") ?? undefined,
      requestId: error.requestID ?? undefined,
      seen: `${message} ${JSON.stringify([...(headers?.entries() ?? [])])}`,
    }
  }
}

/** A header that says when to come back, by the number of seconds or by the date. */
function secondsIn(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header)) return Number(header)
  return Math.max(0, Math.ceil((Date.parse(header) - Date.now()) / 1000))
}
