// `convert` for requests of either side.
import type { z } from "zod"
import type { Config } from "../../config/config.ts"
import { directMaxTokens, prepareDirectBody } from "../../convert/direct/direct.ts"
import { bodyOf } from "../../convert/request/body-of.ts"
import { convertRequest } from "../../convert/request/request.ts"
import { sessionOf } from "../../convert/request/session.ts"
import { noteUnknownFields } from "../../convert/request/unknown-fields.ts"
import { convertChatRequest } from "../../convert/reverse/request.ts"
import { ChatRequestBody, firstChatIssue } from "../../protocol/chat/chat-request.ts"
import { type JsonObject, parseJson } from "../../protocol/json.ts"
import { CountRequest, renderIssues } from "../../protocol/messages/messages.ts"
import type { Route } from "../../providers/route.ts"
import { unlearnt } from "../../server/learned/ratios.ts"
import { askFor, directRoute, parsedOf } from "../../server/request/asked.ts"
import { fitWindow } from "../../server/request/fit.ts"
import { measurePrompt } from "../../server/request/prompt.ts"
import { estimateRequest } from "../../tokens/estimate.ts"
import { explain, explainRoute, renderNotes, renderTokens } from "./explain.ts"

type ConvertedRequest =
  | { readonly ok: true; readonly body: unknown; readonly explanation: () => string }
  | { readonly ok: false; readonly why: string }

/**
 * An Anthropic request as the upstream it is routed to gets it. `model` stands in for the request's own;
 * `toResponses`: in the words of the Responses API, whatever the route speaks.
 */
export function convertMessagesBody(
  body: JsonObject,
  model: string | undefined,
  config: Config,
  toResponses: boolean,
): ConvertedRequest {
  const asked = askFor(body, config, { model, ...(toResponses ? { dialect: "responses" } : {}) })
  const { resolved } = asked
  const direct = directRoute(asked)
  if (direct !== undefined) return passThrough(body, direct, config)
  const parsed = parsedOf(asked)
  if (!parsed.success) return { ok: false, why: notARequest(parsed.error) }
  if (!resolved.ok) return { ok: false, why: resolved.fault.message }
  const request = parsed.data
  const { route } = resolved
  const converted = convertRequest(request, route, config, sessionOf(request))
  const fits = fitWindow(converted, route, measurePrompt(asked, route, unlearnt))
  const { conversion, notes } = fits.ok ? fits : { conversion: converted, notes: [] }
  return {
    ok: true,
    body: bodyOf(conversion),
    explanation: () =>
      explain(request, route, conversion.body, asked.tokens(), {
        notes: [...noteUnknownFields(body, route.profile), ...converted.notes, ...notes],
        refused: fits.ok ? undefined : fits.fault.message,
      }),
  }
}

const notARequest = (error: z.ZodError): string => `not a Messages request: ${renderIssues(error)}`

/** For an upstream that speaks the Messages API itself the body stays as it is, but for what is noted. */
function passThrough(body: JsonObject, route: Route, config: Config): ConvertedRequest {
  // It may hold what only its own API has.
  const request = CountRequest.safeParse(body)
  if (!request.success) return { ok: false, why: notARequest(request.error) }
  const { model, profile } = route
  const maxTokens = directMaxTokens(profile, config)
  const options = { model, maxTokens, genuineOnly: profile.checksSignatures }
  const { text, notes } = prepareDirectBody(JSON.stringify(body), body, options)
  const parsed = parseJson(text)
  return {
    ok: true,
    body: parsed.ok ? parsed.value : body,
    explanation: () => explainParts(route, renderNotes(notes), request.data, config),
  }
}

function explainParts(route: Route, lines: readonly string[], request: CountRequest, config: Config): string {
  const most = request.max_tokens ?? directMaxTokens(route.profile, config)
  const tokens = renderTokens(estimateRequest(request), most, route)
  return `${[...explainRoute(route), ...lines, tokens].join("\n")}\n`
}

/** An OpenAI request as the Anthropic request that a live one becomes first. */
export function convertChatBody(
  body: JsonObject,
  model: string | undefined,
  config: Config,
): ConvertedRequest {
  const parsed = ChatRequestBody.safeParse(body)
  if (!parsed.success)
    return { ok: false, why: `not a Chat Completions request: ${firstChatIssue(parsed.error).message}` }
  const { request, notes } = convertChatRequest(parsed.data)
  const named = model === undefined ? request : { ...request, model }
  const asked = askFor(named, config)
  const { resolved } = asked
  const checked = parsedOf(asked)
  if (!checked.success) return { ok: false, why: renderIssues(checked.error) }
  if (!resolved.ok) return { ok: false, why: resolved.fault.message }
  return {
    ok: true,
    body: named,
    explanation: () => explainParts(resolved.route, renderNotes(notes), checked.data, config),
  }
}
