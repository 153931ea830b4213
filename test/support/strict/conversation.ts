// A strict server with a memory, for scripted conversations: it knows what reasoning it gave in its own
// replies, and refuses a later request that has lost it, changed it, or brings some that is not its own.
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../../src/protocol/json.ts"
import { strictProvider } from "./providers.ts"

export interface StrictConversation {
  /** The assistant's message as this server gave it: `choices[0].message` of a whole reply. */
  readonly expectReply: (message: JsonObject) => void
  /** Every reason for which the next request would be refused; empty: it is accepted. */
  readonly check: (body: JsonObject) => readonly string[]
}

export interface StrictMemory {
  /** Turns of its own may come back with the documented stand-in where their reasoning is lost. */
  readonly forgiveLost?: boolean
  /** Plain reasoning text of other models is taken too: a server cannot tell it from its own by looking. */
  readonly takeForeignText?: boolean
}

/** What stands in for reasoning that nobody has (their documentation; googleapis/js-genai#1275). */
const standIns: readonly unknown[] = ["", ".", " ", "skip_thought_signature_validator"]

interface Memory {
  readonly texts: readonly string[]
  readonly details: readonly JsonObject[]
  /** By place of the call; -1: the message's own. */
  readonly signatures: ReadonlyMap<number, string>
}

const plainFields = ["reasoning_content", "reasoning", "reasoning_text"]
const textFields = [...plainFields, "encrypted_content", "reasoning_opaque"]

export function createStrictConversation(id: string, memory: StrictMemory = {}): StrictConversation {
  const provider = strictProvider(id)
  const replies = new Map<string, Memory[]>()

  function expectReply(message: JsonObject): void {
    const key = keyOf(message)
    replies.set(key, [...(replies.get(key) ?? []), remember(message)])
  }

  function check(body: JsonObject): readonly string[] {
    const waiting = new Map([...replies].map(([key, list]) => [key, [...list]]))
    const reasons = arrayOf(body["messages"]).flatMap((item, index) => {
      const message = objectOf(item)
      if (message["role"] !== "assistant") return []
      const own = waiting.get(keyOf(message))?.shift()
      const path = `messages[${index}]`
      return own === undefined ? checkForeign(message, path, memory) : checkOwn(message, own, path, memory)
    })
    return [...provider.check(body, String(body["model"])), ...reasons]
  }

  return { expectReply, check }
}

/** A turn is known again by its text and calls; ids may have been exchanged on the way. */
function keyOf(message: JsonObject): string {
  const { content } = message
  const parts = arrayOf(content).map((part) => String(objectOf(part)["text"] ?? ""))
  const text = typeof content === "string" ? content : parts.join("")
  const calls = arrayOf(message["tool_calls"]).map((call) => {
    const { name, arguments: args } = objectOf(objectOf(call)["function"])
    const parsed = parseJson(String(args))
    return [name, parsed.ok ? parsed.value : args]
  })
  return JSON.stringify([text.trim(), calls])
}

function remember(message: JsonObject): Memory {
  return {
    texts: textFields.flatMap((field) => (typeof message[field] === "string" ? [message[field]] : [])),
    details: arrayOf(message["reasoning_details"]).map(objectOf),
    signatures: signaturesOf(message),
  }
}

function signaturesOf(message: JsonObject): ReadonlyMap<number, string> {
  const holders = [message, ...arrayOf(message["tool_calls"]).map(objectOf)]
  return new Map(
    holders.flatMap((holder, index) => {
      const value = objectOf(objectOf(holder["extra_content"])["google"])["thought_signature"]
      return typeof value === "string" ? [[index - 1, value] as const] : []
    }),
  )
}

function checkForeign(message: JsonObject, path: string, memory: StrictMemory): readonly string[] {
  const plain = memory.takeForeignText === true ? plainFields : []
  const texts = textFields.filter(
    (field) => message[field] !== undefined && !plain.includes(field) && !standIns.includes(message[field]),
  )
  const signatures = [...signaturesOf(message)].filter(([, value]) => !standIns.includes(value))
  return [
    ...texts.map((field) => `${path}.${field}: reasoning that was not given here`),
    ...(arrayOf(message["reasoning_details"]).length > 0
      ? [`${path}.reasoning_details: reasoning that was not given here`]
      : []),
    ...signatures.map(([place]) => `${path}: Thought signature is not valid. (${place})`),
  ]
}

function checkOwn(message: JsonObject, own: Memory, path: string, memory: StrictMemory): readonly string[] {
  const forgiven = (value: unknown): boolean =>
    memory.forgiveLost === true && (value === undefined || standIns.includes(value))
  return [
    ...checkTexts(message, own, path, forgiven),
    ...checkDetails(message, own, path, forgiven),
    ...checkSignatures(message, own, path, forgiven),
  ]
}

type Forgiven = (value: unknown) => boolean

/** A turn with calls needs its text again; any other may come without, but not with another one. */
function checkTexts(message: JsonObject, own: Memory, path: string, forgiven: Forgiven): readonly string[] {
  const given = textFields.flatMap((field) => (message[field] === undefined ? [] : [message[field]]))
  const wrong = given.filter((text) => text !== "" && !own.texts.includes(String(text)) && !forgiven(text))
  const kept = given.some((text) => own.texts.includes(String(text)))
  const needed =
    own.texts.some((text) => text !== "") && message["tool_calls"] !== undefined && own.details.length === 0
  return [
    ...wrong.map(() => `${path}: the reasoning is not the one that was given`),
    ...(needed && !kept && !forgiven(given[0])
      ? [`${path}: the reasoning of this turn must be passed back unchanged`]
      : []),
  ]
}

function checkDetails(message: JsonObject, own: Memory, path: string, forgiven: Forgiven): readonly string[] {
  const given = message["reasoning_details"]
  if (own.details.length === 0) {
    return arrayOf(given).length === 0 ? [] : [`${path}.reasoning_details: there were none`]
  }
  if (given === undefined) {
    return forgiven(given) ? [] : [`${path}.reasoning_details: must be passed back`]
  }
  return Bun.deepEquals(arrayOf(given).map(withoutNull), own.details.map(withoutNull))
    ? []
    : [`${path}.reasoning_details: must be passed back unmodified and in the same order`]
}

function withoutNull(item: unknown): unknown {
  const members = isObject(item) ? Object.entries(item) : []
  return Object.fromEntries(members.filter(([, value]) => value !== null && value !== undefined))
}

function checkSignatures(
  message: JsonObject,
  own: Memory,
  path: string,
  forgiven: Forgiven,
): readonly string[] {
  const given = signaturesOf(message)
  const places = new Set([...given.keys(), ...own.signatures.keys()])
  return [...places].flatMap((place) => {
    const value = given.get(place)
    // The signature of a text may be left out; that of a call may not.
    const fine = value === own.signatures.get(place) || (place === -1 && value === undefined)
    return fine || forgiven(value) ? [] : [`${path}: Thought signature is not valid. (${place})`]
  })
}
