// What the upstream of a fuzz says: good replies in every dialect, and the same after mishaps.
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { nativeEvents } from "./anthropic-upstream.ts"
import { finishChunk, reasoningChunk, roleChunk, textChunk, toolChunks, usageChunk } from "./chunks.ts"
import { listFixtures, readFixture, readStream } from "./fixtures.ts"
import { changeBytes, changeJson, jsonText } from "./fuzz-json.ts"
import { encodeLines, mutateLines } from "./mutations.ts"
import type { Random } from "./random.ts"
import { eventsOf } from "./responses/events.ts"
import { callItem, messageItem, reasoningItem, responseOf } from "./responses/items.ts"

export type Dialect = "chat" | "native" | "responses"

export interface UpstreamReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** It comes in pieces; `reset`: and then the connection breaks; `stall`: and then nothing more comes. */
  readonly end?: "whole" | "reset" | "stall"
}

const eventStream = { "content-type": "text/event-stream" }
const json = { "content-type": "application/json" }

const chatStreams: readonly (readonly JsonObject[])[] = [
  [roleChunk(), textChunk("As it "), textChunk("was."), finishChunk("stop"), usageChunk(12, 3)],
  [roleChunk(), reasoningChunk("It is early."), textChunk("Yes."), finishChunk("stop"), usageChunk(12, 3, 4)],
  [
    roleChunk(),
    textChunk("Let me see."),
    ...toolChunks(0, "call_1", "Read", { path: "/a" }),
    finishChunk("tool_calls"),
    usageChunk(12, 9),
  ],
]
const items: readonly (readonly JsonObject[])[] = [
  [messageItem("1", "As it was recorded.")],
  [reasoningItem("1", ["It is early."]), messageItem("2", "Yes.")],
  [messageItem("3", "Let me see."), callItem("1", "Read", '{"path":"/a"}')],
]
const chatReply: JsonObject = {
  ...{ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "scripted" },
  choices: [
    { index: 0, message: { role: "assistant", content: "As it was recorded." }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
}
const nativeReply: JsonObject = {
  ...{ id: "msg_01", type: "message", role: "assistant", model: "claude-opus-5-5" },
  content: [{ type: "text", text: "As it was recorded." }],
  ...{ stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 12, output_tokens: 3 } },
}

const dataLine = (value: JsonObject) => `data: ${JSON.stringify(value)}\n\n`
const namedEvent = (value: JsonObject) => `event: ${String(value["type"])}\n${dataLine(value)}`
const whole = (headers: Readonly<Record<string, string>>, text: string): UpstreamReply => ({
  ...{ status: 200, headers, body: Buffer.from(text) },
})

const streams: Readonly<Record<Dialect, readonly UpstreamReply[]>> = {
  chat: chatStreams.map((chunks) => whole(eventStream, `${chunks.map(dataLine).join("")}data: [DONE]\n\n`)),
  native: [whole(eventStream, nativeEvents("As it was recorded.").map(namedEvent).join(""))],
  responses: items.map((output) => whole(eventStream, eventsOf(output).map(namedEvent).join(""))),
}
const documents: Readonly<Record<Dialect, readonly UpstreamReply[]>> = {
  chat: [whole(json, JSON.stringify(chatReply))],
  native: [whole(json, JSON.stringify(nativeReply))],
  responses: items.map((output) => whole(json, JSON.stringify(responseOf(output)))),
}

/** A good reply; which one it is depends on nothing but the text of the request. The first is without a call. */
export function goodReply(dialect: Dialect, stream: boolean, text: string): UpstreamReply {
  const replies = (stream ? streams : documents)[dialect]
  const inWords = /Respond with TEXT ONLY|a detailed summary of/.test(text)
  return replies[inWords ? 0 : Number(Bun.hash(text) % BigInt(replies.length))] ?? whole(json, "{}")
}

export const goodCount: UpstreamReply = whole(json, '{"input_tokens":12}')

const recorded = listFixtures("streams").map((name) =>
  readStream(name).chunks.map((chunk) => JSON.stringify(chunk)),
)
const replies = listFixtures("replies").map((name) => readFixture("replies", name)["reply"])
const errors = listFixtures("errors").map((name) => readFixture("errors", name))

// Put in place of the key only when everything else has happened: half a key is not one.
const keyWord = "@THE-KEY@"

/** A reply after mishaps, to whoever sent these secrets; an error names them. */
export function faultyReply(
  random: Random,
  dialect: Dialect,
  stream: boolean,
  { secrets, stalls }: { readonly secrets: string; readonly stalls: number },
): UpstreamReply {
  const reply = random.chance(0.3)
    ? faultyError(random, secrets)
    : stream && random.chance(0.9)
      ? faultyStream(random, dialect)
      : faultyDocument(random, dialect)
  const type = random.pick([
    "text/html",
    "application/json",
    "text/event-stream",
    "",
    "text/plain",
    "application/x",
  ])
  const odd = random.pick<Readonly<Record<string, string>>>([
    ...[{ "content-type": type }, { "content-type": type }, { "content-encoding": "gzip" }],
    ...[{ "retry-after": "-1e99" }, { "retry-after": "tomorrow" }, { "retry-after": "1e12" }],
    ...[{ "x-should-retry": "maybe" }, { "request-id": "a".repeat(3_000) }, { "set-cookie": secrets }],
  ])
  const headers = random.chance(0.1) ? { ...reply.headers, ...odd } : reply.headers
  const at = random.next()
  return { ...reply, headers, end: at < 0.1 ? "reset" : at < 0.1 + stalls ? "stall" : "whole" }
}

function faultyError(random: Random, secrets: string): UpstreamReply {
  const { status, headers, body } = random.pick(errors)
  const echoed = random.chance(0.5) ? echoing(body, random) : body
  let bytes = Buffer.from(
    typeof echoed === "string" ? echoed : jsonText(mutated(echoed, random, 0.4), random),
  )
  if (random.chance(0.3)) bytes = Buffer.from(changeBytes(bytes, random))
  const told = bytes.toString("latin1").replaceAll(keyWord, secrets)
  if (random.chance(0.05)) {
    const location = random.pick([`https://x.example/${secrets}?key=${secrets}`, "/", "", "%"])
    return {
      status: random.pick([301, 302, 307, 308]),
      headers: { location },
      body: Buffer.from(told, "latin1"),
    }
  }
  const code = typeof status === "number" ? status : random.pick([200, 400, 418, 451, 500, 507, 599])
  const own = Object.fromEntries(
    Object.entries(objectOf(headers)).map(([name, value]) => [name, String(value)]),
  )
  const echo = random.chance(0.2)
    ? { "x-your-key": secrets, "request-id": `req-${random.integer(1, 99)}` }
    : {}
  return { status: code, headers: { ...json, ...own, ...echo }, body: Buffer.from(told, "latin1") }
}

const told = `Incorrect API key provided: ${keyWord}, or (${keyWord}).`

/** The error as one that repeats what it was sent. */
function echoing(body: unknown, random: Random): unknown {
  if (typeof body === "string") return `${body} ${told}`
  return random.pick<unknown>([
    { error: { message: told, type: "invalid_request_error", code: "invalid_api_key" } },
    { type: "error", error: { type: "authentication_error", message: told }, request_id: "req_1" },
    { error: told },
    { detail: [{ msg: told, headers: { authorization: `Bearer ${keyWord}` } }] },
    `<html><title>Forbidden</title>${told}</html>`,
    { ...objectOf(body), headers: { authorization: keyWord } },
  ])
}

function mutated(value: unknown, random: Random, often: number): unknown {
  let changed = value
  while (random.chance(often)) changed = changeJson(changed, random)
  return changed
}

function faultyDocument(random: Random, dialect: Dialect): UpstreamReply {
  const own = { chat: random.pick(replies), native: nativeReply, responses: responseOf(random.pick(items)) }
  const bytes = Buffer.from(jsonText(mutated(own[dialect], random, 0.7), random))
  return { status: 200, headers: json, body: random.chance(0.3) ? changeBytes(bytes, random) : bytes }
}

function faultyStream(random: Random, dialect: Dialect): UpstreamReply {
  const own = {
    chat: () => [...random.pick(recorded), "[DONE]"],
    native: () => nativeEvents("As it was recorded.").map((event) => JSON.stringify(event)),
    responses: () => eventsOf(random.pick(items)).map((event) => JSON.stringify(event)),
  }
  let lines = mutateLines(random, own[dialect]())
  if (random.chance(0.6)) lines = lines.map((line) => (random.chance(0.2) ? changedLine(line, random) : line))
  const bytes = Buffer.from(
    dialect === "chat" ? encodeLines(random, lines) : Buffer.from(lines.map(lineEvent).join("")),
  )
  return { status: 200, headers: eventStream, body: random.chance(0.25) ? changeBytes(bytes, random) : bytes }
}

function changedLine(line: string, random: Random): string {
  if (!line.startsWith("{")) return line
  try {
    return jsonText(changeJson(JSON.parse(line), random), random)
  } catch {
    return line
  }
}

const lineEvent = (line: string): string =>
  `event: ${/"type":"([\w.]+)"/.exec(line)?.[1] ?? "message"}\ndata: ${line}\n\n`
