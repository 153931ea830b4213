// The writer: deltas in, Anthropic's events out. The grammar of the Messages stream lives here and nowhere
// else: blocks never overlap, indexes rise by one, one message_start, one end, nothing after an error.

import { brokenUpstream, endedEarly, type Fault } from "../../protocol/fault.ts"
import { deltaEvent } from "../../protocol/messages/delta-run.ts"
import type { BlockDelta, MessagesEvent, ReplyBlock } from "../../protocol/messages/messages.ts"
import { splitMember } from "../../protocol/messages/toolsets.ts"
import { addCargo, encodeCarrier, isEmptyCargo, noCargo, withoutTextSignatures } from "../common/carrier.ts"
import type { Opaque } from "../common/delta.ts"
import { addText, noText, textOf } from "../common/grown-text.ts"
import type { Single } from "../common/pieces.ts"
import { finalReason, finalUsage } from "./final.ts"
import { writeNative } from "./native.ts"
import { writeCompaction, writeSearch } from "./whole-blocks.ts"
import { addTo, endHalf } from "./whole-characters.ts"
import { type Content, dequeue, enqueue, isEmpty } from "./writer-queue.ts"
import { continues, isBusy, nothingOpen, type Open, type WriterState } from "./writer-state.ts"

/** What is written; every function here adds to it, and changes the state. */
type Out = MessagesEvent[]

/** Emits message_start, once; for answers that must begin before the upstream's first word. */
export function begin(state: WriterState): readonly MessagesEvent[] {
  const out: MessagesEvent[] = []
  start(state, out)
  return out
}

function start(state: WriterState, out: Out): void {
  if (state.phase !== "new") return
  state.phase = "started"
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
  out.push({ type: "message_start", message })
}

/** One delta in, which changes the state. Its events are added to `out`; after an end or a fault nothing more comes. */
export function write(state: WriterState, delta: Single, out: MessagesEvent[]): void {
  if (state.phase === "ended") return
  switch (delta.kind) {
    case "text":
    case "reasoning":
      if (delta.text !== "") writeContent(state, delta, out)
      return
    case "tool":
    case "search":
    case "compaction":
      writeContent(state, delta, out)
      return
    case "native":
      start(state, out)
      writeNative(state, delta.event, out)
      return
    case "opaque":
      writeOpaque(state, delta.opaque, out)
      return
    case "note":
      if (state.notes.length < mostNotes) state.notes = [...state.notes, delta.note]
      return
    case "usage":
      state.usage = delta.usage
      state.costUsd = delta.costUsd ?? state.costUsd
      return
    case "finish":
      state.finish = delta.reason
      state.stopSequence = delta.stopSequence
      return
    case "end":
      if (delta.clean) writeEnd(state, out)
      else writeFault(state, cut, out)
      return
    case "fault":
      writeFault(state, delta.fault, out)
      return
    default:
      delta satisfies never
  }
}

/** An item stands between the texts around it; a phase goes with reasoning alone, never in a block of its own. */
function writeOpaque(state: WriterState, opaque: Opaque, out: Out): void {
  const { open, cargo } = state
  if (opaque.kind === "phase" && open.kind !== "reasoning" && isEmptyCargo(cargo)) return
  state.cargo = addCargo(cargo, opaque)
  if (opaque.kind === "item" && open.kind === "text") closeOpen(state, out)
}

// A reply that needs more remarks than this says nothing new with them.
const mostNotes = 100

/** Nothing is closed first: what a client can still do depends on what was completed (observed). */
function writeFault(state: WriterState, given: Fault, out: Out): void {
  out.push({ type: "error", fault: given, ...(state.index > 0 && midway) })
  state.phase = "ended"
}

const midway = { midway: true } as const
const cut = brokenUpstream(endedEarly("was complete"))

function writeContent(state: WriterState, item: Content, out: Out): void {
  const { open, queue } = state
  const growing = continues(open, item)
  if (growing !== undefined) {
    addTo(state, growing, out)
    if (!isEmpty(queue)) empty(state, false, out)
    return
  }
  // A closed call cannot be reopened: what still comes for it is noise.
  if (item.kind === "tool" && state.closed.has(item.key)) return
  if (isBusy(open)) state.queue = enqueue(queue, item)
  else openFor(state, item, out)
}

