// The inputs of a stream as the deltas that they mean for its client, batch by batch.
import type { Delta } from "../../convert/common/delta.ts"
import {
  applyFilters,
  type Filters,
  initialFilters,
  isActive,
  type Wishes,
} from "../../convert/filters/filters.ts"
import type { ReaderOptions } from "../../convert/reader/reader-text.ts"
import { type DialectState, initialDialect, readDialect } from "../../convert/reply/dialect.ts"
import type { StreamInput } from "../../protocol/chat/chat.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import type { Batches } from "../../upstream/batches.ts"
import type { Clock } from "../../upstream/deadline.ts"
import { noReply } from "../../upstream/no-reply.ts"
import type { Context } from "../context.ts"

/** A stream as far as it was read. It changes in place. */
interface DeltaStream {
  readonly inputs: Batches<StreamInput>
  readonly errors: ErrorContext
  readonly clock: Clock
  /** How long what follows a finish reason is waited for, in milliseconds. */
  readonly afterFinishMs: number
  readonly state: DialectState
  filters: Filters
  said: boolean
  cancelGrace: (() => void) | undefined
  /** The last batch brought more of the reply. */
  goesOn: boolean
}

const endOfBytes: readonly StreamInput[] = [{ kind: "end", clean: false }]

/** The deltas of a stream, one batch for each batch of inputs, filtered for what its client wishes. */
export function readDeltas(
  inputs: Batches<StreamInput>,
  reader: ReaderOptions,
  wishes: Wishes,
  { clock, times }: Pick<Context, "clock" | "times">,
): Batches<Delta> {
  const stream: DeltaStream = {
    inputs,
    errors: reader.errors,
    clock,
    afterFinishMs: times.afterFinishMs,
    state: initialDialect(reader),
    filters: initialFilters(wishes),
    said: false,
    cancelGrace: undefined,
    goesOn: false,
  }
  return {
    next: () => {
      if (isOver(stream)) return undefined
      const batch = inputs.next()
      return batch instanceof Promise ? batch : readBatch(stream, batch ?? endOfBytes)
    },
    close: () => closeDeltas(stream),
  }
}

const isOver = ({ state, filters }: DeltaStream): boolean => state.reader.ended || filters.stops.hit

function readBatch(stream: DeltaStream, batch: readonly StreamInput[]): readonly Delta[] {
  const given = convertBatch(stream, batch)
  if (isOver(stream)) closeDeltas(stream)
  else if (stream.state.reader.finish !== undefined) awaitEnd(stream)
  return given
}

/**
 * The upstream has said that it is done; if it does not go, we do. Some say so with every chunk, or of one choice while
 * another goes on: what still comes of the reply is waited for anew.
 */
function awaitEnd(stream: DeltaStream): void {
  if (stream.cancelGrace !== undefined && !stream.goesOn) return
  stream.cancelGrace?.()
  stream.cancelGrace = stream.clock.setTimer(stream.inputs.close, stream.afterFinishMs)
}

function convertBatch(stream: DeltaStream, batch: readonly StreamInput[]): readonly Delta[] {
  const read = readInputs(stream, batch)
  stream.goesOn = stream.cancelGrace !== undefined && read.some(isContent)
  const given = filter(stream, read)
  stream.said ||= given.some(saysSomething)
  return stream.state.reader.ended && !stream.said ? [nothingSaid("an empty stream", stream.errors)] : given
}

function filter(stream: DeltaStream, read: readonly Delta[]): readonly Delta[] {
  if (!isActive(stream.filters)) return read
  const [filters, given] = applyFilters(stream.filters, read)
  stream.filters = filters
  return given
}

function readInputs(stream: DeltaStream, batch: readonly StreamInput[]): readonly Delta[] {
  const only = batch.length === 1 ? batch[0] : undefined
  // Mostly one input is all there is.
  if (only !== undefined) return readDialect(stream.state, only)
  const deltas: Delta[] = []
  for (const input of batch) for (const delta of readDialect(stream.state, input)) deltas.push(delta)
  return deltas
}

const isContent = ({ kind }: Delta): boolean =>
  kind === "run" || kind === "text" || kind === "reasoning" || kind === "tool"

function closeDeltas({ cancelGrace, inputs }: DeltaStream): void {
  cancelGrace?.()
  inputs.close()
}

/** A reply may be empty, but then it says why it ended: all else is a success that is none. */
export function saysSomething(delta: Delta): boolean {
  return delta.kind !== "usage" && delta.kind !== "note" && !(delta.kind === "end" && delta.clean)
}

export function nothingSaid(what: string, errors: ErrorContext): Delta {
  return { kind: "fault", fault: noReply(what, errors) }
}
