// What the choice of upstreams and models is made from, and what it comes to.
import type { Defaults } from "../../providers/route.ts"
import type { Upstream } from "../config.ts"
import type { ModelsRead } from "../models/read.ts"
import type { Values } from "../settings/values.ts"

/** A server on this machine that answered when it was looked for. */
export interface LocalServer {
  /** Its row in the provider table. */
  readonly provider: string
  readonly baseUrl: string
  /** The models it has, the one to take first. */
  readonly models: readonly string[]
}

export interface Given {
  readonly values: Values
  /** What ANTHROPIC_API_KEY is for, where the user says. */
  readonly keyRole: "client" | "upstream" | "both" | undefined
  /** DEEPSEEK_THINKING. */
  readonly thinking: Defaults["thinking"]
  /** Sent to every upstream. */
  readonly headers: Readonly<Record<string, string>>
  /** False for commands that only convert: a missing key or provider is then no problem. */
  readonly needsUpstream: boolean
  /** The file a new user should write a key into. */
  readonly keyFile: string
  /** What models.yaml holds. */
  readonly models: ModelsRead
  readonly localServer: LocalServer | undefined
}

export interface Choice {
  readonly upstream: Upstream | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** What was decided without being asked. */
  readonly infos: readonly string[]
  /** The model whose upstream this is, where a model led to it. */
  readonly model?: string
  /** No setting leads anywhere. */
  readonly lacksUpstream?: true
}
