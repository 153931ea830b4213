// A request understood: checked, routed and converted, before anything is sent.
import type { Config } from "../config/config.ts"
import { convertRequest } from "../convert/request/request.ts"
import { cacheGroup, sessionOf } from "../convert/request/session.ts"
import { noteUnknownFields } from "../convert/request/unknown-fields.ts"
import { type Fault, invalidRequest, type Note } from "../protocol/fault.ts"
import { arrayOf, type JsonObject, objectOf } from "../protocol/json.ts"
import { renderIssues } from "../protocol/messages.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import type { AmendingOptions, Sendable } from "./amending.ts"
import type { Asked } from "./asked.ts"
import type { Context } from "./context.ts"
import { scopeOf } from "./memory.ts"

/** What is known of one request once it is understood. */
export interface Prepared extends AmendingOptions {
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
}

export type Preparation =
  | { readonly ok: true; readonly prepared: Prepared }
  | { readonly ok: false; readonly fault: Fault }

/**
 * Everything a Messages body says, or the Fault that refuses it. `request` is where it came from: its headers
 * name the session and the client.
 */
export function prepareRequest(
  { body, parsed: read, tokens: inputTokens, resolved }: Asked,
  request: Request,
  context: Context,
  requestId: string,
  startedAt: number,
): Preparation {
  const { config } = context
  const parsed = read()
  if (!parsed.success) return { ok: false, fault: invalidRequest(renderIssues(parsed.error)) }
  if (!resolved.ok) return resolved
  const session = request.headers.get("x-claude-code-session-id") ?? sessionOf(parsed.data)
  const group = cacheGroup(session, request.headers.get("x-claude-code-agent-id") ?? undefined)
  const scope = scopeOf(request.headers, session)
  const recall = (toolUseId: string) => context.memory.recall(scope, toolUseId)
  const sendable = (to: Route): Sendable & { readonly notes: readonly Note[] } => {
    const converted = convertRequest(parsed.data, to, config, group, recall)
    const { conversion, notes } = context.refusals.foresee(to, converted)
    return {
      ...{ route: to, conversion, notes: [...conversion.notes, ...notes] },
      errors: errorContext(to, config, inputTokens, context.clock.now),
    }
  }
  const route = context.dialects.choose(resolved.route)
  const { conversion, errors, notes } = sendable(route)
  const { chat } = route
  const inChat = chat === undefined ? undefined : () => sendable(chat)
  const onChat = () => context.dialects.withoutResponses(route)
  const stream = parsed.data.stream === true
  return {
    ok: true,
    prepared: {
      ...{ route, conversion, errors, inChat, onChat, stream, scope, session, requestId, startedAt },
      notes: [...noteUnknownFields(body, route.profile), ...notes],
      wholeArguments: !stream || wantsWhole(body, request.headers.get("user-agent") ?? ""),
    },
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
    url: route.url.split("?")[0] ?? route.url,
    get inputTokens() {
      return inputTokens()
    },
    contextWindow: route.profile.contextWindow,
    keyName: route.keyName,
    secrets: config.secrets,
    ...(now === undefined ? {} : { now }),
  }
}
