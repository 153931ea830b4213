// How Responses replies end: complete, cut by a limit or a filter, failed, or not at all; and what they cost.
import { describe, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { eventsOf } from "../support/responses/events.ts"
import { callItem, messageItem, responseOf } from "../support/responses/items.ts"
import { foldStream, playReply, playStream, streamed } from "../support/responses/play.ts"

const text = messageItem("1", "Half of it")
const call = callItem("1_abcdef", "Read", '{"file_path":"/a"}')
const half = callItem("1_abcdef", "Read", '{"file_pa')
const bare = { ...callItem("1_abcdef", "Read", ""), status: "incomplete" }
const ways = [
  ["streamed", (output: readonly JsonObject[], end: JsonObject) => foldStream(eventsOf(output, { end }))],
  [
    "whole",
    (output: readonly JsonObject[], end: JsonObject) => foldEvents(playReply(responseOf(output, end))),
  ],
] as const

const incomplete = (reason: string): JsonObject => {
  return { status: "incomplete", incomplete_details: { reason } }
}
const failed = (code: string, message = "It went wrong."): JsonObject => ({
  status: "failed",
  error: { code, message },
})

describe.each(ways)("%s: a reply ends", (_way, fold) => {
  test.each<[string, readonly JsonObject[], JsonObject, string]>([
    ["with text", [text], {}, "end_turn"],
    ["with a call", [text, call], {}, "tool_use"],
    ["at its limit", [text], incomplete("max_output_tokens"), "max_tokens"],
    ["at its limit, in Ark's and xAI's words", [text], incomplete("length"), "max_tokens"],
    ["at its limit, in a call", [text, half], incomplete("max_output_tokens"), "max_tokens"],
    ["at its limit, before a call's arguments", [text, bare], incomplete("max_output_tokens"), "max_tokens"],
    ["for a reason that nobody knows", [text], incomplete("something"), "end_turn"],
  ])("%s", (_name, output, end, reason) => {
    expect<unknown>(fold(output, end).reply?.stop_reason).toBe(reason)
  })

  test("by the provider's filter, which says so", () => {
    const { reply } = fold([], incomplete("content_filter"))
    expect(reply).toMatchObject({ stop_reason: "end_turn" })
    expect(JSON.stringify(reply?.content)).toContain("content filter")
  })

  test.each<[string, JsonObject, number, string, string]>([
    ["rate_limit_exceeded", failed("rate_limit_exceeded"), 429, "rate_limit_error", "before-first-byte"],
    ["server_error", failed("server_error"), 502, "api_error", "before-first-byte"],
    ["slow_down", failed("slow_down"), 529, "overloaded_error", "before-first-byte"],
    ["insufficient_quota", failed("insufficient_quota"), 402, "billing_error", "no"],
    ["context_length_exceeded", failed("context_length_exceeded"), 400, "invalid_request_error", "no"],
    ["invalid_encrypted_content", failed("invalid_encrypted_content"), 400, "invalid_request_error", "no"],
    ["cyber_policy", failed("cyber_policy"), 400, "invalid_request_error", "no"],
    ["invalid_image", failed("invalid_image"), 400, "invalid_request_error", "no"],
    ["image_file_not_found", failed("image_file_not_found"), 400, "invalid_request_error", "no"],
    ["failed_to_download_image", failed("failed_to_download_image"), 400, "invalid_request_error", "no"],
    ["data_residency_mismatch", failed("data_residency_mismatch"), 400, "invalid_request_error", "no"],
    ["no reason at all", { status: "failed", error: null }, 502, "api_error", "before-first-byte"],
  ])("failed: %s", (_name, end, status, kind, retry) => {
    const { fault } = fold([text], end)
    expect<unknown>([fault?.kind, fault?.retry, fault?.status]).toEqual([kind, retry, status])
    if (end["error"] !== null) expect(fault?.message).toContain("It went wrong.")
  })
})

describe("an error instead of an event", () => {
  test.each<[string, JsonObject, string]>([
    [
      "`error`",
      { type: "error", code: "rate_limit_exceeded", message: "Slow down.", param: null, sequence_number: 3 },
      "rate_limit_error",
    ],
    [
      "`error` around an object",
      { type: "error", error: { type: "server_error", code: "server_error", message: "Oh." } },
      "api_error",
    ],
    [
      "in the shape of Chat Completions",
      { error: { message: "Oh.", type: "overloaded_error" } },
      "overloaded_error",
    ],
  ])("%s", (_name, event, kind) => {
    const before = eventsOf([text]).slice(0, 6)
    const { fault } = foldStream([...before, event, ...eventsOf([text])])
    expect<string | undefined>(fault?.kind).toBe(kind)
  })

  test("what waited for its turn is told before the error", () => {
    const events = eventsOf([messageItem("1", "One"), callItem("1_abcdef", "Read", '{"a":1}')], {
      order: ([first = [], second = []]) => [...first.slice(0, 1), ...second, ...first.slice(1, 3)],
    })
    const played = playStream(
      streamed([...events.slice(0, -1), { type: "error", code: "server_error", message: "Oh." }]),
    )
    expect(JSON.stringify(played)).toContain("call_1_abcdef")
    expect(played.at(-1)?.type).toBe("error")
  })

  test.each(["queued", "in_progress", "cancelled"])("a whole reply that is %s, and empty", (status) => {
    const { fault } = foldEvents(playReply(responseOf([], { status })))
    expect(fault).toMatchObject({ kind: "api_error", retry: "no" })
    expect(fault?.message).toContain(`"${status}"`)
    expect(foldEvents(playReply(responseOf([text], { status }))).fault).toBeUndefined()
  })

  test("a whole reply that is an error", () => {
    expect(foldEvents(playReply({ error: { message: "Oh.", type: "server_error" } })).fault?.kind).toBe(
      "api_error",
    )
  })
})

describe("without its last event a reply is not complete", () => {
  test.each([false, true])("clean end of the bytes: %p", (clean) => {
    const events = playStream([
      ...streamed(eventsOf([text]).slice(0, -1)).slice(0, -1),
      { kind: "end", clean },
    ])
    expect(foldEvents(events).fault).toMatchObject({ kind: "api_error" })
  })

  test("an empty one may be complete; bytes without any event are not", () => {
    expect(foldStream(eventsOf([])).reply).toMatchObject({ content: [], stop_reason: "end_turn" })
    expect(foldStream([]).fault?.kind).toBe("api_error")
  })

  test("nothing that comes after it counts", () => {
    const [events, more] = [eventsOf([text]), eventsOf([call])]
    expect(foldStream([...events, ...more])).toEqual(foldStream(events))
  })
})

describe("usage", () => {
  test.each<[string, JsonObject, JsonObject]>([
    [
      "cached and reasoning tokens",
      {
        ...{ input_tokens: 120, output_tokens: 50, total_tokens: 170 },
        input_tokens_details: { cached_tokens: 80 },
        output_tokens_details: { reasoning_tokens: 30 },
      },
      {
        ...{
          input_tokens: 40,
          cache_read_input_tokens: 80,
          cache_creation_input_tokens: 0,
          output_tokens: 50,
        },
        output_tokens_details: { thinking_tokens: 30 },
      },
    ],
    [
      "tokens written to the cache",
      {
        ...{ input_tokens: 120, output_tokens: 5, total_tokens: 125 },
        input_tokens_details: { cached_tokens: 20, cache_write_tokens: 60 },
        output_tokens_details: { reasoning_tokens: 0 },
      },
      {
        ...{
          input_tokens: 40,
          cache_read_input_tokens: 20,
          cache_creation_input_tokens: 60,
          output_tokens: 5,
        },
        output_tokens_details: { thinking_tokens: 0 },
      },
    ],
    [
      "counts alone",
      { input_tokens: 7, output_tokens: 3 },
      { input_tokens: 7, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 3 },
    ],
  ])("%s", (_name, usage, expected) => {
    for (const [, fold] of ways) expect<unknown>(fold([text], { usage }).reply?.usage).toEqual(expected)
  })

  test.each([null, undefined, "many", {}])("that says nothing: %p", (usage) => {
    for (const [, fold] of ways) {
      expect(fold([text], { usage }).reply?.usage.output_tokens).toBeGreaterThan(0)
    }
  })
})
