// A request to an upstream that speaks Messages, repeated until its reply begins: with an event of a stream
// that is no error, or with a whole document. A stream that nobody asked for is read to its end as a document.
import { messageOfStream } from "../convert/direct-form.ts"
import { brokenUpstream, type Fault } from "../protocol/fault.ts"
import { isObject, type JsonObject, objectOf, parseJson } from "../protocol/json.ts"
import { createSseDecoder, type SseMessage } from "../protocol/sse.ts"
import { type ErrorContext, faultFromError, faultFromJson, isErrorJson } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import { attempt } from "../upstream/attempts.ts"
import type { Batches } from "../upstream/batches.ts"
import {
  type DirectFailure,
  type DirectHead,
  type DirectInput,
  type DirectSendOptions,
  type Refusal,
  refusalOf,
  sendDirect,
  tooLong,
} from "../upstream/direct.ts"
import { inWords, noReply } from "../upstream/no-reply.ts"
import { type KeyTurn, sendInTurn } from "./keys.ts"

export type DirectOpening =
  | {
      readonly ok: true
      readonly kind: "stream"
      readonly head: DirectHead
      readonly batches: Batches<DirectInput>
    }
  | {
      readonly ok: true
      readonly kind: "document"
      readonly head: DirectHead
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly json: JsonObject
    }
  | DirectFailure

export interface DirectOpenOptions extends DirectSendOptions {
  /** The keys to send, one after the other. */
  readonly keys: KeyTurn
  readonly maxRetries: number
  /** Another upstream is there for the same request. */
  readonly hasNext?: () => boolean
  readonly onRetry: (fault: Fault, attempt: number, waitMs: number) => void
  /** Called whenever a request leaves, and once when the last one of them is being answered. */
  readonly onSend?: () => void
  readonly onAnswer?: () => void
}

// As for converted replies: what is much more is something else.
const documentLimit = 64 * 1024 * 1024

/** Sends `text` until the reply begins or must be given up. Never rejects. */
export async function openDirect(
  route: Route,
  text: string,
  headers: Headers,
  options: DirectOpenOptions,
): Promise<DirectOpening> {
  const { errors, keys } = options
  let head: DirectHead = { status: 200, headers: {} }
  let refusal: Refusal | undefined
  const expected = { stream: options.stream, message: options.endpoint === "" }
  let judge = createJudge(errors, expected)
  const { opening } = await attempt<DirectOpenOptions, DirectInput>(options, {
    open: async () => {
      const sent = await sendInTurn(keys, route, options, (to) => {
        options.onSend?.()
        return sendDirect(to, text, headers, options)
      })
      refusal = sent.ok ? undefined : sent.refusal
      if (sent.ok) head = sent.head
      judge = createJudge(errors, expected)
      return sent
    },
    scale: () => (batch) => {
      const worth = judge.weigh(batch)
      const said = judge.error()
      if (said !== undefined && typeof worth !== "string") {
        const json = { ...head.headers, "content-type": "application/json" }
        refusal = refusalOf({ status: worth.status, headers: json }, said, errors)
      }
      return worth
    },
    // A key may also be refused inside a reply that began well; of all else the turn has heard already.
    amend: (_options, failed) => keys.failed(failed.fault),
    hasNext: options.hasNext,
    random: Math.random,
    onRetry: (_options, ...failed) => options.onRetry(...failed),
  })
  if (!opening.ok) {
    return { ok: false, fault: opening.fault, ...(refusal === undefined ? {} : { refusal }) }
  }
  keys.worked()
  options.onAnswer?.()
  const json = judge.document()
  if (json === undefined) return { ok: true, kind: "stream", head, batches: opening.batches }
  const bytes = await readAll(opening.batches)
  if (!judge.folded()) return { ok: true, kind: "document", head, bytes, json }
  const asJson = { ...head.headers, "content-type": "application/json" }
  return {
    ok: true,
    kind: "document",
    head: { ...head, headers: asJson },
    bytes: Buffer.from(JSON.stringify(json)),
    json,
  }
}

async function readAll(batches: Batches<DirectInput>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  for (let batch = batches.next(); batch !== undefined; batch = batches.next()) {
    if (batch instanceof Promise) await batch
    else for (const input of batch) if (input.kind === "bytes") chunks.push(input.bytes)
  }
  return Buffer.concat(chunks)
}

type Worth = "wait" | "go" | Fault

// Overloaded upstreams begin a message and fail then.
const preludes: ReadonlySet<unknown> = new Set(["message_start", "ping"])

