// What earlier answers thought, where an upstream wants it back and it was not sent: the model goes by a name that
// does not say whose it is, or another model gave those answers.
import type { ChatAssistantMessage } from "../../protocol/chat/chat.ts"
import { changed, dropped } from "../../protocol/fault.ts"
import { signedByGoogle } from "../common/google-fields.ts"
import type { Conversion } from "../request/request.ts"
import type { ResponsesParts } from "../request/responses-body.ts"
import { type Amended, withMessages } from "./amend-messages.ts"
import { thinkingOff } from "./amend-tools.ts"

/**
 * What has to be sent back: `reasoning_content` with all answers, or with those that have calls; Gemini's signatures;
 * Claude's blocks of thinking.
 */
export const reasoningWanted = ["all", "calls", "signatures", "blocks"] as const

export type ReasoningWanted = (typeof reasoningWanted)[number]

/** What stands for the reasoning: what was thought is not known here. */
export function withReasoning(conversion: Conversion, on: ReasoningWanted): Amended | undefined {
  if (on === "blocks") return thinkingAnew(conversion)
  const stand = on === "signatures" ? unsigned : (message: ChatAssistantMessage) => unthought(message, on)
  const messages = conversion.body.messages.map((message) =>
    message.role === "assistant" ? stand(message) : message,
  )
  const why =
    "without reasoning it is refused here: with its profile in models.yaml the model gets what it thought"
  return withMessages(conversion, messages, undefined, changed("messages", why))
}

function unthought(message: ChatAssistantMessage, on: ReasoningWanted): ChatAssistantMessage {
  const isFine =
    message.reasoning_content !== undefined || (on === "calls" && message.tool_calls === undefined)
  return isFine ? message : { ...message, reasoning_content: "" }
}

/** Google's word for calls that nobody signed, on the first (ai.google.dev, thought signatures). */
function unsigned(message: ChatAssistantMessage): ChatAssistantMessage {
  const [first, ...others] = message.tool_calls ?? []
  if (first === undefined || (first.extra_content ?? message.reasoning_details) !== undefined) return message
  const signed = { ...first, ...signedByGoogle("skip_thought_signature_validator") }
  return { ...message, tool_calls: [signed, ...others] }
}

/** Claude thinks on only where it thought before its last calls; from the user's next words on it may again. */
function thinkingAnew(conversion: Conversion): Amended | undefined {
  const { body } = conversion
  const last = body.messages.findLast(({ role }) => role === "assistant")
  const isBroken =
    last?.role === "assistant" && last.tool_calls !== undefined && last.reasoning_details === undefined
  const off = isBroken ? thinkingOff(body) : undefined
  if (off === undefined) return undefined
  const note = changed(
    "thinking",
    "switched off until the calls are over: the upstream wants their thinking back",
  )
  return { conversion: { ...conversion, body: off }, notes: [note] }
}

/** A change of the reasoning that only the Responses API knows. */
export type ReasoningAmendment =
  /** Summaries of reasoning, which OpenAI gives to verified organizations only. */
  | { readonly kind: "summary" }
  /** Encrypted reasoning, which only reasoning models give; or whatever else is included. */
  | { readonly kind: "encrypted" }
  /** Encrypted reasoning of another key's or organization's, which this one cannot read. */
  | { readonly kind: "forget" }

/** The conversion with that change of its reasoning; undefined where it has none. */
export function changeReasoning(
  conversion: Conversion,
  kind: ReasoningAmendment["kind"],
): Amended | undefined {
  const { responses } = conversion
  if (responses === undefined) return undefined
  const { input, search, withoutSources, summarises, keepsReasoning } = responses
  const changedTo = (parts: Partial<ResponsesParts>, path: string, why: string): Amended => ({
    conversion: { ...conversion, responses: { ...responses, ...parts } },
    notes: [dropped(path, why)],
  })
  switch (kind) {
    case "summary":
      if (!summarises) return undefined
      return changedTo({ summarises: false }, "thinking.display", "summaries of reasoning are refused here")
    case "encrypted":
      if (keepsReasoning)
        return changedTo({ keepsReasoning: false }, "thinking", "encrypted reasoning is refused here")
      // Where nothing else was included (xAI, openclaw/openclaw#12910).
      return search.length === 0 || withoutSources
        ? undefined
        : changedTo({ withoutSources: true }, "tools", "the sources of a search are refused here")
    case "forget": {
      const kept = input.filter(({ type }) => type !== "reasoning")
      if (kept.length === input.length) return undefined
      return changedTo({ input: kept }, "messages.content", "earlier reasoning that the upstream cannot read")
    }
    default:
      return kind satisfies never
  }
}
