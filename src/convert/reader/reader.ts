// What every dialect's reader does in the same way: calls, usage, why a reply ended, and its end.

import { overflowMessage } from "../../protocol/errors/overflow.ts"
import { type Fault, fault } from "../../protocol/fault.ts"
import type { MessagesUsage } from "../../protocol/messages/messages.ts"
import type { Delta } from "../common/delta.ts"
import { noText, textOf } from "../common/grown-text.ts"
import { reportedCost } from "../common/reported-cost.ts"
import { callsAtEnd } from "../text-calls/flush.ts"
import { readToolCalls } from "../tool-calls/tool-calls.ts"
import { endToolCalls } from "../tool-calls/tool-end.ts"
import { initialTools } from "../tool-calls/tool-slots.ts"
import { type Finish, laterUsage } from "./finish.ts"
import {
  each,
  initialCalls,
  isCut,
  lastText,
  none,
  plainText,
  type ReaderOptions,
  type ReaderState,
  releaseAll,
  type Step,
  take,
  textCall,
} from "./reader-text.ts"
import { endSearch } from "./search.ts"
import { initialTags } from "./think-tags.ts"
import { initialTracks } from "./unroll.ts"

/** The state before anything has come. */
export function initialReader(options: ReaderOptions): ReaderState {
  return {
    options,
    tags: initialTags(options.profile.reasoning.thinkTags),
    thoughts: "none",
    textCalls: initialCalls(options),
    thought: noText,
    tools: initialTools,
    space: "",
    spaceOf: "text",
    last: "nothing",
    thoughtInField: false,
    tracks: initialTracks,
    sounds: false,
    pages: [],
    told: undefined,
    searched: false,
    finish: undefined,
    usage: undefined,
    counted: undefined,
    timings: undefined,
    ended: false,
  }
}

/**
 * Entries of calls in the form of `tool_calls`, whole ones or fragments. What was held back of the text must have
 * been released.
 */
export function called(state: ReaderState, calls: readonly unknown[], whole: boolean): Step {
  const [tools, deltas] = readToolCalls(state.tools, calls, state.options.tools, whole)
  state.tools = tools
  // A server that reads its model's calls leaves none in the text.
  state.textCalls = undefined
  state.space = ""
  state.last = "tool"
  return deltas
}

/** Counts of tokens: totals, of which the last ones count. `counted` and `timings` are what they were read from. */
export function reported(
  state: ReaderState,
  found: MessagesUsage,
  counted: unknown,
  timings = state.timings,
): Step {
  const usage = laterUsage(state.usage, found)
  const costUsd = reportedCost(counted)
  const delta: Delta = costUsd === undefined ? { kind: "usage", usage } : { kind: "usage", usage, costUsd }
  state.usage = usage
  state.counted = counted
  state.timings = timings
  return [delta]
}

/** Why the reply ends; `stopped` is the sequence the upstream names, if it names one. */
export function finished(state: ReaderState, finish: Finish, stopped?: string): Step {
  const earlier = state.finish
  // With several reasons the first one that is not a plain stop counts, and no failure undoes a stop.
  const plain = earlier?.kind === "stop" && earlier.reason === "end_turn"
  if (earlier !== undefined && (!plain || finish.kind === "fault")) return none
  if (finish.kind === "fault") return failed(state, finish.fault)
  if (finish.kind === "window" && state.last === "nothing") {
    const { inputTokens, contextWindow } = state.options.errors
    const message = overflowMessage("", inputTokens(), contextWindow)
    return failed(state, fault({ kind: "invalid_request_error", source: "upstream", message }))
  }
  state.finish = finish
  return [finishDelta(state, finish, stopped)]
}

function finishDelta({ options }: ReaderState, finish: Finish, stopped: string | undefined): Delta {
  if (finish.kind === "window") return { kind: "finish", reason: "max_tokens", stopSequence: null }
  if (stopped !== undefined && options.stopSequences.includes(stopped)) {
    return { kind: "finish", reason: "stop_sequence", stopSequence: stopped }
  }
  const reason = finish.kind === "stop" ? finish.reason : options.profile.contentFilter
  const isOdd = finish.kind !== "stop" || !finish.known
  return isOdd
    ? { kind: "finish", reason, stopSequence: null, odd: true }
    : { kind: "finish", reason, stopSequence: null }
}

/** Once a finish reason is known all of the reply is here: what then fails changes nothing for the client. */
export function failed(state: ReaderState, found: Fault): Step {
  if (state.finish !== undefined) return readEnd(state, true)
  state.ended = true
  return [{ kind: "fault", fault: found }]
}

/** Nothing more comes: what was held is released, and every call finished. */
export function readEnd(state: ReaderState, clean: boolean): Step {
  if (!clean && state.finish === undefined) {
    state.ended = true
    return [{ kind: "end", clean: false }]
  }
  const out: Delta[] = []
  take(releaseAll(state), out)
  take(callsInThought(state), out)
  take(lastWords(state), out)
  if (state.last === "nothing" && state.finish === undefined) return failed(state, noReply(state))
  const cut = isLimited(state)
  for (const delta of endSearch(state)) out.push(delta)
  for (const delta of endToolCalls(state.tools, state.options.tools, cut)) out.push(delta)
  out.push(cleanEnd)
  state.ended = true
  return out
}

const cleanEnd: Delta = { kind: "end", clean: true }

const isLimited = ({ finish }: ReaderState): boolean =>
  finish?.kind === "stop" && finish.reason === "max_tokens"

/**
 * At the end of a reply that holds nothing else but thoughts: the calls they end with. Thoughts also speak of calls,
 * but then something follows; and a limit or a stop sequence may have cut them anywhere.
 */
function callsInThought(state: ReaderState): Step {
  const { textCalls, thought, last, tags, options } = state
  if (textCalls === undefined || thought === undefined || last === "text" || last === "tool") return none
  // What may have been the answer is read as that.
  if (tags.unproved !== undefined) return none
  if (isCut(state) || options.stopSequences.length > 0) return none
  return each(state, callsAtEnd(textCalls, textOf(thought)), (reader, call) =>
    textCall(reader, call, inThought),
  )
}

const inThought = { path: "choices.0.message.reasoning_content", where: "into the thinking" }

/** Text that the end of a reply without any needs. */
function lastWords(state: ReaderState): Step {
  const { last, finish, tags, sounds, options } = state
  if (last === "text" || last === "tool") return none
  if (finish?.kind === "filtered" && options.profile.contentFilter === "refusal") return none
  if (finish?.kind === "filtered")
    return plainText(state, "[The provider's content filter stopped this reply.]")
  if (sounds) return plainText(state, "[audio omitted]")
  // The closing tag never came: what was taken for reasoning was the answer, unless it was cut short.
  if (tags.unproved === undefined || tags.unproved.trim() === "") return none
  return isLimited(state) ? none : lastText(state, tags.unproved)
}

function noReply({ options }: ReaderState): Fault {
  const message = `[${options.errors.provider}] the upstream's reply is empty: it holds nothing that could be one`
  const retry = "before-first-byte"
  return fault({ kind: "api_error", source: "upstream", status: 502, retry, message })
}
