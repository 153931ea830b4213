// Several proxies to be started together, as `--instances` has them.
import { keyOf } from "../../config/models/instance-name.ts"
import { readInstance } from "../../config/models/instances.ts"
import type { Instance } from "../../config/models/read.ts"

type ListRead =
  | { readonly ok: true; readonly instances: readonly Instance[] }
  | { readonly ok: false; readonly problem: string }

/**
 * Reads `PORT:FILE:NAME,…`. The file may have colons and commas of its own, as `C:\a\.env` has; without one
 * (`8081::NAME`) the proxy has the settings of all.
 */
export function parseInstances(text: string): ListRead {
  // A comma parts two instances only where a port follows.
  const items = text
    .split(/,(?=\s*\d+\s*:)/)
    .map((item) => item.trim().replace(/,$/, "").trim())
    .filter((item) => item !== "")
  const instances: Instance[] = []
  for (const item of items) {
    const read = readInstance(item)
    if (!read.ok) return { ok: false, problem: `${JSON.stringify(item)} ${read.why}` }
    instances.push(read.value)
  }
  if (instances.length === 0)
    return { ok: false, problem: 'write PORT:FILE:NAME, as in "8081:.env-kimi:kimi,8082:.env-glm:glm"' }
  const problem = repeated(instances)
  return problem === undefined ? { ok: true, instances } : { ok: false, problem }
}

function repeated(instances: readonly Instance[]): string | undefined {
  const name = twice(instances.map((instance) => keyOf(instance.name)))
  if (name !== undefined) return `two instances are called ${name}: give each a name of its own`
  const port = twice(instances.map(({ port }) => String(port)))
  return port === undefined ? undefined : `two instances have port ${port}: give each a port of its own`
}

function twice(words: readonly string[]): string | undefined {
  return words.find((word, index) => words.indexOf(word) < index)
}
