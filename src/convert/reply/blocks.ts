// The writer: deltas in, Anthropic's events out. The grammar of the Messages stream lives here and nowhere
// else: blocks never overlap, indexes rise by one, one message_start, one end, nothing after an error.
import { deltaEvent } from "../../protocol/delta-run.ts"
import { brokenUpstream, type Fault } from "../../protocol/fault.ts"
import type { BlockDelta, MessagesEvent, ReplyBlock } from "../../protocol/messages.ts"
import { addCargo, encodeCarrier, isEmptyCargo, noCargo } from "../carrier.ts"
import type { Opaque } from "../delta.ts"
import { addText, noText, textOf } from "../grown-text.ts"
import { noUsage } from "../messages-usage.ts"
import type { Single } from "../pieces.ts"
import { finalReason, finalUsage } from "./final.ts"
import { writeNative } from "./native.ts"
import { writeCompaction, writeSearch } from "./whole-blocks.ts"
import { type Content, dequeue, enqueue, isEmpty } from "./writer-queue.ts"
import { continues, type Growing, isBusy, nothingOpen, type Open, type WriterState } from "./writer-state.ts"

/** What is written; every function here adds to it. */
type Out = MessagesEvent[]

const none: readonly MessagesEvent[] = []

/** Emits message_start, once; for answers that must begin before the upstream's first word. */
export function begin(state: WriterState): readonly [WriterState, readonly MessagesEvent[]] {
  const out: MessagesEvent[] = []
  return [start(state, out), out]
}

