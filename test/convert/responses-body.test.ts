// Everything of a Responses request beside the conversation; and what a reply gave goes back as it came.
import { describe, expect, test } from "bun:test"
import { addCargo, noCargo } from "../../src/convert/common/carrier.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { initialWriter } from "../../src/convert/writer/writer-state.ts"
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { writerOptions } from "../support/fixtures.ts"
import { property, type Random } from "../support/random.ts"
import { askResponses, gpt56 } from "../support/responses/ask.ts"
import { eventsOf } from "../support/responses/events.ts"
import { callItem, encrypted, messageItem, reasoningItem } from "../support/responses/items.ts"
import { deltasOf, streamed } from "../support/responses/play.ts"
import { writeEach } from "../support/write-each.ts"
import { ask, assistant, call, result, text, user } from "./request-support.ts"

const hi = [user(text("hi"))]
const schema = {
  type: "object",
  properties: { a: { type: "string" } },
  required: ["a"],
  additionalProperties: false,
}
const tool = { name: "Read", description: "Reads.", input_schema: schema }
const flat = { type: "function", name: "Read", description: "Reads.", parameters: schema, strict: false }
const search = { type: "web_search_20250305", name: "web_search" }
const bodyOf = (more: JsonObject, messages: readonly unknown[] = hi): JsonObject => ({
  ...askResponses(ask(messages, more)).body,
})

test("a plain request, whole", () => {
  const { body } = askResponses(ask(hi, { system: [text("Be brief."), text("Be kind.")], stream: true }))
  expect<unknown>(body).toEqual({
    model: "gpt-5.6",
    instructions: "Be brief.\n\nBe kind.",
    input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
    stream: true,
    store: false,
    include: ["reasoning.encrypted_content"],
    max_output_tokens: 1000,
    prompt_cache_key: expect.any(String),
  })
})

describe("fields", () => {
  test.each<[string, JsonObject, JsonObject]>([
    ["few tokens", { max_tokens: 1 }, { max_output_tokens: 16 }],
    ["tools, and no choice", { tools: [tool] }, { tools: [flat], tool_choice: undefined }],
    ["any tool", { tools: [tool], tool_choice: { type: "any" } }, { tool_choice: "required" }],
    [
      "one tool",
      { tools: [tool], tool_choice: { type: "tool", name: "Read" } },
      { tool_choice: { type: "function", name: "Read" } },
    ],
    ["no tool", { tools: [tool], tool_choice: { type: "none" } }, { tool_choice: "none", tools: [flat] }],
    [
      "one call at a time",
      { tools: [tool], tool_choice: { type: "auto", disable_parallel_tool_use: true } },
      { parallel_tool_calls: false },
    ],
    [
      "a choice without tools",
      { tool_choice: { type: "any" } },
      { tool_choice: undefined, tools: undefined },
    ],
    ["a strict tool", { tools: [{ ...tool, strict: true }] }, { tools: [{ ...flat, strict: true }] }],
    [
      "adaptive thinking",
      { thinking: { type: "adaptive" }, output_config: { effort: "max" } },
      { reasoning: { effort: "max", summary: "auto" } },
    ],
    [
      "thinking with a budget",
      { max_tokens: 40_000, thinking: { type: "enabled", budget_tokens: 9000 } },
      { reasoning: { effort: "high", summary: "auto" } },
    ],
    [
      "thinking with tools",
      { tools: [tool], thinking: { type: "adaptive" } },
      { reasoning: { effort: "high", summary: "auto" } },
    ],
    [
      "no thinking: nothing to summarise",
      { thinking: { type: "disabled" } },
      { reasoning: { effort: "none" } },
    ],
    ["thinking not mentioned", {}, { reasoning: undefined }],
    [
      "sampling, which reasoning models refuse",
      { temperature: 0.5, top_p: 0.9, top_k: 3, stop_sequences: ["END"] },
      { temperature: undefined, top_p: undefined, top_k: undefined, stop: undefined },
    ],
    [
      "structured output",
      { output_config: { format: { type: "json_schema", schema } } },
      {
        text: {
          format: { type: "json_schema", name: expect.any(String), schema, strict: expect.any(Boolean) },
        },
      },
    ],
    [
      "what is for Anthropic alone",
      { metadata: { user_id: "someone" }, context_management: { edits: [] } },
      { metadata: undefined, user: undefined, context_management: undefined },
    ],
    [
      "a search, and nothing else",
      { tools: [search], tool_choice: { type: "tool", name: "web_search" } },
      {
        tools: [{ type: "web_search" }],
        tool_choice: { type: "web_search" },
        include: ["reasoning.encrypted_content", "web_search_call.action.sources"],
      },
    ],
    [
      "a search beside a tool",
      { tools: [tool, { ...search, allowed_domains: ["a.test"] }] },
      {
        tools: [flat, { type: "web_search", filters: { allowed_domains: ["a.test"] } }],
        tool_choice: undefined,
      },
    ],
    [
      "where the user of a search is",
      { tools: [{ ...search, user_location: { type: "approximate", city: "Bergen", country: "NO" } }] },
      {
        tools: [
          { type: "web_search", user_location: { type: "approximate", city: "Bergen", country: "NO" } },
        ],
      },
    ],
  ])("%s", (_name, more, expected) => {
    const body = bodyOf(more)
    const found = Object.fromEntries(Object.keys(expected).map((key) => [key, body[key]]))
    expect(found).toEqual(expected)
    expect(body["store"]).toBe(false)
  })

  test("stop sequences are all watched for here", () => {
    const { conversion } = askResponses(ask(hi, { stop_sequences: ["END"] }))
    expect(conversion.watchedStops).toEqual(["END"])
  })

  test("a model that does not reason is asked for no reasoning", () => {
    const { body } = askResponses(ask(hi, { thinking: { type: "adaptive" }, temperature: 0.5 }), [
      "openai",
      "gpt-4o",
    ])
    expect([body.include, body.reasoning, body.temperature]).toEqual([undefined, undefined, 0.5])
  })
})

