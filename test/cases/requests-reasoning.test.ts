// Case 30: what a provider gave as reasoning goes back to it exactly, by way of a client that keeps only blocks
// and their signatures; and reasoning of others never goes where it would be refused.
import { expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import type { ReplyBlock } from "../../src/protocol/messages/messages.ts"
import { assistant, messagesOf, result, type Target, text, user } from "../convert/request-support.ts"
import { deltaChunk, finishChunk, textChunk, toolChunk } from "../support/chunks.ts"
import { inputs, optionsFor, play, writerOptions } from "../support/fixtures.ts"
import { everyTarget, failing } from "./support.ts"

const hi = user(text("hi"))
const id = "call_00_abc"
const args = '{"file_path":"/a"}'
const toolCall = { id, type: "function", function: { name: "Read", arguments: args } }
const callChunk = toolChunk({ index: 0, id, name: "Read", args })
const finish = finishChunk("tool_calls")
const tools = [{ name: "Read", input_schema: { type: "object", properties: {} } }]

/** The content that a client keeps of a stream of this target. */
function kept([provider, model]: Target, chunks: readonly JsonObject[]): readonly ReplyBlock[] {
  const options = optionsFor({ provider, model })
  const writing = { ...writerOptions, provider, upstreamModel: model }
  return foldEvents(play(inputs(chunks), options, writing)).reply?.content ?? []
}

/** What the next request says of that turn. */
function again(content: readonly unknown[], target: Target): unknown {
  const history = [hi, assistant(...content), user(result(id))]
  const thinking = { type: "adaptive" }
  return messagesOf(history, target, { tools, thinking }).find((message) =>
    JSON.stringify(message).includes('"role":"assistant"'),
  )
}

const details = [
  { type: "reasoning.text", text: "Look.", signature: "sig-1", format: "anthropic-claude-v1", index: 0 },
  { type: "reasoning.encrypted", data: "opaque-2", id: "rs_1", format: "openai-responses-v1", index: 1 },
]
const signed = { google: { thought_signature: "EjQKsignature" } }

interface Trip {
  readonly target: Target
  readonly chunks: readonly JsonObject[]
  readonly back: JsonObject
}

const plain = (target: Target, field: string, back: JsonObject = { [field]: "Look." }): Trip => ({
  target,
  chunks: [deltaChunk({ [field]: "Lo" }), deltaChunk({ [field]: "ok." })],
  back,
})

const trips: readonly Trip[] = [
  plain(["deepseek", "deepseek-v4-pro"], "reasoning_content"),
  plain(["moonshot", "kimi-k2.6"], "reasoning_content"),
  plain(["zai", "glm-4.6"], "reasoning_content"),
  plain(["ark", "doubao-seed-1-8-251228"], "reasoning_content"),
  plain(["fireworks", "accounts/fireworks/models/glm-4p6"], "reasoning_content"),
  plain(["llamacpp", "qwen3"], "reasoning_content"),
  plain(["groq", "openai/gpt-oss-120b"], "reasoning"),
  plain(["ollama", "qwen3"], "reasoning"),
  plain(["vllm", "Qwen/Qwen3-8B"], "reasoning", { reasoning: "Look.", reasoning_content: "Look." }),
  {
    target: ["openrouter", "anthropic/claude-sonnet-4.5"],
    chunks: [
      deltaChunk({ reasoning: "Look.", reasoning_details: [{ ...details[0], signature: null }] }),
      deltaChunk({ reasoning_details: [{ ...details[0], text: "" }] }),
      deltaChunk({ reasoning_details: [details[1]] }),
    ],
    back: { reasoning_details: details },
  },
  plain(["openrouter", "z-ai/glm-4.6"], "reasoning"),
  {
    target: ["minimax", "MiniMax-M3"],
    chunks: [deltaChunk({ reasoning_details: [{ type: "reasoning.text", text: "Look." }] })],
    back: { reasoning_details: [{ type: "reasoning.text", text: "Look." }] },
  },
  {
    target: ["generic", "MiniMax-M2"],
    chunks: [textChunk("<think>\nLook.\n</think>\n\n")],
    back: { content: "<think>\nLook.\n</think>\n\nReading." },
  },
  {
    target: ["copilot", "gemini-2.5-pro"],
    chunks: [deltaChunk({ reasoning_text: "Look.", reasoning_opaque: "opaque-3" })],
    back: { reasoning_text: "Look.", reasoning_opaque: "opaque-3" },
  },
]

test("30: a provider's own reasoning is restored exactly, and what others signed is text or nothing", () => {
  for (const { target, chunks, back } of trips) {
    const content = kept(target, [...chunks, textChunk("Reading."), callChunk, finish])
    const sentCall = target[1].startsWith("kimi-k2") ? { ...toolCall, id: "functions.Read:0" } : toolCall
    const expected = { role: "assistant", content: "Reading.", ...back, tool_calls: [sentCall] }
    expect([target, again(content, target)]).toEqual([target, expected])
  }
  const gemini: Target = ["gemini", "gemini-3-pro-preview"]
  const first = { ...toolCall, index: 0, extra_content: signed }
  const second = { ...toolCall, index: 1, id: "call_11_def" }
  const content = kept(gemini, [
    deltaChunk({ tool_calls: [first] }),
    deltaChunk({ tool_calls: [second] }),
    finish,
  ])
  expect(content.map(({ type }) => type)).toEqual(["thinking", "tool_use", "tool_use"])
  expect(again(content, gemini)).toEqual({
    ...{ role: "assistant", content: null },
    tool_calls: [
      { ...toolCall, extra_content: signed },
      { ...toolCall, id: "call_11_def" },
    ],
  })
  const magistral: Target = ["mistral", "magistral-medium-latest"]
  const thinking = { type: "thinking", thinking: [{ type: "text", text: "Look." }] }
  const parts = kept(magistral, [
    deltaChunk({ content: [thinking] }),
    textChunk("Reading."),
    callChunk,
    finish,
  ])
  expect(again(parts, magistral)).toMatchObject({
    content: [
      { ...thinking, closed: true },
      { type: "text", text: "Reading." },
    ],
  })
  foreign()
})

/** Anthropic's own signature, none, and ours from elsewhere: readable text at most. */
function foreign(): void {
  const ours = kept(
    ["openrouter", "anthropic/claude-sonnet-4.5"],
    [...(trips[9]?.chunks ?? []), callChunk, finish],
  )
  const anthropic = `EqQB${"CkYIBRgCKkD0".repeat(8)}`
  const blocks = [
    ...["", anthropic, undefined].map((signature) => ({ type: "thinking", thinking: "Look.", signature })),
    ...ours.slice(0, 1),
  ]
  const toolUse = { type: "tool_use", id, name: "Read", input: { file_path: "/a" } }
  for (const block of blocks) {
    expect(again([block, toolUse], ["deepseek", "deepseek-v4-pro"])).toEqual({
      ...{ role: "assistant", content: null, reasoning_content: "Look." },
      tool_calls: [toolCall],
    })
    expect(again([block, toolUse], ["openai", "gpt-4o"])).toEqual({
      ...{ role: "assistant", content: null },
      tool_calls: [toolCall],
    })
    const said = (target: Target) => JSON.stringify(again([block, toolUse], target))
    const clean = (target: Target) => !/ccp1\.|EqQB|"signature"|opaque-2/.test(said(target))
    const others = everyTarget.filter(([provider]) => provider !== "openrouter")
    expect(failing(clean, others)).toEqual([])
  }
  expect(
    again([{ type: "redacted_thinking", data: anthropic }, toolUse], ["deepseek", "deepseek-v4-pro"]),
  ).toEqual({
    ...{ role: "assistant", content: null, reasoning_content: "" },
    tool_calls: [toolCall],
  })
}
