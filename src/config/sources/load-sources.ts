// Where settings may come from, as a command says it.

import type { SettingName } from "../settings/settings.ts"
import type { LocalServer } from "../upstreams/given.ts"

export interface LoadSources {
  readonly flags: Readonly<Partial<Record<SettingName, string | undefined>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Given with --env: must exist. */
  readonly envFile?: string | undefined
  /** ./.env, for commands that may read the folder they are started in. */
  readonly localDotEnv?: string | undefined
  readonly configDir: string
  /** Is standard error a terminal? */
  readonly terminal: boolean
  readonly needsUpstream: boolean
  /** Is HOST listened on? Only then is the certificate read. */
  readonly listens?: boolean | undefined
  /** Address of the built-in upstream, which then stands for every other. */
  readonly demoBaseUrl?: string | undefined
  /** A server on this machine, to be used when no setting leads anywhere. */
  readonly localServer?: LocalServer | undefined
}
