// The Anthropic TypeScript SDK as a client of `serve`: what it gets when all goes well.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema"
import {
  chatReply,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import { failureOf, model, question, setUp, stopAll } from "./sdk-setup.ts"
import { anyTextTurn, checkConversation, messagesOf } from "./session.ts"

setDefaultTimeout(30_000)
afterEach(stopAll)

const parameters = { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] } as const
const clock = { name: "clock", description: "The time", input_schema: { ...parameters, required: ["zone"] } }

test("messages.create: text, thinking and a call in one reply", async () => {
  const tool_calls = [
    { id: "call_0", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } },
  ]
  const message = { content: "Let me look.", reasoning_content: "A clock helps.", tool_calls }
  const { client, upstream } = await setUp([{ kind: "json", body: chatReply(message, "tool_calls") }])
  const reply = await client.messages.create({ ...question, tools: [clock] })
  expect(reply).toMatchObject({
    type: "message",
    role: "assistant",
    model,
    content: [
      { type: "thinking", thinking: "A clock helps." },
      { type: "text", text: "Let me look." },
      { type: "tool_use", name: "clock", input: { zone: "UTC" } },
    ],
    stop_reason: "tool_use",
    usage: { input_tokens: 12, output_tokens: 5 },
  })
  expect(reply.id).toStartWith("msg_")
  expect(reply._request_id).toStartWith("req_")
  expect(upstream.turns()[0]?.body).toMatchObject({ model: "scripted-model", max_tokens: 500 })
})

test("messages.stream: the same, in pieces", async () => {
  const chunks = [
    ...[
      roleChunk(),
      reasoningChunk("A clock "),
      reasoningChunk("helps."),
      textChunk("Let me "),
      textChunk("look."),
    ],
    ...[
      ...toolChunks(0, "call_0", "clock", { zone: "UTC" }),
      finishChunk("tool_calls"),
      usageChunk(100, 9, 60),
    ],
  ]
  const { client } = await setUp([{ kind: "stream", chunks }])
  const stream = client.messages.stream({ ...question, tools: [clock] })
  const heard: string[] = []
  stream.on("text", (text) => heard.push(text))
  const reply = await stream.finalMessage()
  expect(heard.join("")).toBe("Let me look.")
  expect(reply).toMatchObject({
    content: [
      { type: "thinking", thinking: "A clock helps." },
      { type: "text", text: "Let me look." },
      { type: "tool_use", name: "clock", input: { zone: "UTC" } },
    ],
    stop_reason: "tool_use",
    usage: { input_tokens: 40, cache_read_input_tokens: 60, output_tokens: 9 },
  })
})

test.each([false, true])(
  "a tool runner with message threads (stream: %p) keeps the conversation",
  async (stream) => {
    const call = { id: "call_0", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } }
    const { client, upstream } = await setUp((body) => {
      if (messagesOf(body).some((message) => message["role"] === "tool")) return anyTextTurn(body, "Noon.")
      if (!stream)
        return { kind: "json", body: chatReply({ content: null, tool_calls: [call] }, "tool_calls") }
      const chunks = [
        roleChunk(),
        ...toolChunks(0, "call_0", "clock", { zone: "UTC" }),
        finishChunk("tool_calls"),
      ]
      return { kind: "stream", chunks }
    })
    const zones: string[] = []
    const tool = betaTool({
      name: "clock",
      description: "The time",
      inputSchema: parameters,
      run: ({ zone }) => {
        zones.push(zone)
        return "12:00"
      },
    })
    const final = await client.beta.messages.toolRunner({
      ...question,
      system: "Be brief.",
      tools: [tool],
      stream,
    })
    expect(final.content).toMatchObject([{ type: "text", text: "Noon." }])
    expect(zones).toEqual(["UTC"])
    const last = upstream.turns().at(-1)?.body ?? {}
    expect(upstream.turns().length).toBe(2)
    expect(messagesOf(last).map((message) => message["role"])).toEqual([
      "system",
      "user",
      "assistant",
      "tool",
    ])
    expect(messagesOf(last)[3]?.["content"]).toBe("12:00")
    expect(last["tools"]).toMatchObject([{ function: { name: "clock" } }])
    expect(checkConversation(last)).toEqual([])
  },
)

test("countTokens, models.list and models.retrieve", async () => {
  const { client, upstream } = await setUp([])
  const few = await client.messages.countTokens({ model, messages: question.messages })
  const many = await client.messages.countTokens({ model, messages: question.messages, tools: [clock] })
  expect(few.input_tokens).toBeWithin(3, 40)
  expect(many.input_tokens).toBeGreaterThan(few.input_tokens)
  const ids: string[] = []
  for await (const { id, type } of client.models.list({ limit: 2 })) {
    expect(type).toBe("model")
    ids.push(id)
  }
  expect(ids.length).toBeGreaterThan(0)
  expect(new Set(ids).size).toBe(ids.length)
  const [first = ""] = ids
  expect((await client.models.retrieve(first)).id).toBe(first)
  expect(await failureOf(client.models.retrieve("no-such-model-anywhere"))).toBeInstanceOf(
    Anthropic.NotFoundError,
  )
  expect(upstream.turns()).toEqual([])
})
