// A request understood: checked, routed and converted, before anything is sent.
import type { Config } from "../../config/config.ts"
import { wantsText, withoutCalls } from "../../convert/request/compaction.ts"
import { convertRequest } from "../../convert/request/request.ts"
import { cacheGroup, sessionOf } from "../../convert/request/session.ts"
import { noteUnknownFields } from "../../convert/request/unknown-fields.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import { type Fault, invalidRequest, joinNotes, type Note } from "../../protocol/fault.ts"
import { arrayOf, type JsonObject, objectOf } from "../../protocol/json.ts"
import { type MessagesRequest, renderIssues } from "../../protocol/messages/messages.ts"
import type { Route } from "../../providers/route.ts"
import { sentAgent, sentSession } from "../common/client-headers.ts"
import type { Context } from "../context.ts"
import type { Course } from "../course/course.ts"
import type { AmendingOptions, Sendable } from "./amending.ts"
import { type Asked, parsedOf } from "./asked.ts"
import type { DirectRequest } from "./direct-request.ts"
import { fitWindow } from "./fit.ts"
import { type MeasuredPrompt, measurePrompt, promptTokens } from "./prompt.ts"

/** What is known of one request once it is understood. */
export interface Prepared extends AmendingOptions {
  readonly prompt: MeasuredPrompt
  readonly notes: readonly Note[]
  readonly stream: boolean
  /** The client can do nothing with an answer but its text; this asks for one without calls. */
  readonly inWords: ((route: Route) => Sendable) | undefined
  /** The client gets the arguments of calls in one piece (ToolOptions). */
  readonly wholeArguments: boolean
  /** Tells the clients of this proxy apart. */
  readonly scope: string
  /** What the client calls the conversation, where it does. */
  readonly session: string | undefined
  readonly requestId: string
  readonly startedAt: number
  readonly course: Course
  /** By which it is made ready for another model, once that is to be asked. */
  readonly readying: Readying
}

/** A request that was read: what it asks for, and where it came from. */
export interface Asking {
  readonly asked: Asked
  readonly request: Request
  readonly requestId: string
  readonly startedAt: number
  /** Where it was sent; its query is passed on. */
  readonly url: URL
  /** The body as it came. */
  readonly bytes: Uint8Array
  /** What was lost before it was a Messages request. */
  readonly notes: readonly Note[]
  readonly readiness: Readiness
  /** It is asked to see what this very model answers. */
  readonly exact: boolean | undefined
}

/** How requests to one endpoint are made ready for a model of either kind. */
export interface Readiness {
  readonly direct: (readying: Readying, route: Route) => DirectRequest
  readonly converted: (readying: Readying, route: Route) => Preparation
}

/** A request on its course over the models that may answer it. */
export interface Readying {
  readonly asking: Asking
  readonly course: Course
  readonly context: Context
}

export type Preparation =
  | { readonly ok: true; readonly prepared: Prepared }
  | { readonly ok: false; readonly fault: Fault }

type Fitted =
  | { readonly ok: true; readonly sendable: Sendable; readonly notes: readonly Note[] }
  | { readonly ok: false; readonly fault: Fault }

/** What the request is converted by, whatever model it goes to. */
interface Converting {
  readonly request: MessagesRequest
  readonly prompt: MeasuredPrompt
  /** Groups requests for the provider's cache. */
  readonly group: string | undefined
  readonly scope: string
  readonly context: Context
}

/** Everything a Messages body says, or the Fault that refuses it: also because it cannot fit the model's window. */
export function prepareRequest(readying: Readying, given: Route): Preparation {
  const { asking, context } = readying
  const { asked, request } = asking
  const parsed = parsedOf(asked)
  if (!parsed.success) return { ok: false, fault: invalidRequest(renderIssues(parsed.error)) }
  const { headers } = request
  const session = sentSession(headers) ?? sessionOf(parsed.data)
  const scope = context.memory.scopeOf(headers, session)
  const route = context.dialects.choose(given)
  const converting: Converting = {
    request: parsed.data,
    prompt: measurePrompt(asked, route, context.ratios),
    group: cacheGroup(session, sentAgent(headers)),
    scope,
    context,
  }
  const fitted = fit(converting, route)
  if (!fitted.ok) return fitted
  return { ok: true, prepared: preparedOf(fitted, converting, readying, session) }
}

function preparedOf(
  { sendable, notes }: Extract<Fitted, { ok: true }>,
  converting: Converting,
  readying: Readying,
  session: string | undefined,
): Prepared {
  const { request, prompt, scope } = converting
  const { route, converted, conversion, errors } = sendable
  const { asked, requestId, startedAt, request: sent } = readying.asking
  const stream = request.stream === true
  prompt.sent = conversion
  return {
    route,
    converted,
    conversion,
    errors,
    prompt,
    inChat: route.chat === undefined ? undefined : inChat(converting, route.chat, sendable),
    inWords: wantsText(request) ? inWords(converting, sendable) : undefined,
    stream,
    scope,
    session,
    requestId,
    startedAt,
    course: readying.course,
    readying,
    notes: joinNotes(noteUnknownFields(asked.body, route.profile), notes),
    wholeArguments: !stream || wantsWhole(asked.body, sent.headers.get("user-agent") ?? ""),
  }
}

/** What fits in one dialect fits in the other, which only says it differently. */
function inChat(converting: Converting, chat: Route, other: Sendable): () => Sendable {
  return () => orElse(fit(converting, chat), other)
}

/** The same request, in either dialect, to be answered without a call. */
function inWords(converting: Converting, other: Sendable): (route: Route) => Sendable {
  const request = withoutCalls(converting.request)
  return (route) => orElse(fit({ ...converting, request }, route), other)
}

const orElse = (fitted: Fitted, other: Sendable): Sendable => (fitted.ok ? fitted.sendable : other)

/** The request without what this upstream refused of earlier ones, within the model's window. */
function fit({ request, prompt, group, scope, context }: Converting, route: Route): Fitted {
  const { config, memory, refusals, clock } = context
  const converted = convertRequest(request, route, config, group, memory.recallIn(scope))
  const { conversion, notes } = refusals.foresee(route, converted)
  const fits = fitWindow(conversion, route, prompt)
  if (!fits.ok) return fits
  const errors = errorContext(route, config, () => promptTokens(prompt), clock.now)
  return {
    ok: true,
    sendable: { route, converted, conversion: fits.conversion, errors },
    notes: joinNotes(joinNotes(converted.notes, notes), fits.notes),
  }
}

/** Claude Code lives with arguments that are no JSON, and who asks for eager streaming says that it does. */
function wantsWhole(body: JsonObject, userAgent: string): boolean {
  if (userAgent.startsWith("claude-cli/")) return false
  return !arrayOf(body["tools"]).some((tool) => objectOf(tool)["eager_input_streaming"] === true)
}

/** What the texts of errors need to know of a request; its tokens are counted when they are asked for. */
export function errorContext(
  route: Route,
  config: Config,
  inputTokens: () => number,
  now?: () => number,
): ErrorContext {
  return {
    provider: route.provider,
    model: route.model,
    url: withoutQuery(route.url),
    inputTokens,
    contextWindow: route.profile.contextWindow,
    keyName: route.keyName,
    secrets: config.secrets,
    now,
  }
}

function withoutQuery(url: string): string {
  const query = url.indexOf("?")
  return query < 0 ? url : url.slice(0, query)
}
