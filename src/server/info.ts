// The endpoints that tell instead of doing: what this is, is it well, how many tokens.
import { invalidRequest } from "../protocol/fault.ts"
import { renderIssues } from "../protocol/messages.ts"
import { countParts } from "../tokens/count.ts"
import { encodingOf } from "../tokens/exact/encodings.ts"
import type { Countable } from "../tokens/pieces.ts"
import { type Asked, askFor, directRoute } from "./asked.ts"
import { readBody } from "./body.ts"
import type { Context } from "./context.ts"
import { countDirect } from "./direct.ts"
import { directRequest } from "./direct-request.ts"
import { faultReply, jsonReply } from "./respond.ts"

/** GET /: for people and for a client's first look. */
export function describe(context: Context, requestId: string): Response {
  const { tiers } = context.config
  return jsonReply(
    {
      name: "claude-proxy",
      version: context.version,
      endpoints: [
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/messages/test_conversion",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/stats",
        "/health",
        "/metrics",
        "/test-connection",
      ],
      models: { big: tiers.big, middle: tiers.middle, small: tiers.small },
    },
    requestId,
  )
}

/** GET /health: about this process alone; upstreams are not asked. */
export function health(context: Context, requestId: string): Response {
  const { config } = context
  const { hostname, port } = context.address()
  return jsonReply(
    {
      status: "healthy",
      timestamp: new Date(context.clock.now()).toISOString(),
      server: { host: hostname, port },
      ...(context.instance === undefined ? {} : { instance: context.instance }),
      models: { big: config.tiers.big, middle: config.tiers.middle, small: config.tiers.small },
      api_status: {
        upstream: config.upstream.row.name,
        api_key_configured: config.upstream.apiKeys.length > 0,
        client_keys_required: config.clientKeys.length > 0,
      },
    },
    requestId,
  )
}

/** GET /metrics: figures for Prometheus. */
export function metrics(context: Context, requestId: string): Response {
  const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8", "request-id": requestId }
  return new Response(context.metrics.render(), { headers })
}

/** Counted where the model's vocabulary is known; else estimated, and corrected by what the model was seen to count. */
export async function promptTokens(
  asked: Pick<Asked, "resolved" | "tokens">,
  request: Countable,
  context: Pick<Context, "counter" | "ratios" | "log">,
): Promise<number> {
  const { resolved } = asked
  if (!resolved.ok) return asked.tokens()
  const { route } = resolved
  const encoding = encodingOf(route.model)
  if (!encoding.known) return context.ratios.correct(route, asked.tokens())
  try {
    return (await countParts(request, context.counter, encoding.name)).total
  } catch (error) {
    context.log.warn("the prompt could not be counted, and is estimated", () => ({ error }))
    return context.ratios.correct(route, asked.tokens())
  }
}

/** POST /v1/messages/count_tokens: our estimate of the whole request, or the count of who will answer it. */
export async function countTokens(
  request: Request,
  context: Context,
  requestId: string,
  url: URL,
): Promise<Response> {
  const startedAt = performance.now()
  const body = await readBody(request)
  if (!body.ok) return faultReply(body.fault, requestId)
  const asked = askFor(body.json, context.config, {}, context.ratios)
  const route = directRoute(asked)
  if (route !== undefined) {
    const { text } = body
    return countDirect(directRequest(asked, route, { request, text, url, requestId, startedAt }), context)
  }
  const parsed = asked.parsed()
  if (!parsed.success) return faultReply(invalidRequest(renderIssues(parsed.error)), requestId)
  const tokens = await promptTokens(asked, parsed.data, context)
  const management = body.json["context_management"]
  const edits =
    management === undefined || management === null
      ? {}
      : { context_management: { original_input_tokens: tokens } }
  return jsonReply({ input_tokens: tokens, ...edits }, requestId)
}
