// An answer that the client began itself: models often say the beginning once more, and it is taken off.
import type { Delta } from "../common/delta.ts"

export interface PrefillState {
  /** What may be repeated; empty: nothing is looked for any more. */
  readonly expected: string
  readonly held: string
}

/** The state before any text; an empty beginning lets everything pass. */
export function initialPrefill(expected: string): PrefillState {
  return { expected, held: "" }
}

/** Deltas in; the same out, without a repeated beginning. */
export function applyPrefill(
  state: PrefillState,
  deltas: readonly Delta[],
): readonly [PrefillState, readonly Delta[]] {
  if (state.expected === "") return [state, deltas]
  let current = state
  const out: Delta[] = []
  for (const delta of deltas) {
    const [next, more] = step(current, delta)
    current = next
    out.push(...more)
  }
  return [current, out]
}

const over: PrefillState = { expected: "", held: "" }

function step(state: PrefillState, delta: Delta): readonly [PrefillState, readonly Delta[]] {
  if (state.expected === "") return [state, [delta]]
  if (delta.kind === "text") {
    const held = state.held + delta.text
    const { expected } = state
    if (held.startsWith(expected)) return [over, text(held.slice(expected.length))]
    return expected.startsWith(held) ? [{ expected, held }, []] : [over, text(held)]
  }
  if (delta.kind === "finish" || delta.kind === "end" || delta.kind === "tool") {
    return [over, [...text(state.held), delta]]
  }
  return [state, [delta]]
}

const text = (said: string): readonly Delta[] => (said === "" ? [] : [{ kind: "text", text: said }])
