// What a client accepts as a streamed reply, said independently of the code that writes one: the order that
// the Anthropic SDK's accumulator needs, and the order of the real API's own streams.
import { isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"

export interface GrammarOptions {
  /** Set to false when the upstream's tool arguments were nonsense: they are streamed before anyone can know. */
  readonly toolJson?: boolean
}

interface OpenBlock {
  readonly index: number
  readonly type: string
  signed: boolean
  json: string
}

interface Checker {
  readonly options: GrammarOptions
  readonly wrong: string[]
  readonly toolIds: Set<string>
  /** Complete arguments of finished tools, judged when the stop reason is known. */
  readonly arguments: string[]
  open: OpenBlock | undefined
  blocks: number
  phase: "before" | "content" | "after-delta" | "over"
  say: (what: string) => void
}

const deltasOf: Readonly<Record<string, readonly string[]>> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
  compaction: ["compaction_delta"],
}

const deltaFields: Readonly<Record<string, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
  signature_delta: "signature",
  input_json_delta: "partial_json",
}

const rules: Readonly<Record<string, (checker: Checker, event: JsonObject) => void>> = {
  message_start: messageStart,
  ping: (checker) => {
    if (checker.phase === "before") checker.say("before message_start")
  },
  content_block_start: blockStart,
  content_block_delta: blockDelta,
  content_block_stop: blockStop,
  message_delta: messageDelta,
  message_stop: (checker) => {
    if (checker.phase !== "after-delta") checker.say("without a final message_delta")
    checker.phase = "over"
  },
  error: errorEvent,
}

/** Everything that is wrong with a complete list of events, by position; an empty list means: fine. */
export function checkGrammar(events: readonly unknown[], options: GrammarOptions = {}): readonly string[] {
  const wrong: string[] = []
  const checker: Checker = {
    options,
    wrong,
    toolIds: new Set(),
    arguments: [],
    open: undefined,
    blocks: 0,
    phase: "before",
    say: () => {},
  }
  for (const [position, event] of events.entries()) {
    const type = isObject(event) ? event["type"] : undefined
    checker.say = (what) => wrong.push(`${position} ${String(type)}: ${what}`)
    const rule = typeof type === "string" && Object.hasOwn(rules, type) ? rules[type] : undefined
    if (checker.phase === "over") checker.say("after the end")
    if (rule === undefined) checker.say("no such event")
    else rule(checker, objectOf(event))
  }
  if (checker.phase !== "over") wrong.push("no message_stop and no error at the end")
  return wrong
}

function messageStart(checker: Checker, event: JsonObject): void {
  if (checker.phase !== "before") checker.say("not the first event")
  checker.phase = "content"
  const message = objectOf(event["message"])
  const { id, content, usage } = { id: message["id"], content: message["content"], usage: message["usage"] }
  if (typeof id !== "string" || !id.startsWith("msg_")) checker.say("no msg_ id")
  if (message["type"] !== "message" || message["role"] !== "assistant")
    checker.say("not an assistant message")
  if (typeof message["model"] !== "string") checker.say("no model")
  if (!Array.isArray(content) || content.length > 0) checker.say("content is not an empty array")
  if (message["stop_reason"] !== null) checker.say("stop_reason is not null")
  for (const field of ["input_tokens", "output_tokens"]) {
    if (typeof objectOf(usage)[field] !== "number") checker.say(`no usage.${field}`)
  }
}

function inContent(checker: Checker): void {
  if (checker.phase === "before") checker.say("before message_start")
  if (checker.phase === "after-delta") checker.say("after the final message_delta")
}

function blockStart(checker: Checker, event: JsonObject): void {
  inContent(checker)
  const block = objectOf(event["content_block"])
  const type = String(block["type"])
  if (checker.open !== undefined) checker.say(`block ${checker.open.index} is still open`)
  if (event["index"] !== checker.blocks) checker.say(`index ${event["index"]} instead of ${checker.blocks}`)
  if (type === "text" && block["text"] !== "") checker.say("text does not start empty")
  if (type === "thinking" && block["thinking"] !== "") checker.say("thinking does not start empty")
  if (type === "tool_use") toolStart(checker, block)
  checker.open = { index: checker.blocks, type, signed: false, json: "" }
  checker.blocks += 1
}

function toolStart(checker: Checker, block: JsonObject): void {
  const { id, name } = { id: block["id"], name: block["name"] }
  if (!isObject(block["input"]) || Object.keys(block["input"]).length > 0)
    checker.say("input does not start as {}")
  if (typeof name !== "string" || name === "") checker.say("a tool without a name")
  if (typeof id !== "string" || !/^[a-zA-Z0-9_-]+$/.test(id)) checker.say(`tool id ${JSON.stringify(id)}`)
  else if (checker.toolIds.has(id)) checker.say(`tool id ${id} twice`)
  else checker.toolIds.add(id)
}

function blockDelta(checker: Checker, event: JsonObject): void {
  inContent(checker)
  const open = checker.open
  if (open === undefined) {
    checker.say("no block is open")
    return
  }
  if (event["index"] !== open.index) checker.say(`index ${event["index"]} instead of ${open.index}`)
  const delta = objectOf(event["delta"])
  const type = String(delta["type"])
  if (deltasOf[open.type]?.includes(type) !== true) {
    checker.say(`${type} in a ${open.type} block`)
    return
  }
  const field = deltaFields[type]
  const value = field === undefined ? undefined : delta[field]
  if (field !== undefined && typeof value !== "string") checker.say(`${type} without ${field}`)
  if (open.signed) checker.say(`${type} after the signature`)
  if (type === "signature_delta") open.signed = true
  if (type === "input_json_delta") open.json += String(value)
}

function blockStop(checker: Checker, event: JsonObject): void {
  inContent(checker)
  const open = checker.open
  if (open === undefined) {
    checker.say("no block is open")
    return
  }
  if (event["index"] !== open.index) checker.say(`index ${event["index"]} instead of ${open.index}`)
  if (open.type === "tool_use") checker.arguments.push(open.json)
  checker.open = undefined
}

function messageDelta(checker: Checker, event: JsonObject): void {
  inContent(checker)
  if (typeof objectOf(event["usage"])["output_tokens"] !== "number") checker.say("no usage.output_tokens")
  const reason = objectOf(event["delta"])["stop_reason"]
  if (reason === null) return
  if (typeof reason !== "string") checker.say("no stop_reason")
  if (checker.open !== undefined) checker.say(`block ${checker.open.index} is still open`)
  checker.phase = "after-delta"
  if (checker.options.toolJson === false || reason === "max_tokens") return
  for (const json of checker.arguments) {
    if (json !== "" && !parseJson(json).ok) checker.say(`tool arguments are not JSON: ${json.slice(0, 80)}`)
  }
}

/** On the wire an error event holds `error`; before it is encoded it holds our own `fault`. */
function errorEvent(checker: Checker, event: JsonObject): void {
  const error = objectOf(event["error"] ?? event["fault"])
  if (typeof (error["type"] ?? error["kind"]) !== "string") checker.say("no error type")
  if (typeof error["message"] !== "string" || error["message"] === "") checker.say("no error message")
  checker.phase = "over"
}
