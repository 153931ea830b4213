// Treacherous cases about ids, sessions, paths, keys and bodies, one test for each number.
import { afterEach, expect, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { arrayOf, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { basicBody, eventsOf, jsonOf, post, postStream, start, stopAll } from "../server/support.ts"
import { chatReply, finishChunk, textChunk, toolChunk } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { foldParsed } from "./support.ts"

afterEach(stopAll)

const says = (text: string): Turn => ({ kind: "json", body: chatReply({ content: text }) })

test("80: every reply has a message id of its own, tool ids of the right form, and the client's model", async () => {
  const call = { id: "functions.Read:0", type: "function", function: { name: "Read", arguments: "{}" } }
  const whole: Turn = {
    kind: "json",
    body: { ...chatReply({ tool_calls: [call] }), id: "same", model: "other" },
  }
  const chunks = [toolChunk({ index: 0, id: "a b", name: "Read", args: "{}" }), finishChunk("tool_calls")]
  const stream: Turn = {
    kind: "stream",
    chunks: chunks.map((chunk) => ({ ...chunk, id: "same", model: "other" })),
  }
  const { proxy } = start([whole, whole, stream, stream])
  const more = { model: "claude-opus-5-5[1m]", tools: [{ name: "Read", input_schema: { type: "object" } }] }
  const replies: readonly JsonObject[] = [
    await jsonOf(post(proxy, more)),
    await jsonOf(post(proxy, more)),
    foldParsed(await eventsOf(postStream(proxy, more))),
    foldParsed(await eventsOf(postStream(proxy, more))),
  ]
  expect(new Set(replies.map(({ id }) => id)).size).toBe(4)
  expect(replies.filter(({ id }) => !/^msg_[0-9A-Za-z]{24}$/.test(String(id)))).toEqual([])
  const toolIds = replies.map(({ content }) => String(objectOf(arrayOf(content)[0])["id"]))
  expect(toolIds.filter((id) => !/^[a-zA-Z0-9_-]{8,}$/.test(id))).toEqual([])
  expect(new Set(toolIds).size).toBe(4)
  expect(replies.map(({ model }) => model)).toEqual(replies.map(() => "claude-opus-5-5[1m]"))
})

test("81: two sessions that talk in step keep their names, ids and text apart", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const wordOf = (body: JsonObject) => String(objectOf(arrayOf(body["messages"]).at(-1))["content"])
  const nameOf = (word: string) => `mcp__${word.repeat(30)}__read`
  const { proxy } = start((body, turn) => {
    const word = wordOf(body)
    const upstreamName = String(objectOf(objectOf(arrayOf(body["tools"])[0])["function"])["name"])
    const args = JSON.stringify({ from: word })
    const [mine, theirs] = turn === 0 ? [gates[0], gates[1]] : [gates[1], gates[0]]
    theirs?.resolve()
    const opened = toolChunk({ index: 0, id: "call_0", name: upstreamName, args: args.slice(0, 5) })
    const chunks = [textChunk(word), opened, { until: mine?.promise ?? Promise.resolve() }]
    return {
      kind: "stream",
      chunks: [...chunks, toolChunk({ index: 0, args: args.slice(5) }), finishChunk("stop")],
    }
  })
  const words = ["one", "two"]
  const ask = async (word: string) =>
    foldParsed(
      await eventsOf(
        postStream(proxy, {
          model: `claude-${word}`,
          tools: [{ name: nameOf(word), input_schema: { type: "object" } }],
          messages: [{ role: "user", content: word }],
        }),
      ),
    )
  const replies = await Promise.all(words.map(ask))
  for (const [at, word] of words.entries()) {
    expect(replies[at]).toMatchObject({
      model: `claude-${word}`,
      content: [
        { type: "text", text: word },
        { type: "tool_use", name: nameOf(word), input: { from: word } },
      ],
    })
  }
  const ids = replies.map(({ content }) => objectOf(arrayOf(content)[1])["id"])
  expect(new Set(ids).size).toBe(2)
})

test("82: tokens are counted with no tools and a plain string, HEAD / is 200, and other paths 404 as JSON", async () => {
  const { proxy, upstream } = start([])
  const body = JSON.stringify({
    model: "claude-opus-5-5",
    messages: [{ role: "user", content: "hi" }],
    tools: [],
  })
  const count = await jsonOf(
    fetch(`${proxy.url}/v1/messages/count_tokens?beta=true`, { method: "POST", body }),
  )
  expect(Object.keys(count)).toEqual(["input_tokens"])
  expect(Number(count["input_tokens"])).toBeGreaterThan(0)
  const head = await fetch(`${proxy.url}/`, { method: "HEAD" })
  expect([head.status, await head.text()]).toEqual([200, ""])
  const unknown = await fetch(`${proxy.url}/v1/nothing`)
  expect(unknown.status).toBe(404)
  expect(await jsonOf(unknown)).toMatchObject({ type: "error", error: { type: "not_found_error" } })
  expect(upstream.turns()).toEqual([])
})

const resume = { type: "continue", previous_message_id: "msg_1" }
const onlyResult = [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "x" }] }]

