// `convert` for OpenAI's replies and streams: the same reader, filters and writer as a live reply.
import type { Config } from "../../config/config.ts"
import type { Resolved } from "../../config/routes/route.ts"
import type { Delta } from "../../convert/common/delta.ts"
import { applyFilters, initialFilters, type Wishes } from "../../convert/filters/filters.ts"
import type { ReaderOptions } from "../../convert/reader/reader-text.ts"
import { initialDialect, readDialect, readWhole } from "../../convert/reply/dialect.ts"
import { foldEvents } from "../../convert/reply/fold.ts"
import { writeAll } from "../../convert/reply/reply.ts"
import { type Conversion, convertRequest } from "../../convert/request/request.ts"
import { sessionOf } from "../../convert/request/session.ts"
import { initialWriter, type WriterOptions } from "../../convert/writer/writer-state.ts"
import type { StreamInput } from "../../protocol/chat/chat.ts"
import { dropped, type Note, toErrorBody } from "../../protocol/fault.ts"
import { isObject, parseJson } from "../../protocol/json.ts"
import { encodeEvent } from "../../protocol/messages/encode.ts"
import { type MessagesRequest, renderIssues } from "../../protocol/messages/messages.ts"
import type { Route } from "../../providers/route.ts"
import { readerFor } from "../../server/reply/pipeline.ts"
import { askFor, parsedOf, type Wish } from "../../server/request/asked.ts"
import { errorContext } from "../../server/request/prepare.ts"
import { estimateRequest, estimateText } from "../../tokens/estimate.ts"
import type { Known } from "./input.ts"

export interface Converted {
  /** What is printed. */
  readonly text: string
  readonly notes: readonly Note[]
}

export type ChatInput = Extract<Known, { readonly model: string | undefined }>

type AskedRequest =
  | { readonly ok: true; readonly request: MessagesRequest; readonly resolved: Resolved }
  | { readonly ok: false; readonly why: string }

/** The request of `--request` with the route that it would take, or why it is none. */
export function readAsked(text: string, config: Config, wish: Wish): AskedRequest {
  const json = parseJson(text)
  if (!json.ok) return { ok: false, why: `not valid JSON: ${json.why}` }
  if (!isObject(json.value)) return { ok: false, why: "not a Messages request: it must be a JSON object" }
  const asked = askFor(json.value, config, wish)
  const read = parsedOf(asked)
  if (read.success) return { ok: true, request: read.data, resolved: asked.resolved }
  return { ok: false, why: `not a Messages request: ${renderIssues(read.error)}` }
}

/** What a reply is read by: of the conversion of the request it answers. */
type Asked = Omit<Conversion, "body" | "responses" | "notes">

const nothingAsked: Asked = {
  answer: undefined,
  toolNames: new Map(),
  offered: new Set(),
  schemas: new Map(),
  noCalls: false,
  seenIds: new Set(),
  stopSequences: [],
  watchedStops: [],
  showReasoning: true,
  search: undefined,
  summary: false,
  repeats: "",
  json: false,
}

/**
 * Anthropic's message or events for a reply or stream of `route`'s provider. With the request it answers it is
 * what that request's client would get; without, no tools are known and nothing is filtered out.
 */
export function convertChatReply(
  input: ChatInput,
  route: Route,
  config: Config,
  request: MessagesRequest | undefined,
): Converted {
  const asked =
    request === undefined ? nothingAsked : convertRequest(request, route, config, sessionOf(request))
  const inputTokens = request === undefined ? 0 : estimateRequest(request)
  const estimated = request === undefined || config.estimateTokens
  const deltas = asked.answer ?? readInput(input, asked, readerOptions(asked, route, config, inputTokens))
  const notes = [
    ...(asked.answer === undefined ? [] : [unheard]),
    ...deltas.flatMap((delta) => (delta.kind === "note" ? [delta.note] : [])),
  ]
  const events = writeAll(initialWriter(writerOptions(route, inputTokens, estimated)), deltas)
  if ("chunks" in input)
    return { text: events.map((event) => encodeEvent(event, "req_converted")).join(""), notes }
  const { reply, fault } = foldEvents(events)
  const value = fault === undefined ? reply : toErrorBody(fault, "req_converted")
  return { text: `${JSON.stringify(value, null, 2)}\n`, notes }
}

const unheard = dropped("input", "the proxy answers this request itself, without asking an upstream")

function readInput(input: ChatInput, wishes: Wishes, options: ReaderOptions): readonly Delta[] {
  if ("chunks" in input) return readStream(input.chunks, wishes, options)
  return applyFilters(initialFilters(wishes), readWhole(input.reply, options))[1]
}

function readStream(
  inputs: readonly StreamInput[],
  wishes: Wishes,
  options: ReaderOptions,
): readonly Delta[] {
  const reader = initialDialect(options)
  let filters = initialFilters(wishes)
  const deltas: Delta[] = []
  for (const input of inputs) {
    const [after, given] = applyFilters(filters, readDialect(reader, input))
    filters = after
    for (const delta of given) deltas.push(delta)
    // The upstream would have been let go here.
    if (filters.stops.hit) break
  }
  return deltas
}

// Fixed ids: the same input gives the same output, which a diff can then compare.
function writerOptions(route: Route, inputTokens: number, estimated: boolean): WriterOptions {
  return {
    id: "msg_converted",
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    inputTokens,
    estimate: estimated ? estimateText : null,
  }
}

function readerOptions(conversion: Asked, route: Route, config: Config, inputTokens: number): ReaderOptions {
  const errors = errorContext(route, config, () => inputTokens)
  return readerFor({ route, conversion, errors, idSeed: "converted", wholeArguments: false })
}
