// `stats` in the command table.
import { type Described, type Invocation, json, withFlags } from "./entry.ts"

/** The entry of `stats`. */
export function statsEntry({ io, env }: Invocation): Described {
  return {
    name: "stats",
    description: "Show requests, tokens and cost, by model, day and session",
    args: {
      days: {
        type: "string",
        valueHint: "number",
        description: "The last so many days alone, today included",
      },
      name: {
        type: "string",
        valueHint: "name",
        description: "Ask the running proxy of this name, in place of what was kept",
      },
      url: { type: "string", valueHint: "address", description: "Ask the running proxy at this address" },
      json,
    },
    examples: [
      ["claude-proxy stats", "everything that proxies on this machine have kept; none has to run"],
      ["claude-proxy stats --days 7", "the last week"],
      ["claude-proxy stats --url http://127.0.0.1:8082", "what this one was used for since its start"],
      ["claude-proxy stats --json", "for scripts; a cost that is not known is null"],
    ],
    run: (given) =>
      withFlags("stats", given, io, async (flags) => {
        const { stats } = await import("../stats/stats.ts")
        return stats(flags, io, env)
      }),
  }
}
