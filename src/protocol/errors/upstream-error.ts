// Errors of every provider's shape, read into one Fault. Pure: used for HTTP errors and for errors that come
// inside a 200.

import { type Fault, fault } from "../fault.ts"
import { arrayOf, countOf, isObject, type JsonObject, jsonOf, objectOf, textOf } from "../json.ts"
import { redact, redactCut } from "../redact.ts"
import { readError, shorten } from "./error-facts.ts"
import { namedStatus } from "./named-status.ts"
import { isOverflow, overflowMessage } from "./overflow.ts"
import { retryAfterMs } from "./retry-after.ts"
import { judge } from "./verdict.ts"

/** What is known of the request that failed; the texts of some errors need it. */
export interface ErrorContext {
  /** Row id of the provider, put before its message. */
  readonly provider: string
  readonly model: string
  /** The URL that was called, without its query. */
  readonly url: string
  /** Our estimate of the prompt, in tokens; made when it is asked for. */
  readonly inputTokens: () => number
  readonly contextWindow: number | null
  /** The variable that holds the key of this upstream. */
  readonly keyName: string
  /** Values that must not appear in any message. */
  readonly secrets: readonly string[]
  /** The time in milliseconds since the epoch, for errors that name a point in time; without it they name none. */
  readonly now?: (() => number) | undefined
}

interface UpstreamError {
  /** HTTP status, or undefined for an error inside a stream. */
  readonly status: number | undefined
  /** Header lookup, lower-case names. */
  readonly header: (name: string) => string | null
  readonly body: string
}

// Longer messages repeat what was sent.
const messageLimit = 2000
const bodyLimit = 256 * 1024

/** The Fault for an error reply of an upstream. `body` may be anything: JSON of any shape, HTML, or nothing. */
export function faultFromError(error: UpstreamError, context: ErrorContext): Fault {
  // Before anything is cut any further: within a text half a key is no longer recognised.
  const body = redactCut(error.body.slice(0, bodyLimit), context.secrets)
  const json = jsonOf(body)
  const facts = readError(json)
  const message = shorten(facts?.message ?? plainText(body), messageLimit)
  const codes = facts?.codes ?? []
  const status = error.status ?? facts?.status ?? namedStatus(codes) ?? 502
  const emptyBody = body.trim() === ""
  if (overflowApplies(status, message.toLowerCase(), codes, emptyBody, context))
    return overflowFault(message, facts?.numbers ?? "", context)
  const named = facts?.named
  const wait = retryAfterMs(error.header, json, message, context.now?.())
  const words = `${codes.join(" ")} ${message.toLowerCase()}`
  const verdict = judge({ status, words, codes, wait, inside: error.status === undefined }, context)
  const text = message === "" ? `HTTP ${status}` : message
  const safe = redact(verdict.message?.(text) ?? `[${context.provider}] ${text}`, context.secrets)
  return fault({
    kind: verdict.kind,
    source: "upstream",
    status: verdict.status,
    retry: verdict.retry === "once" ? "once" : verdict.retry ? "before-first-byte" : "no",
    message: safe,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    ...(verdict.final === true ? { finalForClient: true } : {}),
    ...(named === undefined ? {} : { named: redactNamed(named, context.secrets) }),
  })
}

function redactNamed({ param, code }: NonNullable<Fault["named"]>, secrets: readonly string[]) {
  return {
    ...(param === undefined ? {} : { param: redact(param, secrets) }),
    ...(code === undefined ? {} : { code: redact(code, secrets) }),
  }
}

/** What stands in plain words where a reply should be. */
export function faultFromWords(said: string, context: ErrorContext): Fault {
  return faultFromError({ status: 502, header: () => null, body: said }, context)
}

/** An error that came as JSON inside a 200: a chunk of a stream, or a whole reply that is none. */
export function faultFromJson(value: unknown, context: ErrorContext): Fault {
  return faultFromError({ status: undefined, header: () => null, body: JSON.stringify(value) }, context)
}

/** Is this JSON an error although it came with status 200? */
export function isErrorJson(value: unknown): boolean {
  if (Array.isArray(value)) return isObject(value[0]) && isErrorJson(value[0])
  if (!isObject(value)) return false
  const error = value["error"]
  if (isObject(error) ? Object.values(error).some(says) : textOf(error) !== undefined) return true
  if (isObject(arrayOf(error)[0])) return true
  if (value["object"] === "error" || value["type"] === "error") return true
  if (arrayOf(value["choices"]).length > 0) return false
  const base = countOf(objectOf(value["base_resp"])["status_code"])
  if (base !== undefined && base !== 0) return true
  return (value["choices"] === undefined || value["choices"] === null) && isBareError(value)
}

/** Some gateways send an error object whose every field is empty with every chunk. */
function says(field: unknown): boolean {
  return field !== null && field !== undefined && field !== "" && field !== 0
}

// What some say when all is well.
const goodCodes: readonly unknown[] = [undefined, null, "", 0, "0", 200, "200", "ok", "success"]

/** No `error` and no `choices`: what stands beside a message says that it went wrong, or there is a detail. */
function isBareError(value: JsonObject): boolean {
  const text = value["message"] ?? value["msg"] ?? value["error_msg"] ?? value["title"]
  if (value["detail"] !== undefined || saysErrors(value["errors"])) return true
  return text !== undefined && (hasBadCode(value) || value["error"] === true || value["success"] === false)
}

// Portkey's own, whose `status` is a word.
const failedWord = /^(?:fail(?:ure|ed)?|error)$/i

function hasBadCode(value: JsonObject): boolean {
  if (failedWord.test(textOf(value["status"]) ?? "")) return true
  if (!goodCodes.includes(value["code"] ?? value["error_code"])) return true
  const status = countOf(value["status"]) ?? countOf(value["statusCode"]) ?? 0
  return status >= 400 || /error|exception/i.test(textOf(value["type"]) ?? textOf(value["__type"]) ?? "")
}

/** A list of them, or ModelScope's object. */
function saysErrors(errors: unknown): boolean {
  return Array.isArray(errors) ? errors.length > 0 : textOf(objectOf(errors)["message"]) !== undefined
}

const saysNothing = /^(?:\{ ?\}|\[ ?\]|null|"")$/

/** HTML and other text, made readable and short; a page's title says what it is. */
function plainText(body: string): string {
  const start = body.slice(0, 16_384)
  const title = /<title[^>]*>([^<]+)<\/title>/i.exec(start)?.[1]?.trim()
  const bare = (title ?? start)
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<[^<>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
  return saysNothing.test(bare) ? "" : shorten(bare, 500)
}

// Nothing about the prompt's length: who asks, for what, how often, or whether anybody is there. 403 is not
// among them: Together answers an overflow with it (docs.together.ai, error codes).
const otherStatuses: readonly number[] = [401, 402, 404, 405, 408, 409, 429, 503, 504, 529]

function overflowApplies(
  status: number,
  message: string,
  codes: readonly string[],
  emptyBody: boolean,
  context: ErrorContext,
): boolean {
  if (otherStatuses.includes(status)) return false
  if (isOverflow(message, codes)) return true
  // Cerebras answers an overflow with an empty 400 or 413: believed only of a prompt that is really long.
  const long = context.inputTokens() > (context.contextWindow ?? 60_000) * 0.8
  return emptyBody && (status === 400 || status === 413) && long
}

function overflowFault(message: string, numbers: string, context: ErrorContext): Fault {
  const text = overflowMessage(message, context.inputTokens(), context.contextWindow, numbers)
  return fault({ kind: "invalid_request_error", source: "upstream", message: redact(text, context.secrets) })
}
