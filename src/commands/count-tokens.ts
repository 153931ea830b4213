// count-tokens: how many tokens an Anthropic request or a plain text is.
import { isObject, parseJson } from "../protocol/json.ts"
import { CountRequest, renderIssues } from "../protocol/messages.ts"
import { countParts, createCounter } from "../tokens/count.ts"
import { estimateParts, estimateText } from "../tokens/estimate.ts"
import type { Countable, TokenParts } from "../tokens/pieces.ts"
import type { CommandIo } from "./io.ts"
import { readInput } from "./read-input.ts"

export interface CountTokensOptions {
  /** A path, "-" or undefined for standard input. */
  readonly file: string | undefined
  readonly estimate: boolean
  readonly byPart: boolean
  readonly json: boolean
}

type Subject =
  | { readonly kind: "request"; readonly request: Countable }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "invalid"; readonly why: string }

type Counted =
  | { readonly kind: "request"; readonly parts: TokenParts }
  | { readonly kind: "text"; readonly tokens: number }

/** JSON with a request's fields is a request; everything else, other JSON included, is text. */
function subjectOf(text: string): Subject {
  const start = text.trimStart()[0]
  const parsed = start === "{" ? parseJson(text) : undefined
  if (parsed?.ok !== true || !isObject(parsed.value)) return { kind: "text", text }
  const value = parsed.value
  if (!("messages" in value || "system" in value || "tools" in value)) return { kind: "text", text }
  const request = CountRequest.safeParse(value)
  if (request.success) return { kind: "request", request: request.data }
  return { kind: "invalid", why: renderIssues(request.error) }
}

async function count(subject: Exclude<Subject, { kind: "invalid" }>, estimate: boolean): Promise<Counted> {
  if (subject.kind === "text") {
    const tokens = estimate ? estimateText(subject.text) : await createCounter().count(subject.text)
    return { kind: "text", tokens }
  }
  const parts = estimate ? estimateParts(subject.request) : await countParts(subject.request, createCounter())
  return { kind: "request", parts }
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

function jsonOf(counted: Counted, options: CountTokensOptions): string {
  const total = counted.kind === "text" ? counted.tokens : counted.parts.total
  const method = options.estimate ? "estimate" : "o200k_base"
  const parts =
    options.byPart && counted.kind === "request"
      ? { system: counted.parts.system, tools: counted.parts.tools, messages: counted.parts.messages }
      : {}
  return `${JSON.stringify({ kind: counted.kind, method, ...parts, total })}\n`
}

/**
 * Prints the tokens of a request or a text: one number, a table by part, or one JSON object. Resolves to the exit
 * code: 0, 1 when the input cannot be read, is empty or is not a valid request, 2 when there is no input at all.
 */
export async function countTokens(options: CountTokensOptions, io: CommandIo): Promise<number> {
  const input = await readInput(options.file, "count-tokens", io)
  if (!input.ok) return input.code
  const subject = subjectOf(input.text)
  if (subject.kind === "invalid") {
    io.error(`claude-proxy: not a valid request: ${subject.why}\n`)
    return 1
  }
  const counted = await count(subject, options.estimate)
  if (options.json) io.out(jsonOf(counted, options))
  else if (options.byPart) io.out(renderTable(rowsOf(counted)))
  else io.out(`${counted.kind === "text" ? counted.tokens : counted.parts.total}\n`)
  return 0
}
