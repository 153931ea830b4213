// Single replies of the Responses API: where it is not served, where it searches, and how it fails.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { arrayOf, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { removeFolders } from "../config/support.ts"
import { anyTextTurn } from "../e2e/session.ts"
import { chatReply } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import { eventsOf as responsesEvents } from "../support/responses/events.ts"
import { callItem, messageItem, reasoningItem, responseOf, searchItem } from "../support/responses/items.ts"
import { proxiesFor, startResponses } from "../support/responses/proxy.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  post,
  postStream,
  scripted,
  stopAll,
  type TestProxy,
  textOf,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const tools = [{ name: "Read", input_schema: { type: "object", properties: {} } }]
const thinking = { type: "adaptive" }
const said = (text: string) => ({ kind: "output", output: [messageItem("1", text)] }) as const
const warnings = (proxy: TestProxy) => proxy.logs.filter(({ level }) => level === "warn")
const mine = { model: "mine" }

describe("where the Responses API is not served", () => {
  test.each([true, false])("Chat Completions is, with reasoning off; streamed: %p", async (stream) => {
    const upstream = scripted((body) => anyTextTurn(body, "Hello."))
    const proxy = proxiesFor([{ id: "mine", url: upstream.url }])()
    for (const path of [["/v1/responses", "/v1/chat/completions"], ["/v1/chat/completions"]]) {
      const before = upstream.requests.length
      const response = await post(proxy, { ...mine, tools, thinking, stream })
      expect(await response.text()).toContain("Hello.")
      expect(upstream.requests.slice(before).map((request) => request.path)).toEqual(path)
    }
    for (const { body } of upstream.turns()) expect(body["reasoning_effort"]).toBe("none")
    expect(warnings(proxy).filter(({ message }) => /responses/i.test(message)).length).toBe(1)
    expect(proxy.exchanges.length).toBe(2)
  })

  const error = (message: string, more: object = {}) =>
    Response.json({ error: { message, ...more } }, { status: 400 })
  const gone = { message: "The model `gpt-5.6` does not exist or you do not have access to it." }
  const hello = () => Response.json(chatReply({ content: "Hello." }))

  /** An upstream that answers each of both APIs in its own way, and the paths it was asked at. */
  function serving(responses: () => Response, chat: () => Response) {
    const paths: string[] = []
    const server = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0 },
      fetch: ({ url }) => {
        const { pathname } = new URL(url)
        paths.push(pathname.replace("/v1/", ""))
        return pathname.endsWith("/responses") ? responses() : chat()
      },
    })
    cleanUp(() => server.stop(true))
    return { paths, proxy: proxiesFor([{ id: "mine", url: `http://127.0.0.1:${server.port}/v1` }])() }
  }

  test("a refusal that goes on and on is read in no time", async () => {
    const { proxy } = serving(() => error("not implemented ".repeat(60_000)), hello)
    const from = performance.now()
    expect((await post(proxy, mine)).status).toBe(400)
    expect(performance.now() - from).toBeLessThan(3_000)
  })

  test.each<[string, () => Response, boolean]>([
    ["a page for any path", () => new Response("<!doctype html><title>Relay</title>"), true],
    ["a 404 that lists models", () => new Response("see the list of model endpoints", { status: 404 }), true],
    ["405", () => Response.json({}, { status: 405 }), true],
    ["Copilot's code", () => error("no", { code: "unsupported_api_for_model" }), true],
    [
      "LM Studio",
      () => Response.json({ error: "Unexpected endpoint or method. (POST /v1/responses)" }),
      true,
    ],
    [
      "new-api, for a channel that has no such API",
      () =>
        Response.json(
          { error: { message: "not implemented", type: "new_api_error", code: "convert_request_failed" } },
          { status: 500 },
        ),
      true,
    ],
    [
      "Azure's dated versions",
      () => error("Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later"),
      true,
    ],
    [
      "llmgateway",
      () => error("The Responses API is not supported. Use /v1/chat/completions instead."),
      true,
    ],
    [
      "a model of the other API alone",
      () => error("This model is only supported in v1/chat/completions and not in v1/responses."),
      true,
    ],
    [
      "no such model",
      () => Response.json({ error: { ...gone, code: "model_not_found" } }, { status: 404 }),
      false,
    ],
    ["a bad request", () => error("Invalid 'input'"), false],
  ])("%s", async (_, answer, falls) => {
    const { paths, proxy } = serving(answer, hello)
    expect((await post(proxy, mine)).ok).toBe(falls)
    expect(paths).toEqual(["responses", ...(falls ? ["chat/completions"] : [])])
  })

  test("an outage of both says nothing of either", async () => {
    const outage = () => new Response("404 page not found", { status: 404 })
    const answers = [outage, () => Response.json(responseOf([messageItem("1", "Hello.")]))]
    const { paths, proxy } = serving(() => (answers.shift() ?? outage)(), outage)
    expect((await post(proxy, mine)).ok).toBe(false)
    expect(await (await post(proxy, mine)).text()).toContain("Hello.")
    expect(paths).toEqual(["responses", "chat/completions", "responses"])
  })

  test("nobody asks for it where models.yaml says `dialect: chat`", async () => {
    const upstream = scripted((body) => anyTextTurn(body, "Hello."))
    const proxy = proxiesFor([{ id: "mine", url: upstream.url, more: { dialect: "chat" } }])()
    expect(await (await post(proxy, mine)).text()).toContain("Hello.")
    expect(upstream.requests.map(({ path }) => path)).toEqual(["/v1/chat/completions"])
  })
})

