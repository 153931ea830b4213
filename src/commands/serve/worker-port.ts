// A port that several processes of one proxy share. The system would let any process of the same user join them,
// so it is first taken alone: what another program has is taken, as it is for one process.
import type { Config } from "../../config/config.ts"
import { errorCode } from "../../protocol/fault.ts"
import { type RunningServer, type ServerOptions, startServer } from "../../server/server.ts"
import type { Workers } from "./workers.ts"

// Another program may be faster between the two steps, where any port will do.
const attempts = 5

/** Starts the server, alone on its port or as the first of several. */
export function listen(
  options: ServerOptions,
  workers: Pick<Workers, "siblings"> | undefined,
): RunningServer {
  if (workers === undefined) return startServer(options)
  const { siblings } = workers
  return startShared(options.config, (config) => startServer({ ...options, config, siblings }))
}

/** Starts on the configuration's port, or on a free one in place of 0; throws what Bun.serve throws when it is taken. */
export function startShared<T>(config: Config, start: (config: Config) => T): T {
  for (let left = attempts; ; left--) {
    const port = freePort(config)
    try {
      return start(Object.freeze({ ...config, port }))
    } catch (error) {
      const taken = errorCode(error) === "EADDRINUSE"
      if (!taken || config.port !== 0 || left <= 1) throw error
    }
  }
}

function freePort({ host: hostname, port }: Config): number {
  const probe = Bun.serve({
    ...{ hostname, port, reusePort: false, development: false },
    fetch: () => new Response(null, { status: 503 }),
  })
  const found = probe.port ?? port
  void probe.stop(true)
  return found
}
