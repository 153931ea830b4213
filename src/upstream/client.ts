// One request to an upstream that speaks Chat Completions or Responses, its reply as inputs for a dialect's reader, and
// every way it can fail as a Fault.

import { decodeText, isBlankSoFar, trimBytes } from "../protocol/byte-text.ts"
import type { ChatRequest, StreamInput } from "../protocol/chat/chat.ts"
import type { ResponsesRequest } from "../protocol/chat/responses.ts"
import type { ErrorContext } from "../protocol/errors/upstream-error.ts"
import type { Fault } from "../protocol/fault.ts"
import { arrayOf, countOf, objectOf, parseJson } from "../protocol/json.ts"
import type { ProviderProfile } from "../providers/profile.ts"
import type { Route } from "../providers/route.ts"
import type { FailedOpening } from "./attempts.ts"
import type { Batches } from "./batches.ts"
import { type BodyText, createBodyText, moreText, nextRead, receive } from "./body-text.ts"
import { readerOf } from "./byte-reader.ts"
import { connectionFault, isUnreachable, onTheWay, type TimedSituation } from "./connection.ts"
import { type Clock, clearDeadline, createDeadline, type Deadline, endSilence } from "./deadline.ts"
import { readEventStream } from "./event-stream.ts"
import { addHeaders, outboundOptions, readError } from "./http.ts"
import { jsonBody } from "./json-body.ts"
import { noReply, noReplyButPage } from "./no-reply.ts"
import { longestDocument } from "./reply-limits.ts"
import type { Signal } from "./signal.ts"

type UpstreamReply =
  | { readonly kind: "stream"; readonly batches: Batches<StreamInput> }
  | { readonly kind: "whole"; readonly reply: unknown }

export type Sent =
  | {
      readonly ok: true
      readonly reply: UpstreamReply
      /** Tokens of the prompt that came from the cache, where a header says so. */
      readonly cachedTokens: number | undefined
    }
  | FailedOpening

interface SendOptions {
  /** Fires when the client has gone; the request to the upstream is then given up. */
  readonly signal: Signal
  /** Longest silence of the upstream, in milliseconds: to connect, to the first byte, between bytes. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly userAgent: string
  readonly errors: ErrorContext
}

/**
 * Sends one request. Never throws. A stream's batches end in one `end` or `fault` input; whether the reply is
 * a stream or a document is judged by its bytes, because content types are not to be relied on. The options are kept
 * as long as the reply lasts: nothing of the request belongs into them.
 */
export async function send(
  route: Route,
  body: ChatRequest | ResponsesRequest,
  options: SendOptions,
): Promise<Sent> {
  const deadline = createDeadline(options.timeoutMs, options.signal, options.clock)
  const situation = onTheWay(options, route)
  try {
    const response = await fetch(route.url, {
      // First: what is spread behind other fields takes several times as long.
      ...outboundOptions(route),
      method: "POST",
      headers: requestHeaders(route, body, options.userAgent),
      body: jsonBody(body),
      signal: deadline.signal,
    })
    endSilence(deadline)
    if (!response.ok) return await errorReply(response, deadline, situation)
    const bytes = createBodyText(readerOf(response), deadline)
    let text = ""
    let more: string | undefined = ""
    // Blank lines and comments may come for minutes before the first word (DeepSeek under load): the first
    // visible character tells a document from a stream.
    while (more !== undefined && isBlankSoFar(text)) {
      more = moreText(bytes) ?? receive(bytes, await nextRead(bytes))
      text = more === undefined ? "" : trimBytes(text + more)
    }
    const cachedTokens = countOf(response.headers.get(cachedHeader))
    if (text !== "" && !documentStarts.has(text.charAt(0))) {
      const batches = readEventStream(text, bytes, situation)
      return { ok: true, reply: { kind: "stream", batches }, cachedTokens }
    }
    const isOpen = more !== undefined && !isAll(bytes, response)
    if (isOpen) text += await readRest(bytes, response, longestDocument - text.length)
    clearDeadline(deadline)
    return document(decodeText(text), cachedTokens, situation)
  } catch (error) {
    deadline.abort()
    const given = connectionFault(error, deadline, route.url, situation)
    return { ok: false, fault: given, unreachable: isUnreachable(error) }
  }
}

/** What follows of a document, which is given up when it is more than `most` characters. */
async function readRest(bytes: BodyText, response: Response, most: number): Promise<string> {
  let text = ""
  do {
    const more = moreText(bytes) ?? receive(bytes, await nextRead(bytes))
    if (more === undefined) return text
    text += more
  } while (text.length <= most && !isAll(bytes, response))
  if (text.length > most) bytes.deadline.abort()
  return text
}

/** All bytes of a reply that says how many they are have come, and were given: its end brings nothing new. */
function isAll({ unread, given, received }: BodyText, { headers }: Response): boolean {
  if (given < unread.length || received !== Number(headers.get("content-length") ?? -1)) return false
  // The length is that of what was sent, which may have been compressed, and counts for nothing beside chunks.
  return headers.get("content-encoding") === null && headers.get("transfer-encoding") === null
}

const failed = (given: Fault): FailedOpening => ({ ok: false, fault: given })

/** What a request says of itself, the key included; `body` is that of a Chat or a Responses request. */
export function requestHeaders(
  { profile, apiKey, headers: own }: Route,
  body: ChatRequest | ResponsesRequest,
  userAgent: string,
): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: body.stream === true ? "text/event-stream" : "application/json",
    "user-agent": userAgent,
  }
  // Compressed event streams arrive in lumps.
  if (body.stream === true) headers["accept-encoding"] = "identity"
  addHeaders(headers, profile.headers)
  if (profile.turnHeaders !== null) addTurnHeaders(headers, profile.turnHeaders, body)
  if (apiKey !== undefined && profile.auth === "api-key") headers["api-key"] = apiKey
  else if (apiKey !== undefined) headers["authorization"] = `Bearer ${apiKey}`
  addHeaders(headers, own)
  return headers
}

