// Stop sequences that the provider does not take: the text is watched here, cut where one begins, and the reply
// is over. Only text counts, never thinking or arguments.
import { begunAtEnd } from "../common/begun-at-end.ts"
import type { Delta } from "../common/delta.ts"

export interface StopState {
  readonly sequences: readonly string[]
  /** The end of the text so far, which may be the beginning of a sequence. */
  readonly held: string
  /** A sequence was found: the reply is over, whatever the upstream still sends. */
  readonly hit: boolean
}

type Step = readonly [StopState, readonly Delta[]]

/** The state before any text; without sequences everything passes. */
export function initialStops(sequences: readonly string[]): StopState {
  return { sequences, held: "", hit: false }
}

/** Deltas in; the same out, as far as no sequence is found or could still be. */
export function applyStops(state: StopState, deltas: readonly Delta[]): Step {
  if (state.sequences.length === 0) return [state, deltas]
  let current = state
  const out: Delta[] = []
  for (const delta of deltas) {
    if (current.hit) break
    const [next, more] = delta.kind === "text" ? watch(current, delta.text) : release(current, delta)
    current = next
    out.push(...more)
  }
  return [current, out]
}

function watch(state: StopState, added: string): Step {
  const text = state.held + added
  const found = earliest(text, state.sequences)
  if (found !== undefined) {
    const before: readonly Delta[] = found.at === 0 ? [] : [{ kind: "text", text: text.slice(0, found.at) }]
    const end: readonly Delta[] = [
      { kind: "finish", reason: "stop_sequence", stopSequence: found.sequence },
      { kind: "end", clean: true },
    ]
    return [{ ...state, held: "", hit: true }, [...before, ...end]]
  }
  const sure = text.length - Math.max(...state.sequences.map((sequence) => begunAtEnd(text, sequence)))
  const passed: readonly Delta[] = sure === 0 ? [] : [{ kind: "text", text: text.slice(0, sure) }]
  return [{ ...state, held: text.slice(sure) }, passed]
}

/** Anything but text and bookkeeping ends the text: what was held back is no sequence then. */
function release(state: StopState, delta: Delta): Step {
  if (state.held === "" || delta.kind === "usage") return [state, [delta]]
  return [{ ...state, held: "" }, [{ kind: "text", text: state.held }, delta]]
}

/** The sequence that is complete first: that is where a model would have stopped. */
function earliest(text: string, sequences: readonly string[]) {
  return sequences
    .map((sequence) => ({ sequence, at: text.indexOf(sequence) }))
    .filter(({ at }) => at >= 0)
    .toSorted((left, right) => endOf(left) - endOf(right) || left.at - right.at)[0]
}

const endOf = ({ sequence, at }: { readonly sequence: string; readonly at: number }) => at + sequence.length
