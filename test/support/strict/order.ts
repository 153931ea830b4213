// The messages together: calls and their results, whose turn it is, where the system may speak.
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { callsOf, roleOf } from "./messages.ts"
import type { Rules } from "./rules.ts"

export function checkOrder(body: JsonObject, rules: Rules): readonly string[] {
  const messages = arrayOf(body["messages"]).map(objectOf)
  if (messages.length === 0) return ["messages: [] is too short. Expected an array with minimum length 1"]
  const roles = messages.map(roleOf)
  return [
    ...checkPairs(messages),
    ...checkUnique(messages, rules),
    ...(rules.needsUser && !roles.includes("user") ? ["messages: at least one user message is needed"] : []),
    ...(rules.systemFirst && roles.lastIndexOf("system") > 0
      ? [`messages[${roles.lastIndexOf("system")}]: System message must be at the beginning.`]
      : []),
    ...(rules.alternate ? checkAlternation(messages) : []),
    ...checkLast(messages.at(-1) ?? {}, messages.length - 1, rules),
  ]
}

/** Every call is answered once, directly after it, and nothing is answered that was not called. */
function checkPairs(messages: readonly JsonObject[]): readonly string[] {
  const reasons: string[] = []
  const open = new Set<unknown>()
  const close = (index: number): void => {
    if (open.size > 0) {
      const ids = [...open].join(", ")
      reasons.push(
        `messages[${index}]: An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Without response: ${ids}`,
      )
    }
    open.clear()
  }
  for (const [index, message] of messages.entries()) {
    if (message["role"] === "tool") {
      if (!open.delete(message["tool_call_id"])) {
        reasons.push(
          `messages[${index}]: messages with role 'tool' must be a response to a preceding message with 'tool_calls'`,
        )
      }
      continue
    }
    close(index)
    for (const call of callsOf(message)) open.add(call["id"])
  }
  close(messages.length)
  return reasons
}

function checkUnique(messages: readonly JsonObject[], rules: Rules): readonly string[] {
  const seen = new Set<unknown>()
  return messages.flatMap((message, index) => {
    if (rules.uniqueIds === "message") seen.clear()
    return callsOf(message).flatMap(({ id }) => {
      const twice = seen.has(id)
      seen.add(id)
      return twice ? [`messages[${index}]: Duplicate tool call id: ${String(id)}`] : []
    })
  })
}

function checkAlternation(messages: readonly JsonObject[]): readonly string[] {
  const words = "Conversation roles must alternate user/assistant/user/assistant/..."
  const first = messages.findIndex((message) => roleOf(message) !== "system")
  return messages.flatMap((message, index) => {
    const role = roleOf(message)
    const before = index === 0 ? undefined : roleOf(messages[index - 1] ?? {})
    const again = role === before && (role === "user" || role === "assistant")
    return again || (index === first && role !== "user") ? [`messages[${index}]: ${words}`] : []
  })
}

function checkLast(last: JsonObject, index: number, rules: Rules): readonly string[] {
  const role = roleOf(last)
  const mark = rules.lastAssistant
  if (role !== "assistant" || last["tool_calls"] !== undefined || mark === "any") return []
  return last[mark] === true
    ? []
    : [
        `messages[${index}]: Expected last role User or Tool (or Assistant with ${mark} True) but got assistant`,
      ]
}
