// Where one request goes: made by config/route.ts, read by convert and upstream.
import type { ProviderProfile } from "./profile.ts"

export interface Route {
  /** Row of the table; also the name put before an upstream's error messages. */
  readonly provider: string
  /** The complete URL of the endpoint, query included. */
  readonly url: string
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
  /** The same by Chat Completions, in case the endpoint does not know the Responses API. */
  readonly chat?: Route
  /** Why this route was taken, for the log. */
  readonly reason: string
}
