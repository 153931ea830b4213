// The writer for OpenAI's clients: Anthropic's events in, chunks out. One role chunk first, calls numbered from
// zero without gaps, one finish chunk, `[DONE]` at the end, and nothing after an error.

import type { Fault } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { DeltaEvent } from "../../protocol/messages/delta-run.ts"
import type { DeltaRun, MessagesEvent } from "../../protocol/messages/messages.ts"
import { quotedTexts, type Texts, unquote } from "../../protocol/texts.ts"
import { carriersOfCalls } from "../common/carrier.ts"
import { readMessagesEvent } from "./events.ts"
import {
  type ChatUsageOut,
  chatId,
  convertUsage,
  gapBefore,
  mapFinishReason,
  parts,
  type ReplyOptions,
  type Signatures,
  signatureOf,
} from "./reply.ts"

export interface ChatWriterOptions extends ReplyOptions {
  /** The client asked for usage in a chunk of its own (`stream_options.include_usage`). */
  readonly includeUsage: boolean
}

interface ChatChunkOut {
  readonly id: string
  readonly object: "chat.completion.chunk"
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly delta: JsonObject
    readonly logprobs: null
    readonly finish_reason: string | null
  }[]
  readonly usage?: ChatUsageOut | null
}

export type ChatOutput =
  | { readonly kind: "chunk"; readonly chunk: ChatChunkOut }
  /** Chunks in a row like this one, which says nothing: each text takes the place of its one empty text. */
  | { readonly kind: "run"; readonly chunk: ChatChunkOut; readonly field: string; readonly quoted: Quoted }
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly fault: Fault }

type Quoted = Texts["quoted"]

/** A call whose block is open. */
interface OpenCall {
  /** Index of the block. */
  readonly block: number
  /** Index of the call; undefined: an older client was given another one already. */
  readonly call: number | undefined
  /** What the block began with, for streams that give the input at once. */
  readonly input: JsonObject
  readonly sent: boolean
}

interface ChatWriterState {
  readonly options: ChatWriterOptions
  readonly phase: "new" | "started" | "ended"
  readonly id: string
  readonly model: string
  readonly calls: number
  /** What text there was: none, some, or some with a call behind it. */
  readonly text: "none" | "some" | "behind-it"
  readonly open: readonly OpenCall[]
  /** Signatures of calls to come: the thinking before them holds them. */
  readonly signed: Signatures
  readonly reason: string | undefined
  readonly usage: JsonObject
}

type Step = readonly [ChatWriterState, readonly ChatOutput[]]

const nothing: readonly ChatOutput[] = []

/** The state before the first event. */
export function initialChatWriter(options: ChatWriterOptions): ChatWriterState {
  const empty = { id: chatId(""), model: "", calls: 0, open: [], signed: {}, reason: undefined, usage: {} }
  return { options, phase: "new", text: "none", ...empty }
}

/** One event in; the next state and what goes to the client out. After an end or an error nothing more comes. */
export function writeChat(state: ChatWriterState, event: MessagesEvent): Step {
  if (state.phase === "ended") return [state, nothing]
  switch (event.type) {
    case "message_start": {
      const { id, model, usage } = event.message
      return begin({ ...state, id: chatId(id), model, usage: { ...state.usage, ...usage } })
    }
    case "content_block_start":
      return after(begin(state), (begun) => writeStart(begun, event))
    case "content_block_delta":
      return after(begin(state), (begun) => writeDelta(begun, event))
    case "content_block_deltas":
      return after(begin(state), (begun) => writeRun(begun, event))
    case "content_block_stop":
      return writeStop(state, event.index)
    case "message_delta": {
      const reason = event.delta.stop_reason ?? state.reason
      return [{ ...state, reason, usage: { ...state.usage, ...event.usage } }, nothing]
    }
    case "message_stop":
      return after(begin(state), writeEnd)
    case "error":
      return [{ ...state, phase: "ended" }, [{ kind: "error", fault: event.fault }]]
    case "native": {
      // One of ours at most.
      const [own] = readMessagesEvent(event.value)
      return own === undefined ? [state, nothing] : writeChat(state, own)
    }
    default:
      return event satisfies never
  }
}

function after([state, before]: Step, go: (state: ChatWriterState) => Step): Step {
  const [next, more] = go(state)
  return before.length === 0 ? [next, more] : [next, [...before, ...more]]
}

/** The role chunk, once. */
function begin(state: ChatWriterState): Step {
  if (state.phase !== "new") return [state, nothing]
  const next: ChatWriterState = { ...state, phase: "started" }
  return [next, [chunk(next, { role: "assistant", content: "", refusal: null })]]
}

function chunk(state: ChatWriterState, delta: JsonObject, finish: string | null = null): ChatOutput {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  return { kind: "chunk", chunk: { ...head(state), choices, ...usageField(state, null) } }
}

function head({ id, model, options }: ChatWriterState) {
  return { id, object: "chat.completion.chunk", created: options.created, model } as const
}

/** Once usage is asked for, every chunk has the field, and all but the last say null. */
function usageField({ options }: ChatWriterState, usage: ChatUsageOut | null): Pick<ChatChunkOut, "usage"> {
  return options.includeUsage ? { usage } : {}
}

