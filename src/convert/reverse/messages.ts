// The conversation of a Chat Completions request as Anthropic's messages: the system prompt apart, results as
// blocks of a user's turn, calls as blocks of the assistant's.
import type { ChatCallIn, ChatMessageIn } from "../../protocol/chat/chat-request.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { isObject, type JsonObject, parseJson } from "../../protocol/json.ts"
import { isOurs } from "../common/carrier.ts"
import { googleSignature } from "../common/google-fields.ts"
import { convertContent } from "./content.ts"

interface Conversation {
  /** Text blocks. */
  readonly system: readonly JsonObject[]
  readonly messages: readonly JsonObject[]
  readonly notes: readonly Note[]
}

/** What grows while the conversation is read from its beginning. */
interface Draft {
  readonly system: JsonObject[]
  readonly messages: JsonObject[]
  readonly notes: Note[]
  /** Content of the user's message that results are being put into; undefined: none is open. */
  results: JsonObject[] | undefined
  /** Ids made for legacy calls that wait for their result, by the function's name. */
  readonly waiting: Map<string, string[]>
}

/** All messages of a request. Never without a message: a system prompt alone is handed over by the user. */
export function convertConversation(messages: readonly ChatMessageIn[]): Conversation {
  const draft: Draft = { system: [], messages: [], notes: [], results: undefined, waiting: new Map() }
  for (const [index, message] of messages.entries()) readMessage(draft, message, index)
  if (draft.messages.length > 0) return draft
  const { system, notes } = draft
  const content = system.length > 0 ? system : [ellipsis]
  const why = "said by the user: the Messages API wants a turn of theirs"
  return { system: [], messages: [{ role: "user", content }], notes: [...notes, changed("messages.0", why)] }
}

/** What an empty turn says: Anthropic refuses one without content. */
const ellipsis: JsonObject = { type: "text", text: "..." }

function readMessage(draft: Draft, message: ChatMessageIn, index: number): void {
  const path = `messages.${index}`
  noteFields(draft, message, path)
  switch (message.role) {
    case "system":
    case "developer":
      readSystem(draft, message, path)
      break
    case "user":
      readUser(draft, message, path)
      break
    case "assistant":
      readAssistant(draft, message, path, index)
      break
    case "tool":
      readResult(draft, message.tool_call_id ?? "", message, path)
      break
    case "function":
      readResult(draft, draft.waiting.get(message.name ?? "")?.shift() ?? legacyId(index), message, path)
      break
    default:
      message.role satisfies never
  }
}

const legacyId = (index: number): string => `call_function_${index}`

const readFields: ReadonlySet<string> = new Set([
  ...["role", "content", "tool_calls", "function_call", "tool_call_id", "refusal"],
  ...["reasoning_content", "reasoning"],
])

/** Fields of one message that go nowhere. The name of a function's result says to which call it belongs. */
function noteFields(draft: Draft, message: ChatMessageIn, path: string): void {
  for (const [field, value] of Object.entries(message)) {
    if (readFields.has(field) || value === null || value === undefined) continue
    if (Array.isArray(value) && value.length === 0) continue
    if (field === "name" && (message.role === "function" || message.role === "tool")) continue
    draft.notes.push(dropped(`${path}.${field}`, "no counterpart in a message of the Messages API"))
  }
}

function contentOf(draft: Draft, message: ChatMessageIn, path: string): readonly JsonObject[] {
  const { blocks, notes } = convertContent(message.content, `${path}.content`)
  for (const note of notes) draft.notes.push(note)
  return blocks
}

function addMessage(draft: Draft, role: string, content: readonly JsonObject[]): void {
  draft.results = undefined
  draft.messages.push({ role, content })
}

/** Those before the conversation are the system prompt; later ones keep their place. */
function readSystem(draft: Draft, message: ChatMessageIn, path: string): void {
  const texts = contentOf(draft, message, path).filter((block, place) => {
    if (block["type"] === "text") return true
    draft.notes.push(dropped(`${path}.content.${place}`, "a system prompt holds text only"))
    return false
  })
  if (draft.messages.length > 0) {
    if (texts.length > 0) addMessage(draft, "system", texts)
    return
  }
  for (const text of texts) draft.system.push(text)
}

