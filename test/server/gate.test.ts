// Who may use the proxy.
import { afterEach, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { createGate } from "../../src/server/entrance/gate.ts"
import { chatReply } from "../support/chunks.ts"
import { jsonOf, post, start, stopAll } from "./support.ts"

afterEach(stopAll)

const env = { ALLOWED_API_KEYS: "first-key, second-key" }
const reply = () => ({ kind: "json", body: chatReply({ content: "hi" }) }) as const

test.each<[string, Record<string, string>, number]>([
  ["Bearer", { authorization: "Bearer first-key" }, 200],
  ["the other key", { authorization: "Bearer second-key" }, 200],
  ["bearer in small letters", { authorization: "bearer first-key" }, 200],
  ["BEARER and more blanks", { authorization: "BEARER   first-key " }, 200],
  ["x-api-key", { "x-api-key": "second-key" }, 200],
  ["both right", { authorization: "Bearer first-key", "x-api-key": "second-key" }, 200],
  ["Bearer right, x-api-key wrong", { authorization: "Bearer first-key", "x-api-key": "no" }, 200],
  ["Bearer wrong, x-api-key right", { authorization: "Bearer no", "x-api-key": "first-key" }, 200],
  ["nothing", {}, 401],
  ["an empty key", { "x-api-key": "" }, 401],
  ["both keys in one", { "x-api-key": "first-key, second-key" }, 401],
  ["Basic", { authorization: "Basic first-key" }, 401],
  ["the key without a scheme", { authorization: "first-key" }, 401],
  ["a part of a key", { "x-api-key": "first" }, 401],
  ["a key and more", { "x-api-key": "first-key2" }, 401],
])("%s", async (_name, headers, status) => {
  const { upstream, proxy } = start(reply, { env })
  const response = await post(proxy, {}, { headers })
  expect(response.status).toBe(status)
  expect(upstream.turns().length).toBe(status === 200 ? 1 : 0)
  await response.text()
})

test.each<[Record<string, string>, string]>([
  [{ authorization: "Bearer wrong-secret" }, "invalid authorization"],
  [{ "x-api-key": "wrong-secret" }, "invalid API key"],
  [{}, "no API key"],
])("401 says where the key was, never what it is: %j", async (headers, words) => {
  const { proxy } = start(reply, { env })
  const response = await post(proxy, {}, { headers })
  const body = await jsonOf(response)
  expect(objectOf(body["error"])["type"]).toBe("authentication_error")
  expect(String(objectOf(body["error"])["message"])).toStartWith(words)
  expect(JSON.stringify(body)).not.toMatch(/wrong-secret|first-key|second-key/)
  // Claude Code would say "Not logged in" in its place.
  expect(JSON.stringify(body)).not.toContain("x-api-key")
  expect(response.headers.get("x-should-retry")).toBe("false")
  expect(response.headers.get("request-id")).toBe(String(body["request_id"]))
})

test("the log tells of each manner of it once, and then only to whoever wants everything", async () => {
  const { proxy } = start(reply, { env })
  const tries = [{ "x-api-key": "wrong-secret" }, {}, { "x-api-key": "other-secret" }, {}] as const
  for (const headers of tries) await (await post(proxy, {}, { headers })).text()
  const told = proxy.logs.filter(({ message }) => message === "request refused")
  expect(
    told.map(({ level, fields }) => [level, fields["status"], String(fields["why"]).slice(0, 17)]),
  ).toEqual([
    ["warn", 401, "invalid API key: "],
    ["warn", 401, "no API key: send "],
    ["debug", 401, "invalid API key: "],
    ["debug", 401, "no API key: send "],
  ])
  expect(JSON.stringify(told)).not.toMatch(/wrong-secret|other-secret|first-key/)
})

test.each([
  ["GET", "/", 200],
  ["HEAD", "/", 200],
  ["GET", "/health", 200],
  ["HEAD", "/health", 200],
  ["GET", "/v1/models", 401],
  ["GET", "/v1/models/claude-opus-5-5", 401],
  ["POST", "/v1/messages/count_tokens", 401],
  ["POST", "//v1/messages", 401],
  ["POST", "/anthropic/v1/messages", 401],
])("without a key: %s %s is %d", async (method, path, status) => {
  const { proxy } = start(reply, { env })
  expect((await fetch(proxy.url + path, { method })).status).toBe(status)
})

test("no client keys: everybody may", async () => {
  const { proxy } = start(reply)
  expect((await post(proxy, {}, { headers: { "x-api-key": "anything" } })).status).toBe(200)
  expect(createGate([])(new Headers())).toBe(undefined)
})