test("one call at a time is asked for in the same words of everybody", () => {
  const more = { tools: [tool], tool_choice: { type: "auto", disable_parallel_tool_use: true } }
  expect(askResponses(ask(hi, more), ["xai", "grok-4.3"]).body.parallel_tool_calls).toBe(false)
})

test("a search beside no thinking, where that is the least: low", () => {
  const more = { tools: [search], thinking: { type: "disabled" } }
  const { body } = askResponses(ask(hi, more), ["openai", "gpt-5"])
  expect(body.reasoning).toEqual({ effort: "low" })
})

test("JSON without a schema: the conversation itself has to say so, once", () => {
  const extraBody = { response_format: { type: "json_object" } }
  const asked = (messages: readonly unknown[]) => askResponses(ask(messages), gpt56, { extraBody }).body
  const said = (at: number) => JSON.stringify(asked(hi).input[at])
  expect<unknown>(asked(hi).text).toEqual({ format: { type: "json_object" } })
  expect([said(0), said(1)]).toEqual([expect.stringContaining("JSON object"), expect.stringContaining("hi")])
  expect(asked([user(text("As Json, please."))]).input.length).toBe(1)
})

describe("what the configuration adds to every body", () => {
  const format = { type: "json_schema", schema }
  test.each<[JsonObject, object, object]>([
    [{ user: "u", truncation: "auto" }, {}, { user: "u", truncation: "auto" }],
    [
      { model: "x", input: "x", store: true, max_tokens: 1 },
      {},
      { model: "gpt-5.6", store: false, max_tokens: undefined },
    ],
    [{ text: { verbosity: "low" } }, {}, { text: { verbosity: "low" } }],
    [{ verbosity: "low" }, {}, { text: { verbosity: "low" }, verbosity: undefined }],
    [
      { text: { verbosity: "low" } },
      { output_config: { format } },
      { text: { verbosity: "low", format: expect.objectContaining({ type: "json_schema" }) } },
    ],
    [{ response_format: { type: "text" } }, {}, { text: { format: { type: "text" } } }],
    [
      { tool_choice: { type: "function", name: "Bash" } },
      { tools: [tool] },
      { tool_choice: { type: "function", name: "Bash" } },
    ],
    [{ reasoning_split: true, temperature: 0.5 }, {}, { reasoning_split: undefined, temperature: undefined }],
  ])("%j", (extraBody, more, expected) => {
    const { body } = askResponses(ask(hi, { ...more }), gpt56, { extraBody })
    const found = Object.fromEntries(Object.keys(expected).map((key) => [key, objectOf(body)[key]]))
    expect(found).toEqual({ ...expected })
    expect(body.input.length).toBe(1)
  })
})

