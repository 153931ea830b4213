// The short cut for pieces of a call's arguments that go on where the last one ended: what is known of the call is put
// together once for all of them.
import type { ChatRun } from "../../protocol/chat/chat-run.ts"
import { quoteAll, someOf, type Texts, textAt, textsOf, wholeOf } from "../../protocol/texts.ts"
import type { Delta } from "../common/delta.ts"
import { filterJson, type JsonFilter, passes } from "./json-stream.ts"
import type { Repeats } from "./tool-repeats.ts"
import type { Slot, ToolState } from "./tool-slots.ts"

/**
 * Reads the texts of the run from `from` on, as far as each only goes on with the arguments of the call with this index
 * (undefined: the one spoken of last) and nothing has to be done to it. Their delta is added to `out`, unless the call
 * waits to go out `atOnce`. Gives the state after them, and how many there were; the rest is to be read in the way of all
 * fragments.
 */
export function readArgumentRun(
  state: ToolState,
  index: string | undefined,
  run: ChatRun,
  from: number,
  atOnce: boolean,
  out: Delta[],
): readonly [ToolState, number] {
  const position =
    index === undefined ? state.current : state.slots.findLastIndex((slot) => slot.index === index)
  const slot = state.slots[position]
  if (slot === undefined || !isOpen(slot)) return [state, 0]
  const passed = (atOnce ? passAll(slot, run, from) : undefined) ?? passEach(slot, run, from)
  const { filter, said, texts, came, count } = passed
  if (count === 0) return [state, 0]
  const { id, clientName: name } = slot
  const like = { kind: "tool", key: position, id, name, args: "", complete: false } as const
  if (texts !== undefined && texts.joined !== "" && !atOnce) {
    const { quoted, joined, wide, whole } = texts
    out.push({ kind: "run", like, quoted, joined, wide, whole })
  }
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
  /** What may go out; and in pieces, where it was read in pieces. */
  readonly said: string
  readonly texts: Texts | undefined
  /** Length and number of the texts that were read. */
  readonly came: number
  readonly count: number
}

/** Texts whose pieces nobody tells apart are read as one; undefined: one of them needs a closer look. */
function passAll({ args, repeats }: Slot, run: Texts, from: number): Passed | undefined {
  const { quoted } = run
  const to = cannotRepeat(repeats, run) ? quoted.length : endOfNew(repeats, run, from)
  // Mostly it is the last one that ends the arguments.
  return passUpTo(args.filter, run, from, to) ?? passUpTo(args.filter, run, from, to - 1)
}

function passUpTo(filter: JsonFilter, run: Texts, from: number, to: number): Passed | undefined {
  if (to <= from) return undefined
  const whole = wholeOf(someOf(run, from, to))
  const step = goOn(filter, whole)
  const [came, count] = [whole.length, to - from]
  return step && { filter: step.filter, said: step.out, texts: undefined, came, count }
}

/** All are shorter than what came before: in JSON's form no text is shorter than it is. */
function cannotRepeat(repeats: Repeats, { quoted }: Texts): boolean {
  if (repeats.kind !== "watched") return true
  for (const text of quoted) if (text.length >= repeats.came) return false
  return true
}

/** Up to the first that may be everything before it once more. Few are so long that it has to be read. */
function endOfNew(repeats: Repeats, run: Texts, from: number): number {
  const { quoted } = run
  const before = repeats.kind === "watched" ? repeats.came : 0
  let least = 0
  let to = from
  for (; to < quoted.length; to++) {
    const length = quoted[to]?.length ?? 0
    if (length >= before + least && mayRepeat(repeats, least, textAt(run, to))) break
    least += Math.ceil(length / longestEscape)
  }
  return to
}

// Characters that stand for one.
const longestEscape = 6

function passEach({ args, repeats }: Slot, run: Texts, from: number): Passed {
  const texts = textsOf(run)
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
  const out = isSame ? someOf(run, from, at) : quoteAll(pieces)
  return { filter, said: pieces.join(""), texts: out, came, count: at - from }
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
