// Where one request goes: made by config/routes/route.ts, read by convert and upstream.
import type { Prices } from "./prices.ts"
import type { ProviderProfile, ReasoningLevel } from "./profile.ts"

/** What the user's configuration asks a model with, where the client does not say. */
export interface Defaults {
  readonly temperature?: number
  readonly top_p?: number
  /** How much to think, whatever effort the client names; not when it switches thinking off. */
  readonly effort?: ReasoningLevel
  /** Whether to think, unless the client switches it off; `auto`: by the kind of task. */
  readonly thinking?: "on" | "off" | "auto"
}

/** An HTTP proxy on the way to an upstream. */
export interface HttpProxy {
  /** With its user name and password, where it wants them. */
  readonly url: string
  /** HOST:PORT, for messages. */
  readonly where: string
  /** The setting that names it, for messages. */
  readonly setting: string
}

/** What lies between the proxy and an upstream. */
export interface Way {
  /** Undefined: nothing is in between. */
  readonly proxy?: HttpProxy
  /** Every certificate authority that counts, as one PEM text; undefined: those that Bun trusts. */
  readonly authorities?: string
}

export interface Route extends Way {
  /** Row of the table; also the name put before an upstream's error messages. */
  readonly provider: string
  /** The complete URL of the endpoint, query included. */
  readonly url: string
  /** The keys that take turns; empty: none is sent. */
  readonly apiKeys: readonly string[]
  /** The key of this turn. */
  readonly apiKey: string | undefined
  /** The variable that should hold the key: named in messages, never its value. */
  readonly keyName: string
  /** The model name the upstream gets. */
  readonly model: string
  /** What the client asked for, echoed back to it. */
  readonly requestedModel: string
  readonly profile: ProviderProfile
  /** Extra request headers from the user's configuration. */
  readonly headers: Readonly<Record<string, string>>
  readonly defaults: Defaults
  /** Temperature and top_p are chosen by the kind of task, where nobody says. */
  readonly tuning: boolean
  /** The same by Chat Completions, in case the endpoint does not know the Responses API. */
  readonly chat?: Route
  /** Undefined: not known. */
  readonly prices: Prices | undefined
  /** Names of the models that are taken, in this order, when this one fails. */
  readonly fallbacks: readonly string[]
  /** Why this route was taken, for the log. */
  readonly reason: string
  /** The content of the request decided it, and not its model's name alone. */
  readonly routed: boolean
}
