import { describe, expect, test } from "bun:test"
import { type CountTokensOptions, countTokens } from "../../src/commands/count-tokens/count-tokens.ts"
import { inWorld, type World } from "../support/command-io.ts"

const run = (options: Partial<CountTokensOptions>, world: World) =>
  inWorld(world, (io) =>
    countTokens(
      { file: undefined, model: undefined, estimate: false, byPart: false, json: false, ...options },
      io,
    ),
  )

const request = JSON.stringify({
  model: "claude-sonnet-5",
  system: "hello",
  tools: [
    { name: "Read", description: "hello world", input_schema: { type: "object" } },
    { name: "Bash", input_schema: {} },
  ],
  messages: [{ role: "user", content: "hello world" }],
})

describe("what is counted", () => {
  test.each([
    ["text from standard input", {}, { stdin: "hello world" }, "2\n"],
    ["text from a file", { file: "a.txt" }, { files: { "a.txt": "hello" } }, "1\n"],
    ["standard input as -", { file: "-" }, { stdin: "hello", stdinIsTerminal: true }, "1\n"],
    ["a request", {}, { stdin: request }, "36\n"],
    ["a request with only tools", {}, { stdin: '{"tools":[]}' }, "0\n"],
    ["other JSON, as text", {}, { stdin: '{"a":1}' }, "5\n"],
    ["broken JSON, as text", {}, { stdin: '{"messages": [' }, "4\n"],
    ["an estimate", { estimate: true }, { stdin: "hello world" }, "2\n"],
  ] as const)("%s", async (_, options, world, out) => {
    expect(await run(options, world)).toEqual({ code: 0, out, error: "" })
  })

  test("by part, a table", async () => {
    const { code, out } = await run({ byPart: true }, { stdin: request })
    expect(code).toBe(0)
    expect(out).toBe(
      ["system      4", "tool Read  16", "tool Bash  11", "messages    5", "total      36", ""].join("\n"),
    )
  })

  test("by part, of a text", async () => {
    expect((await run({ byPart: true }, { stdin: "hello" })).out).toBe("text  1\n")
  })

  test("as JSON", async () => {
    const { out } = await run({ json: true, byPart: true }, { stdin: request })
    expect(JSON.parse(out)).toEqual({
      kind: "request",
      method: "o200k_base",
      approximate: true,
      system: 4,
      tools: [
        { name: "Read", tokens: 16 },
        { name: "Bash", tokens: 11 },
      ],
      messages: 5,
      total: 36,
    })
    const plain = await run({ json: true, estimate: true }, { stdin: "hello" })
    expect(plain.out).toBe('{"kind":"text","method":"estimate","total":1}\n')
  })
})

const chat = JSON.stringify({
  model: "gpt-4o",
  messages: [
    { role: "system", content: "hello" },
    { role: "user", content: [{ type: "text", text: "hello world" }] },
    {
      role: "assistant",
      tool_calls: [{ id: "c", type: "function", function: { name: "Read", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "c", content: "hello" },
  ],
  tools: [{ type: "function", function: { name: "Read", description: "hello world", parameters: {} } }],
})

describe("a Chat Completions request", () => {
  test("is counted part by part, in its own model's encoding", async () => {
    const { out } = await run({ byPart: true, json: true }, { stdin: chat })
    const counted = JSON.parse(out)
    expect(counted).toMatchObject({ kind: "request", method: "o200k_base", system: 4 })
    expect(counted.approximate).toBeUndefined()
    expect(counted.tools.map((tool: { name: string }) => tool.name)).toEqual(["Read"])
    // Two words; a call of Read with {}; a result of one word; three for each message and for the result.
    expect(counted.messages).toBe(3 + 2 + (3 + 8 + 1 + 1) + (3 + 3 + 1))
    expect(counted.total).toBe(counted.system + counted.tools[0].tokens + counted.messages)
  })

  test("that is none", async () => {
    const stdin = '{"messages":[{"role":"tool","content":"x"}]}'
    expect(await run({}, { stdin })).toEqual({
      code: 1,
      out: "",
      error: "claude-proxy: not a valid request: Invalid 'messages[0].tool_call_id': it is required.\n",
    })
  })
})

describe("the model", () => {
  const words = "你好，世界。这是一个测试。"

  test.each([
    ["gpt-4", "cl100k_base", 12],
    ["gpt-4o", "o200k_base", 8],
    ["openai/gpt-5.6", "o200k_base", 8],
  ])("%s counts in %s", async (model, method, total) => {
    const { out, error } = await run({ model, json: true }, { stdin: words })
    expect({ ...JSON.parse(out), error }).toEqual({ kind: "text", method, total, error: "" })
  })

  test("one with an encoding of its own is counted in another, and that is said", async () => {
    const world: World = { stdin: words }
    expect(await run({ model: "deepseek-chat" }, world)).toEqual({
      code: 0,
      out: "8\n",
      error: "claude-proxy: how deepseek-chat counts is not known; this is the count in o200k_base\n",
    })
    expect(JSON.parse((await run({ model: "deepseek-chat", json: true }, world)).out)).toEqual({
      kind: "text",
      method: "o200k_base",
      approximate: true,
      total: 8,
    })
  })

  test("on the command line is stronger than the request's", async () => {
    const stdin = JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: words }] })
    expect((await run({ model: "gpt-4" }, { stdin })).out).toBe("15\n")
    expect((await run({}, { stdin })).out).toBe("11\n")
  })

  test("has no say in an estimate", async () => {
    expect(await run({ model: "gpt-4", estimate: true }, { stdin: words })).toEqual({
      code: 2,
      out: "",
      error: "claude-proxy: an estimate is the same for every model: leave out --model, or --estimate\n",
    })
  })
})

describe("what is refused", () => {
  test.each([
    [
      "a terminal and no file",
      {},
      { stdinIsTerminal: true },
      2,
      "nothing to read: name a FILE, or pipe one in (claude-proxy count-tokens --help)",
    ],
    [
      "a missing file",
      { file: "gone.json" },
      {},
      1,
      "cannot read gone.json: ENOENT: no such file or directory, open 'gone.json'",
    ],
    ["empty input", {}, { stdin: " \n" }, 1, "standard input is empty"],
    ["an empty file", { file: "a" }, { files: { a: "" } }, 1, "a is empty"],
    [
      "a request that is none",
      {},
      { stdin: '{"messages":[{"role":"user","content":[{"type":"text"}]}]}' },
      1,
      "not a valid request: messages.0.content.0.text: Field required",
    ],
  ] as const)("%s", async (_, options, world, code, message) => {
    expect(await run(options, world)).toEqual({ code, out: "", error: `claude-proxy: ${message}\n` })
  })
})
