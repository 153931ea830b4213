// Arguments that are no JSON, over HTTP: Anthropic's SDK would end the stream at them, Claude Code does not, and
// who asks for eager streaming wants every piece.
import { afterEach, expect, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { objectOf } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { finishChunk, roleChunk, toolChunk } from "../support/chunks.ts"
import { start, stopAll } from "./support.ts"

afterEach(stopAll)

const parameters = { type: "object", properties: { command: { type: "string" } } } as const
const bash = { name: "Bash", description: "Runs a command", input_schema: parameters }
const question = {
  model: "claude-opus-5-5",
  max_tokens: 500,
  messages: [{ role: "user" as const, content: "List the files." }],
}

function setUp(args: string, reason = "tool_calls") {
  const pieces = args.match(/.{1,5}/gs) ?? []
  const chunks = [
    roleChunk(),
    toolChunk({ index: 0, id: "call_0000", name: "Bash", args: "" }),
    ...pieces.map((piece) => toolChunk({ index: 0, args: piece })),
    finishChunk(reason),
  ]
  const { proxy } = start([{ kind: "stream", chunks }])
  return { proxy, client: new Anthropic({ baseURL: proxy.url, apiKey: "any", maxRetries: 0 }) }
}

const raw = (text: string) => ({ _raw_arguments: text })

test.each<readonly [string, string, unknown]>([
  ['{"command":"ls -l"}', "tool_calls", { command: "ls -l" }],
  ['{"command":"echo "hi""}', "tool_calls", raw('{"command":"echo "hi""}')],
  ['{"command":"a" "timeout":5}', "tool_calls", raw('{"command":"a" "timeout":5}')],
  ["{\"command\": 'ls'}", "tool_calls", { command: "ls" }],
  ['{"command":"ls","list":[1,', "length", { command: "ls", list: [1] }],
])("the SDK's stream ends well: %j (%s)", async (args, reason, input) => {
  for (const stream of [true, false]) {
    const { client } = setUp(args, reason)
    const message = stream
      ? await client.messages.stream({ ...question, tools: [bash] }).finalMessage()
      : await client.messages.create({ ...question, tools: [bash] })
    // A whole reply has no beginnings: what is cut there is under its own name.
    const cut = reason === "length" && !stream
    expect(message.content).toMatchObject([{ type: "tool_use", input: cut ? raw(args) : input }])
    expect(message.stop_reason).toBe(reason === "length" ? "max_tokens" : "tool_use")
  }
})

test.each([
  ["Claude Code", { "user-agent": "claude-cli/2.1.329 (external, cli)" }, {}],
  ["a client that asks for eager streaming", {}, { eager_input_streaming: true }],
])("%s gets every piece as it comes", async (_, headers, more) => {
  const args = '{"command":"a" "timeout":5}'
  const { proxy } = setUp(args)
  const response = await fetch(`${proxy.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ ...question, stream: true, tools: [{ ...bash, ...more }] }),
  })
  const events = parseAnthropicSse(await response.text())
  const pieces = events.flatMap(({ delta }) => objectOf(delta)["partial_json"] ?? [])
  expect(pieces.length).toBeGreaterThan(4)
  expect(pieces.join("")).toBe(args)
})