test("83: a thread that is to be continued is not found, and nobody is asked", async () => {
  const { proxy, upstream } = start(() => says("hi"))
  for (const messages of [onlyResult, [], undefined]) {
    for (const ask of [post, postStream]) {
      const response = await ask(proxy, { thread: resume, messages })
      expect(response.status).toBe(404)
      const { error } = await jsonOf(response)
      expect(error).toMatchObject({ type: "not_found_error", details: { error_code: "thread_not_found" } })
    }
  }
  expect(upstream.turns()).toEqual([])
})

test("84: a thread that is created is served like any request, and the field goes no further", async () => {
  const { proxy, upstream } = start(() => says("hi"))
  for (const thread of [{ type: "create" }, null]) {
    expect((await post(proxy, { thread })).status).toBe(200)
  }
  expect(upstream.turns().length).toBe(2)
  expect(upstream.turns().filter(({ body }) => "thread" in body)).toEqual([])
})

test("85: Claude Code hears with any thread that there are none", async () => {
  const { proxy, upstream } = start(() => says("hi"))
  const headers = { "user-agent": "claude-cli/2.1.329 (external, cli)" }
  for (const thread of [resume, { type: "create" }]) {
    const response = await post(proxy, { thread }, { headers })
    expect(response.status).toBe(400)
    const error = objectOf((await jsonOf(response))["error"])
    expect(error).toMatchObject({
      type: "invalid_request_error",
      message: expect.stringContaining("capability_rejected: beta_header:message-threads-2026-08-12"),
      details: { error_code: "thread_unsupported_request" },
    })
  }
  expect(upstream.turns()).toEqual([])
})

test("88: a client is known by Bearer alone, by x-api-key alone, and by both", async () => {
  const key = "client-key-1"
  const good: readonly Readonly<Record<string, string>>[] = [
    { authorization: `Bearer ${key}` },
    { "x-api-key": key },
    { authorization: `Bearer ${key}`, "x-api-key": key },
    { authorization: `Bearer ${key}`, "x-api-key": "other" },
  ]
  const { proxy, upstream } = start(() => says("hi"), { env: { ALLOWED_API_KEYS: key } })
  for (const headers of good)
    expect([headers, (await post(proxy, {}, { headers })).status]).toEqual([headers, 200])
  for (const headers of [{}, { authorization: "Bearer other" }, { "x-api-key": "other" }]) {
    const response = await post(proxy, {}, { headers })
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([401, "false"])
    expect(await jsonOf(response)).toMatchObject({ error: { type: "authentication_error" } })
  }
  expect(upstream.turns().length).toBe(good.length)
  expect(upstream.turns().filter(({ headers }) => JSON.stringify(headers).includes(key))).toEqual([])
  const client = new Anthropic({ baseURL: proxy.url, apiKey: key, maxRetries: 0 })
  const reply = await client.messages.create({
    model: "claude-opus-5-5",
    max_tokens: 9,
    messages: [{ role: "user", content: "hi" }],
  })
  expect(reply.content).toMatchObject([{ type: "text", text: "hi" }])
})

test("96: a body compressed with gzip is read", async () => {
  const { proxy, upstream } = start(() => says("hi"))
  const text = JSON.stringify({ ...basicBody, messages: [{ role: "user", content: "Grüße 漢字" }] })
  const headers = { "content-encoding": "gzip", "content-type": "application/json" }
  expect((await post(proxy, {}, { headers, body: Bun.gzipSync(text) })).status).toBe(200)
  expect(arrayOf(upstream.turns()[0]?.body["messages"])).toEqual([{ role: "user", content: "Grüße 漢字" }])
  const unknown = await post(proxy, {}, { headers: { "content-encoding": "snappy" } })
  expect(unknown.status).toBe(400)
  expect(objectOf((await jsonOf(unknown))["error"])["details"]).toEqual({
    error_code: "request_body_encoding_unsupported",
  })
})

test("97: the list of models takes unknown queries, and every model has its lifecycle and line", async () => {
  const { proxy } = start([])
  const list = await jsonOf(fetch(`${proxy.url}/v1/models?lifecycle%5B%5D=active&limit=1000`))
  const data = arrayOf(list["data"]).map(objectOf)
  expect(data.length).toBeGreaterThan(2)
  for (const model of data) {
    expect(model).toMatchObject({ type: "model", lifecycle: "active", deprecated_at: null, retires_at: null })
    expect(String(model["line"])).toMatch(/^(null|opus|sonnet|haiku)$/)
    expect(Object.keys(model)).toContain("capabilities")
  }
  expect(list).toMatchObject({ has_more: false, first_id: data[0]?.["id"], last_id: data.at(-1)?.["id"] })
})
