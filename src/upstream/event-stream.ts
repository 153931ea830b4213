// Bytes of an event stream into a reader's inputs, one batch per read: however many chunks a read holds, the
// client is written to once.
import type { StreamInput } from "../protocol/chat.ts"
import { fault } from "../protocol/fault.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Batches } from "./batches.ts"
import type { BodyText } from "./body-text.ts"
import { createChunkReader } from "./chunk-reader.ts"
import { connectionFault } from "./connection.ts"
import type { Clock, Deadline } from "./deadline.ts"
import { inWords, wordsLimit } from "./no-reply.ts"

const none: readonly StreamInput[] = []

interface Situation {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly errors: ErrorContext
}

// One line may hold a whole file as tool arguments; more than this is no reply.
const lineLimit = 16 * 1024 * 1024

// Of a reply that comes faster than it is taken, a read holds half a megabyte: no more than about so much of it is
// made into objects ahead of a client that may have stopped reading.
const mostAtOnce = 65_536

// How long the end of the body may lag behind `[DONE]`.
const drainMs = 500

/**
 * The stream's inputs in batches, the last one closed by an `end` or a `fault`. `start` is text that was read
 * already. After `[DONE]` the body is read to its end, for the connection to be used again; after any other
 * end the connection is given up.
 */
export function readEventStream(
  start: string,
  body: BodyText,
  deadline: Deadline,
  situation: Situation,
): Batches<StreamInput> {
  const { errors } = situation
  const chunks = createChunkReader(errors)
  let batch = chunks.push(start)
  /** What the body begins with, as long as no event has come of it. */
  let words = batch.length === 0 ? start.slice(0, wordsLimit) : undefined
  let over = false

  function settle(last: readonly StreamInput[]): readonly StreamInput[] {
    over = true
    if (last.at(-1)?.kind === "end") drain(body, deadline, situation.clock)
    else deadline.abort()
    return last
  }

  function takeRest(): readonly StreamInput[] {
    const last = chunks.push(body.rest())
    const rest = isLast(last) ? last : [...last, ...chunks.flush()]
    return isLast(rest) ? rest : [...rest, endAfter(rest)]
  }

  function endAfter(rest: readonly StreamInput[]): StreamInput {
    const said = words === undefined || rest.length > 0 ? undefined : inWords(words, errors)
    return said === undefined ? { kind: "end", clean: false } : { kind: "fault", fault: said }
  }

  function takeOne(text: string): readonly StreamInput[] {
    const inputs = chunks.push(text)
    if (words !== undefined) words = inputs.length === 0 ? (words + text).slice(0, wordsLimit) : undefined
    return chunks.pending() > lineLimit ? [...inputs, tooLong(errors)] : inputs
  }

  function read(text: string | undefined): readonly StreamInput[] {
    return text === undefined ? takeRest() : take(text)
  }

  /** This text, and what there is of the same read. */
  function take(first: string): readonly StreamInput[] {
    let inputs = takeOne(first)
    for (let taken = first.length; taken < mostAtOnce && !isLast(inputs); ) {
      const more = body.more()
      if (more === undefined) break
      taken += more.length
      inputs = [...inputs, ...takeOne(more)]
    }
    return inputs
  }

  async function next(): Promise<readonly StreamInput[] | undefined> {
    try {
      while (!over && batch.length === 0) batch = read(body.more() ?? (await body.read()))
      if (over) return undefined
      const given = batch
      batch = none
      return isLast(given) ? settle(given) : given
    } catch (error) {
      if (over) return undefined
      return settle([{ kind: "fault", fault: connectionFault(error, deadline, errors.url, situation) }])
    }
  }

  function close(): void {
    if (over) return
    over = true
    deadline.abort()
  }

  return { next, close }
}

/** Reads what is left, for a short time and without anybody waiting for it. */
function drain(body: BodyText, deadline: Deadline, clock: Clock): void {
  const cancel = clock.setTimer(deadline.abort, drainMs)
  async function readOn(): Promise<void> {
    try {
      await body.skip()
    } catch {
      // Broken, or given up above: the reply was complete before.
    }
    cancel()
    deadline.clear()
  }
  void readOn()
}

function isLast(batch: readonly StreamInput[]): boolean {
  const last = batch.at(-1)
  return last?.kind === "end" || last?.kind === "fault"
}

function tooLong(errors: ErrorContext): StreamInput {
  const message = `[${errors.provider}] the upstream sent a line of more than ${lineLimit / 1024 / 1024} MiB`
  return { kind: "fault", fault: fault({ kind: "api_error", source: "upstream", status: 502, message }) }
}
