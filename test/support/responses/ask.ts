// Requests as the Responses API gets them.
import { encodeCarrier, noCargo } from "../../../src/convert/common/carrier.ts"
import type { Recall } from "../../../src/convert/dialogue/assistant.ts"
import { type Conversion, convertRequest } from "../../../src/convert/request/request.ts"
import { toResponses } from "../../../src/convert/request/responses-body.ts"
import type { ResponsesRequest } from "../../../src/protocol/chat/responses.ts"
import { inDialect } from "../../../src/providers/dialect.ts"
import type { ProfileDelta } from "../../../src/providers/profile.ts"
import { ask, limits, parse, routeTo, type Target } from "../../convert/request-support.ts"

export const gpt56: Target = ["openai", "gpt-5.6"]

export interface Asked {
  readonly body: ResponsesRequest
  readonly conversion: Conversion
}

/** The body that a Messages request becomes, and all else that is known of it. */
export function askResponses(raw: unknown, target = gpt56, delta: ProfileDelta = {}, recall?: Recall): Asked {
  const route = routeTo(target, { ...delta, dialect: "responses" })
  const spoken = { ...route, profile: inDialect(route.profile) }
  const conversion = convertRequest(parse(raw), spoken, limits, "a-session", recall)
  if (conversion.responses === undefined) throw new Error("not in the Responses dialect")
  return { body: toResponses(conversion.body, conversion.responses), conversion }
}

/** The items that these messages become. */
export function itemsOf(messages: readonly unknown[], more: Readonly<Record<string, unknown>> = {}) {
  return askResponses(ask(messages, more)).body.input
}

/** A thinking block that carries reasoning items of a model. */
export function carrying(items: readonly string[], thinking = "", [provider, model]: Target = gpt56) {
  const carrier = { provider, model, field: "summary", cargo: { ...noCargo, items } }
  return { type: "thinking", thinking, signature: encodeCarrier(carrier, thinking) }
}
