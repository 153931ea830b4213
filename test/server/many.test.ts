// Many at once: nobody hears what was meant for somebody else.
import { afterEach, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { finishChunk, textChunk, toolChunks, usageChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Step } from "../support/script.ts"
import { eventsOf, postStream, start, stopAll, textOf } from "./support.ts"

afterEach(stopAll)

/** What the user of the first message said. */
function wordOf(body: Readonly<Record<string, unknown>>): string {
  const messages = Array.isArray(body["messages"]) ? body["messages"] : []
  return String(objectOf(messages.at(-1))["content"])
}

test("50 streams with different content arrive whole and unmixed", async () => {
  const { upstream, proxy } = start((body) => {
    const word = wordOf(body)
    const pieces = Array.from({ length: 40 }, (_, number) => textChunk(`${word}.${number} `))
    const spaced = pieces.flatMap((piece, number): readonly Step[] =>
      number % 7 === 0 ? [{ pauseMs: number % 3 }, piece] : [piece],
    )
    const call = toolChunks(0, `call_${word}_${"x".repeat(20)}`, "Read", { path: word })
    const number = Number(word.slice(1))
    return {
      kind: "stream",
      chunks: [...spaced, ...call, finishChunk("tool_calls"), usageChunk(number, number)],
    }
  })
  const tools = [{ name: "Read", input_schema: { type: "object" } }]
  const streams = await Promise.all(
    Array.from({ length: 50 }, async (_, number) => {
      const word = `w${number + 1}`
      return {
        word,
        events: await eventsOf(postStream(proxy, { tools, messages: [{ role: "user", content: word }] })),
      }
    }),
  )
  for (const { word, events } of streams) {
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe(Array.from({ length: 40 }, (_, number) => `${word}.${number} `).join(""))
    const args = events.map((event) => objectOf(event["delta"])["partial_json"] ?? "").join("")
    expect(JSON.parse(args)).toEqual({ path: word })
    const usage = objectOf(events.find((event) => event["type"] === "message_delta")?.["usage"])
    expect(usage["output_tokens"]).toBe(Number(word.slice(1)))
  }
  const ids = streams.map(({ events }) => objectOf(events[0]?.["message"])["id"])
  expect(new Set(ids).size).toBe(50)
  expect(upstream.mostInFlight()).toBeGreaterThan(10)
  expect(proxy.exchanges.length).toBe(50)
  expect(proxy.timers()).toBe(0)
})

test("two sessions in step with each other keep their tools and names apart", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { upstream, proxy } = start((body, turn) => {
    const word = wordOf(body)
    const name = `tool_${word}`
    // The two go on only by turns, with the same ids from both.
    const [mine, theirs] = turn === 0 ? [gates[0], gates[1]] : [gates[1], gates[0]]
    const chunks = toolChunks(0, "call_0", name, { from: word }).flatMap((chunk, number): readonly Step[] =>
      number === 1 ? [{ until: mine?.promise ?? Promise.resolve() }, chunk] : [chunk],
    )
    theirs?.resolve()
    return { kind: "stream", chunks: [textChunk(word), ...chunks, finishChunk("tool_calls")] }
  })
  const ask = (word: string) =>
    eventsOf(
      postStream(proxy, {
        model: `claude-${word}`,
        tools: [{ name: `tool_${word}`, input_schema: { type: "object" } }],
        messages: [{ role: "user", content: word }],
      }),
    )
  const [one, two] = await Promise.all([ask("one"), ask("two")])
  for (const [word, events] of [
    ["one", one],
    ["two", two],
  ] as const) {
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe(word)
    expect(objectOf(events[0]?.["message"])["model"]).toBe(`claude-${word}`)
    const starts = events.filter((event) => event["type"] === "content_block_start")
    expect(objectOf(starts[1]?.["content_block"])["name"]).toBe(`tool_${word}`)
  }
  expect(
    upstream
      .turns()
      .map((turn) => wordOf(turn.body))
      .toSorted(),
  ).toEqual(["one", "two"])
})
