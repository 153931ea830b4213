// What waits while a call is open whose arguments are not complete: blocks never overlap.
import type { Content, Open } from "./writer-state.ts"

/** Content that comes in pieces. */
export type Growing = Extract<Content, { kind: "tool" | "text" | "reasoning" }>

/** The item, if it is a further piece of the block that is open. */
export function continues(open: Open, item: Content): Growing | undefined {
  if (item.kind === "tool") return open.kind === "tool" && open.key === item.key ? item : undefined
  if (item.kind !== "text" && item.kind !== "reasoning") return undefined
  return open.kind === item.kind ? item : undefined
}

/** Only when its arguments are complete is a call over: until then all else waits, so that none is torn. */
export function isBusy(open: Open): boolean {
  return open.kind === "tool" && !open.complete
}

/** Later pieces are joined to the earlier ones they continue. */
export function enqueue(queue: readonly Content[], item: Content): readonly Content[] {
  if (item.kind === "tool") {
    const at = queue.findIndex((waiting) => waiting.kind === "tool" && waiting.key === item.key)
    const waiting = queue[at]
    if (waiting?.kind !== "tool") return [...queue, item]
    return queue.with(at, { ...item, args: waiting.args + item.args })
  }
  const last = queue.at(-1)
  if (last?.kind === "text" && item.kind === "text")
    return queue.with(-1, { ...last, text: last.text + item.text })
  if (last?.kind === "reasoning" && item.kind === "reasoning")
    return queue.with(-1, { ...last, text: last.text + item.text })
  return [...queue, item]
}
