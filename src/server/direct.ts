// POST /v1/messages and its count_tokens for upstreams that speak Messages themselves: passed through byte
// for byte, with the same keys, retries and accounting as everything else.
import { directMaxTokens, prepareDirectBody } from "../convert/direct.ts"
import { streamOfMessage } from "../convert/direct-form.ts"
import { rewordOverflow } from "../convert/direct-overflow.ts"
import { sessionOf } from "../convert/request/session.ts"
import type { Fault, Note } from "../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../protocol/json.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import type { DirectFailure, DirectHead } from "../upstream/direct.ts"
import type { Context } from "./context.ts"
import { directBody } from "./direct-body.ts"
import { type DirectOpenOptions, openDirect } from "./direct-open.ts"
import { createDirectSession, type DirectSession } from "./direct-session.ts"
import type { TurnOptions } from "./keys.ts"
import { errorContext } from "./prepare.ts"
import { measurePrompt } from "./prompt.ts"
import { faultReply, jsonReply } from "./respond.ts"
import { refuseThread } from "./threads.ts"

/** A request that is known to go to an upstream of its own dialect. */
export interface DirectRequest {
  readonly route: Route
  readonly request: Request
  readonly body: JsonObject
  /** The JSON that `body` was parsed from. */
  readonly text: string
  readonly url: URL
  readonly requestId: string
  readonly startedAt: number
  /** Our estimate of the prompt, made when it is first asked for. */
  readonly inputTokens: () => number
  /** Anthropic itself: signatures are checked there, and threads kept. */
  readonly genuineOnly: boolean
  readonly notes: readonly Note[]
}

/** Answers one POST /v1/messages; every outcome but a refused thread is one Exchange. */
export async function handleDirect(given: DirectRequest, context: Context): Promise<Response> {
  const { route, request, requestId } = given
  const refused = refuseDirectThread(given, context)
  if (refused !== undefined) return refused
  const prepared = prepareDirectBody(given.text, given.body, {
    model: route.model,
    maxTokens: directMaxTokens(route.profile, context.config),
    genuineOnly: given.genuineOnly,
  })
  const stream = given.body["stream"] === true
  const notes = [...given.notes, ...prepared.notes]
  const { startedAt } = given
  const prompt = measurePrompt({ body: given.body, tokens: given.inputTokens }, route, context.ratios)
  const caller = context.callers(request.headers, sessionIn(given.body))
  const servesTools = hasServerTools(given.body)
  const facts = { route, requestId, startedAt, stream, notes, prompt, servesTools, caller }
  const session = createDirectSession(facts, context)
  if (request.signal.aborted) session.leave()
  else request.signal.addEventListener("abort", session.leave, { once: true })
  try {
    const corrected = { ...given, inputTokens: prompt.tokens }
    return await reply(corrected, prepared.text, stream, session, context)
  } catch (error) {
    return faultReply(session.fail(error), requestId)
  }
}

async function reply(
  given: DirectRequest,
  text: string,
  stream: boolean,
  session: DirectSession,
  context: Context,
): Promise<Response> {
  const { route, request, requestId } = given
  const errors = errorContext(route, context.config, given.inputTokens, context.clock.now)
  const { signal, retried } = session
  const opening = await openDirect(route, text, request.headers, {
    ...openOptions(given, errors, context),
    endpoint: "",
    stream,
    signal,
    onRetry: retried,
  })
  if (!opening.ok) {
    const fault = session.refuse(opening.fault)
    return fault === opening.fault ? refusalReply(opening, given, errors) : faultReply(fault, requestId)
  }
  context.log.debug("upstream reply", () => ({ requestId, upstreamId: opening.head.headers["request-id"] }))
  if (opening.kind === "document") {
    const blocks = arrayOf(opening.json["content"])
    session.content(blocks.map(wordsOf).join(""))
    session.readUsage(objectOf(opening.json["usage"]))
    session.tally.blocks(blocks)
    session.complete()
    if (!stream) return new Response(opening.bytes, replyInit(opening.head, requestId))
    return new Response(streamOfMessage(opening.json), replyInit(opening.head, requestId, eventHeaders))
  }
  const body = directBody(opening.batches, session, { requestId, errors, context })
  return new Response(body, replyInit(opening.head, requestId, streamHeaders))
}

/** What a block was made of, for the estimate of its tokens. */
function wordsOf(given: unknown): string {
  const { text, thinking, input } = objectOf(given)
  const words = [text, thinking].filter((part) => typeof part === "string").join("")
  return isObject(input) ? words + JSON.stringify(input) : words
}

/** Tools with a type of their own are mostly run upstream. */
function hasServerTools(body: JsonObject): boolean {
  return arrayOf(body["tools"]).some((tool) => (textOf(objectOf(tool)["type"]) ?? "custom") !== "custom")
}

