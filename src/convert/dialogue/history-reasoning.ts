// The reasoning of earlier turns, in the form the provider at hand wants it back: which of it is its own, what
// else may be sent as plain words, and what stands in where there is none.

import type { ChatAssistantMessage, ChatToolCall, ThinkingPart } from "../../protocol/chat/chat.ts"
import { type JsonObject, lookUp } from "../../protocol/json.ts"
import type { ContentBlock } from "../../protocol/messages/content-block.ts"
import type { ReasoningProfile } from "../../providers/profile.ts"
import {
  type Cargo,
  carriersOfCalls,
  continueCargo,
  decodeCarrier,
  isGeminiSignature,
  joinCargo,
  noCargo,
} from "../common/carrier.ts"
import { signedByGoogle } from "../common/google-fields.ts"

/** A thinking block as a client sends it back, or as this proxy remembers it. */
export interface ThinkingBlock {
  readonly thinking: string
  readonly signature: string
}

/** What one assistant message thought. */
export interface Thoughts {
  readonly text: string
  /** Opaque data that this provider and this model gave. */
  readonly cargo: Cargo
  /** Is all of the text this model's own? */
  readonly own: boolean
}

export const noThoughts: Thoughts = { text: "", cargo: noCargo, own: true }

/** Who would get the reasoning now. */
export interface Target {
  readonly provider: string
  readonly model: string
}

/** The thinking of a message: readable text from anybody, opaque data only from the very same model. */
export function readThoughts(blocks: readonly ThinkingBlock[], target: Target): Thoughts {
  let thoughts = noThoughts
  for (const { thinking, signature } of blocks) {
    const carrier = decodeCarrier(signature, thinking)
    const own = carrier !== undefined && addressOf(carrier) === addressOf(target)
    const cargo = own ? carrier.cargo : noCargo
    thoughts = {
      text: thoughts.text + thinking.toWellFormed(),
      cargo: cargo === noCargo && thoughts.cargo === noCargo ? noCargo : continueCargo(thoughts.cargo, cargo),
      own: thoughts.own && (own || thinking === ""),
    }
  }
  return thoughts
}

const addressOf = ({ provider, model }: Target): string => `${provider} ${model}`

export function joinThoughts(first: Thoughts, second: Thoughts): Thoughts {
  return {
    text: first.text + second.text,
    cargo: joinCargo(first.cargo, second.cargo),
    own: first.own && second.own,
  }
}

/** A block of thinking, if it is one; redacted ones that are ours are such blocks without text. */
export function thinkingBlock(block: ContentBlock): ThinkingBlock | undefined {
  if (block.type === "thinking") return block
  return block.type === "redacted_thinking" ? { thinking: "", signature: block.data } : undefined
}

/** Does more than its words come with it? */
export const isSigned = ({ signature }: ThinkingBlock): boolean => signature !== ""

/** Other words or signatures are another reply's: providers that number their calls use an id more than once. */
export function isSameReply(kept: readonly ThinkingBlock[], remembered: readonly ThinkingBlock[]): boolean {
  if (wordsOf(remembered) !== wordsOf(kept)) return false
  const known = remembered.flatMap(({ signature }) => [
    signature,
    ...Object.values(carriersOfCalls(signature)),
  ])
  return kept.every((block) => !isSigned(block) || known.includes(block.signature))
}

const wordsOf = (blocks: readonly ThinkingBlock[]): string => blocks.map(({ thinking }) => thinking).join("")

type ReasoningFields = Pick<
  ChatAssistantMessage,
  | "reasoning_content"
  | "reasoning"
  | "reasoning_text"
  | "reasoning_details"
  | "encrypted_content"
  | "reasoning_opaque"
  | "extra_content"
>

const noFields: ReasoningFields = Object.freeze({})

/** The fields beside an assistant's text that carry its reasoning. Nothing where the provider wants none. */
export function reasoningFields(
  { text, cargo, own }: Thoughts,
  calls: readonly Call[],
  profile: ReasoningProfile,
): ReasoningFields {
  const { sendBackAs, backfill } = profile
  const encrypted = encryptedFields(cargo)
  if (!isWanted(profile, calls.length > 0)) return encrypted
  const words = text === "" ? backfill : text
  switch (sendBackAs) {
    case "reasoning_content":
    case "reasoning":
    case "reasoning_text":
      return words === null ? encrypted : { [sendBackAs]: words, ...encrypted }
    case "both":
      return words === null ? noFields : { reasoning: words, reasoning_content: words }
    case "reasoning_details": {
      // Others than its own would be refused; a model that gave no details gave plain text.
      const details = signed(detailsOf(cargo.details, calls), calls, backfill)
      if (details.length > 0) return { reasoning_details: details }
      return own && text !== "" ? { reasoning: text } : noFields
    }
    case "thought-signature": {
      const signature = cargo.textSignature
      return signature === undefined ? noFields : signedByGoogle(signature)
    }
    case "thinking-parts":
    case "think-tags":
    case "items":
      return noFields
    default:
      return sendBackAs satisfies never
  }
}

