// What we put into a thinking block's `signature`: an opaque string that clients keep and return byte for byte.
// In it travels what the provider wants back with its reasoning, so that this proxy needs no memory. The prefix
// tells our own blocks from Anthropic's, which no other provider may be sent and the reverse.
import { arrayOf, isObject, type JsonObject, objectOf, parseJson, textOf } from "../../protocol/json.ts"
import type { Opaque } from "./delta.ts"
import { digest } from "./digest.ts"
import { continueDetails, mergeDetails, packDetails, unpackDetails } from "./reasoning-details.ts"

const prefix = "ccp1."

type EncryptedField = Extract<Opaque, { kind: "encrypted" }>["field"]

/** Opaque data of one thinking block, collected. */
export interface Cargo {
  /** OpenRouter's or MiniMax's list, its pieces joined. */
  readonly details: readonly JsonObject[]
  /** Gemini's signatures of calls, by the id the client knows each by. */
  readonly signatures: Readonly<Record<string, string>>
  /** Gemini's signature of the text. */
  readonly textSignature: string | undefined
  /** Texts in fields of their own. */
  readonly encrypted: Readonly<Partial<Record<EncryptedField, string>>>
  /** Encrypted contents of reasoning items (Responses API), in their order. */
  readonly items: readonly string[]
  /** The phase of the text that follows (Responses API). */
  readonly phase: string | undefined
}

export interface Carrier {
  readonly provider: string
  readonly model: string
  /** The reply field the reasoning came in; empty: there was no text. */
  readonly field: string
  readonly cargo: Cargo
}

export const noCargo: Cargo = {
  details: [],
  signatures: {},
  textSignature: undefined,
  encrypted: {},
  items: [],
  phase: undefined,
}

/** Is there nothing in it that would have to travel? */
export function isEmptyCargo(cargo: Cargo): boolean {
  if (cargo === noCargo) return true
  return (
    cargo.details.length === 0 &&
    cargo.items.length === 0 &&
    cargo.textSignature === undefined &&
    cargo.phase === undefined &&
    Object.keys(cargo.signatures).length === 0 &&
    Object.keys(cargo.encrypted).length === 0
  )
}

/** One more piece of opaque data. */
export function addCargo(cargo: Cargo, opaque: Opaque): Cargo {
  switch (opaque.kind) {
    case "details":
      return { ...cargo, details: mergeDetails(cargo.details, opaque.items) }
    case "signature": {
      const { toolId, value } = opaque
      if (toolId === undefined) return { ...cargo, textSignature: value }
      return { ...cargo, signatures: { ...cargo.signatures, [toolId]: value } }
    }
    case "encrypted": {
      const before = cargo.encrypted[opaque.field] ?? ""
      return { ...cargo, encrypted: { ...cargo.encrypted, [opaque.field]: before + opaque.value } }
    }
    case "item":
      return { ...cargo, items: [...cargo.items, opaque.value] }
    case "phase":
      return { ...cargo, phase: opaque.value }
    default:
      return opaque satisfies never
  }
}

/**
 * Without Gemini's signatures of words, by itself or as OpenRouter hands them on: only those of calls are asked for
 * (ai.google.dev, thought signatures: function calling alone is validated).
 */
export function withoutTextSignatures(cargo: Cargo): Cargo {
  if (isEmptyCargo(cargo)) return cargo
  const details = cargo.details.filter((item) => !isGeminiSignature(item))
  return { ...cargo, details, textSignature: undefined }
}

/** An item of OpenRouter's list that holds a signature of Gemini's, of a call or of words. */
export function isGeminiSignature({ type, format }: JsonObject): boolean {
  return type === "reasoning.encrypted" && format === "google-gemini-v1"
}

/** What two blocks of one message carry: an item may have begun in the first and ended in the second. */
export function continueCargo(first: Cargo, second: Cargo): Cargo {
  return { ...joinCargo(first, second), details: continueDetails(first.details, second.details) }
}

