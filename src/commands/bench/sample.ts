// One streamed reply seen from outside: when its first words came and when its last, how much it was, and what it says
// of its tokens.
import { laterCounts, readUsage } from "../../convert/common/messages-usage.ts"
import { convertUsage, laterUsage } from "../../convert/reader/finish.ts"
import { readError } from "../../protocol/errors/error-facts.ts"
import { isErrorJson } from "../../protocol/errors/upstream-error.ts"
import { arrayOf, isObject, type JsonObject, objectOf, parseJson, textOf } from "../../protocol/json.ts"
import type { MessagesUsage } from "../../protocol/messages/messages.ts"
import { noUsage } from "../../protocol/messages/usage.ts"
import { createSseDecoder } from "../../protocol/sse.ts"
import type { Dialect } from "../../providers/profile.ts"

export interface Sample {
  /** Milliseconds from the request to the first text, thinking or arguments. */
  readonly firstMs: number
  /** Milliseconds from the request to the end. */
  readonly totalMs: number
  /** Of the body. */
  readonly bytes: number
  /** Of text, thinking and arguments together. */
  readonly characters: number
  /** Undefined: the reply says nothing of it. */
  readonly usage: MessagesUsage | undefined
}

type Sampled =
  | { readonly ok: true; readonly sample: Sample }
  | { readonly ok: false; readonly status: number; readonly why: string }

/** What one event, chunk or whole reply says. */
interface Said {
  readonly text: string
  readonly usage?: MessagesUsage | undefined
  readonly problem?: string | undefined
}

/** Reads a reply to its end; `since` gives the milliseconds since it was asked for. Rejects where it breaks off. */
export async function readSample(
  response: Response,
  dialect: Dialect,
  since: () => number,
): Promise<Sampled> {
  if (!response.ok) return { ok: false, status: response.status, why: problemIn(await response.text()) }
  const hear = hearing[dialect]
  const sse = createSseDecoder()
  const decoder = new TextDecoder()
  let [bytes, characters, whole] = [0, 0, ""]
  let isDocument: boolean | undefined
  let firstMs: number | undefined
  let usage: MessagesUsage | undefined
  let problem: string | undefined

  function take(data: string): void {
    const parsed = parseJson(data)
    if (!parsed.ok || !isObject(parsed.value)) return
    const said = hear(parsed.value, usage)
    characters += said.text.length
    if (said.text !== "") firstMs ??= since()
    usage = said.usage ?? usage
    problem ??= said.problem
  }

  for await (const piece of response.body ?? []) {
    bytes += piece.length
    const text = decoder.decode(piece, { stream: true })
    // A model that does not stream answers in one document, which holds no events; how a body begins tells of it, for a
    // piece of a stream may begin anywhere.
    if (text.trim() !== "") isDocument ??= text.trimStart().startsWith("{")
    if (isDocument === true) whole += text
    else for (const { data } of sse.push(text)) take(data)
  }
  for (const { data } of sse.flush()) take(data)
  if (whole !== "") take(whole)
  const totalMs = since()
  if (problem !== undefined) return { ok: false, status: response.status, why: problem }
  if (firstMs === undefined) return { ok: false, status: response.status, why: "the reply holds no words" }
  return { ok: true, sample: { firstMs, totalMs, bytes, characters, usage } }
}

function problemIn(text: string): string {
  const parsed = parseJson(text)
  const said = parsed.ok ? readError(parsed.value)?.message : undefined
  return said ?? text.trim().slice(0, 300)
}

/** The usage that was known is given along: what comes later adds to it. */
type Hear = (data: JsonObject, known: MessagesUsage | undefined) => Said

const hearing: Readonly<Record<Dialect, Hear>> = {
  chat: (data, known) => {
    const usage = convertUsage(data["usage"])
    return {
      text: arrayOf(data["choices"]).map(textOfChoice).join(""),
      usage: usage && laterUsage(known, usage),
      problem: errorIn(data),
    }
  },
  responses: (data, known) => {
    const { type, delta } = data
    const response = objectOf(data["response"] ?? (type === undefined ? data : undefined))
    const usage = convertUsage(response["usage"])
    const isDelta = typeof type === "string" && type.endsWith(".delta")
    return {
      text: isDelta ? (textOf(delta) ?? "") : type === undefined ? textsOf(response["output"]) : "",
      usage: usage && laterUsage(known, usage),
      problem: errorIn(data) ?? errorIn(response),
    }
  },
  messages: (data, known) => {
    const { text, thinking, partial_json } = objectOf(data["delta"])
    const found = data["usage"] ?? objectOf(data["message"])["usage"]
    return {
      text:
        [text, thinking, partial_json].map((part) => textOf(part) ?? "").join("") + textsOf(data["content"]),
      usage: found === undefined ? undefined : laterCounts(known ?? noUsage, readUsage(found)),
      problem: errorIn(data),
    }
  },
}

/** A piece of a choice, or a whole one. */
function textOfChoice(choice: unknown): string {
  const { delta, message } = objectOf(choice)
  const said = objectOf(delta ?? message)
  const { content, reasoning_content, reasoning } = said
  const calls = arrayOf(said["tool_calls"]).map((call) => objectOf(objectOf(call)["function"])["arguments"])
  const texts = [textOf(content) ?? textsOf(content), reasoning_content ?? reasoning, ...calls]
  return texts.map((text) => textOf(text) ?? "").join("")
}

/** All texts of blocks, and of what blocks hold. */
function textsOf(blocks: unknown): string {
  return arrayOf(blocks)
    .map(objectOf)
    .map(({ text, thinking, content }) => textOf(text) ?? textOf(thinking) ?? textsOf(content))
    .join("")
}

function errorIn(data: JsonObject): string | undefined {
  return isErrorJson(data) ? (readError(data)?.message ?? JSON.stringify(data)) : undefined
}