/**
 * Gemini's signatures, which OpenRouter knows by the ids of the calls, under the ids that these go by now: some were
 * too long for the provider, or no ids for the client, which then has one of ours in their order (cline/cline#8291).
 */
function detailsOf(details: readonly JsonObject[], calls: readonly Call[]): readonly JsonObject[] {
  const signatures = details.filter((item) => isGeminiSignature(item) && typeof item["id"] === "string")
  if (signatures.length === 0) return details
  const named = new Set(signatures.map(({ id }) => id))
  const others = calls.filter(({ id }) => !named.has(id) && id.startsWith("toolu_"))
  const ids = new Map<unknown, string>(calls.map(({ id, call }) => [id, call.id]))
  for (const id of named) {
    const other = ids.has(id) ? undefined : others.shift()
    if (other !== undefined) ids.set(id, other.call.id)
  }
  return details.map((item) => {
    const id = signatures.includes(item) ? ids.get(item["id"]) : undefined
    return id === undefined || id === item["id"] ? item : { ...item, id }
  })
}

/**
 * Where nothing signs the calls, the word for that signs the first one, as the only item that OpenRouter asks for. An
 * empty text is no such word: it is what models of others get for want of reasoning.
 */
function signed(
  details: readonly JsonObject[],
  [first]: readonly Call[],
  backfill: string | null,
): readonly JsonObject[] {
  if (!backfill || first === undefined || details.some(isGeminiSignature)) return details
  const { id } = first.call
  return [...details, { ...{ type: "reasoning.encrypted", data: backfill, id }, ...geminiItem }]
}

const geminiItem = { format: "google-gemini-v1", index: 0 } as const

/** Does the provider want the reasoning of such a turn? */
function isWanted({ sendBack }: ReasoningProfile, hasCalls: boolean): boolean {
  return sendBack === "all-turns" || (sendBack === "tool-turns" && hasCalls)
}

function encryptedFields({ encrypted }: Cargo): ReasoningFields {
  const { encrypted_content, reasoning_opaque } = encrypted
  if (encrypted_content === undefined && reasoning_opaque === undefined) return noFields
  return {
    ...(encrypted_content === undefined ? {} : { encrypted_content }),
    ...(reasoning_opaque === undefined ? {} : { reasoning_opaque }),
  }
}

/** Reasoning that stands in the content itself, before the text; undefined where it does not. */
export function reasoningPart(
  { text }: Thoughts,
  hasCalls: boolean,
  profile: ReasoningProfile,
): ThinkingPart | string | undefined {
  if (text === "" || !isWanted(profile, hasCalls)) return undefined
  // The line break before the closing tag was kept with the text: with one more the prompt would not be the same.
  if (profile.sendBackAs === "think-tags") return `<think>\n${text.replace(/\n$/, "")}\n</think>\n\n`
  if (profile.sendBackAs !== "thinking-parts") return undefined
  return { type: "thinking", thinking: [{ type: "text", text }], closed: true }
}

/** Gemini's signatures on the calls it gave them for; its word for "none" on a first call without one. */
export function signCalls(
  calls: readonly Call[],
  { cargo }: Thoughts,
  { sendBack, sendBackAs, backfill }: ReasoningProfile,
): readonly ChatToolCall[] {
  if (sendBack === "never" || sendBackAs !== "thought-signature") return calls.map(callOf)
  return withSignatures(calls, cargo, backfill)
}

interface Call {
  readonly id: string
  readonly call: ChatToolCall
}

const callOf = ({ call }: Call): ChatToolCall => call

function withSignatures(
  calls: readonly Call[],
  cargo: Cargo,
  backfill: string | null,
): readonly ChatToolCall[] {
  return calls.map(({ id, call }, index) => {
    const own = lookUp(cargo.signatures, id)
    const signature = own ?? (index === 0 ? backfill : null)
    return signature === null ? call : { ...call, ...signedByGoogle(signature) }
  })
}
