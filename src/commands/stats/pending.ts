// What the statistics have not written down yet, already summed: it grows with what is told apart, not with time.
import type { Exchange } from "../../observe/exchange.ts"
import { dayOf } from "../../observe/log-days.ts"
import {
  addTally,
  emptyTally,
  type GrowingTally,
  mostModels,
  otherModels,
  shortName,
  type Tally,
  tallyOf,
} from "../../observe/stats.ts"
import { redact } from "../../protocol/redact.ts"
import type { Batch } from "../../store/usage-store.ts"
import type { DayRow, SessionRow } from "../../store/usage-table.ts"

interface Pending {
  readonly add: (exchange: Exchange, secrets: readonly string[]) => void
  readonly isEmpty: () => boolean
  readonly batch: () => Batch
  /** All of it has been written. */
  readonly clear: () => void
}

// Only a file that cannot be written for long lets them wait, and then the latest ones are worth most.
const mostSessions = 1_000

/** The local day of a time; the same for all of a minute. */
function createDays(): (time: number) => string {
  let minute = Number.NaN
  let day = ""
  return (time) => {
    const now = Math.floor(time / 60_000)
    if (now !== minute) day = dayOf(new Date(time))
    minute = now
    return day
  }
}

/** A row whose sums grow in place. */
type Growing<Row> = Omit<Row, "tally"> & { readonly tally: GrowingTally }

type Place = Pick<DayRow, "provider" | "model">

/** What the last request was counted in. */
interface Counted {
  readonly names: Names
  readonly secrets: readonly string[]
  readonly row: Growing<DayRow>
}

type Names = Pick<Exchange, "provider" | "model" | "client">

function isLike({ names, row, secrets }: Counted, next: Names, nextSecrets: readonly string[], day: string) {
  const { provider: by, model, client } = names
  return (
    by === next.provider &&
    model === next.model &&
    client === next.client &&
    row.day === day &&
    secrets === nextSecrets
  )
}

/** Nothing waits at first. */
export function createPending(now: () => number): Pending {
  const days = new Map<string, Growing<DayRow>>()
  const sessions = new Map<string, Growing<SessionRow>>()
  const models = new Set<string>()
  const dayAt = createDays()
  let last: Counted | undefined

  /** The names that clients make up must not fill the file: the same limit as in memory. */
  function modelOf({ provider, model: given }: Exchange, secrets: readonly string[]): Place {
    const model = redact(shortName(given), secrets)
    const key = `${provider}/${model}`
    if (!models.has(key) && models.size >= mostModels) return { provider: "", model: otherModels }
    models.add(key)
    return { provider, model }
  }

  /** The row of a day, which exists from now on. */
  function rowOf(day: string, client: string, { provider, model }: Place): Growing<DayRow> {
    // Only the last of them may hold anything.
    const key = `${day} ${client} ${provider}/${model}`
    const known = days.get(key)
    if (known !== undefined) return known
    const row = { day, provider, model, client, tally: { ...emptyTally } }
    days.set(key, row)
    return row
  }

  /** Mostly it is the row of the request before. */
  function rowFor(exchange: Exchange, secrets: readonly string[], day: string): Growing<DayRow> {
    if (last === undefined || !isLike(last, exchange, secrets, day)) {
      const { provider, model, client } = exchange
      const row = rowOf(day, client ?? "", modelOf(exchange, secrets))
      last = { names: { provider, model, client }, secrets, row }
    }
    return last.row
  }

  function addSession(session: string, { provider, model }: Place, time: number, tally: Tally): void {
    const key = JSON.stringify([session, provider, model])
    const before = sessions.get(key)
    const sum = { ...tally }
    if (before !== undefined) addTally(sum, before.tally)
    const firstUsed = before?.firstUsed ?? time
    sessions.delete(key)
    sessions.set(key, { session, provider, model, firstUsed, lastUsed: time, tally: sum })
    for (const oldest of sessions.keys()) {
      if (sessions.size <= mostSessions) break
      sessions.delete(oldest)
    }
  }

  return {
    add: (exchange, secrets) => {
      const tally = tallyOf(exchange)
      const { session, endedAt: time = now() } = exchange
      const row = rowFor(exchange, secrets, dayAt(time))
      addTally(row.tally, tally)
      if (session !== undefined) addSession(session, row, time, tally)
    },
    isEmpty: () => days.size === 0,
    batch: () => ({ days: [...days.values()], sessions: [...sessions.values()] }),
    clear: () => {
      last = undefined
      days.clear()
      sessions.clear()
    },
  }
}
