// Tool calls out of fragments: names and ids made final, arguments passed on as they come.
import { dropped } from "../../protocol/fault.ts"
import { isObject } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { noArguments, repaired, type Taken, takeArguments, takeWhole } from "./json-scan.ts"
import { repair } from "./repairs.ts"
import { beginsName, clientName, isName, joinName } from "./tool-names.ts"
import { pushNotes } from "./tool-notes.ts"
import type { ToolOptions } from "./tool-options.ts"
import { isSame, type Received, receive } from "./tool-repeats.ts"
import {
  emptySlot,
  type Fragment,
  locate,
  mostCalls,
  readFragment,
  type Slot,
  type ToolState,
} from "./tool-slots.ts"
import { deliver } from "./whole-arguments.ts"

type Step = readonly [ToolState, readonly Delta[]]

/**
 * The `tool_calls` of one chunk (or of a whole message when `whole`, where every entry is a call of its own).
 * Returns the pieces that are certain; a call starts when its name is known and its arguments begin. What was
 * done to a call's arguments is a note, each thing once.
 */
export function readToolCalls(
  state: ToolState,
  calls: readonly unknown[],
  options: ToolOptions,
  whole: boolean,
): Step {
  let current = state
  const out: Delta[] = []
  const touched: number[] = []
  for (const fragment of calls.filter(isObject).map(readFragment)) {
    const found = whole ? -1 : locate(current, fragment, touched, options)
    const repeated = found < 0 ? findRepeated(current, fragment) : -1
    const slot = current.slots[found] ?? newSlot(current, fragment, options)
    const position = found < 0 ? current.slots.length : found
    if (position >= mostCalls) {
      current = overflow(current, out)
      continue
    }
    touched.push(repeated < 0 ? position : repeated)
    current =
      repeated < 0
        ? feed(current, position, slot, fragment, options, whole, out)
        : tell(current, repeated, repair.repeated, out)
  }
  return [current, out]
}

/**
 * Starts every call that has a name and has not been started, because other content follows. A name that looks
 * cut is waited for.
 */
export function startPending(state: ToolState, options: ToolOptions): Step {
  if (state.slots.length === 0) return [state, nothing]
  const out: Delta[] = []
  return [startBefore(state, state.slots.length, options, out), out]
}

const nothing: readonly Delta[] = []

function tell(state: ToolState, position: number, why: string, out: Delta[]): ToolState {
  const slot = state.slots[position]
  if (slot === undefined) return state
  const args = repaired(slot.args, why)
  pushNotes(position, slot.args.repairs, args.repairs, out)
  return replace(state, position, { ...slot, args })
}

/** The complete call that a fragment says once more, with its id and name; -1: it is a new one. */
function findRepeated({ slots }: ToolState, { id, name, args }: Fragment): number {
  if (id === undefined || args === "") return -1
  let said: Taken | undefined
  return slots.findIndex((slot) => {
    if (slot.upstreamId !== id || slot.name !== name) return false
    said ??= takeArguments(noArguments, args)
    return isSame(slot.args, said)
  })
}

function newSlot(state: ToolState, fragment: Fragment, options: ToolOptions): Slot {
  const { index, id } = fragment
  return { ...emptySlot, index, upstreamId: id, id: clientId(id, state.slots.length, state, options) }
}

/** The upstream's id where a client can live with it, else one of ours. */
function clientId(
  upstreamId: string | undefined,
  position: number,
  state: ToolState,
  options: ToolOptions,
): string {
  const fits = upstreamId !== undefined && /^[a-zA-Z0-9_-]{8,128}$/.test(upstreamId)
  const taken = (id: string) => options.seenIds.has(id) || state.slots.some((slot) => slot.id === id)
  if (fits && !taken(upstreamId)) return upstreamId
  return `toolu_${options.idSeed}${String(position).padStart(2, "0")}`
}

