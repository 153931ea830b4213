// The endpoints that tell instead of doing: what this is, is it well, what was counted.
import { renderSnapshots } from "../../observe/metrics-text.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { BaseContext } from "../context.ts"
import { type Siblings, sharesOfAll } from "../figures/siblings.ts"
import { jsonReply } from "../http/respond.ts"

/** GET /: for people and for a client's first look. */
export function describe(context: BaseContext, requestId: string): Response {
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

/** GET /health: about this process alone; upstreams are not asked. 503 when it is about to end. */
export function health(context: BaseContext, requestId: string): Response {
  const { config } = context
  const { hostname, port } = context.address()
  const draining = context.ends.aborted
  return jsonReply(
    {
      status: draining ? "draining" : "healthy",
      timestamp: new Date(context.clock.now()).toISOString(),
      server: { host: hostname, port },
      ...(context.instance === undefined ? {} : { instance: context.instance }),
      ...(context.siblings === undefined ? {} : workersIn(context.siblings)),
      models: { big: config.tiers.big, middle: config.tiers.middle, small: config.tiers.small },
      api_status: {
        upstream: config.upstream.row.name,
        api_key_configured: config.upstream.apiKeys.length > 0,
        client_keys_required: config.clientKeys.length > 0,
      },
    },
    requestId,
    draining ? 503 : 200,
  )
}

/** Which of them answers, and how many there are: it is not asked now, so that this never waits. */
function workersIn({ worker, count }: Siblings): JsonObject {
  const { total, up } = count()
  return { worker, workers: { total, up } }
}

/** GET /metrics: figures for Prometheus, of all workers together. */
export async function metrics(context: BaseContext, requestId: string): Promise<Response> {
  const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8", "request-id": requestId }
  const shares = await sharesOfAll(context, false)
  return new Response(renderSnapshots(shares.map((share) => share.metrics)), { headers })
}
