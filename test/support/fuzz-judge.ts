// What a client of a fuzz got: is it a reply as the API has them, of a status that fits, and without a key?
import { arrayOf, isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "./anthropic-sse.ts"
import { tellsKey } from "./fuzz-canaries.ts"
import type { Reply } from "./fuzz-http.ts"
import { checkGrammar } from "./grammar.ts"

/** Which error types a status may come with (Anthropic's documentation of errors). */
const typesOf: Readonly<Record<number, readonly string[]>> = {
  400: ["invalid_request_error"],
  401: ["authentication_error"],
  402: ["billing_error"],
  403: ["permission_error"],
  404: ["not_found_error"],
  405: ["invalid_request_error"],
  408: ["timeout_error"],
  409: ["conflict_error"],
  413: ["request_too_large"],
  422: ["invalid_request_error"],
  429: ["rate_limit_error"],
  500: ["api_error"],
  502: ["api_error"],
  503: ["api_error", "overloaded_error"],
  504: ["timeout_error"],
  529: ["overloaded_error"],
}

export interface Expected {
  /** As it was sent. */
  readonly method: string
  readonly target: string
  /** Failures of the upstream are right as well: 5xx. */
  readonly upstreamFails?: true
  /** It is to be answered with 200. */
  readonly well?: boolean
  /** The HTTP server below the proxy may have answered. */
  readonly oddHead?: boolean
  /** The body is the upstream's own, whatever that has written: passed through. */
  readonly passed?: boolean
}

/** Everything that is wrong with it; an empty list means: nothing. */
export function judgeReply(reply: Reply, expected: Expected): readonly string[] {
  const { status, headers } = reply
  const wrong: string[] = []
  if (tellsKey(reply.head) || tellsKey(reply.body)) wrong.push("a key is told")
  const least = status >= 200 && status < 300
  const most = expected.upstreamFails === true && status < 600
  if (!least && !(status >= 400 && (status < 500 || most))) wrong.push(`status ${status}`)
  if (expected.well === true && status !== 200) wrong.push(`status ${status} for a request that is right`)
  if (expected.oddHead === true && reply.body.length === 0 && status >= 400) return wrong
  // Some requests are known by their upstream's id.
  const ids = expected.upstreamFails === true ? /./ : /^req_\w+$/
  if (!ids.test(headers.get("request-id") ?? "")) wrong.push("no request-id")
  if (expected.method === "HEAD" || status === 204) return wrong
  return [...wrong, ...(status >= 400 ? judgeError(reply, expected) : judgeSuccess(reply, expected))]
}

function judgeError({ status, body, headers }: Reply, { target, passed }: Expected): readonly string[] {
  const parsed = parseJson(body.toString())
  if (!parsed.ok || !isObject(parsed.value)) return ["the error is no JSON object"]
  const error = objectOf(parsed.value["error"])
  const hasMessage = typeof error["message"] === "string" && error["message"] !== ""
  // What speaks the Messages API itself is passed through, with whatever it says.
  if (passed === true) return parsed.value["type"] === "error" ? [] : ["not Anthropic's shape of an error"]
  if (!hasMessage) return ["the error has no message"]
  if (parsed.value["type"] === undefined && /chat/i.test(target)) {
    const { type, param, code } = { type: error["type"], param: error["param"], code: error["code"] }
    const right = [param, code].every((one) => one === null || typeof one === "string")
    return right && typeof type === "string" ? [] : ["not OpenAI's shape of an error"]
  }
  if (parsed.value["type"] !== "error") return ["not Anthropic's shape of an error"]
  const named = parsed.value["request_id"] === headers.get("request-id")
  const types = typesOf[status]
  return [
    ...(types?.includes(String(error["type"])) === true ? [] : [`${String(error["type"])} with ${status}`]),
    ...(named ? [] : ["request_id is another one than in the head"]),
  ]
}

function judgeSuccess(reply: Reply, { target, passed }: Expected): readonly string[] {
  const type = reply.headers.get("content-type") ?? ""
  const text = reply.body.toString()
  if (type.startsWith("text/event-stream")) {
    if (/chat\/completions/.test(target)) return judgeChatStream(text)
    return passed === true ? [] : judgeStream(text)
  }
  if (type.startsWith("text/plain")) return text.includes("claude_proxy_") ? [] : ["no figures"]
  const parsed = parseJson(text)
  if (!parsed.ok || !isObject(parsed.value)) return passed === true ? [] : [`no JSON object: ${type}`]
  if (passed === true) return []
  if ("input_tokens" in parsed.value) return judgeCount(parsed.value["input_tokens"])
  if (/chat\/completions/.test(target)) return judgeChat(parsed.value)
  return parsed.value["type"] === "message" ? judgeMessage(parsed.value) : judgeOther(parsed.value, target)
}

function judgeStream(text: string): readonly string[] {
  try {
    const said = text.replace(/^(?:: .*\n\n)+/, "")
    const events = parseAnthropicSse(said)
    // What fails before its message has begun, but after the status, is an error alone.
    return checkGrammar(events, { toolJson: false }).map((what) => `in the stream: ${what}`)
  } catch (error) {
    return [String(error)]
  }
}

const judgeCount = (tokens: unknown): readonly string[] =>
  Number.isSafeInteger(tokens) && Number(tokens) > 0 ? [] : [`input_tokens ${String(tokens)}`]

const stopReasons = [
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "compaction",
]

function judgeMessage(message: JsonObject): readonly string[] {
  const usage = objectOf(message["usage"])
  const content = arrayOf(message["content"]).map(objectOf)
  const checks: readonly (readonly [boolean, string])[] = [
    [/^msg_/.test(String(message["id"])), "id"],
    [message["role"] === "assistant", "role"],
    [typeof message["model"] === "string", "model"],
    [Array.isArray(message["content"]), "content"],
    [content.every(({ type }) => typeof type === "string"), "type of a block"],
    [content.every(({ type, text }) => type !== "text" || typeof text === "string"), "text of a block"],
    [content.every(({ type, input }) => type !== "tool_use" || isObject(input)), "input of a call"],
    [stopReasons.includes(String(message["stop_reason"])), "stop_reason"],
    [Number.isInteger(usage["input_tokens"]) && Number.isInteger(usage["output_tokens"]), "usage"],
  ]
  return checks.flatMap(([right, what]) => (right ? [] : [`the message's ${what} is wrong`]))
}

function judgeChat(reply: JsonObject): readonly string[] {
  const choice = objectOf(arrayOf(reply["choices"])[0])
  const right =
    reply["object"] === "chat.completion" &&
    objectOf(choice["message"])["role"] === "assistant" &&
    typeof choice["finish_reason"] === "string"
  return right ? [] : ["not OpenAI's shape of a reply"]
}

function judgeChatStream(text: string): readonly string[] {
  const lines = text.split("\n\n").filter((line) => line !== "" && !line.startsWith(":"))
  const wrong = lines.slice(0, -1).filter((line) => {
    const parsed = parseJson(line.replace(/^data: /, ""))
    const chunk = objectOf(parsed.ok ? parsed.value : undefined)
    return (
      !line.startsWith("data: ") || (chunk["object"] !== "chat.completion.chunk" && !isObject(chunk["error"]))
    )
  })
  const ends = lines.at(-1) === "data: [DONE]" || lines.at(-1)?.startsWith('data: {"error":') === true
  return [
    ...wrong.map((line) => `no chunk: ${line.slice(0, 100)}`),
    ...(ends ? [] : ["a stream without its end"]),
  ]
}

/** Lists and the like: by the one field that each has. */
function judgeOther(value: JsonObject, target: string): readonly string[] {
  const known = ["data", "id", "status", "name", "message", "totals", "models", "current", "run", "timestamp"]
  const right = Object.keys(value).length === 0 || known.some((name) => Object.hasOwn(value, name))
  return right ? [] : [`an answer of no known shape for ${target.slice(0, 80)}: ${Object.keys(value)}`]
}
