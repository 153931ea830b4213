// The request as it is sent: it changes when the upstream refuses something in it that can be done without, and
// when its endpoint does not know the API that was spoken.
import { amend, namedParam, type Refusal } from "../../convert/amend/amend.ts"
import { causeOf } from "../../convert/amend/amendments.ts"
import type { Conversion } from "../../convert/request/request.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import type { Route } from "../../providers/route.ts"
import type { FailedOpening } from "../../upstream/attempts.ts"
import type { Dialects } from "../learned/dialects.ts"
import type { Refusals } from "../learned/refusals.ts"

/** A request in the words of one route. */
export interface Sendable {
  readonly route: Route
  /** As it was before anything was left out of it. */
  readonly converted: Conversion
  readonly conversion: Conversion
  readonly errors: ErrorContext
}

export interface AmendingOptions extends Sendable {
  /** The same by Chat Completions, in case the endpoint does not know the Responses API. */
  readonly inChat: (() => Sendable) | undefined
}

/** Where it is remembered what upstreams refuse. */
interface AmendingMemory {
  readonly refusals: Pick<Refusals, "learn">
  readonly dialects: Pick<Dialects, "withoutResponses">
}

export interface Amending {
  readonly current: () => Sendable
  /** True when the request is another one after this failure. */
  readonly amend: (failed: FailedOpening) => boolean
  /** The request was taken as it is now: what was changed of it was to blame, and is worth remembering. */
  readonly confirm: () => void
}

// A reasoning model names one thing after the other: the role, the limit, the temperature, top_p, stop, parallel calls.
const mostAmendments = 6

/** Starts with the request as it is; every cause changes it once. */
export function createAmending(options: AmendingOptions, memory: AmendingMemory): Amending {
  let current: Sendable = options
  let { inChat } = options
  const causes = new Set<string>()
  const learned: (() => void)[] = []

  function speakChat(failed: FailedOpening): boolean {
    if (inChat === undefined || !lacksEndpoint(failed)) return false
    current = inChat()
    inChat = undefined
    learned.push(() => memory.dialects.withoutResponses(options.route))
    return true
  }

  function amendOnce(failed: FailedOpening): boolean {
    const { route, converted, conversion, errors } = current
    const refusal = refusalOf(failed, errors)
    if (refusal === undefined || causes.size >= mostAmendments) return false
    const amended = amend(conversion, refusal)
    if (amended === undefined || causes.has(causeOf(amended.amendment))) return false
    causes.add(causeOf(amended.amendment))
    current = { route, converted, conversion: amended.conversion, errors }
    learned.push(() => memory.refusals.learn(route, converted, amended, failed.fault))
    return true
  }

  return {
    current: () => current,
    amend: (failed) => speakChat(failed) || amendOnce(failed),
    confirm: () => {
      for (const learn of learned.splice(0)) learn()
    },
  }
}

/** The failure as a refusal of the request, if it is one; errors inside a 200 have no reply of their own. */
function refusalOf({ fault: given, refused }: FailedOpening, errors: ErrorContext): Refusal | undefined {
  // Some servers call it their own mistake when a request asks too much of them, or blame the account's credit.
  const blames =
    given.kind === "invalid_request_error" ||
    given.kind === "billing_error" ||
    (given.kind === "api_error" && given.status === 500)
  if (!blames || given.source !== "upstream") return undefined
  return {
    status: refused?.status ?? given.status,
    message: given.message,
    param: namedParam(refused?.body),
    body: refused?.body,
    inputTokens: errors.inputTokens,
  }
}

// LM Studio and relays say it in a reply of any status; new-api with a 500, for channels of most of its types
// (QuantumNous/new-api#4534), llmgateway and Azure's dated versions with a 400.
const noSuchApi = [
  /unexpected endpoint|unsupported_api_for_model|not supported (?:via|in|by|with) (?:the )?responses api/i,
  /(?:^|[\].:"] ?)(?:the |azure openai )*responses api is (?:not (?:supported|available|enabled)|enabled only for)/i,
  /\bnot in v1\/responses/i,
  /not implemented[^{}]{0,200}convert_request_failed/i,
]

/** Nobody serves this API at the address, or not for this model; a 404 may also mean that there is no such model. */
function lacksEndpoint({ refused, fault: given }: FailedOpening): boolean {
  if (given.kind === "not_found_error") return false
  const said = `${given.message} ${refused?.body ?? ""}`
  if (noSuchApi.some((saying) => saying.test(said))) return true
  if (refused === undefined) return false
  const { status, body } = refused
  if (status === 200) return body.startsWith("<")
  return status === 405 || status === 501 || (status === 404 && !/\bitem with id\b/i.test(body))
}
