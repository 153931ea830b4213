// `serve` in the command table.
import { type Described, demo, envFile, type Invocation, logLevel, withFlags } from "./entry.ts"

/** The entry of `serve`. */
export function serveEntry(invocation: Invocation): Described {
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
      config: { type: "string", valueHint: "file", description: "File of models (else models.yaml)" },
      "log-level": logLevel,
      workers: {
        type: "string",
        valueHint: "number",
        description: "Processes that answer on the port (else 1); auto: one for each core. Linux only",
      },
      demo,
      detach: {
        type: "boolean",
        description: "Run in the background; see status, logs, stop and restart",
      },
      name: {
        type: "string",
        valueHint: "name",
        description:
          "Name of the proxy, or of one of the instances in models.yaml (else default, with --detach)",
      },
      instances: {
        type: "string",
        valueHint: "list",
        description: "Several proxies: PORT:FILE:NAME,… each with a settings file of its own",
      },
    },
    examples: [
      ["claude-proxy serve", "with the settings of .env and the environment"],
      ["claude-proxy serve --port 0 --log-level debug", "on a free port, logging everything"],
      ["claude-proxy serve --env ./project.env", "with another file of settings"],
      ["claude-proxy serve --detach --name work", "in the background; keys of the environment are not kept"],
      ['claude-proxy serve --instances "8081:.env-kimi:kimi,8082:.env-glm:glm"', "two, side by side"],
      ["claude-proxy serve --workers auto", "with every core of this machine"],
      ["claude-proxy serve --demo", "without any key, to see that it works"],
    ],
    atOnce: true,
    run: (given) => serveWith(given, invocation),
  }
}

async function serveWith(given: Readonly<Record<string, unknown>>, { io, env }: Invocation): Promise<number> {
  const { isWorker } = await import("../instances/inherited.ts")
  if (isWorker(env)) {
    const { work } = await import("../serve/worker.ts")
    return work(io, env)
  }
  // This may begin the process anew: nothing that takes time is loaded before.
  const { ensureUncapped } = await import("../serve/uncapped.ts")
  const uncapped = await ensureUncapped(env)
  if (typeof uncapped === "number") return uncapped
  return withFlags("serve", given, io, async ({ env: file, config, "log-level": level, ...flags }) => {
    const { serve } = await import("../serve/serve.ts")
    const capped = uncapped === "capped"
    return serve({ ...flags, capped, envFile: file, modelsFile: config, logLevel: level }, io, env)
  })
}
