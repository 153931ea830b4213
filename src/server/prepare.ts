// A request understood: checked, routed and converted, before anything is sent.
import type { Config } from "../config/config.ts"
import { bodyOf } from "../convert/request/body-of.ts"
import { type Conversion, convertRequest } from "../convert/request/request.ts"
import { cacheGroup, sessionOf } from "../convert/request/session.ts"
import { noteUnknownFields } from "../convert/request/unknown-fields.ts"
import { type Fault, invalidRequest, joinNotes, type Note } from "../protocol/fault.ts"
import { arrayOf, type JsonObject, objectOf } from "../protocol/json.ts"
import { renderIssues } from "../protocol/messages.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import type { AmendingOptions, Sendable } from "./amending.ts"
import type { Asked } from "./asked.ts"
import type { Context } from "./context.ts"
import type { Course } from "./course.ts"
import type { DirectRequest } from "./direct-request.ts"
import { fitWindow } from "./fit.ts"
import { type MeasuredPrompt, measurePrompt, type RepliedPrompt } from "./prompt.ts"

/** What is known of one request once it is understood. */
export interface Prepared extends AmendingOptions {
  readonly prompt: RepliedPrompt
  readonly notes: readonly Note[]
  readonly stream: boolean
  /** The client gets the arguments of calls in one piece (ToolOptions). */
  readonly wholeArguments: boolean
  /** Tells the clients of this proxy apart. */
  readonly scope: string
  /** What the client calls the conversation, where it does. */
  readonly session: string | undefined
  readonly requestId: string
  readonly startedAt: number
  readonly course: Course
  /** Makes the request ready for another model, once that is to be asked. */
  readonly ready: GetReady
}

/** A request that is ready to be sent to one model. */
export type Stop =
  | { readonly kind: "converted"; readonly prepared: Prepared }
  /** In the client's own words. */
  | { readonly kind: "direct"; readonly direct: DirectRequest }

export type Ready = { readonly ok: true; readonly stop: Stop } | { readonly ok: false; readonly fault: Fault }

export type GetReady = (route: Route) => Ready

export type Preparation =
  | { readonly ok: true; readonly prepared: Prepared }
  | { readonly ok: false; readonly fault: Fault }

type Fitted =
  | { readonly ok: true; readonly sendable: Sendable; readonly notes: readonly Note[] }
  | { readonly ok: false; readonly fault: Fault }

/** What a request is beside its body. `request` is where it came from: its headers name the session and the client. */
export interface Circumstances extends Pick<Prepared, "requestId" | "startedAt" | "course" | "ready"> {
  readonly request: Request
}

/** Everything a Messages body says, or the Fault that refuses it: also because it cannot fit the model's window. */
export function prepareRequest(
  asked: Asked,
  given: Route,
  circumstances: Circumstances,
  context: Context,
): Preparation {
  const { config } = context
  const { request } = circumstances
  const { body } = asked
  const parsed = asked.parsed()
  if (!parsed.success) return { ok: false, fault: invalidRequest(renderIssues(parsed.error)) }
  const session = request.headers.get("x-claude-code-session-id") ?? sessionOf(parsed.data)
  const group = cacheGroup(session, request.headers.get("x-claude-code-agent-id") ?? undefined)
  const scope = context.memory.scopeOf(request.headers, session)
  const recall = (toolUseId: string) => context.memory.recall(scope, toolUseId)
  const route = context.dialects.choose(given)
  const prompt = measurePrompt(asked, route, context.ratios)
  const fitted = (to: Route): Fitted =>
    fit(to, convertRequest(parsed.data, to, config, group, recall), prompt, context)
  const first = fitted(route)
  if (!first.ok) return first
  const { chat } = route
  const inChat = chat === undefined ? undefined : () => sendableOr(fitted(chat), first.sendable)
  const onChat = () => context.dialects.withoutResponses(route)
  const stream = parsed.data.stream === true
  return {
    ok: true,
    prepared: {
      route: first.sendable.route,
      conversion: first.sendable.conversion,
      errors: first.sendable.errors,
      prompt: learningFrom(first.sendable, prompt),
      inChat,
      onChat,
      stream,
      scope,
      session,
      requestId: circumstances.requestId,
      startedAt: circumstances.startedAt,
      course: circumstances.course,
      ready: circumstances.ready,
      notes: joinNotes(noteUnknownFields(body, route.profile), first.notes),
      wholeArguments: !stream || wantsWhole(body, request.headers.get("user-agent") ?? ""),
    },
  }
}

/** The request without what this upstream refused of earlier ones, within the model's window. */
function fit(route: Route, converted: Conversion, prompt: MeasuredPrompt, context: Context): Fitted {
  const { conversion, notes } = context.refusals.foresee(route, converted)
  const fits = fitWindow(conversion, route, prompt)
  if (!fits.ok) return fits
  const errors = errorContext(route, context.config, prompt.tokens, context.clock.now)
  return {
    ok: true,
    sendable: { route, conversion: fits.conversion, errors },
    notes: joinNotes(joinNotes(converted.notes, notes), fits.notes),
  }
}

/** What the model counts is what was sent, and not what the client said. */
function learningFrom(sendable: Sendable, { tokens, learn, settle }: MeasuredPrompt): RepliedPrompt {
  let sent: Sendable | undefined = sendable
  return {
    tokens,
    learn: (reported) => learn(reported, sent && bodyOf(sent.conversion)),
    settle: () => {
      settle(sent && bodyOf(sent.conversion))
      sent = undefined
    },
  }
}

/** What fits in one dialect fits in the other, which only says it differently. */
function sendableOr(fitted: Fitted, other: Sendable): Sendable {
  return fitted.ok ? fitted.sendable : other
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
