// `health` in the command table.
import { type Described, envFile, type Invocation, withFlags } from "./entry.ts"

/** The entry of `health`. */
export function healthEntry({ io }: Invocation): Described {
  return {
    name: "health",
    description: "Ask a proxy whether it takes requests: exit code 0, or 1",
    args: {
      url: {
        type: "positional",
        required: false,
        description: "Its address (else the one that the settings here say)",
      },
      env: envFile,
    },
    examples: [
      ["claude-proxy health", "the proxy that these settings start; for a container's HEALTHCHECK"],
      ["claude-proxy health http://127.0.0.1:8082", "the one at this address"],
    ],
    run: (given) =>
      withFlags("health", given, io, async (flags) => {
        const { health } = await import("../health/health.ts")
        return health({ url: flags.url, envFile: flags.env }, io)
      }),
  }
}
