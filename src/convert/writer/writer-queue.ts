// What waits while a call is open whose arguments are not complete: blocks never overlap.
import type { Delta } from "../common/delta.ts"
import { inOrder, type Link } from "../common/links.ts"

/** What becomes of blocks. */
export type Content = Extract<Delta, { kind: "tool" | "text" | "reasoning" | "search" | "compaction" }>

type Call = Extract<Content, { kind: "tool" }>

/** A call is told by its key, because it may still grow. */
type Entry = Exclude<Content, Call> | { readonly kind: "tool"; readonly key: number }

export interface Queue {
  /** What is next, from `from` on and before `to`; then comes what is in `back`. */
  readonly front: readonly Entry[]
  readonly from: number
  readonly to: number
  readonly back: Link<Entry> | undefined
  /** The calls that wait; a reply has few of them. */
  readonly calls: readonly Call[]
}

export const emptyQueue: Queue = { front: [], from: 0, to: 0, back: undefined, calls: [] }

export const isEmpty = ({ from, to, back }: Queue): boolean => from === to && back === undefined

/** Later pieces are joined to the earlier ones they continue. */
export function enqueue(queue: Queue, item: Content): Queue {
  return item.kind === "tool" ? enqueueCall(queue, item) : enqueueOther(queue, item)
}

function enqueueCall(queue: Queue, item: Call): Queue {
  const { calls, back } = queue
  const at = calls.findIndex(({ key }) => key === item.key)
  const waiting = calls[at]
  if (waiting !== undefined) {
    return { ...queue, calls: calls.with(at, { ...item, args: waiting.args + item.args }) }
  }
  const entry = { kind: "tool", key: item.key } as const
  return { ...queue, calls: [...calls, item], back: { item: entry, before: back } }
}

function enqueueOther(queue: Queue, item: Exclude<Content, Call>): Queue {
  const { front, from, to, back } = queue
  const last = back?.item ?? (from < to ? front[to - 1] : undefined)
  const joined = last === undefined ? undefined : join(last, item)
  if (joined === undefined) return { ...queue, back: { item, before: back } }
  if (back === undefined) return { ...queue, to: to - 1, back: { item: joined, before: undefined } }
  return { ...queue, back: { item: joined, before: back.before } }
}

function join(last: Entry, item: Exclude<Content, Call>): Entry | undefined {
  if (last.kind === "text" && item.kind === "text") return { ...last, text: last.text + item.text }
  if (last.kind === "reasoning" && item.kind === "reasoning") return { ...last, text: last.text + item.text }
  return undefined
}

/** The first that waits, and the others; undefined when none does. */
export function dequeue(queue: Queue): readonly [Content, Queue] | undefined {
  const { front, from, to, back, calls } = queue
  if (from === to) return back === undefined ? undefined : dequeue(turnedOver(back, calls))
  const entry = front[from]
  if (entry === undefined) return undefined
  const rest = { ...queue, from: from + 1 }
  if (entry.kind !== "tool") return [entry, rest]
  const at = calls.findIndex(({ key }) => key === entry.key)
  const call = calls[at]
  return call === undefined ? dequeue(rest) : [call, { ...rest, calls: calls.toSpliced(at, 1) }]
}

function turnedOver(back: Link<Entry>, calls: readonly Call[]): Queue {
  const front = inOrder(back)
  return { front, from: 0, to: front.length, back: undefined, calls }
}
