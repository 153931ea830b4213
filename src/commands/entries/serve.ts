// `serve` in the command table.
import { type Described, demo, envFile, type Invocation, logLevel, withFlags } from "./entry.ts"

/** The entry of `serve`. */
export function serveEntry({ io, env }: Invocation): Described {
  return {
    name: "serve",
    description: "Start the proxy",
    args: {
      host: { type: "string", valueHint: "address", description: "Address to listen on (else 127.0.0.1)" },
      port: {
        type: "string",
        valueHint: "port",
        description: "Port to listen on (else 8082); 0: a free one",
      },
      env: envFile,
      "log-level": logLevel,
      demo,
    },
    examples: [
      ["claude-proxy serve", "with the settings of .env and the environment"],
      ["claude-proxy serve --port 0 --log-level debug", "on a free port, logging everything"],
      ["claude-proxy serve --env ./project.env", "with another file of settings"],
      ["claude-proxy serve --demo", "without any key, to see that it works"],
    ],
    run: async (given) => {
      // This may begin the process anew: nothing that takes time is loaded before.
      const { ensureUncapped } = await import("../uncapped.ts")
      const uncapped = await ensureUncapped(env)
      if (typeof uncapped === "number") return uncapped
      const { ServeFlags } = await import("../flags.ts")
      return withFlags(ServeFlags, given, io, async ({ host, port, demo, ...flags }) => {
        const { serve } = await import("../serve.ts")
        const capped = uncapped === "capped"
        return serve({ host, port, demo, capped, envFile: flags.env, logLevel: flags["log-level"] }, io)
      })
    },
  }
}
