// The end of a reply: what its calls still have to say, and what was wrong with them.
import { dropped } from "../../protocol/fault.ts"
import { type Parsed, parseJson } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { endArguments } from "./json-scan.ts"
import { addRepairs, repair } from "./repairs.ts"
import { clientName } from "./tool-names.ts"
import { judge, pushNotes } from "./tool-notes.ts"
import type { ToolOptions } from "./tool-options.ts"
import { endReceive } from "./tool-repeats.ts"
import type { Slot, ToolState } from "./tool-slots.ts"
import { wholeText } from "./whole-arguments.ts"

/**
 * The reply is over: what every call still has to say. Even a name that looks cut is all there will be; calls
 * without any name are dropped. `cut`: the length limit ended the reply, so arguments that are not complete stay
 * as they are; otherwise brackets that are still open are closed where nothing else is missing.
 */
export function endToolCalls(state: ToolState, options: ToolOptions, cut: boolean): readonly Delta[] {
  if (state.slots.length === 0) return noDeltas
  const deltas: Delta[] = []
  for (const [position, slot] of state.slots.entries()) {
    if (slot.name !== "") endCall(position, slot, options, cut, deltas)
    else deltas.push({ kind: "note", note: dropped(`tool_calls.${position}`, "the call has no name") })
  }
  return deltas
}

const noDeltas: readonly Delta[] = []

function endCall(position: number, slot: Slot, options: ToolOptions, cut: boolean, out: Delta[]): void {
  const { rest, complete, all, parsed, repairs } = lastWords(slot, options, cut)
  const args = slot.started ? rest : slot.ready + rest
  if (slot.split && !slot.started && args === "") return
  const name = slot.started ? slot.clientName : clientName(slot.name, options)
  if (!slot.started || args !== "" || complete !== slot.args.done) {
    out.push({ kind: "tool", key: position, id: slot.id, name, args, complete })
  }
  const wrong = repairs.includes(repair.raw)
    ? []
    : judge(all, parsed, name, cut && !complete, options.schemas)
  pushNotes(position, slot.args.repairs, addRepairs(repairs, wrong), out)
}

interface LastWords {
  readonly rest: string
  readonly complete: boolean
  /** All that the client gets of the arguments, and what it says; nothing stands for an empty object. */
  readonly all: string
  readonly parsed: Parsed
  readonly repairs: readonly string[]
}

/** What a call's arguments still have to say when the reply is over. */
function lastWords({ repeats, args }: Slot, { wholeArguments }: ToolOptions, cut: boolean): LastWords {
  const last = endReceive(repeats, args)
  const { out, complete, repairs } = endArguments(last.args, cut)
  const all = last.args.passed + out
  const parsed = parseAll(all)
  if (!wholeArguments) return { rest: last.out + out, complete, all, parsed, repairs }
  if (parsed.ok) return { rest: args.done ? "" : all, complete, all, parsed, repairs }
  const { text, what } = wholeText(all, cut && !complete)
  const rest = args.done ? "" : text
  return { rest, complete, all: text, parsed: parseAll(text), repairs: addRepairs(repairs, what) }
}

const parseAll = (text: string): Parsed => parseJson(text === "" ? "{}" : text)
