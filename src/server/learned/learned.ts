// What was learned of an upstream's refusals, as it is kept beyond the process: of which model at which address,
// since when, and why. Neither keys nor anything of a request are in it.
import { readAmendment } from "../../convert/amend/amendment-json.ts"
import { type Amendment, causeOf } from "../../convert/amend/amendments.ts"
import { bodyOf } from "../../convert/request/body-of.ts"
import type { Conversion } from "../../convert/request/request.ts"
import { jsonOf, objectOf } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import type { RefusalRow } from "../../store/refusal-store.ts"
import { reasonOf } from "./learned-reason.ts"

/** The address of a model, by which it is remembered: without what may be secret in it. */
export function placeOf({ url, model }: Pick<Route, "url" | "model">): Pick<RefusalRow, "url" | "model"> {
  const plain = url.split(/[?#]/, 1)[0] ?? ""
  return { url: plain.replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1"), model }
}

/** One text for each model at each address. */
export function modelKey({ url, model }: Pick<RefusalRow, "url" | "model">): string {
  return JSON.stringify([url, model])
}

/** The amendment of a row; undefined where another version wrote it, or nobody of ours. */
export function amendmentOf({ amendment }: Pick<RefusalRow, "amendment">): Amendment | undefined {
  return readAmendment(jsonOf(amendment))
}

/** The row for what was learned now; `conversion` is what was sent, `message` the upstream's word for it. */
export function rowFor(
  route: Route,
  amendment: Amendment,
  message: string,
  conversion: Conversion,
  now: number,
): RefusalRow {
  const { messages, input, instructions, tools } = objectOf(bodyOf(conversion))
  return {
    ...placeOf(route),
    cause: causeOf(amendment),
    provider: route.provider,
    amendment: JSON.stringify(amendment),
    why: reasonOf(message, [messages, input, instructions, tools]),
    since: now,
    confirmed: now,
  }
}
