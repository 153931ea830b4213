// Tool calls out of fragments: names and ids made final, arguments passed on as they come.
import { isObject } from "../protocol/json.ts"
import type { Delta } from "./delta.ts"
import { emptyScan, scanJson } from "./json-scan.ts"
import { emptySlot, type Fragment, locate, readFragment, type Slot, type ToolState } from "./tool-slots.ts"

export interface ToolOptions {
  /** Names as the upstream knows them to names as the client does. */
  readonly toolNames: ReadonlyMap<string, string>
  /** The client's own names of the tools offered in this request. */
  readonly offered: ReadonlySet<string>
  /** Ids that the conversation already uses: a client drops a call whose id it has seen (wire.md §0.6). */
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
  let current = state
  const deltas: Delta[] = []
  const touched: number[] = []
  for (const call of calls) {
    if (!isObject(call)) continue
    const fragment = readFragment(call)
    const found = whole ? -1 : locate(current, fragment, touched)
    const [next, position] = found < 0 ? addSlot(current, fragment, options) : [current, found]
    touched.push(position)
    const [after, pieces] = feed({ ...next, current: position }, position, fragment, found < 0, options)
    current = after
    deltas.push(...pieces)
  }
  return [current, deltas]
}

/**
 * Starts every call that has a name and has not been started, because other content follows. When the reply is
 * over (`final`) even a name that looks cut is all there will be; calls without any name are dropped.
 */
export function startPending(state: ToolState, options: ToolOptions, final = false): Step {
  let current = state
  const deltas: Delta[] = []
  for (const [position, slot] of state.slots.entries()) {
    if (slot.started || slot.name === "" || (!final && isNameCut(slot.name, options))) continue
    const [after, piece] = start(current, position, "", options)
    current = after
    deltas.push(piece)
  }
  return [current, deltas]
}

function addSlot(state: ToolState, fragment: Fragment, options: ToolOptions): readonly [ToolState, number] {
  const position = state.slots.length
  const id = clientId(fragment.id, state, options)
  const slot: Slot = { ...emptySlot, index: fragment.index, upstreamId: fragment.id, id }
  return [{ slots: [...state.slots, slot], current: position }, position]
}

/** The upstream's id where a client can live with it, else one of ours (wire.md §1.4.3). */
function clientId(upstreamId: string | undefined, state: ToolState, options: ToolOptions): string {
  const taken = (id: string) => options.seenIds.has(id) || state.slots.some((slot) => slot.id === id)
  if (upstreamId !== undefined && /^[a-zA-Z0-9_-]{8,128}$/.test(upstreamId) && !taken(upstreamId))
    return upstreamId
  return `toolu_${options.idSeed}${String(state.slots.length).padStart(2, "0")}`
}

function feed(
  state: ToolState,
  position: number,
  fragment: Fragment,
  isNew: boolean,
  options: ToolOptions,
): Step {
  const before = state.slots[position]
  if (before === undefined) return [state, []]
  const slot: Slot = before.started
    ? before
    : {
        ...before,
        name: joinName(before.name, fragment.name),
        upstreamId: before.upstreamId ?? fragment.id,
        id: before.upstreamId === undefined && !isNew ? clientId(fragment.id, state, options) : before.id,
      }
  const named = replaceSlot(state, position, slot)
  if (fragment.args === "") {
    const begins = !isNew && !slot.started && fragment.name === undefined && slot.name !== ""
    return begins ? startInOrder(named, position, "", options) : [named, []]
  }
  if (slot.scan === emptyScan && isPlaceholder(fragment.args)) {
    const held = replaceSlot(named, position, { ...slot, placeholder: fragment.args.trim() === "{}" })
    return slot.started || slot.name === "" ? [held, []] : startInOrder(held, position, "", options)
  }
  return feedArguments(named, position, slot, fragment.args, options)
}

function feedArguments(
  state: ToolState,
  position: number,
  slot: Slot,
  args: string,
  options: ToolOptions,
): Step {
  if (slot.scan.done) {
    const rest = args.trimStart()
    return rest.startsWith("{") ? splitCall(state, slot, rest, options) : [state, []]
  }
  if (slot.scan === emptyScan) args = args.replace(/^\s*\{\s*\}\s*(?=\{)/, "")
  const scanned = scanJson(slot.scan, args)
  const own = scanned.rest < 0 ? args : args.slice(0, scanned.rest)
  const next = replaceSlot(state, position, { ...slot, scan: scanned.scan, placeholder: false })
  const [after, pieces] = slot.started
    ? [next, [piece(next.slots[position] ?? slot, position, own, options)]]
    : startInOrder(next, position, own, options)
  const rest = scanned.rest < 0 ? "" : args.slice(scanned.rest)
  if (!rest.startsWith("{")) return [after, pieces]
  const [split, more] = splitCall(after, slot, rest, options)
  return [split, [...pieces, ...more]]
}

/** `{…}{…}` in one call's arguments: the second object is a second call of the same tool. */
function splitCall(state: ToolState, slot: Slot, args: string, options: ToolOptions): Step {
  const [added, position] = addSlot(
    state,
    { index: slot.index, id: undefined, name: slot.name, args },
    options,
  )
  const named = replaceSlot(added, position, {
    ...slot,
    id: added.slots[position]?.id ?? slot.id,
    started: false,
    scan: emptyScan,
  })
  const fresh = named.slots[position]
  if (fresh === undefined) return [state, []]
  return feedArguments({ ...named, current: position }, position, fresh, args, options)
}

/** Starts a call, and before it every earlier one that only waits for its arguments. */
function startInOrder(state: ToolState, position: number, args: string, options: ToolOptions): Step {
  const slot = state.slots[position]
  // Arguments before any name: they are kept until there is one.
  if (slot === undefined || slot.name === "") return [keepArguments(state, position, args), []]
  const earlier = { ...state, slots: state.slots.slice(0, position) }
  const [started, deltas] = startPending(earlier, options)
  const all = { ...state, slots: [...started.slots, ...state.slots.slice(position)] }
  const [after, delta] = start(all, position, args, options)
  return [after, [...deltas, delta]]
}

function keepArguments(state: ToolState, position: number, args: string): ToolState {
  const early = (state.early?.[position] ?? "") + args
  return { ...state, early: { ...state.early, [position]: early } }
}

function start(
  state: ToolState,
  position: number,
  args: string,
  options: ToolOptions,
): readonly [ToolState, Delta] {
  const slot = state.slots[position] ?? emptySlot
  const early = state.early?.[position] ?? ""
  const started = { ...slot, started: true }
  return [replaceSlot(state, position, started), piece(started, position, early + args, options)]
}

function piece(slot: Slot, position: number, args: string, options: ToolOptions): Delta {
  const name = clientName(slot.name, options)
  return { kind: "tool", key: position, id: slot.id, name, args, complete: slot.scan.done }
}

function replaceSlot(state: ToolState, position: number, slot: Slot): ToolState {
  return { ...state, slots: state.slots.with(position, slot) }
}

/** A name may come in pieces, and may come whole again with every chunk. */
function joinName(name: string, fragment: string | undefined): string {
  if (fragment === undefined || fragment === name) return name
  return name + fragment
}

const isPlaceholder = (args: string) => args.trim() === "{}" || args.trim() === "null"

/** Could more of the name still come? Only if it is the beginning of an offered name and none itself. */
function isNameCut(name: string, options: ToolOptions): boolean {
  const known = clientName(name, options)
  if (options.offered.has(known)) return false
  return [...options.offered].some((offered) => offered.startsWith(known))
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
