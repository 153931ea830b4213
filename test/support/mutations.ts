// What can happen to a stream on its way: lines lost, doubled, swapped, torn or made up, and bytes that stop.

import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import type { ErrorContext } from "../../src/protocol/errors/upstream-error.ts"
import { arrayOf, objectOf, parseJson } from "../../src/protocol/json.ts"
import { createSseDecoder } from "../../src/protocol/sse.ts"
import { parseMessages, startParsing } from "../../src/upstream/chunk-parser.ts"
import type { Random } from "./random.ts"

/** The `data:` of one message each. */
export type Lines = readonly string[]

type Mutation = (random: Random, lines: Lines) => Lines

const junk: Lines = [
  "null",
  "true",
  "42",
  '"text"',
  "[]",
  "[null]",
  "[[]]",
  "{}",
  '{"choices":null}',
  '{"choices":{}}',
  '{"choices":[null]}',
  '{"choices":[[]]}',
  '{"choices":[{}]}',
  '{"choices":[{"delta":null}]}',
  '{"choices":[{"delta":[]}]}',
  '{"choices":[{"delta":{"tool_calls":[null]}}]}',
  '{"choices":[{"delta":{"tool_calls":[{}]}}]}',
  '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}}]}',
  '{"choices":[{"delta":{"content":[null,1,{"type":"thinking"}]}}]}',
  '{"choices":[{"delta":{"reasoning_details":[null,[],{"index":"x"}]}}]}',
  '{"choices":[{"delta":{},"finish_reason":7}]}',
  '{"usage":[]}',
  '{"usage":{"prompt_tokens":"many"}}',
  "not json",
  "<html>",
  "{",
  "",
]

const at = (random: Random, lines: Lines) => random.integer(0, Math.max(0, lines.length - 1))

function spliced(lines: Lines, from: number, remove: number, ...instead: Lines): Lines {
  return [...lines.slice(0, from), ...instead, ...lines.slice(from + remove)]
}

const mutations: readonly Mutation[] = [
  // The stream breaks off between two lines.
  (random, lines) => lines.slice(0, random.integer(0, lines.length)),
  // One line comes twice.
  (random, lines) => {
    const from = at(random, lines)
    return spliced(lines, from, 0, ...lines.slice(from, from + 1))
  },
  // One line is lost.
  (random, lines) => spliced(lines, at(random, lines), 1),
  // One line is torn.
  (random, lines) => {
    const from = at(random, lines)
    const line = lines[from] ?? ""
    return spliced(lines, from, 1, line.slice(0, random.integer(0, line.length)))
  },
  (random, lines) => spliced(lines, random.integer(0, lines.length), 0, random.pick(junk)),
  (random, lines) => spliced(lines, random.integer(0, lines.length), 0, JSON.stringify(random.json(4))),
  swapCalls,
]

/** The stream after up to four mishaps. */
export function mutateLines(random: Random, lines: Lines): Lines {
  let current = lines
  for (let left = random.integer(1, 4); left > 0; left -= 1) current = random.pick(mutations)(random, current)
  return current
}

/** Two neighbouring lines that belong to different tool calls change places, if there are such. */
export function swapCalls(random: Random, lines: Lines): Lines {
  const keys = lines.map(callKey)
  const places = keys.flatMap((key, from) => {
    const next = keys[from + 1]
    return key !== undefined && next !== undefined && key !== next ? [from] : []
  })
  if (places.length === 0) return lines
  const from = random.pick(places)
  return spliced(lines, from, 2, ...lines.slice(from, from + 2).toReversed())
}

/** Which call a line speaks of; undefined when it speaks of none, of several, or does not say. */
function callKey(line: string): string | undefined {
  const parsed = parseJson(line)
  const choices = arrayOf(objectOf(parsed.ok ? parsed.value : undefined)["choices"])
  const calls = arrayOf(objectOf(objectOf(choices[0])["delta"])["tool_calls"])
  const index = objectOf(calls[0])["index"]
  return choices.length === 1 && calls.length === 1 && typeof index === "number" ? String(index) : undefined
}

/** Lines as the bytes of an event stream, in one of the ways servers write one. */
export function encodeLines(random: Random, lines: Lines): Uint8Array {
  const end = random.pick(["\n", "\r\n", "\r"])
  const space = random.pick(["", " "])
  const messages = lines.map((line) => {
    const comment = random.chance(0.2) ? `: OPENROUTER PROCESSING${end}${end}` : ""
    const event = random.chance(0.1) ? `event: message${end}id: 7${end}` : ""
    return `${comment}${event}data:${space}${line}${end}${end}`
  })
  return new TextEncoder().encode(`${random.chance(0.2) ? "\uFEFF" : ""}${messages.join("")}`)
}

/** Bytes in pieces, read as the upstream client reads them; closed by an end that is not clean if by no other. */
export function readPieces(pieces: readonly Uint8Array[], errors: ErrorContext): readonly StreamInput[] {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
  const sse = createSseDecoder()
  const parsing = startParsing(errors)
  const inputs: StreamInput[] = []
  for (const piece of pieces) {
    inputs.push(...parseMessages(parsing, sse.push(utf8.decode(piece, { stream: true }))))
    if (inputs.at(-1)?.kind !== "chunk" && inputs.length > 0) return inputs
  }
  inputs.push(...parseMessages(parsing, [...sse.push(utf8.decode()), ...sse.flush()]))
  return inputs.length > 0 && inputs.at(-1)?.kind !== "chunk"
    ? inputs
    : [...inputs, { kind: "end", clean: false }]
}
