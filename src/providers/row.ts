// The form of a row of the provider table.
import type { ModelRule } from "./models.ts"
import type { ProfileDelta } from "./profile.ts"

export interface ProviderRow {
  readonly id: string
  readonly name: string
  /** Its Chat Completions, without /chat/completions. Null: every user has an address of their own. */
  readonly baseUrl: string | null
  /** Its Anthropic-native endpoint, without /v1/messages, where it has one: `direct: true` leads there. */
  readonly native: string | null
  /** Variables that may hold the key, the preferred one first; empty: no key is needed. */
  readonly keyNames: readonly string[]
  /** Models for the tiers when the user names none. */
  readonly tiers: { readonly big: string; readonly small: string } | null
  /** The port that tells a local server, which has no host of its own. */
  readonly port?: string
  /** It serves the models of others, whose names hold their makers' names: `deepseek/deepseek-v4`. */
  readonly relay?: true
  /** A server of one's own whose models are called by their makers' names too, beside other such servers. */
  readonly makersNames?: true
  readonly delta: ProfileDelta
  /** Rules for this provider's models, applied after those of the model's family. */
  readonly models: readonly ModelRule[]
  /** Document or report the row is taken from, with its date. */
  readonly source: string
}