test("any model goes there that is told to", async () => {
  const { upstream, proxy } = startResponses(() => said("Hello."), {
    more: { dialect: "responses", model_name: "gpt-4o" },
  })
  expect(await jsonOf(post(proxy, mine))).toMatchObject({ content: [{ type: "text", text: "Hello." }] })
  expect(upstream.requests.map(({ path }) => path)).toEqual(["/v1/responses"])
})

test("what is asked for, and what it cost", async () => {
  const { upstream, proxy } = startResponses(() => said("Hello."))
  const body = { ...mine, system: "Be brief.", tools, thinking, metadata: { user_id: '{"session_id":"s"}' } }
  const reply = await jsonOf(post(proxy, body))
  expect(upstream.refusals()).toEqual([])
  const [request] = upstream.requests
  expect(request?.headers["authorization"]).toBe("Bearer sk-scripted-too")
  expect(request?.body).toMatchObject({
    model: "gpt-5.6",
    instructions: "Be brief.",
    reasoning: { effort: "high" },
  })
  expect(request?.body["prompt_cache_key"]).toEqual(expect.any(String))
  expect(reply).toMatchObject({
    ...{ model: "mine", stop_reason: "end_turn" },
    usage: { input_tokens: 40, cache_read_input_tokens: 80, output_tokens: 50 },
  })
  expect(proxy.exchanges).toMatchObject([{ usage: { input_tokens: 40, output_tokens: 50 } }])
})

describe("a web search", () => {
  const urls = ["https://bun.test/a", "https://bun.test/b"]
  const found = [
    reasoningItem("1", ["Let me search."]),
    searchItem("2", "bun release", urls),
    messageItem("3", "It is out."),
  ]
  const search = { type: "web_search_20250305", name: "web_search", max_uses: 8 }

  test.each([true, false])("is the provider's own; streamed: %p", async (stream) => {
    const { upstream, proxy } = startResponses(() => ({ kind: "output", output: found }))
    const body = { ...mine, tools: [search], tool_choice: { type: "tool", name: "web_search" } }
    const messages = [{ role: "user", content: "Perform a web search for the query: bun release" }]
    const response = await post(proxy, { ...body, messages, stream })
    expect(upstream.refusals()).toEqual([])
    expect(upstream.requests[0]?.body).toMatchObject({
      tools: [{ type: "web_search" }],
      tool_choice: { type: "web_search" },
    })
    const blocks = stream
      ? blocksOf(await eventsOf(response))
      : arrayOf((await jsonOf(response))["content"]).map(objectOf)
    const shown = blocks.filter(({ type }) => type !== "thinking")
    expect(shown.map(({ type }) => type)).toEqual(["server_tool_use", "web_search_tool_result", "text"])
    expect(shown[1]?.["tool_use_id"]).toBe(shown[0]?.["id"])
    const results = arrayOf(shown[1]?.["content"]).map(objectOf)
    expect(results.map(({ type, url }) => [type, url])).toEqual(urls.map((url) => ["web_search_result", url]))
  })
})

/** The blocks of a stream as they begin; there is nothing wrong with it. */
function blocksOf(events: readonly JsonObject[]): readonly JsonObject[] {
  expect(checkGrammar(events)).toEqual([])
  return events.flatMap(({ content_block }) => (content_block === undefined ? [] : [objectOf(content_block)]))
}

const text = messageItem("1", "Half of it")
const begun = responsesEvents([text]).slice(0, 5)
const failed = (code: string) =>
  responsesEvents([], { end: { status: "failed", error: { code, message: "It failed." } } })

