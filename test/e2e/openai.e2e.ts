// OpenAI's own SDK as a client of `serve`: whole replies and streams, tools, its helpers, its errors.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import OpenAI from "openai"
import {
  chatReply,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import type { Environment } from "../support/proxy.ts"
import type { Script, Turn } from "../support/script.ts"
import { failureOf, setUp, stopAll } from "./sdk-setup.ts"
import { anyTextTurn, checkConversation, messagesOf } from "./session.ts"

setDefaultTimeout(30_000)
afterEach(stopAll)

const parameters = { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] }
const clock = { type: "function", function: { name: "clock", description: "The time", parameters } } as const
const question = {
  model: "scripted-model",
  messages: [{ role: "user" as const, content: "What time is it?" }],
}

async function setUpOpenai(script: Script, env: Environment = {}) {
  const { proxy, upstream } = await setUp(script, env)
  const options = { apiKey: "any", maxRetries: 0, timeout: 60_000 }
  return { upstream, proxy, client: new OpenAI({ baseURL: `${proxy.url}/v1`, ...options }) }
}

const call = { id: "call_0", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } }

const callTurn = (stream: boolean): Turn =>
  stream
    ? {
        kind: "stream",
        chunks: [
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
        ],
      }
    : { kind: "json", body: chatReply({ content: "Let me look.", tool_calls: [call] }, "tool_calls") }

test("chat.completions.create: a whole reply", async () => {
  const { client, upstream } = await setUpOpenai([callTurn(false)])
  const reply = await client.chat.completions.create({
    ...question,
    tools: [clock],
    max_completion_tokens: 50,
  })
  expect(reply).toMatchObject({
    object: "chat.completion",
    model: "scripted-model",
    choices: [
      {
        message: {
          role: "assistant",
          content: "Let me look.",
          tool_calls: [{ type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } }],
        },
        finish_reason: "tool_calls",
      },
    ],
    usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
  })
  expect(reply._request_id).toStartWith("req_")
  expect(upstream.turns()[0]?.body).toMatchObject({ model: "scripted-model", max_tokens: 50 })
})

test("chat.completions.create: a stream", async () => {
  const { client } = await setUpOpenai([callTurn(true)])
  const stream = await client.chat.completions.create({
    ...{ ...question, tools: [clock], stream: true },
    stream_options: { include_usage: true },
  })
  let [words, json] = ["", ""]
  let usage: unknown
  const reasons: unknown[] = []
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage
    for (const { delta, finish_reason } of chunk.choices) {
      words += delta.content ?? ""
      json += delta.tool_calls?.[0]?.function?.arguments ?? ""
      if (finish_reason !== null) reasons.push(finish_reason)
    }
  }
  expect([words, JSON.parse(json), reasons]).toEqual(["Let me look.", { zone: "UTC" }, ["tool_calls"]])
  expect(usage).toMatchObject({
    prompt_tokens: 100,
    completion_tokens: 9,
    prompt_tokens_details: { cached_tokens: 60 },
  })
})

test("chat.completions.stream: its helper puts the same together", async () => {
  const { client } = await setUpOpenai([callTurn(true)])
  const stream = client.chat.completions.stream({ ...question, tools: [clock] })
  const heard: string[] = []
  stream.on("content", (text) => heard.push(text))
  const reply = await stream.finalChatCompletion()
  expect(heard.join("")).toBe("Let me look.")
  expect(reply.choices[0]).toMatchObject({
    message: {
      content: "Let me look.",
      tool_calls: [{ function: { name: "clock", arguments: '{"zone":"UTC"}' } }],
    },
    finish_reason: "tool_calls",
  })
})

test.each([false, true])("chat.completions.runTools (stream: %p) keeps the conversation", async (stream) => {
  const { client, upstream } = await setUpOpenai((body) =>
    messagesOf(body).some((message) => message["role"] === "tool")
      ? anyTextTurn(body, "Noon.")
      : callTurn(stream),
  )
  const zones: string[] = []
  const tool = {
    type: "function",
    function: {
      ...clock.function,
      parse: (text: string): { zone: string } => JSON.parse(text),
      function: ({ zone }: { zone: string }) => {
        zones.push(zone)
        return "12:00"
      },
    },
  } as const
  const more = {
    messages: [{ role: "system" as const, content: "Be brief." }, ...question.messages],
    tools: [tool],
  }
  const runner = stream
    ? client.chat.completions.runTools({ ...question, ...more, stream: true })
    : client.chat.completions.runTools({ ...question, ...more })
  expect(await runner.finalContent()).toBe("Noon.")
  expect(zones).toEqual(["UTC"])
  const last = upstream.turns().at(-1)?.body ?? {}
  expect(messagesOf(last).map((message) => message["role"])).toEqual(["system", "user", "assistant", "tool"])
  expect(messagesOf(last)[3]?.["content"]).toBe("12:00")
  expect(checkConversation(last)).toEqual([])
})

test("failures have the SDK's own classes", async () => {
  const cases = [
    [400, OpenAI.BadRequestError, 400],
    [401, OpenAI.AuthenticationError, 401],
    [429, OpenAI.RateLimitError, 429],
    [500, OpenAI.InternalServerError, 500],
  ] as const
  let turn: Turn = { kind: "stall" }
  const { client } = await setUpOpenai(() => turn)
  for (const [status, errorClass, expected] of cases) {
    turn = { kind: "json", status, body: { error: { message: "This is why." } } }
    for (const stream of [false, true]) {
      const caught = await failureOf(client.chat.completions.create({ ...question, stream }))
      expect(caught).toBeInstanceOf(errorClass)
      if (!(caught instanceof OpenAI.APIError)) throw new Error("not an APIError")
      expect([caught.status, caught.message.includes("This is why.")]).toEqual([expected, true])
      expect(caught.requestID).toStartWith("req_")
    }
  }
  const refused = await failureOf(client.chat.completions.create({ ...question, n: 2 }))
  expect(refused).toMatchObject({
    status: 400,
    param: "n",
    code: "unsupported_value",
    type: "invalid_request_error",
  })
})

test("a stream that is cut throws, and never looks complete", async () => {
  const { client } = await setUpOpenai([
    { kind: "stream", chunks: [roleChunk(), textChunk("Well")], cut: "reset" },
  ])
  const read = async () => {
    let words = ""
    const stream = await client.chat.completions.create({ ...question, stream: true })
    for await (const { choices } of stream) words += choices[0]?.delta.content ?? ""
    return words
  }
  expect(await failureOf(read())).toBeInstanceOf(OpenAI.APIError)
})

test("a client key is asked for, and a client that leaves is noticed", async () => {
  const { proxy, upstream } = await setUpOpenai(
    [{ kind: "stream", chunks: [roleChunk(), textChunk("Well"), { pauseMs: 60_000 }] }],
    { ALLOWED_API_KEYS: "right" },
  )
  const clientWith = (apiKey: string) => new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey, maxRetries: 0 })
  expect(await failureOf(clientWith("wrong").chat.completions.create(question))).toMatchObject({
    ...{ status: 401, code: "invalid_api_key" },
  })
  const stream = await clientWith("right").chat.completions.create({ ...question, stream: true })
  for await (const { choices } of stream) if (choices[0]?.delta.content) break
  await upstream.until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)
})
