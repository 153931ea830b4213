// The writer: deltas in, Anthropic's events out. The grammar of the Messages stream lives here and nowhere
// else: blocks never overlap, indexes rise by one, one message_start, one end, nothing after an error.
import { brokenUpstream, type Fault } from "../../protocol/fault.ts"
import type { BlockDelta, MessagesEvent, ReplyBlock } from "../../protocol/messages.ts"
import { encodeCarrier } from "../carrier.ts"
import type { Delta } from "../delta.ts"
import { finalReason, finalUsage } from "./final.ts"
import type { Content, Open, WriterState } from "./writer-state.ts"

type Step = readonly [WriterState, readonly MessagesEvent[]]

const none: readonly MessagesEvent[] = []

/** Emits message_start, once; for answers that must begin before the upstream's first word. */
export function begin(state: WriterState): Step {
  if (state.phase !== "new") return [state, none]
  const { id, model, inputTokens } = state.options
  const usage = {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 0,
  }
  const message = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  } as const
  return [{ ...state, phase: "started" }, [{ type: "message_start", message }]]
}

/**
 * A real but empty event that any client accepts here: Claude Code gives a stream up after 300 s without one,
 * and does not count pings (observed with 2.1.329).
 */
export function keepAlive(state: WriterState): readonly MessagesEvent[] {
  if (state.phase !== "started") return none
  const index = state.index
  switch (state.open.kind) {
    case "text":
      return [{ type: "content_block_delta", index, delta: { type: "text_delta", text: "" } }]
    case "reasoning":
      return [{ type: "content_block_delta", index, delta: { type: "thinking_delta", thinking: "" } }]
    case "tool":
      return [{ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: "" } }]
    case "none": {
      const delta = { stop_reason: null, stop_sequence: null }
      return [{ type: "message_delta", delta, usage: { output_tokens: 0 } }]
    }
    default:
      return state.open satisfies never
  }
}

/** One delta in; the next state and the events it causes out. After an end or a fault nothing more comes. */
export function write(state: WriterState, delta: Delta): Step {
  if (state.phase === "ended") return [state, none]
  switch (delta.kind) {
    case "text":
    case "reasoning":
      return delta.text === "" ? [state, none] : writeContent(state, delta)
    case "tool":
      return writeContent(state, delta)
    case "usage":
      return [{ ...state, usage: delta.usage }, none]
    case "finish":
      return [{ ...state, finish: delta.reason, stopSequence: delta.stopSequence }, none]
    case "end":
      return delta.clean ? writeEnd(state) : writeFault(state, cut)
    case "fault":
      return writeFault(state, delta.fault)
    default:
      return delta satisfies never
  }
}

/** Nothing is closed first: what a client can still do depends on what was completed (observed). */
function writeFault(state: WriterState, given: Fault): Step {
  return [{ ...state, phase: "ended" }, [{ type: "error", fault: given }]]
}

const cut = brokenUpstream("the upstream closed the connection before its reply was complete")

function writeContent(state: WriterState, item: Content): Step {
  const { open, queue } = state
  if (belongs(open, item)) {
    const [next, events] = addTo(state, item)
    if (queue.length === 0 || isBusy(next.open)) return [next, events]
    const [emptied, more] = empty(next, false)
    return [emptied, [...events, ...more]]
  }
  // A closed call cannot be reopened: what still comes for it is noise.
  if (item.kind === "tool" && state.closed.includes(item.key)) return [state, none]
  if (isBusy(open)) return [{ ...state, queue: enqueue(queue, item) }, none]
  return openFor(state, item)
}

function belongs(open: Open, item: Content): boolean {
  return item.kind === "tool" ? open.kind === "tool" && open.key === item.key : open.kind === item.kind
}

/** Only when its arguments are complete is a call over: until then all else waits, so that none is torn. */
function isBusy(open: Open): boolean {
  return open.kind === "tool" && !open.complete
}

