// What a failure makes worth looking at: another address that would answer, TLS or none, the models there are.

import { type ErrorContext, faultFromError } from "../../protocol/errors/upstream-error.ts"
import type { FaultKind } from "../../protocol/fault.ts"
import { isObject } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import { type Looked, type LookOptions, look, speaksTls } from "../../upstream/look.ts"
import { baseOf, isDeployment, type ListModels } from "./list.ts"

/** What was seen; a field is absent where nothing was looked for or found. */
export interface Sight {
  /** The base URL that answers. */
  readonly base?: string
  /** Its server speaks TLS. */
  readonly tls?: true
  /** The models it has. */
  readonly names?: readonly string[]
}

export type Look = keyof Sight

export interface LookWorld extends LookOptions {
  readonly list: ListModels
  readonly errors: (route: Route) => ErrorContext
}

/** Looks for one thing. Never throws. */
export async function lookFor(what: Look, route: Route, world: LookWorld): Promise<Sight> {
  const inChat = route.chat ?? route
  switch (what) {
    case "base":
      return findBase(inChat, world)
    case "tls":
      return (await speaksTls(route.url, route, world)) ? { tls: true } : {}
    case "names": {
      const models = await world.list(inChat)
      return models === undefined ? {} : { names: models.map(({ id }) => id) }
    }
    default:
      return what satisfies never
  }
}

interface Other {
  readonly url: string
  /** As it is written in the settings. */
  readonly base: string
}

/** The addresses that people mean when theirs is none: with the /v1 it lacks, or without one it has too much. */
function otherAddresses(route: Route): readonly Other[] {
  const base = baseOf(route)
  const without = base.replace(/\/v1$/, "")
  const { search } = new URL(route.url)
  if (route.profile.dialect === "messages") {
    const other = `${without}/anthropic`
    return [{ base: other, url: `${other}/v1/messages${search}` }]
  }
  const bases = [`${without}/v1`, `${without}/api/v1`, without].filter((other) => other !== base)
  return bases.map((other) => ({ base: other, url: `${other}/chat/completions${search}` }))
}

async function findBase(route: Route, world: LookWorld): Promise<Sight> {
  if (isDeployment(route)) return {}
  const { model, profile } = route
  const field = profile.dialect === "messages" ? "max_tokens" : profile.maxTokensField
  const body = { model, messages: [{ role: "user", content: "OK" }], [field]: 16 }
  for (const { base, url } of otherAddresses(route)) {
    const answer = await look(url, route, { ...world, body })
    if (answer !== undefined && isServed(answer, world.errors(route))) return { base }
  }
  return {}
}

const refusals: ReadonlySet<FaultKind> = new Set([
  ...(["invalid_request_error", "authentication_error", "billing_error", "permission_error"] as const),
  ...(["not_found_error", "rate_limit_error", "overloaded_error"] as const),
])

/** A reply, or the refusal of one that was understood. */
function isServed({ status, json }: Looked, errors: ErrorContext): boolean {
  if (!isObject(json)) return false
  if (status === 200) return "choices" in json || json["type"] === "message"
  if (status < 400) return false
  return refusals.has(faultFromError({ status, header: () => null, body: JSON.stringify(json) }, errors).kind)
}
