// What every handler needs, made once at the start.
import type { Config } from "../config/config.ts"
import type { Exchange } from "../observe/exchange.ts"
import type { Logger } from "../observe/log.ts"
import type { Clock } from "../upstream/deadline.ts"

export interface Context {
  readonly config: Config
  readonly log: Logger
  readonly version: string
  readonly clock: Clock
  readonly onExchange: (exchange: Exchange) => void
  /** Where the server listens, once it does. */
  readonly address: () => { readonly hostname: string; readonly port: number }
}