describe("failures", () => {
  test("a refused request says why", async () => {
    const error = { message: "Unsupported value.", type: "invalid_request_error", param: "x", code: null }
    const { proxy } = startResponses(() => ({ kind: "json", status: 400, body: { error } }))
    const response = await post(proxy, mine)
    expect(response.status).toBe(400)
    expect(await jsonOf(response)).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining("Unsupported value.") },
    })
  })

  test.each([
    ["response.failed", [...begun, ...failed("server_error").slice(-1)]],
    ["error", [...begun, { type: "error", code: "server_error", message: "It failed.", param: null }]],
  ] as const)("%s in the middle of a reply ends it", async (_name, events) => {
    const { proxy } = startResponses(() => ({ kind: "events", events }))
    const given = await eventsOf(postStream(proxy, mine))
    expect(checkGrammar(given)).toEqual([])
    expect(textOf(given)).toBe("Half of")
    expect(given.at(-1)).toMatchObject({ type: "error", error: { type: "api_error" } })
  })

  test.each<[string, readonly JsonObject[]]>([
    ["an error", [{ type: "error", code: "server_error", message: "It failed.", param: null }]],
    ["response.failed", failed("server_error")],
    ["nothing at all", []],
  ])("%s before any content is tried again", async (_name, events) => {
    const { upstream, proxy } = startResponses(
      (_body, turn) => (turn === 0 ? { kind: "events", events } : said("Hello.")),
      { env: { MAX_RETRIES: "1" } },
    )
    expect(textOf(await eventsOf(postStream(proxy, mine)))).toBe("Hello.")
    expect(upstream.answered()).toBe(2)
  })

  test.each(["clean", "reset"] as const)("a stream that is cut (%s) is an error, not an end", async (cut) => {
    const { proxy } = startResponses(() => ({ kind: "events", events: begun, cut }))
    const given = await eventsOf(postStream(proxy, mine))
    expect(checkGrammar(given)).toEqual([])
    expect(given.at(-1)).toMatchObject({ type: "error" })
  })

  test("a prompt that is too long is told so that clients compact", async () => {
    const { proxy } = startResponses(() => ({ kind: "events", events: failed("context_length_exceeded") }))
    const response = await postStream(proxy, mine)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain("prompt is too long")
  })

  test.each([true, false])("a reply that its limit ended; streamed: %p", async (stream) => {
    const more = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }
    const { proxy } = startResponses(() => ({ kind: "output", output: [text], more }))
    const reply = await (await post(proxy, { ...mine, stream })).text()
    expect(reply).toContain('"stop_reason":"max_tokens"')
    expect(reply).not.toContain("end_turn")
  })
})

test("stop sequences are watched for here", async () => {
  const { upstream, proxy } = startResponses(() => said("One, two, three"))
  const events = await eventsOf(postStream(proxy, { ...mine, stop_sequences: ["two"] }))
  expect(upstream.refusals()).toEqual([])
  expect(textOf(events)).toBe("One, ")
  expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "stop_sequence", stop_sequence: "two" } })
})

test("a whole reply with calls", async () => {
  const { proxy } = startResponses(() => ({
    kind: "output",
    output: [callItem("1_abcdef", "Read", '{"a":1}')],
  }))
  expect(await jsonOf(post(proxy, { ...mine, tools }))).toMatchObject({
    ...{
      stop_reason: "tool_use",
      content: [{ type: "tool_use", id: "call_1_abcdef", name: "Read", input: { a: 1 } }],
    },
  })
})

test("images and files, of the user and within results, are taken by a strict server", async () => {
  const { upstream, proxy } = startResponses(() => said("I see."))
  const source = (media_type: string) => ({ type: "base64", media_type, data: "aGVsbG8=" })
  const media = [
    { type: "image", source: source("image/png") },
    { type: "document", source: source("application/pdf") },
  ]
  const messages = [
    { role: "user", content: [{ type: "text", text: "Look." }, ...media] },
    { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "Read", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: media }] },
  ]
  const reply = await jsonOf(post(proxy, { ...mine, tools, messages }))
  expect(upstream.refusals()).toEqual([])
  expect(reply).toMatchObject({ content: [{ type: "text", text: "I see." }] })
  const [first, , third] = arrayOf(upstream.requests[0]?.body["input"]).map(objectOf)
  for (const parts of [first?.["content"], third?.["output"]]) {
    expect(arrayOf(parts).map((part) => objectOf(part)["type"])).toEqual([
      "input_text",
      "input_image",
      "input_file",
    ])
  }
})
