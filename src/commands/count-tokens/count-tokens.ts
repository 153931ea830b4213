// count-tokens: how many tokens a request, of Anthropic's or OpenAI's kind, or a plain text is.
import { isObject, type JsonObject, parseJson, textOf } from "../../protocol/json.ts"
import { CountRequest, renderIssues } from "../../protocol/messages/messages.ts"
import { countParts, createCounter } from "../../tokens/count.ts"
import { estimateParts, estimateText } from "../../tokens/estimate.ts"
import { type Encoding, encodingOf } from "../../tokens/exact/encodings.ts"
import type { Countable, TokenParts } from "../../tokens/pieces.ts"
import { type CommandIo, fail, say } from "../terminal/io.ts"
import { readInput } from "../terminal/read-input.ts"

export interface CountTokensOptions {
  /** A path, "-" or undefined for standard input. */
  readonly file: string | undefined
  /** Whose encoding is meant; else the request's own model says. */
  readonly model: string | undefined
  readonly estimate: boolean
  readonly byPart: boolean
  readonly json: boolean
}

type Subject =
  | { readonly kind: "request"; readonly request: Countable; readonly model: string | undefined }
  | { readonly kind: "text"; readonly text: string; readonly model?: undefined }
  | { readonly kind: "invalid"; readonly why: string }

type Valid = Exclude<Subject, { kind: "invalid" }>

type Counted =
  | { readonly kind: "request"; readonly parts: TokenParts }
  | { readonly kind: "text"; readonly tokens: number }

/** JSON with a request's fields is a request; everything else, other JSON included, is text. */
async function subjectOf(text: string): Promise<Subject> {
  const start = text.trimStart()[0]
  const parsed = start === "{" ? parseJson(text) : undefined
  if (parsed?.ok !== true || !isObject(parsed.value)) return { kind: "text", text }
  const value = parsed.value
  if (!("messages" in value || "system" in value || "tools" in value)) return { kind: "text", text }
  const { sideOfRequest } = await import("../convert/side.ts")
  return "messages" in value && sideOfRequest(value) === "openai"
    ? chatSubject(value)
    : messagesSubject(value)
}

function messagesSubject(value: JsonObject): Subject {
  const request = CountRequest.safeParse(value)
  if (!request.success) return { kind: "invalid", why: renderIssues(request.error) }
  return { kind: "request", request: request.data, model: textOf(value["model"]) }
}

/** A Chat Completions request is counted as the Messages request that asks for the same. */
async function chatSubject(value: JsonObject): Promise<Subject> {
  const { ChatRequestBody, firstChatIssue } = await import("../../protocol/chat/chat-request.ts")
  const { convertChatRequest } = await import("../../convert/reverse/request.ts")
  const chat = ChatRequestBody.safeParse(value)
  if (!chat.success) return { kind: "invalid", why: firstChatIssue(chat.error).message }
  return messagesSubject(convertChatRequest(chat.data).request)
}

async function count(subject: Valid, encoding: Encoding | undefined): Promise<Counted> {
  if (encoding === undefined) {
    if (subject.kind === "text") return { kind: "text", tokens: estimateText(subject.text) }
    return { kind: "request", parts: estimateParts(subject.request) }
  }
  const counter = createCounter()
  if (subject.kind === "text")
    return { kind: "text", tokens: await counter.count(subject.text, encoding.name) }
  return { kind: "request", parts: await countParts(subject.request, counter, encoding.name) }
}

function renderTable(rows: readonly (readonly [string, number])[]): string {
  const nameWidth = Math.max(...rows.map(([name]) => name.length))
  const numberWidth = Math.max(...rows.map(([, tokens]) => String(tokens).length))
  return rows
    .map(([name, tokens]) => `${name.padEnd(nameWidth)}  ${String(tokens).padStart(numberWidth)}\n`)
    .join("")
}

function rowsOf(counted: Counted): readonly (readonly [string, number])[] {
  if (counted.kind === "text") return [["text", counted.tokens]]
  const { parts } = counted
  return [
    ["system", parts.system],
    ...parts.tools.map((tool) => [`tool ${tool.name}`, tool.tokens] as const),
    ["messages", parts.messages],
    ["total", parts.total],
  ]
}

interface Method {
  /** Undefined for an estimate. */
  readonly encoding: Encoding | undefined
  readonly model: string | undefined
}

/** Without a model nothing is claimed about one. */
const isApproximate = ({ encoding, model }: Method): boolean =>
  model !== undefined && encoding?.known === false

function jsonOf(counted: Counted, byPart: boolean, method: Method): string {
  const total = counted.kind === "text" ? counted.tokens : counted.parts.total
  const parts =
    byPart && counted.kind === "request"
      ? { system: counted.parts.system, tools: counted.parts.tools, messages: counted.parts.messages }
      : {}
  const approximate = isApproximate(method) ? { approximate: true } : {}
  const name = method.encoding?.name ?? "estimate"
  return `${JSON.stringify({ kind: counted.kind, method: name, ...approximate, ...parts, total })}\n`
}

/**
 * Prints the tokens of a request or a text: one number, a table by part, or one JSON object. Resolves to the exit
 * code: 0, 1 when the input cannot be read, is empty or is not a valid request, 2 when there is no input at all or
 * the options contradict each other.
 */
export async function countTokens(options: CountTokensOptions, io: CommandIo): Promise<number> {
  if (options.estimate && options.model !== undefined)
    return fail(io, "an estimate is the same for every model: leave out --model, or --estimate", 2)
  const input = await readInput(options.file, "count-tokens", io)
  if (!input.ok) return input.code
  const subject = await subjectOf(input.text)
  if (subject.kind === "invalid") return fail(io, `not a valid request: ${subject.why}`)
  const model = options.model ?? subject.model
  const method: Method = { model, encoding: options.estimate ? undefined : encodingOf(model) }
  const counted = await count(subject, method.encoding)
  if (options.json) io.out(jsonOf(counted, options.byPart, method))
  else if (options.byPart) io.out(renderTable(rowsOf(counted)))
  else io.out(`${counted.kind === "text" ? counted.tokens : counted.parts.total}\n`)
  if (options.model !== undefined && isApproximate(method))
    say(io, `how ${model} counts is not known; this is the count in ${method.encoding?.name}`)
  return 0
}
