// How providers say one and the same turn: each in its own fields, streamed in its own pieces, with ids of its
// own kind. Written from their documented formats, as the fixtures are.
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"

/** One turn of an assistant, before any provider has put it into its own form. */
export interface Say {
  readonly think?: string
  /** Data that only the provider can read goes with the turn, where the provider has such data. */
  readonly opaque?: boolean
  /** Tells that data apart from that of another conversation. */
  readonly seed?: string
  readonly text?: string
  readonly calls?: readonly { readonly name: string; readonly input: JsonObject }[]
}

/** What a turn becomes: the whole message, and the deltas that a stream of it consists of. */
export interface Said {
  readonly message: JsonObject
  readonly deltas: readonly JsonObject[]
}

export interface Shape {
  /** Row of the provider table, and its strict validator. */
  readonly id: string
  readonly model: string
  /** It cannot tell other models' plain reasoning from its own, and is sent it. */
  readonly takesForeignText: boolean
  /** Turns that must bring their reasoning back. */
  readonly wants: "tool-turns" | "all-turns"
  /** The finish reason of a turn with calls. */
  readonly callsEnd: string
  /** `turn` counts the replies of the conversation. */
  readonly say: (say: Say, turn: number) => Said
}

/** What is said before a turn's text: members of the whole message, deltas, and those that come late. */
interface Thought {
  readonly members: JsonObject
  readonly deltas: readonly JsonObject[]
  /** Sent after the calls. */
  readonly late?: readonly JsonObject[]
}

type Think = (say: Say, turn: number) => Thought
type Calls = (say: Say, turn: number) => { whole: readonly JsonObject[]; deltas: readonly JsonObject[] }

const nothing: Thought = { members: {}, deltas: [] }

/** A text in pieces of some characters. */
function pieces(text: string, size = 11): readonly string[] {
  const characters = [...text]
  const out: string[] = []
  for (let at = 0; at < characters.length; at += size) out.push(characters.slice(at, at + size).join(""))
  return out
}

/** Opaque data that looks like the real thing, and is different in every turn. */
function secret(name: string, turn: number, { seed = "" }: Say): string {
  return `Ez${Buffer.from(`${name} of turn ${turn}${seed}, which nobody else can read`).toString("base64")}`
}

/** Reasoning in a text field. `empty`: the field is there also where there was no reasoning. */
function inField(field: string, empty = false): Think {
  return ({ think }) => {
    if (think === undefined) return empty ? { members: { [field]: "" }, deltas: [{ [field]: "" }] } : nothing
    return { members: { [field]: think }, deltas: pieces(think).map((piece) => ({ [field]: piece })) }
  }
}

/** GitHub Copilot: text, and an opaque half that comes with or before the call. */
const copilotThought: Think = (say, turn) => {
  const { think, opaque } = say
  const half = opaque === true ? { reasoning_opaque: secret("copilot", turn, say) } : undefined
  const text = inField("reasoning_text")({ ...(think === undefined ? {} : { think }) }, turn)
  return {
    members: { ...text.members, ...half },
    deltas: text.deltas,
    ...(half === undefined ? {} : { late: [half] }),
  }
}

/**
 * OpenRouter: two signed texts and an encrypted item, each with an index of its own. `late`: all that is opaque
 * comes after the calls, the signatures in pieces of their own in any case.
 */
function openrouterThought(late: boolean): Think {
  return (say, turn) => {
    const { think, opaque } = say
    const format = "anthropic-claude-v1"
    const half = Math.ceil((think ?? "").length / 2)
    const halves = think === undefined ? [] : [think.slice(0, half), think.slice(half)]
    const signatures = halves.map((_, index) => secret(`text ${index}`, turn, say))
    const written = halves.map((text, index) => ({ type: "reasoning.text", text, format, index }))
    const item = {
      ...{ type: "reasoning.encrypted", data: secret("item", turn, say), id: `rs_${turn}` },
      ...{ format: "openai-responses-v1", index: halves.length },
    }
    const items = opaque === true ? [item] : []
    const details = [...written.map((one, index) => ({ ...one, signature: signatures[index] })), ...items]
    const texts = written.map((one) =>
      pieces(one.text).map((text) => ({ reasoning: text, reasoning_details: [{ ...one, text }] })),
    )
    const signed = written.map(({ text, ...one }, index) => ({ ...one, signature: signatures[index] }))
    const alone = [...signed, ...items].map((one) => ({ reasoning: null, reasoning_details: [one] }))
    const apart = texts.flatMap((deltas, index) => [...deltas, ...alone.slice(index, index + 1)])
    if (details.length === 0) return nothing
    return {
      members: { reasoning: think ?? null, reasoning_details: details },
      ...(late
        ? { deltas: texts.flat(), late: alone }
        : { deltas: [...apart, ...alone.slice(texts.length)] }),
    }
  }
}

