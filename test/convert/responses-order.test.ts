// What of a Responses stream has to wait for something else: items for the one before them, a search for its pages.
import { describe, expect, test } from "bun:test"
import type { Delta } from "../../src/convert/common/delta.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { searchItem } from "../support/responses/items.ts"
import { deltasOf, responsesOptions, streamed } from "../support/responses/play.ts"
import {
  added,
  at,
  call,
  done,
  kept,
  output,
  said,
  summary,
  thought,
  value,
  words,
} from "../support/responses/single.ts"

describe("items wait for the one before them", () => {
  test("text that comes while the reasoning is not done", () => {
    const events = [
      added(0, "reasoning"),
      added(1, "message"),
      at(1, "output_text.delta", { content_index: 0, delta: "Hi" }),
      at(0, "reasoning_summary_text.delta", { summary_index: 0, delta: "So." }),
      at(1, "output_text.delta", { content_index: 0, delta: " there" }),
      done(0, "reasoning", { ...summary("So."), encrypted_content: value }),
      at(1, "output_text.delta", { content_index: 0, delta: "!" }),
    ]
    const deltas = deltasOf(streamed(events)).slice(0, -1)
    expect(deltas).toEqual([thought("So."), kept(value), said("Hi"), said(" there"), said("!")])
  })

  test("messages in a row are paragraphs, parts of one message are not", () => {
    const events = [
      done(0, "message", words(output("One."), output("Two."))),
      done(1, "message", words({ type: "refusal", refusal: "No." })),
      done(2, "reasoning", { summary: [], encrypted_content: value }),
      // What was thought in between makes it a text of its own.
      done(3, "message", words(output("Four."))),
    ]
    const deltas = deltasOf(streamed(events)).slice(0, -1)
    expect(deltas).toEqual([said("One."), said("Two."), said("\n\nNo."), kept(value), said("Four.")])
  })

  test("empty arguments are complete when their call is done", () => {
    const events = [
      done(0, "function_call", call("")),
      added(1, "function_call", { ...call(""), call_id: "call_2_abcd" }),
    ]
    const deltas = deltasOf(streamed(events)).flatMap((delta) => (delta.kind === "tool" ? [delta] : []))
    expect(deltas.map(({ key, complete }) => [key, complete])).toEqual([
      [0, false],
      [0, true],
    ])
  })

  test("ids say nothing: they change with every event", () => {
    const events = [
      added(0, "function_call", call("")),
      added(1, "function_call", { ...call(""), call_id: "call_2_abcd", name: "Bash" }),
      at(1, "function_call_arguments.delta", { item_id: "x", delta: '{"b":2}' }),
      at(0, "function_call_arguments.delta", { item_id: "y", delta: '{"a":1}' }),
      done(1, "function_call", { ...call('{"b":2}'), call_id: "call_2_abcd", name: "Bash", id: "z" }),
      done(0, "function_call", { ...call('{"a":1}'), id: "w" }),
    ]
    const calls = deltasOf(streamed([...events, { type: "response.completed", response: {} }]))
      .filter((delta) => delta.kind === "tool")
      .map(({ id, name, args }) => [id, name, args])
    expect(calls.filter(([, , args]) => args !== "")).toEqual([
      ["call_1_abcd", "Read", '{"a":1}'],
      ["call_2_abcd", "Bash", '{"b":2}'],
    ])
  })
})

test("reasoning that ends under the next number and by another id (SGLang) is told once", () => {
  const ids = { item_id: "item_1" }
  const events = [
    at(1, "output_item.added", { item: { id: "item_1", type: "reasoning", summary: [] } }),
    at(1, "reasoning_text.delta", { ...ids, content_index: 0, delta: "So." }),
    at(2, "reasoning_text.done", { ...ids, content_index: 0, text: "So." }),
    at(2, "output_item.done", {
      item: {
        id: "rs_1",
        type: "reasoning",
        summary: [],
        content: [{ type: "reasoning_text", text: "So." }],
      },
      item_id: undefined,
    }),
    at(2, "output_item.added", { item: { id: "item_1", type: "message", content: [] } }),
    at(2, "output_text.delta", { ...ids, content_index: 0, delta: "Hi" }),
  ]
  const told = deltasOf(streamed(events)).slice(0, -1)
  expect(told).toEqual([thought("So.", "reasoning"), said("Hi")])
  const output = [
    { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "So." }] },
    { type: "message", ...words({ type: "output_text", text: "Hi", annotations: [] }) },
  ]
  const end = { type: "response.completed", response: { status: "completed", output } }
  expect(deltasOf(streamed([...events, end])).slice(0, 2)).toEqual([...told])
  expect(deltasOf(streamed([...events, end])).filter(({ kind }) => kind === "reasoning").length).toBe(1)
})

