// One small request to a model, sent the way a client's request goes, and what came of it.
import { errorMessage } from "../../protocol/fault.ts"
import { isObject, type JsonObject, jsonOf, objectOf, textOf } from "../../protocol/json.ts"
import { createSseDecoder } from "../../protocol/sse.ts"
import { type Clock, clearDeadline, createDeadline } from "../../upstream/deadline.ts"

/** A whole reply, a streamed one, and a call of a tool that is offered. */
export type Check = "plain" | "stream" | "tools"

/** Sends a Messages body to exactly the model it names. */
export type Ask = (body: JsonObject, signal: AbortSignal) => Promise<Response>

export interface CheckOptions {
  readonly ask: Ask
  /** Gives everything up. */
  readonly signal: AbortSignal
  /** For one whole request, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
}

/** An error as the client is told of it. */
export interface Failure {
  readonly status: number
  readonly type: string
  readonly message: string
}

export type Checked =
  | ({ readonly kind: "ok" } & Figures)
  /** It works, but not as Claude Code needs it. */
  | ({ readonly kind: "warning"; readonly message: string } & Figures)
  | { readonly kind: "failed"; readonly latencyMs: number; readonly failure: Failure }

interface Figures {
  readonly latencyMs: number
  readonly firstTokenMs: number | undefined
  readonly replyId: string | undefined
}

// Models that think whatever they are told need some of it before their first word.
const mostTokens = 1024

const tool = {
  name: "get_weather",
  description: "Tells the weather in a city.",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
}

/** `quiet`: the upstream reads our words itself, and need not be told that no thinking is wanted. */
function bodyOf(check: Check, model: string, quiet: boolean): JsonObject {
  const content =
    check === "tools" ? "What is the weather in Paris? Call get_weather." : "Reply with the single word OK."
  return {
    model,
    max_tokens: mostTokens,
    ...(quiet ? {} : { thinking: { type: "disabled" } }),
    ...(check === "plain" ? {} : { stream: true }),
    ...(check === "tools" ? { tools: [tool] } : {}),
    messages: [{ role: "user", content }],
  }
}

/** Never throws. */
export async function runCheck(
  check: Check,
  model: { readonly name: string; readonly quiet: boolean },
  { ask, signal, timeoutMs, clock }: CheckOptions,
): Promise<Checked> {
  const startedAt = performance.now()
  const since = () => Math.round(performance.now() - startedAt)
  const deadline = createDeadline(timeoutMs, signal, clock)
  try {
    const response = await ask(bodyOf(check, model.name, model.quiet), deadline.signal)
    const answer =
      response.ok && check !== "plain" ? await readStream(response, since) : await readWhole(response)
    if (deadline.signal.aborted) return { kind: "failed", latencyMs: since(), failure: tooLate(timeoutMs) }
    return judge(check, answer, since())
  } catch (error) {
    const failure = deadline.signal.aborted ? tooLate(timeoutMs) : broken(error)
    return { kind: "failed", latencyMs: since(), failure }
  } finally {
    clearDeadline(deadline)
  }
}

function tooLate(timeoutMs: number): Failure {
  return { status: 504, type: "timeout_error", message: `no complete reply within ${timeoutMs / 1000} s` }
}

function broken(error: unknown): Failure {
  return { status: 502, type: "api_error", message: `the reply broke off: ${errorMessage(error)}` }
}

interface Answer {
  readonly failure?: Failure
  readonly replyId?: string | undefined
  readonly firstTokenMs?: number | undefined
  readonly says: boolean
  /** The arguments of each call of the tool, as text. */
  readonly calls: readonly string[]
}

function judge(
  check: Check,
  { failure, replyId, firstTokenMs, says, calls }: Answer,
  latencyMs: number,
): Checked {
  if (failure !== undefined) return { kind: "failed", latencyMs, failure }
  const figures = { latencyMs, firstTokenMs, replyId }
  const message = check === "tools" ? callProblem(calls) : says ? undefined : silence
  return message === undefined ? { kind: "ok", ...figures } : { kind: "warning", message, ...figures }
}

const silence = `answered without any text, in ${mostTokens} tokens`

function callProblem(calls: readonly string[]): string | undefined {
  const [first] = calls
  if (first === undefined)
    return "did not call the tool it was asked to call: Claude Code does its work by such calls"
  const fits = textOf(objectOf(jsonOf(first))["city"]) !== undefined
  return fits
    ? undefined
    : "called the tool with arguments that do not fit it: it may fail at the tools of Claude Code"
}

async function readWhole(response: Response): Promise<Answer> {
  const value = objectOf(jsonOf(await response.text()))
  if (!response.ok || value["type"] !== "message")
    return { ...nothing, failure: failureOf(value, response.status) }
  const blocks = Array.isArray(value["content"]) ? value["content"].filter(isObject) : []
  const says = blocks.some((block) => textOf(block["text"]) !== undefined)
  return { replyId: textOf(value["id"]), says, calls: [] }
}

const nothing = { says: false, calls: [] } as const

function failureOf(value: JsonObject, status: number): Failure {
  const error = objectOf(value["error"])
  return {
    status: status >= 400 ? status : 502,
    type: textOf(error["type"]) ?? "api_error",
    message: textOf(error["message"]) ?? "the answer is no message",
  }
}

async function readStream(response: Response, since: () => number): Promise<Answer> {
  const decoder = new TextDecoder()
  const sse = createSseDecoder()
  const seen = createSeen(since)
  for await (const bytes of response.body ?? []) {
    for (const { data } of sse.push(decoder.decode(bytes, { stream: true }))) seen.read(data)
  }
  for (const { data } of sse.flush()) seen.read(data)
  return seen.answer()
}

/** What a stream has told so far. */
function createSeen(since: () => number) {
  let failure: Failure | undefined = { status: 502, type: "api_error", message: "the stream ended too early" }
  let replyId: string | undefined
  let firstTokenMs: number | undefined
  let says = false
  const calls: string[] = []

  function start(block: JsonObject): void {
    if (block["type"] === "tool_use" && block["name"] === tool.name) calls.push("")
  }

  function add(delta: JsonObject): void {
    firstTokenMs ??= since()
    says ||= textOf(delta["text"]) !== undefined
    const last = calls.length - 1
    const json = textOf(delta["partial_json"])
    if (json !== undefined && last >= 0) calls[last] += json
  }

  function read(data: string): void {
    const event = objectOf(jsonOf(data))
    switch (event["type"]) {
      case "message_start":
        replyId = textOf(objectOf(event["message"])["id"])
        break
      case "content_block_start":
        start(objectOf(event["content_block"]))
        break
      case "content_block_delta":
        add(objectOf(event["delta"]))
        break
      case "message_stop":
        failure = undefined
        break
      case "error":
        failure = failureOf(event, 502)
        break
      default:
    }
  }

  const answer = (): Answer => ({
    ...(failure === undefined ? {} : { failure }),
    replyId,
    firstTokenMs,
    says,
    calls,
  })
  return { read, answer }
}
