// What a request tells the upstream, in numbers that do not depend on how a proxy words it: was the conversation whole?
import { arrayOf, type JsonObject, objectOf, parseJson, textOf } from "../../../src/protocol/json.ts"

export interface Facts {
  readonly tools: number
  readonly calls: number
  readonly results: number
  /** Characters that are no white space: of all texts, and of the arguments of all calls. */
  readonly said: number
  readonly args: number
}

const visible = (text: string): number => text.replace(/\s+/g, "").length

function textIn(content: unknown): string {
  if (typeof content === "string") return content
  return arrayOf(content)
    .map((part) => textOf(objectOf(part)["text"]) ?? "")
    .join("")
}

function argumentsOf(call: unknown): string {
  const parsed = parseJson(textOf(objectOf(objectOf(call)["function"])["arguments"]) ?? "")
  return parsed.ok ? JSON.stringify(parsed.value) : ""
}

/** The facts of a Chat Completions request; undefined when it is none. */
export function factsOf(body: string): Facts | undefined {
  const parsed = parseJson(body)
  if (!parsed.ok) return undefined
  const request = objectOf(parsed.value)
  const messages: readonly JsonObject[] = arrayOf(request["messages"]).map(objectOf)
  const calls = messages.flatMap((message) => arrayOf(message["tool_calls"]))
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
  return {
    tools: arrayOf(request["tools"]).length,
    calls: calls.length,
    results: messages.filter((message) => message["role"] === "tool").length,
    said: sum(messages.map((message) => visible(textIn(message["content"])))),
    args: sum(calls.map((call) => visible(argumentsOf(call)))),
  }
}
