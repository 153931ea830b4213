// `convert`: what the proxy would make of a request, a reply or a stream, without sending anything.

import type { Config } from "../config/config.ts"
import { loadHere } from "../config/load.ts"
import { resolveRoute } from "../config/route.ts"
import { initialChatReader, readChat } from "../convert/reply/chat-stream.ts"
import type { ReaderOptions } from "../convert/reply/chat-text.ts"
import { foldEvents, readReply, writeAll } from "../convert/reply/reply.ts"
import { initialWriter, type WriterOptions } from "../convert/reply/writer-state.ts"
import { convertRequest, noteUnknownFields, sessionOf } from "../convert/request/request.ts"
import type { StreamInput } from "../protocol/chat.ts"
import { encodeEvent } from "../protocol/encode.ts"
import { toErrorBody } from "../protocol/fault.ts"
import type { JsonObject } from "../protocol/json.ts"
import { type MessagesEvent, MessagesRequest, renderIssues } from "../protocol/messages.ts"
import type { Route } from "../providers/route.ts"
import { estimateRequest, estimateText } from "../tokens/estimate.ts"
import { explain } from "./convert-explain.ts"
import { describeKind, type Input, recognise } from "./convert-input.ts"
import type { CommandIo } from "./io.ts"
import { readInput } from "./read-input.ts"

export interface ConvertOptions {
  readonly file?: string | undefined
  readonly to?: string | undefined
  readonly from?: string | undefined
  readonly model?: string | undefined
  readonly envFile?: string | undefined
  readonly explain: boolean
}

/** 0: converted; 1: the input is nothing we can convert; 2: the command or the configuration is wrong. */
export async function convert(options: ConvertOptions, io: CommandIo): Promise<number> {
  const read = await readInput(options.file, "convert", io)
  if (!read.ok) return read.code
  const input = recognise(read.text, options.from)
  if (input.kind === "unknown") return fail(io, input.why)
  const target = input.kind === "messages-request" ? "openai" : "anthropic"
  if (options.to !== undefined && options.to !== target) {
    return fail(io, `this input is ${describeKind(input)}, which converts to ${target}, not to ${options.to}`)
  }
  const loaded = loadHere({ flags: {}, envFile: options.envFile, localFile: true, needsUpstream: false })
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.error(`claude-proxy: ${problem}\n`)
    return 2
  }
  try {
    return convertInput(input, options, loaded.config, io)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return fail(io, "the input is nested too deeply")
  }
}

type Known = Exclude<Input, { kind: "unknown" }>

function convertInput(input: Known, options: ConvertOptions, config: Config, io: CommandIo): number {
  if (input.kind === "messages-request") return convertRequestInput(input.body, options, config, io)
  const resolved = resolveRoute(config, options.model ?? input.model)
  if (!resolved.ok) return fail(io, resolved.fault.message)
  return convertReplyInput(input, resolved.route, config.secrets, io)
}

function fail(io: CommandIo, message: string): number {
  io.error(`claude-proxy: ${message}\n`)
  return 1
}

function convertRequestInput(
  body: JsonObject,
  options: ConvertOptions,
  config: Config,
  io: CommandIo,
): number {
  const parsed = MessagesRequest.safeParse(body)
  if (!parsed.success) return fail(io, `not a Messages request: ${renderIssues(parsed.error)}`)
  const request = parsed.data
  const resolved = resolveRoute(config, options.model ?? request.model ?? undefined)
  if (!resolved.ok) return fail(io, resolved.fault.message)
  const conversion = convertRequest(request, resolved.route, config, sessionOf(request))
  io.out(`${JSON.stringify(conversion.body, null, 2)}\n`)
  if (options.explain) {
    const notes = [...noteUnknownFields(body), ...conversion.notes]
    io.error(explain(request, resolved.route, conversion.body, notes, estimateRequest(request)))
  }
  return 0
}

type ReplyInput = Exclude<Input, { kind: "messages-request" } | { kind: "unknown" }>

function convertReplyInput(
  input: ReplyInput,
  route: Route,
  secrets: readonly string[],
  io: CommandIo,
): number {
  const options = readerOptions(route, secrets)
  const events =
    input.kind === "chat-reply"
      ? replyEvents(input.reply, route, options)
      : streamEvents(input.chunks, route, options)
  if (input.kind === "chat-stream") {
    io.out(events.map((event) => encodeEvent(event, "req_converted")).join(""))
    return 0
  }
  const { reply, fault } = foldEvents(events)
  const value = fault === undefined ? reply : toErrorBody(fault, "req_converted")
  io.out(`${JSON.stringify(value, null, 2)}\n`)
  return 0
}

function replyEvents(reply: JsonObject, route: Route, options: ReaderOptions): readonly MessagesEvent[] {
  return writeAll(initialWriter(writerOptions(route)), readReply(reply, options))[1]
}

function streamEvents(
  inputs: readonly StreamInput[],
  route: Route,
  options: ReaderOptions,
): readonly MessagesEvent[] {
  let reader = initialChatReader(options)
  let writer = initialWriter(writerOptions(route))
  const events: MessagesEvent[] = []
  for (const input of inputs) {
    const [nextReader, deltas] = readChat(reader, input)
    const [nextWriter, more] = writeAll(writer, deltas)
    reader = nextReader
    writer = nextWriter
    events.push(...more)
  }
  return events
}

// Fixed ids: the same input gives the same output, which a diff can then compare.
function writerOptions(route: Route): WriterOptions {
  return {
    id: "msg_converted",
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    inputTokens: 0,
    estimate: estimateText,
  }
}

function readerOptions(route: Route, secrets: readonly string[]): ReaderOptions {
  return {
    profile: route.profile,
    tools: { toolNames: new Map(), offered: new Set(), seenIds: new Set(), idSeed: "converted" },
    stopSequences: [],
    showReasoning: true,
    errors: {
      provider: route.provider,
      model: route.model,
      url: route.url,
      inputTokens: 0,
      contextWindow: route.profile.contextWindow,
      keyName: route.keyName,
      secrets,
    },
  }
}
