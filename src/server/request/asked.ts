// What a request asks for, as far as routing goes: found once, whatever way the request then takes.
import type { Config } from "../../config/config.ts"
import { type Resolved, type RouteRequest, resolveRoute } from "../../config/routes/route.ts"
import type { Routes } from "../../config/routes/routes.ts"
import { withMembers } from "../../convert/request/toolsets.ts"
import { invalidRequest } from "../../protocol/fault.ts"
import { type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { CountRequest } from "../../protocol/messages/messages.ts"
import { type ParsedRequest, parseRequest } from "../../protocol/messages/usual-request.ts"
import type { Route } from "../../providers/route.ts"
import { estimateRequest, estimateText } from "../../tokens/estimate.ts"
import type { KnownTexts } from "../../tokens/known-texts.ts"
import { onceFor } from "../common/once.ts"
import type { Ratios } from "../learned/ratios.ts"

/** A body, and what was found out about it so far. */
interface Read {
  readonly body: JsonObject
  /** Our estimate of one text. */
  readonly countText: (text: string) => number
  read: ParsedRequest | undefined
  estimate: number | undefined
}

export interface Asked extends Read {
  /** The prompt's tokens, as `tokensOf` finds them. */
  readonly tokens: () => number
  readonly resolved: Resolved
}

/** How the route is wished to be, besides what the body says. */
export interface Wish extends Pick<RouteRequest, "exact" | "dialect"> {
  /** Stands in for the body's own. */
  readonly model?: string | undefined
}

/** What is known already. */
interface Known {
  readonly ratios?: Pick<Ratios, "correct">
  readonly routes?: Routes
  readonly texts?: KnownTexts
}

/** The body read as a Messages request, once. */
export function parsedOf(asked: Read): ParsedRequest {
  asked.read ??= parseRequest(asked.body)
  return asked.read
}

/** The prompt's tokens, estimated once and only when first asked for: a large one takes milliseconds. */
function tokensOf(asked: Read): number {
  asked.estimate ??= estimateOf(asked)
  return asked.estimate
}

function estimateOf(asked: Read): number {
  const { data } = parsedOf(asked)
  return data === undefined ? estimateUnread(asked.body) : estimateRequest(withMembers(data), asked.countText)
}

const noWish: Wish = {}

/** Resolves the route of a Messages body; by `ratios` its prompt is counted as the model would count it. */
export function askFor(body: JsonObject, config: Config, wish: Wish = noWish, known: Known = {}): Asked {
  const countText = known.texts?.countText ?? estimateText
  const found = wish === noWish ? known.routes?.known(textOf(body["model"])) : undefined
  const read: Read = { body, countText, read: undefined, estimate: undefined }
  return askedFor(read, found ?? resolve(read, config, wish, known))
}

function askedFor({ body, countText, read, estimate }: Read, resolved: Resolved): Asked {
  const asked: Asked = { body, countText, read, estimate, tokens: () => tokensOf(asked), resolved }
  return asked
}

function resolve(read: Read, config: Config, { model, exact, dialect }: Wish, known: Known): Resolved {
  const { body } = read
  const { ratios, routes } = known
  const name = model ?? textOf(body["model"])
  if (name !== undefined && name.length > longestName) return longName
  if (exact === true && !name?.trim()) return noModel
  const facts: RouteRequest = {
    thinking: isThinking(body),
    tokens: (to) => (to === null ? tokensOf(read) : (ratios?.correct(to, tokensOf(read)) ?? tokensOf(read))),
    ...(exact === undefined ? undefined : { exact }),
    ...(dialect === undefined ? undefined : { dialect }),
  }
  const resolved = routes === undefined ? resolveRoute(config, name, facts) : routes.resolve(name, facts)
  return exact === true ? alone(resolved) : resolved
}

/** Exactly this model is meant, and none in its place. */
function alone(resolved: Resolved): Resolved {
  return resolved.ok ? { ok: true, route: { ...resolved.route, fallbacks: [] } } : resolved
}

const noModel: Resolved = { ok: false, fault: invalidRequest("model: Field required") }

// What is learned of models is remembered by their names. No provider has longer ones: Bedrock's are its longest.
const longestName = 2_048
const longName: Resolved = {
  ok: false,
  fault: invalidRequest(`model: String should have at most ${longestName} characters`),
}

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

/** The header of a reply that says where its request went and why. */
export const routeHeader = "x-claude-proxy-route"

/** What it says. */
export const routeText = onceFor(({ provider, model, reason }: Route): string => {
  const text = `${provider}/${model}; ${reason.replaceAll("→", "->")}`
  // A header takes visible ASCII, and names may hold anything.
  return text.replace(/[^ -~]/g, "?").slice(0, longestHeader)
})

/** Says it in a reply that does not yet. */
export function withRoute(reply: Response, route: Route): Response {
  reply.headers.set(routeHeader, routeText(route))
  return reply
}
