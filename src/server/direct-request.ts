// A request that is passed through, with all that passing through needs to know of it.
import type { Route } from "../providers/route.ts"
import type { Asked } from "./asked.ts"
import type { DirectRequest } from "./direct.ts"

type Circumstances = Pick<DirectRequest, "request" | "requestId" | "startedAt" | "text" | "url">

/** `route` leads to an upstream that speaks the Messages API itself; `text` is the body as it came. */
export function directRequest({ body, tokens }: Asked, route: Route, given: Circumstances): DirectRequest {
  const genuineOnly = route.profile.checksSignatures
  return { ...given, route, body, inputTokens: tokens, genuineOnly, notes: [] }
}