/** Later pieces are joined to the earlier ones they continue. */
function enqueue(queue: readonly Content[], item: Content): readonly Content[] {
  if (item.kind === "tool") {
    const at = queue.findIndex((waiting) => waiting.kind === "tool" && waiting.key === item.key)
    const waiting = queue[at]
    if (waiting?.kind !== "tool") return [...queue, item]
    return queue.with(at, { ...item, args: waiting.args + item.args })
  }
  const last = queue.at(-1)
  if (last === undefined || last.kind === "tool" || last.kind !== item.kind) return [...queue, item]
  return queue.with(-1, { ...last, text: last.text + item.text })
}

/** Writes what waits, as far as it may be written now; all of it at the end of the reply. */
function empty(state: WriterState, all: boolean): Step {
  let current = state
  let written = 0
  const events: MessagesEvent[] = []
  for (const item of state.queue) {
    if (!all && isBusy(current.open)) break
    const [next, more] = openFor(current, item)
    current = next
    events.push(...more)
    written++
  }
  return [{ ...current, queue: state.queue.slice(written) }, events]
}

/** Starts the message if need be, closes what is open, and opens a block for `item`. */
function openFor(state: WriterState, item: Content): Step {
  const [begun, first] = begin(state)
  const [ready, last] = closeOpen(begun)
  const { index } = ready
  const start: MessagesEvent = { type: "content_block_start", index, content_block: emptyBlock(item) }
  const [next, deltas] = addTo({ ...ready, open: openOf(item) }, item)
  if (item.kind !== "tool") return [next, [...first, ...last, start, ...deltas]]
  // The real API opens the arguments with an empty piece; clients that read only deltas then see {}.
  const lead = argumentsEvent(index, "")
  return [
    { ...next, written: ready.written + item.name + item.args },
    [...first, ...last, start, lead, ...deltas],
  ]
}

function emptyBlock(item: Content): ReplyBlock {
  if (item.kind === "tool") return { type: "tool_use", id: item.id, name: item.name, input: {} }
  return item.kind === "text" ? { type: "text", text: "" } : { type: "thinking", thinking: "", signature: "" }
}

function openOf(item: Content): Open {
  if (item.kind === "tool") return { kind: "tool", key: item.key, complete: item.complete }
  return item.kind === "text" ? { kind: "text" } : { kind: "reasoning", field: item.field }
}

/** One more piece of the block that is open. */
function addTo(state: WriterState, item: Content): Step {
  const { index } = state
  if (item.kind === "tool") {
    const { key, args, complete } = item
    const open: Open = { kind: "tool", key, complete }
    const next = { ...state, open, written: state.written + args, sawTool: true, lastToolComplete: complete }
    return [next, args === "" ? none : [argumentsEvent(index, args)]]
  }
  const delta: BlockDelta =
    item.kind === "text"
      ? { type: "text_delta", text: item.text }
      : { type: "thinking_delta", thinking: item.text }
  return [{ ...state, written: state.written + item.text }, [{ type: "content_block_delta", index, delta }]]
}

function argumentsEvent(index: number, partial_json: string): MessagesEvent {
  return { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } }
}

function closeOpen(state: WriterState): Step {
  const { open, index } = state
  if (open.kind === "none") return [state, none]
  const stop: MessagesEvent = { type: "content_block_stop", index }
  const closed = open.kind === "tool" ? [...state.closed, open.key] : state.closed
  const next: WriterState = { ...state, open: { kind: "none" }, index: index + 1, closed }
  if (open.kind !== "reasoning") return [next, [stop]]
  const { provider, upstreamModel } = state.options
  const signature = encodeCarrier({ provider, model: upstreamModel, field: open.field })
  return [next, [{ type: "content_block_delta", index, delta: { type: "signature_delta", signature } }, stop]]
}

function writeEnd(state: WriterState): Step {
  const [begun, first] = begin(state)
  const [emptied, waited] = empty(begun, true)
  const [settled, last] = closeOpen(emptied)
  const stop_reason = finalReason(settled)
  const stop_sequence = stop_reason === "stop_sequence" ? settled.stopSequence : null
  return [
    { ...settled, phase: "ended" },
    [
      ...first,
      ...waited,
      ...last,
      { type: "message_delta", delta: { stop_reason, stop_sequence }, usage: finalUsage(settled) },
      { type: "message_stop" },
    ],
  ]
}
