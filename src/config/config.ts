// The whole configuration of a running proxy: frozen, complete, secrets resolved. Made by config/load.ts.
import type { ProviderRow } from "../providers/table.ts"

export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR"

/** One place requests can go to. */
export interface Upstream {
  readonly row: ProviderRow
  /** Without a trailing slash and without /chat/completions. */
  readonly baseUrl: string
  readonly apiKey: string | undefined
  /** The variable the key comes from, or should come from. */
  readonly keyName: string
  /** Appended to every URL (`api-version` on Azure). */
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

/** What each Claude family stands for: upstream model names, or `PROVIDER/NAME`. */
export interface Tiers {
  readonly big: string
  readonly middle: string
  readonly small: string
}

export interface Config {
  readonly host: string
  readonly port: number
  readonly logLevel: LogLevel
  readonly logFormat: "text" | "json"
  /** Where a model goes that names no provider. */
  readonly upstream: Upstream
  /** The other providers whose keys are known, by row id, for `PROVIDER/NAME`. */
  readonly others: Readonly<Record<string, Upstream>>
  readonly tiers: Tiers
  readonly defaultMaxTokens: number
  readonly minTokensLimit: number
  /** A hard upper limit for max_tokens; undefined: the model's own. */
  readonly maxTokensLimit: number | undefined
  /** Silence from upstream that ends a request, in milliseconds. */
  readonly requestTimeoutMs: number
  /** Further attempts before the first content, after the first one failed. */
  readonly maxRetries: number
  readonly estimateTokens: boolean
  /** Keys a client may use; empty: no key is asked for. */
  readonly clientKeys: readonly string[]
  /** Every secret value, for redaction. */
  readonly secrets: readonly string[]
}
