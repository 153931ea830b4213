// Several keys of one variable: they take turns, and one that was refused rests while the others are used. All
// requests share what is known of them. A session keeps its key as long as that works, because what providers
// cache of a conversation belongs to the account behind the key. A rest only says who is asked last: no request
// fails before every key was asked for it.
import type { Fault } from "../../protocol/fault.ts"
import type { Route } from "../../providers/route.ts"
import type { Signal } from "../../upstream/signal.ts"
import { putLast } from "../common/put-last.ts"
import { createRing, type Resting, type Ring, type RingOptions } from "./key-ring.ts"

export interface Keys {
  /** The keys of one request; requests of one `session` get the same one, those without take the next. */
  readonly turn: (route: Route, session: string | undefined, options?: TurnOptions) => KeyTurn
  /** Does every key of the route rest, for its model? */
  readonly areResting: (route: Route) => boolean
}

export interface TurnOptions {
  /** False: what becomes of this request says nothing about others, as it asks for something else than they do. */
  readonly learns?: boolean
  /** True: a key that is the only one rests too, because there is another upstream to ask. */
  readonly hasFallbacks?: boolean
}

export interface KeyTurn {
  /** The route with the key to send now. Those that rest come last, the one that is free first before the others. */
  readonly take: (route: Route) => Route
  /**
   * Hears why the request failed that was sent with the key taken last; once for each. True: it was the key, and
   * another one is there for the same request.
   */
  readonly failed: (fault: Fault) => boolean
  /** The fault as it is when no other key is left: it waits no longer than for the first key that is free again. */
  readonly explain: (fault: Fault) => Fault
  /** The request was taken. */
  readonly worked: () => void
  /** Another upstream took it: what was refused here was no fault of the request's. */
  readonly workedElsewhere: () => void
}

// Configurations have few of them; reloads may leave some behind.
const mostRings = 100
const mostMoved = 1_000

/** Nothing rests yet. */
export function createKeys(options: RingOptions): Keys {
  const rings = new Map<string, Ring>()

  function ringOf({ keyName, url }: Route): Ring {
    const { origin } = new URL(url)
    const name = JSON.stringify([keyName, origin])
    const ring = rings.get(name) ?? createRing(origin, options)
    putLast(rings, name, ring, mostRings)
    return ring
  }

  return {
    turn: (route, session, { learns = true, hasFallbacks = false } = {}) =>
      route.apiKeys.length < (hasFallbacks ? 1 : 2)
        ? onlyKey
        : createTurn(ringOf(route), route, session, learns),
    areResting: (route) => {
      const { apiKeys, model } = route
      if (apiKeys.length === 0) return false
      const ring = ringOf(route)
      return apiKeys.every((key) => ring.restOf(key, model) > 0)
    },
  }
}

/** Nothing changes where there is nothing to choose. */
const onlyKey: KeyTurn = {
  take: (route) => route,
  failed: () => false,
  explain: (fault) => fault,
  worked: () => {},
  workedElsewhere: () => {},
}

