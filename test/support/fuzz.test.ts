// What a fuzz relies on: it sees a key in every form, takes no wrong reply for a right one, and plays a seed again.
import { expect, test } from "bun:test"
import { keyFor, tellsKey } from "./fuzz-canaries.ts"
import { createReplyReader, type Reply } from "./fuzz-http.ts"
import { judgeReply } from "./fuzz-judge.ts"
import { fuzzRequest, wireOf } from "./fuzz-requests.ts"
import { createRandom } from "./random.ts"

const key = keyFor("A_PLACE", 2)

test.each([
  ["as it is", key, true],
  ["cut", key.slice(0, -5), true],
  ["in a URL", `?key=${encodeURIComponent(key)}`, true],
  ["in JSON", JSON.stringify({ key }), true],
  ["in Base64", Buffer.from(`user:${key}`).toString("base64"), true],
  ["in Base64, one byte on", Buffer.from(`user1:${key}`).toString("base64url"), true],
  ["in Base64, two bytes on", Buffer.from(`user12:${key}`).toString("base64"), true],
  ["in hexadecimal", Buffer.from(key).toString("hex"), true],
  ["taken out", "Bearer [redacted]", false],
  ["its hash", new Bun.CryptoHasher("sha256").update(key).digest("hex"), false],
])("a key %s", (_form, text, told) => {
  expect([tellsKey(text), tellsKey(Buffer.from(text))]).toEqual([told, told])
})

function replyOf(status: number, type: string, body: string, more = ""): Reply {
  const length = Buffer.byteLength(body)
  const head = `HTTP/1.1 ${status} Any\r\nrequest-id: req_1\r\ncontent-type: ${type}\r\n${more}content-length: ${length}`
  const reply = createReplyReader().push(Buffer.from(`${head}\r\n\r\n${body}`))
  if (reply === undefined) throw new Error("no whole reply")
  return reply
}

const json = "application/json"
const errorOf = (type: string) =>
  JSON.stringify({ type: "error", error: { type, message: "m" }, request_id: "req_1" })
const sent = { method: "POST", target: "/v1/messages" }

test.each([
  ["an error", replyOf(404, json, errorOf("not_found_error")), []],
  ["another type", replyOf(400, json, errorOf("api_error")), ["api_error with 400"]],
  ["no JSON", replyOf(400, json, "no"), ["the error is no JSON object"]],
  ["OpenAI's shape", replyOf(400, json, '{"error":{"message":"m"}}'), ["not Anthropic's shape of an error"]],
  ["5xx", replyOf(500, json, errorOf("api_error")), ["status 500"]],
  ["3xx", replyOf(302, json, "{}"), ["status 302"]],
  ["a key", replyOf(200, json, "{}", `x-key: ${key}\r\n`), ["a key is told"]],
  ["a count", replyOf(200, json, '{"input_tokens":3}'), []],
  ["a count of nothing", replyOf(200, json, '{"input_tokens":0}'), ["input_tokens 0"]],
  [
    "half a stream",
    replyOf(200, "text/event-stream", ""),
    ["in the stream: no message_stop and no error at the end"],
  ],
])("%s", (_name, reply, wrong) => {
  expect(judgeReply(reply, sent)).toEqual(wrong)
})

test("the same seed makes the same request, and another one another", () => {
  const wire = (seed: number) => {
    const random = createRandom(seed)
    return wireOf(fuzzRequest(random, key), random).toString("latin1")
  }
  const seeds = Array.from({ length: 50 }, (_, seed) => seed)
  expect(seeds.map(wire)).toEqual(seeds.map(wire))
  expect(new Set(seeds.map(wire)).size).toBeGreaterThan(40)
})
