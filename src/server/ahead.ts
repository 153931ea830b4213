// What the first request would wait for, done while nobody waits: Claude Code makes its connection to the API when it
// starts, before its user has typed anything.
import type { Route } from "../providers/route.ts"
import { connectAhead } from "../upstream/ahead.ts"
import type { BaseContext } from "./context.ts"

// Sessions that start together find the same connection, which Bun keeps for longer than this.
const pauseMs = 60_000
const timeoutMs = 10_000
const mostHosts = 4

/**
 * A function that opens connections to the upstreams that models of this configuration are at, where that takes a
 * while: to those that speak TLS.
 */
export function createAhead({ config, clock, version, ends }: BaseContext): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY
  const options = {
    ...{ timeoutMs, clock, userAgent: `claude-proxy/${version}` },
    // What nobody will use any more must not keep the process.
    signal: ends,
  }
  return async () => {
    if (clock.steady() - last < pauseMs) return
    last = clock.steady()
    const { targetsOf } = await import("./probe/target.ts")
    const routes = targetsOf(config, false).flatMap(({ resolved }) => (resolved.ok ? [resolved.route] : []))
    await Promise.all(hostsOf(routes).map((route) => connectAhead(route, options)))
  }
}

/** One route to each host that is worth it. */
function hostsOf(routes: readonly Route[]): readonly Route[] {
  const secure = routes.filter(({ url }) => url.startsWith("https:"))
  const byHost = new Map(secure.map((route) => [new URL(route.url).host, route]))
  return [...byHost.values()].slice(0, mostHosts)
}