/** Answers one POST /v1/messages/count_tokens; an upstream without it leaves us our own estimate. */
export async function countDirect(given: DirectRequest, context: Context): Promise<Response> {
  const { route, request, body, requestId, genuineOnly } = given
  const inputTokens = () => context.ratios.correct(route, given.inputTokens())
  const refused = refuseDirectThread(given, context)
  if (refused !== undefined) return refused
  const prepared = prepareDirectBody(given.text, body, {
    model: route.model,
    maxTokens: undefined,
    genuineOnly,
  })
  const errors = errorContext(route, context.config, inputTokens, context.clock.now)
  const opening = await openDirect(route, prepared.text, request.headers, {
    // Counting has limits and rights of its own: what refuses it would not refuse a message.
    ...openOptions(given, errors, context, { learns: false }),
    endpoint: "/count_tokens",
    stream: false,
    signal: request.signal,
    onRetry: (fault) => context.log.debug("counting again", () => ({ requestId, why: fault.message })),
  })
  if (!opening.ok) {
    const { refusal } = opening
    if (refusal?.status === 404 || refusal?.status === 405) return estimate(given, inputTokens())
    return refusalReply(opening, given, errors)
  }
  if (opening.kind === "document") return new Response(opening.bytes, replyInit(opening.head, requestId))
  opening.batches.close()
  return estimate(given, inputTokens())
}

function estimate({ body, requestId }: DirectRequest, tokens: number): Response {
  const edits = isObject(body["context_management"])
    ? { context_management: { original_input_tokens: tokens } }
    : {}
  return jsonReply({ input_tokens: tokens, ...edits }, requestId)
}

/** Only Anthropic keeps threads: elsewhere a later turn would be answered without what came before it. */
function refuseDirectThread(given: DirectRequest, { log }: Context): Response | undefined {
  if (given.genuineOnly) return undefined
  const { body, request, requestId } = given
  const refused = refuseThread(body, request.headers.get("user-agent") ?? "")
  if (refused === undefined) return undefined
  const { status, message } = refused
  log.warn("request refused", () => ({ requestId, status, why: message }))
  return faultReply(refused, requestId)
}

function sessionIn(body: JsonObject): string | undefined {
  return sessionOf({ metadata: { user_id: textOf(objectOf(body["metadata"])["user_id"]) } })
}

type OpenOptions = Omit<DirectOpenOptions, "endpoint" | "stream" | "signal" | "onRetry">

function openOptions(
  { url, route, request, body }: DirectRequest,
  errors: ErrorContext,
  context: Context,
  turn: TurnOptions = {},
): OpenOptions {
  const { config, clock, version, keys } = context
  // Claude Code writes its session into both.
  const session =
    request.headers.get("x-claude-code-session-id") ?? textOf(objectOf(body["metadata"])["user_id"])
  return {
    keys: keys.turn(route, session, turn),
    timeoutMs: config.requestTimeoutMs,
    maxRetries: config.maxRetries,
    clock,
    userAgent: `claude-proxy/${version}`,
    errors,
    query: url.searchParams,
  }
}

const eventHeaders = { "content-type": "text/event-stream; charset=utf-8" }
const streamHeaders = { "cache-control": "no-cache", "x-accel-buffering": "no" }

function replyInit(head: DirectHead, requestId: string, more: Readonly<Record<string, string>> = {}) {
  return { status: head.status, headers: { "request-id": requestId, ...head.headers, ...more } }
}

/** The upstream's own words if they are Anthropic's; a header tells clients that would ask for ever to stop. */
function refusalReply(
  { fault, refusal }: DirectFailure,
  { route, requestId, genuineOnly }: DirectRequest,
  errors: ErrorContext,
): Response {
  if (refusal?.body === undefined) return faultReply(fault, requestId)
  const final = fault.finalForClient === true ? { "x-should-retry": "false" } : {}
  const { status, headers, body } = refusal
  // The kind: a text about too many tokens may speak of a rate, or of money.
  const reworded = !genuineOnly && fault.kind === "invalid_request_error"
  return new Response(reworded ? rewordOverflow(body, errors) : body, {
    status,
    headers: {
      "request-id": requestId,
      ...final,
      ...(route.apiKeys.length > 1 ? waiting(headers, fault) : headers),
    },
  })
}

/** The upstream speaks of one key: of several it is the first to be free again that the client waits for. */
function waiting(headers: DirectHead["headers"], { retryAfterMs }: Fault): DirectHead["headers"] {
  if (retryAfterMs === undefined) return headers
  const { "retry-after-ms": exact, ...others } = headers
  const inMs = exact === undefined ? {} : { "retry-after-ms": String(Math.ceil(retryAfterMs)) }
  return { ...others, ...inMs, "retry-after": String(Math.ceil(retryAfterMs / 1000)) }
}
