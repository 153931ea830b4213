// Several proxies from one command: in the background, or here with their output side by side.
import type { Instance } from "../../config/models/read.ts"
import type { CommandIo, Environment } from "../terminal/io.ts"
import { launchAll } from "./background.ts"
import { type Part, runTogether } from "./foreground.ts"
import { flagsFor, type StartOptions } from "./plan.ts"

/** Starts each instance as a process of its own, with its settings file, port and name. */
export async function serveMany(
  instances: readonly Instance[],
  options: StartOptions,
  io: CommandIo,
  env: Environment,
): Promise<number> {
  if (options.detach) {
    const plans = instances.map((instance) => ({
      name: instance.name,
      argv: flagsFor(instance, options),
      cwd: process.cwd(),
      envFile: instance.envFile ?? options.envFile,
    }))
    return launchAll(plans, io, env)
  }
  const parts = instances.map(
    (instance): Part => ({
      name: instance.name,
      argv: ["serve", ...flagsFor(instance, options), "--name", instance.name],
    }),
  )
  return runTogether(parts, io, env)
}
