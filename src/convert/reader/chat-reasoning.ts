// The reasoning half of the Chat reader: which field holds it, and the opaque data beside it that the provider
// will want back.
import { arrayOf, isObject, type JsonObject, textOf } from "../../protocol/json.ts"
import type { Delta, Opaque } from "../common/delta.ts"
import { googleSignature } from "../common/google-fields.ts"
import { detailText } from "../common/reasoning-details.ts"
import type { ToolState } from "../tool-calls/tool-slots.ts"
import { type ReaderState, reasoning, type Step, take } from "./reader-text.ts"

/**
 * The first field that holds anything; they are never joined, because some hosts fill two with one text. `known`
 * is that field where it is known already.
 */
export function readReasoning(
  state: ReaderState,
  content: JsonObject,
  known: string | undefined,
  out: Delta[],
): void {
  const field = known ?? filledField(content, state.options.profile.reasoning.replyFields)
  if (field !== undefined) {
    take(inField(state, saidIn(content[field]) ?? "", field), out)
    return
  }
  if (state.thoughtInField || content["reasoning_details"] === undefined) return
  const pieces = detailsOf(content)
  if (pieces.length > 0) take(reasoning(state, pieces.map(detailText).join(""), "reasoning_details"), out)
}

function filledField(content: JsonObject, fields: readonly string[]): string | undefined {
  for (const field of fields) if (saidIn(content[field]) !== undefined) return field
  return undefined
}

/** Envoy's gateway before Bedrock hands on the object that the reasoning stands in (envoyproxy/ai-gateway#1222). */
function saidIn(value: unknown): string | undefined {
  return isObject(value) ? textOf(value["text"]) : textOf(value)
}

/** Reasoning in a field of its own. */
export function inField(state: ReaderState, text: string, field: string): Step {
  expectNoTag(state)
  if (text !== "") state.thoughtInField = true
  return reasoning(state, text, field)
}

/** A server that has a field for reasoning has taken it out of the text: no closing tag will come. */
function expectNoTag(state: ReaderState): void {
  const { tags } = state
  if (tags.unproved !== undefined && tags.mode === "start") state.tags = { ...tags, unproved: undefined }
}

const detailsOf = (content: JsonObject) => arrayOf(content["reasoning_details"]).filter(isObject)

/** What only the provider can read. Where the client switched thinking off it is kept only if it must be. */
export function readOpaque({ options }: ReaderState, content: JsonObject, out: Delta[]): void {
  if (!holdsOpaque(content)) return
  const { showReasoning, profile } = options
  if (!showReasoning && !profile.reasoning.sendBackWhenOff) return
  const pieces = detailsOf(content)
  if (pieces.length > 0) out.push(opaque({ kind: "details", items: pieces }))
  for (const field of ["encrypted_content", "reasoning_opaque"] as const) {
    const value = textOf(content[field])
    if (value !== undefined) out.push(opaque({ kind: "encrypted", field, value }))
  }
  const value = googleSignature(content)
  if (value !== undefined) out.push(opaque({ kind: "signature", toolId: undefined, value }))
}

const opaque = (given: Opaque): Delta => ({ kind: "opaque", opaque: given })

function holdsOpaque(content: JsonObject): boolean {
  return (
    content["reasoning_details"] !== undefined ||
    content["encrypted_content"] !== undefined ||
    content["reasoning_opaque"] !== undefined ||
    content["extra_content"] !== undefined
  )
}

/**
 * Gemini's signatures of the calls in one chunk, each by the id that the client knows the call by. `before` and
 * `now` are the calls before and after the chunk was read.
 */
export function readSignatures(
  calls: readonly unknown[],
  before: ToolState,
  now: ToolState,
): readonly Delta[] {
  const added = now.slots.slice(before.slots.length)
  return calls.filter(isObject).flatMap((call, position): readonly Delta[] => {
    const value = googleSignature(call)
    if (value === undefined) return []
    const id = textOf(call["id"])
    const slot =
      (id === undefined ? undefined : now.slots.findLast(({ upstreamId }) => upstreamId === id)) ??
      (added.length === calls.length ? added[position] : now.slots[now.current])
    return slot === undefined
      ? []
      : [{ kind: "opaque", opaque: { kind: "signature", toolId: slot.id, value } }]
  })
}
