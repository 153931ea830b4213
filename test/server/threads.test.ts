// Message threads: `create` is served, everything that needs a memory is refused in words clients understand.
import { afterEach, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply } from "../support/chunks.ts"
import { jsonOf, post, postStream, start, stopAll } from "./support.ts"

afterEach(stopAll)

const reply = () => ({ kind: "json", body: chatReply({ content: "hi" }) }) as const
const resume = { type: "continue", previous_message_id: "msg_1" }
const toolResult = [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "x" }] }]

test.each<[string, Record<string, unknown>]>([
  ["only a tool result", { thread: resume, messages: toolResult }],
  ["no messages", { thread: resume, messages: [] }],
  ["nothing else at all", { thread: resume, messages: undefined, model: undefined, max_tokens: undefined }],
  ["an unknown type", { thread: { type: "fork" } }],
  ["no object", { thread: "yes" }],
])("continue, with %s: 404 with its code", async (_name, more) => {
  const { upstream, proxy } = start(reply)
  for (const send of [post, postStream]) {
    const response = await send(proxy, more)
    expect(response.status).toBe(404)
    const error = await jsonOf(response)
    expect(error).toEqual({
      type: "error",
      error: {
        type: "not_found_error",
        message: expect.stringMatching(/^thread_not_found/),
        details: { error_code: "thread_not_found" },
      },
      request_id: response.headers.get("request-id"),
    })
  }
  expect(upstream.turns()).toEqual([])
})

test.each([{ type: "create" }, null])("%j is served, and the field goes no further", async (thread) => {
  const { upstream, proxy } = start(reply)
  expect((await post(proxy, { thread })).status).toBe(200)
  expect(upstream.turns().length).toBe(1)
  expect(upstream.turns()[0]?.text).not.toContain("thread")
})

test.each([resume, { type: "create" }])("Claude Code learns once that there are none: %j", async (thread) => {
  const { upstream, proxy } = start(reply)
  const headers = { "user-agent": "claude-cli/2.1.329 (external, cli)" }
  const response = await post(proxy, { thread }, { headers })
  expect(response.status).toBe(400)
  const error = objectOf((await jsonOf(response))["error"])
  expect(error["type"]).toBe("invalid_request_error")
  expect(error["details"]).toEqual({ error_code: "thread_unsupported_request" })
  expect(error["message"]).toContain("capability_rejected: beta_header:message-threads-2026-08-12")
  expect(upstream.turns()).toEqual([])
})
