// Fixtures by name, and the machine that they are played through: bytes or chunks in, Anthropic's events out.
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { readChat } from "../../src/convert/reader/chat-stream.ts"
import { initialReader } from "../../src/convert/reader/reader.ts"
import type { ReaderOptions } from "../../src/convert/reader/reader-text.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { readReply } from "../../src/convert/reply/reply.ts"
import { initialWriter, type WriterOptions } from "../../src/convert/writer/writer-state.ts"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import type { ErrorContext } from "../../src/protocol/errors/upstream-error.ts"
import { isObject, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { createSseDecoder } from "../../src/protocol/sse.ts"
import { baseProfile } from "../../src/providers/base-profile.ts"
import { findProvider, resolveProfile } from "../../src/providers/table.ts"
import { writeEach } from "./write-each.ts"

const root = resolve(import.meta.dir, "../fixtures")

export interface StreamFixture {
  /** `<provider>/<case>` */
  readonly name: string
  readonly provider: string
  readonly model: string
  readonly chunks: readonly unknown[]
  readonly done: boolean
}

/** Every fixture of a kind as `<provider>/<case>`, in alphabetical order. */
export function listFixtures(kind: "streams" | "replies" | "errors"): readonly string[] {
  return readdirSync(`${root}/${kind}`, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.jsonl?$/.test(path))
    .map((path) => path.replaceAll("\\", "/").replace(/(\.chunks)?\.jsonl?$/, ""))
    .toSorted()
}

/** A recorded stream: a comment line, one chunk per line, and `[DONE]` where the upstream said so. */
export function readStream(name: string): StreamFixture {
  const lines = readFileSync(`${root}/streams/${name}.chunks.jsonl`, "utf8").trimEnd().split("\n")
  const [head = {}, ...values] = lines.filter((line) => line !== "[DONE]").map(json)
  const { comment, provider, model } = objectOf(head)
  if (typeof comment !== "string") throw new Error(`${name} does not begin with a comment`)
  return {
    name,
    provider: String(provider),
    model: String(model),
    chunks: values,
    done: lines.at(-1) === "[DONE]",
  }
}

/** A whole JSON fixture of a reply or an error. */
export function readFixture(kind: "replies" | "errors", name: string): JsonObject {
  return objectOf(json(readFileSync(`${root}/${kind}/${name}.json`, "utf8")))
}

function json(text: string): unknown {
  const parsed = parseJson(text)
  if (!parsed.ok) throw new Error(`${parsed.why} in ${text.slice(0, 80)}`)
  return parsed.value
}

/** A stream fixture as the inputs of a reader. */
export function inputsOf({ chunks, done }: StreamFixture): readonly StreamInput[] {
  return inputs(chunks, done)
}

/** Chunks, then the end: clean when the upstream said `[DONE]`. */
export function inputs(chunks: readonly unknown[], clean = true): readonly StreamInput[] {
  const read = chunks.map((chunk) => ({ kind: "chunk", chunk }) as const)
  return [...read, { kind: "end", clean }]
}

export const errorContext: ErrorContext = {
  provider: "generic",
  model: "test-model",
  url: "https://upstream.test/v1/chat/completions",
  inputTokens: () => 100,
  contextWindow: null,
  keyName: "TEST_API_KEY",
  secrets: [],
}

export const toolNames: readonly string[] = ["Read", "Write", "Bash", "ListFiles", "ReadFile"]

type Options = Partial<Omit<ReaderOptions, "tools">> & { readonly tools?: Partial<ReaderOptions["tools"]> }

/** What a reader is told when the client offered the usual tools. */
export function readerOptions(options: Options = {}): ReaderOptions {
  const { tools, ...rest } = options
  return {
    profile: baseProfile,
    stopSequences: [],
    showReasoning: true,
    errors: errorContext,
    ...rest,
    tools: {
      toolNames: new Map(),
      offered: new Set(toolNames),
      seenIds: new Set(),
      idSeed: "Seed",
      ...tools,
    },
  }
}

/** The options for a fixture: the profile of its provider and model. */
export function optionsFor(
  fixture: Pick<StreamFixture, "provider" | "model">,
  options: Options = {},
): ReaderOptions {
  const row = findProvider(fixture.provider)
  if (row === undefined) throw new Error(`no provider ${fixture.provider}`)
  return readerOptions({ profile: resolveProfile(row, fixture.model), ...options })
}

export const writerOptions: WriterOptions = {
  id: "msg_test",
  model: "claude-opus-5-5",
  provider: "generic",
  upstreamModel: "test-model",
  inputTokens: 7,
  estimate: (text) => Math.ceil(text.length / 4),
}

/** Reader and writer over a list of inputs. */
export function play(
  given: readonly StreamInput[],
  options: ReaderOptions = readerOptions(),
  writing: WriterOptions = writerOptions,
): readonly MessagesEvent[] {
  const reader = initialReader(options)
  let writer = initialWriter(writing)
  const events: MessagesEvent[] = []
  for (const input of given) {
    const [nextWriter, more] = writeEach(writer, readChat(reader, input))
    writer = nextWriter
    for (const event of more) events.push(event)
  }
  return events
}

/** The events of chunks that end with `[DONE]`. */
export function eventsOf(chunks: readonly unknown[], options: Options = {}): readonly MessagesEvent[] {
  return play(inputs(chunks), readerOptions(options))
}

/** The message (or fault) that a client makes of chunks that end with `[DONE]`. */
export function foldOf(chunks: readonly unknown[], options: Options = {}) {
  return foldEvents(eventsOf(chunks, options))
}

/** A whole reply through the same machine. */
export function replyEvents(
  reply: unknown,
  options: ReaderOptions = readerOptions(),
): readonly MessagesEvent[] {
  return writeEach(initialWriter(writerOptions), readReply(reply, options))[1]
}

/** Chunks as the bytes of an event stream. */
export function encodeChunks(chunks: readonly unknown[], done = true): Uint8Array {
  const text = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")
  return new TextEncoder().encode(done ? `${text}data: [DONE]\n\n` : text)
}

/** Bytes in pieces through the UTF-8 and event-stream decoders, as the inputs of a reader. */
export function decodeBytes(pieces: readonly Uint8Array[]): readonly StreamInput[] {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
  const sse = createSseDecoder()
  const messages = pieces.flatMap((piece) => sse.push(utf8.decode(piece, { stream: true })))
  const read: StreamInput[] = []
  for (const { data } of [...messages, ...sse.push(utf8.decode()), ...sse.flush()]) {
    if (data === "[DONE]") return [...read, { kind: "end", clean: true }]
    read.push({ kind: "chunk", chunk: json(data) })
  }
  return [...read, { kind: "end", clean: false }]
}

/** Events as short lines, for snapshots that can be read. */
export function renderEvents(events: readonly MessagesEvent[]): readonly string[] {
  return events.map(renderEvent)
}

function renderEvent(event: MessagesEvent): string {
  switch (event.type) {
    case "message_start":
      return `message_start ${JSON.stringify(event.message.usage.input_tokens)}`
    case "content_block_start": {
      const block = event.content_block
      return `${event.index} ${block.type}${block.type === "tool_use" ? ` ${block.name} ${block.id}` : ""}`
    }
    case "content_block_delta":
      return `${event.index}   ${renderDelta(event.delta)}`
    case "content_block_stop":
      return `${event.index} stop`
    case "message_delta":
      return `message_delta ${Object.values(event.delta).filter(Boolean).join(" ")} ${JSON.stringify(event.usage)}`
    case "error":
      return `error ${event.fault.status} ${event.fault.kind}: ${event.fault.message}`
    default:
      return event.type
  }
}

function renderDelta(delta: JsonObject): string {
  const { type, ...rest } = delta
  if (type === "signature_delta") return "signature"
  return Object.values(rest)
    .filter((value) => !isObject(value))
    .map((value) => JSON.stringify(value))
    .join(" ")
}
