// What loading gives: a whole configuration and where it came from, or everything that is wrong.
import type { Config } from "../config.ts"
import type { ModelsRead } from "../models/read.ts"
import type { Values } from "../settings/values.ts"
import type { Layer } from "./layers.ts"
import type { Prints } from "./prints.ts"

/** Where the settings came from, for the block `serve` prints. No values. */
export interface Described {
  /** The files that were read, strongest first. */
  readonly files: readonly string[]
  /** For each setting that is set: a flag, "environment" or file:line. */
  readonly origins: Readonly<Record<string, string>>
  /** What was decided without being asked. */
  readonly infos: readonly string[]
}

/** What was read, to be compared with what is read later. Holds secrets: to be shown nowhere. */
export interface Sources {
  /** Strongest first. */
  readonly layers: readonly Layer[]
  readonly values: Values
  readonly models: ModelsRead
}

export interface Loaded {
  readonly ok: true
  readonly config: Config
  readonly warnings: readonly string[]
  readonly described: Described
  readonly sources: Sources
  /** Every file that was read or looked for: a change of any of them may change the result. */
  readonly seen: Prints
}

export type LoadResult =
  | Loaded
  | {
      readonly ok: false
      readonly problems: readonly string[]
      /** What was noticed besides, and may explain them. */
      readonly warnings: readonly string[]
      /** Nothing is wrong but that no setting leads to an upstream. */
      readonly lacksUpstream: boolean
      /** Where Ollama is to be looked for then, as its own variable says. */
      readonly ollamaHost: string | undefined
      /** What is said, all the same, of where a proxy listens, as it was written. */
      readonly listens: {
        readonly host: string | undefined
        readonly port: string | undefined
        readonly secure: boolean
      }
      readonly seen: Prints
    }
