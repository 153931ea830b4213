// What a models.yaml says once it is read: file.ts makes it, the rest of config uses it.
import type { Prices } from "../../providers/prices.ts"
import type { ProfileDelta } from "../../providers/profile.ts"
import type { Defaults } from "../../providers/route.ts"
import type { Values } from "../settings/values.ts"

/** What a model and a provider may both say of the way to them. */
export interface Access {
  readonly apiBase: string | undefined
  /** The variable that holds the key. */
  readonly keyName: string | undefined
  readonly delta: ProfileDelta
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>
  readonly defaults: Defaults
}

/** A model as the file has it; where it can be reached depends on the other settings. */
export interface ModelEntry extends Access {
  readonly id: string
  readonly name: string
  /** A row of the provider table, or a provider of the same file. */
  readonly provider: string | undefined
  /** The row whose rules count, whoever serves it; undefined: that of the provider or of the address. */
  readonly profile: string | undefined
  /** Its upstream speaks Anthropic's API, and is passed through. */
  readonly direct: boolean
  readonly prices: Prices | undefined
  /** Ids of the same file. */
  readonly fallbacks: readonly string[]
}

/** A provider of the user's own, or what the user changes of one that is known. */
export interface ProviderEntry extends Access {
  readonly id: string
  readonly profile: string | undefined
  /** An HTTP proxy for this provider alone; false: none, whatever the other settings say. */
  readonly proxy: string | false | undefined
}

/** One of several proxies that are started together. */
export interface Instance {
  readonly name: string
  readonly port: number
  /** Its settings file; undefined: the settings of all. */
  readonly envFile: string | undefined
}

export interface ModelsRead {
  readonly entries: readonly ModelEntry[]
  readonly providers: readonly ProviderEntry[]
  readonly instances: readonly Instance[]
  /** What the sections say that settings say as well: weaker than any of those. */
  readonly values: Values
  /** What the section `deepseek:` has its models asked with. */
  readonly defaults: Defaults
  /** What is wrong if clients can do without a key in the end, as the file demands one and gives none. */
  readonly needsClientKey: string | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** No file, or nothing in it. */
export const noModels: ModelsRead = {
  entries: [],
  providers: [],
  instances: [],
  values: new Map(),
  defaults: {},
  needsClientKey: undefined,
  problems: [],
  warnings: [],
}
