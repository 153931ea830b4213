// What each upstream refused of earlier requests to a model, so that the next one is not refused for it again.
// Like every memory here it only saves time, and may be lost at any moment.
import type { AmendedRequest } from "../convert/request/amend.ts"
import {
  type Amended,
  type Amendment,
  applyAmendment,
  causeOf,
  isLasting,
} from "../convert/request/amendments.ts"
import type { Conversion } from "../convert/request/request.ts"
import type { Logger } from "../observe/log.ts"
import type { Metrics } from "../observe/metrics.ts"
import type { Fault, Note } from "../protocol/fault.ts"
import type { Route } from "../providers/route.ts"

/** A conversion on its way to an upstream; `onAmended` is told when something of it was refused. */
export interface SentConversion extends Conversion {
  readonly onAmended: (amended: AmendedRequest, fault: Fault) => void
}

interface Foreseen extends Amended {
  readonly conversion: SentConversion
}

export interface Refusals {
  /** The conversion without what this upstream is known to refuse. */
  readonly foresee: (route: Route, conversion: Conversion) => Foreseen
}

interface RefusalOptions {
  readonly log: Pick<Logger, "warn" | "debug">
  readonly metrics: Pick<Metrics, "recordNotes">
  /** Models of which something is remembered. */
  readonly limit?: number
}

// No upstream refuses so much; a hostile one may try.
const mostForOneModel = 20

/** An empty memory, which forgets the model that was not used for the longest time. */
export function createRefusals({ log, metrics, limit = 1_000 }: RefusalOptions): Refusals {
  const models = new Map<string, ReadonlyMap<string, Amendment>>()

  function keep(key: string, known: ReadonlyMap<string, Amendment>): void {
    models.delete(key)
    models.set(key, known)
    for (const oldest of models.keys()) {
      if (models.size <= limit) break
      models.delete(oldest)
    }
  }

  /** True when it is something new. */
  function remember(key: string, amendment: Amendment): boolean {
    const known = models.get(key) ?? new Map<string, Amendment>()
    const cause = causeOf(amendment)
    const isNew = !Bun.deepEquals(known.get(cause), amendment)
    if (!known.has(cause) && known.size >= mostForOneModel) return false
    keep(key, new Map([...known, [cause, amendment]]))
    return isNew
  }

  function learn(route: Route, { amendment, notes }: AmendedRequest, fault: Fault): void {
    const { provider, model } = route
    metrics.recordNotes(provider, notes)
    const isNew = isLasting(amendment) && remember(keyOf(route), amendment)
    const facts = () => ({ provider, model, changes: notes.map(describe), why: fault.message })
    if (isNew) log.warn("the upstream refused part of a request; it is left out from now on", facts)
    else log.debug("the upstream refused part of a request; it was sent again without it", facts)
  }

  return {
    foresee: (route, conversion) => {
      const key = keyOf(route)
      const known = models.get(key)
      const onAmended: SentConversion["onAmended"] = (amended, fault) => learn(route, amended, fault)
      if (known === undefined) return { conversion: { ...conversion, onAmended }, notes: [] }
      keep(key, known)
      // What holds beside tools has the last word on what holds anyway.
      const inOrder = [...known.values()].toSorted(
        (one, other) => Number(hasLastWord(one)) - Number(hasLastWord(other)),
      )
      const amended = applyAll(conversion, inOrder)
      return { ...amended, conversion: { ...amended.conversion, onAmended } }
    },
  }
}

const hasLastWord = (amendment: Amendment): boolean => amendment.kind === "effort" && amendment.withTools

const keyOf = ({ provider, url, model }: Route): string => JSON.stringify([provider, url, model])

const describe = ({ kind, path, why }: Note): string => `${kind} ${path}: ${why}`

function applyAll(conversion: Conversion, amendments: readonly Amendment[]): Amended {
  const nothing: Amended = { conversion, notes: [] }
  return amendments.reduce((before, amendment) => {
    const after = applyAmendment(before.conversion, amendment)
    if (after === undefined) return before
    return { conversion: after.conversion, notes: [...before.notes, ...after.notes] }
  }, nothing)
}