/** Writes what waits, as far as it may be written now; all of it at the end of the reply. */
function empty(state: WriterState, all: boolean, out: Out): void {
  while (all || !isBusy(state.open)) {
    const first = dequeue(state.queue)
    if (first === undefined) return
    state.queue = first[1]
    openFor(state, first[0], out)
  }
}

/** Starts the message if need be, closes what is open, and opens a block for `item`. */
function openFor(state: WriterState, item: Content, out: Out): void {
  start(state, out)
  closeOpen(state, out)
  if (item.kind !== "reasoning") carry(state, out)
  openBlock(state, item, out)
}

function openBlock(state: WriterState, item: Content, out: Out): void {
  const { index } = state
  switch (item.kind) {
    case "search":
      writeSearch(state, item, out)
      return
    case "compaction":
      writeCompaction(state, item, out)
      return
    case "tool": {
      out.push(startEvent(index, callBlock(item.id, item.name)))
      // The real API opens the arguments with an empty piece; clients that read only deltas then see {}.
      out.push(deltaEvent(index, "input_json_delta", ""))
      state.written = addText(state.written, item.name)
      addTo(state, item, out)
      return
    }
    case "text":
      out.push(startEvent(index, { type: "text", text: "" }))
      state.open = openText
      addTo(state, item, out)
      return
    case "reasoning":
      out.push(startEvent(index, { type: "thinking", thinking: "", signature: "" }))
      state.open = { kind: "reasoning", field: item.field }
      state.thinking = noText
      addTo(state, item, out)
      return
    default:
      item satisfies never
  }
}

/** The call of a toolset's member tells both names apart. */
function callBlock(id: string, name: string): ReplyBlock {
  const split = splitMember(name)
  if (split === undefined) return { type: "tool_use", id, name, input: {} }
  return { type: "tool_use", id, name: split.member, input: {}, toolset_name: split.toolset }
}

const openText: Open = { kind: "text" }

function startEvent(index: number, content_block: ReplyBlock): MessagesEvent {
  return { type: "content_block_start", index, content_block }
}

function closeOpen(state: WriterState, out: Out): void {
  const { open, index } = state
  if (open.kind === "none") return
  endHalf(state, out)
  if (open.kind === "reasoning") {
    signEnd(state, open.field, textOf(state.thinking), out)
    state.cargo = noCargo
  } else out.push({ type: "content_block_stop", index })
  if (open.kind === "tool") state.closed = new Set([...state.closed, open.key])
  state.open = nothingOpen
  state.index = index + 1
}

function signEnd(state: WriterState, field: string, thinking: string, out: Out): void {
  const { index, cargo, options } = state
  const carrier = { provider: options.provider, model: options.upstreamModel, field, cargo }
  const delta: BlockDelta = { type: "signature_delta", signature: encodeCarrier(carrier, thinking) }
  out.push({ type: "content_block_delta", index, delta }, { type: "content_block_stop", index })
}

/** Opaque data without a thinking block to travel in gets one without text. */
function carry(state: WriterState, out: Out): void {
  if (isEmptyCargo(state.cargo)) return
  out.push(startEvent(state.index, { type: "thinking", thinking: "", signature: "" }))
  signEnd(state, "", "", out)
  state.index += 1
  state.cargo = noCargo
}

function writeEnd(state: WriterState, out: Out): void {
  start(state, out)
  empty(state, true, out)
  closeOpen(state, out)
  // `claude -p` takes the last block for the answer, and gives nothing where that is no text (observed with 2.1.329):
  // so none stands behind it that nobody asks for.
  if (!state.sawTool && state.index > 0) state.cargo = withoutTextSignatures(state.cargo)
  carry(state, out)
  const stop_reason = finalReason(state)
  const stop_sequence = stop_reason === "stop_sequence" ? state.stopSequence : null
  const usage = finalUsage(state)
  out.push({ type: "message_delta", delta: { stop_reason, stop_sequence }, usage }, { type: "message_stop" })
  state.phase = "ended"
}
