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
  const folded = name.toLowerCase()
  for (const given of offered) if (given.toLowerCase().startsWith(folded)) return true
  for (const given of toolNames.keys()) if (given.toLowerCase().startsWith(folded)) return true
  return false
}

/** The client's name of a tool; some relays put a namespace before it, some models write it in another case. */
export function clientName(name: string, known: ToolNames): string {
  const { toolNames, offered } = known
  const plain = name.trim()
  const mapped = toolNames.get(plain) ?? plain
  if (offered.has(mapped)) return mapped
  const bare = bareName(plain)
  const bareMapped = toolNames.get(bare) ?? bare
  return offered.has(bareMapped)
    ? bareMapped
    : (inOtherCase(bare, known) ?? withoutHeader(bare, known) ?? mapped)
}

/**
 * OpenAI's open models let the rest of a message's header slip into the name: `Bash<|channel|>commentary`, `Bashjson`
 * (llama.cpp#15158).
 */
function withoutHeader(name: string, { toolNames, offered }: ToolNames): string | undefined {
  const token = name.indexOf("<|")
  const head = (token < 0 ? name : name.slice(0, token)).trimEnd()
  // Not by a pattern for white space at the end: in a name that is full of it, that takes time by the square.
  const cut = head.endsWith("json") ? head.slice(0, -"json".length).trimEnd() : head
  const mapped = toolNames.get(cut) ?? cut
  return cut !== name && offered.has(mapped) ? mapped : undefined
}

/**
 * The one offered tool whose name differs from this in nothing but its case. Claude Code refuses `bash` for
 * `Bash`, which costs a turn; where two tools differ by case alone, nobody can say which is meant.
 */
export function inOtherCase(name: string, { toolNames, offered }: ToolNames): string | undefined {
  const folded = name.toLowerCase()
  const found = new Set<string>()
  for (const given of offered) if (given.toLowerCase() === folded) found.add(given)
  for (const [given, mapped] of toolNames) {
    if (given.toLowerCase() === folded && offered.has(mapped)) found.add(mapped)
  }
  const [only] = found
  return found.size === 1 ? only : undefined
}

/** A name without the namespace that some models and relays put before it. */
export function bareName(name: string): string {
  return name.replace(/^(?:functions|default_api)[.:]/, "")
}
