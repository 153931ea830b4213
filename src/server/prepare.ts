// A request understood: checked, routed and converted, before anything is sent.
import type { Config } from "../config/config.ts"
import { resolveRoute } from "../config/route.ts"
import { type Conversion, convertRequest, noteUnknownFields } from "../convert/request/request.ts"
import { cacheGroup, sessionOf } from "../convert/request/session.ts"
import { type Fault, invalidRequest, type Note } from "../protocol/fault.ts"
import type { JsonObject } from "../protocol/json.ts"
import { MessagesRequest, renderIssues } from "../protocol/messages.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import { estimateRequest } from "../tokens/estimate.ts"
import type { Context } from "./context.ts"
import { scopeOf } from "./memory.ts"

/** What is known of one request once it is understood. */
export interface Prepared {
  readonly route: Route
  readonly conversion: Conversion
  readonly errors: ErrorContext
  readonly notes: readonly Note[]
  readonly stream: boolean
  /** Tells the clients of this proxy apart. */
  readonly scope: string
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
  body: JsonObject,
  request: Request,
  context: Context,
  requestId: string,
  startedAt: number,
): Preparation {
  const { config } = context
  const parsed = MessagesRequest.safeParse(body)
  if (!parsed.success) return { ok: false, fault: invalidRequest(renderIssues(parsed.error)) }
  const resolved = resolveRoute(config, parsed.data.model ?? undefined)
  if (!resolved.ok) return resolved
  const { route } = resolved
  // Counted when it is first asked for, which is after the request has left: a large one takes milliseconds.
  let counted: number | undefined
  const inputTokens = () => {
    counted ??= estimateRequest(parsed.data)
    return counted
  }
  const session = request.headers.get("x-claude-code-session-id") ?? sessionOf(parsed.data)
  const group = cacheGroup(session, request.headers.get("x-claude-code-agent-id") ?? undefined)
  const scope = scopeOf(request.headers, session)
  const recall = (toolUseId: string) => context.memory.recall(scope, toolUseId)
  const conversion = convertRequest(parsed.data, route, config, group, recall)
  const notes = [...noteUnknownFields(body), ...conversion.notes]
  const stream = parsed.data.stream === true
  const errors = errorContext(route, config, inputTokens)
  return {
    ok: true,
    prepared: { route, conversion, errors, notes, stream, scope, requestId, startedAt },
  }
}

/** What the texts of errors need to know of a request; its tokens are counted when they are asked for. */
export function errorContext(route: Route, config: Config, inputTokens: () => number): ErrorContext {
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
  }
}
