// The writer: deltas in, Anthropic's events out. The grammar of the Messages stream lives here and nowhere
// else: blocks never overlap, indexes rise by one, one message_start, one end, nothing after an error.
import { fault } from "../protocol/fault.ts"
import type { MessagesEvent, ReplyBlock } from "../protocol/messages.ts"
import { encodeCarrier } from "./carrier.ts"
import type { Delta } from "./delta.ts"
import { finalReason, finalUsage } from "./final.ts"
import type { Open, ToolDelta, WriterState } from "./writer-state.ts"

type Step = readonly [WriterState, readonly MessagesEvent[]]

/** Emits message_start, once; for answers that must begin before the upstream's first word. */
export function begin(state: WriterState): Step {
  if (state.phase !== "new") return [state, []]
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
 * and does not count pings (wire.md §3.3, observed).
 */
export function keepAlive(state: WriterState): readonly MessagesEvent[] {
  if (state.phase !== "started") return []
  const index = state.index
  switch (state.open.kind) {
    case "text":
      return [{ type: "content_block_delta", index, delta: { type: "text_delta", text: "" } }]
    case "thinking":
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
  if (state.phase === "ended") return [state, []]
  switch (delta.kind) {
    case "text":
      return writeText(state, delta.text)
    case "reasoning":
      return writeReasoning(state, delta.text, delta.field)
    case "tool":
      return writeTool(state, delta)
    case "usage":
      return [{ ...state, usage: delta.usage }, []]
    case "finish":
      return [{ ...state, finish: delta.reason, stopSequence: delta.stopSequence }, []]
    case "end":
      return writeEnd(state, delta.clean)
    case "fault":
      return [{ ...state, phase: "ended" }, [{ type: "error", fault: delta.fault }]]
    default:
      return delta satisfies never
  }
}

function writeText(state: WriterState, text: string): Step {
  if (text === "") return [state, []]
  const event = (index: number): MessagesEvent => ({
    type: "content_block_delta",
    index,
    delta: { type: "text_delta", text },
  })
  const written = state.written + text
  if (state.open.kind === "text") return [{ ...state, written }, [event(state.index)]]
  const [next, events] = openBlock(state, { kind: "text" }, { type: "text", text: "" })
  return [{ ...next, written }, [...events, event(next.index)]]
}

function writeReasoning(state: WriterState, thinking: string, field: string): Step {
  if (thinking === "") return [state, []]
  const event = (index: number): MessagesEvent => ({
    type: "content_block_delta",
    index,
    delta: { type: "thinking_delta", thinking },
  })
  const written = state.written + thinking
  if (state.open.kind === "thinking") return [{ ...state, written }, [event(state.index)]]
  const block: ReplyBlock = { type: "thinking", thinking: "", signature: "" }
  const [next, events] = openBlock(state, { kind: "thinking", field }, block)
  return [{ ...next, written }, [...events, event(next.index)]]
}

function writeTool(state: WriterState, delta: ToolDelta): Step {
  const { open } = state
  if (open.kind === "tool" && open.key === delta.key) return continueTool(state, delta)
  // A closed call cannot be reopened; what still comes for it is lost, and there is no cure for that.
  if (state.closed.includes(delta.key)) return [state, []]
  if (open.kind !== "tool") return startTool(state, delta)
  const [first, ...rest] = addWaiting(state.waiting, delta)
  // The open call is whole and the next in line has something to say: its turn has come.
  if (open.complete && first !== undefined && first.key === delta.key) {
    return startTool({ ...state, waiting: rest }, first)
  }
  return [{ ...state, waiting: first === undefined ? rest : [first, ...rest] }, []]
}

function continueTool(state: WriterState, delta: ToolDelta): Step {
  const next: WriterState = {
    ...state,
    written: state.written + delta.args,
    open: { kind: "tool", key: delta.key, complete: delta.complete },
    lastToolComplete: delta.complete,
  }
  return [next, delta.args === "" ? [] : [argumentsEvent(state.index, delta.args)]]
}

function startTool(state: WriterState, delta: ToolDelta): Step {
  const open = { kind: "tool", key: delta.key, complete: delta.complete } as const
  const block: ReplyBlock = { type: "tool_use", id: delta.id, name: delta.name, input: {} }
  const [begun, first] = begin(state)
  const [ready, last] = closeOpen(begun)
  const index = ready.index
  const start: MessagesEvent = { type: "content_block_start", index, content_block: block }
  // The real API opens the arguments with an empty piece; clients that read only deltas then see {}.
  const pieces = [argumentsEvent(index, "")]
  if (delta.args !== "") pieces.push(argumentsEvent(index, delta.args))
  const written = `${ready.written}${delta.name}${delta.args}`
  const next: WriterState = { ...ready, open, written, sawTool: true, lastToolComplete: delta.complete }
  return [next, [...first, ...last, start, ...pieces]]
}

function argumentsEvent(index: number, partial_json: string): MessagesEvent {
  return { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } }
}

function addWaiting(waiting: readonly ToolDelta[], delta: ToolDelta): readonly ToolDelta[] {
  if (!waiting.some((call) => call.key === delta.key)) return [...waiting, delta]
  return waiting.map((call) =>
    call.key === delta.key ? { ...call, args: call.args + delta.args, complete: delta.complete } : call,
  )
}

/** Starts the message if need be, closes what is open, empties the waiting calls, then opens `block`. */
function openBlock(state: WriterState, open: Open, block: ReplyBlock): Step {
  const [begun, first] = begin(state)
  const [settled, events] = settle(begun)
  const start: MessagesEvent = { type: "content_block_start", index: settled.index, content_block: block }
  return [{ ...settled, open }, [...first, ...events, start]]
}

/** No block open and no call waiting afterwards. */
function settle(state: WriterState): Step {
  let [current, events] = closeOpen(state)
  while (current.waiting.length > 0) {
    const [call, ...waiting] = current.waiting
    if (call === undefined) break
    const [started, startEvents] = startTool({ ...current, waiting }, call)
    const [closed, closeEvents] = closeOpen(started)
    current = closed
    events = [...events, ...startEvents, ...closeEvents]
  }
  return [current, events]
}

function closeOpen(state: WriterState): Step {
  const { open, index } = state
  if (open.kind === "none") return [state, []]
  const stop: MessagesEvent = { type: "content_block_stop", index }
  const closed = open.kind === "tool" ? [...state.closed, open.key] : state.closed
  const next: WriterState = { ...state, open: { kind: "none" }, index: index + 1, closed }
  if (open.kind !== "thinking") return [next, [stop]]
  const { provider, upstreamModel } = state.options
  const signature = encodeCarrier({ provider, model: upstreamModel, field: open.field })
  return [next, [{ type: "content_block_delta", index, delta: { type: "signature_delta", signature } }, stop]]
}

function writeEnd(state: WriterState, clean: boolean): Step {
  if (!clean) {
    const cut = fault({
      kind: "api_error",
      source: "upstream",
      status: 502,
      retry: "before-first-byte",
      cut: true,
      message: "the upstream closed the connection before its reply was complete",
    })
    return [{ ...state, phase: "ended" }, [{ type: "error", fault: cut }]]
  }
  const [begun, first] = begin(state)
  const [settled, events] = settle(begun)
  const stop_reason = finalReason(settled)
  const stop_sequence = stop_reason === "stop_sequence" ? settled.stopSequence : null
  const end: readonly MessagesEvent[] = [
    { type: "message_delta", delta: { stop_reason, stop_sequence }, usage: finalUsage(settled) },
    { type: "message_stop" },
  ]
  return [{ ...settled, phase: "ended" }, [...first, ...events, ...end]]
}
