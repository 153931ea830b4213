// What a request asks for, as far as routing goes: found once, whatever way the request then takes.
import type { Config } from "../config/config.ts"
import { type Resolved, type RouteRequest, resolveRoute } from "../config/route.ts"
import type { Routes } from "../config/routes.ts"
import { invalidRequest } from "../protocol/fault.ts"
import { type JsonObject, objectOf, textOf } from "../protocol/json.ts"
import { CountRequest } from "../protocol/messages.ts"
import { type ParsedRequest, parseRequest } from "../protocol/usual-request.ts"
import type { Route } from "../providers/route.ts"
import { estimateRequest, estimateText } from "../tokens/estimate.ts"
import type { KnownTexts } from "../tokens/known-texts.ts"
import type { Ratios } from "./ratios.ts"

export interface Asked {
  readonly body: JsonObject
  /** The body read as a Messages request, once. */
  readonly parsed: () => ParsedRequest
  /** The prompt's tokens, estimated once and only when first asked for: a large one takes milliseconds. */
  readonly tokens: () => number
  /** Our estimate of one text. */
  readonly countText: (text: string) => number
  readonly resolved: Resolved
}

/** How the route is wished to be, besides what the body says. */
export interface Wish extends Pick<RouteRequest, "exact" | "dialect"> {
  /** Stands in for the body's own. */
  readonly model?: string | undefined
}

/** What is known already. */
export interface Known {
  readonly ratios?: Pick<Ratios, "correct">
  readonly routes?: Routes
  readonly texts?: KnownTexts
}

/** Resolves the route of a Messages body; by `ratios` its prompt is counted as the model would count it. */
export function askFor(body: JsonObject, config: Config, wish: Wish = {}, known: Known = {}): Asked {
  let read: ParsedRequest | undefined
  let estimate: number | undefined
  const parsed = (): ParsedRequest => {
    read ??= parseRequest(body)
    return read
  }
  const countText = (text: string): number => known.texts?.tokensOf(text, estimateText) ?? estimateText(text)
  const tokens = (): number => {
    if (estimate !== undefined) return estimate
    const { data } = parsed()
    estimate = data === undefined ? estimateUnread(body) : estimateRequest(data, countText)
    return estimate
  }
  const corrected: NonNullable<RouteRequest["tokens"]> = (to) =>
    to === null ? tokens() : (known.ratios?.correct(to, tokens()) ?? tokens())
  const resolved = resolve(body, config, wish, corrected, known.routes)
  return { body, parsed, tokens, countText, resolved }
}

function resolve(
  body: JsonObject,
  config: Config,
  { model, exact, dialect }: Wish,
  tokens: NonNullable<RouteRequest["tokens"]>,
  routes: Routes | undefined,
): Resolved {
  const name = model ?? textOf(body["model"])
  if (exact === true && !name?.trim()) return noModel
  const facts: RouteRequest = {
    thinking: isThinking(body),
    tokens,
    ...(exact === undefined ? undefined : { exact }),
    ...(dialect === undefined ? undefined : { dialect }),
  }
  const resolved = routes === undefined ? resolveRoute(config, name, facts) : routes(name, facts)
  return exact === true ? alone(resolved) : resolved
}

/** Exactly this model is meant, and none in its place. */
function alone(resolved: Resolved): Resolved {
  return resolved.ok ? { ok: true, route: { ...resolved.route, fallbacks: [] } } : resolved
}

const noModel: Resolved = { ok: false, fault: invalidRequest("model: Field required") }

/** Thinking is asked for: `disabled` and its absence are none. */
function isThinking(body: JsonObject): boolean {
  const type = objectOf(body["thinking"])["type"]
  return type === "enabled" || type === "adaptive"
}

/** Our estimate of a body that holds what only its own API knows. */
function estimateUnread(body: JsonObject): number {
  const parsed = CountRequest.safeParse(body)
  return parsed.success ? estimateRequest({ ...parsed.data, messages: parsed.data.messages ?? [] }) : 0
}

/** The route if it leads to an upstream that speaks the Messages API itself: such a body is passed through. */
export function directRoute({ resolved }: Asked): Route | undefined {
  return resolved.ok && isDirect(resolved.route) ? resolved.route : undefined
}

export const isDirect = ({ profile }: Route): boolean => profile.dialect === "messages"

const longestHeader = 300

/** Says in a header of the reply where the request went and why. */
export function withRoute(reply: Response, { provider, model, reason }: Route): Response {
  const text = `${provider}/${model}; ${reason.replaceAll("→", "->")}`
  // A header takes visible ASCII, and names may hold anything.
  const shown = visible.test(text) ? text : text.replace(/[^ -~]/g, "?")
  reply.headers.set("x-claude-proxy-route", shown.slice(0, longestHeader))
  return reply
}

const visible = /^[ -~]*$/
