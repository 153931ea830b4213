// Proxies in front of upstreams that speak the Responses API.
import { join } from "node:path"
import type { JsonObject } from "../../../src/protocol/json.ts"
import { folderWith } from "../../config/support.ts"
import { cleanUp, startProxy, type TestProxy } from "../../server/support.ts"
import { environmentFor } from "../conversation-plan.ts"
import {
  createResponsesUpstream,
  type ResponsesOptions,
  type ResponsesTurn,
  type ResponsesUpstream,
} from "./upstream.ts"

/** A model of models.yaml: its id, and where it is. */
export interface Place {
  readonly id: string
  readonly url: string
  readonly provider?: string
  readonly model?: string
  readonly more?: JsonObject
}

const unused = "http://127.0.0.1:9/v1"

/** Starts a proxy for these models each time it is called. */
export function proxiesFor(
  places: readonly Place[],
  env: Readonly<Record<string, string>> = {},
): () => TestProxy {
  const entries = places.map(({ id, url, provider = "openai", model = "gpt-5.6", more }) => ({
    ...{ model_id: id, model_name: model, provider, api_base: url, api_key_name: "SCRIPTED_API_KEY" },
    ...more,
  }))
  const file = join(folderWith({ "models.yaml": JSON.stringify(entries) }), "models.yaml")
  return () => startProxy(unused, { env: { ...environmentFor(unused, file), ...env } })
}

export interface ResponsesWorld {
  readonly upstream: ResponsesUpstream
  readonly proxy: TestProxy
}

/** An upstream that decides each turn by itself, and a proxy whose model `mine` leads there. */
export function startResponses(
  decide: (body: JsonObject, turn: number) => ResponsesTurn,
  options: ResponsesOptions & {
    readonly env?: Readonly<Record<string, string>>
    readonly more?: JsonObject
  } = {},
): ResponsesWorld {
  const upstream = createResponsesUpstream(decide, options)
  cleanUp(upstream.stop)
  const place = {
    id: "mine",
    url: upstream.url,
    ...(options.more === undefined ? {} : { more: options.more }),
  }
  return { upstream, proxy: proxiesFor([place], options.env)() }
}
