// The short cut for pieces of a call's arguments that go on where the last one ended: what is known of the call is put
// together once for all of them.
import type { ChatRun } from "../../protocol/chat-run.ts"
import type { Delta } from "../delta.ts"
import { filterJson, type JsonFilter, passes } from "./json-stream.ts"
import type { Repeats } from "./tool-repeats.ts"
import type { Slot, ToolState } from "./tool-slots.ts"

/**
 * Reads the texts of the run from `from` on, as far as each only goes on with the arguments of the call with this index
 * (undefined: the one spoken of last) and nothing has to be done to it. Their delta is added to `out`, unless the call
 * waits to be `whole`. Gives the state after them, and how many there were; the rest is to be read in the way of all
 * fragments.
 */
export function readArgumentRun(
  state: ToolState,
  index: string | undefined,
  run: ChatRun,
  from: number,
  whole: boolean,
  out: Delta[],
): readonly [ToolState, number] {
  const position =
    index === undefined ? state.current : state.slots.findLastIndex((slot) => slot.index === index)
  const slot = state.slots[position]
  if (slot === undefined || !isOpen(slot)) return [state, 0]
  const { texts } = run
  const passed = (whole ? passAll(slot, texts, from) : undefined) ?? passEach(slot, texts, from)
  const { filter, pieces, came, count, isSame } = passed
  if (count === 0) return [state, 0]
  const { id, clientName: name } = slot
  const like = { kind: "tool", key: position, id, name, args: "", complete: false } as const
  const said = isSame && count === texts.length ? run.whole : pieces.join("")
  if (pieces.length > 0 && !whole) out.push({ kind: "run", like, texts: pieces, whole: said })
  const args = { ...slot.args, passed: slot.args.passed + said, filter }
  const next: Slot = { ...slot, args, repeats: withMore(slot.repeats, came, count) }
  return [{ slots: state.slots.with(position, next), current: position, full: state.full }, count]
}

/** Is the call begun and its object open, and nothing of it in doubt? */
function isOpen({ started, ready, args, repeats }: Slot): boolean {
  const { mode, done } = args
  const open = started && ready === "" && mode === "object" && !done
  return open && (repeats.kind === "watched" || repeats.kind === "plain")
}

interface Passed {
  readonly filter: JsonFilter
  /** What may go out. */
  readonly pieces: readonly string[]
  /** Length and number of the texts that were read. */
  readonly came: number
  readonly count: number
  /** They go out as they came. */
  readonly isSame: boolean
}

/** Texts whose pieces nobody tells apart are read as one; undefined: one of them needs a closer look. */
function passAll({ args, repeats }: Slot, texts: readonly string[], from: number): Passed | undefined {
  let came = 0
  let to = from
  for (let text = texts[to]; text !== undefined && !mayRepeat(repeats, came, text); text = texts[++to])
    came += text.length
  const several = from === 0 && to === texts.length ? texts : texts.slice(from, to)
  const step = goOn(args.filter, several.join(""))
  return step && { filter: step.filter, pieces: [step.out], came, count: to - from, isSame: false }
}

function passEach({ args, repeats }: Slot, texts: readonly string[], from: number): Passed {
  const pieces: string[] = []
  let { filter } = args
  let came = 0
  let isSame = true
  let at = from
  for (let text = texts[at]; text !== undefined && !mayRepeat(repeats, came, text); text = texts[++at]) {
    if (text !== "" && passes(filter, text)) pieces.push(text)
    else {
      const step = goOn(filter, text)
      if (step === undefined) break
      filter = step.filter
      isSame &&= step.out === text
      if (step.out !== "") pieces.push(step.out)
    }
    came += text.length
  }
  return { filter, pieces, came, count: at - from, isSame }
}

/** An object that is as long as everything before it, `more` included, may be that once more. */
function mayRepeat(repeats: Repeats, more: number, text: string): boolean {
  if (repeats.kind !== "watched" || text.length < repeats.came + more) return false
  return text.trimStart().startsWith("{")
}

function withMore(repeats: Repeats, came: number, count: number): Repeats {
  if (repeats.kind !== "watched") return repeats
  return { kind: "watched", came: repeats.came + came, count: repeats.count + count }
}

/** One more piece; undefined: the arguments end in it, or something has to be said of it. */
function goOn(filter: JsonFilter, text: string): ReturnType<typeof filterJson> | undefined {
  const step = filterJson(filter, text)
  const { mode, repairs } = step.filter
  return mode === "done" || repairs !== filter.repairs ? undefined : step
}
