// The short cut for pieces of a call's arguments that go on inside one of its strings: they pass as they are, and
// what is known of the call is put together once for all of them.
import type { Delta } from "../delta.ts"
import type { Slot, ToolState } from "./tool-slots.ts"

/** What stands in a string of JSON as it is. */
const plain = /^[ !#-[\]-\uffff]*$/
/** That and escape sequences, of which the last may be cut. */
const inString = /^(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*(\\(?:u[\da-fA-F]{0,3})?)?$/

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
  const pieces: string[] = []
  let { held } = slot.args.filter
  let came = 0
  let at = from
  for (let text = texts[at]; text !== undefined && !mayRepeat(text); text = texts[++at]) {
    const whole = held + text
    const cut = cutEscape(whole)
    if (cut === undefined) break
    const piece = cut === "" ? whole : whole.slice(0, -cut.length)
    if (piece !== "") pieces.push(piece)
    held = cut
    came += text.length
  }
  if (at === from) return [state, 0]
  const { id, clientName: name } = slot
  const like = { kind: "tool", key: position, id, name, args: "", complete: false } as const
  if (pieces.length > 0) out.push({ kind: "run", like, texts: pieces })
  const next = grown(slot, pieces.join(""), held, { came, count: at - from })
  return [{ ...state, slots: state.slots.with(position, next), current: position }, at - from]
}

/** The escape sequence that the text breaks off in, or nothing; undefined: it is more than a piece of a string. */
function cutEscape(text: string): string | undefined {
  if (plain.test(text)) return ""
  const found = inString.exec(text)
  return found === null ? undefined : (found[1] ?? "")
}

/** Is the call begun, and nothing of it held back but half an escape sequence, or in doubt? */
function isInString({ started, ready, args, repeats }: Slot): boolean {
  const { mode, done, filter } = args
  const open = started && ready === "" && mode === "object" && !done
  return (
    open &&
    (filter.mode === "escape" || (filter.mode === "string" && filter.held === "")) &&
    (repeats.kind === "watched" || repeats.kind === "plain")
  )
}

/** An object may be all of the arguments once more. */
const mayRepeat = (text: string): boolean => text.trimStart().startsWith("{")

function grown(slot: Slot, passed: string, held: string, more: { came: number; count: number }): Slot {
  const { args, repeats } = slot
  const now =
    repeats.kind === "watched"
      ? { ...repeats, came: repeats.came + more.came, count: repeats.count + more.count }
      : repeats
  const mode = held === "" ? "string" : "escape"
  return {
    ...slot,
    args: { ...args, passed: args.passed + passed, filter: { ...args.filter, mode, held } },
    repeats: now,
  }
}
