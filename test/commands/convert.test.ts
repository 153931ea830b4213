// `convert` as its user runs it, with the world passed in.
import { afterAll, describe, expect, test } from "bun:test"
import { runCommand } from "citty"
import { type ConvertOptions, convert } from "../../src/commands/convert/convert.ts"
import { convertMessagesBody } from "../../src/commands/convert/request.ts"
import { sideOfRequest } from "../../src/commands/convert/side.ts"
import { commandTable } from "../../src/commands/table.ts"
import { arrayOf, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { configFrom, folderWith, removeFolders } from "../config/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import {
  chatReply,
  finishChunk,
  reasoningChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import { inWorld, type World } from "../support/command-io.ts"
import { checkGrammar } from "../support/grammar.ts"

afterAll(removeFolders)

const run = (input: string, options: Partial<ConvertOptions> = {}, files: World["files"] = {}) =>
  inWorld({ stdin: input, files }, (io) =>
    convert({ explain: false, model: "openai/gpt-4o", ...options }, io),
  )

const json = (text: string) => {
  const parsed = parseJson(text)
  return objectOf(parsed.ok ? parsed.value : undefined)
}

const request = { max_tokens: 10, messages: [{ role: "user", content: "hi" }] }

describe("a request", () => {
  test("becomes the upstream's request", async () => {
    const { code, out, error } = await run(JSON.stringify(request))
    expect([code, error]).toEqual([0, ""])
    expect(json(out)).toEqual({
      model: "gpt-4o",
      messages: [{ role: "user", content: "hi" }],
      max_tokens: 10,
      store: false,
    })
  })

  test("--model takes the same way as a live request", async () => {
    const { out } = await run(JSON.stringify({ ...request, thinking: { type: "disabled" } }), {
      model: "deepseek/deepseek-v4-pro",
    })
    expect(json(out)).toMatchObject({ model: "deepseek-v4-pro", thinking: { type: "disabled" } })
  })

  test("--explain says the route, what was dropped and why, and whether it fits", async () => {
    const { code, error } = await run(JSON.stringify({ ...request, top_k: 5, container: "x" }), {
      explain: true,
    })
    expect(code).toBe(0)
    expect(error).toContain("route    openai/gpt-4o → gpt-4o at openai (model named by the client)")
    expect(error).toContain("dropped  container: ")
    expect(error).toContain("dropped  top_k: ")
    expect(error).toMatch(/tokens {3}about \d+ in, at most 10 out; fits the model's window of 128000/)
  })
})

test("--explain says what goes under another name", async () => {
  const more = { thinking: { type: "adaptive" }, tools: [{ name: "a b", input_schema: { type: "object" } }] }
  const { error } = await run(JSON.stringify({ ...request, ...more }), {
    explain: true,
    model: "openai/gpt-5",
  })
  expect(error).toContain("renamed  max_tokens: max_completion_tokens\n")
  expect(error).toContain('renamed  thinking: reasoning_effort "high"\n')
  expect(error).toMatch(/renamed {2}tools\.0\.name: "a b" as a_b_[0-9a-f]{8}\n/)
})

describe("a reply", () => {
  test("becomes an Anthropic message", async () => {
    const { code, out } = await run(JSON.stringify(chatReply({ content: "hello" })))
    expect(code).toBe(0)
    expect(json(out)).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "hello" }],
      stop_reason: "end_turn",
    })
  })

  test("that is an error becomes Anthropic's error", async () => {
    const { code, out } = await run(JSON.stringify({ error: { message: "no such thing", code: 400 } }))
    expect(code).toBe(0)
    expect(json(out)).toMatchObject({ type: "error", error: { type: "invalid_request_error" } })
  })
})

const chunks = [
  textChunk("Look: "),
  ...toolChunks(0, "call_12345678", "Read", { file: "a" }),
  finishChunk("tool_calls"),
  usageChunk(12, 7),
]

