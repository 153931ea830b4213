// A call that a model wrote into its thoughts and then ended its turn: the server has taken the thoughts out of the
// text, and its parser of calls has seen nothing.
import { describe, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { quoteAll } from "../../src/protocol/texts.ts"
import { chatReply, finishChunk, reasoningChunk, textChunk, toolChunks } from "../support/chunks.ts"
import { inputs, play, readerOptions, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"

type Options = Parameters<typeof readerOptions>[0]

function said(events: readonly MessagesEvent[]): readonly unknown[] {
  expect(checkGrammar(events)).toEqual([])
  const { reply } = foldEvents(events)
  const blocks = (reply?.content ?? []).map((block) => {
    if (block.type === "thinking") return `thinking: ${block.thinking}`
    if (block.type === "tool_use") return [block.name, block.input]
    return block.type === "text" ? `text: ${block.text}` : block.type
  })
  return [...blocks, reply?.stop_reason]
}

/** Thoughts as a whole reply, in one chunk, in single characters, and as a run of texts behind a first one. */
function everyWay(
  thought: string,
  end: readonly unknown[],
  options?: Options,
): readonly (readonly unknown[])[] {
  const streamed = (first: readonly unknown[]) =>
    said(play(inputs([...first, ...end]), readerOptions(options)))
  const run: StreamInput = {
    kind: "run",
    run: { chunk: reasoningChunk("x"), field: "reasoning_content", ...quoteAll([...thought.slice(1)]) },
  }
  const [opening] = inputs([reasoningChunk(thought.slice(0, 1))])
  const inRun = opening === undefined ? [] : [opening, run, ...inputs(end)]
  return [
    streamed([reasoningChunk(thought)]),
    streamed([...thought].map((text) => reasoningChunk(text))),
    said(play(inRun, readerOptions(options))),
  ]
}

const hermes = '<tool_call>\n{"name": "Bash", "arguments": {"command": "ls"}}\n</tool_call>'
const coder =
  "<tool_call>\n<function=Read>\n<parameter=file_path>\n/a\n</parameter>\n</function>\n</tool_call>"
const bash = ["Bash", { command: "ls" }]
const stop = [finishChunk("stop")]

describe("the thoughts end with it", () => {
  test.each<[string, string, readonly unknown[]]>([
    ["Hermes", `I look.\n${hermes}`, [bash]],
    ["white space behind it", `I look.\n${hermes}\n\n`, [bash]],
    ["Qwen3 Coder", `I look.\n\n${coder}`, [["Read", { file_path: "/a" }]]],
    ["two", `I look.\n${hermes}\n${coder}`, [bash, ["Read", { file_path: "/a" }]]],
    ["no closing tag", `I look.\n${hermes.slice(0, -13)}`, [bash]],
    ["on the line of a sentence", `I look. ${hermes}`, [bash]],
    ["an example came before", `One writes ${hermes} for it. I look.\n${hermes}`, [bash]],
  ])("%s", (_, thought, calls) => {
    for (const blocks of everyWay(thought, stop))
      expect(blocks).toEqual([`thinking: ${thought}`, ...calls, "tool_use"])
  })

  test("in a whole reply", () => {
    const reply = chatReply({ content: null, reasoning_content: `I look.\n${hermes}` })
    expect(said(replyEvents(reply))).toEqual([`thinking: I look.\n${hermes}`, bash, "tool_use"])
  })

  test("between tags that the server left in the text, and never closed", () => {
    const events = play(inputs([textChunk(`<think>I look.\n${hermes}`), ...stop]), readerOptions())
    expect(said(events)).toEqual([`thinking: I look.\n${hermes}`, bash, "tool_use"])
  })

  test("the client has switched thinking off", () => {
    for (const blocks of everyWay(`I look.\n${hermes}`, stop, { showReasoning: false }))
      expect(blocks).toEqual([bash, "tool_use"])
  })
})

describe("it is talk about calls", () => {
  test.each<[string, string, readonly unknown[], readonly unknown[]]>([
    ["something follows", `${hermes}\nThat is how it is done.`, stop, ["end_turn"]],
    ["in a fence", `So:\n\`\`\`\n${hermes}\n\`\`\``, stop, ["end_turn"]],
    ["in a fence that stays open", `So:\n\`\`\`\n${hermes}`, stop, ["end_turn"]],
    ["in a span that stays open", `One writes: \`${hermes}`, stop, ["end_turn"]],
    ["in a sentence", `I would write ${hermes}`, stop, ["end_turn"]],
    ["in a quotation", `So:\n> ${hermes}`, stop, ["end_turn"]],
    ["a tool that was not offered", hermes.replace("Bash", "Launch"), stop, ["end_turn"]],
    ["arguments that cannot be read", hermes.replace('"ls"', "ls"), stop, ["end_turn"]],
    ["an answer follows", hermes, [textChunk("Done."), ...stop], ["text: Done.", "end_turn"]],
    ["cut by the limit", hermes, [finishChunk("length")], ["max_tokens"]],
    [
      "a call follows",
      hermes,
      [...toolChunks(0, "call_1", "Read", { file_path: "/a" }), finishChunk("tool_calls")],
      [["Read", { file_path: "/a" }], "tool_use"],
    ],
  ])("%s", (_, thought, end, rest) => {
    for (const blocks of everyWay(thought, end)) expect(blocks).toEqual([`thinking: ${thought}`, ...rest])
  })

  test("the client's stop sequence may have cut it", () => {
    const end = {
      ...finishChunk("stop"),
      choices: [{ delta: {}, finish_reason: "stop", stop_reason: "END" }],
    }
    for (const blocks of everyWay(hermes, [end], { stopSequences: ["END"] }))
      expect(blocks).toEqual([`thinking: ${hermes}`, "stop_sequence"])
  })

  test.each([true, false])("an answer came before it; thinking is shown: %p", (showReasoning) => {
    const chunks = [textChunk("Done."), reasoningChunk(`I looked.\n${hermes}`), ...stop]
    const blocks = said(play(inputs(chunks), readerOptions({ showReasoning })))
    expect(blocks.filter((block) => Array.isArray(block))).toEqual([])
    expect(blocks.at(-1)).toBe("end_turn")
  })

  test("thoughts longer than are kept", () => {
    const long = `So:\n\`\`\`\n${"x".repeat(1_100_000)}`
    const blocks = said(
      play(inputs([reasoningChunk(long), reasoningChunk(`\n${hermes}`), ...stop]), readerOptions()),
    )
    expect(blocks.at(-1)).toBe("end_turn")
  })
})
