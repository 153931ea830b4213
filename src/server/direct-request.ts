// Which requests are passed through: those whose route leads to an upstream that speaks the Messages API itself.
import { resolveRoute } from "../config/route.ts"
import { type JsonObject, textOf } from "../protocol/json.ts"
import { CountRequest } from "../protocol/messages.ts"
import type { Route } from "../providers/route.ts"
import { estimateRequest } from "../tokens/estimate.ts"
import type { Context } from "./context.ts"
import type { DirectRequest } from "./direct.ts"

/** The route of a body that is to be passed through, or undefined for every other body. */
export function directRoute(body: JsonObject, { config }: Context): Route | undefined {
  const resolved = resolveRoute(config, textOf(body["model"]))
  return resolved.ok && resolved.route.profile.dialect === "messages" ? resolved.route : undefined
}

/** All that passing through needs to know. */
export function directRequest(
  given: Omit<DirectRequest, "inputTokens" | "genuineOnly" | "notes">,
): DirectRequest {
  return {
    ...given,
    inputTokens: () => estimateBody(given.body),
    genuineOnly: given.route.profile.checksSignatures,
    notes: [],
  }
}

/** Our estimate of a body that nobody has read. */
function estimateBody(body: JsonObject): number {
  const parsed = CountRequest.safeParse(body)
  return parsed.success ? estimateRequest({ ...parsed.data, messages: parsed.data.messages ?? [] }) : 0
}
