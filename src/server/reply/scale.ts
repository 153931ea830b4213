// What a reply is worth, as far as it has come: whether it goes out, or is asked for again.
import type { Delta } from "../../convert/common/delta.ts"
import type { Conversion } from "../../convert/request/request.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import { type Fault, fault } from "../../protocol/fault.ts"
import type { StopReason } from "../../protocol/messages/messages.ts"
import { wholeOf } from "../../protocol/texts.ts"
import { closedEarly } from "../../upstream/no-reply.ts"

/** What is known of a request whose reply is weighed. */
interface Scaled {
  readonly errors: ErrorContext
  readonly mayBeEmpty: boolean
  /** The client gets one document, whatever the upstream sends: nothing of it before its end. */
  readonly isWhole: boolean
  /** The client can do nothing with a reply that holds no text, nor with half of one. */
  readonly wantsText: boolean
  /** Hears that the upstream answered, and that it was no answer. */
  readonly onUnheard: () => void
}

/** Nothing is an answer where the client began it itself, or where a stop sequence may stand at its very beginning. */
export function mayBeEmpty({ body, repeats }: Pick<Conversion, "body" | "repeats">): boolean {
  return body.stop !== undefined || repeats !== "" || body.messages.at(-1)?.role === "assistant"
}

/**
 * Content or a clean end: go. A failure before either is worth another attempt, and so is a reply that ends
 * normally and holds nothing at all, unless it `mayBeEmpty`; one that was cut by its limit before its first word is a
 * reply. Of a reply that is needed whole, content alone decides nothing.
 */
export function createScale(asked: Scaled): (batch: readonly Delta[]) => "wait" | "go" | Fault {
  const waits = asked.isWhole || asked.wantsText
  const heard: Heard = { began: false, text: "", reason: undefined }
  return (batch) => {
    for (const delta of batch) {
      if (delta.kind === "fault") return delta.fault
      if (delta.kind === "end") return endWorth(delta.clean, heard, asked)
      hear(heard, delta, asked)
      if (heard.began && !waits) return "go"
    }
    return "wait"
  }
}

function hear(heard: Heard, delta: Delta, { wantsText }: Scaled): void {
  if (delta.kind === "finish") heard.reason = delta.reason
  heard.began ||= isContent(delta)
  if (wantsText) heard.text += textIn(delta)
}

const isContent = ({ kind }: Delta): boolean => kind !== "finish" && kind !== "usage" && kind !== "note"

function textIn(delta: Delta): string {
  if (delta.kind === "text") return delta.text
  return delta.kind === "run" && delta.like.kind === "text" ? wholeOf(delta) : ""
}

/** What has come of a reply so far. */
interface Heard {
  began: boolean
  /** Kept where text alone counts. */
  text: string
  reason: StopReason | undefined
}

function endWorth(clean: boolean, heard: Heard, asked: Scaled): "go" | Fault {
  const { errors, mayBeEmpty, wantsText } = asked
  const { began, reason } = heard
  if (!clean) return closedEarly(errors, began ? "was complete" : "began")
  if (wantsText ? isSummary(heard) : began) return "go"
  const isNothing = reason === "tool_use" || (reason === "end_turn" && !mayBeEmpty)
  if (!isNothing) return "go"
  asked.onUnheard()
  return began
    ? unheard(errors, "without a text that a summary can be taken from")
    : unheard(errors, "with nothing: no text and no tool call")
}

/** What is said before a call is no summary, unless it is marked as one. */
function isSummary({ text, reason }: Heard): boolean {
  return reason === "tool_use" ? text.includes("<summary>") : text.trim() !== ""
}

function unheard({ provider, model }: ErrorContext, how: string): Fault {
  const message = `[${provider}] ${model} answered ${how}; send the request again, or name another model`
  const about = { kind: "api_error", source: "upstream", status: 502, retry: "once" } as const
  return fault({ ...about, finalForClient: true, message })
}