test("what the client lost comes from the memory, directly before its call", () => {
  const signature = encodedOf("e1")
  const recall = (id: string) => (id === "call_1" ? [{ thinking: "", signature }] : undefined)
  const messages = [...hi, assistant(text("I look."), call("call_1")), user(result("call_1"))]
  const { input } = askResponses(ask(messages), gpt56, {}, recall).body
  expect(input.map(({ type }) => type)).toEqual([
    "message",
    "reasoning",
    "message",
    "function_call",
    "function_call_output",
  ])
})

const given = { provider: "openai", upstreamModel: "gpt-5.6" }

/** The signature in which a reply of these contents would carry them. */
function encodedOf(value: string): string {
  const item = reasoningItem("1", [], value)
  const [block] = contentOf([item, messageItem("2", "x")])
  expect(addCargo(noCargo, { kind: "item", value }).items).toEqual([value])
  return block?.type === "thinking" ? block.signature : ""
}

/** The content of the message that a reply with these items becomes. */
function contentOf(output: readonly JsonObject[]) {
  const deltas = deltasOf(streamed(eventsOf(output)))
  const events = writeEach(initialWriter({ ...writerOptions, ...given }), deltas)[1]
  return foldEvents(events).reply?.content ?? []
}

function randomOutput(random: Random): readonly JsonObject[] {
  const kinds = Array.from({ length: random.integer(1, 6) }, () =>
    random.pick(["reasoning", "message", "call", "bare call"]),
  )
  // Messages with nothing the client sees between them are one text to it, and reasoning at the end leads to nothing.
  const told = kinds.filter((kind, at) => kind !== "message" || !followsMessage(kinds.slice(0, at)))
  const end = told.findLastIndex((kind) => kind !== "reasoning")
  return told.slice(0, end + 1).map((kind, at) => {
    const id = `${at}_abcdef`
    if (kind === "reasoning") return reasoningItem(id, random.chance(0.5) ? [`So ${at}.`] : [], encrypted(id))
    // A phase travels with the reasoning before its message.
    const isLed = told[at - 1] === "reasoning" && random.chance(0.5)
    const phase = isLed ? { phase: random.pick(["commentary", "final_answer"]) } : {}
    if (kind === "message") return { ...messageItem(id, `Text ${at}.`), ...phase }
    return callItem(id, "Read", kind === "call" ? `{"a":"${at}"}` : "{}")
  })
}

const followsMessage = (kinds: readonly string[]): boolean => kinds.at(-1) === "message"

/** An item as it goes back: without an id, what was encrypted, and no summary. */
function returned(item: JsonObject): unknown {
  const { type, call_id, name, arguments: args, encrypted_content } = item
  if (type === "reasoning") return { type, summary: [], encrypted_content }
  if (type === "function_call") return { type, call_id, name, arguments: args }
  const words = JSON.parse(JSON.stringify(item["content"]))[0].text
  const phase = item["phase"] === undefined ? {} : { phase: item["phase"] }
  return {
    type,
    role: "assistant",
    status: "completed",
    ...phase,
    content: [{ type: "output_text", text: words, annotations: [] }],
  }
}

property("what a reply gave goes back item by item, in its order", 400, (random) => {
  const output = randomOutput(random)
  const content = contentOf(output)
  const results = content.flatMap((block) => (block.type === "tool_use" ? [result(block.id)] : []))
  const { input } = askResponses(ask([...hi, assistant(...content), user(...results, text("go on"))])).body
  expect<readonly unknown[]>(input.slice(1, 1 + output.length)).toEqual(output.map(returned))
})
