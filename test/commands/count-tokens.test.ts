import { describe, expect, test } from "bun:test"
import { type CountTokensOptions, countTokens } from "../../src/commands/count-tokens.ts"
import { inWorld, type World } from "../support/command-io.ts"

const run = (options: Partial<CountTokensOptions>, world: World) =>
  inWorld(world, (io) =>
    countTokens({ file: undefined, estimate: false, byPart: false, json: false, ...options }, io),
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
