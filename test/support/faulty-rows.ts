// A fault is what an upstream does, and what of it a client is to see. Here is what the tables of them are made of.
import type { FaultyStep } from "./faulty-upstream.ts"
import { chunkedHead, chunkOf, headOf, sized } from "./faulty-upstream.ts"
import { type Wire, wholeOf } from "./faulty-wire.ts"

/** What a request that fails here is answered with, when nobody else is asked. */
export interface Failure {
  readonly status: number
  readonly type: string
  /** Clients are told not to try again. */
  readonly final?: true
  /** Seconds in retry-after, at least and at most. */
  readonly after?: readonly [number, number]
  /** In the message: what went wrong, and what to do. */
  readonly words: RegExp
  /** How often the upstream is asked; undefined: it cannot know. */
  readonly attempts?: number
  /** Milliseconds between attempts, at least. */
  readonly waits?: number
  /** It is given up for its silence. */
  readonly silent?: true
  /** Of a stream the first words are said before. */
  readonly said?: true
  /** What differs where the upstream's own words are passed through. */
  readonly native?: Partial<Failure>
}

/** All of the answer comes, after so many attempts. */
export interface Success {
  readonly attempts: number
  readonly said?: string
  readonly waits?: number
}

export interface FaultRow {
  /** `secrets` is everything that was sent and that nobody may see; `attempt` counts from 0. */
  readonly steps: (wire: Wire, secrets: string, attempt: number) => readonly FaultyStep[]
  readonly seen: Failure | Success
  /** Where it makes sense. */
  readonly only?: (wire: Pick<Wire, "dialect" | "stream">) => boolean
}

/** REQUEST_TIMEOUT of the proxy that all of this is for. */
export const timeoutSeconds = 3

export const isFailure = (seen: Failure | Success): seen is Failure => "status" in seen

export const broken = { status: 502, type: "api_error", attempts: 3 } as const
export const cut = { ...broken, words: /broke|closed the connection/ } as const
export const silent: Failure = {
  ...{ status: 504, type: "timeout_error", attempts: 1, silent: true },
  words: /(?:within|silent for) \d+ s.*\(REQUEST_TIMEOUT\)/,
}
export const unreadable = { ...broken, words: /check the base URL|before its reply began/ } as const
export const overloaded = { status: 529, type: "overloaded_error", attempts: 3 } as const
export const limited = { status: 429, type: "rate_limit_error", words: /this is 429/ } as const
export const fine: Success = { attempts: 1 }
export const again: Success = { attempts: 2 }

export const streamed = ({ stream }: Pick<Wire, "stream">) => stream
export const plain = ({ stream }: Pick<Wire, "stream">) => !stream
export const inChat = ({ dialect }: Pick<Wire, "dialect">) => dialect === "chat"

export const begun = ({ type }: Wire, ...pieces: readonly string[]): readonly FaultyStep[] => [
  chunkedHead({ "content-type": type }),
  ...pieces.map(chunkOf),
]
/** More is announced than comes. */
export const short = ({ type }: Wire, text: string): readonly FaultyStep[] => [
  headOf(200, { "content-type": type, "content-length": "100000" }),
  text,
]
export const wholeAs = (wire: Wire, headers: Readonly<Record<string, string>>) =>
  sized(200, wholeOf(wire), headers)
export const good = (wire: Wire) => wholeAs(wire, { "content-type": wire.type })
export const once =
  (steps: FaultRow["steps"]): FaultRow["steps"] =>
  (wire, secrets, attempt) =>
    attempt === 0 ? steps(wire, secrets, attempt) : good(wire)

/** What is broken off at once may never be heard; then the request is tried again, as if nothing had come. */
export const heard: FaultyStep = { waitMs: 400 }

/** What gateways answer with: it repeats what it was sent. */
export const page = (secrets: string): string =>
  `<html><head><title>502 Bad Gateway</title></head><body><h1>${secrets}</h1></body></html>`
export const asPage = { "content-type": "text/html" }
