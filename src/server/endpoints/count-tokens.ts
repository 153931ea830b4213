// POST /v1/messages/count_tokens.
import { withMembers } from "../../convert/request/toolsets.ts"
import { invalidRequest } from "../../protocol/fault.ts"
import { renderIssues } from "../../protocol/messages/messages.ts"
import { countParts } from "../../tokens/count.ts"
import { encodingOf } from "../../tokens/exact/encodings.ts"
import type { Countable } from "../../tokens/pieces.ts"
import { estimateInSteps } from "../../tokens/steps.ts"
import type { Context } from "../context.ts"
import { countDirect } from "../direct/direct.ts"
import { readBody, textOfBody } from "../http/body.ts"
import { countReply, faultReply } from "../http/respond.ts"
import { type Asked, askFor, directRoute, parsedOf } from "../request/asked.ts"
import { directRequest } from "../request/direct-request.ts"

/** Counted where the model's vocabulary is known; else estimated, and corrected by what the model was seen to count. */
export async function promptTokens(
  asked: Pick<Asked, "resolved"> & { readonly tokens: () => number | Promise<number> },
  request: Countable,
  context: Pick<Context, "counter" | "ratios" | "log">,
): Promise<number> {
  const { resolved } = asked
  if (!resolved.ok) return asked.tokens()
  const { route } = resolved
  const encoding = encodingOf(route.model)
  if (!encoding.known) return context.ratios.correct(route, await asked.tokens())
  try {
    return (await countParts(request, context.counter, encoding.name)).total
  } catch (error) {
    context.log.warn("the prompt could not be counted, and is estimated", () => ({ error }))
    return context.ratios.correct(route, await asked.tokens())
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
  const body = await readBody(request, context)
  if (!body.ok) return faultReply(body.fault, requestId)
  const asked = askFor(body.json, context.config, undefined, context)
  const route = directRoute(asked)
  if (route !== undefined) {
    const text = textOfBody(body.bytes)
    return countDirect(directRequest(asked, route, { request, text, url, requestId, startedAt }), context)
  }
  const parsed = parsedOf(asked)
  if (!parsed.success) return faultReply(invalidRequest(renderIssues(parsed.error)), requestId)
  const counted = withMembers(parsed.data)
  const estimate = () => context.turns.run(estimateInSteps(counted, context.texts))
  const tokens = await promptTokens({ resolved: asked.resolved, tokens: estimate }, counted, context)
  return countReply(body.json, tokens, requestId)
}
