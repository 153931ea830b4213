// Treacherous streams, one test for each number: text, reasoning and tags.
import { expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { baseProfile } from "../../src/providers/base-profile.ts"
import { messagesOf, result, user } from "../convert/request-support.ts"
import {
  chatUsage,
  deltaChunk,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
} from "../support/chunks.ts"
import {
  eventsOf,
  foldOf,
  inputs,
  optionsFor,
  play,
  renderEvents,
  writerOptions,
} from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { strictProviders } from "../support/strict/providers.ts"
import { blocksOf } from "./support.ts"

const blocks = (chunks: readonly JsonObject[], options = {}) => blocksOf(eventsOf(chunks, options))

/** The blocks by a provider's own row, for the first of its models that has rules of its own. */
function blocksAt(provider: string, chunks: readonly JsonObject[]): readonly string[] {
  const model = strictProviders.find(({ id }) => id === provider)?.models[0] ?? "some-model"
  return blocksOf(play(inputs(chunks), optionsFor({ provider, model })))
}

const everyProvider = strictProviders.map(({ id }) => id)

test("36: a role alone, then content: one message_start, and block 0 is text", () => {
  const events = eventsOf([roleChunk(), textChunk("Hi"), finishChunk("stop", chatUsage(3, 2))])
  expect(checkGrammar(events)).toEqual([])
  expect(renderEvents(events)).toEqual([
    "message_start 7",
    "0 text",
    '0   "Hi"',
    "0 stop",
    'message_delta end_turn {"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}',
    "message_stop",
  ])
})

test("37: reasoning, text and a call become three blocks, each closed before the next", () => {
  const chunks = [reasoningChunk("Hm."), textChunk("So."), ...toolChunks(0, "call_12345", "Read", { a: 1 })]
  const events = eventsOf([...chunks, finishChunk("tool_calls", chatUsage(3, 2))])
  expect(checkGrammar(events)).toEqual([])
  expect(renderEvents(events).slice(1, -2)).toEqual([
    ...["0 thinking", '0   "Hm."', "0   signature", "0 stop"],
    ...["1 text", '1   "So."', "1 stop"],
    ...["2 tool_use Read call_12345", '2   ""', '2   "{\\"a\\":1}"', "2 stop"],
  ])
})

test("38: one reasoning under two names is written once", () => {
  const words = ["Hm", "."]
  const both = words.map((word) => deltaChunk({ reasoning: word, reasoning_content: word }))
  for (const provider of everyProvider) {
    const expected = ["thinking: Hm.", "text: So."]
    const found = blocksAt(provider, [...both, textChunk("So."), finishChunk("stop")])
    expect([provider, found]).toEqual([provider, expected])
  }
})

test("39: a think tag over several chunks is reasoning, and a later one in the text is text", () => {
  const pieces = ["<th", "ink>", "\n", "Hm", ".</thi", "nk>\n", "\nSo: `<think>` is a ", "<think>tag</think>"]
  const chunks = [...pieces.map(textChunk), finishChunk("stop")]
  for (const provider of everyProvider) {
    const expected = ["thinking: Hm.", "text: So: `<think>` is a <think>tag</think>"]
    expect([provider, blocksAt(provider, chunks)]).toEqual([provider, expected])
  }
  for (const tag of ["think", "thinking", "thought", "mm:think"]) {
    const letters = [...`<${tag}>Hm.</${tag}>So.`].map(textChunk)
    expect(blocks([...letters, finishChunk("stop")])).toEqual(["thinking: Hm.", "text: So."])
  }
})

test("40: where the template opens the tag, what stands before the closing one is reasoning", () => {
  const reasoning = { ...baseProfile.reasoning, thinkTags: "implicit" as const }
  const implicit = { profile: { ...baseProfile, reasoning } }
  const expected = ["thinking: Hm.", "text: So."]
  expect(blocks([...["Hm", ".</th", "ink>So."].map(textChunk), finishChunk("stop")], implicit)).toEqual(
    expected,
  )
  expect(blocks([textChunk("<think>Hm.</think>So."), finishChunk("stop")], implicit)).toEqual(expected)
  // Without the closing tag it was the answer.
  expect(blocks([textChunk("So."), finishChunk("stop")], implicit)).toEqual(["thinking: So.", "text: So."])
})

test("66: Mistral's content parts become thinking and text", () => {
  const parts = (...content: readonly JsonObject[]) => deltaChunk({ content })
  const words = (text: string) => ({ type: "text", text })
  const chunks = [
    parts({ type: "thinking", thinking: [words("a"), words("b")] }),
    parts({ type: "thinking", thinking: [words("c")] }),
    parts(words("d"), { type: "reference", reference_ids: [1] }),
    textChunk("e"),
    finishChunk("stop"),
  ]
  for (const provider of everyProvider) {
    expect([provider, blocksAt(provider, chunks)]).toEqual([provider, ["thinking: abc", "text: de"]])
  }
})

test("67: OpenRouter's details with a late signature travel as one carrier, merged and in order", () => {
  const target = { provider: "openrouter", model: "anthropic/claude-sonnet-4.5" }
  const part = (more: JsonObject) => ({
    type: "reasoning.text",
    index: 0,
    format: "anthropic-claude-v1",
    ...more,
  })
  const piece = (reasoning: string, detail: JsonObject) =>
    deltaChunk({ reasoning, reasoning_details: [detail] })
  const encrypted = { type: "reasoning.encrypted", index: 1, data: "opaque", id: "rs_1" }
  const chunks = [
    piece("One ", part({ text: "One " })),
    piece("two.", part({ text: "two." })),
    deltaChunk({ content: "", reasoning_details: [part({ signature: "sig-1" })] }),
    deltaChunk({ reasoning_details: [encrypted] }),
    ...toolChunks(0, "call_12345", "Read", { a: 1 }),
    finishChunk("tool_calls"),
  ]
  const writing = { ...writerOptions, provider: target.provider, upstreamModel: target.model }
  const events = play(inputs(chunks), optionsFor(target), writing)
  expect(blocksOf(events)).toEqual(["thinking: One two.", 'Read {"a":1}'])
  expect(renderEvents(events).filter((line) => line.endsWith("signature"))).toEqual(["0   signature"])
  const content = foldOf(chunks, optionsFor(target)).reply?.content ?? []
  expect(content.length).toBe(2)
  const kept = events.flatMap((event) => (event.type === "content_block_delta" ? [event.delta] : []))
  const signature = kept.flatMap((delta) => (delta.type === "signature_delta" ? [delta.signature] : []))[0]
  const thinking = { type: "thinking", thinking: "One two.", signature }
  const history = [
    user("hi"),
    { role: "assistant", content: [thinking, content[1]] },
    user(result("call_12345")),
  ]
  expect(messagesOf(history, [target.provider, target.model])[1]).toMatchObject({
    reasoning_details: [part({ text: "One two.", signature: "sig-1" }), encrypted],
  })
})
