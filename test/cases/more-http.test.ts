// What the numbered cases do not ask for, and real clients and upstreams do all the same: over HTTP.
import { afterEach, describe, expect, test } from "bun:test"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import { eventsOf, jsonOf, post, postStream, start, stopAll, textOf, typesOf } from "../server/support.ts"
import { chatReply, finishChunk, reasoningChunk, roleChunk, textChunk } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"

afterEach(stopAll)

const stop = finishChunk("stop")

describe("over HTTP", () => {
  const failed = (status: number, message: string, headers = {}): Turn => ({
    ...{ kind: "json", status, headers, body: { error: { message } } },
  })

  test.each<[Turn, number, string, string | null, string | null]>([
    [failed(403, "forbidden"), 403, "permission_error", "false", null],
    [failed(402, "Insufficient Balance"), 402, "billing_error", "false", null],
    [failed(400, "Insufficient account balance"), 402, "billing_error", "false", null],
    [failed(405, "no"), 502, "api_error", "false", null],
    [failed(422, "bad field"), 400, "invalid_request_error", null, null],
    [failed(451, "not here"), 400, "invalid_request_error", null, null],
    [failed(413, "too big"), 413, "request_too_large", null, null],
    [failed(429, "Rate limit reached. Please try again in 7.2s."), 429, "rate_limit_error", null, "8"],
    [failed(429, "try again in 20 seconds"), 429, "rate_limit_error", null, "20"],
    [failed(429, "slow", { "retry-after-ms": "7400" }), 429, "rate_limit_error", null, "8"],
    [failed(429, "slow", { "retry-after": "3600" }), 429, "rate_limit_error", "false", "3600"],
    [failed(503, "busy"), 529, "overloaded_error", null, null],
    [failed(500, "No available channel"), 529, "overloaded_error", null, null],
    [failed(408, "too slow"), 504, "timeout_error", null, null],
    [{ kind: "raw", steps: ["data: internal failure\n\n"] }, 502, "api_error", null, null],
    [{ kind: "text", status: 200, body: "<html>log in</html>" }, 502, "api_error", "false", null],
    [{ kind: "text", status: 200, body: "" }, 502, "api_error", null, null],
  ])("%j is %d %s", async (turn, status, type, final, after) => {
    const { proxy } = start(() => turn, { env: { MAX_RETRIES: "0" } })
    const response = await postStream(proxy)
    const error = objectOf((await jsonOf(response))["error"])
    const { headers } = response
    expect([
      response.status,
      error["type"],
      headers.get("x-should-retry"),
      headers.get("retry-after"),
    ]).toEqual([...[status, type, final, after]])
  })

  test("an empty success is asked for once more, and then it is an error", async () => {
    const empty: Turn = { kind: "stream", chunks: [roleChunk(), stop] }
    const { proxy, upstream } = start([empty, empty, empty], { speed: 50 })
    expect((await postStream(proxy)).status).toBe(502)
    expect(upstream.turns().length).toBe(2)
    const second = start([empty, { kind: "stream", chunks: [textChunk("a"), stop] }], { speed: 50 })
    expect(textOf(await eventsOf(postStream(second.proxy)))).toBe("a")
  })

  test("a failure while the model thinks leaves the thinking open, so that a client can ask again", async () => {
    const { proxy } = start([
      { kind: "stream", chunks: [reasoningChunk("hm"), { error: { message: "gone", code: 500 } }] },
    ])
    const events = await eventsOf(postStream(proxy, { thinking: { type: "adaptive", display: "omitted" } }))
    expect(typesOf(events)).toEqual(["message_start", "content_block_start", "content_block_delta", "error"])
  })

  test("characters that chunks cut in half arrive whole", async () => {
    const { proxy } = start([{ kind: "stream", chunks: ["a\ud83c", "\udfafb"].map(textChunk).concat(stop) }])
    expect(textOf(await eventsOf(postStream(proxy)))).toBe("a🎯b")
  })

  test("nothing that names the client goes upstream with its request", async () => {
    const { proxy, upstream } = start([{ kind: "json", body: chatReply({ content: "hi" }) }])
    const headers = {
      ...{
        "x-api-key": "client-1",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "a,b",
        cookie: "c=1",
      },
      ...{ "x-stainless-os": "Linux", "x-app": "cli", "user-agent": "claude-cli/2.1.329" },
      ...{ "x-claude-code-session-id": "s-1", "anthropic-dangerous-direct-browser-access": "true" },
    }
    expect((await post(proxy, {}, { headers })).status).toBe(200)
    const [turn] = upstream.turns()
    const names = Object.keys(turn?.headers ?? {}).filter((name) => /^(anthropic|x-|cookie)/.test(name))
    expect(names).toEqual([])
    expect(turn?.headers["user-agent"]).toStartWith("claude-proxy/")
    expect(turn?.headers["authorization"]).toBe("Bearer sk-upstream-key-1")
  })

  test("tokens are counted whatever else the request holds", async () => {
    const { proxy } = start([])
    const body = JSON.stringify({
      ...{ model: "m", messages: [{ role: "user", content: "hi" }], compaction: { type: "summarize" } },
      ...{
        billing_policy: {},
        speed: "fast",
        thinking: { type: "adaptive" },
        output_config: { effort: "low" },
      },
    })
    const count = await jsonOf(fetch(`${proxy.url}//v1/messages/count_tokens/`, { method: "POST", body }))
    expect(Number(count["input_tokens"])).toBeGreaterThan(0)
    expect(arrayOf(count["tools"])).toEqual([])
  })
})
