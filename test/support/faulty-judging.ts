// What a case came to, compared with what had to come of it.
import type { Result } from "./faulty-asking.ts"
import { type FaultCase, otherSaid, type Wanted } from "./faulty-cases.ts"
import { type Failure, isFailure } from "./faulty-rows.ts"
import { canary, placeOf } from "./faulty-script.ts"
import type { FaultyRequest } from "./faulty-upstream.ts"

export interface Judged {
  readonly one: FaultCase
  readonly want: Wanted
  readonly result: Result
  /** What the upstreams heard of it. */
  readonly asked: readonly FaultyRequest[]
}

export interface Limits {
  /** REQUEST_TIMEOUT. */
  readonly timeoutMs: number
  /** MAX_RETRIES. */
  readonly retries: number
  /** What a loaded machine may add. */
  readonly slackMs: number
}

type Say = (good: boolean, what: string) => void

/** Everything that is wrong with it, in words; an empty list means: nothing. */
export function judge({ one, want, result, asked }: Judged, limits: Limits): readonly string[] {
  const wrong: string[] = []
  const about = `${one.client}, ${one.stream ? "streamed" : "plain"}, case ${one.id}`
  const say: Say = (good, what) => {
    if (!good) wrong.push(`${about}: ${what}`)
  }
  const { kind, text, status, error } = result
  say(kind === want.kind, `${kind} in place of ${want.kind}: ${status} "${text}" ${JSON.stringify(error)}`)
  say(!result.seen.includes(canary), `a key is told: ${result.seen}`)
  if (want.kind !== "refused") say(status === 200 && text === want.text, `${status} "${text}"`)
  if (want.kind !== "text" && kind === want.kind) judgeFailure(want, result, say)
  judgeAttempts(one, asked, want.kind === "text" && want.text === otherSaid, limits, say)
  judgeTime(one, result, limits, say)
  return wrong
}

function judgeFailure(
  { kind, failure }: Extract<Wanted, { failure: Failure }>,
  { error, retryAfter, status, shouldRetry }: Result,
  say: Say,
): void {
  const message = String(error["message"])
  say(error["type"] === failure.type, `${error["type"]} in place of ${failure.type}: ${message}`)
  say(failure.words.test(message), `"${message}" does not say ${failure.words}`)
  if (kind === "cut") return
  say(status === failure.status, `${status} in place of ${failure.status}: ${message}`)
  say((shouldRetry === "false") === (failure.final === true), `x-should-retry: ${shouldRetry}; ${message}`)
  const [least, most] = failure.after ?? []
  const right =
    least === undefined || most === undefined
      ? retryAfter === undefined
      : retryAfter !== undefined && retryAfter >= least && retryAfter <= most
  say(right, `retry-after: ${retryAfter}`)
}

function judgeAttempts(
  { seen, stream }: FaultCase,
  asked: readonly FaultyRequest[],
  moved: boolean,
  { retries }: Limits,
  say: Say,
): void {
  const here = asked.filter((request) => /^f\d|^good/.test(placeOf(request)))
  // Who has said something is not asked again.
  const attempts = stream && isFailure(seen) && seen.said ? 1 : Math.min(seen.attempts ?? 0, retries + 1)
  say(here.length === attempts, `${here.length} attempts in place of ${attempts}`)
  const others = asked.filter((request) => placeOf(request) === "fine").length
  say(others === (moved ? 1 : 0), `the fallback was asked ${others} times`)
  const gaps = here.slice(1).map(({ at }, index) => at - (here[index]?.at ?? 0))
  // Timers may be a little early.
  say(
    gaps.every((gap) => gap >= (seen.waits ?? 0) - 20),
    `it waited for ${gaps} ms`,
  )
}

function judgeTime({ seen }: FaultCase, { ms }: Result, { timeoutMs, slackMs }: Limits, say: Say): void {
  const silent = isFailure(seen) && seen.silent === true
  if (silent) say(ms >= timeoutMs - 50, `given up after ${ms} ms`)
  say(ms < slackMs + (silent ? timeoutMs : 2 * timeoutMs), `${ms} ms`)
}