describe("a stream", () => {
  const forms: readonly (readonly [string, string])[] = [
    [
      "server-sent events",
      `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`,
    ],
    ["a chunk a line", chunks.map((chunk) => JSON.stringify(chunk)).join("\n")],
    [
      "a chunk a line after a comment",
      ['{"comment":"x"}', ...chunks.map((chunk) => JSON.stringify(chunk))].join("\n"),
    ],
  ]

  test.each(forms)("as %s becomes Anthropic events", async (_name, input) => {
    const { code, out } = await run(input)
    expect(code).toBe(0)
    const events = parseAnthropicSse(out)
    expect(checkGrammar(events)).toEqual([])
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" }, usage: { input_tokens: 12 } })
  })

  test("that was cut ends in an error event", async () => {
    const { out } = await run(`data: ${JSON.stringify(textChunk("half"))}\n\n`)
    expect(parseAnthropicSse(out).at(-1)).toMatchObject({ type: "error" })
  })
})

const level = '{"type":"tool_result","tool_use_id":"a","content":['
const deep = level.repeat(20_000) + "]}".repeat(20_000)

describe("the answer to a request", () => {
  const tool = { name: "Read", input_schema: { type: "object", properties: { file: { type: "string" } } } }
  const asking: JsonObject = { ...request, model: "deepseek/deepseek-v4-pro", tools: [tool] }
  const written = '<tool_call>{"name": "Read", "arguments": {"file": "a"}}</tool_call>'
  const stream = (...texts: readonly string[]) =>
    [...texts.map(textChunk), finishChunk("stop"), usageChunk(12, 7)]
      .map((chunk) => JSON.stringify(chunk))
      .join("\n")
  const answer = (input: string, given: JsonObject, options: Partial<ConvertOptions> = {}) =>
    run(
      input,
      { model: undefined, request: "asking.json", ...options },
      { "asking.json": JSON.stringify(given) },
    )
  const eventsOf = async (input: string, given: JsonObject) => {
    const { code, out, error } = await answer(input, given)
    expect([code, error]).toEqual([0, ""])
    const events = parseAnthropicSse(out)
    expect(checkGrammar(events)).toEqual([])
    return events
  }
  const startedBy = (events: readonly JsonObject[]) =>
    events.flatMap(({ content_block: block }) => (block === undefined ? [] : [objectOf(block)]))
  const textIn = (events: readonly JsonObject[]) =>
    events.map(({ delta }) => String(objectOf(delta)["text"] ?? "")).join("")

  test("a call that is written as text is a call of one of its tools", async () => {
    const cut = [written.slice(0, 14), written.slice(14)]
    const events = await eventsOf(stream("Look: ", ...cut), asking)
    expect(startedBy(events)).toMatchObject([{ type: "text" }, { type: "tool_use", name: "Read" }])
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "tool_use" } })
    expect(objectOf(events[0]?.["message"])["model"]).toBe("deepseek/deepseek-v4-pro")
    const { error } = await answer(stream(written), asking, { explain: true })
    expect(error).toContain("route    deepseek/deepseek-v4-pro → deepseek-v4-pro at deepseek")
    expect(error).toContain("changed  choices.0.message.content: a call of Read was written as text\n")
    const other = await run(stream(written), { model: "deepseek/deepseek-v4-pro" })
    expect(startedBy(parseAnthropicSse(other.out))).toMatchObject([{ type: "text" }])
  })

  test("the same of a whole reply, which --model may take elsewhere", async () => {
    const whole = JSON.stringify(chatReply({ content: written }))
    const { out } = await answer(whole, asking, { model: "zai/glm-5" })
    expect(json(out)).toMatchObject({
      ...{ model: "zai/glm-5", stop_reason: "tool_use" },
      content: [{ type: "tool_use", name: "Read", input: { file: "a" } }],
    })
  })

  test("names that had to be changed come back", async () => {
    const name = "a b"
    const given = { ...asking, tools: [{ ...tool, name }] }
    const sent = json((await run(JSON.stringify(given), { model: undefined })).out)
    const upstream = objectOf(objectOf(arrayOf(sent["tools"])[0])["function"])["name"]
    const calls = toolChunks(0, "call_12345678", String(upstream), { file: "a" })
    const input = [...calls, finishChunk("tool_calls")].map((chunk) => JSON.stringify(chunk)).join("\n")
    expect(startedBy(await eventsOf(input, given))).toMatchObject([{ type: "tool_use", name }])
  })

  test("stop sequences that the provider does not take end it", async () => {
    const given = { ...asking, model: "zai/glm-5", stop_sequences: ["END", "STOP"] }
    const events = await eventsOf(stream("one ST", "OP two"), given)
    expect(textIn(events)).toBe("one ")
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "stop_sequence", stop_sequence: "STOP" } })
  })

  test("a fence around JSON that was asked for is taken off", async () => {
    const format = { type: "json_schema", schema: { type: "object" } }
    const given = { ...asking, tools: [], output_config: { format } }
    expect(textIn(await eventsOf(stream("```json\n", '{"a":1}', "\n```"), given))).toBe('{"a":1}')
  })

  test("thinking that was switched off is not shown", async () => {
    const input = [reasoningChunk("Hm."), textChunk("Yes."), finishChunk("stop")]
    const lines = input.map((chunk) => JSON.stringify(chunk)).join("\n")
    const off = await eventsOf(lines, { ...asking, thinking: { type: "disabled" } })
    expect(startedBy(off).map(({ type }) => type)).toEqual(["text"])
  })

  test("the prompt is counted where the upstream does not", async () => {
    const lines = [textChunk("Yes."), finishChunk("stop")].map((chunk) => JSON.stringify(chunk)).join("\n")
    const events = await eventsOf(lines, asking)
    const { input_tokens: counted } = objectOf(objectOf(events[0]?.["message"])["usage"])
    expect(counted).toBeGreaterThan(10)
    expect(events.at(-2)).toMatchObject({ usage: { input_tokens: counted } })
  })

  test("a request that is never sent has its own answer", async () => {
    const search = { type: "web_search_20250305", name: "web_search" }
    const messages = [{ role: "user", content: "Perform a web search for the query: bun" }]
    const given = { ...asking, messages, tools: [search], tool_choice: { type: "tool", name: "web_search" } }
    const { code, out, error } = await answer(stream("unheard"), given, { explain: true })
    expect(code).toBe(0)
    expect(out).not.toContain("unheard")
    expect(parseAnthropicSse(out).at(-1)).toEqual({ type: "message_stop" })
    expect(error).toContain("dropped  input: the proxy answers this request itself")
  })

  const routed = folderWith({
    "routed.env": [
      "ROUTER_DEFAULT=deepseek/deepseek-v4-pro",
      "ROUTER_THINK=zai/glm-5",
      "ROUTER_LONG_CONTEXT=minimax/MiniMax-M3",
      "LONG_CONTEXT_THRESHOLD=1000",
      "ROUTER_BACKGROUN=x",
    ].join("\n"),
  })
  const envFile = `${routed}/routed.env`
  const whole = JSON.stringify({ ...chatReply({ content: "Yes." }), model: "some-model" })

  test.each<[string, JsonObject, string]>([
    ["as it is", {}, "deepseek/deepseek-v4-pro"],
    ["thinking", { thinking: { type: "adaptive" } }, "zai/glm-5"],
    ["long", { system: "many words ".repeat(2_000) }, "minimax/MiniMax-M3"],
  ])("its route is that of the live request: %s", async (_what, more, model) => {
    const given = { ...asking, model: "claude-sonnet-5-5", ...more }
    const { error } = await answer(whole, given, { envFile, explain: true })
    expect(error).toContain(`route    claude-sonnet-5-5 → ${model.split("/")[1]} at ${model.split("/")[0]} (`)
    const live = await run(JSON.stringify(given), { envFile, model: undefined, explain: true })
    expect(live.error).toContain(error.split("\n").find((line) => line.startsWith("route ")) ?? "no route")
  })

  test("without its request it belongs to the model that it names, and no rule leads elsewhere", async () => {
    const { out, error } = await run(whole, { envFile, model: undefined, explain: true })
    expect(json(out)["model"]).toBe("some-model")
    expect(error).toContain("route    some-model → some-model at openai (model named by the client)")
    const named = await run(whole, { envFile, model: "claude-opus-5-5", explain: true })
    expect(named.error).toContain(
      "route    claude-opus-5-5 → deepseek-v4-pro at deepseek (opus → ROUTER_DEFAULT)",
    )
  })

  test("what the loader warns of is said, and stays out of the output", async () => {
    for (const input of [whole, JSON.stringify(asking)]) {
      const { code, out, error } = await run(input, { envFile, model: undefined })
      expect([code, typeof json(out)["model"]]).toEqual([0, "string"])
      expect(error).toStartWith("claude-proxy: ROUTER_BACKGROUN (")
      expect(error).toContain("ROUTER_BACKGROUND")
    }
  })

  test("the flag stands in the table of commands", async () => {
    const files = { "asking.json": JSON.stringify(asking), "stream.txt": stream(written) }
    const { code, out } = await inWorld({ files }, async (io) => {
      const entry = commandTable({ io, env: {}, rest: [] }).find(({ name }) => name === "convert")
      if (entry === undefined) throw new Error("there is no such command")
      const rawArgs = ["--request", "asking.json", "stream.txt"]
      return Number((await runCommand(entry.command, { rawArgs })).result)
    })
    expect(code).toBe(0)
    expect(startedBy(parseAnthropicSse(out))).toMatchObject([{ type: "tool_use", name: "Read" }])
  })

  const reply = JSON.stringify(chatReply({ content: "hello" }))
  const broken: readonly (readonly [string, string, Partial<ConvertOptions>, string, number])[] = [
    ["no JSON", "nonsense", {}, "--request asking.json: not valid JSON", 1],
    ["no request", "[1]", {}, "--request asking.json: not a Messages request", 1],
    ["a reply", reply, {}, "--request asking.json: not a Messages request: messages: Field required", 1],
    ["empty", " ", {}, "asking.json is empty", 1],
    ["not there", "{}", { request: "gone.json" }, "cannot read gone.json: ENOENT", 1],
    ["deep", `{"messages":[{"role":"user","content":[${deep}]}]}`, {}, "nested too deeply", 1],
    ["standard input as well", "{}", { request: "-" }, "cannot both be standard input", 2],
  ]

  test.each(broken)("the request is %s: says so", async (_name, text, options, why, expected) => {
    const files = { "asking.json": text }
    const { code, out, error } = await run(reply, { request: "asking.json", ...options }, files)
    expect([code, out]).toEqual([expected, ""])
    expect(error).toStartWith("claude-proxy: ")
    expect(error).toContain(why)
  })

  test.each([
    ["an Anthropic request", JSON.stringify({ ...request, system: "x" })],
    ["an OpenAI request", JSON.stringify({ ...request, seed: 1 })],
    ["an Anthropic reply", JSON.stringify({ type: "message", content: [] })],
  ])("%s is no answer", async (name, input) => {
    const { code, out, error } = await answer(input, asking)
    expect([code, out]).toEqual([1, ""])
    const what = "--request belongs to an OpenAI reply or stream"
    expect(error).toBe(`claude-proxy: ${what}, and this input is ${name}\n`)
  })
})