type StartEvent = Extract<MessagesEvent, { type: "content_block_start" }>

function writeStart(state: ChatWriterState, { index, content_block: block }: StartEvent): Step {
  if (block.type === "text") return writeText(state, block.text)
  if (block.type === "thinking") return [state, said(state, "reasoning_content", block.thinking)]
  const text = state.text === "some" && parts(block.type) ? "behind-it" : state.text
  // Tools that ran on the server have had their say in the text.
  if (block.type !== "tool_use") return [{ ...state, text }, nothing]
  const { id, name, input } = block
  const { legacyCalls } = state.options
  const call = legacyCalls && state.calls > 0 ? undefined : state.calls
  const opened: OpenCall = { block: index, call, input, sent: false }
  const next: ChatWriterState = { ...state, text, calls: state.calls + 1, open: [...state.open, opened] }
  if (call === undefined) return [next, nothing]
  const named = { name, arguments: "" }
  if (legacyCalls) return [next, [chunk(state, { function_call: named })]]
  const begun = { index: call, id, type: "function", function: named, ...signatureOf(id, state.signed) }
  return [next, [chunk(state, { tool_calls: [begun] })]]
}

function writeText(state: ChatWriterState, text: string): Step {
  if (text === "") return [state, nothing]
  return after(
    beginText(state, () => text),
    (next) => [next, piece(next, "content", text)],
  )
}

/** The text, told by its beginning, goes on where there was text already, or is a paragraph of its own. */
function beginText(state: ChatWriterState, beginning: () => string): Step {
  if (state.text === "some") return [state, nothing]
  const gap = state.text === "none" ? "" : gapBefore(beginning())
  return [{ ...state, text: "some" }, said(state, "content", gap)]
}

function said(state: ChatWriterState, field: string, text: string): readonly ChatOutput[] {
  return text === "" ? nothing : piece(state, field, text)
}

function piece(state: ChatWriterState, field: string, text = ""): readonly ChatOutput[] {
  return [chunk(state, { [field]: text })]
}

function writeDelta(state: ChatWriterState, { index, delta }: DeltaEvent): Step {
  if (delta.type === "text_delta") return writeText(state, delta.text)
  if (delta.type === "thinking_delta") return [state, said(state, "reasoning_content", delta.thinking)]
  if (delta.type === "signature_delta") {
    return [{ ...state, signed: { ...state.signed, ...carriersOfCalls(delta.signature) } }, nothing]
  }
  if (delta.type !== "input_json_delta" || delta.partial_json === "") return [state, nothing]
  const [next, call] = openCall(state, index)
  return [next, call === undefined ? nothing : argumentsOf(state, call, delta.partial_json)]
}

/** The call of this block, of which arguments are sent now. */
function openCall(state: ChatWriterState, index: number): readonly [ChatWriterState, OpenCall | undefined] {
  const place = state.open.findIndex(({ block }) => block === index)
  const call = state.open[place]
  if (call === undefined || call.sent) return [state, call]
  return [{ ...state, open: state.open.with(place, { ...call, sent: true }) }, call]
}

function argumentsOf(state: ChatWriterState, { call }: OpenCall, text: string): readonly ChatOutput[] {
  if (call === undefined) return nothing
  if (state.options.legacyCalls) return [chunk(state, { function_call: { arguments: text } })]
  return [chunk(state, { tool_calls: [{ index: call, function: { arguments: text } }] })]
}

const textFields = { text_delta: "content", thinking_delta: "reasoning_content" } as const

function writeRun(state: ChatWriterState, run: DeltaRun): Step {
  const { index, delta } = run
  const quoted = quotedTexts(run)
  if (delta !== "input_json_delta") {
    const begun =
      delta === "text_delta" ? beginText(state, () => unquote(quoted[0] ?? "")) : ([state, nothing] as const)
    return after(begun, (next) => [next, runOf(piece(next, textFields[delta]), textFields[delta], quoted)])
  }
  const [next, call] = openCall(state, index)
  return [next, call === undefined ? nothing : runOf(argumentsOf(state, call, ""), "arguments", quoted)]
}

function runOf(outputs: readonly ChatOutput[], field: string, quoted: Quoted): readonly ChatOutput[] {
  return outputs.map((output) =>
    output.kind === "chunk" ? { ...output, kind: "run", field, quoted } : output,
  )
}

/** Arguments that never came are those of the block's start: clients parse them, and "" is no JSON. */
function writeStop(state: ChatWriterState, index: number): Step {
  const call = state.open.find(({ block }) => block === index)
  if (call === undefined) return [state, nothing]
  const next = { ...state, open: state.open.filter((one) => one !== call) }
  return [next, call.sent ? nothing : argumentsOf(state, call, JSON.stringify(call.input))]
}

function writeEnd(state: ChatWriterState): Step {
  const { options, reason, calls } = state
  const finish = chunk(state, {}, mapFinishReason(reason, calls > 0, options.legacyCalls))
  const last = { ...head(state), choices: [], ...usageField(state, convertUsage(state.usage)) }
  const usage: readonly ChatOutput[] = options.includeUsage ? [{ kind: "chunk", chunk: last }] : nothing
  return [{ ...state, phase: "ended" }, [finish, ...usage, { kind: "done" }]]
}