interface Expected {
  readonly stream: boolean
  /** Else it is a count of tokens. */
  readonly message: boolean
}

/** Reads one reply until it is known what it is. */
interface Judge {
  readonly weigh: (batch: readonly DirectInput[]) => Worth
  /** The whole document, once it is there and good. */
  readonly document: () => JsonObject | undefined
  /** Is the document what the events of a stream told? */
  readonly folded: () => boolean
  /** The JSON of an error that came with a 200. */
  readonly error: () => string | undefined
}

function createJudge(errors: ErrorContext, { stream: streamed, message: isMessage }: Expected): Judge {
  const decoder = new TextDecoder()
  const sse = createSseDecoder()
  let kind: "unknown" | "stream" | "document" = "unknown"
  let text = ""
  let document: JsonObject | undefined
  let error: string | undefined
  let begun = false
  const events: JsonObject[] = []

  /** What kind of body it is, is judged by its first visible character: content types are not reliable. */
  function start(): Worth {
    text = text.trimStart()
    const first = text[0]
    if (first === undefined) return "wait"
    kind = "{[<".includes(first) ? "document" : "stream"
    return kind === "stream" ? weighMessages(sse.push(text)) : "wait"
  }

  function weighText(fresh: string): Worth {
    text += fresh
    if (text.length > documentLimit) return tooLong(errors, "a reply", documentLimit)
    if (kind === "unknown") return start()
    return kind === "stream" ? weighMessages(sse.push(fresh)) : "wait"
  }

  function weighMessages(messages: readonly SseMessage[]): Worth {
    for (const message of messages) {
      const worth = weighMessage(message)
      if (typeof worth !== "string" || (streamed && worth === "go")) return worth
      if (streamed) continue
      const parsed = parseJson(message.data)
      if (parsed.ok && isObject(parsed.value)) events.push(parsed.value)
    }
    return "wait"
  }

  /** An error is worth another attempt; what says nothing yet may still be followed by one. */
  function weighMessage({ event, data }: SseMessage): Worth {
    const parsed = parseJson(data)
    const value = parsed.ok ? parsed.value : undefined
    if (event !== "error" && !isErrorJson(value))
      return weighEvent(event ?? objectOf(value)["type"], value, data)
    error = data
    return parsed.ok ? faultFromJson(parsed.value, errors) : asError(data)
  }

  /** Whatever comes before the beginning of a message is none; nothing of it has gone out yet. */
  function weighEvent(type: unknown, value: unknown, data: string): Worth {
    if (type === "message_start") begun = true
    if (preludes.has(type) || data.trim() === "") return "wait"
    if (value === undefined) return begun ? "wait" : asError(data)
    if (begun) return "go"
    const known = typeof type === "string" && !/^(?:content_block|message)_/.test(type)
    return known ? "wait" : noReply("events that are no message", errors)
  }

  /** Gateways say in plain words what is wrong, where a stream should begin. */
  const asError = (text: string): Fault =>
    faultFromError({ status: 502, header: () => null, body: text }, errors)

  function weighDocument(): Worth {
    const parsed = parseJson(text)
    if (!parsed.ok) return noReply(text.startsWith("<") ? "an HTML page" : "broken JSON", errors)
    if (isErrorJson(parsed.value)) {
      error = text
      return faultFromJson(parsed.value, errors)
    }
    const { value } = parsed
    if (!isObject(value) || (isMessage && !Array.isArray(value["content"])))
      return noReply("JSON that is no message", errors)
    document = value
    return "go"
  }

  function weighEnd(): Worth {
    if (kind === "document") return weighDocument()
    if (!streamed) {
      const worth = weighMessages(sse.flush())
      if (typeof worth !== "string") return worth
      document = messageOfStream(events)
      if (document !== undefined) return "go"
    }
    const [last] = sse.flush()
    const worth = last !== undefined && parseJson(last.data).ok ? weighMessage(last) : "wait"
    return worth === "wait" ? endedEarly() : worth
  }

  function endedEarly(): Fault {
    const cut = `[${errors.provider}] the upstream closed the connection before its reply began`
    return inWords(text, errors) ?? brokenUpstream(cut)
  }

  function weigh(batch: readonly DirectInput[]): Worth {
    for (const input of batch) {
      if (input.kind === "fault") return input.fault
      const worth =
        input.kind === "end" ? weighEnd() : weighText(decoder.decode(input.bytes, { stream: true }))
      if (worth !== "wait") return worth
    }
    return "wait"
  }

  return { weigh, document: () => document, folded: () => kind === "stream", error: () => error }
}
