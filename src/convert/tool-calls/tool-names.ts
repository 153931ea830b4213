// The names of tools: as upstreams send them, in pieces, repeated or with a namespace, and as the client knows
// them.
import type { NameTest } from "./tool-slots.ts"

export interface ToolNames {
  /** Names as the upstream knows them to names as the client does. */
  readonly toolNames: ReadonlyMap<string, string>
  /** The client's own names of the tools offered in this request. */
  readonly offered: ReadonlySet<string>
}

/** A name may come in pieces, may grow, and may come whole again with every chunk. */
export function joinName(name: string, fragment: string | undefined, names: NameTest): string {
  if (fragment === undefined || fragment.trim() === "") return name
  const joined = name + fragment
  const repeated = fragment.startsWith(name) && !names.isName(joined) && !names.isBeginning(joined)
  return name !== "" && repeated && (fragment === name || names.isName(fragment)) ? fragment : joined
}

/** What can be a name is decided by the tools that were offered. */
export function nameTest(known: ToolNames): NameTest {
  const { offered, toolNames } = known
  const isName = (name: string) => offered.has(clientName(name, known))
  const isBeginning = (name: string) => {
    for (const given of offered) if (given.startsWith(name)) return true
    for (const given of toolNames.keys()) if (given.startsWith(name)) return true
    return false
  }
  return { isName, isBeginning }
}

/** The client's name of a tool; some relays put a namespace before it. */
export function clientName(name: string, { toolNames, offered }: ToolNames): string {
  const plain = name.trim()
  const mapped = toolNames.get(plain) ?? plain
  if (offered.has(mapped)) return mapped
  const bare = plain.replace(/^(functions|default_api)[.:]/, "")
  const bareMapped = toolNames.get(bare) ?? bare
  return offered.has(bareMapped) ? bareMapped : mapped
}
