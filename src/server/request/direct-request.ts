// A request that is passed through, with all that passing through needs to know of it.
import type { Fault, Note } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { Route } from "../../providers/route.ts"
import type { Course } from "../course/course.ts"
import type { Asked } from "./asked.ts"
import { refuseThread } from "./threads.ts"

/** A request that is known to go to an upstream of its own dialect. */
export interface DirectRequest {
  readonly route: Route
  readonly request: Request
  readonly body: JsonObject
  /** The JSON that `body` was parsed from. */
  readonly text: string
  readonly url: URL
  readonly requestId: string
  readonly startedAt: number
  /** Our estimate of the prompt, made when it is first asked for. */
  readonly inputTokens: () => number
  /** Anthropic itself: signatures are checked there, and threads kept. */
  readonly genuineOnly: boolean
  readonly notes: readonly Note[]
  /** Undefined: no other model would do, as when it is about counting. */
  readonly course?: Course
}

type Circumstances = Pick<DirectRequest, "request" | "requestId" | "startedAt" | "text" | "url" | "course">

/** `route` leads to an upstream that speaks the Messages API itself; `text` is the body as it came. */
export function directRequest({ body, tokens }: Asked, route: Route, given: Circumstances): DirectRequest {
  const genuineOnly = route.profile.checksSignatures
  return { ...given, route, body, inputTokens: tokens, genuineOnly, notes: [] }
}

/** Only Anthropic keeps threads: elsewhere a later turn would be answered without what came before it. */
export function threadFault({ genuineOnly, body, request }: DirectRequest): Fault | undefined {
  return genuineOnly ? undefined : refuseThread(body, request.headers)
}
