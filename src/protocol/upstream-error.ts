// Errors of every provider's shape, read into one Fault. Pure: used for HTTP errors and for errors that come
// inside a 200.
import { type Fault, fault } from "./fault.ts"
import { arrayOf, countOf, isObject, type JsonObject, objectOf, parseJson, textOf } from "./json.ts"
import { isOverflow, overflowMessage } from "./overflow.ts"
import { redact } from "./redact.ts"
import { retryAfterMs } from "./retry-after.ts"
import { judge } from "./verdict.ts"

/** What is known of the request that failed; the texts of some errors need it. */
export interface ErrorContext {
  /** Row id of the provider, put before its message. */
  readonly provider: string
  readonly model: string
  /** The URL that was called, without its query. */
  readonly url: string
  /** Our estimate of the prompt, in tokens. */
  readonly inputTokens: number
  readonly contextWindow: number | null
  /** The variable that holds the key of this upstream. */
  readonly keyName: string
  /** Values that must not appear in any message. */
  readonly secrets: readonly string[]
}

export interface UpstreamError {
  /** HTTP status, or undefined for an error inside a stream. */
  readonly status: number | undefined
  /** Header lookup, lower-case names. */
  readonly header: (name: string) => string | null
  readonly body: string
}

interface ErrorFacts {
  readonly message: string
  readonly words: string
  readonly status: number | undefined
}

/** The Fault for an error reply of an upstream. `body` may be anything: JSON of any shape, HTML, or nothing. */
export function faultFromError(error: UpstreamError, context: ErrorContext): Fault {
  const parsed = parseJson(error.body)
  const facts = readError(parsed.ok ? parsed.value : undefined)
  const message = facts?.message ?? plainText(error.body)
  const status = error.status ?? facts?.status ?? 502
  const words = `${facts?.words ?? ""} ${message}`.toLowerCase()
  const emptyOverflow = error.body.trim() === "" && (status === 400 || status === 413)
  if (overflowApplies(status, words, emptyOverflow, context)) return overflowFault(message, context)
  const wait = retryAfterMs(error.header, parsed.ok ? parsed.value : undefined, message)
  const verdict = judge({ status, words, wait }, context)
  const text = message === "" ? `HTTP ${status}` : message
  const safe = redact(verdict.message?.(text) ?? `[${context.provider}] ${text}`, context.secrets)
  return fault({
    kind: verdict.kind,
    source: "upstream",
    status: verdict.status,
    retry: verdict.retry ? "before-first-byte" : "no",
    message: safe,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    ...(verdict.final === true ? { finalForClient: true } : {}),
  })
}

/** An error that came as JSON inside a 200: a chunk of a stream, or a whole reply that is none. */
export function faultFromJson(value: unknown, context: ErrorContext): Fault {
  return faultFromError({ status: undefined, header: () => null, body: JSON.stringify(value) }, context)
}

/** Is this JSON an error although it came with status 200? (wire.md §2.8) */
export function isErrorJson(value: unknown): boolean {
  if (Array.isArray(value)) return isObject(value[0]) && isErrorJson(value[0])
  if (!isObject(value)) return false
  const error = value["error"]
  if (isObject(error) ? Object.keys(error).length > 0 : textOf(error) !== undefined) return true
  if (value["object"] === "error" || value["type"] === "error") return true
  if (arrayOf(value["choices"]).length > 0) return false
  const base = countOf(objectOf(value["base_resp"])["status_code"])
  if (base !== undefined && base !== 0) return true
  if (value["choices"] !== undefined && value["choices"] !== null) return false
  return (value["code"] !== undefined && value["message"] !== undefined) || value["detail"] !== undefined
}

function readError(value: unknown): ErrorFacts | undefined {
  if (Array.isArray(value)) return readError(value[0])
  if (!isObject(value)) return undefined
  const inner = objectOf(value["error"])
  const base = objectOf(value["base_resp"])
  const raw = textOf(objectOf(inner["metadata"])["raw"])
  const name = textOf(objectOf(inner["metadata"])["provider_name"])
  const message =
    messageOf(inner["message"]) ??
    textOf(value["error"]) ??
    messageOf(value["message"]) ??
    messageOf(value["detail"]) ??
    messageOf(arrayOf(value["errors"])[0]) ??
    textOf(base["status_msg"]) ??
    textOf(value["msg"]) ??
    textOf(value["error_msg"])
  if (message === undefined && Object.keys(inner).length === 0) return undefined
  const detail =
    raw === undefined ? "" : ` (${name === undefined ? "" : `${name}: `}${raw.trim().slice(0, 300)})`
  const words = [
    inner["code"],
    inner["type"],
    inner["status"],
    value["code"],
    value["type"],
    base["status_code"],
  ]
  return {
    message: `${message ?? JSON.stringify(inner)}${detail}`,
    words: words.filter((word) => typeof word === "string" || typeof word === "number").join(" "),
    status: statusOf(inner, value),
  }
}

function statusOf(inner: JsonObject, value: JsonObject): number | undefined {
  const given = [inner["code"], inner["status"], value["code"], value["status"]].map(countOf)
  return given.find((code) => code !== undefined && code >= 400 && code <= 599)
}

/** A string, FastAPI's list of `{loc, msg}`, or Mistral's object around one. */
function messageOf(value: unknown): string | undefined {
  if (typeof value === "string") return textOf(value)
  if (Array.isArray(value)) {
    const parts = value.map((item) => (isObject(item) ? validationText(item) : textOf(item)))
    return textOf(parts.filter((part) => part !== undefined).join("; "))
  }
  if (!isObject(value)) return undefined
  return (
    messageOf(value["detail"]) ?? textOf(value["message"]) ?? textOf(value["msg"]) ?? JSON.stringify(value)
  )
}

function validationText(item: JsonObject): string | undefined {
  const place = arrayOf(item["loc"]).join(".")
  const text = textOf(item["msg"]) ?? textOf(item["message"])
  return place === "" || text === undefined ? text : `${place}: ${text}`
}

/** HTML and other text, made readable and short. */
function plainText(body: string): string {
  const bare = body
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
  return bare.length > 500 ? `${bare.slice(0, 500)}…` : bare
}

function overflowApplies(status: number, words: string, emptyBody: boolean, context: ErrorContext): boolean {
  if (isOverflow(words)) return true
  // Cerebras answers an overflow with an empty 400 or 413: believed only of a prompt that is really long.
  return emptyBody && status !== 401 && context.inputTokens > (context.contextWindow ?? 60_000) * 0.8
}

function overflowFault(message: string, context: ErrorContext): Fault {
  const text = overflowMessage(message, context.inputTokens, context.contextWindow)
  return fault({ kind: "invalid_request_error", source: "upstream", message: redact(text, context.secrets) })
}