/** MiniMax: one item, of which every piece repeats what came before. */
const minimaxThought: Think = ({ think }) => {
  if (think === undefined) return nothing
  const item = { type: "reasoning.text", id: "reasoning-text-1", format: "MiniMax-response-v1", index: 0 }
  let text = ""
  const deltas = pieces(think).map((piece) => {
    text += piece
    return { content: "", reasoning_details: [{ ...item, text }] }
  })
  return { members: { reasoning_details: [{ ...item, text: think }] }, deltas }
}

/** Calls with an index, in fragments, as OpenAI sends them. */
function inFragments(idOf: (turn: number, index: number, name: string) => string): Calls {
  return ({ calls = [] }, turn) => {
    const all = calls.map(({ name, input }, index) => {
      const given = { id: idOf(turn, index, name), type: "function" }
      const args = JSON.stringify(input)
      const start = { index, ...given, function: { name, arguments: "" } }
      const rest = pieces(args).map((piece) => ({ index, function: { arguments: piece } }))
      return { call: { ...given, function: { name, arguments: args } }, fragments: [start, ...rest] }
    })
    return {
      whole: all.map(({ call }) => call),
      deltas: all.flatMap(({ fragments }) => fragments.map((one) => ({ tool_calls: [one] }))),
    }
  }
}

/** Mistral: every call whole, all in one chunk. */
const mistralCalls: Calls = ({ calls = [] }, turn) => {
  const whole = calls.map(({ name, input }, index) => ({
    ...{ id: `D68${turn}Pev${index}s`, type: "function", index },
    function: { name, arguments: JSON.stringify(input) },
  }))
  return { whole, deltas: whole.length === 0 ? [] : [{ tool_calls: whole }] }
}

/** Gemini: every call whole in a chunk of its own, no index, no id worth the name; the first one is signed. */
const geminiCalls: Calls = (say, turn) => {
  const { calls = [] } = say
  const whole = calls.map(({ name, input }, index) => ({
    ...(turn % 2 === 0 ? { id: "" } : {}),
    ...(index > 0 ? {} : { extra_content: { google: { thought_signature: secret("gemini", turn, say) } } }),
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }))
  return { whole, deltas: whole.map((one) => ({ tool_calls: [one] })) }
}

/** The signature of a turn without calls stands beside its text. */
const geminiThought: Think = (say, turn) => {
  const { calls = [], text } = say
  if (calls.length > 0 || text === undefined) return nothing
  const signed = { extra_content: { google: { thought_signature: secret("gemini text", turn, say) } } }
  return { members: signed, deltas: [], late: [signed] }
}

function shapeOf(think: Think, calls: Calls): Shape["say"] {
  return (say, turn) => {
    const thought = think(say, turn)
    const called = calls(say, turn)
    const text = say.text ?? null
    const message = {
      role: "assistant",
      content: text,
      ...thought.members,
      ...(called.whole.length === 0 ? {} : { tool_calls: called.whole }),
    }
    const words = pieces(text ?? "").map((content) => ({ content }))
    return { message, deltas: [...thought.deltas, ...words, ...called.deltas, ...(thought.late ?? [])] }
  }
}

/** Mistral's reasoning is part of the content. */
const sayMistral: Shape["say"] = (say, turn) => {
  const { message, deltas } = shapeOf(() => nothing, mistralCalls)(say, turn)
  const { think, text } = say
  if (think === undefined) return { message: { ...message, content: text ?? "" }, deltas }
  const part = (words: string) => ({ type: "thinking", thinking: [{ type: "text", text: words }] })
  const parts = [part(think), ...(text === undefined ? [] : [{ type: "text", text }])]
  const thoughts = pieces(think).map((piece) => ({ content: [part(piece)] }))
  return { message: { ...message, content: parts }, deltas: [...thoughts, ...deltas] }
}

