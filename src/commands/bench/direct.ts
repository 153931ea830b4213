// The request that the proxy would send, to be sent without it.
import type { Config } from "../../config/config.ts"
import { directMaxTokens, prepareDirectBody } from "../../convert/direct/direct.ts"
import { bodyOf } from "../../convert/request/body-of.ts"
import { convertRequest } from "../../convert/request/request.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { Dialect } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import type { Refusals } from "../../server/learned/refusals.ts"
import { askFor, parsedOf } from "../../server/request/asked.ts"
import { requestHeaders } from "../../upstream/client.ts"
import { directHeaders } from "../../upstream/direct.ts"
import { outboundOptions } from "../../upstream/http.ts"
import { version } from "../common/version.ts"

export interface DirectAsk {
  readonly dialect: Dialect
  readonly send: (signal: AbortSignal) => Promise<Response>
}

/**
 * `body` (a Messages request that is known to be one) as it goes to the upstream of `route`, without what that is
 * known to refuse.
 */
export function directAsk(body: JsonObject, route: Route, config: Config, refusals: Refusals): DirectAsk {
  const { dialect } = route.profile
  const made =
    dialect === "messages" ? ownWords(body, route, config) : converted(body, route, config, refusals)
  // Made once: what is measured is the way, not the making.
  const send: DirectAsk["send"] = (signal) =>
    fetch(route.url, { ...outboundOptions(route), method: "POST", ...made, signal })
  return { dialect, send }
}

interface Made {
  readonly headers: Record<string, string>
  readonly body: string
}

const userAgent = `claude-proxy/${version}`

function ownWords(body: JsonObject, route: Route, config: Config): Made {
  const { model, profile } = route
  const maxTokens = directMaxTokens(profile, config)
  const { text } = prepareDirectBody(JSON.stringify(body), body, {
    ...{ model, maxTokens, genuineOnly: profile.checksSignatures },
  })
  return { headers: directHeaders(route, new Headers(), { stream: true, userAgent }), body: text }
}

function converted(body: JsonObject, route: Route, config: Config, refusals: Refusals): Made {
  const parsed = parsedOf(askFor(body, config))
  if (!parsed.success) throw new Error("our own request is no Messages request")
  const { conversion } = refusals.foresee(route, convertRequest(parsed.data, route, config, undefined))
  const sent = bodyOf(conversion)
  return { headers: requestHeaders(route, sent, userAgent), body: JSON.stringify(sent) }
}
