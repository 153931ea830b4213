// Settings from a pipe, as `--env <(…)` has them. Who reads them first has them alone: a process that is started
// for it, and a restart, would find nothing there.
import { statSync } from "node:fs"
import type { Instance } from "../../config/models/read.ts"
import { isDescriptor } from "./descriptor.ts"

interface Given {
  readonly envFile?: string | undefined
  readonly modelsFile?: string | undefined
}

/** Why other processes than this one cannot have these settings; undefined: they can. */
export function pipeProblem(shared: Given, instances: readonly Instance[] = []): string | undefined {
  const own = instances.length === 0 || instances.some(({ envFile }) => envFile === undefined)
  const given = [
    ["--env", own ? shared.envFile : undefined],
    ["--config", shared.modelsFile],
    ...instances.map(({ name, envFile }) => [name, envFile] as const),
  ] as const
  for (const [what, path] of given) {
    if (path !== undefined && isPipe(path))
      return `${what}: ${path} is a pipe, which can be read only once. A proxy in the background, or one of several, needs a file that it can read again, or its settings in the environment.`
  }
  return undefined
}

function isPipe(path: string): boolean {
  if (isDescriptor(path)) return true
  try {
    const found = statSync(path)
    return found.isFIFO() || found.isSocket()
  } catch {
    return false
  }
}
