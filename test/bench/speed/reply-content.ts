// What a reply says, whatever its dialect; and whether it keeps the rules of that dialect.
import { arrayOf, type JsonObject, objectOf, parseJson } from "../../../src/protocol/json.ts"
import { parseAnthropicSse } from "../../support/anthropic-sse.ts"
import { checkGrammar } from "../../support/grammar.ts"
import type { Expected } from "./reply-text.ts"
import type { Dialect } from "./work.ts"

export type Content = Omit<Expected, "finish"> & { readonly finish: string }

/** The content of a whole body. Throws, saying what is wrong, when it breaks a rule of its dialect. */
export function readContent(dialect: Dialect, streamed: boolean, body: string): Content {
  if (dialect === "messages")
    return streamed ? foldEvents(parseAnthropicSse(body)) : messageContent(json(body))
  return streamed ? foldChunks(body) : foldDeltas([choiceOf(json(body))], "message")
}

function json(text: string): JsonObject {
  const parsed = parseJson(text)
  if (!parsed.ok) throw new Error(`no JSON: ${text.slice(0, 80)}`)
  return objectOf(parsed.value)
}

const joined = (values: readonly unknown[]): string =>
  values.map((value) => (typeof value === "string" ? value : "")).join("")

function foldEvents(events: readonly JsonObject[]): Content {
  const wrong = checkGrammar(events)
  if (wrong.length > 0) throw new Error(`against the grammar: ${wrong.slice(0, 3).join("; ")}`)
  const failed = events.find((event) => event["type"] === "error")
  if (failed !== undefined) throw new Error(`an error event: ${JSON.stringify(failed["error"])}`)
  const deltas = events.map((event) => objectOf(event["delta"]))
  const all = (field: string) => joined(deltas.map((delta) => delta[field]))
  return {
    text: all("text"),
    thinking: all("thinking"),
    args: all("partial_json"),
    finish: String(deltas.findLast((delta) => "stop_reason" in delta)?.["stop_reason"]),
  }
}

function messageContent(message: JsonObject): Content {
  if (message["type"] !== "message") throw new Error(`no message: ${JSON.stringify(message).slice(0, 120)}`)
  const blocks = arrayOf(message["content"]).map(objectOf)
  const all = (field: string) => joined(blocks.map((block) => block[field]))
  const inputs = blocks.filter((block) => block["type"] === "tool_use").map((block) => block["input"])
  return {
    text: all("text"),
    thinking: all("thinking"),
    args: inputs.map((input) => JSON.stringify(input)).join(""),
    finish: String(message["stop_reason"]),
  }
}

const doneMark = "[DONE]"

function foldChunks(body: string): Content {
  if (!body.endsWith("\n\n")) throw new Error(`the last event is not complete: ${body.slice(-80)}`)
  const data = body
    .slice(0, -2)
    .split("\n\n")
    .map((event) => {
      if (!event.startsWith("data: ")) throw new Error(`not an event: ${event.slice(0, 80)}`)
      return event.slice("data: ".length)
    })
  const ends = data.filter((line) => line === doneMark).length
  if (ends !== 1 || data.at(-1) !== doneMark) throw new Error(`${ends} times ${doneMark}`)
  const choices = data.slice(0, -1).map((line) => choiceOf(json(line)))
  return foldDeltas(choices, "delta")
}

function choiceOf(reply: JsonObject): JsonObject {
  return objectOf(arrayOf(reply["choices"])[0])
}

const finishWords: Readonly<Record<string, string>> = { stop: "end_turn", tool_calls: "tool_use" }

function foldDeltas(choices: readonly JsonObject[], field: "delta" | "message"): Content {
  const deltas = choices.map((choice) => objectOf(choice[field]))
  const calls = deltas.flatMap((delta) => arrayOf(delta["tool_calls"])).map(objectOf)
  const reasons = choices.flatMap(({ finish_reason: reason }) => (typeof reason === "string" ? [reason] : []))
  if (reasons.length !== 1) throw new Error(`${reasons.length} finish reasons`)
  return {
    text: joined(deltas.map((delta) => delta["content"])),
    thinking: joined(deltas.map((delta) => delta["reasoning_content"])),
    args: joined(calls.map((call) => objectOf(call["function"])["arguments"])),
    finish: finishWords[String(reasons[0])] ?? String(reasons[0]),
  }
}
