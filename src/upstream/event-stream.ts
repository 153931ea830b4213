// Bytes of an event stream into a reader's inputs, one batch per read: however many chunks a read holds, the
// client is written to once.
import { decodeText } from "../protocol/byte-text.ts"
import type { StreamInput } from "../protocol/chat/chat.ts"
import type { ErrorContext } from "../protocol/errors/upstream-error.ts"
import type { Batches, Soon } from "./batches.ts"
import { type BodyText, moreText, nextRead, receive } from "./body-text.ts"
import type { Read } from "./byte-reader.ts"
import { unread } from "./chunk-parser.ts"
import {
  type ChunkReader,
  createChunkReader,
  flushChunks,
  isOver,
  pendingChunks,
  pushChunks,
} from "./chunk-reader.ts"
import { connectionFault, type TimedSituation } from "./connection.ts"
import { type Clock, clearDeadline } from "./deadline.ts"
import { inWords, wordsLimit } from "./no-reply.ts"
import { longestLine, mostAtOnce, tooLong } from "./reply-limits.ts"

const none: readonly StreamInput[] = []

// A character takes up to three bytes, or four where it counts as two; and the last one may be cut.
const wordsBytes = 3 * wordsLimit + 3

// How long the end of the body may lag behind `[DONE]`.
const drainMs = 500

/** A stream as far as it was read. It changes in place. */
interface EventStream {
  readonly body: BodyText
  readonly situation: TimedSituation
  readonly chunks: ChunkReader
  /** What was read and is not given yet. */
  batch: readonly StreamInput[]
  /** What the body begins with, as long as no event has come of it. */
  words: string | undefined
  over: boolean
}

type Next = readonly StreamInput[] | undefined

/**
 * The stream's inputs in batches, the last one closed by an `end` or a `fault`. `start` is text that was read
 * already. After `[DONE]` the body is read to its end, for the connection to be used again; after any other
 * end the connection is given up.
 */
export function readEventStream(
  start: string,
  body: BodyText,
  situation: TimedSituation,
): Batches<StreamInput> {
  const chunks = createChunkReader(situation.errors)
  const batch = pushChunks(chunks, start)
  const words = batch.length === 0 ? start.slice(0, wordsBytes) : undefined
  const stream: EventStream = { body, situation, chunks, batch, words, over: false }
  const onRead = (read: Read): void => receiveInto(stream, read)
  const onBroken = (error: unknown): void => breakOff(stream, error)
  return {
    next: (): Soon<Next> =>
      takeRead(stream) ?? (stream.over ? undefined : nextRead(body).then(onRead, onBroken)),
    close: () => {
      if (stream.over) return
      stream.over = true
      stream.batch = none
      body.deadline.abort()
    },
  }
}

/** The next batch as far as it was read already. */
function takeRead(stream: EventStream): Next {
  if (stream.over) return undefined
  readMore(stream)
  const { batch } = stream
  stream.batch = none
  if (isOver(batch)) settle(stream, batch)
  return batch.length > 0 ? batch : undefined
}

/** A line may be longer than what is taken at once. */
function readMore(stream: EventStream): void {
  try {
    while (stream.batch.length === 0) {
      const more = moreText(stream.body)
      if (more === undefined) return
      stream.batch = take(stream, more)
    }
  } catch (error) {
    breakOff(stream, error)
  }
}

function receiveInto(stream: EventStream, read: Read): void {
  if (stream.over) return
  try {
    const text = receive(stream.body, read)
    stream.batch = text === undefined ? takeRest(stream) : take(stream, text)
  } catch (error) {
    breakOff(stream, error)
  }
}

function breakOff(stream: EventStream, error: unknown): void {
  const { body, situation, over } = stream
  if (over) return
  const given = connectionFault(error, body.deadline, situation.errors.url, situation)
  stream.batch = [{ kind: "fault", fault: given }]
}

function settle(stream: EventStream, last: readonly StreamInput[]): void {
  const { body, situation } = stream
  stream.over = true
  if (last.at(-1)?.kind === "end") drain(body, situation.clock)
  else body.deadline.abort()
}

function takeRest(stream: EventStream): readonly StreamInput[] {
  const { chunks } = stream
  const rest = flushChunks(chunks)
  return isOver(rest) ? rest : [...rest, unread(chunks.parsing) ?? endAfter(rest, stream)]
}

function endAfter(
  rest: readonly StreamInput[],
  { words, situation }: Pick<EventStream, "words" | "situation">,
): StreamInput {
  const said =
    words === undefined || rest.length > 0
      ? undefined
      : inWords(decodeText(words).slice(0, wordsLimit), situation.errors)
  return said === undefined ? { kind: "end", clean: false } : { kind: "fault", fault: said }
}

/** This text, and what there is of the same read. */
function take(stream: EventStream, first: string): readonly StreamInput[] {
  let inputs = takeOne(stream, first)
  for (let taken = first.length; taken < mostAtOnce && !isOver(inputs); ) {
    const more = moreText(stream.body)
    if (more === undefined) break
    taken += more.length
    inputs = [...inputs, ...takeOne(stream, more)]
  }
  return inputs
}

function takeOne(stream: EventStream, text: string): readonly StreamInput[] {
  const { chunks, words, situation } = stream
  const inputs = pushChunks(chunks, text)
  if (words !== undefined) {
    stream.words = inputs.length === 0 ? (words + text).slice(0, wordsBytes) : undefined
  }
  return pendingChunks(chunks) > longestLine ? [...inputs, tooLongLine(situation.errors)] : inputs
}

/** Reads what is left, for a short time and without anybody waiting for it. */
function drain({ reader, deadline }: BodyText, clock: Clock): void {
  const cancel = clock.setTimer(deadline.abort, drainMs)
  async function readOn(): Promise<void> {
    try {
      while (!(await reader.read()).done) {}
    } catch {
      // Broken, or given up above: the reply was complete before.
    }
    cancel()
    clearDeadline(deadline)
  }
  void readOn()
}

function tooLongLine(errors: ErrorContext): StreamInput {
  return { kind: "fault", fault: tooLong(errors, "a line", longestLine) }
}
