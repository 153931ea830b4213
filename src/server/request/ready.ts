// A request made ready for the model whose turn it is, whatever API that model is served by.
import type { Fault } from "../../protocol/fault.ts"
import type { Route } from "../../providers/route.ts"
import { isDirect } from "./asked.ts"
import { type DirectRequest, threadFault } from "./direct-request.ts"
import type { Prepared, Readying } from "./prepare.ts"

/** A request that is ready to be sent to one model. */
export type Stop =
  | { readonly kind: "converted"; readonly prepared: Prepared }
  /** In the client's own words. */
  | { readonly kind: "direct"; readonly direct: DirectRequest }

export type Ready = { readonly ok: true; readonly stop: Stop } | { readonly ok: false; readonly fault: Fault }

/** The request in the words of this model, or the Fault that refuses it there. */
export function getReady(readying: Readying, route: Route): Ready {
  const { readiness } = readying.asking
  if (isDirect(route)) return readyDirect(readiness.direct(readying, route))
  const preparation = readiness.converted(readying, route)
  if (!preparation.ok) return preparation
  return { ok: true, stop: { kind: "converted", prepared: preparation.prepared } }
}

function readyDirect(direct: DirectRequest): Ready {
  const fault = threadFault(direct)
  return fault === undefined ? { ok: true, stop: { kind: "direct", direct } } : { ok: false, fault }
}
