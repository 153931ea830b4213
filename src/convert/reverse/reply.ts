// A Messages reply as a Chat Completions reply, and the tables that its stream shares.
import { dropped, type Note } from "../../protocol/fault.ts"
import { arrayOf, countOf, isObject, type JsonObject, lookUp, objectOf, textOf } from "../../protocol/json.ts"
import { carriersOfCalls } from "../common/carrier.ts"
import { signedByGoogle } from "../common/google-fields.ts"

/** Where Gemini's OpenAI-compatible API has the signature of a call, and clients that know it look for it. */
interface SignedCall {
  readonly extra_content?: { readonly google: { readonly thought_signature: string } }
}

interface ChatCallOut extends SignedCall {
  readonly id: string
  readonly type: "function"
  readonly function: { readonly name: string; readonly arguments: string }
}

export interface ChatUsageOut {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
  /** Left out where it is not known. */
  readonly completion_tokens_details?: { readonly reasoning_tokens: number }
}

interface ChatMessageOut {
  readonly role: "assistant"
  readonly content: string | null
  readonly refusal: null
  readonly reasoning_content?: string
  readonly tool_calls?: readonly ChatCallOut[]
  readonly function_call?: ChatCallOut["function"]
}

interface ChatReplyOut {
  readonly id: string
  readonly object: "chat.completion"
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly message: ChatMessageOut
    readonly logprobs: null
    readonly finish_reason: string
  }[]
  readonly usage: ChatUsageOut
}

export interface ReplyOptions {
  /** When the reply was made, in seconds since 1970. */
  readonly created: number
  /** Calls as the older `function_call`. */
  readonly legacyCalls: boolean
}

/** The reply in OpenAI's form. It is read loosely: any Messages reply will do, not only this proxy's own. */
export function convertMessagesReply(reply: unknown, options: ReplyOptions): ChatReplyOut {
  const message = objectOf(reply)
  const blocks = arrayOf(message["content"]).filter(isObject)
  const signed: Signatures = Object.assign({}, ...blocks.map(signaturesOf))
  const calls = blocks
    .filter((block) => block["type"] === "tool_use")
    .map((block) => convertCall(block, signed))
  const text = textOfBlocks(blocks)
  const reasoning = blocks
    .map((block) => (block["type"] === "thinking" ? (textOf(block["thinking"]) ?? "") : ""))
    .join("")
  const finish = mapFinishReason(textOf(message["stop_reason"]), calls.length > 0, options.legacyCalls)
  return {
    id: chatId(textOf(message["id"]) ?? ""),
    object: "chat.completion",
    created: options.created,
    model: textOf(message["model"]) ?? "",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: text === "" && calls.length > 0 ? null : text,
          refusal: null,
          ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
          ...callFields(calls, options.legacyCalls),
        },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    usage: convertUsage(message["usage"]),
  }
}

function callFields(
  calls: readonly ChatCallOut[],
  legacy: boolean,
): Pick<ChatMessageOut, "tool_calls" | "function_call"> {
  const [first] = calls
  if (first === undefined) return {}
  return legacy ? { function_call: first.function } : { tool_calls: calls }
}

const thoughts: ReadonlySet<unknown> = new Set(["thinking", "redacted_thinking"])

/** Does a block of this type stand between two texts as what makes them two? */
export const parts = (type: unknown): boolean => type !== "text" && !thoughts.has(type)

/** What stands before a text that a call parts from another one: OpenAI has one content for both. */
export const gapBefore = (text: string): string => (/^\s/.test(text) ? "" : "\n\n")

function textOfBlocks(blocks: readonly JsonObject[]): string {
  let [whole, parted] = ["", false]
  for (const { type, text: said } of blocks) {
    const text = type === "text" ? (textOf(said) ?? "") : ""
    if (text !== "") {
      whole += (parted && whole !== "" ? gapBefore(text) : "") + text
      parted = false
    } else parted ||= parts(type)
  }
  return whole
}

function convertCall(block: JsonObject, signed: Signatures): ChatCallOut {
  const call = { name: textOf(block["name"]) ?? "", arguments: JSON.stringify(objectOf(block["input"])) }
  const id = textOf(block["id"]) ?? ""
  return { id, type: "function", function: call, ...signatureOf(id, signed) }
}

/** Signatures of calls, by the calls' ids. */
export type Signatures = Readonly<Record<string, string>>

/** Those that a thinking block holds. */
function signaturesOf(block: JsonObject): Signatures {
  return block["type"] === "thinking" ? carriersOfCalls(textOf(block["signature"]) ?? "") : {}
}

/** The field that a call with a signature has besides the others. */
export function signatureOf(id: string, signed: Signatures): SignedCall {
  const signature = lookUp(signed, id)
  return signature === undefined ? {} : signedByGoogle(signature)
}

/** OpenAI's id for a message of ours. */
export function chatId(id: string): string {
  return `chatcmpl-${id.replace(/^msg_/, "")}`
}

const finishReasons: Readonly<Record<string, string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  pause_turn: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
}

/** OpenAI's word for Anthropic's. Without one, or with one of tomorrow, the calls decide. */
export function mapFinishReason(reason: string | undefined, called: boolean, legacy: boolean): string {
  const known = reason === undefined ? undefined : lookUp(finishReasons, reason)
  const word = known ?? (called ? "tool_calls" : "stop")
  return word === "tool_calls" && legacy ? "function_call" : word
}

/** OpenAI counts the cached part of the prompt within the prompt. */
export function convertUsage(usage: unknown): ChatUsageOut {
  const counts = objectOf(usage)
  const count = (field: string) => countOf(counts[field]) ?? 0
  const cached = count("cache_read_input_tokens")
  const prompt = count("input_tokens") + cached + count("cache_creation_input_tokens")
  const completion = count("output_tokens")
  const reasoning = countOf(objectOf(counts["output_tokens_details"])["thinking_tokens"])
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
    ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  }
}

const carried: ReadonlySet<unknown> = new Set(["text", "tool_use"])

/** What of a reply's block an OpenAI client does not get; undefined when it gets all of it. */
export function noteLostBlock(block: JsonObject, path: string): Note | undefined {
  const type = block["type"]
  if (carried.has(type)) return undefined
  if (Object.keys(signaturesOf(block)).length > 0) return undefined
  if (type === "thinking") return dropped(`${path}.signature`, "OpenAI's clients have no place for it")
  return dropped(path, `a ${String(type)} block has no counterpart in OpenAI's API`)
}