const common = { takesForeignText: true, wants: "tool-turns", callsEnd: "tool_calls" } as const

export const shapes = {
  deepseek: {
    ...{ ...common, id: "deepseek", model: "deepseek-v4-pro", wants: "all-turns" },
    say: shapeOf(
      inField("reasoning_content", true),
      inFragments((turn, index) => `call_0${index}_dEeP${turn}x7Qw9`),
    ),
  },
  kimi: {
    ...{ ...common, id: "moonshot", model: "kimi-k2.6" },
    say: shapeOf(
      inField("reasoning_content"),
      inFragments((_, index, name) => `functions.${name}:${index}`),
    ),
  },
  gemini: {
    ...{ ...common, id: "gemini", model: "gemini-3-pro-preview" },
    ...{ takesForeignText: false, callsEnd: "stop" },
    say: shapeOf(geminiThought, geminiCalls),
  },
  openrouter: {
    ...{ ...common, id: "openrouter", model: "anthropic/claude-sonnet-4.6" },
    ...{ takesForeignText: false, wants: "all-turns" },
    say: shapeOf(
      openrouterThought(false),
      inFragments((turn, index) => `toolu_vrtx_01${turn}Qw${index}`),
    ),
  },
  "openrouter, opaque after calls": {
    ...{ ...common, id: "openrouter", model: "openai/gpt-5.1" },
    ...{ takesForeignText: false, wants: "all-turns" },
    say: shapeOf(
      openrouterThought(true),
      inFragments((turn, index) => `call_MH${turn}kZ0F5${index}`),
    ),
  },
  minimax: {
    ...{ ...common, id: "minimax", model: "MiniMax-M3" },
    ...{ takesForeignText: false, wants: "all-turns" },
    say: shapeOf(
      minimaxThought,
      inFragments((turn, index) => `call_function_x3k9q${turn}_${index}`),
    ),
  },
  mistral: { ...common, id: "mistral", model: "magistral-medium-latest", say: sayMistral },
  glm: {
    ...{ ...common, id: "zhipu", model: "glm-5.2", wants: "all-turns" },
    say: shapeOf(
      inField("reasoning_content"),
      inFragments((turn, index) => `call_-80${turn}3215${index}`),
    ),
  },
  vllm: {
    ...{ ...common, id: "vllm", model: "Qwen/Qwen3.5-35B-A3B" },
    say: shapeOf(
      inField("reasoning"),
      inFragments((turn, index) => `chatcmpl-tool-${turn}f0${index}`),
    ),
  },
  groq: {
    ...{ ...common, id: "groq", model: "openai/gpt-oss-120b" },
    say: shapeOf(
      inField("reasoning"),
      inFragments((turn, index) => `fc_1${turn}2a3b4c-${index}`),
    ),
  },
  copilot: {
    ...{ ...common, id: "copilot", model: "claude-sonnet-4.6", wants: "all-turns" },
    say: shapeOf(
      copilotThought,
      inFragments((turn, index) => `tooluse_0aB1cD${turn}e${index}`),
    ),
  },
} as const satisfies Readonly<Record<string, Shape>>

export interface Reasoning {
  readonly texts: readonly unknown[]
  readonly details: readonly JsonObject[]
  readonly opaque: unknown
  /** One for each call. */
  readonly signatures: readonly unknown[]
}

/** Reasoning of a message in one form, wherever it stands. */
export function reasoningOf(message: JsonObject): Reasoning {
  const details = listOf(message["reasoning_details"]).map(withoutNull)
  const parts = listOf(message["content"]).map((part) => listOf(part["thinking"]).map(textIn).join(""))
  const fields = ["reasoning_content", "reasoning", "reasoning_text"].map((name) => message[name])
  const texts = [...fields, parts.join("")].filter((text) => typeof text === "string" && text !== "")
  return {
    // The details hold the same text again.
    texts: details.length > 0 ? [] : [...new Set(texts)],
    details,
    opaque: message["reasoning_opaque"] ?? null,
    signatures: listOf(message["tool_calls"]).map(
      (call) => objectOf(objectOf(call["extra_content"])["google"])["thought_signature"] ?? null,
    ),
  }
}

const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.map(objectOf) : [])
const textIn = (part: JsonObject): string => String(part["text"] ?? "")

function withoutNull(item: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null))
}
