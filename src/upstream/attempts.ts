// One request, tried until its first content: what fails before that is repeated here, where the client sees
// nothing of it; what fails later is the client's to know.
import type { Fault } from "../protocol/fault.ts"
import type { Batches } from "./batches.ts"
import type { Clock } from "./deadline.ts"
import type { Signal } from "./signal.ts"

export interface FailedOpening {
  readonly ok: false
  readonly fault: Fault
  /** The reply with which the upstream refused the request, where it did. */
  readonly refused?: RefusedReply
  /** Nobody was there to answer. */
  readonly unreachable?: boolean
}

/** What the upstream's error reply was before it became a Fault. */
interface RefusedReply {
  readonly status: number
  readonly body: string
}

export type Opening<T> = OpenedReply<T> | FailedOpening

export interface OpenedReply<T> {
  readonly ok: true
  readonly batches: Batches<T>
  readonly fault?: undefined
}

/** What a batch is worth: nothing yet, content, or a failure. */
type Scale<T> = (batch: readonly T[]) => "wait" | "go" | Fault

/** A request that is tried. */
export interface Tried {
  /** Attempts after the first one. */
  readonly maxRetries: number
  readonly signal: Signal
  readonly clock: Clock
}

/** How it is tried: the same for all requests of a kind. */
export interface Trying<On extends Tried, T, Sent = Opening<T>> {
  /** One attempt: a request sent, its reply opened. Never throws. */
  readonly open: (on: On) => Promise<Sent>
  /** A scale for one attempt. */
  readonly scale: (on: On) => Scale<T>
  /** Another upstream is there for the same request: one that cannot be reached is not waited for. */
  readonly hasNext?: ((on: On) => boolean) | undefined
  /**
   * May change what is sent, after a refusal of something in it: true sends it again, at once, and this does not
   * count as an attempt. It is for the callee to say true only so often.
   */
  readonly amend?: (on: On, failed: FailedOpening) => boolean
  /** 0 to 1, for the jitter. */
  readonly random: () => number
  readonly onRetry: (on: On, fault: Fault, attempt: number, waitMs: number) => void
  /** Hears of the attempt that got as far as content. */
  readonly onOpen?: (on: On) => void
}

// A longer wish than this is the client's to grant: it can show a countdown.
const longestWaitMs = 5_000

/** The reply of the first attempt that got as far as content (or a clean end), or the last one's Fault. */
export function attempt<On extends Tried, T>(on: On, trying: Trying<On, T>): Promise<Opening<T>> {
  return attemptAndRead(on, trying, asOpened)
}

function asOpened<T>(opened: Opening<T>): Opening<T> {
  return opened
}

/** The same where what was sent is not yet a reply in batches: `read` makes one of it, which takes no promise more. */
export async function attemptAndRead<On extends Tried, T, Sent>(
  on: On,
  trying: Trying<On, T, Sent>,
  read: (sent: Sent, on: On) => Opening<T>,
): Promise<Opening<T>> {
  for (let attempts = 1; ; ) {
    const opened = read(await trying.open(on), on)
    const weighed = opened.ok ? weigh(opened, trying.scale(on)) : opened
    // A whole reply shows at once what it is worth.
    const opening = weighed instanceof Promise ? await weighed : weighed
    if (opening.ok) {
      trying.onOpen?.(on)
      return opening
    }
    // What was refused is said in another way.
    if (!on.signal.aborted && trying.amend?.(on, opening) === true) continue
    const wait = waitBefore(opening, attempts, on, trying)
    if (wait === undefined) return opening
    trying.onRetry(on, opening.fault, attempts, wait)
    await pause(wait, on)
    if (on.signal.aborted) return opening
    attempts++
  }
}

/** Milliseconds until the next attempt, or undefined if there is to be none. */
function waitBefore<On extends Tried, T, Sent>(
  { fault, unreachable }: FailedOpening,
  attempts: number,
  on: On,
  { hasNext, random }: Trying<On, T, Sent>,
): number | undefined {
  const most = fault.retry === "once" ? Math.min(1, on.maxRetries) : on.maxRetries
  if (fault.retry === "no" || attempts > most || on.signal.aborted) return undefined
  if (unreachable === true && hasNext?.(on) === true) return undefined
  if (fault.retryAfterMs !== undefined) {
    return fault.retryAfterMs <= longestWaitMs ? fault.retryAfterMs : undefined
  }
  const exponential = Math.min(250 * 2 ** (attempts - 1), longestWaitMs)
  return Math.round(exponential * (0.5 + random() / 2))
}

/** The reply as far as it shows what it is worth. */
function weigh<T>(opened: OpenedReply<T>, scale: Scale<T>): Opening<T> | Promise<Opening<T>> {
  const { whole } = opened.batches
  if (whole === undefined) return weighStream(opened, scale)
  const worth = scale(whole)
  return typeof worth === "string" ? opened : { ok: false, fault: worth }
}

async function weighStream<T>({ batches }: OpenedReply<T>, scale: Scale<T>): Promise<Opening<T>> {
  const first: (readonly T[])[] = []
  for (;;) {
    const batch = batches.next()
    if (batch instanceof Promise) {
      await batch
      continue
    }
    if (batch === undefined) break
    if (batch.length > 0) first.push(batch)
    const worth = scale(batch)
    if (worth === "wait") continue
    if (worth === "go") break
    batches.close()
    return { ok: false, fault: worth }
  }
  return { ok: true, batches: replay(first, batches) }
}

/** The batches that were read already, which it takes from the list, then the rest. */
function replay<T>(first: (readonly T[])[], rest: Batches<T>): Batches<T> {
  return { next: () => first.shift() ?? rest.next(), close: rest.close }
}

function pause(ms: number, { clock, signal }: Tried): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(done, ms)
    function done(): void {
      cancel()
      signal.removeEventListener("abort", done)
      resolve()
    }
    signal.addEventListener("abort", done, { once: true })
  })
}
