// Arguments for clients that read them as one JSON text and fail at anything else: they wait until they are
// complete, and go out in one piece.
import { parseJson } from "../../protocol/json.ts"
import { isBeginning } from "./json-prefix.ts"
import { type Arguments, repaired, type Taken } from "./json-scan.ts"
import { repair } from "./repairs.ts"
import { readInput } from "./tool-input.ts"

interface Delivery {
  readonly args: Arguments
  /** Goes to the client now. */
  readonly out: string
}

/** What of a call's arguments goes out after a fragment; `whole`: nothing, and then everything. */
export function deliver(
  before: Arguments,
  { args, out }: Pick<Taken, "args" | "out">,
  whole: boolean,
): Delivery {
  if (!whole) return { args, out }
  if (before.done || !args.done) return { args, out: "" }
  const { text, what } = wholeText(args.passed, false)
  return { args: repaired(args, ...what), out: text }
}

interface WholeText {
  readonly text: string
  /** What was done to it, in words. */
  readonly what: readonly string[]
}

/**
 * All of a call's arguments as JSON: as they are, repaired, or under `_raw_arguments` as in a whole reply. `cut`:
 * the length limit ended the reply, and a client that is told so may see the beginning.
 */
export function wholeText(text: string, cut: boolean): WholeText {
  if (text === "" || parseJson(text).ok) return { text, what: [] }
  const beginning = isBeginning(text)
  if (cut && beginning) return { text, what: [] }
  const { json, what } = readInput(text, !cut)
  return {
    text: json,
    what: beginning && !cut && what.includes(repair.raw) ? [repair.unfinished, ...what] : what,
  }
}
