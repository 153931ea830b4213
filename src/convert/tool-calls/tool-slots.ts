// Which call does a fragment belong to? Providers number calls from 1, all with 0, or not at all, send ids
// once, always, or never; each rule here was learnt from a provider's stream.
import type { ChatDeltaToolCall } from "../../protocol/chat/chat.ts"
import { isObject, objectOf, textOf } from "../../protocol/json.ts"
import { type Arguments, isWhole, noArguments } from "./json-scan.ts"
import { beginsName, isName, type ToolNames } from "./tool-names.ts"
import { isExpected, isRestart, noRepeats, type Repeats } from "./tool-repeats.ts"

export interface Slot {
  readonly index: string | undefined
  readonly upstreamId: string | undefined
  /** The id the client sees. */
  readonly id: string
  /** The name as the upstream spells it, as far as it has come. */
  readonly name: string
  /** The name the client knows, once the call has started. */
  readonly clientName: string
  readonly started: boolean
  readonly args: Arguments
  readonly repeats: Repeats
  /** Arguments that wait for the call to start. */
  readonly ready: string
  /** Made of a second object in another call's arguments: no call unless the object holds something. */
  readonly split: boolean
}

export interface ToolState {
  readonly slots: readonly Slot[]
  /** The call spoken of last. */
  readonly current: number
  /** More calls came than any model makes: the rest were left out. */
  readonly full: boolean
}

/** No reply holds so many calls; each one more would cost more than the one before. */
export const mostCalls = 1_000

export interface Fragment {
  readonly index: string | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly args: string
}

export const initialTools: ToolState = { slots: [], current: -1, full: false }

/** A call of which nothing is known yet. */
export const emptySlot: Slot = {
  index: undefined,
  upstreamId: undefined,
  id: "",
  name: "",
  clientName: "",
  started: false,
  args: noArguments,
  repeats: noRepeats,
  ready: "",
  split: false,
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
export function locate(
  state: ToolState,
  fragment: Fragment,
  touched: readonly number[],
  names: ToolNames,
): number {
  const near = nearest(state, fragment)
  if (fragment.id !== undefined) return locateById(state, fragment, near)
  const slot = state.slots[near]
  if (slot === undefined) return -1
  if (fragment.name === undefined) return near
  const whole = isWhole(slot.args)
  const renamed = isRenamed(slot, fragment.name, names)
  if (fragment.index !== undefined) return renamed && (whole || isUntouched(slot)) ? -1 : near
  const begins = whole && fragment.args.trim() !== "" && !isExpected(slot.repeats, slot.args, fragment.args)
  const another = begins || renamed || touched.includes(near)
  return another ? -1 : near
}

/** The last call with the fragment's index; without an index, the call spoken of last. */
function nearest({ slots, current }: ToolState, fragment: Fragment): number {
  return fragment.index === undefined ? current : slots.findLastIndex((slot) => slot.index === fragment.index)
}

const isUntouched = (slot: Slot) => slot.args.mode === "head" && slot.args.held === ""

/** Another tool's name, and not the next piece of this one's. */
function isRenamed(slot: Slot, name: string, names: ToolNames): boolean {
  if (slot.name === "" || name === slot.name || name.trim() === "") return false
  if (slot.started) return true
  const joined = slot.name + name
  return (
    isName(name, names) && !isName(joined, names) && !beginsName(joined, names) && !name.startsWith(slot.name)
  )
}

/** Are these arguments, of which the call has some already or none? */
function goesOn(slot: Slot, args: string): boolean {
  if (isUntouched(slot)) return args.trim() !== ""
  if (!args.trimStart().startsWith("{")) return true
  // In a string a brace is a character like any other, and behind a colon a value has to come.
  const { filter, scan, passed, held } = slot.args
  const inString = filter.mode === "string" || filter.mode === "escape" || scan.inString
  return inString ? !/^\s*\{\s*["}]/.test(args) : /:\s*$/.test((held === "" ? passed : held).slice(-8))
}

/** LocalAI gives all that it knows of one call another index each time (mudler/LocalAI#9722). */
function isRenumbered(slot: Slot | undefined, args: string): boolean {
  if (slot === undefined || isWhole(slot.args)) return false
  // Several that are only named so far: one id for all calls.
  if (isUntouched(slot)) return args.trim() !== ""
  return !args.trimStart().startsWith("{") || isRestart(slot.args, args)
}

function locateById({ slots }: ToolState, fragment: Fragment, near: number): number {
  const { id, index, name } = fragment
  const known = slots.findLastIndex(
    (slot) =>
      slot.upstreamId === id && (index === undefined || slot.index === undefined || slot.index === index),
  )
  const match = slots[known]
  if (match !== undefined) {
    // One id for everything: a complete call, then another name, is another call.
    return name !== undefined && name !== match.name && isWhole(match.args) ? -1 : known
  }
  const same = slots.findLastIndex((one) => one.upstreamId === id && one.name === name)
  if (isRenumbered(slots[same], fragment.args)) return same
  const slot = slots[near]
  if (slot === undefined) return -1
  const whole = isWhole(slot.args)
  // Relays that mint a new id for every chunk: no name, and the call before it is not complete.
  if (name === undefined && (!whole || fragment.args.trim() === "")) return near
  // Others repeat the name besides: what goes on where a call of that name is incomplete is no further call.
  if (index !== undefined && name === slot.name && !whole && goesOn(slot, fragment.args)) return near
  return slot.upstreamId === undefined && index !== undefined && !(whole && name !== undefined) ? near : -1
}