describe("where nothing has a number", () => {
  const bare = (type: string, more: JsonObject) => ({ type: `response.${type}`, ...more })
  const begun = (type: string, ids: JsonObject) => bare("output_item.added", { item: { type, ...ids } })
  const over = (type: string, item: JsonObject) => bare("output_item.done", { item: { type, ...item } })
  const piece = (item_id: string, delta: string) => bare("function_call_arguments.delta", { item_id, delta })
  const one = { ...call(""), call_id: "call_1_abcd" }
  const two = { ...call(""), call_id: "call_2_abcd", name: "Bash" }
  const both = [
    ["call_1_abcd", "Read", '{"a":1}'],
    ["call_2_abcd", "Bash", '{"b":2}'],
  ]
  const callsIn = (deltas: readonly Delta[]) =>
    deltas.flatMap((delta) =>
      delta.kind === "tool" && delta.args !== "" ? [[delta.id, delta.name, delta.args]] : [],
    )

  test("and everything is done at the end (llama.cpp), each thing is told at once, and once", () => {
    const events = [
      begun("reasoning", { id: "rs_1", summary: [], content: [], encrypted_content: "" }),
      bare("reasoning_text.delta", { item_id: "rs_1", delta: "So." }),
      begun("message", { id: "msg_1", content: [] }),
      bare("content_part.added", { item_id: "msg_1", part: { type: "output_text", text: "" } }),
      bare("output_text.delta", { item_id: "msg_1", delta: "I look." }),
      begun("function_call", one),
      piece("call_1_abcd", '{"a":1}'),
      begun("function_call", two),
      piece("call_2_abcd", '{"b":2}'),
    ]
    const ends = [
      over("reasoning", { id: "rs_1", summary: [], content: [{ type: "reasoning_text", text: "So." }] }),
      bare("output_text.done", { item_id: "msg_1", text: "I look." }),
      over("message", { id: "msg_1", ...words(output("I look.")) }),
      over("function_call", { ...one, arguments: '{"a":1}' }),
      over("function_call", { ...two, arguments: '{"b":2}' }),
      { type: "response.completed", response: {} },
    ]
    const soFar = deltasOf(streamed(events).slice(0, -1))
    expect(soFar.slice(0, 2)).toEqual([thought("So.", "reasoning"), said("I look.")])
    expect(callsIn(soFar)).toEqual(both)
    const all = deltasOf(streamed([...events, ...ends]))
    expect(all.slice(0, soFar.length)).toEqual([...soFar])
    expect(callsIn(all)).toEqual(both)
    expect(all.filter(({ kind }) => kind === "text" || kind === "reasoning").length).toBe(2)
  })

  test("what goes on behind another item (llama.cpp has one message in a reply) is not lost", () => {
    const thinking = (delta: string) => bare("reasoning_text.delta", { item_id: "rs_1", delta })
    const text = (delta: string) => bare("output_text.delta", { item_id: "msg_1", delta })
    const message = { id: "msg_1", ...words(output("Look. Done.")) }
    const events = [
      begun("reasoning", { id: "rs_1" }),
      thinking("So."),
      begun("message", { id: "msg_1" }),
      text("Look."),
      thinking(" More."),
      begun("function_call", one),
      piece("call_1_abcd", '{"a":1}'),
      text(" Done."),
      over("reasoning", { id: "rs_1", content: [{ type: "reasoning_text", text: "So. More." }] }),
      bare("output_text.done", { item_id: "msg_1", text: "Look. Done." }),
      over("message", message),
      over("function_call", { ...one, arguments: '{"a":1}' }),
      { type: "response.completed", response: {} },
    ]
    const told = deltasOf(streamed(events)).flatMap((delta) =>
      delta.kind === "text" || delta.kind === "reasoning" ? [delta.text] : [],
    )
    expect(told).toEqual(["So.", "Look.", " More.", " Done."])
    expect(callsIn(deltasOf(streamed(events)))).toEqual(both.slice(0, 1))
  })

  test("items that all go by one id are each told", () => {
    const id = "item_1"
    const events = [
      begun("reasoning", { id }),
      bare("reasoning_text.delta", { item_id: id, delta: "So." }),
      begun("message", { id }),
      bare("output_text.delta", { item_id: id, delta: "Hi" }),
      begun("function_call", { ...one, id }),
      piece(id, '{"a":1}'),
      { type: "response.completed", response: {} },
    ]
    const deltas = deltasOf(streamed(events))
    expect(deltas.slice(0, 2)).toEqual([thought("So.", "reasoning"), said("Hi")])
    expect(callsIn(deltas)).toEqual(both.slice(0, 1))
  })

  test("however many calls there are, none is called twice", () => {
    const calls = Array.from({ length: 100 }, (_, at) => ({ ...one, call_id: `call_${at}_abcd` }))
    const begins = calls.flatMap((call) => [begun("function_call", call), piece(call.call_id, '{"a":1}')])
    const ends = calls.map((call) => over("function_call", { ...call, arguments: '{"a":1}' }))
    const told = callsIn(
      deltasOf(streamed([...begins, ...ends, { type: "response.completed", response: {} }])),
    )
    expect(told.map(([id]) => id)).toEqual(calls.map(({ call_id }) => call_id))
  })

  test("calls side by side are known by their ids", () => {
    const events = [
      begun("function_call", { ...one, id: "fc_1" }),
      begun("function_call", { ...two, id: "fc_2" }),
      piece("fc_1", '{"a":1}'),
      piece("fc_2", '{"b":2}'),
      over("function_call", { ...one, id: "fc_1", arguments: '{"a":1}' }),
      over("function_call", { ...two, id: "fc_2", arguments: '{"b":2}' }),
      { type: "response.completed", response: {} },
    ]
    expect(callsIn(deltasOf(streamed(events)))).toEqual(both)
  })
})

