// Several keys of one variable: they take turns, and one that was refused rests while the others are used. All
// requests share what is known of them. A session keeps its key as long as that works, because what providers
// cache of a conversation belongs to the account behind the key.
import type { Logger } from "../observe/log.ts"
import type { Fault } from "../protocol/fault.ts"
import type { Route } from "../providers/route.ts"

export interface Keys {
  /** The keys of one request; requests of one `session` get the same one, those without take the next. */
  readonly turn: (route: Route, session: string | undefined) => KeyTurn
}

export interface KeyTurn {
  /** The route with the key to send now. One that rests is taken only when all do: the one that is free first. */
  readonly take: (route: Route) => Route
  /** Hears why the request failed. True: it was the key, and another one is there for the same request. */
  readonly failed: (fault: Fault) => boolean
  /** The fault as it is when no other key is left: it waits no longer than for the first key that is free again. */
  readonly explain: (fault: Fault) => Fault
  /** The request was taken. */
  readonly worked: () => void
}

interface KeyOptions {
  readonly log: Pick<Logger, "warn">
  /** Milliseconds, of any beginning. */
  readonly now: () => number
}

/** What is known of the keys of one variable at one origin. */
interface Ring {
  /** How long a key still rests, in milliseconds. */
  readonly restOf: (key: string) => number
  readonly rest: (key: string, ms: number, route: Route, why: string) => void
  readonly wake: (key: string) => void
  /** Whose turn it is: counts up. */
  readonly next: () => number
  /** Sessions that had to move to another key, those that were not seen for the longest time first. */
  readonly moved: Map<bigint, string>
}

// Configurations have few of them; reloads may leave some behind.
const mostRings = 100
const mostMoved = 1_000

/** Nothing rests yet. */
export function createKeys(options: KeyOptions): Keys {
  const rings = new Map<string, Ring>()

  function ringOf({ keyName, url }: Route): Ring {
    const name = JSON.stringify([keyName, new URL(url).origin])
    const ring = rings.get(name) ?? createRing(options)
    putLast(rings, name, ring, mostRings)
    return ring
  }

  return {
    turn: (route, session) =>
      route.apiKeys.length < 2 ? onlyKey : createTurn(ringOf(route), route, session),
  }
}

/** Nothing changes where there is nothing to choose. */
const onlyKey: KeyTurn = {
  take: (route) => route,
  failed: () => false,
  explain: (fault) => fault,
  worked: () => {},
}

function createRing({ log, now }: KeyOptions): Ring {
  const freeAt = new Map<string, number>()
  let turns = 0
  const restOf = (key: string): number => Math.max(0, (freeAt.get(key) ?? 0) - now())

  return {
    restOf,
    rest: (key, ms, { apiKeys, keyName }, why) => {
      const isNew = restOf(key) === 0
      // Those that a reload took away are not kept.
      for (const old of freeAt.keys()) if (!apiKeys.includes(old)) freeAt.delete(old)
      freeAt.set(key, Math.max(now() + ms, freeAt.get(key) ?? 0))
      if (!isNew) return
      log.warn("an API key was refused and rests", () => ({
        variable: keyName,
        key: `key ${apiKeys.indexOf(key) + 1} of ${apiKeys.length}`,
        seconds: Math.ceil(ms / 1000),
        why,
      }))
    },
    wake: (key) => freeAt.delete(key),
    next: () => turns++,
    moved: new Map(),
  }
}

function createTurn(ring: Ring, route: Route, session: string | undefined): KeyTurn {
  const { apiKeys } = route
  const { restOf, moved } = ring
  // The same in every process, so that workers agree without asking each other.
  const hash = session === undefined ? undefined : Bun.hash.wyhash(session)
  const home = hash === undefined ? ring.next() % apiKeys.length : Number(hash % BigInt(apiKeys.length))
  const tried = new Set<string>()
  let key: string | undefined
  let inSpite = false

  const isFree = (one: string): boolean => restOf(one) === 0

  /** All keys once, beginning with this one. */
  const from = (index: number): readonly string[] => [...apiKeys.slice(index), ...apiKeys.slice(0, index)]

  function choose(): string | undefined {
    const last = hash === undefined ? undefined : moved.get(hash)
    const at = last === undefined ? -1 : apiKeys.indexOf(last)
    const order = from(at < 0 ? home : at)
    return order.find(isFree) ?? order.toSorted((one, other) => restOf(one) - restOf(other))[0]
  }

  function settle(chosen: string | undefined): void {
    key = chosen
    if (hash === undefined || chosen === undefined) return
    if (chosen === apiKeys[home]) moved.delete(hash)
    else putLast(moved, hash, chosen, mostMoved)
  }

  return {
    take: (given) => {
      if (key === undefined || !isFree(key)) settle(choose())
      inSpite = key !== undefined && !isFree(key)
      return { ...given, apiKey: key }
    },
    failed: (fault) => {
      const ms = restFor(fault)
      if (ms === undefined || key === undefined) return false
      ring.rest(key, ms, route, fault.message)
      tried.add(key)
      const next = from(apiKeys.indexOf(key)).find((one) => !tried.has(one) && isFree(one))
      if (next !== undefined) settle(next)
      return next !== undefined
    },
    explain: (fault) => {
      if (fault.retryAfterMs === undefined || restFor(fault) === undefined) return fault
      return { ...fault, retryAfterMs: Math.min(fault.retryAfterMs, ...apiKeys.map(restOf)) }
    },
    // Only a request that was sent in spite of the rest shows that it is over: others may have left before it.
    worked: () => {
      if (key !== undefined && inSpite) ring.wake(key)
    },
  }
}

const refusedMs = 10 * 60_000
const limitedMs = 60_000

/** How long a key rests after this failure, in milliseconds; undefined: it was not the key. */
function restFor({ kind, source, retryAfterMs }: Fault): number | undefined {
  if (source !== "upstream") return undefined
  switch (kind) {
    case "authentication_error":
    case "billing_error":
    case "permission_error":
      return refusedMs
    case "rate_limit_error":
      return retryAfterMs ?? limitedMs
    default:
      return undefined
  }
}

function putLast<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= most) break
    map.delete(oldest)
  }
}

type Failed = { readonly ok: false; readonly fault: Fault }

/** Sends a request with one key after the other, as long as they are refused and there is another one. */
export async function sendInTurn<T extends { readonly ok: true } | Failed>(
  keys: KeyTurn,
  route: Route,
  signal: AbortSignal,
  send: (route: Route) => Promise<T>,
): Promise<T> {
  for (;;) {
    const sent = await send(keys.take(route))
    if (sent.ok || signal.aborted || !keys.failed(sent.fault)) return sent
  }
}
