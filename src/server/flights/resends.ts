// Requests under way whose client may send them again, because it gave up waiting: by who sends them and what they
// say, they are found and gone on with.
import type { Config } from "../../config/config.ts"
import type { Logger } from "../../observe/log.ts"
import type { Asker } from "../outcome/asker.ts"

/** A request under way; `Taken` is what the one gets who goes on with it. */
export interface Resendable<Rider, Taken> {
  /** For one who comes after its client has left. */
  readonly join: (rider: Rider) => Taken
  /** For one whose client has given the first one up, although its connection does not show it. */
  readonly takeOver: (rider: Rider) => Taken
  /** Its client has left, and nobody has come in its place. */
  readonly waits: () => boolean
  /** One client alone waits for it, and nobody else ever did. */
  readonly isPrivate: () => boolean
  /** Nobody comes any more: the upstream is let go. */
  readonly abandon: () => void
}

export interface Resends<Rider, Taken> {
  /**
   * Goes on with what the same client has asked before and given up. `retried`: the client says itself that this is
   * not its first try, so that a connection which looks alive is not.
   */
  readonly resume: (key: string, config: Config, rider: Rider, retried: boolean) => Taken | undefined
  /** From now on it may be gone on with; gives what ends that. */
  readonly enter: (key: string, config: Config, rider: Rider, request: Resendable<Rider, Taken>) => () => void
  /** It begins to wait for its client, unless this says false; or it has waited. */
  readonly linger: (request: Resendable<Rider, Taken>, begins: boolean) => boolean
  /** Nothing waits for its client any more, now or later. */
  readonly stop: () => void
}

interface Known<Rider, Taken> {
  readonly request: Resendable<Rider, Taken>
  /** What it came under. Who asks again after a change wants what the new settings lead to. */
  readonly config: Config
  readonly rider: Rider
}

/** Equal requests of one client. */
interface Group<Rider, Taken> {
  readonly members: Set<Known<Rider, Taken>>
  /** There were several at once: which of them is sent again, nobody can tell. */
  crowded: boolean
}

// Each of them holds a connection to an upstream.
const mostLingering = 100

/** Nothing is under way. */
export function createResends<Rider extends Asker, Taken>(log: Pick<Logger, "info">): Resends<Rider, Taken> {
  const groups = new Map<string, Group<Rider, Taken>>()
  const lingering = new Set<Resendable<Rider, Taken>>()
  let stopped = false

  function tell(before: Rider, rider: Rider): void {
    const waitedMs = Math.round(rider.startedAt - before.startedAt)
    const facts = { requestId: rider.requestId, before: before.requestId, waitedMs }
    log.info("a request was sent again; it goes on where the one before it was", () => facts)
  }

  return {
    resume: (key, config, rider, retried) => {
      const group = groups.get(key)
      if (group === undefined) return undefined
      const members = [...group.members].filter((known) => known.config === config)
      const waiting = members.find(({ request }) => request.waits())
      if (waiting !== undefined) {
        tell(waiting.rider, rider)
        return waiting.request.join(rider)
      }
      const [only] = members
      if (!retried || only === undefined || group.crowded || !only.request.isPrivate()) return undefined
      tell(only.rider, rider)
      return only.request.takeOver(rider)
    },
    enter: (key, config, rider, request) => {
      const group = groups.get(key) ?? { members: new Set(), crowded: false }
      const known = { request, config, rider }
      group.members.add(known)
      group.crowded ||= group.members.size > 1
      groups.set(key, group)
      return () => {
        group.members.delete(known)
        if (group.members.size === 0 && groups.get(key) === group) groups.delete(key)
      }
    },
    linger: (request, begins) => {
      if (!begins) lingering.delete(request)
      else if (stopped || lingering.size >= mostLingering) return false
      else lingering.add(request)
      return true
    },
    stop: () => {
      stopped = true
      for (const request of lingering) request.abandon()
    },
  }
}
