// Anthropic's web search: asked for in the provider's own words, and its results as Anthropic's blocks.
import { describe, expect, test } from "bun:test"
import { readResponsesReply } from "../../src/convert/reader/responses-stream.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { initialWriter } from "../../src/convert/writer/writer-state.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { chatUsage, finishChunk, reasoningChunk, textChunk } from "../support/chunks.ts"
import { inputs, play, readerOptions, replyEvents, writerOptions } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { writeEach } from "../support/write-each.ts"
import { ask, convert, noteLines, readFixture, type Target, text, user } from "./request-support.ts"

const tool = { type: "web_search_20250305", name: "web_search", max_uses: 8 }
const bash = { name: "Bash", input_schema: { type: "object", properties: {} } }
const query = "bun release notes"
const hi = user(
  text("<system-reminder>\nmind\n</system-reminder>"),
  text(`Perform a web search for the query: ${query}`),
)
const forced = { tools: [tool], tool_choice: { type: "tool", name: "web_search" } }
const searching: readonly Target[] = [
  ["openrouter", "x/y"],
  ["zhipu", "glm-4.6"],
  ["dashscope", "qwen3-max"],
]

describe("the request", () => {
  test.each<[Target, object]>([
    [["openrouter", "x/y"], { plugins: [{ id: "web", max_results: 5 }] }],
    [["dashscope", "qwen3-max"], { enable_search: true }],
    [
      ["zhipu", "glm-4.6"],
      {
        tools: [
          { type: "web_search", web_search: { enable: true, search_query: query, search_result: true } },
        ],
      },
    ],
  ])("to %p", (target, fields) => {
    const conversion = convert(ask([hi], forced), target)
    expect(conversion.body).toMatchObject(fields)
    expect(conversion.body.tool_choice).toBe(undefined)
    expect(conversion.search).toEqual({ query, forced: true })
    expect(conversion.answer).toBe(undefined)
    expect(noteLines(conversion)).toContain("changed tools.0")
  })

  test("beside other tools it is not insisted on, and they stay", () => {
    const { body, search, offered } = convert(ask([hi], { tools: [bash, tool] }), ["openrouter", "x/y"])
    expect(body.tools?.map((sent) => sent.function?.name)).toEqual(["Bash"])
    expect(search).toEqual({ query, forced: false })
    expect([...offered]).toEqual(["Bash"])
  })

  test.each<[object, boolean]>([
    [{ tool_choice: { type: "none" } }, false],
    [{ tool_choice: { type: "tool", name: "Bash" } }, false],
    [{ compaction: { type: "summarize" } }, false],
    [{ tool_choice: { type: "any" } }, true],
    [{ tool_choice: { type: "tool", name: "web_search" } }, true],
  ])("with %j a provider that searches in any case is asked to: %p", (more, searches) => {
    for (const target of searching) {
      const { body, search } = convert(ask([hi], { tools: [bash, tool], ...more }), target)
      const asks = /"plugins"|"enable_search"|"web_search"/.test(JSON.stringify({ ...body, messages: [] }))
      expect([asks, search !== undefined]).toEqual([searches, searches])
    }
  })

  test("where nobody can search, Claude Code's request is answered here", async () => {
    const { answer, search } = convert(await readFixture("web-search"))
    expect(search).toBe(undefined)
    expect(answer?.map(({ kind }) => kind)).toEqual(["search", "text", "finish", "end"])
  })

  test("newer versions of Claude Code insist on it in words alone", () => {
    expect(convert(ask([hi], { tools: [tool] })).answer).not.toBe(undefined)
    expect(convert(ask([user(text("Who won?"))], { tools: [tool] })).answer).toBe(undefined)
    expect(convert(ask([hi], { tools: [tool] }), ["openrouter", "x/y"]).search?.forced).toBe(true)
  })

  test("where nobody can search and nobody insists on it, the tool is left out", () => {
    const conversion = convert(ask([hi], { tools: [bash, tool] }))
    expect(conversion.answer).toBe(undefined)
    expect(conversion.body.tools?.length).toBe(1)
    expect(noteLines(conversion)).toEqual(["dropped tools.1"])
  })

  test.each(searching)("%s: a request without the tool searches nothing", (provider, model) => {
    const target = [provider, model] as const
    const { body, search } = convert(ask([hi], { tools: [bash] }), target)
    expect([body.plugins, body.enable_search, search]).toEqual([undefined, undefined, undefined])
  })
})

const options = readerOptions({ search: { query, forced: true } })
const found = { type: "web_search_result", encrypted_content: "", page_age: null }

/** The blocks that chunks become while a search is on. */
function blocksOf(chunks: readonly unknown[]) {
  const events = play(inputs(chunks), options)
  expect(checkGrammar(events)).toEqual([])
  return foldEvents(events).reply
}