const wrongWay = (kind: string) =>
  `this input is an OpenAI ${kind}, which converts to anthropic, not to openai`

const chatRequest = {
  model: "gpt-4o",
  messages: [{ role: "system", content: "Be brief." }, ...request.messages],
  max_completion_tokens: 10,
  seed: 1,
}

const messagesRequest = {
  model: "gpt-4o",
  max_tokens: 10,
  system: [{ type: "text", text: "Be brief." }],
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
}

describe("an OpenAI request", () => {
  test.each([{}, { to: "anthropic" }, { from: "openai" }])(
    "becomes the Anthropic request: %j",
    async (options) => {
      const { code, out, error } = await run(JSON.stringify(chatRequest), { ...options, model: undefined })
      expect([code, error]).toEqual([0, ""])
      expect(json(out)).toEqual(messagesRequest)
    },
  )

  test("that could be either's is OpenAI's when it goes to Anthropic's side", async () => {
    const { code, out } = await run(JSON.stringify(request), { to: "anthropic", model: "deepseek-chat" })
    expect(code).toBe(0)
    expect(json(out)).toEqual({ model: "deepseek-chat", max_tokens: 10, messages: messagesRequest.messages })
  })

  test("--from says what is not seen", async () => {
    const asChat = await run(JSON.stringify(request), { from: "openai" })
    expect(json(asChat.out)["messages"]).toEqual(messagesRequest.messages)
    const asMessages = await run(JSON.stringify({ ...request, stop: "x" }), { from: "anthropic" })
    expect(json(asMessages.out)["messages"]).toEqual(request.messages)
  })

  test("--explain says the route, what was dropped and why, and whether it fits", async () => {
    const { code, error } = await run(JSON.stringify(chatRequest), { explain: true })
    expect(code).toBe(0)
    expect(error).toContain("route    openai/gpt-4o → gpt-4o at openai (model named by the client)\n")
    expect(error).toContain("dropped  seed: ")
    expect(error).toMatch(/tokens {3}about \d+ in, at most 10 out; fits the model's window of 128000\n$/)
  })

  test("comes back as it was when it is converted twice", async () => {
    const there = await run(JSON.stringify(chatRequest), { model: undefined })
    const back = await run(there.out, { model: "openai/gpt-4o", to: "openai" })
    expect(json(back.out)).toMatchObject({ model: "gpt-4o", messages: chatRequest.messages, max_tokens: 10 })
  })
})

const sides: readonly (readonly [string, JsonObject, "openai" | "anthropic" | "either"])[] = [
  ["nothing telling", {}, "either"],
  ["the system prompt as a field", { system: "x" }, "anthropic"],
  ["stop_sequences", { stop_sequences: [] }, "anthropic"],
  ["stop", { stop: "x" }, "openai"],
  ["a choice of tool as a word", { tool_choice: "auto" }, "openai"],
  ["Anthropic's tools", { tools: [{ name: "a", input_schema: {} }] }, "anthropic"],
  ["OpenAI's tools", { tools: [{ type: "function", function: { name: "a" } }] }, "openai"],
  [
    "OpenAI's tools beside a system prompt",
    { system: "x", tools: [{ function: { name: "a" } }] },
    "anthropic",
  ],
  ["thinking", { thinking: { type: "disabled" } }, "anthropic"],
  ["thinking beside OpenAI's tools", { thinking: {}, tools: [{ function: { name: "a" } }] }, "openai"],
  ["a system message at the start", { messages: [{ role: "system", content: "x" }] }, "openai"],
  [
    "a system message before Anthropic's tools",
    { messages: [{ role: "system", content: "x" }], tools: [{ name: "a", input_schema: {} }] },
    "anthropic",
  ],
  [
    "a system message and thinking",
    { messages: [{ role: "system", content: "x" }], thinking: {} },
    "anthropic",
  ],
  [
    "a system message later on",
    { messages: [...request.messages, { role: "system", content: "x" }] },
    "either",
  ],
  ["a tool message", { messages: [{ role: "tool", content: "x" }] }, "openai"],
  ["calls", { messages: [{ role: "assistant", tool_calls: [{}] }] }, "openai"],
  ["an image's URL", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "openai"],
  ["a tool's result", { messages: [{ role: "user", content: [{ type: "tool_result" }] }] }, "anthropic"],
]

test.each(sides)("whose request: %s", (_name, more, side) => {
  expect(sideOfRequest({ ...request, ...more })).toBe(side)
})

test("every request that clients were seen to send is Anthropic's", async () => {
  const folder = `${import.meta.dir}/../fixtures/requests`
  const names = await Array.fromAsync(new Bun.Glob("*.json").scan(folder))
  expect(names.length).toBeGreaterThan(3)
  for (const name of names) {
    const body = await Bun.file(`${folder}/${name}`).json()
    expect([name, sideOfRequest(body)]).toEqual([name, "anthropic"])
  }
})

const reply = {
  ...{
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    stop_reason: "tool_use",
    stop_sequence: null,
  },
  content: [
    { type: "thinking", thinking: "Hm.", signature: "x" },
    { type: "text", text: "Look:" },
    { type: "tool_use", id: "toolu_12345678", name: "clock", input: { zone: "UTC" } },
    { type: "web_search_tool_result", tool_use_id: "srv_1", content: [] },
  ],
  usage: { input_tokens: 5, output_tokens: 7 },
}

describe("an Anthropic reply", () => {
  test("becomes OpenAI's", async () => {
    const { code, out, error } = await run(JSON.stringify(reply), { to: "openai" })
    expect([code, error]).toEqual([0, ""])
    expect(json(out)).toMatchObject({
      ...{ id: "chatcmpl-1", object: "chat.completion", created: 0, model: "m" },
      choices: [
        {
          message: {
            ...{ content: "Look:", reasoning_content: "Hm." },
            tool_calls: [{ id: "toolu_12345678", function: { name: "clock", arguments: '{"zone":"UTC"}' } }],
          },
          finish_reason: "tool_calls",
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    })
  })

  test("--explain says what is lost", async () => {
    const { error } = await run(JSON.stringify(reply), { explain: true })
    expect(error).toContain("dropped  content.0.signature: ")
    expect(error).toContain("dropped  content.3: ")
    const { error: nothing } = await run(JSON.stringify({ ...reply, content: [] }), { explain: true })
    expect(nothing).toBe("nothing was dropped or changed\n")
  })

  test("that is an error becomes OpenAI's error", async () => {
    const failure = JSON.stringify({
      type: "error",
      error: { type: "rate_limit_error", message: "slow down" },
    })
    expect(json((await run(failure)).out)).toEqual({
      error: { message: "slow down", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" },
    })
    expect(json((await run(failure, { to: "anthropic" })).out)["type"]).toBe("error")
  })

  test("comes back as it was when it is converted twice", async () => {
    const there = await run(JSON.stringify(reply))
    const back = json((await run(there.out)).out)
    expect(back).toMatchObject({
      content: [{ type: "thinking", thinking: "Hm." }, reply.content[1], reply.content[2]],
      stop_reason: "tool_use",
      usage: { input_tokens: 5, output_tokens: 7 },
    })
  })
})

describe("an Anthropic stream", () => {
  const events = async () => {
    const { out } = await run(chunks.map((chunk) => JSON.stringify(chunk)).join("\n"))
    return out
  }
  const lines = (sse: string) => parseAnthropicSse(sse).map((event) => JSON.stringify(event))

  test.each(["server-sent events", "an event a line"])("as %s becomes OpenAI's chunks", async (form) => {
    const sse = await events()
    const input = form === "an event a line" ? ['{"comment":"x"}', ...lines(sse)].join("\n") : sse
    const { code, out } = await run(input, { to: "openai" })
    expect(code).toBe(0)
    expect(out).toEndWith("data: [DONE]\n\n")
    // The way back gives the same events: nothing that counts was lost.
    const again = parseAnthropicSse((await run(out)).out)
    expect(again.at(-2)).toEqual(parseAnthropicSse(sse).at(-2) ?? {})
  })

  test("that was cut ends in an error", async () => {
    const cut = (await events()).split("event: message_stop")[0] ?? ""
    const { out } = await run(cut)
    expect(out).not.toContain("[DONE]")
    expect(json(out.trimEnd().split("\n\n").at(-1)?.slice(6) ?? "")).toMatchObject({
      error: { message: "the stream ends before its message_stop", type: "server_error" },
    })
  })

  test("--explain says what is lost", async () => {
    const start = { type: "content_block_start", index: 0, content_block: { type: "server_tool_use" } }
    const { error } = await run(`data: ${JSON.stringify(start)}\n\n`, { explain: true })
    expect(error).toContain("dropped  content.0: a server_tool_use block")
  })
})

test("for an upstream that speaks the Messages API itself only the model's name changes", () => {
  const config = configFrom({ OPENAI_BASE_URL: "https://api.anthropic.com/v1", OPENAI_API_KEY: "k" })
  const body = { ...request, model: "anthropic/claude-x", system: "Be brief.", brand_new: [1] }
  const converted = convertMessagesBody(body, undefined, config, false)
  if (!converted.ok) throw new Error(converted.why)
  expect(converted.body).toEqual({ ...body, model: "claude-x" })
  expect(converted.explanation()).toContain("route    anthropic/claude-x → claude-x at anthropic")
  expect(converted.explanation()).toContain("changed  model: ")
})

test("what is passed through without max_tokens is explained with those that it gets", () => {
  const config = configFrom({
    ...{ OPENAI_BASE_URL: "https://api.anthropic.com/v1", OPENAI_API_KEY: "k" },
    MAX_TOKENS_LIMIT: "4096",
  })
  const body = { messages: [{ role: "user", content: "hi" }] }
  const converted = convertMessagesBody(body, "claude-x", config, false)
  if (!converted.ok) throw new Error(converted.why)
  expect(converted.body).toMatchObject({ max_tokens: 4096 })
  expect(converted.explanation()).toContain("at most 4096 out")
})

describe("anything else", () => {
  const cases: readonly (readonly [string, string, Partial<ConvertOptions>, string])[] = [
    ["nothing", "  ", {}, "standard input is empty"],
    ["no JSON", "nonsense", {}, "the input is not valid JSON"],
    ["a list", "[1]", {}, "must be a JSON object"],
    ["an unknown object", '{"a":1}', {}, "messages: Field required"],
    [
      "a bad message",
      '{"messages":[{"role":"user","content":[{"type":"text"}]}]}',
      {},
      "messages.0.content.0.text",
    ],
    [
      "a bad OpenAI request",
      '{"messages":[{"role":"system","content":"be brief"},{"role":"user"}]}',
      {},
      "not a Chat Completions request: Invalid 'messages[1].content'",
    ],
    ["nothing of OpenAI's", '{"a":1}', { from: "openai" }, "messages: Field required (an OpenAI request)"],
    [
      "nothing of Anthropic's",
      '{"choices":[]}',
      { from: "anthropic" },
      "messages: Field required (a request)",
    ],
    ["a deep request", `{"messages":[{"role":"user","content":[${deep}]}]}`, {}, "nested too deeply"],
    ["a broken line", '{"choices":[]}\n{"cho', {}, "line 2 is not valid JSON"],
    [
      "an Anthropic request to Anthropic's side",
      JSON.stringify({ ...request, system: "x" }),
      { to: "anthropic" },
      "this input is an Anthropic request, which converts to openai, not to anthropic",
    ],
    [
      "an OpenAI request to OpenAI's side",
      JSON.stringify({ ...request, n: 1 }),
      { to: "openai" },
      wrongWay("request"),
    ],
    ["an OpenAI reply to OpenAI's side", JSON.stringify(chatReply({})), { to: "openai" }, wrongWay("reply")],
    [
      "an OpenAI stream to OpenAI's side",
      `data: ${JSON.stringify(textChunk("a"))}`,
      { to: "openai" },
      wrongWay("stream"),
    ],
    ["a file that is not there", "", { file: "gone.json" }, "cannot read gone.json: ENOENT"],
  ]

  test.each(cases)("%s ends with 1 and says what is wrong", async (_name, input, options, why) => {
    const { code, out, error } = await run(input, options)
    expect([code, out]).toEqual([1, ""])
    expect(error).toStartWith("claude-proxy: ")
    expect(error).toContain(why)
  })
})

test.each([
  ['{"type":"message","content":5}', "not an Anthropic reply: content: "],
  ['{"type":"message","content":[{"text":"x"}]}', "not an Anthropic reply: content.0.type: "],
  ['{"choices":[{"message":5}]}', "not an OpenAI reply: choices.0.message: "],
  ['{"choices":[]}', "not an OpenAI reply: choices: must not be empty"],
  ['data: {"type":"message_start"}\n\n', "not an Anthropic stream: event 1: message: "],
  [
    'data: {"type":"ping"}\n\ndata: {"type":"content_block_delta","index":0}\n\n',
    "not an Anthropic stream: event 2: delta: ",
  ],
])("%s is refused with the place", async (input, why) => {
  const { code, out, error } = await run(input)
  expect([code, out]).toEqual([1, ""])
  expect(error).toStartWith(`claude-proxy: ${why}`)
})
