// Which call does a fragment belong to? Providers number calls from 1, all with 0, or not at all, send ids
// once, always, or never; the rules are those of wire.md §3.5, each learnt from a provider's stream.
import type { ChatDeltaToolCall } from "../protocol/chat.ts"
import { isObject, objectOf, textOf } from "../protocol/json.ts"
import { emptyScan, type Scan } from "./json-scan.ts"

export interface Slot {
  readonly index: string | undefined
  readonly upstreamId: string | undefined
  readonly id: string
  readonly name: string
  readonly started: boolean
  readonly scan: Scan
  /** Arguments came as a lone `{}`, which may be all there is or a place holder. */
  readonly placeholder: boolean
}

export interface ToolState {
  readonly slots: readonly Slot[]
  readonly current: number
  /** Arguments that came before their call had a name, by position. */
  readonly early?: Readonly<Record<number, string>>
}

export interface Fragment {
  readonly index: string | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly args: string
}

export const initialTools: ToolState = { slots: [], current: -1 }

/** A call of which nothing is known yet. */
export const emptySlot: Slot = {
  index: undefined,
  upstreamId: undefined,
  id: "",
  name: "",
  started: false,
  scan: emptyScan,
  placeholder: false,
}

/** The part of a `tool_calls` entry that we read. */
export function readFragment(call: ChatDeltaToolCall): Fragment {
  const given = objectOf(call.function)
  const args = given["arguments"]
  const index = call.index
  return {
    index: typeof index === "number" || typeof index === "string" ? String(index) : undefined,
    id: textOf(call.id),
    name: textOf(given["name"]),
    args: typeof args === "string" ? args : isObject(args) ? JSON.stringify(args) : "",
  }
}

/**
 * The position of the call that a fragment continues, or -1 for a new call. `touched` are the calls that an
 * earlier entry of the same chunk belonged to.
 */
export function locate(state: ToolState, fragment: Fragment, touched: readonly number[]): number {
  const near = nearest(state, fragment)
  if (fragment.id !== undefined) return locateById(state, fragment, near)
  const slot = state.slots[near]
  if (slot === undefined) return -1
  const whole = slot.scan.done || slot.placeholder
  const renamed = fragment.name !== undefined && slot.name !== "" && fragment.name !== slot.name
  if (fragment.index !== undefined) return renamed && slot.started && whole ? -1 : near
  if (fragment.name === undefined) return near
  const another = (whole && fragment.args !== "") || renamed || touched.includes(near)
  return another ? -1 : near
}

/** The last call with the fragment's index; without an index, the call spoken of last. */
function nearest({ slots, current }: ToolState, fragment: Fragment): number {
  return fragment.index === undefined ? current : slots.findLastIndex((slot) => slot.index === fragment.index)
}

function locateById(state: ToolState, fragment: Fragment, near: number): number {
  const { slots } = state
  const known = slots.findLastIndex((slot) => slot.upstreamId === fragment.id)
  const match = slots[known]
  if (match !== undefined && (match.index === fragment.index || fragment.index === undefined)) {
    // The same id for everything: a whole call, then a name with arguments again, is another call.
    return match.scan.done && fragment.name !== undefined && fragment.args.trim() !== "" ? -1 : known
  }
  const slot = slots[near]
  if (slot === undefined) return -1
  // Relays that mint a new id for every chunk: no name, and the call before it is not complete.
  if (fragment.name === undefined && !slot.scan.done) return near
  return slot.upstreamId === undefined && fragment.index !== undefined ? near : -1
}
