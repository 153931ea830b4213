// The whole configuration of a running proxy: frozen, complete, secrets resolved. Made by config/load/load.ts.
import type { Prices } from "../providers/prices.ts"
import type { ProfileDelta } from "../providers/profile.ts"
import type { Defaults, HttpProxy } from "../providers/route.ts"
import type { ProviderRow } from "../providers/row.ts"

export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR"

/** One place requests can go to. */
export interface Upstream {
  readonly row: ProviderRow
  /** It speaks Anthropic's own API: requests are passed through. */
  readonly native: boolean
  /** Without a trailing slash and without /chat/completions. */
  readonly baseUrl: string
  /** Used in turn; empty: none is sent. */
  readonly apiKeys: readonly string[]
  /** The variable the keys come from, or should come from. */
  readonly keyName: string
  /** Without one every request would be refused. False where nothing is sent. */
  readonly needsKey: boolean
  /** Appended to every URL (`api-version` on Azure). */
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** What models.yaml says of this provider, over what is known of it. */
  readonly delta: ProfileDelta
  /** What every model here is asked with, where the client does not say. */
  readonly defaults: Defaults
  /** Where the address is written; undefined: it is the provider's own. */
  readonly addressSetting: string | undefined
}

/** What each Claude family stands for: upstream model names, `PROVIDER/NAME`, or ids of `models`. */
export interface Tiers {
  readonly big: string
  readonly middle: string
  readonly small: string
}

/** What requests stand for by their content: names as in Tiers. Undefined: the rule does not apply. */
export interface Router {
  readonly default: string | undefined
  /** Small tasks, asked of haiku. */
  readonly background: string | undefined
  readonly think: string | undefined
  readonly longContext: string | undefined
}

/** Where a model of models.yaml is served; when that cannot be, what is missing. */
export type Reach =
  | { readonly ok: true; readonly upstream: Upstream }
  | { readonly ok: false; readonly why: string }

/** A model of models.yaml. */
export interface CustomModel {
  readonly id: string
  /** What its upstream calls it. */
  readonly name: string
  readonly reach: Reach
  /** What the file says of it, over what is known of the provider and the name. */
  readonly delta: ProfileDelta
  /** Sent with every request to it. */
  readonly headers: Readonly<Record<string, string>>
  readonly defaults: Defaults
  /** Undefined: not known. */
  readonly prices: Prices | undefined
  /** Models of the same file that are taken, in this order, when this one fails. */
  readonly fallbacks: readonly string[]
}

/** What lies between the proxy and its upstreams. */
export interface Network {
  /** The HTTP proxy for https:// upstreams, and the one for http://; undefined: none. */
  readonly https: HttpProxy | undefined
  readonly http: HttpProxy | undefined
  /** What models.yaml says in their place, by row id; false: none. */
  readonly byProvider: Readonly<Record<string, HttpProxy | false | undefined>>
  /** The entries of NO_PROXY, in lower case: what is reached without any proxy. */
  readonly direct: readonly string[]
  /** Every certificate authority that counts, as one PEM text; undefined: those that Bun trusts. */
  readonly authorities: string | undefined
}

/** A certificate and its private key, in PEM form. */
export interface Tls {
  readonly certificate: string
  readonly key: string
}

/** Equal requests that are answered once. */
export interface CacheConfig {
  readonly enabled: boolean
  /** Undefined: by what the reply holds. */
  readonly ttlMs: number | undefined
  /** Of memory. */
  readonly maxBytes: number
}

export interface Config {
  readonly host: string
  readonly port: number
  /** What https is served with; undefined: http. */
  readonly tls: Tls | undefined
  /** Names under which a server on loopback may be asked, besides this machine's own; lower case. */
  readonly allowedHosts: readonly string[]
  /** How long running requests may go on once the server is told to stop. */
  readonly shutdownTimeoutMs: number
  readonly logLevel: LogLevel
  readonly logFormat: "text" | "json"
  /** Folder for log files; undefined: none are written. */
  readonly logFolder: string | undefined
  readonly logRetentionDays: number
  /** Where a model goes that names no provider. */
  readonly upstream: Upstream
  /** The other providers whose keys are known, by row id, for `PROVIDER/NAME`. */
  readonly others: Readonly<Record<string, Upstream>>
  readonly tiers: Tiers
  readonly router: Router
  /** Tokens above which a request is a long one. */
  readonly longContextThreshold: number
  /** Temperature and top_p by the kind of task, where the client sends none. */
  readonly promptTuning: boolean
  readonly models: readonly CustomModel[]
  /** Prices of models that have none of their own; undefined: not known. */
  readonly defaultPrices: Prices | undefined
  readonly defaultMaxTokens: number
  readonly minTokensLimit: number
  /** A hard upper limit for max_tokens; undefined: the model's own. */
  readonly maxTokensLimit: number | undefined
  /** Silence from upstream that ends a request, in milliseconds. */
  readonly requestTimeoutMs: number
  /** Further attempts before the first content, after the first one failed. */
  readonly maxRetries: number
  /** Largest request body, in bytes, before and after decompression. */
  readonly maxBodyBytes: number
  /** Requests to models that may run at once; undefined: as many as come. */
  readonly maxConcurrentRequests: number | undefined
  /** For each client key; undefined: no limit. */
  readonly rateLimitPerMinute: number | undefined
  /** Redis that shares limits, cached replies and resting keys with other proxies. Holds a password. */
  readonly redisUrl: string | undefined
  readonly cache: CacheConfig
  readonly estimateTokens: boolean
  /** Sums of tokens and cost outlive the process. */
  readonly statsEnabled: boolean
  readonly network: Network
  /** Keys a client may use; empty: no key is asked for. */
  readonly clientKeys: readonly string[]
  /** Every secret value, for redaction. */
  readonly secrets: readonly string[]
}