/** What two messages carry, in this order. */
export function joinCargo(first: Cargo, second: Cargo): Cargo {
  return {
    details: [...first.details, ...second.details],
    signatures: { ...first.signatures, ...second.signatures },
    textSignature: second.textSignature ?? first.textSignature,
    encrypted: { ...first.encrypted, ...second.encrypted },
    items: [...first.items, ...second.items],
    phase: second.phase ?? first.phase,
  }
}

/** A signature of our own for a block with this thinking text; never empty, ASCII only. */
export function encodeCarrier({ provider, model, field, cargo }: Carrier, thinking: string): string {
  const { details, signatures, textSignature, encrypted, items, phase } = cargo
  const json = JSON.stringify({
    p: provider,
    m: model,
    f: field,
    ...(details.length === 0 ? {} : { rd: packDetails(details, thinking) }),
    ...(Object.keys(signatures).length === 0 ? {} : { gts: signatures }),
    ...(textSignature === undefined ? {} : { ts: textSignature }),
    ...(Object.keys(encrypted).length === 0 ? {} : { enc: encrypted }),
    ...(items.length === 0 ? {} : { re: items }),
    ...(phase === undefined ? {} : { ph: phase }),
    // What belongs to a text must not go back with another one.
    ...(isEmptyCargo(cargo) || thinking === "" ? {} : { h: digest(thinking).slice(0, 8) }),
  })
  const bytes = new TextEncoder().encode(json)
  return prefix + bytes.toBase64({ alphabet: "base64url", omitPadding: true })
}

/**
 * What a signature of ours carries for a block with this thinking text; undefined when it is not ours or is
 * damaged. Of a block whose text was changed only the text is left.
 */
export function decodeCarrier(signature: string, thinking: string): Carrier | undefined {
  const data = readData(signature)
  if (data === undefined) return undefined
  const head = headOf(data)
  const hash = textOf(data["h"])
  if (hash !== undefined && hash !== digest(thinking).slice(0, 8)) return { ...head, cargo: noCargo }
  return {
    ...head,
    cargo: {
      details: unpackDetails(arrayOf(data["rd"]).filter(isObject), thinking),
      signatures: textsOf(data["gts"]),
      textSignature: textOf(data["ts"]),
      encrypted: textsOf(data["enc"]),
      items: arrayOf(data["re"]).filter((item) => typeof item === "string"),
      phase: textOf(data["ph"]),
    },
  }
}

/**
 * Gemini's signatures of calls that a signature of ours holds, each as one of ours by itself, by the calls' ids: for
 * clients that keep what a call brings, and no thinking blocks.
 */
export function carriersOfCalls(signature: string): Readonly<Record<string, string>> {
  const data = readData(signature)
  if (data === undefined) return {}
  const { provider, model } = headOf(data)
  const carrierOf = (signatures: Cargo["signatures"]) =>
    encodeCarrier({ provider, model, field: "", cargo: { ...noCargo, signatures } }, "")
  const entries = Object.entries(textsOf(data["gts"]))
  return Object.fromEntries(entries.map(([id, value]) => [id, carrierOf({ [id]: value })] as const))
}

function headOf(data: JsonObject): Omit<Carrier, "cargo"> {
  const text = (field: string) => textOf(data[field]) ?? ""
  return { provider: text("p"), model: text("m"), field: text("f") }
}

/** What stands in a signature; undefined when it is not ours or is damaged. */
function readData(signature: string): JsonObject | undefined {
  if (!isOurs(signature)) return undefined
  const json = decodeText(signature.slice(prefix.length))
  const parsed = json === undefined ? undefined : parseJson(json)
  return parsed?.ok === true && isObject(parsed.value) ? parsed.value : undefined
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(objectOf(value))
  return Object.fromEntries(
    entries.flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : [])),
  )
}

/** Signatures come from clients: anything may stand in them. */
function decodeText(encoded: string): string | undefined {
  try {
    const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" })
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Did this proxy (or another of its kind) write the signature? */
export function isOurs(signature: string): boolean {
  return signature.startsWith(prefix)
}
