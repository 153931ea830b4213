// What the reply of an upstream that speaks Messages is, found out from its first bytes: the beginning of a message, a
// whole document, an error, or nothing of the kind.
import { messageOfStream } from "../../convert/direct/direct-form.ts"
import {
  type ErrorContext,
  faultFromJson,
  faultFromWords,
  isErrorJson,
} from "../../protocol/errors/upstream-error.ts"
import type { Fault } from "../../protocol/fault.ts"
import { isObject, type JsonObject, objectOf, parseJson } from "../../protocol/json.ts"
import { createSseDecoder, type SseMessage } from "../../protocol/sse.ts"
import type { DirectInput } from "../../upstream/direct.ts"
import { closedEarly, inWords, noReply, noReplyButPage } from "../../upstream/no-reply.ts"
import { longestDocument, tooLong } from "../../upstream/reply-limits.ts"

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

export function createJudge(errors: ErrorContext, { stream: streamed, message: isMessage }: Expected): Judge {
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
    if (text.length > longestDocument) return tooLong(errors, "a reply", longestDocument)
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
    return parsed.ok ? faultFromJson(parsed.value, errors) : faultFromWords(data, errors)
  }

  /** Whatever comes before the beginning of a message is none; nothing of it has gone out yet. */
  function weighEvent(type: unknown, value: unknown, data: string): Worth {
    if (type === "message_start") begun = true
    if (preludes.has(type) || data.trim() === "") return "wait"
    if (value === undefined) return begun ? "wait" : faultFromWords(data, errors)
    if (begun) return "go"
    const known = typeof type === "string" && !/^(?:content_block|message)_/.test(type)
    return known ? "wait" : noReply("events that are no message", errors)
  }

  function weighDocument(): Worth {
    const parsed = parseJson(text)
    if (!parsed.ok) return text.startsWith("<") ? noReplyButPage(errors) : noReply("broken JSON", errors)
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
    return inWords(text, errors) ?? closedEarly(errors, "began")
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
