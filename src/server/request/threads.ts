// Message threads: later turns carry only what is new, which a proxy without state cannot answer. `create` is
// served, since everything is there; `continue` is refused in the words that make the client send it all again
// (seen with SDK 1.11 and Claude Code 2.1.329).
import { type Fault, fault, invalidRequest } from "../../protocol/fault.ts"
import { isObject, type JsonObject } from "../../protocol/json.ts"

const beta = "message-threads-2026-08-12"

/** The refusal of a request that needs a thread's state, or undefined when it can be served. */
export function refuseThread(body: JsonObject, headers: Headers): Fault | undefined {
  const thread = body["thread"]
  if (thread === undefined || thread === null) return undefined
  if (headers.get("user-agent")?.startsWith("claude-cli")) {
    // Claude Code remembers this for the session, so it costs one request, not one a turn.
    const message = `message threads are not supported here; capability_rejected: beta_header:${beta}`
    return { ...invalidRequest(message), code: "thread_unsupported_request" }
  }
  if (isObject(thread) && thread["type"] === "create") return undefined
  return fault({
    kind: "not_found_error",
    source: "client",
    message: "thread_not_found: this proxy keeps no threads; send the whole conversation",
    code: "thread_not_found",
  })
}
