// What handlers need. A new one is made when the configuration changes, of the same parts; a request keeps
// the one it came under to its end.
import type { Config } from "../config/config.ts"
import type { Routes } from "../config/routes/routes.ts"
import type { Exchange } from "../observe/exchange.ts"
import type { Logger } from "../observe/log.ts"
import type { Metrics } from "../observe/metrics.ts"
import type { Store } from "../store/store.ts"
import type { Counter } from "../tokens/count.ts"
import type { KnownTexts } from "../tokens/known-texts.ts"
import type { Clock } from "../upstream/deadline.ts"
import type { ReplyCache } from "./cache/cache.ts"
import type { Turns } from "./common/turns.ts"
import type { Stays } from "./course/stays.ts"
import type { Callers } from "./entrance/callers.ts"
import type { Siblings } from "./figures/siblings.ts"
import type { Statistics } from "./figures/statistics.ts"
import type { Flights } from "./flights/flights.ts"
import type { Rush } from "./heap/rush.ts"
import type { Keys } from "./keys/keys.ts"
import type { Dialects } from "./learned/dialects.ts"
import type { ReasoningMemory } from "./learned/memory.ts"
import type { Ratios } from "./learned/ratios.ts"
import type { Refusals } from "./learned/refusals.ts"
import type { RequestOutcome } from "./outcome/outcome.ts"

/** How long things may take that no setting names, in milliseconds. */
export interface Times {
  /** An answer's status waits this long for the upstream's first content, so that errors keep their own. */
  readonly commitMs: number
  /** Silence after which a stream gets a ping. */
  readonly pingMs: number
  /** Time since the last real event after which a stream gets an empty one. */
  readonly keepAliveMs: number
  /** A request's body of which nothing comes for so long is not waited for. */
  readonly bodyMs: number
  /** Usage may follow the finish reason, but some servers never close: this long it is waited for. */
  readonly afterFinishMs: number
}

export const defaultTimes: Times = {
  commitMs: 15_000,
  pingMs: 10_000,
  keepAliveMs: 60_000,
  bodyMs: 60_000,
  afterFinishMs: 5_000,
}

/** What every endpoint can use. */
export interface BaseContext {
  readonly config: Config
  /** Where names lead, by this configuration. */
  readonly routes: Routes
  readonly log: Logger
  readonly version: string
  /** The name this proxy was started under, and the id of this very start, for whoever looks for it. */
  readonly instance?: { readonly name: string; readonly id: string } | undefined
  /** Other processes that answer on the same port; undefined: this one is alone. */
  readonly siblings?: Siblings | undefined
  readonly clock: Clock
  readonly times: Times
  readonly onExchange: (exchange: Exchange) => void
  /** Who sends a request. */
  readonly callers: Callers
  /** What this process was used for, and what was kept of earlier ones. */
  readonly statistics: Statistics
  readonly metrics: Metrics
  /** Long work that nobody else should have to wait for. */
  readonly turns: Turns
  /** Counts exactly, in the vocabularies that are known. */
  readonly counter: Counter
  /** What is kept for a while: in this process, or shared with others. */
  readonly store: Store
  /** Whole replies that may be served again; undefined: none are. */
  readonly cache: ReplyCache | undefined
  /** Which of several keys are sent, and which rest. */
  readonly keys: Keys
  /** Which conversations are on a fallback. */
  readonly stays: Stays
  /** Fires when the server is about to end. */
  readonly ends: AbortSignal
  /** Requests under way. */
  readonly running: Set<RequestOutcome>
  readonly rush: Rush
  /** Where the server listens, once it does. */
  readonly address: () => { readonly hostname: string; readonly port: number }
}

/** What only requests to models use: it is made, and its code loaded, with the first of them. */
export interface Parts {
  /** The thinking before calls, for clients that leave it out. */
  readonly memory: ReasoningMemory
  /** What upstreams refused of earlier requests. */
  readonly refusals: Refusals
  /** What texts were estimated at before. */
  readonly texts: KnownTexts
  /** How each model counts, measured by our estimate. */
  readonly ratios: Ratios
  /** Which APIs upstreams turned out to speak. */
  readonly dialects: Dialects
  /** Requests under way that others may join. */
  readonly flights: Flights
}

export interface Context extends BaseContext, Parts {}
