// The short cut for pieces of a call's arguments that go on inside one of its strings: they pass as they are, and
// what is known of the call is put together once for all of them.
import type { Delta } from "../delta.ts"
import type { Slot, ToolState } from "./tool-slots.ts"

/** Tells what a string of JSON may hold in its own place: characters, and escape sequences that are whole. */
const inString = /^(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*$/

/**
 * Reads the texts from `from` on, as far as each is no more than a piece of a string in the arguments of the call
 * with this index (undefined: the one spoken of last). Their delta is added to `out`. Gives the state after them, and
 * how many there were; the rest is to be read in the way of all fragments.
 */
export function readStringRun(
  state: ToolState,
  index: string | undefined,
  texts: readonly string[],
  from: number,
  out: Delta[],
): readonly [ToolState, number] {
  const position =
    index === undefined ? state.current : state.slots.findLastIndex((slot) => slot.index === index)
  const slot = state.slots[position]
  if (slot === undefined || !isInString(slot)) return [state, 0]
  let to = from
  for (let text = texts[to]; text !== undefined && isPiece(text); text = texts[++to]) {
    // As far as there are pieces.
  }
  const count = to - from
  if (count === 0) return [state, 0]
  const pieces = count === texts.length ? texts : texts.slice(from, to)
  const passed = pieces.join("")
  const { id, clientName: name } = slot
  const like = { kind: "tool", key: position, id, name, args: "", complete: false } as const
  out.push({ kind: "run", like, texts: pieces })
  return [
    { ...state, slots: state.slots.with(position, grown(slot, passed, count)), current: position },
    count,
  ]
}

/** Is the call begun, and nothing of it held back or in doubt? */
function isInString({ started, ready, args, repeats }: Slot): boolean {
  const { mode, done, filter } = args
  const open = started && ready === "" && mode === "object" && !done
  return (
    open &&
    filter.mode === "string" &&
    filter.held === "" &&
    (repeats.kind === "watched" || repeats.kind === "plain")
  )
}

/** An object may be all of the arguments once more. */
function isPiece(text: string): boolean {
  return inString.test(text) && !text.trimStart().startsWith("{")
}

function grown(slot: Slot, passed: string, count: number): Slot {
  const { args, repeats } = slot
  const now =
    repeats.kind === "watched"
      ? { ...repeats, came: repeats.came + passed.length, count: repeats.count + count }
      : repeats
  return { ...slot, args: { ...args, passed: args.passed + passed }, repeats: now }
}
