// What a client of a soak got, held against what it had to get.
import { arrayOf, type JsonObject, objectOf, parseJson, textOf } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "./anthropic-sse.ts"
import type { Reply } from "./fuzz-http.ts"
import { checkGrammar } from "./grammar.ts"
import { type Fate, inputTokens, outputTokens, type Plan } from "./soak-plan.ts"

export interface Judged {
  /** What the proxy is to count the request as. */
  readonly status: string
  readonly problems: readonly string[]
}

interface Failure {
  readonly status: number
  readonly type: string
}

const broken: Failure = { status: 502, type: "api_error" }
const silent: Failure = { status: 504, type: "timeout_error" }

const failures: Partial<Readonly<Record<Fate, Failure>>> = {
  refused: { status: 500, type: "api_error" },
  reset: broken,
  broken,
  silent,
  silenced: silent,
}

interface Heard {
  readonly thinking: string
  readonly text: string
  readonly calls: readonly { readonly name: unknown; readonly input: unknown }[]
  readonly stop: unknown
  readonly usage: JsonObject
  readonly error: JsonObject | undefined
}

/** The reply to a request of this plan; how far its client has come is for the caller to know. */
export function judge(plan: Plan, reply: Reply): Judged {
  const failure = failures[plan.fate]
  const problems: string[] = []
  if (!/^req_\w+$/.test(reply.headers.get("request-id") ?? "")) problems.push("no request-id")
  const status = failure === undefined ? "200" : String(failure.status)
  const events = reply.headers.get("content-type")?.startsWith("text/event-stream") === true
  if (events) problems.push(...judgeStream(plan, reply, failure))
  else problems.push(...judgeDocument(plan, reply, failure))
  return { status, problems: problems.map((problem) => problem.slice(0, 600)) }
}

function judgeStream(plan: Plan, reply: Reply, failure: Failure | undefined): readonly string[] {
  if (plan.kind === "plain") return ["a stream that nobody asked for"]
  if (reply.status !== 200) return [`a stream with status ${reply.status}`]
  try {
    const events = parseAnthropicSse(reply.body.toString())
    const wrong = checkGrammar(events)
    return [...wrong, ...compare(plan, hear(events), failure)]
  } catch (error) {
    return [String(error)]
  }
}

function judgeDocument(plan: Plan, reply: Reply, failure: Failure | undefined): readonly string[] {
  const parsed = parseJson(reply.body.toString())
  const body = objectOf(parsed.ok ? parsed.value : undefined)
  if (failure !== undefined) {
    const { status, type } = failure
    const got = [reply.status, body["type"], objectOf(body["error"])["type"]]
    const isRight = Bun.deepEquals(got, [status, "error", type])
    return isRight ? [] : [`expected ${status} ${type}: ${reply.status} ${reply.body}`]
  }
  if (plan.kind !== "plain" || reply.status !== 200) return [`unexpected: ${reply.status} ${reply.body}`]
  const content = arrayOf(body["content"]).map(objectOf)
  const text = content.map((block) => textOf(block["text"]) ?? "").join("")
  const usage = objectOf(body["usage"])
  return compare(plan, { thinking: "", text, calls: [], stop: body["stop_reason"], usage, error: undefined })
}

function hear(events: readonly JsonObject[]): Heard {
  let [thinking, text] = ["", ""]
  const calls: { name: unknown; input: unknown }[] = []
  const json: string[] = []
  let heard: Pick<Heard, "stop" | "usage" | "error"> = { stop: undefined, usage: {}, error: undefined }
  for (const event of events) {
    const [delta, block] = [objectOf(event["delta"]), objectOf(event["content_block"])]
    thinking += textOf(delta["thinking"]) ?? ""
    text += textOf(delta["text"]) ?? ""
    if (block["type"] === "tool_use") {
      calls.push({ name: block["name"], input: undefined })
      json.push("")
    }
    const piece = textOf(delta["partial_json"])
    if (piece !== undefined) json.push((json.pop() ?? "") + piece)
    if (event["type"] === "message_delta")
      heard = { ...heard, stop: delta["stop_reason"], usage: objectOf(event["usage"]) }
    if (event["type"] === "error") heard = { ...heard, error: objectOf(event["error"]) }
  }
  const inputOf = (text: string | undefined) => {
    const parsed = parseJson(text ?? "")
    return parsed.ok ? parsed.value : text
  }
  return {
    thinking,
    text,
    calls: calls.map(({ name }, at) => ({ name, input: inputOf(json[at]) })),
    ...heard,
  }
}

function compare(plan: Plan, heard: Heard, failure?: Failure): readonly string[] {
  const whole = { thinking: plan.thinking.join(""), text: plan.text.join("") }
  if (failure !== undefined) {
    const type = heard.error?.["type"]
    const isPart = whole.thinking.startsWith(heard.thinking) && whole.text.startsWith(heard.text)
    return [
      ...(type === failure.type ? [] : [`expected the error ${failure.type}: ${JSON.stringify(heard)}`]),
      ...(isPart ? [] : [`not what was sent: ${JSON.stringify(heard)}`]),
    ]
  }
  const calls = plan.calls.map(({ name, input }) => ({ name, input }))
  const stop = calls.length > 0 ? "tool_use" : "end_turn"
  const { input_tokens: input, output_tokens: output } = heard.usage
  const isWhole =
    heard.error === undefined &&
    heard.stop === stop &&
    heard.thinking === whole.thinking &&
    heard.text === whole.text &&
    Bun.deepEquals(heard.calls, calls) &&
    input === inputTokens &&
    output === outputTokens
  return isWhole ? [] : [`not whole: ${JSON.stringify(heard)} instead of ${JSON.stringify(whole)}`]
}