const imageTypes: ReadonlySet<unknown> = new Set(["image_url", "input_image"])

/** Copilot counts only what a person began, and has to be told of images. */
function addTurnHeaders(
  headers: Record<string, string>,
  names: NonNullable<ProviderProfile["turnHeaders"]>,
  body: ChatRequest | ResponsesRequest,
): void {
  const said: readonly object[] = "input" in body ? body.input : body.messages
  const hasImage = said.some((one) => {
    const { content, output } = objectOf(one)
    return [...arrayOf(content), ...arrayOf(output)].some((part) => imageTypes.has(objectOf(part)["type"]))
  })
  headers[names.initiator] = objectOf(said.at(-1))["role"] === "user" ? "user" : "agent"
  if (hasImage) headers[names.vision] = "true"
}

async function errorReply(
  response: Response,
  deadline: Deadline,
  options: TimedSituation,
): Promise<FailedOpening> {
  const { fault, body } = await readError(response, deadline, options)
  return body === undefined ? failed(fault) : { ok: false, fault, refused: { status: response.status, body } }
}

// Fireworks' usage does not always have it (docs.fireworks.ai, prompt caching; 2026-11).
const cachedHeader = "fireworks-cached-prompt-tokens"

// JSON, or HTML.
const documentStarts: ReadonlySet<string> = new Set(["{", "[", "<"])

/** A reply that is one document: JSON, or something that is no reply at all. */
function document(text: string, cachedTokens: number | undefined, options: TimedSituation): Sent {
  const bare = text.trim()
  const parsed = parseJson(bare)
  if (parsed.ok) return { ok: true, reply: { kind: "whole", reply: parsed.value }, cachedTokens }
  if (!bare.startsWith("<")) return failed(noReply(bare === "" ? "nothing" : "broken JSON", options.errors))
  // What answers any path with a page does not serve this one.
  return { ...failed(noReplyButPage(options.errors)), refused: { status: 200, body: bare.slice(0, 1_000) } }
}
