// What providers send, and what comes out: the treacherous cases by number (each provider's own shape is played
// in provider-streams.test.ts).
import { describe, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { baseProfile } from "../../src/providers/base-profile.ts"
import {
  chatUsage,
  deltaChunk,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import {
  decodeBytes,
  eventsOf,
  foldOf,
  inputs,
  play,
  readerOptions,
  renderEvents,
  replyEvents,
} from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"

/** Blocks as short as they can be said. */
function blocks(chunks: readonly unknown[], options = {}): readonly string[] {
  const events = eventsOf(chunks, options)
  expect(checkGrammar(events)).toEqual([])
  const { reply, fault } = foldEvents(events)
  if (reply === undefined) return [`error: ${fault?.message}`]
  return reply.content.map((block) => {
    if (block.type === "tool_use") return `${block.name} ${JSON.stringify(block.input)}`
    if (block.type === "text") return `text: ${block.text}`
    return block.type === "thinking" ? `thinking: ${block.thinking}` : block.type
  })
}

describe("text and reasoning", () => {
  test("case 36: a role-only chunk, then content: one message_start, block 0 is text", () => {
    expect(
      renderEvents(eventsOf([roleChunk(), textChunk("Hi"), finishChunk("stop", chatUsage(3, 2))])),
    ).toEqual([
      "message_start 7",
      "0 text",
      '0   "Hi"',
      "0 stop",
      'message_delta end_turn {"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}',
      "message_stop",
    ])
  })

  test("case 37: reasoning, text, call: three blocks, each closed before the next", () => {
    const chunks = [reasoningChunk("Hm."), textChunk("So."), ...toolChunks(0, "call_12345", "Read", { a: 1 })]
    expect(
      renderEvents(eventsOf([...chunks, finishChunk("tool_calls", chatUsage(3, 2))])).slice(1, -2),
    ).toEqual([
      "0 thinking",
      '0   "Hm."',
      "0   signature",
      "0 stop",
      "1 text",
      '1   "So."',
      "1 stop",
      "2 tool_use Read call_12345",
      '2   ""',
      '2   "{\\"a\\":1}"',
      "2 stop",
    ])
  })

  test("reasoning in an object, and in a part of the content, is reasoning", () => {
    const wrapped = [
      deltaChunk({ reasoning_content: { text: "H" } }),
      deltaChunk({ reasoning_content: { text: "m." } }),
    ]
    expect(blocks([...wrapped, textChunk("a"), finishChunk("stop")])).toEqual(["thinking: Hm.", "text: a"])
    const part = (text: string) => ({ type: "reasoning", summary: [{ type: "summary_text", text }] })
    const parts = [deltaChunk({ content: [part("H")] }), deltaChunk({ content: [part("m.")] })]
    expect(blocks([...parts, textChunk("a"), finishChunk("stop")])).toEqual(["thinking: Hm.", "text: a"])
    const both = deltaChunk({ content: [{ type: "reasoning", summary: [], text: "Hm." }] })
    expect(blocks([both, textChunk("a"), finishChunk("stop")])).toEqual(["thinking: Hm.", "text: a"])
  })

  test("messages of OpenAI's open models that no server has read", () => {
    const thought = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    const answer = textChunk(`${thought}<|channel|>final<|message|>So.<|return|>`)
    expect(blocks([answer, finishChunk("stop")])).toEqual(["thinking: Hm.", "text: So."])
    const call = `${thought}<|channel|>commentary to=functions.Read <|constrain|>json<|message|>{"a":1}<|call|>`
    const tools = { ...readerOptions().tools, offered: new Set(["Read"]) }
    expect(blocks([...call].map(textChunk).concat(finishChunk("stop")), { tools })).toEqual([
      "thinking: Hm.",
      'Read {"a":1}',
    ])
  })

  test("case 38: one reasoning under two names is written once", () => {
    const both = deltaChunk({ reasoning: "Hm.", reasoning_content: "Hm.", reasoning_text: "Hm." })
    expect(blocks([both, textChunk("So."), finishChunk("stop")])).toEqual(["thinking: Hm.", "text: So."])
  })

  test("case 39: think tags over several chunks, and a later one that is text", () => {
    const chunks = ["<th", "ink>", "\n", "Hm", ".</thi", "nk>\n", "\n  So", ": `<think>` is a tag"].map(
      textChunk,
    )
    expect(blocks([...chunks, finishChunk("stop")])).toEqual([
      "thinking: Hm.",
      "text:   So: `<think>` is a tag",
    ])
  })

  const implicit = {
    profile: { ...baseProfile, reasoning: { ...baseProfile.reasoning, thinkTags: "implicit" as const } },
  }

  test("case 40: only a closing tag, where the template opens it", () => {
    expect(blocks(["Hm", ".</th", "ink>So."].map(textChunk).concat(finishChunk("stop")), implicit)).toEqual([
      "thinking: Hm.",
      "text: So.",
    ])
  })

  test("case 40: an opening tag that comes all the same is no part of the reasoning", () => {
    expect(blocks([textChunk("<think>Hm.</think>So."), finishChunk("stop")], implicit)).toEqual([
      "thinking: Hm.",
      "text: So.",
    ])
  })

  test("case 40: where the closing tag never comes, what was said is the answer", () => {
    expect(blocks([textChunk("So"), textChunk("."), finishChunk("stop")], implicit)).toEqual([
      "thinking: So.",
      "text: So.",
    ])
    expect(blocks([textChunk("So."), finishChunk("length")], implicit)).toEqual(["thinking: So."])
    expect(blocks([textChunk("So."), finishChunk("stop")], { ...implicit, showReasoning: false })).toEqual([
      "text: So.",
    ])
  })

  test("a call that is written into such an answer is one", () => {
    const call = '<tool_call>\n{"name": "Read", "arguments": {"a": 1}}\n</tool_call>'
    const tools = { ...readerOptions().tools, offered: new Set(["Read"]) }
    for (const pieces of [[`I look.\n${call}`], [...`I look.\n${call}`]]) {
      const chunks = [...pieces.map(textChunk), finishChunk("stop")]
      const options = { ...implicit, tools, showReasoning: false }
      expect(blocks(chunks, options)).toEqual(["text: I look.\n", 'Read {"a":1}'])
      expect(blocks(chunks, { ...implicit, tools }).slice(1)).toEqual(["text: I look.\n", 'Read {"a":1}'])
      expect(foldOf(chunks, options).reply?.stop_reason).toBe("tool_use")
    }
    const alone = [textChunk(call), finishChunk("stop")]
    expect(blocks(alone, { ...implicit, tools, showReasoning: false })).toEqual(['Read {"a":1}'])
  })

  test("a word that is a tag in other replies loses nothing of an answer that begins with it", () => {
    const channels = {
      profile: { ...baseProfile, reasoning: { ...baseProfile.reasoning, thinkTags: "channels" as const } },
    }
    for (const text of [
      "<reasoning> is a tag, [THINK] another",
      "[THINK] about </",
      "analysisResult is for the assistant",
    ]) {
      for (const pieces of [[text], [...text]]) {
        const chunks = [...pieces.map(textChunk), finishChunk("stop")]
        expect(blocks(chunks, channels).at(-1)).toBe(`text: ${text}`)
        expect(blocks(chunks, { ...channels, showReasoning: false })).toEqual([`text: ${text}`])
      }
    }
  })

  test("a server that has a field for reasoning leaves no tag to wait for", () => {
    const chunks = [reasoningChunk("Hm."), textChunk("So"), textChunk("."), finishChunk("stop")]
    expect(blocks(chunks, implicit)).toEqual(["thinking: Hm.", "text: So."])
  })

  test("white space alone opens no block and is dropped before a call", () => {
    const call = toolChunks(0, "call_12345", "Read", {})
    expect(blocks([textChunk("\n"), textChunk("\n"), ...call, finishChunk("tool_calls")])).toEqual([
      "Read {}",
    ])
    expect(blocks([textChunk("\n"), textChunk(" a"), finishChunk("stop")])).toEqual(["text: \n a"])
    expect(blocks([textChunk("\n"), textChunk(" "), textChunk("a"), finishChunk("stop")])).toEqual([
      "text: \n a",
    ])
    expect(blocks([textChunk(" "), finishChunk("stop")])).toEqual([])
    expect(blocks([reasoningChunk("\n"), textChunk("a"), finishChunk("stop")])).toEqual(["text: a"])
    expect(blocks([reasoningChunk("\n"), reasoningChunk("b"), textChunk("a")])).toEqual([
      "thinking: \nb",
      "text: a",
    ])
  })

  test("white space around tags and calls", () => {
    const call = toolChunks(0, "call_12345", "Read", {})
    expect(blocks([textChunk("<think>\n\n</think>\n\nHi"), finishChunk("stop")])).toEqual(["text: Hi"])
    expect(blocks([textChunk("<think>a</think>\n\n"), ...call, finishChunk("stop")])).toEqual([
      "thinking: a",
      "Read {}",
    ])
    expect(blocks([textChunk("Now:\n\n"), ...call, finishChunk("stop")])).toEqual([
      "text: Now:\n\n",
      "Read {}",
    ])
    expect(blocks([...call, textChunk("\n"), textChunk("\n"), textChunk("b")])).toEqual([
      "Read {}",
      "text: \n\nb",
    ])
  })

  test("a call in a fence is text before one that came as it should", () => {
    const call = toolChunks(0, "call_12345", "Read", { a: 1 })
    const shown = '{"name": "Read", "arguments": {"a": 1}}'
    for (const text of [
      `\`\`\`json\n${shown}\n\`\`\``,
      `\`\`\`\n[${shown}]\n\`\`\``,
      `\`\`\`json\n${shown}`,
    ]) {
      const words = [[text], [...text]].map((parts) => parts.map((part) => textChunk(part)))
      for (const said of words) {
        const seen = blocks([...said, ...call, finishChunk("tool_calls")])
        expect(seen).toEqual([`text: ${text}`, 'Read {"a":1}'])
      }
    }
  })

  test("a tag that is never finished is text", () => {
    expect(blocks([textChunk("<thi"), finishChunk("stop")])).toEqual(["text: <thi"])
    expect(blocks([textChunk("<think>a</thi"), finishChunk("stop")])).toEqual(["thinking: a</thi"])
  })

  test("after a call a think tag is text", () => {
    const call = toolChunks(0, "call_12345", "Read", { a: 1 })
    expect(blocks([...call, textChunk("<think>a"), finishChunk("stop")])).toEqual([
      'Read {"a":1}',
      "text: <think>a",
    ])
  })

  test("reasoning after text opens a block of its own", () => {
    const chunks = [
      textChunk("a"),
      reasoningChunk("b"),
      reasoningChunk("c"),
      textChunk("d"),
      finishChunk("stop"),
    ]
    expect(blocks(chunks)).toEqual(["text: a", "thinking: bc", "text: d"])
  })

  test("reasoning is left out when the client switched thinking off", () => {
    const chunks = [reasoningChunk("a"), textChunk("<thought>b</thought>c"), finishChunk("stop")]
    expect(blocks(chunks, { showReasoning: false })).toEqual(["text: c"])
  })

  test("case 66: Mistral's parts, thinking among them", () => {
    const parts = (...content: readonly unknown[]) => deltaChunk({ content })
    const chunks = [
      parts({
        type: "thinking",
        thinking: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      }),
      parts({ type: "text", text: "c" }, { type: "reference", reference_ids: [1] }),
      textChunk("d"),
      finishChunk("stop"),
    ]
    expect(blocks(chunks)).toEqual(["thinking: ab", "text: cd"])
  })

  test("a call that comes by itself, in no list, is a call", () => {
    const call = { index: 0, id: "call_12345", function: { name: "Read", arguments: '{"a":' } }
    const rest = deltaChunk({ tool_calls: { index: 0, function: { arguments: "1}" } } })
    const chunks = [deltaChunk({ tool_calls: call }), rest, finishChunk("tool_calls")]
    expect(blocks(chunks)).toEqual(['Read {"a":1}'])
  })

  test("reasoning that comes only as details is not lost", () => {
    const chunk = deltaChunk({
      reasoning_details: [{ type: "reasoning.text", text: "a" }, { summary: "b" }, 3],
    })
    expect(blocks([chunk, textChunk("c"), finishChunk("stop")])).toEqual(["thinking: ab", "text: c"])
  })
})

describe("how it ends", () => {
  const reason = (...chunks: readonly unknown[]) => foldOf(chunks).reply?.stop_reason
  const call = toolChunks(0, "call_12345", "Read", { a: 1 })

  test("case 51: what was called outweighs the finish reason", () => {
    expect(reason(...call, finishChunk("stop"))).toBe("tool_use")
    expect(reason(textChunk("a"), finishChunk("tool_calls"))).toBe("end_turn")
    expect(reason(...call, finishChunk("length"))).toBe("tool_use")
    expect(reason(textChunk('{"name":"Read","arguments":{}}'), finishChunk("length"))).toBe("max_tokens")
    expect(reason(textChunk("a"), finishChunk("eos"))).toBe("end_turn")
    expect(reason(textChunk("a"), finishChunk("constructor"))).toBe("end_turn")
  })

  test("case 52: finish with the last text, usage later in a chunk without choices: one message_delta", () => {
    const last = {
      ...textChunk("b"),
      choices: [{ index: 0, delta: { content: "b" }, finish_reason: "stop" }],
    }
    const events = eventsOf([textChunk("a"), last, usageChunk(10, 2, 4)])
    expect(events.filter(({ type }) => type === "message_delta")).toEqual([
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: {
          input_tokens: 6,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 4,
          output_tokens: 2,
        },
      },
    ])
    expect(foldEvents(events).reply?.content).toEqual([{ type: "text", text: "ab" }])
  })

  test("case 55: a first chunk without choices means nothing", () => {
    const first = { id: "", model: "", choices: [], prompt_filter_results: [] }
    expect(blocks([first, textChunk("a"), finishChunk("stop")])).toEqual(["text: a"])
  })

  test("case 56: comments, blank lines, CRLF, BOM, no space, several data lines, cut characters", () => {
    const text =
      '\uFEFF: OPENROUTER PROCESSING\r\n\r\n\ndata:{"choices":[{"delta":{"content":"漢"}}]}\r\n\r\n' +
      'event: x\rdata: {"choices":\rdata: [{"delta":{"content":"é"},"finish_reason":"stop"}]}\r\rdata:[DONE]'
    const bytes = new TextEncoder().encode(text)
    const single = [...bytes].map((byte) => new Uint8Array([byte]))
    for (const pieces of [[bytes], single]) {
      expect(foldEvents(play(decodeBytes(pieces))).reply?.content).toEqual([{ type: "text", text: "漢é" }])
    }
  })

  test("case 57: a finish reason without [DONE] is a normal end; neither is a cut", () => {
    const whole = play(inputs([textChunk("a"), finishChunk("stop")], false))
    expect(whole.at(-1)).toEqual({ type: "message_stop" })
    const cut = play(inputs([reasoningChunk("a")], false))
    expect(checkGrammar(cut)).toEqual([])
    // The thinking block stays open: what is completed cannot be repeated by the client.
    expect(cut.map(({ type }) => type)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "error",
    ])
  })

  test("case 57: [DONE] without a finish reason ends what was said", () => {
    expect(reason(textChunk("a"))).toBe("end_turn")
    expect(reason(...call)).toBe("tool_use")
  })

  test("a stream or reply that holds nothing at all is an error, not an empty answer", () => {
    for (const events of [
      eventsOf([]),
      eventsOf([{ choices: [] }]),
      eventsOf([roleChunk()]),
      replyEvents({}),
      replyEvents([]),
    ]) {
      expect(events).toMatchObject([
        { type: "error", fault: { kind: "api_error", status: 502, retry: "before-first-byte" } },
      ])
    }
    expect(foldOf([roleChunk(), finishChunk("stop")]).reply?.content).toEqual([])
  })

  test("case 59: an error as the first thing is the only event", () => {
    const events = eventsOf([{ error: { message: "no", code: 429 } }, textChunk("a")])
    expect(events).toMatchObject([{ type: "error", fault: { status: 429, kind: "rate_limit_error" } }])
    expect(events.length).toBe(1)
  })

  test("case 60: an error after text is the last event", () => {
    const events = eventsOf([textChunk("a"), { object: "error", message: "gone", code: 503 }, textChunk("b")])
    expect(checkGrammar(events)).toEqual([])
    expect(renderEvents(events)).toEqual([
      "message_start 7",
      "0 text",
      '0   "a"',
      "error 529 overloaded_error: [generic] gone",
    ])
  })

  test("an error inside a choice", () => {
    const chunk = { choices: [{ delta: { content: "" }, error: { message: "no", code: 500 } }] }
    expect(renderEvents(eventsOf([textChunk("a"), chunk])).at(-1)).toBe("error 500 api_error: [generic] no")
  })

  test("what fails after the finish reason changes nothing", () => {
    const failing = [
      { error: { message: "late" } },
      finishChunk("error"),
      finishChunk("insufficient_system_resource"),
    ]
    for (const chunk of failing)
      expect(blocks([textChunk("a"), finishChunk("stop"), chunk])).toEqual(["text: a"])
    const fault = {
      kind: "api_error",
      source: "upstream",
      status: 502,
      retry: "no",
      message: "reset",
    } as const
    const events = play([
      ...inputs([textChunk("a"), finishChunk("stop")]).slice(0, -1),
      { kind: "fault", fault },
    ])
    expect(events.at(-1)).toEqual({ type: "message_stop" })
  })

  test("content after the finish reason counts", () => {
    expect(blocks([textChunk("a"), finishChunk("stop"), textChunk("b"), ...call])).toEqual([
      "text: ab",
      'Read {"a":1}',
    ])
  })

  test("a finish chunk may carry content", () => {
    const last = {
      choices: [
        {
          delta: {
            content: "b",
            tool_calls: [{ index: 0, id: "call_12345", function: { name: "Read", arguments: "{}" } }],
          },
          finish_reason: "tool_calls",
        },
      ],
    }
    expect(blocks([textChunk("a"), last])).toEqual(["text: ab", "Read {}"])
  })

  test("case 63: the limit in the middle of a call's arguments", () => {
    const chunks = [
      toolChunk({ index: 0, id: "call_12345", name: "Read", args: '{"a":"b' }),
      finishChunk("length"),
    ]
    const events = eventsOf(chunks)
    expect(checkGrammar(events)).toEqual([])
    expect(foldEvents(events).reply?.stop_reason).toBe("max_tokens")
    expect(renderEvents(events).slice(-3, -2)).toEqual(["0 stop"])
  })

  test("case 75: a full window before any word asks for compaction, later it is max_tokens", () => {
    const errors = { ...readerOptions().errors, inputTokens: () => 90_000, contextWindow: 128_000 }
    expect(blocks([finishChunk("model_context_window_exceeded")], { errors })).toEqual([
      "error: prompt is too long: 128001 tokens > 128000 maximum",
    ])
    expect(reason(textChunk("a"), finishChunk("model_context_window_exceeded"))).toBe("max_tokens")
  })

  test("a failure word before any text keeps its kind", () => {
    expect(eventsOf([finishChunk("insufficient_system_resource")])).toMatchObject([
      { type: "error", fault: { kind: "overloaded_error", status: 529, retry: "before-first-byte" } },
    ])
  })

  test("a filter without text explains itself, with text it does not", () => {
    const note = "text: [The provider's content filter stopped this reply.]"
    expect(blocks([roleChunk(), finishChunk("content_filter")])).toEqual([note])
    expect(blocks([reasoningChunk("a"), finishChunk("content_filter")])).toEqual(["thinking: a", note])
    expect(blocks([textChunk("a"), finishChunk("SAFETY")])).toEqual(["text: a"])
    expect(reason(textChunk("a"), finishChunk("sensitive"))).toBe("end_turn")
    const profile = { ...baseProfile, stopReasons: { content_filter: "refusal" as const } }
    expect(foldOf([finishChunk("content_filter")], { profile }).reply?.stop_reason).toBe("refusal")
  })

  test("what Gemini's filter found is no reply of nothing, which would be asked for again", () => {
    const note = "text: [The provider's content filter stopped this reply.]"
    const word = "content_filter: PROHIBITED_CONTENT"
    expect(blocks([{ choices: [{ index: 0, finish_reason: word }] }])).toEqual([note])
    expect(reason(finishChunk(word))).toBe("end_turn")
  })

  test("null written as a text is no finish: what breaks off behind it is cut", () => {
    const chunk = { choices: [{ index: 0, delta: { content: "a" }, finish_reason: "null" }] }
    expect(reason(chunk, chunk, finishChunk("length"))).toBe("max_tokens")
    const events = play(inputs([chunk, chunk], false), readerOptions())
    expect(foldEvents(events).fault?.message).toContain("before its reply was complete")
  })

  test.each([
    ["vLLM", { stop_reason: "END" }],
    ["SGLang", { matched_stop: "END" }],
  ])("the stop sequence is named where the upstream names it: %s", (_server, named) => {
    const chunk = { choices: [{ delta: {}, finish_reason: "stop", ...named }] }
    expect(foldOf([textChunk("a"), chunk], { stopSequences: ["END"] }).reply).toMatchObject({
      stop_reason: "stop_sequence",
      stop_sequence: "END",
    })
    expect(foldOf([textChunk("a"), chunk]).reply).toMatchObject({
      stop_reason: "end_turn",
      stop_sequence: null,
    })
  })

  test("a stop at a sequence that is not named was at the only one", () => {
    const chunks = [textChunk("a"), finishChunk("stop_sequence")]
    expect(foldOf(chunks, { stopSequences: ["END"] }).reply).toMatchObject({
      stop_reason: "stop_sequence",
      stop_sequence: "END",
    })
    for (const stopSequences of [[], ["END", "STOP"]]) {
      expect(foldOf(chunks, { stopSequences }).reply).toMatchObject({
        stop_reason: "end_turn",
        stop_sequence: null,
      })
    }
  })

  test("case 80: the message has our id and the client's model", () => {
    const events = eventsOf([{ ...textChunk("a"), id: "chatcmpl-same", model: "other" }, finishChunk("stop")])
    expect(events[0]).toMatchObject({ message: { id: "msg_test", model: "claude-opus-5-5" } })
  })
})
