// What each upstream refused of earlier requests to a model, so that the next one is not refused for it again.
// Like every memory here it only saves time, and may be lost at any moment; where it is kept beyond the process,
// what others have learned, or forgotten, counts too.
import type { AmendedRequest } from "../../convert/amend/amend.ts"
import type { Amended } from "../../convert/amend/amend-messages.ts"
import { type Amendment, applyAmendment, causeOf, isLasting } from "../../convert/amend/amendments.ts"
import type { Conversion } from "../../convert/request/request.ts"
import type { Logger } from "../../observe/log.ts"
import type { Metrics } from "../../observe/metrics.ts"
import { type Fault, type Note, noNotes } from "../../protocol/fault.ts"
import { redact } from "../../protocol/redact.ts"
import type { Route } from "../../providers/route.ts"
import { onceFor } from "../common/once.ts"
import { putLast } from "../common/put-last.ts"
import { learnedMs, type RefusalHistory } from "./history.ts"
import { amendmentOf, modelKey, placeOf, rowFor } from "./learned.ts"

export interface Refusals {
  /** The conversion without what this upstream is known to refuse. */
  readonly foresee: (route: Route, conversion: Conversion) => Amended
  /** Something of it was refused, and it was taken without that; `converted` is the request as nobody had amended it. */
  readonly learn: (route: Route, converted: Conversion, amended: AmendedRequest, fault: Fault) => void
}

interface RefusalOptions {
  readonly log: Pick<Logger, "warn" | "debug">
  readonly metrics: Pick<Metrics, "recordNotes">
  /** What no file may hold, as it is now. */
  readonly secrets?: () => readonly string[]
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Where it is kept beyond the process; undefined: nowhere. */
  readonly history?: RefusalHistory | undefined
  /** Models of which something is remembered. */
  readonly limit?: number
}

// No upstream refuses so much; a hostile one may try.
const mostForOneModel = 20

interface Known {
  readonly amendment: Amendment
  /** When the upstream last said so. */
  readonly confirmed: number
}

type KnownOfModel = ReadonlyMap<string, Known>

/** An empty memory, which forgets the model that was not used for the longest time. */
export function createRefusals(options: RefusalOptions): Refusals {
  const { log, metrics, secrets = () => [], now = Date.now, history, limit = 1_000 } = options
  const models = new Map<string, KnownOfModel>()
  const keyOfRoute = onceFor((route: Route) => modelKey(placeOf(route)))

  /** True when it is something new. */
  function remember(key: string, amendment: Amendment, confirmed: number): boolean {
    const known: KnownOfModel = models.get(key) ?? new Map()
    const cause = causeOf(amendment)
    if (!known.has(cause) && known.size >= mostForOneModel) return false
    putLast(models, key, new Map([...known, [cause, { amendment, confirmed }]]), limit)
    const before = known.get(cause)
    return before === undefined || isOld(before) || !Bun.deepEquals(before.amendment, amendment)
  }

  const isOld = ({ confirmed }: Known): boolean => now() - confirmed > learnedMs

  /** What other processes did to what is kept: it is as it is there. */
  function catchUp(): void {
    const rows = history?.changes()
    if (rows === undefined) return
    models.clear()
    for (const row of rows) {
      const amendment = amendmentOf(row)
      if (amendment !== undefined) remember(modelKey(row), amendment, row.confirmed)
    }
  }

  function learn(
    route: Route,
    converted: Conversion,
    { amendment, notes }: AmendedRequest,
    fault: Fault,
  ): void {
    const { provider, model } = route
    metrics.recordNotes(provider, notes)
    const time = now()
    const isNew = isLasting(amendment) && remember(keyOfRoute(route), amendment, time)
    // A client may have sent its key for the model's name.
    if (isNew && redact(model, secrets()) === model)
      history?.keep(rowFor(route, amendment, fault.message, converted, time))
    const facts = () => ({ provider, model, changes: notes.map(describe), why: fault.message })
    if (isNew) log.warn("the upstream refused part of a request; it is left out from now on", facts)
    else log.debug("the upstream refused part of a request; it was sent again without it", facts)
  }

  return {
    foresee: (route, conversion) => {
      catchUp()
      const key = keyOfRoute(route)
      const known = models.get(key)
      if (known === undefined) return { conversion, notes: noNotes }
      putLast(models, key, known, limit)
      const fresh = [...known.values()].filter((one) => !isOld(one)).map(({ amendment }) => amendment)
      return applyAll(
        conversion,
        fresh.toSorted((one, other) => rank(one) - rank(other)),
      )
    },
    learn,
  }
}

/**
 * The order in which amendments are made: what holds beside tools has the last word on what holds anyway, and
 * roles change only once nothing more is said in their name.
 */
function rank(amendment: Amendment): number {
  if (amendment.kind === "effort" && amendment.withTools) return 1
  return amendment.kind === "role" ? 2 : 0
}

const describe = ({ kind, path, why }: Note): string => `${kind} ${path}: ${why}`

function applyAll(conversion: Conversion, amendments: readonly Amendment[]): Amended {
  const nothing: Amended = { conversion, notes: noNotes }
  return amendments.reduce((before, amendment) => {
    const after = applyAmendment(before.conversion, amendment)
    if (after === undefined) return before
    return { conversion: after.conversion, notes: [...before.notes, ...after.notes] }
  }, nothing)
}
