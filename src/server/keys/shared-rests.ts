// Keys that rest, told to the other proxies and heard from them. A request never waits for that: it reads what was
// heard last, which is asked for in the background. No key leaves this process, only what a hash makes of it.
import type { Config } from "../../config/config.ts"
import type { Store } from "../../store/store.ts"
import type { Clock } from "../../upstream/deadline.ts"

export interface SharedRests {
  /** How long a key rests because of what others have heard of it, in milliseconds. */
  readonly restOf: (rest: RestName) => number
  /** `onTakenBack` is called when another proxy has found since that the key works. */
  readonly tell: (rest: RestName, ms: number, onTakenBack: () => void) => void
  readonly takeBack: (rests: readonly RestName[]) => void
  /** Whether others are listened to from now on. */
  readonly follow: (on: boolean) => void
}

/** A key at an origin, for one model or (undefined) for all. */
export interface RestName {
  readonly origin: string
  readonly key: string
  readonly model: string | undefined
}

interface SharedRestsOptions {
  readonly store: Pick<Store, "mark" | "unmark" | "marks">
  readonly clock: Clock
}

interface Told {
  readonly until: number
  readonly onTakenBack: () => void
  /** Since when the store has it; undefined: not yet. */
  readonly since?: number
}

const group = "resting-keys"
const everyMs = 1_000

/** Nothing is heard before `follow`. */
export function createSharedRests({ store, clock }: SharedRestsOptions): SharedRests {
  const { steady: now } = clock
  const told = new Map<string, Told>()
  let heard: ReadonlyMap<string, number> = new Map()
  let following = false
  let cancel = () => {}

  async function listen(): Promise<void> {
    const startedAt = now()
    const marks = await store.marks(group)
    if (!following) return
    if (marks !== undefined) hear(marks, startedAt)
    cancel = clock.setTimer(() => void listen(), everyMs)
  }

  function hear(marks: ReadonlyMap<string, number>, startedAt: number): void {
    heard = new Map([...marks].map(([id, ms]) => [id, startedAt + ms]))
    for (const [id, { until, since, onTakenBack }] of told) {
      const isGone = since !== undefined && since <= startedAt && !marks.has(id)
      if (isGone || until <= now()) told.delete(id)
      if (isGone && until > now()) onTakenBack()
    }
  }

  async function tell(rest: RestName, ms: number, onTakenBack: () => void): Promise<void> {
    const id = idOf(rest)
    const own: Told = { until: now() + ms, onTakenBack }
    told.set(id, own)
    const isThere = await store.mark(group, id, ms)
    if (isThere && told.get(id) === own) told.set(id, { ...own, since: now() })
  }

  return {
    restOf: (rest) => (heard.size === 0 ? 0 : Math.max(0, (heard.get(idOf(rest)) ?? 0) - now())),
    tell: (rest, ms, onTakenBack) => {
      if (following) void tell(rest, ms, onTakenBack)
    },
    takeBack: (rests) => {
      if (!following) return
      const ids = rests.map(idOf)
      for (const id of ids) told.delete(id)
      heard = new Map([...heard].filter(([id]) => !ids.includes(id)))
      void store.unmark(group, ids)
    },
    follow: (on) => {
      if (on === following) return
      following = on
      cancel()
      if (on) void listen()
      else heard = new Map()
    },
  }
}

function idOf({ origin, key, model }: RestName): string {
  const name = JSON.stringify([origin, key, model ?? null])
  return new Bun.CryptoHasher("sha256").update(name).digest("hex").slice(0, 32)
}

/** Is there anything that resting keys decide? Where each upstream has one key, they are used in any case. */
export function needsRests(config: Config): boolean {
  if (config.redisUrl === undefined) return false
  const { upstream, others, models } = config
  const reached = models.flatMap(({ reach }) => (reach.ok ? [reach.upstream] : []))
  const all = [upstream, ...Object.values(others), ...reached]
  return all.some(({ apiKeys }) => apiKeys.length > 1) || models.some(({ fallbacks }) => fallbacks.length > 0)
}