function createTurn(ring: Ring, route: Route, session: string | undefined, learns: boolean): KeyTurn {
  const { apiKeys, model } = route
  const { moved, now } = ring
  // The same in every process, so that workers agree without asking each other.
  const hash = session === undefined ? undefined : Bun.hash.wyhash(session)
  const home = hash === undefined ? ring.next() % apiKeys.length : Number(hash % BigInt(apiKeys.length))
  // Each model has a cache of its own, and a key may rest for one alone.
  const place = hash === undefined ? undefined : Bun.hash.wyhash(model, hash)
  /** What this request was refused by, in turn, each with the time that its wait is over, where it named one. */
  const refused = new Map<string, number | undefined>()
  const suspects: Resting[] = []
  let key: string | undefined
  let next: string | undefined
  let sent: { readonly key: string; readonly inSpite: boolean } | undefined

  const restOf = (one: string): number => ring.restOf(one, model)
  const isFree = (one: string): boolean => restOf(one) === 0

  /** All keys once, beginning with this one: those that are free, then the others. */
  function order(index: number): readonly string[] {
    const all = [...apiKeys.slice(index), ...apiKeys.slice(0, index)]
    return all.toSorted((one, other) => restOf(one) - restOf(other))
  }

  function choose(): string | undefined {
    const last = place === undefined ? -1 : apiKeys.indexOf(moved.get(place) ?? "")
    return order(last < 0 ? home : last)[0]
  }

  /** What a refusal says of the key, for the requests to come. */
  function learn(resting: Resting, { kind }: Fault): void {
    // It may be the prompt that is not allowed: if so, every key says the same, and none is to blame.
    if (kind === "permission_error") suspects.push(resting)
    else ring.rest(resting, route)
  }

  function restSuspects(except: string | undefined): void {
    for (const suspect of suspects.splice(0)) if (suspect.key !== except) ring.rest(suspect, route)
  }

  return {
    take: (given) => {
      key = next ?? (key !== undefined && isFree(key) ? key : choose())
      next = undefined
      sent = key === undefined ? undefined : { key, inSpite: !isFree(key) }
      return { ...given, apiKey: key }
    },
    failed: (fault) => {
      const rest = sent && restFor(fault)
      if (sent === undefined || rest === undefined) return false
      const [last, wait] = [sent.key, fault.retryAfterMs]
      sent = undefined
      refused.set(last, wait === undefined ? undefined : now() + wait)
      if (learns) {
        const about = rest.everywhere ? undefined : model
        learn({ key: last, model: about, ms: rest.ms, why: fault.message }, fault)
      }
      next = order(apiKeys.indexOf(last)).find((one) => !refused.has(one))
      return next !== undefined
    },
    explain: (fault) => {
      if (fault.retryAfterMs === undefined || restFor(fault) === undefined || apiKeys.length < 2) return fault
      const waits = apiKeys.map((one) => {
        if (!refused.has(one)) return restOf(one)
        return (refused.get(one) ?? Number.POSITIVE_INFINITY) - now()
      })
      return { ...fault, retryAfterMs: Math.max(0, Math.min(fault.retryAfterMs, ...waits)) }
    },
    worked: () => {
      if (sent === undefined || !learns) return
      restSuspects(sent.key)
      // Only a request that was sent in spite of the rest shows that it is over: others may have left before it.
      if (sent.inSpite) ring.wake(sent.key, model)
      if (place === undefined) return
      if (sent.key === apiKeys[home]) moved.delete(place)
      else putLast(moved, place, sent.key, mostMoved)
    },
    workedElsewhere: () => restSuspects(undefined),
  }
}

const refusedMs = 10 * 60_000
const limitedMs = 60_000

interface Rest {
  readonly ms: number
  /** For every model, not only for the one that was asked for. */
  readonly everywhere: boolean
}

/** How long a key rests after this failure; undefined: it was not the key. */
function restFor({ kind, source, retryAfterMs }: Fault): Rest | undefined {
  if (source !== "upstream") return undefined
  switch (kind) {
    case "authentication_error":
    case "billing_error":
      return { ms: refusedMs, everywhere: true }
    case "permission_error":
      return { ms: refusedMs, everywhere: false }
    case "rate_limit_error":
      // However long it is: limits are raised, and a wait may be that of the day's tokens of one model.
      return { ms: Math.min(retryAfterMs ?? limitedMs, refusedMs), everywhere: false }
    default:
      return undefined
  }
}

type Failed = { readonly ok: false; readonly fault: Fault }

/**
 * Sends a request with one key after the other, as long as they are refused and there is another one. When none is
 * left, it is a limit that the client hears of, if there was one: waiting helps against that.
 */
export function sendInTurn<On extends { readonly signal: Signal }, T extends { readonly ok: true } | Failed>(
  keys: KeyTurn,
  route: Route,
  on: On,
  send: (route: Route, on: On) => Promise<T>,
): Promise<T> {
  return keys === onlyKey ? send(route, on) : sendByTurns(keys, route, on, send)
}

async function sendByTurns<On extends { readonly signal: Signal }, T extends { readonly ok: true } | Failed>(
  keys: KeyTurn,
  route: Route,
  on: On,
  send: (route: Route, on: On) => Promise<T>,
): Promise<T> {
  const explained = (sent: T): T => (sent.ok ? sent : { ...sent, fault: keys.explain(sent.fault) })
  let limited: T | undefined
  for (;;) {
    const sent = await send(keys.take(route), on)
    if (sent.ok || on.signal.aborted) return explained(sent)
    const { fault } = sent
    if (fault.kind === "rate_limit_error") limited = sent
    if (!keys.failed(fault)) return explained(restFor(fault) === undefined ? sent : (limited ?? sent))
  }
}