function start(state: WriterState, out: Out): WriterState {
  if (state.phase !== "new") return state
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
  out.push({ type: "message_start", message })
  return { ...state, phase: "started" }
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

/** One delta in; the next state. Its events are added to `out`; after an end or a fault nothing more comes. */
export function write(state: WriterState, delta: Single, out: MessagesEvent[]): WriterState {
  if (state.phase === "ended") return state
  switch (delta.kind) {
    case "text":
    case "reasoning":
      return delta.text === "" ? state : writeContent(state, delta, out)
    case "tool":
    case "search":
    case "compaction":
      return writeContent(state, delta, out)
    case "native":
      return writeNative(start(state, out), delta.event, out)
    case "opaque":
      return writeOpaque(state, delta.opaque, out)
    case "note":
      return state.notes.length < mostNotes ? { ...state, notes: [...state.notes, delta.note] } : state
    case "usage":
      return { ...state, usage: delta.usage, costUsd: delta.costUsd ?? state.costUsd }
    case "finish":
      return { ...state, finish: delta.reason, stopSequence: delta.stopSequence }
    case "end":
      return delta.clean ? writeEnd(state, out) : writeFault(state, cut, out)
    case "fault":
      return writeFault(state, delta.fault, out)
    default:
      return delta satisfies never
  }
}

/** An item stands between the texts around it; a phase goes with reasoning alone, never in a block of its own. */
function writeOpaque(state: WriterState, opaque: Opaque, out: Out): WriterState {
  const { open, cargo } = state
  if (opaque.kind === "phase" && open.kind !== "reasoning" && isEmptyCargo(cargo)) return state
  const next = { ...state, cargo: addCargo(cargo, opaque) }
  return opaque.kind === "item" && open.kind === "text" ? closeOpen(next, out) : next
}

// A reply that needs more remarks than this says nothing new with them.
const mostNotes = 100

/** Nothing is closed first: what a client can still do depends on what was completed (observed). */
function writeFault(state: WriterState, given: Fault, out: Out): WriterState {
  out.push({ type: "error", fault: given })
  return { ...state, phase: "ended" }
}

const cut = brokenUpstream("the upstream closed the connection before its reply was complete")

function writeContent(state: WriterState, item: Content, out: Out): WriterState {
  const { open, queue } = state
  const growing = continues(open, item)
  if (growing !== undefined) {
    const next = addTo(state, growing, out)
    return isEmpty(queue) || isBusy(next.open) ? next : empty(next, false, out)
  }
  // A closed call cannot be reopened: what still comes for it is noise.
  if (item.kind === "tool" && state.closed.has(item.key)) return state
  if (isBusy(open)) return { ...state, queue: enqueue(queue, item) }
  return openFor(state, item, out)
}

/** Writes what waits, as far as it may be written now; all of it at the end of the reply. */
function empty(state: WriterState, all: boolean, out: Out): WriterState {
  let current = state
  while (all || !isBusy(current.open)) {
    const first = dequeue(current.queue)
    if (first === undefined) break
    const [item, queue] = first
    current = openFor({ ...current, queue }, item, out)
  }
  return current
}

/** Starts the message if need be, closes what is open, and opens a block for `item`. */
function openFor(state: WriterState, item: Content, out: Out): WriterState {
  const closed = closeOpen(start(state, out), out)
  return openBlock(item.kind === "reasoning" ? closed : carry(closed, out), item, out)
}

function openBlock(state: WriterState, item: Content, out: Out): WriterState {
  const { index } = state
  switch (item.kind) {
    case "search":
      return writeSearch(state, item, out)
    case "compaction":
      return writeCompaction(state, item.text, out)
    case "tool": {
      out.push(startEvent(index, { type: "tool_use", id: item.id, name: item.name, input: {} }))
      // The real API opens the arguments with an empty piece; clients that read only deltas then see {}.
      out.push(deltaEvent(index, "input_json_delta", ""))
      return addTo({ ...state, written: addText(state.written, item.name) }, item, out)
    }
    case "text":
      out.push(startEvent(index, { type: "text", text: "" }))
      return addTo({ ...state, open: openText }, item, out)
    case "reasoning":
      out.push(startEvent(index, { type: "thinking", thinking: "", signature: "" }))
      return addTo({ ...state, open: { kind: "reasoning", field: item.field }, thinking: noText }, item, out)
    default:
      return item satisfies never
  }
}

const openText: Open = { kind: "text" }

function startEvent(index: number, content_block: ReplyBlock): MessagesEvent {
  return { type: "content_block_start", index, content_block }
}

/** One more piece of the block that is open. */
function addTo(state: WriterState, item: Growing, out: Out): WriterState {
  const { index } = state
  if (item.kind === "tool") {
    const { key, args, complete } = item
    if (args !== "") out.push(deltaEvent(index, "input_json_delta", args))
    const open: Open = { kind: "tool", key, complete }
    return {
      ...state,
      open,
      written: addText(state.written, args),
      sawTool: true,
      lastToolComplete: complete,
    }
  }
  const written = addText(state.written, item.text)
  if (item.kind === "text") {
    out.push(deltaEvent(index, "text_delta", item.text))
    return { ...state, written }
  }
  out.push(deltaEvent(index, "thinking_delta", item.text))
  return { ...state, written, thinking: addText(state.thinking, item.text) }
}

function closeOpen(state: WriterState, out: Out): WriterState {
  const { open, index } = state
  if (open.kind === "none") return state
  if (open.kind === "reasoning") {
    signEnd(state, open.field, textOf(state.thinking), out)
    return { ...state, open: nothingOpen, index: index + 1, cargo: noCargo }
  }
  out.push({ type: "content_block_stop", index })
  if (open.kind !== "tool") return { ...state, open: nothingOpen, index: index + 1 }
  return { ...state, open: nothingOpen, index: index + 1, closed: new Set([...state.closed, open.key]) }
}

function signEnd(state: WriterState, field: string, thinking: string, out: Out): void {
  const { index, cargo, options } = state
  const carrier = { provider: options.provider, model: options.upstreamModel, field, cargo }
  const delta: BlockDelta = { type: "signature_delta", signature: encodeCarrier(carrier, thinking) }
  out.push({ type: "content_block_delta", index, delta }, { type: "content_block_stop", index })
}

/** Opaque data without a thinking block to travel in gets one without text. */
function carry(state: WriterState, out: Out): WriterState {
  if (isEmptyCargo(state.cargo)) return state
  out.push(startEvent(state.index, { type: "thinking", thinking: "", signature: "" }))
  signEnd(state, "", "", out)
  return { ...state, index: state.index + 1, cargo: noCargo }
}

function writeEnd(state: WriterState, out: Out): WriterState {
  const settled = carry(closeOpen(empty(start(state, out), true, out), out), out)
  const stop_reason = finalReason(settled)
  const stop_sequence = stop_reason === "stop_sequence" ? settled.stopSequence : null
  const usage = finalUsage(settled)
  out.push({ type: "message_delta", delta: { stop_reason, stop_sequence }, usage }, { type: "message_stop" })
  return { ...settled, phase: "ended" }
}
