// The writer: deltas in, Anthropic's events out. The grammar of the Messages stream lives here and nowhere
// else: blocks never overlap, indexes rise by one, one message_start, one end, nothing after an error.
import { deltaEvent } from "../../protocol/delta-run.ts"
import { brokenUpstream, type Fault } from "../../protocol/fault.ts"
import type { BlockDelta, MessagesEvent, ReplyBlock } from "../../protocol/messages.ts"
import { addCargo, encodeCarrier, isEmptyCargo, noCargo } from "../carrier.ts"
import type { Opaque } from "../delta.ts"
import { growText, noText, textOf } from "../grown-text.ts"
import { noUsage } from "../messages-usage.ts"
import type { Single } from "../pieces.ts"
import { finalReason, finalUsage } from "./final.ts"
import { writeNative } from "./native.ts"
import { writeCompaction, writeSearch } from "./whole-blocks.ts"
import { type Content, dequeue, enqueue, isEmpty } from "./writer-queue.ts"
import { continues, type Growing, isBusy, type Open, type WriterState } from "./writer-state.ts"

type Step = readonly [WriterState, readonly MessagesEvent[]]

const none: readonly MessagesEvent[] = []

/** Emits message_start, once; for answers that must begin before the upstream's first word. */
export function begin(state: WriterState): Step {
  if (state.phase !== "new") return [state, none]
  const { id, model, inputTokens } = state.options
  const usage = { ...noUsage, input_tokens: inputTokens }
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
    case "other":
    case "none": {
      const delta = { stop_reason: null, stop_sequence: null }
      return [{ type: "message_delta", delta, usage: { output_tokens: 0 } }]
    }
    default:
      return state.open satisfies never
  }
}

