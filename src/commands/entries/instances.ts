// `status`, `stop`, `restart` and `logs` in the command table: proxies that were started under a name.
import { fail } from "../terminal/io.ts"
import { type Described, type Invocation, json, withFlags } from "./entry.ts"

const all = { type: "boolean", description: "All of them" } as const

function nameOf(description: string) {
  return { type: "positional", required: false, description } as const
}

/** What cannot be looked into must not pass for empty. */
async function withState({ io, env }: Invocation, go: () => Promise<number>): Promise<number> {
  const { blindTo, stateFolder } = await import("../instances/folder.ts")
  const why = blindTo(stateFolder(env))
  return why === undefined ? go() : fail(io, why)
}

/** The entry of `status`. */
export function statusEntry(invocation: Invocation): Described {
  const { io, env } = invocation
  return {
    name: "status",
    description: "Show the proxies in the background",
    args: { name: nameOf("Only this one"), json },
    examples: [
      ["claude-proxy status", "all of them; exit code 1 when one is dead"],
      ["claude-proxy status kimi --json", "one, for a script"],
    ],
    run: (given) =>
      withFlags("status", given, io, async (flags) => {
        const { status } = await import("../instances/status.ts")
        return withState(invocation, () => status(flags, io, env))
      }),
  }
}

/** The entry of `stop`. */
export function stopEntry(invocation: Invocation): Described {
  const { io, env } = invocation
  return {
    name: "stop",
    description: "Stop a proxy in the background",
    args: { name: nameOf("Its name (else the only one)"), all },
    examples: [
      ["claude-proxy stop", "the only one there is"],
      ["claude-proxy stop kimi", "by its name; running requests may finish first"],
      ["claude-proxy stop --all", "every one"],
    ],
    run: (given) =>
      withFlags("stop", given, io, async (flags) => {
        const { stop } = await import("../instances/stop.ts")
        return withState(invocation, () => stop(flags, io, env))
      }),
  }
}

/** The entry of `restart`. */
export function restartEntry(invocation: Invocation): Described {
  const { io, env } = invocation
  return {
    name: "restart",
    description: "Stop a proxy in the background if it runs, and start it again as it was started",
    args: {
      name: nameOf("Its name (else the only one)"),
      all,
      force: { type: "boolean", description: "Even where settings it had from its environment are missing" },
    },
    examples: [
      ["claude-proxy restart", "the only one there is, with its flags, folder and settings files"],
      ["claude-proxy restart kimi", "one that has died, by its name"],
      ["OPENAI_API_KEY=… claude-proxy restart", "keys of the environment are not kept: give them again"],
    ],
    run: (given) =>
      withFlags("restart", given, io, async (flags) => {
        const { restart } = await import("../instances/restart.ts")
        return withState(invocation, () => restart(flags, io, env))
      }),
  }
}

/** The entry of `logs`. */
export function logsEntry(invocation: Invocation): Described {
  const { io, env } = invocation
  return {
    name: "logs",
    description: "Show the log of a proxy in the background",
    args: {
      name: nameOf("Its name (else the only one)"),
      follow: { type: "boolean", description: "Go on with what is added, until Ctrl-C" },
      lines: { type: "string", valueHint: "number", description: "So many of the last lines (else 50)" },
    },
    examples: [
      ["claude-proxy logs", "the last lines of the only one"],
      ["claude-proxy logs kimi --follow", "and whatever it says from now on"],
      ["claude-proxy logs kimi --lines 1000", "more of them"],
    ],
    run: (given) =>
      withFlags("logs", given, io, async (flags) => {
        const { logs } = await import("../instances/logs.ts")
        return withState(invocation, () => logs(flags, io, env))
      }),
  }
}
