// A request understood: read, checked, routed and converted, before anything is sent.
import { resolveRoute } from "../config/route.ts"
import {
  type Conversion,
  cacheGroup,
  convertRequest,
  noteUnknownFields,
  sessionOf,
} from "../convert/request/request.ts"
import { type Fault, invalidRequest, type Note } from "../protocol/fault.ts"
import { MessagesRequest, renderIssues } from "../protocol/messages.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import { estimateRequest } from "../tokens/estimate.ts"
import { readBody } from "./body.ts"
import type { Context } from "./context.ts"
import { refuseThread } from "./threads.ts"

/** What is known of one request once it is understood. */
export interface Prepared {
  readonly route: Route
  readonly conversion: Conversion
  readonly errors: ErrorContext
  readonly notes: readonly Note[]
  readonly stream: boolean
  readonly requestId: string
  readonly startedAt: number
}

export type Preparation =
  | { readonly ok: true; readonly prepared: Prepared }
  | { readonly ok: false; readonly fault: Fault }

/** Everything a POST /v1/messages says, or the Fault that refuses it. Threads come first: they have rules of their own. */
export async function prepare(request: Request, context: Context, requestId: string): Promise<Preparation> {
  const startedAt = performance.now()
  const { config } = context
  const body = await readBody(request)
  if (!body.ok) return body
  const refused = refuseThread(body.json, request.headers.get("user-agent") ?? "")
  if (refused !== undefined) return { ok: false, fault: refused }
  const parsed = MessagesRequest.safeParse(body.json)
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
  const group = cacheGroup(
    request.headers.get("x-claude-code-session-id") ?? sessionOf(parsed.data),
    request.headers.get("x-claude-code-agent-id") ?? undefined,
  )
  const conversion = convertRequest(parsed.data, route, config, group)
  const errors: ErrorContext = {
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
  const notes = [...noteUnknownFields(body.json), ...conversion.notes]
  const stream = parsed.data.stream === true
  return {
    ok: true,
    prepared: { route, conversion, errors, notes, stream, requestId, startedAt },
  }
}
