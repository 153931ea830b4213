// A client that holds a conversation as Claude Code does (2.1.329, observed): what was streamed is kept and sent
// again as it came, results come in another order than their calls, and the system speaks in between.
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "./anthropic-sse.ts"
import { checkGrammar } from "./grammar.ts"

export interface ClientOptions {
  readonly stream: boolean
  readonly key?: string
  /**
   * What becomes of thinking blocks: all are sent again; none is; or only those of the model that is asked, as
   * Claude Code does after `/model`.
   */
  readonly thinking?: "kept" | "lost" | "of-this-model"
  /** What was said before. */
  readonly history?: readonly JsonObject[]
}

export interface ConversationClient {
  /** Goes on with the conversation at this proxy; gives the blocks of the reply. Throws for any other answer. */
  readonly ask: (url: string, model: string) => Promise<readonly JsonObject[]>
  /** The conversation so far, in full. */
  readonly history: () => readonly JsonObject[]
}

const tools = [
  { name: "Read", input_schema: schema({ file_path: { type: "string" } }) },
  { name: "Bash", input_schema: schema({ command: { type: "string" }, timeout: { type: "number" } }) },
].map((tool) => ({ description: `Does what ${tool.name} does.`, ...tool }))

function schema(properties: JsonObject): JsonObject {
  const $schema = "https://json-schema.org/draft/2020-12/schema"
  return { $schema, type: "object", properties, additionalProperties: false }
}

const system = [
  { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.329.a1b; cc_entrypoint=cli;" },
  { type: "text", text: "You are a helpful agent.", cache_control: { type: "ephemeral" } },
]
const session = JSON.stringify({ device_id: "0".repeat(64), account_uuid: "", session_id: "a-session" })

interface Remembered {
  readonly message: JsonObject
  /** The model that was asked, for messages that are its answers. */
  readonly model?: string
}

export function createConversationClient(options: ClientOptions): ConversationClient {
  const messages: Remembered[] = (options.history ?? []).map((message) => ({ message }))
  const seen = new Set<string>()
  let asked = 0

  /** What the user's side says next: the results of the last calls, or something new. */
  function speak(): void {
    const last = messages.at(-1)?.message
    const calls = arrayOf(last?.["content"]).map(objectOf).filter(isCall)
    const words = { type: "text", text: `Step ${asked}, please.`, cache_control: { type: "ephemeral" } }
    // Fast failures come first: the order of the calls is not that of the results.
    const results = calls.map(resultOf).toReversed()
    messages.push({ message: { role: "user", content: results.length > 0 ? results : [words] } })
    if (asked % 3 === 1)
      messages.push({ message: { role: "system", content: `A reminder, number ${asked}.` } })
    asked += 1
  }

  function take(reply: JsonObject, model: string): readonly JsonObject[] {
    const content = arrayOf(reply["content"]).map(objectOf)
    const ids = [reply["id"], ...content.filter(isCall).map(({ id }) => id)].map(String)
    for (const id of ids) {
      // Claude Code merges messages that share an id, and drops a call whose id it has seen.
      if (seen.has(id)) throw new Error(`the id ${id} came twice`)
      seen.add(id)
    }
    messages.push({ message: { role: "assistant", content }, model })
    return content
  }

  async function ask(url: string, model: string): Promise<readonly JsonObject[]> {
    speak()
    const body = requestBody(
      model,
      messages.map((one) => shown(one, model, options)),
      options.stream,
    )
    const response = await fetch(`${url}/v1/messages?beta=true`, {
      method: "POST",
      headers: headersFor(options.key),
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${response.status} ${text}`)
    return take(options.stream ? foldStream(text) : jsonOf(text), model)
  }

  return { ask, history: () => messages.map(({ message }) => message) }
}

const isCall = (block: JsonObject): boolean => block["type"] === "tool_use"

function resultOf({ id }: JsonObject, index: number): JsonObject {
  const content = index === 0 ? `output of ${id}` : [{ type: "text", text: `output of ${id}` }]
  return { type: "tool_result", tool_use_id: id, content, ...(index === 1 ? { is_error: true } : {}) }
}

/** A message as it is sent to a model. */
function shown({ message, model: madeBy }: Remembered, model: string, { thinking = "kept" }: ClientOptions) {
  const foreign = thinking === "of-this-model" && madeBy !== undefined && madeBy !== model
  if (message["role"] !== "assistant" || !(thinking === "lost" || foreign)) return message
  const left = arrayOf(message["content"]).filter(
    (block) => !["thinking", "redacted_thinking"].includes(String(objectOf(block)["type"])),
  )
  return { ...message, content: left }
}

function requestBody(model: string, messages: readonly JsonObject[], stream: boolean): JsonObject {
  return {
    ...{ model, messages, system, tools, metadata: { user_id: session }, max_tokens: 32_000 },
    thinking: { type: "adaptive" },
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    output_config: { effort: "high" },
    ...(stream ? { stream } : {}),
  }
}

function headersFor(key = "any-key"): Record<string, string> {
  return {
    "x-api-key": key,
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
    "user-agent": "claude-cli/2.1.329 (external, cli)",
  }
}

function jsonOf(text: string): JsonObject {
  const parsed = parseJson(text)
  if (!parsed.ok || !isObject(parsed.value)) throw new Error(`no JSON object: ${text}`)
  return parsed.value
}

interface Draft {
  block: JsonObject
  json: string
}

/** The message of a stream, put together as the SDK does. Throws where the stream is not as it must be. */
function foldStream(text: string): JsonObject {
  const events = parseAnthropicSse(text)
  const wrong = checkGrammar(events)
  if (wrong.length > 0 || events.at(-1)?.["type"] !== "message_stop")
    throw new Error(`${wrong.join("; ")}\n${text.slice(-500)}`)
  const drafts: Draft[] = []
  for (const event of events) {
    const draft = drafts[Number(event["index"])]
    if (event["type"] === "content_block_start")
      drafts.push({ block: objectOf(event["content_block"]), json: "" })
    if (event["type"] === "content_block_delta" && draft !== undefined) grow(draft, objectOf(event["delta"]))
  }
  return { ...objectOf(events[0]?.["message"]), content: drafts.map(finish) }
}

function grow(draft: Draft, delta: JsonObject): void {
  if (delta["type"] === "input_json_delta") draft.json += String(delta["partial_json"])
  for (const field of ["text", "thinking"]) {
    if (delta["type"] !== `${field}_delta`) continue
    draft.block = { ...draft.block, [field]: String(draft.block[field]) + String(delta[field]) }
  }
  if (delta["type"] === "signature_delta")
    draft.block = { ...draft.block, signature: String(delta["signature"]) }
}

function finish({ block, json }: Draft): JsonObject {
  return isCall(block) ? { ...block, input: json === "" ? {} : jsonOf(json) } : block
}