describe("a search", () => {
  const search = { query: "bun", forced: true }
  const options = responsesOptions({ search })
  const urls = ["https://bun.test/a", "https://bun.test/b"]
  const results = urls.map((url) => ({ url, title: url }))
  const found: Delta = { kind: "search", query: "bun release", results }
  const notes = [
    { type: "url_citation", url: "https://bun.test/a", title: "A", start_index: 0, end_index: 2 },
  ]
  const item = searchItem("1", "bun release", urls)

  test("is told with what it found, once, before the words", () => {
    const events = [
      added(0, "web_search_call"),
      at(0, "web_search_call.in_progress"),
      at(0, "web_search_call.searching"),
      at(0, "web_search_call.completed"),
      at(0, "output_item.done", { item }),
      done(1, "message", words(output("It is out.", notes))),
      { type: "response.completed", response: { status: "completed", output: [] } },
    ]
    const deltas = deltasOf(streamed(events), options)
    expect(deltas.map(({ kind }) => kind)).toEqual(["search", "text", "finish", "end"])
    expect(deltas[0]).toEqual(found)
  })

  test("whose pages are named by the text's sources alone, is told by these", () => {
    const bare = {
      type: "web_search_call",
      id: "ws",
      status: "completed",
      action: { type: "search", query: "bun release" },
    }
    const events = [
      at(0, "output_item.done", { item: bare }),
      added(1, "message"),
      at(1, "output_text.delta", { content_index: 0, delta: "It is out." }),
      at(1, "output_text.annotation.added", { content_index: 0, annotation_index: 0, annotation: notes[0] }),
      done(1, "message", words(output("It is out.", notes))),
      { type: "response.completed", response: { status: "completed", output: [] } },
    ]
    const searches = deltasOf(streamed(events), options).filter(({ kind }) => kind === "search")
    expect(searches).toMatchObject([{ results: [{ url: "https://bun.test/a", title: "A" }] }])
  })

  test("that failed has no results", () => {
    const failed = {
      type: "web_search_call",
      id: "ws",
      status: "failed",
      action: { type: "search", query: "q" },
    }
    const events = [at(0, "output_item.done", { item: failed }), { type: "response.completed", response: {} }]
    const [first] = deltasOf(streamed(events), options)
    expect(first).toEqual({ kind: "search", query: "q", results: undefined })
  })

  test("opening a page is no search of its own", () => {
    const opened = {
      type: "web_search_call",
      status: "completed",
      action: { type: "open_page", url: "https://bun.test/a" },
    }
    const events = [
      at(0, "output_item.done", { item }),
      at(1, "output_item.done", { item: opened }),
      done(2, "message", words(output("Hi", notes))),
    ]
    const searches = deltasOf(streamed(events), options).filter(({ kind }) => kind === "search")
    expect(searches).toEqual([found])
  })
})