describe("the reply", () => {
  const citation = { type: "url_citation", url_citation: { url: "https://a.test/1", title: "One" } }
  const annotations = { choices: [{ index: 0, delta: { annotations: [citation, citation] } }] }

  test.each<[string, object, object]>([
    ["annotations", annotations, { ...found, url: "https://a.test/1", title: "One" }],
    [
      "Zhipu's list",
      { choices: [], web_search: [{ link: "https://b.test", title: "Two", content: "x" }] },
      { ...found, url: "https://b.test", title: "Two" },
    ],
    [
      "citations",
      { choices: [], citations: ["https://c.test"] },
      { ...found, url: "https://c.test", title: "https://c.test" },
    ],
    [
      "search_results",
      { choices: [], search_results: [{ url: "https://d.test", title: "Four" }] },
      { ...found, url: "https://d.test", title: "Four" },
    ],
  ])("%s become a search and its result, before the text if they come before it", (_, chunk, result) => {
    const search = [
      { type: "server_tool_use", id: "srvtoolu_test0", name: "web_search", input: { query } },
      { type: "web_search_tool_result", tool_use_id: "srvtoolu_test0", content: [result] as never },
    ] as const
    const said = { type: "text", text: "Found." } as const
    const first = blocksOf([chunk, textChunk("Found."), chunk, finishChunk("stop")])
    expect(first?.content).toEqual([...search, said])
    const last = blocksOf([textChunk("Found"), chunk, textChunk("."), chunk, finishChunk("stop")])
    expect(last?.content).toEqual([said, ...search])
    for (const reply of [first, last]) {
      expect(reply?.usage.server_tool_use).toEqual({ web_search_requests: 1 })
      expect(reply?.stop_reason).toBe("end_turn")
    }
  })

  /** The kinds of blocks, with the addresses of the pages in each result. */
  const told = (events: readonly MessagesEvent[]) => {
    expect(checkGrammar(events)).toEqual([])
    return foldEvents(events).reply?.content.map((block) => {
      if (block.type !== "web_search_tool_result") return block.type
      return Array.isArray(block.content) ? block.content.map(({ url }) => url) : block.type
    })
  }
  const cited = (...urls: readonly string[]) => ({ choices: [], citations: urls })

  test("a list that grows is told twice at most, and no page of it twice", () => {
    const chunks = [
      reasoningChunk("Hm."),
      cited("a"),
      cited("a", "b"),
      textChunk("One."),
      cited("a", "b", "c"),
      reasoningChunk("Hm."),
      textChunk("Two."),
      cited("a", "b", "c", "d"),
      finishChunk("stop", chatUsage(10, 5)),
    ]
    const events = play(inputs(chunks), options)
    expect(told(events)).toEqual([
      "thinking",
      "server_tool_use",
      ["a", "b"],
      "text",
      "thinking",
      "text",
      "server_tool_use",
      ["c", "d"],
    ])
    // Two lists, but one search.
    expect(foldEvents(events).reply?.usage).toEqual({
      input_tokens: 10,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 5,
      server_tool_use: { web_search_requests: 1 },
    })
  })

  test("two lists are one search also where no tokens were counted", () => {
    const events = play(inputs([cited("a"), textChunk("One."), cited("b"), finishChunk("stop")]), options)
    expect(foldEvents(events).reply?.usage).toMatchObject({
      input_tokens: 7,
      output_tokens: expect.any(Number),
      server_tool_use: { web_search_requests: 1 },
    })
    expect(foldEvents(events).reply?.usage.output_tokens).toBeGreaterThan(0)
  })

  test("there is an end to the pages that are kept", () => {
    const many = (from: number) => cited(...Array.from({ length: 150 }, (_, at) => `p${from + at}`))
    const events = play(inputs([many(0), textChunk("a"), many(100), many(300), finishChunk("stop")]), options)
    const lists = told(events)?.filter((one) => Array.isArray(one)) ?? []
    expect(lists.map(({ length }) => length)).toEqual([150, 50])
  })

  test("who insisted on a search hears that nothing was found", () => {
    const reply = blocksOf([textChunk("Nothing."), finishChunk("stop")])
    expect(reply?.content.map(({ type }) => type)).toEqual([
      "text",
      "server_tool_use",
      "web_search_tool_result",
    ])
    expect(reply?.content[2]).toMatchObject({ content: [] })
  })

  test("in a whole reply all pages stand before the text, wherever they are named", () => {
    const message = { content: "Found.", annotations: [citation] }
    const other = { content: " More.", citations: ["https://c.test"] }
    const choices = [{ message, finish_reason: "stop" }, { message: other }]
    const reply = { choices, search_results: [{ url: "https://d.test" }] }
    expect(told(replyEvents(reply, options))).toEqual([
      "server_tool_use",
      ["https://d.test", "https://a.test/1", "https://c.test"],
      "text",
    ])
  })

  test("in a whole reply of the Responses API as well", () => {
    const annotations = [{ type: "url_citation", url: "https://a.test", title: "One" }]
    const content = [{ type: "output_text", text: "Found.", annotations }]
    const reply = { status: "completed", output: [{ type: "message", content }] }
    const deltas = readResponsesReply(options, reply)
    expect(told(writeEach(initialWriter(writerOptions), deltas)[1])).toEqual([
      "server_tool_use",
      ["https://a.test"],
      "text",
    ])
  })

  test("nobody asked: sources of a model that searches by itself are left alone", () => {
    const events = play(inputs([annotations, textChunk("Hi"), finishChunk("stop")]))
    expect(foldEvents(events).reply?.content).toEqual([{ type: "text", text: "Hi" }])
  })
})
