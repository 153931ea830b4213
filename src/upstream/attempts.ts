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
export interface RefusedReply {
  readonly status: number
  readonly body: string
}

export type Opening<T> = OpenedReply<T> | FailedOpening

export interface OpenedReply<T> {
  readonly ok: true
  readonly batches: Batches<T>
  readonly fault?: undefined
}

export interface AttemptOptions<T> {
  /** One attempt: a request sent, its reply opened. Never throws. */
  readonly open: () => Promise<Opening<T>>
  /** A scale for one attempt, which says what a batch is worth: nothing yet, content, or a failure. */
  readonly scale: () => (batch: readonly T[]) => "wait" | "go" | Fault
  /** Attempts after the first one. */
  readonly maxRetries: number
  /** Another upstream is there for the same request: one that cannot be reached is not waited for. */
  readonly hasNext?: (() => boolean) | undefined
  /**
   * May change what is sent, after a refusal of something in it: true sends it again, at once, and this does not
   * count as an attempt. It is for the callee to say true only so often.
   */
  readonly amend?: (failed: FailedOpening) => boolean
  readonly signal: Signal
  readonly clock: Clock
  /** 0 to 1, for the jitter. */
  readonly random: () => number
  readonly onRetry: (fault: Fault, attempt: number, waitMs: number) => void
  /** Hears of the attempt that got as far as content. */
  readonly onOpen?: () => void
}

export interface Attempted<T> {
  readonly opening: Opening<T>
  readonly attempts: number
}

// A longer wish than this is the client's to grant: it can show a countdown.
const longestWaitMs = 5_000

/** The reply of the first attempt that got as far as content (or a clean end), or the last one's Fault. */
export async function attempt<T>(options: AttemptOptions<T>): Promise<Attempted<T>> {
  for (let attempts = 1; ; ) {
    const opened = await options.open()
    const weighed = opened.ok ? weigh(opened, options) : opened
    // A whole reply shows at once what it is worth.
    const opening = weighed instanceof Promise ? await weighed : weighed
    if (opening.ok) {
      options.onOpen?.()
      return { opening, attempts }
    }
    // What was refused is said in another way.
    if (!options.signal.aborted && options.amend?.(opening) === true) continue
    const wait = waitBefore(opening, attempts, options)
    if (wait === undefined) return { opening, attempts }
    options.onRetry(opening.fault, attempts, wait)
    await pause(wait, options)
    if (options.signal.aborted) return { opening, attempts }
    attempts++
  }
}

/** Milliseconds until the next attempt, or undefined if there is to be none. */
function waitBefore<T>(
  { fault, unreachable }: FailedOpening,
  attempts: number,
  options: AttemptOptions<T>,
): number | undefined {
  const most = fault.retry === "once" ? Math.min(1, options.maxRetries) : options.maxRetries
  if (fault.retry === "no" || attempts > most || options.signal.aborted) return undefined
  if (unreachable === true && options.hasNext?.() === true) return undefined
  if (fault.retryAfterMs !== undefined) {
    return fault.retryAfterMs <= longestWaitMs ? fault.retryAfterMs : undefined
  }
  const exponential = Math.min(250 * 2 ** (attempts - 1), longestWaitMs)
  return Math.round(exponential * (0.5 + options.random() / 2))
}

/** The reply as far as it shows what it is worth. */
function weigh<T>(opened: OpenedReply<T>, options: AttemptOptions<T>): Opening<T> | Promise<Opening<T>> {
  const { whole } = opened.batches
  return whole === undefined ? weighStream(opened, options) : weighWhole(opened, whole, options)
}

async function weighStream<T>(opened: OpenedReply<T>, { scale }: AttemptOptions<T>): Promise<Opening<T>> {
  const { batches } = opened
  const weigh = scale()
  const first: (readonly T[])[] = []
  for (;;) {
    const batch = await batches.next()
    if (batch === undefined) break
    if (batch.length > 0) first.push(batch)
    const worth = weigh(batch)
    if (worth === "wait") continue
    if (worth === "go") break
    batches.close()
    return { ok: false, fault: worth }
  }
  return { ok: true, batches: replay(first, batches) }
}

function weighWhole<T>(
  opened: OpenedReply<T>,
  whole: readonly T[],
  { scale }: AttemptOptions<T>,
): Opening<T> {
  const worth = scale()(whole)
  return typeof worth === "string" ? opened : { ok: false, fault: worth }
}

/** The batches that were read already, which it takes from the list, then the rest. */
function replay<T>(first: (readonly T[])[], rest: Batches<T>): Batches<T> {
  return { next: () => first.shift() ?? rest.next(), close: rest.close }
}

function pause<T>(ms: number, { clock, signal }: AttemptOptions<T>): Promise<void> {
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
