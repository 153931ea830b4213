// The calls that a conversation has made, and the names that had to be changed for its upstream.
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
import type { Tool } from "../../protocol/messages/tools.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { ToolUse } from "./assistant.ts"
import { mapToolName } from "./names.ts"

const noCalls: readonly ToolUse[] = Object.freeze([])
const noIds: ReadonlySet<string> = new Set()
const noNames: ReadonlyMap<string, string> = new Map()

/** Every call of a conversation, in order. */
export function toolUses({ messages }: MessagesRequest): readonly ToolUse[] {
  let calls: ToolUse[] | undefined
  for (const { content } of messages) {
    for (const block of content) {
      if (block.type !== "tool_use") continue
      calls ??= []
      calls.push(block)
    }
  }
  return calls ?? noCalls
}

/** The ids of calls. */
export function idsOf(calls: readonly ToolUse[]): ReadonlySet<string> {
  return calls.length === 0 ? noIds : new Set(calls.map(({ id }) => id))
}

/** Every name that had to be changed, offered now or called earlier, by its upstream form. */
export function mappedNames(
  tools: readonly Tool[],
  calls: readonly ToolUse[],
  profile: ProviderProfile,
): ReadonlyMap<string, string> {
  const offered = addMapped(tools, profile, undefined)
  return addMapped(calls, profile, offered) ?? noNames
}

function addMapped(
  named: readonly { readonly name: string }[],
  profile: ProviderProfile,
  before: Map<string, string> | undefined,
): Map<string, string> | undefined {
  let names = before
  for (const { name } of named) {
    const mapped = mapToolName(name, profile)
    if (mapped === name) continue
    names ??= new Map()
    names.set(mapped, name)
  }
  return names
}
