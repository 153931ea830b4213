// Cases 86 and 87: the helpers of Anthropic's own SDK that use message threads, in front of a proxy that keeps
// none: whatever they send first, the model has to see the whole conversation.
import { afterEach, expect, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema"
import { arrayOf, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { start, stopAll } from "../server/support.ts"
import { chatReply, finishChunk, roleChunk, textChunk, toolChunks } from "../support/chunks.ts"
import type { Script, Turn } from "../support/script.ts"
import { rolesOf } from "./support.ts"

afterEach(stopAll)

const model = "claude-opus-5-5"

function setUp(script: Script) {
  const { proxy, upstream } = start(script)
  const client = new Anthropic({ baseURL: proxy.url, apiKey: "any", maxRetries: 0 })
  return { client, upstream }
}

const messagesOf = (body: JsonObject) => arrayOf(body["messages"]).map(objectOf)
const says = (text: string, stream: boolean): Turn =>
  stream
    ? { kind: "stream", chunks: [roleChunk(), textChunk(text), finishChunk("stop")] }
    : { kind: "json", body: chatReply({ content: text }) }

test("86: a tool runner with threads ends with the right answer, and its last call had system and tools", async () => {
  const call = { id: "call_0", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } }
  for (const stream of [false, true]) {
    const { client, upstream } = setUp((body) => {
      if (messagesOf(body).some(({ role }) => role === "tool")) return says("Noon.", stream)
      if (!stream)
        return { kind: "json", body: chatReply({ content: null, tool_calls: [call] }, "tool_calls") }
      const chunks = [
        roleChunk(),
        ...toolChunks(0, "call_0", "clock", { zone: "UTC" }),
        finishChunk("tool_calls"),
      ]
      return { kind: "stream", chunks }
    })
    const tool = betaTool({
      name: "clock",
      description: "The time",
      inputSchema: { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] },
      run: ({ zone }) => `12:00 ${zone}`,
    })
    const final = await client.beta.messages.toolRunner({
      ...{ model, max_tokens: 500, system: "Be brief.", tools: [tool], stream },
      messages: [{ role: "user", content: "What time is it?" }],
    })
    expect(final.content).toMatchObject([{ type: "text", text: "Noon." }])
    const last = upstream.turns().at(-1)?.body ?? {}
    expect(rolesOf(messagesOf(last))).toEqual(["system", "user", "assistant", "tool"])
    expect(messagesOf(last)[3]?.["content"]).toBe("12:00 UTC")
    expect(last["tools"]).toMatchObject([{ function: { name: "clock" } }])
    expect(upstream.turns().length).toBe(2)
  }
})

test("87: a thread of three turns: every answer saw all that was said before", async () => {
  for (const unsupportedRequestBehavior of ["error", "continue_unthreaded"] as const) {
    const { client, upstream } = setUp((body) => {
      const said = messagesOf(body).filter(({ role }) => role === "user")
      return says(said.map(({ content }) => String(content)).join("+"), false)
    })
    const thread = client.beta.messages.thread({
      ...{ model, max_tokens: 500, system: "Be brief.", unsupportedRequestBehavior },
    })
    const answers: unknown[] = []
    for (const content of ["one", "two", "three"]) {
      const reply = await thread.send({ role: "user", content })
      answers.push(reply.content)
    }
    expect(answers).toMatchObject(["one", "one+two", "one+two+three"].map((text) => [{ type: "text", text }]))
    const last = upstream.turns().at(-1)?.body ?? {}
    expect(rolesOf(messagesOf(last))).toEqual(["system", "user", "assistant", "user", "assistant", "user"])
    expect(upstream.turns().length).toBe(3)
  }
})
