// Treacherous requests whose proof is the answer: a running proxy in front of a scripted upstream.
import { afterEach, expect, test } from "bun:test"
import { arrayOf, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { convert, gpt4o, gpt5, messagesOf, user } from "../convert/request-support.ts"
import { send, startDirect } from "../server/direct-support.ts"
import { eventsOf, jsonOf, post, postStream, start, stopAll } from "../server/support.ts"
import { chatReply, finishChunk, textChunk } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { foldParsed, sent } from "./support.ts"

afterEach(stopAll)

/** The same request plain and as a stream: the message that each gives. */
async function both(proxy: { readonly url: string }, more: JsonObject): Promise<readonly JsonObject[]> {
  return [await jsonOf(post(proxy, more)), foldParsed(await eventsOf(postStream(proxy, more)))]
}

const says = (text: string): Turn => ({ kind: "json", body: chatReply({ content: text }) })

test("23: a forced web search without any search is answered with its error and words, and status 200", async () => {
  const { proxy, upstream } = start([])
  const words = "Perform a web search for the query: bun release notes"
  const more = {
    tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 8 }],
    tool_choice: { type: "tool", name: "web_search" },
    thinking: { type: "disabled" },
    messages: [{ role: "user", content: words }],
  }
  for (const reply of await both(proxy, more)) {
    const [use, result, text] = arrayOf(reply["content"]).map(objectOf)
    expect(use).toMatchObject({
      type: "server_tool_use",
      name: "web_search",
      input: { query: "bun release notes" },
    })
    expect(String(use?.["id"])).toStartWith("srvtoolu_")
    expect(result).toEqual({
      type: "web_search_tool_result",
      tool_use_id: use?.["id"],
      content: { type: "web_search_tool_result_error", error_code: "unavailable" },
    })
    expect(text).toMatchObject({ type: "text", text: expect.stringContaining("not available") })
    expect(reply["stop_reason"]).toBe("end_turn")
    // Nothing was searched, and nothing may be charged for.
    expect(objectOf(reply["usage"])["server_tool_use"]).toBeUndefined()
  }
  expect((await post(proxy, more)).status).toBe(200)
  expect(upstream.turns()).toEqual([])
})

test("25: of six stop sequences four are sent, all six are obeyed, and the one that was met is named", async () => {
  const stop_sequences = ["ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"]
  const turn = (word: string): Turn => ({
    kind: "stream",
    chunks: [...[...`so far ${word} and more`].map(textChunk), finishChunk("stop")],
  })
  for (const [position, word] of stop_sequences.entries()) {
    const { proxy, upstream } = start([turn(word), turn(word)])
    for (const reply of await both(proxy, { stop_sequences })) {
      expect([word, reply["content"]]).toEqual([word, [{ type: "text", text: "so far " }]])
      expect([reply["stop_reason"], reply["stop_sequence"]]).toEqual(["stop_sequence", word])
    }
    expect(upstream.turns()[0]?.body["stop"]).toEqual(stop_sequences.slice(0, 4))
    expect(position).toBeLessThan(6)
  }
  const raw = { model: "m", max_tokens: 9, messages: [user("hi")], stop_sequences }
  expect(sent(raw, gpt4o)["stop"]).toEqual(stop_sequences.slice(0, 4))
  expect("stop" in sent(raw, gpt5)).toBe(false)
})

test("33: Anthropic itself gets our blocks removed, its own byte for byte, its betas and the query", async () => {
  const genuine = '{"type":"thinking","thinking":"\\u0061b","signature":"EqQBCkYIBRgCKkD0+/=="}'
  const redacted = '{"type":"redacted_thinking", "data":"EmwKAhgBIgw="}'
  const ours = '{"type":"thinking","thinking":"x","signature":"ccp1.abc"}'
  const body = (blocks: string) =>
    `{"model":"claude-opus-5-5","max_tokens":5,"messages":[{"role":"assistant","content":[${blocks}]},{"role":"user","content":"go"}]}`
  const betas = "claude-code-20250219,interleaved-thinking-2025-05-14"
  const headers = { "anthropic-beta": betas, "anthropic-version": "2026-10-21" }
  const { upstream, url } = startDirect([{ steps: ["{}"] }])
  await send({ url }, body(`${ours} , ${genuine},${redacted}`), { headers }, "/v1/messages?beta=true")
  const [call] = upstream.calls
  expect(call?.text).toBe(body(`${genuine},${redacted}`))
  expect(call?.path).toBe("/v1/messages?beta=true")
  expect(call?.headers).toMatchObject(headers)
})

