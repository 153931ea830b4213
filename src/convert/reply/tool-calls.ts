// Tool calls out of fragments: names and ids made final, arguments passed on as they come.
import { isObject } from "../../protocol/json.ts"
import type { Delta } from "../delta.ts"
import { endArguments, takeArguments } from "./json-scan.ts"
import {
  emptySlot,
  type Fragment,
  locate,
  type NameTest,
  readFragment,
  type Slot,
  type ToolState,
} from "./tool-slots.ts"

export interface ToolOptions {
  /** Names as the upstream knows them to names as the client does. */
  readonly toolNames: ReadonlyMap<string, string>
  /** The client's own names of the tools offered in this request. */
  readonly offered: ReadonlySet<string>
  /** Ids that the conversation already uses: a client (Claude Code 2.1) drops a call whose id it has seen. */
  readonly seenIds: ReadonlySet<string>
  /** Unique per reply, `[A-Za-z0-9]`; minted ids are made from it. */
  readonly idSeed: string
}

type Step = readonly [ToolState, readonly Delta[]]

/**
 * The `tool_calls` of one chunk (or of a whole message when `whole`, where every entry is a call of its own).
 * Returns the pieces that are certain; a call starts when its name is known and its arguments begin.
 */
export function readToolCalls(
  state: ToolState,
  calls: readonly unknown[],
  options: ToolOptions,
  whole: boolean,
): Step {
  const names = nameTest(options)
  let current = state
  const out: Delta[] = []
  const touched: number[] = []
  for (const call of calls) {
    if (!isObject(call)) continue
    const fragment = readFragment(call)
    const found = whole ? -1 : locate(current, fragment, touched, names)
    const position = found < 0 ? current.slots.length : found
    const slot = found < 0 ? newSlot(current, fragment, options) : current.slots[found]
    touched.push(position)
    if (slot !== undefined) current = feed(current, position, slot, fragment, options, out)
  }
  return [current, out]
}

/**
 * Starts every call that has a name and has not been started, because other content follows. A name that looks
 * cut is waited for.
 */
export function startPending(state: ToolState, options: ToolOptions): Step {
  const out: Delta[] = []
  return [startBefore(state, state.slots.length, options, out), out]
}

/**
 * The reply is over: what every call still has to say. Even a name that looks cut is all there will be; calls
 * without any name are dropped.
 */
export function endToolCalls(state: ToolState, options: ToolOptions): readonly Delta[] {
  const deltas: Delta[] = []
  for (const [position, slot] of state.slots.entries()) {
    const { out, complete } = endArguments(slot.args)
    const args = slot.started ? out : slot.ready + out
    if (slot.name === "" || (slot.split && !slot.started && args === "")) continue
    if (slot.started && args === "" && complete === slot.args.scan.done) continue
    const name = slot.started ? slot.clientName : clientName(slot.name, options)
    deltas.push({ kind: "tool", key: position, id: slot.id, name, args, complete })
  }
  return deltas
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
  out: Delta[],
): ToolState {
  const isNew = position === state.slots.length
  const slot = before.started ? before : identify(state, position, before, fragment, options)
  const taken = takeArguments(slot.args, fragment.args)
  const changed = taken.out !== "" || taken.args.scan.done !== slot.args.scan.done
  const begins = !slot.started && (fragment.args.trim() !== "" || (!isNew && fragment.name === undefined))
  const next = { ...replace(state, position, { ...slot, args: taken.args }), current: position }
  const after = changed || begins || slot.ready !== "" ? pass(next, position, taken.out, options, out) : next
  return taken.rest === "" ? after : split(after, slot, taken.rest, options, out)
}

/** Name and id as far as they are known after this fragment. */
function identify(
  state: ToolState,
  position: number,
  slot: Slot,
  fragment: Fragment,
  options: ToolOptions,
): Slot {
  const name = joinName(slot.name, fragment.name, nameTest(options))
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
  return nameTest(options).isName(slot.name) || !nameTest(options).isBeginning(slot.name)
}

function piece(slot: Slot, position: number, args: string): Delta {
  const { id, clientName: name } = slot
  return { kind: "tool", key: position, id, name, args, complete: slot.args.scan.done }
}

/** `{…}{…}` in one call's arguments: the second object is a second call of the same tool. */
function split(state: ToolState, slot: Slot, text: string, options: ToolOptions, out: Delta[]): ToolState {
  let current = state
  let rest = text
  while (rest !== "") {
    const position = current.slots.length
    const { index, name } = slot
    const fresh = newSlot(current, { index, id: undefined, name, args: rest }, options)
    const taken = takeArguments(fresh.args, rest)
    const { upstreamId } = slot
    const made: Slot = { ...fresh, upstreamId, name, args: taken.args, split: true }
    current = pass(
      { ...replace(current, position, made), current: position },
      position,
      taken.out,
      options,
      out,
    )
    rest = taken.rest
  }
  return current
}

/** The slot at `position`, which may be one more than there are. */
function replace(state: ToolState, position: number, slot: Slot): ToolState {
  const { slots, current } = state
  return { slots: position === slots.length ? [...slots, slot] : slots.with(position, slot), current }
}

/** A name may come in pieces, may grow, and may come whole again with every chunk. */
function joinName(name: string, fragment: string | undefined, names: NameTest): string {
  if (fragment === undefined || fragment.trim() === "") return name
  const joined = name + fragment
  const repeated = fragment.startsWith(name) && !names.isName(joined) && !names.isBeginning(joined)
  return name !== "" && repeated && (fragment === name || names.isName(fragment)) ? fragment : joined
}

/** What can be a name is decided by the tools that were offered. */
function nameTest(options: ToolOptions): NameTest {
  const { offered, toolNames } = options
  const isName = (name: string) => offered.has(clientName(name, options))
  const isBeginning = (name: string) => {
    for (const known of offered) if (known.startsWith(name)) return true
    for (const known of toolNames.keys()) if (known.startsWith(name)) return true
    return false
  }
  return { isName, isBeginning }
}

/** The client's name of a tool; some relays put a namespace before it. */
function clientName(name: string, options: ToolOptions): string {
  const plain = name.trim()
  const mapped = options.toolNames.get(plain) ?? plain
  if (options.offered.has(mapped)) return mapped
  const bare = plain.replace(/^(functions|default_api)[.:]/, "")
  const bareMapped = options.toolNames.get(bare) ?? bare
  return options.offered.has(bareMapped) ? bareMapped : mapped
}