/** One delta in; the next state and the events it causes out. After an end or a fault nothing more comes. */
export function write(state: WriterState, delta: Single): Step {
  if (state.phase === "ended") return [state, none]
  switch (delta.kind) {
    case "text":
    case "reasoning":
      return delta.text === "" ? [state, none] : writeContent(state, delta)
    case "tool":
    case "search":
    case "compaction":
      return writeContent(state, delta)
    case "native":
      return writeNative(begin(state), delta.event)
    case "opaque":
      return writeOpaque(state, delta.opaque)
    case "note":
      return [
        state.notes.length < mostNotes ? { ...state, notes: [...state.notes, delta.note] } : state,
        none,
      ]
    case "usage":
      return [{ ...state, usage: delta.usage, costUsd: delta.costUsd ?? state.costUsd }, none]
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

/** An item stands between the texts around it; a phase goes with reasoning alone, never in a block of its own. */
function writeOpaque(state: WriterState, opaque: Opaque): Step {
  const { open, cargo } = state
  if (opaque.kind === "phase" && open.kind !== "reasoning" && isEmptyCargo(cargo)) return [state, none]
  const next = { ...state, cargo: addCargo(cargo, opaque) }
  return opaque.kind === "item" && open.kind === "text" ? closeOpen(next) : [next, none]
}

// A reply that needs more remarks than this says nothing new with them.
const mostNotes = 100

/** Nothing is closed first: what a client can still do depends on what was completed (observed). */
function writeFault(state: WriterState, given: Fault): Step {
  return [{ ...state, phase: "ended" }, [{ type: "error", fault: given }]]
}

const cut = brokenUpstream("the upstream closed the connection before its reply was complete")

function writeContent(state: WriterState, item: Content): Step {
  const { open, queue } = state
  const growing = continues(open, item)
  if (growing !== undefined) {
    const [next, events] = addTo(state, growing)
    if (isEmpty(queue) || isBusy(next.open)) return [next, events]
    const [emptied, more] = empty(next, false)
    return [emptied, [...events, ...more]]
  }
  // A closed call cannot be reopened: what still comes for it is noise.
  if (item.kind === "tool" && state.closed.has(item.key)) return [state, none]
  if (isBusy(open)) return [{ ...state, queue: enqueue(queue, item) }, none]
  return openFor(state, item)
}

/** Writes what waits, as far as it may be written now; all of it at the end of the reply. */
function empty(state: WriterState, all: boolean): Step {
  let current = state
  const events: MessagesEvent[] = []
  while (all || !isBusy(current.open)) {
    const first = dequeue(current.queue)
    if (first === undefined) break
    const [item, queue] = first
    const [next, more] = openFor({ ...current, queue }, item)
    current = next
    for (const event of more) events.push(event)
  }
  return [current, events]
}

/** Starts the message if need be, closes what is open, and opens a block for `item`. */
function openFor(state: WriterState, item: Content): Step {
  const [begun, first] = begin(state)
  const [closed, last] = closeOpen(begun)
  const [ready, carried] = item.kind === "reasoning" ? [closed, none] : carry(closed)
  const [next, events] = openBlock(ready, item)
  return [next, [...first, ...last, ...carried, ...events]]
}

function openBlock(state: WriterState, item: Content): Step {
  const { index } = state
  switch (item.kind) {
    case "search":
      return writeSearch(state, item)
    case "compaction":
      return writeCompaction(state, item.text)
    case "tool": {
      const block = { type: "tool_use", id: item.id, name: item.name, input: {} } as const
      const open = { kind: "tool", key: item.key, complete: item.complete } as const
      const [next, deltas] = addTo({ ...state, open }, item)
      // The real API opens the arguments with an empty piece; clients that read only deltas then see {}.
      const events = [startEvent(index, block), deltaEvent(index, "input_json_delta", ""), ...deltas]
      return [{ ...next, written: growText(state.written, [item.name, item.args]) }, events]
    }
    case "text": {
      const [next, deltas] = addTo({ ...state, open: { kind: "text" } }, item)
      return [next, [startEvent(index, { type: "text", text: "" }), ...deltas]]
    }
    case "reasoning": {
      const open = { kind: "reasoning", field: item.field } as const
      const [next, deltas] = addTo({ ...state, open, thinking: noText }, item)
      return [next, [startEvent(index, { type: "thinking", thinking: "", signature: "" }), ...deltas]]
    }
    default:
      return item satisfies never
  }
}

function startEvent(index: number, content_block: ReplyBlock): MessagesEvent {
  return { type: "content_block_start", index, content_block }
}

/** One more piece of the block that is open. */
function addTo(state: WriterState, item: Growing): Step {
  const { index } = state
  if (item.kind === "tool") {
    const { key, args, complete } = item
    const open: Open = { kind: "tool", key, complete }
    const written = growText(state.written, [args])
    const next = { ...state, open, written, sawTool: true, lastToolComplete: complete }
    return [next, args === "" ? none : [deltaEvent(index, "input_json_delta", args)]]
  }
  const written = growText(state.written, [item.text])
  if (item.kind === "text") return [{ ...state, written }, [deltaEvent(index, "text_delta", item.text)]]
  const thinking = growText(state.thinking, [item.text])
  return [{ ...state, written, thinking }, [deltaEvent(index, "thinking_delta", item.text)]]
}

function closeOpen(state: WriterState): Step {
  const { open, index } = state
  if (open.kind === "none") return [state, none]
  const closed = open.kind === "tool" ? new Set([...state.closed, open.key]) : state.closed
  const next: WriterState = { ...state, open: { kind: "none" }, index: index + 1, closed }
  if (open.kind !== "reasoning") return [next, [{ type: "content_block_stop", index }]]
  return [{ ...next, cargo: noCargo }, signedEnd(state, open.field, textOf(state.thinking))]
}

function signedEnd(state: WriterState, field: string, thinking: string): readonly MessagesEvent[] {
  const { index, cargo, options } = state
  const carrier = { provider: options.provider, model: options.upstreamModel, field, cargo }
  const delta: BlockDelta = { type: "signature_delta", signature: encodeCarrier(carrier, thinking) }
  return [
    { type: "content_block_delta", index, delta },
    { type: "content_block_stop", index },
  ]
}

/** Opaque data without a thinking block to travel in gets one without text. */
function carry(state: WriterState): Step {
  if (isEmptyCargo(state.cargo)) return [state, none]
  const start = startEvent(state.index, { type: "thinking", thinking: "", signature: "" })
  return [{ ...state, index: state.index + 1, cargo: noCargo }, [start, ...signedEnd(state, "", "")]]
}

function writeEnd(state: WriterState): Step {
  const [begun, first] = begin(state)
  const [emptied, waited] = empty(begun, true)
  const [closed, last] = closeOpen(emptied)
  const [settled, carried] = carry(closed)
  const stop_reason = finalReason(settled)
  const stop_sequence = stop_reason === "stop_sequence" ? settled.stopSequence : null
  return [
    { ...settled, phase: "ended" },
    [
      ...first,
      ...waited,
      ...last,
      ...carried,
      { type: "message_delta", delta: { stop_reason, stop_sequence }, usage: finalUsage(settled) },
      { type: "message_stop" },
    ],
  ]
}
