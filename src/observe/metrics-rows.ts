// What is counted of every request by its model: the series of each, found once and kept, so that a request looks up
// a handful of them together.
import type { RequestFamilies, TroubleFamilies, UsageFamilies } from "./metrics-families.ts"

/** The series of one model's streams, or of its whole replies. */
export type Row = ReturnType<typeof createRow>

/**
 * A function that gives the row of a model. What did not happen counts as nothing there: a series that begins with a
 * one looks to Prometheus as if it had never risen. There are to be no more models than are told apart.
 */
export function createRows(
  requests: RequestFamilies,
  usage: UsageFamilies,
  trouble: TroubleFamilies,
): (model: string, stream: boolean) => Row {
  const streams = new Map<string, Row>()
  const wholes = new Map<string, Row>()
  return (model, stream) => {
    const rows = stream ? streams : wholes
    const known = rows.get(model)
    if (known !== undefined) return known
    const made = createRow(model, String(stream), { ...requests, ...usage, ...trouble })
    rows.set(model, made)
    return made
  }
}

function createRow(
  model: string,
  stream: string,
  families: RequestFamilies & UsageFamilies & TroubleFamilies,
) {
  const { tokens } = families
  return {
    duration: families.duration(model, stream),
    firstToken: families.firstToken(model, stream),
    upstreamWait: families.upstreamWait(model, stream),
    input: tokens(model, "input"),
    output: tokens(model, "output"),
    cacheRead: tokens(model, "cache_read"),
    cacheCreation: tokens(model, "cache_creation"),
    reasoning: tokens(model, "reasoning"),
    costUnknown: families.costUnknown(model),
    calls: families.calls(model),
    repaired: families.repaired(model),
  }
}
