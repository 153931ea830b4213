// Members of Anthropic's toolsets: one entry among the tools stands for a family of them, and a call of one names the
// family beside the member (Anthropic SDK 1.14, computer_toolset_20260801 and browser_toolset_20260801).

// No tool may have it in its name: so a member's is never one of the client's own.
const between = "#"

/** The one name that a member has here. */
export function memberName(toolset: string, member: string): string {
  return toolset + between + member
}

/** The name of a tool that was called, which may be a member's. */
export function calledName(name: string, toolset: unknown): string {
  return typeof toolset === "string" && families.has(toolset) ? memberName(toolset, name) : name
}

/** A call's name as its client knows it; undefined: it is no member's. */
export function splitMember(name: string): { readonly toolset: string; readonly member: string } | undefined {
  const at = name.indexOf(between)
  if (at < 0) return undefined
  const toolset = name.slice(0, at)
  return families.has(toolset) ? { toolset, member: name.slice(at + between.length) } : undefined
}

const families: ReadonlySet<string> = new Set(["computer", "browser"])
const types = /^(computer|browser)_toolset_\d{8}$/

/** The family that a type of tool stands for; undefined: it is no toolset whose members are known here. */
export function toolsetOf(type: string): "computer" | "browser" | undefined {
  const family = types.exec(type)?.[1]
  return family === "computer" || family === "browser" ? family : undefined
}