function readUser(draft: Draft, message: ChatMessageIn, path: string): void {
  const content = contentOf(draft, message, path)
  if (content.length === 0) draft.notes.push(changed(path, 'an empty turn is sent as "..."'))
  addMessage(draft, "user", content.length === 0 ? [ellipsis] : content)
}

/** Thoughts, then words, then calls: Chat Completions keeps no order among them. */
function readAssistant(draft: Draft, message: ChatMessageIn, path: string, index: number): void {
  const content: JsonObject[] = []
  const thinking = message.reasoning_content || message.reasoning
  // Its signature stays here when a reply goes to an OpenAI client, so none can come back.
  if (thinking) content.push({ type: "thinking", thinking, signature: "" })
  for (const block of contentOf(draft, message, path)) content.push(block)
  if (message.refusal) content.push({ type: "text", text: message.refusal })
  for (const [place, call] of (message.tool_calls ?? []).entries()) {
    const signature = signatureOf(call)
    if (signature !== undefined) content.push({ type: "thinking", thinking: "", signature })
    content.push(convertCall(draft, call, `${path}.tool_calls.${place}`))
  }
  const legacy = convertLegacyCall(draft, message, path, index)
  if (legacy !== undefined) content.push(legacy)
  if (content.length > 0) addMessage(draft, "assistant", content)
  else draft.notes.push(dropped(path, "an assistant's turn without content"))
}

/** The signature that a call got from us, which says whose it is. Of any other nobody knows which model gave it. */
function signatureOf(call: ChatCallIn): string | undefined {
  const signature = googleSignature(call)
  return signature !== undefined && isOurs(signature) ? signature : undefined
}

const toolUse = (id: string, name: string, input: JsonObject): JsonObject => ({
  type: "tool_use",
  id,
  name,
  input,
})

function convertCall(draft: Draft, call: ChatCallIn, path: string): JsonObject {
  if (call.function) {
    const place = `${path}.function`
    return toolUse(call.id, call.function.name, readArguments(draft, call.function.arguments, place))
  }
  draft.notes.push(changed(path, "a custom call is sent as a function's, with its text as `input`"))
  return toolUse(call.id, call.custom?.name ?? "", { input: call.custom?.input ?? "" })
}

/** The older form has no ids: one is made, and kept for the result, which names the function. */
function convertLegacyCall(
  draft: Draft,
  { function_call: call }: ChatMessageIn,
  path: string,
  index: number,
): JsonObject | undefined {
  if (!call) return undefined
  const id = legacyId(index)
  const waiting = draft.waiting.get(call.name)
  if (waiting === undefined) draft.waiting.set(call.name, [id])
  else waiting.push(id)
  return toolUse(id, call.name, readArguments(draft, call.arguments, `${path}.function_call`))
}

/** A call's arguments as an object. A model may have written what is none: it is kept for it to see. */
function readArguments(draft: Draft, value: unknown, path: string): JsonObject {
  if (isObject(value)) return value
  if (typeof value !== "string" || value.trim() === "") return {}
  const parsed = parseJson(value)
  if (parsed.ok && isObject(parsed.value)) return parsed.value
  draft.notes.push(changed(`${path}.arguments`, "no JSON object, so it is sent as _raw_arguments"))
  return { _raw_arguments: value }
}

/** Results that follow each other are one turn of the user, as Anthropic wants them. */
function readResult(draft: Draft, id: string, message: ChatMessageIn, path: string): void {
  const block = { type: "tool_result", tool_use_id: id, content: contentOf(draft, message, path) }
  if (draft.results !== undefined) {
    draft.results.push(block)
    return
  }
  const content = [block]
  addMessage(draft, "user", content)
  draft.results = content
}