/** One fragment of the call at `position`; `before` is that call as it is now. */
function feed(
  state: ToolState,
  position: number,
  before: Slot,
  fragment: Fragment,
  options: ToolOptions,
  whole: boolean,
  out: Delta[],
): ToolState {
  const isNew = position === state.slots.length
  const slot = before.started ? before : identify(state, position, before, fragment, options)
  const taken = take(slot, fragment.args, whole)
  const { repeats } = taken
  const { args, out: delivered } = deliver(slot.args, taken, options.wholeArguments === true)
  const goesOn = delivered !== "" || args.done !== slot.args.done
  const begins = !slot.started && (fragment.args.trim() !== "" || (!isNew && fragment.name === undefined))
  const next = { ...replace(state, position, { ...slot, args, repeats }), current: position }
  const after = goesOn || begins || slot.ready !== "" ? pass(next, position, delivered, options, out) : next
  pushNotes(position, slot.args.repairs, args.repairs, out)
  return taken.rest === "" ? after : split(after, slot, taken.rest, options, out)
}

function take({ args, repeats }: Slot, text: string, whole: boolean): Received {
  return whole ? { ...takeWhole(text), repeats } : receive(repeats, args, text)
}

/** Name and id as far as they are known after this fragment. */
function identify(
  state: ToolState,
  position: number,
  slot: Slot,
  fragment: Fragment,
  options: ToolOptions,
): Slot {
  const name = joinName(slot.name, fragment.name, options)
  if (slot.upstreamId !== undefined || fragment.id === undefined) return { ...slot, name }
  const id = clientId(fragment.id, position, state, options)
  return { ...slot, name, upstreamId: fragment.id, id }
}

/** Passes arguments on: at once when the call has started, else when it does. */
function pass(
  state: ToolState,
  position: number,
  args: string,
  options: ToolOptions,
  out: Delta[],
): ToolState {
  const slot = state.slots[position]
  if (slot === undefined) return state
  if (slot.started) {
    out.push(piece(slot, position, args))
    return state
  }
  const waiting = replace(state, position, { ...slot, ready: slot.ready + args })
  return mayStart(slot, options) ? startBefore(waiting, position + 1, options, out) : waiting
}

/** Starts what can be started of the calls before `end`: the client sees them in the upstream's order. */
function startBefore(state: ToolState, end: number, options: ToolOptions, out: Delta[]): ToolState {
  let current = state
  for (const [position, slot] of state.slots.slice(0, end).entries()) {
    if (slot.started || !mayStart(slot, options)) continue
    const started: Slot = { ...slot, started: true, clientName: clientName(slot.name, options), ready: "" }
    current = replace(current, position, started)
    out.push(piece(started, position, slot.ready))
  }
  return current
}

function mayStart(slot: Slot, options: ToolOptions): boolean {
  if (slot.name === "" || (slot.split && slot.ready === "")) return false
  return isName(slot.name, options) || !beginsName(slot.name, options)
}

function piece(slot: Slot, position: number, args: string): Delta {
  const { id, clientName: name } = slot
  return { kind: "tool", key: position, id, name, args, complete: slot.args.done }
}

/** `{…}{…}` in one call's arguments: the second object is a second call of the same tool. */
function split(state: ToolState, slot: Slot, text: string, options: ToolOptions, out: Delta[]): ToolState {
  let current = state
  let rest = text
  while (rest !== "") {
    const position = current.slots.length
    if (position >= mostCalls) return overflow(current, out)
    const { index, name, upstreamId } = slot
    const fresh = newSlot(current, { index, id: undefined, name, args: rest }, options)
    const taken = takeArguments(fresh.args, rest)
    const { args, out: delivered } = deliver(fresh.args, taken, options.wholeArguments === true)
    const made: Slot = { ...fresh, upstreamId, name, args, split: true }
    const next = { ...replace(current, position, made), current: position }
    current = pass(next, position, delivered, options, out)
    pushNotes(position, [], args.repairs, out)
    rest = taken.rest
  }
  return current
}

/** One call too many: said once. */
function overflow(state: ToolState, out: Delta[]): ToolState {
  if (state.full) return state
  out.push({ kind: "note", note: dropped("tool_calls", `only the first ${mostCalls} calls are kept`) })
  return { ...state, full: true }
}

/** The slot at `position`, which may be one more than there are. */
function replace(state: ToolState, position: number, slot: Slot): ToolState {
  const { slots } = state
  return { ...state, slots: position === slots.length ? [...slots, slot] : slots.with(position, slot) }
}
