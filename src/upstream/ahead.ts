// A connection to an upstream before there is a request for it.
import type { Route } from "../providers/route.ts"
import { clearDeadline, createDeadline } from "./deadline.ts"
import { outboundOptions } from "./http.ts"
import type { LookOptions } from "./look.ts"

/**
 * Opens one that the next request finds, so that it does not wait for name, connection and TLS of a host that may be
 * far away. No key is sent, and no path asked for; what comes back says nothing. Never throws.
 */
export async function connectAhead(route: Route, options: Omit<LookOptions, "body">): Promise<void> {
  const { signal, timeoutMs, clock, userAgent } = options
  const deadline = createDeadline(timeoutMs, signal, clock)
  try {
    // Bun's own fetch.preconnect refuses every address without a port (oven-sh/bun#19626).
    const response = await fetch(`${new URL(route.url).origin}/`, {
      method: "HEAD",
      headers: { "user-agent": userAgent },
      signal: deadline.signal,
      ...outboundOptions(route),
    })
    await response.arrayBuffer()
  } catch {
    // Whoever sends the first request is told what is wrong.
  }
  clearDeadline(deadline)
}
