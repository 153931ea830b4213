// The names of tools: as upstreams send them, in pieces, repeated or with a namespace, and as the client knows
// them.
export interface ToolNames {
  /** Names as the upstream knows them to names as the client does. */
  readonly toolNames: ReadonlyMap<string, string>
  /** The client's own names of the tools offered in this request. */
  readonly offered: ReadonlySet<string>
}

/** A name may come in pieces, may grow, and may come whole again with every chunk. */
export function joinName(name: string, fragment: string | undefined, known: ToolNames): string {
  if (fragment === undefined || fragment.trim() === "") return name
  const joined = name + fragment
  const repeated = fragment.startsWith(name) && !isName(joined, known) && !beginsName(joined, known)
  return name !== "" && repeated && (fragment === name || isName(fragment, known)) ? fragment : joined
}

/** Can this be a tool's name? That is decided by the tools that were offered. */
export function isName(name: string, known: ToolNames): boolean {
  return known.offered.has(clientName(name, known))
}

/** Can it be the beginning of one? */
export function beginsName(name: string, { offered, toolNames }: ToolNames): boolean {
  for (const given of offered) if (given.startsWith(name)) return true
  for (const given of toolNames.keys()) if (given.startsWith(name)) return true
  return false
}

/** The client's name of a tool; some relays put a namespace before it. */
export function clientName(name: string, { toolNames, offered }: ToolNames): string {
  const plain = name.trim()
  const mapped = toolNames.get(plain) ?? plain
  if (offered.has(mapped)) return mapped
  const bare = bareName(plain)
  const bareMapped = toolNames.get(bare) ?? bare
  return offered.has(bareMapped) ? bareMapped : mapped
}

/** A name without the namespace that some models and relays put before it. */
export function bareName(name: string): string {
  return name.replace(/^(?:functions|default_api)[.:]/, "")
}
