// Every event of a Responses stream: the deltas it becomes, at its place in a stream.
import { describe, expect, test } from "bun:test"
import type { Delta } from "../../src/convert/common/delta.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { deltasOf, streamed } from "../support/responses/play.ts"
import {
  added,
  at,
  call,
  called,
  done,
  kept,
  output,
  said,
  summary,
  thought,
  value,
  words,
} from "../support/responses/single.ts"

const silent = ["created", "in_progress", "queued"].map(
  (word): [string, readonly JsonObject[], readonly Delta[]] => {
    return [`response.${word}`, [{ type: `response.${word}`, response: { status: word, output: [] } }], []]
  },
)

describe("an event says what is new in it", () => {
  test.each<[string, readonly JsonObject[], readonly Delta[]]>([
    ...silent,
    [
      "a reasoning item that is added",
      [added(0, "reasoning", { summary: [], encrypted_content: "half" })],
      [],
    ],
    [
      "reasoning_summary_part.added",
      [
        added(0, "reasoning"),
        at(0, "reasoning_summary_part.added", { summary_index: 0, part: { text: "" } }),
      ],
      [],
    ],
    [
      "reasoning_summary_text.delta",
      [added(0, "reasoning"), at(0, "reasoning_summary_text.delta", { summary_index: 0, delta: "Let me" })],
      [thought("Let me")],
    ],
    [
      "a second part of a summary is a paragraph of its own",
      [
        added(0, "reasoning"),
        at(0, "reasoning_summary_text.delta", { summary_index: 0, delta: "One." }),
        at(0, "reasoning_summary_text.done", { summary_index: 0, text: "One." }),
        at(0, "reasoning_summary_text.delta", { summary_index: 1, delta: "Tw" }),
        at(0, "reasoning_summary_text.delta", { summary_index: 1, delta: "o." }),
      ],
      [thought("One."), thought("\n\nTw"), thought("o.")],
    ],
    [
      "reasoning_text.delta",
      [added(0, "reasoning"), at(0, "reasoning_text.delta", { content_index: 0, delta: "Hm" })],
      [thought("Hm", "reasoning")],
    ],
    [
      "a summary beside the reasoning itself says the same again",
      [
        added(0, "reasoning"),
        at(0, "reasoning_text.delta", { content_index: 0, delta: "Hm" }),
        at(0, "reasoning_summary_text.delta", { summary_index: 0, delta: "It hums." }),
        done(0, "reasoning", { ...summary("It hums."), content: [{ type: "reasoning_text", text: "Hm" }] }),
      ],
      [thought("Hm", "reasoning")],
    ],
    [
      "reasoning_summary_text.done without a delta",
      [added(0, "reasoning"), at(0, "reasoning_summary_text.done", { summary_index: 0, text: "Whole." })],
      [thought("Whole.")],
    ],
    [
      "reasoning_text.done without a delta",
      [added(0, "reasoning"), at(0, "reasoning_text.done", { content_index: 0, text: "Whole." })],
      [thought("Whole.", "reasoning")],
    ],
    [
      "a reasoning item that is done: its encrypted content is the one that counts",
      [
        added(0, "reasoning", { encrypted_content: "half" }),
        at(0, "reasoning_summary_text.delta", { summary_index: 0, delta: "So." }),
        done(0, "reasoning", { ...summary("So."), encrypted_content: value }),
      ],
      [thought("So."), kept(value)],
    ],
    [
      "a reasoning item without a summary",
      [added(0, "reasoning"), done(0, "reasoning", { summary: [], encrypted_content: value })],
      [kept(value)],
    ],
    [
      "a reasoning item without anything",
      [done(0, "reasoning", { summary: [], encrypted_content: null })],
      [],
    ],
    [
      "a summary that only the item's end tells",
      [done(0, "reasoning", { ...summary("One.", "Two."), encrypted_content: value })],
      [thought("One."), thought("\n\nTwo."), kept(value)],
    ],
    [
      "a message that is added, and its part",
      [added(0, "message", words()), at(0, "content_part.added", { content_index: 0, part: output("") })],
      [],
    ],
    [
      "output_text.delta",
      [added(0, "message"), at(0, "output_text.delta", { content_index: 0, delta: "Hi" })],
      [said("Hi")],
    ],
    [
      "refusal.delta",
      [added(0, "message"), at(0, "refusal.delta", { content_index: 0, delta: "No." })],
      [said("No.")],
    ],
    [
      "output_text.done after its deltas",
      [
        added(0, "message"),
        at(0, "output_text.delta", { content_index: 0, delta: "Hi" }),
        at(0, "output_text.done", { content_index: 0, text: "Hi" }),
        at(0, "content_part.done", { content_index: 0, part: output("Hi") }),
        done(0, "message", words(output("Hi"))),
      ],
      [said("Hi")],
    ],
    [
      "output_text.done and refusal.done alone",
      [
        added(0, "message"),
        at(0, "output_text.done", { content_index: 0, text: "Hi" }),
        at(0, "refusal.done", { content_index: 1, refusal: " no" }),
      ],
      [said("Hi"), said(" no")],
    ],
    [
      "a message whose end says all of it",
      [done(0, "message", words(output("Hi "), { type: "refusal", refusal: "no" }))],
      [said("Hi "), said("no")],
    ],
    [
      "a function_call that is added, and its arguments",
      [
        added(0, "function_call", call("")),
        at(0, "function_call_arguments.delta", { delta: '{"a"' }),
        at(0, "function_call_arguments.delta", { delta: ":1}" }),
      ],
      [called('{"a"', false), called(":1}", true)],
    ],
    [
      "function_call_arguments.delta before the call is added",
      [
        at(0, "function_call_arguments.delta", { delta: '{"a"' }),
        added(0, "function_call", call("")),
        at(0, "function_call_arguments.delta", { delta: ":1}" }),
        done(0, "function_call", call('{"a":1}')),
      ],
      [called('{"a"', false), called(":1}", true)],
    ],
    [
      "function_call_arguments.done without a delta",
      [added(0, "function_call", call("")), at(0, "function_call_arguments.done", { arguments: '{"a":1}' })],
      [called('{"a":1}', true)],
    ],
    [
      "a function_call whose end says all of it",
      [done(0, "function_call", call('{"a":1}'))],
      [called('{"a":1}', true)],
    ],
    [
      "search events, where nobody asked for a search",
      [
        added(0, "web_search_call"),
        at(0, "web_search_call.searching"),
        done(0, "web_search_call", { status: "completed" }),
      ],
      [],
    ],
    ["an image", [done(0, "image_generation_call", { result: "aGk=" })], [said("[image omitted]")]],
    [
      "an item, and an event, of a kind that nobody knows",
      [
        added(0, "mcp_call"),
        at(0, "mcp_call_arguments.delta", { delta: "x" }),
        done(0, "mcp_call", {}),
        { type: "response.new_thing.delta", delta: "x" },
      ],
      [],
    ],
    [
      "text of an item that was never added",
      [at(0, "output_text.delta", { content_index: 0, delta: "Hi" })],
      [said("Hi")],
    ],
    [
      "events without output_index belong to the latest item",
      [added(0, "message"), { type: "response.output_text.delta", delta: "Hi" }],
      [said("Hi")],
    ],
    [
      "an item that is added twice",
      [
        added(0, "message"),
        at(0, "output_text.delta", { delta: "Hi" }),
        added(0, "message"),
        done(0, "message", words(output("Hi"))),
      ],
      [said("Hi")],
    ],
  ])("%s", (_name, events, expected) => {
    expect(deltasOf(streamed(events)).slice(0, -1)).toEqual([...expected])
  })
})