test("89: a temperature is taken from every version of the API, also from one that forbids it", async () => {
  for (const version of ["2026-10-21", "2023-06-01", "2031-01-01", "soon", undefined]) {
    const { proxy, upstream } = start([says("ok")])
    const headers = version === undefined ? {} : { "anthropic-version": version }
    const response = await post(proxy, { temperature: 0.2, top_p: 0.5 }, { headers })
    expect([version, response.status]).toEqual([version, 200])
    expect(upstream.turns()[0]?.body).toMatchObject({ temperature: 0.2, top_p: 0.5 })
  }
})

test("93: a request for a summary is answered with a compaction block, which later is the user's summary", async () => {
  const { proxy, upstream } = start([says("All so far."), says("All so far."), says("Mine."), says("Same.")])
  const tools = [{ name: "Bash", input_schema: { type: "object" } }]
  const more = { compaction: { type: "summarize" }, tools }
  for (const reply of await both(proxy, more)) {
    expect(reply["content"]).toEqual([
      {
        ...{ type: "compaction", content: "All so far.", encrypted_content: null },
        signature: expect.stringMatching(/^.+$/),
      },
    ])
    expect(reply["stop_reason"]).toBe("compaction")
    const messages = [{ role: "assistant", content: reply["content"] }, user({ type: "text", text: "go on" })]
    expect(messagesOf(messages)).toEqual([
      { role: "user", content: "<summary>\nAll so far.\n</summary>\n\ngo on" },
    ])
  }
  const own = await jsonOf(post(proxy, { compaction: { type: "summarize", instructions: "In one word." } }))
  expect(arrayOf(own["content"])).toMatchObject([{ type: "compaction", content: "Mine." }])
  await jsonOf(post(proxy, { compaction: { type: "summarize", instructions: " " } }))
  const asked = upstream.turns().map(({ body }) => body)
  expect(JSON.stringify(asked[3]?.["messages"])).toContain("Summarise the conversation")
  expect(asked[0]?.["tool_choice"]).toBe("none")
  expect(JSON.stringify(asked[0]?.["messages"])).toContain("Summarise the conversation")
  expect(JSON.stringify(asked[2]?.["messages"])).toContain("In one word.")
  expect(asked.filter((body) => "compaction" in body)).toEqual([])
  const foreign = [
    { role: "assistant", content: [{ type: "compaction", content: "old", signature: "EqQB" }] },
  ]
  expect(messagesOf([...foreign, user("go")])).toEqual([
    { role: "user", content: "<summary>\nold\n</summary>\n\ngo" },
  ])
  const empty = [{ role: "assistant", content: [{ type: "compaction", content: null }] }]
  expect(messagesOf([...empty, user("go")])).toEqual([{ role: "user", content: "go" }])
})

test("a summary tells which tools the messages that it stands for have added and removed", async () => {
  const { proxy } = start([says("All so far."), says("All so far.")])
  const named = (name: string) => ({
    name,
    description: name,
    input_schema: { type: "object", properties: {} },
  })
  const define = (name: string) => ({
    type: "tool_addition",
    tool: { type: "tool_definition", definition: { ...named(name), cache_control: { type: "ephemeral" } } },
  })
  const refer = (type: string, name: string) => ({ type, tool: { type: "tool_reference", name } })
  const changes = [
    ...[define("new"), define("brief"), refer("tool_removal", "brief"), refer("tool_removal", "b")],
    ...[refer("tool_removal", "a"), refer("tool_addition", "a")],
    ...[define("back"), refer("tool_removal", "back"), refer("tool_addition", "back")],
  ]
  const tools = [named("a"), named("b")]
  const messages = [user("hi"), { role: "system", content: changes }]
  const namesOf = (body: object) =>
    arrayOf(convert({ tools, max_tokens: 9, ...body }).body.tools).map((tool) =>
      String(objectOf(objectOf(tool)["function"])["name"]),
    )
  for (const reply of await both(proxy, { compaction: { type: "summarize" }, tools, messages })) {
    expect(arrayOf(reply["content"]).map((block) => objectOf(block)["tool_changes"])).toEqual([
      [
        {
          type: "tool_addition",
          tool: { type: "tool_definition", definition: named("new") },
        },
        refer("tool_removal", "b"),
        {
          type: "tool_addition",
          tool: { type: "tool_definition", definition: named("back") },
        },
      ],
    ])
    const compacted = [{ role: "assistant", content: reply["content"] }, user("go on")]
    expect(namesOf({ messages: compacted }).toSorted()).toEqual(namesOf({ messages }).toSorted())
    expect(namesOf({ messages: compacted })).toEqual(["a", "new", "back"])
  }
})
