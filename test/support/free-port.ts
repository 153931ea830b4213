// Ports for programs that a test starts a moment later.

const given = new Set<number>()

/**
 * A port that nothing listens on, never given before by this process, and below those that systems give away by
 * themselves: one from there may belong to the next server that asks for port 0, or to the next connection.
 */
export function freePort(): number {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  if (given.has(port)) return freePort()
  given.add(port)
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => {} } }).stop(true)
    return port
  } catch {
    return freePort()
  }
}
