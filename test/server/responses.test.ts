// Conversations with thinking and tools over the Responses API, against an upstream that refuses a call without
// its reasoning: with one proxy, with a new one for every turn, and with another model in the middle.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { removeFolders } from "../config/support.ts"
import { type ClientOptions, createConversationClient } from "../support/conversation-client.ts"
import { sixTurns } from "../support/conversation-plan.ts"
import { type Shape, shapes } from "../support/conversation-shapes.ts"
import { createConversationUpstream } from "../support/conversation-upstream.ts"
import type { EventOptions } from "../support/responses/events.ts"
import { proxiesFor } from "../support/responses/proxy.ts"
import { createResponsesConversation, type ResponsesOptions } from "../support/responses/upstream.ts"
import { cleanUp, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const ways = [
  ["streamed", true],
  ["whole", false],
] as const

interface World {
  readonly upstream: ReturnType<typeof createResponsesConversation>
  readonly another: () => TestProxy
}

function world(thinkInText = true, options: ResponsesOptions = {}): World {
  const upstream = createResponsesConversation(sixTurns(thinkInText), options)
  cleanUp(upstream.stop)
  return { upstream, another: proxiesFor([{ id: "mine", url: upstream.url }]) }
}

/** Holds the six turns, at `next()` for each; fails with what was refused. */
async function converse({ upstream }: World, next: () => TestProxy, options: ClientOptions): Promise<void> {
  const client = createConversationClient(options)
  for (const _turn of sixTurns()) {
    try {
      await client.ask(next().url, "mine")
    } catch (error) {
      throw new Error(`${upstream.refusals().join("\n")}\n${error}`)
    }
  }
  expect(upstream.refusals()).toEqual([])
  expect(upstream.answered()).toBe(6)
  expect(upstream.requests.map(({ path }) => path)).toEqual(Array.from({ length: 6 }, () => "/v1/responses"))
}

const once = (made: World): (() => TestProxy) => {
  const proxy = made.another()
  return () => proxy
}

describe.each(ways)("%s: six turns", (_way, stream) => {
  test("at one proxy", async () => {
    const made = world()
    await converse(made, once(made), { stream })
  })

  test("at a new proxy for every turn: by the signatures alone", async () => {
    const made = world()
    await converse(made, made.another, { stream })
  })

  test("the client losing all thinking: the proxy remembers it by its calls", async () => {
    const made = world(false)
    await converse(made, once(made), { stream, thinking: "lost" })
  })

  test("all thinking lost and nothing remembered", async () => {
    const made = world(true, { forgiveLost: true })
    await converse(made, made.another, { stream, thinking: "lost" })
  })

  test("what the client sees is what was said", async () => {
    const made = world()
    const client = createConversationClient({ stream })
    const proxy = made.another()
    const turns = []
    for (const _turn of sixTurns()) turns.push(await client.ask(proxy.url, "mine"))
    expect(turns.map((content) => content.map(({ type }) => type))).toEqual([
      ["thinking", "tool_use"],
      ["thinking", "tool_use", "tool_use", "tool_use"],
      ["thinking", "text", "tool_use", "tool_use"],
      ["thinking", "tool_use"],
      ["thinking", "text"],
      ["thinking", "text"],
    ])
    const think = sixTurns()[1]?.think ?? ""
    const half = Math.ceil(think.length / 2)
    expect(turns[0]?.[0]?.["thinking"]).toBe(sixTurns()[0]?.think)
    expect(turns[1]?.[0]?.["thinking"]).toBe(`${think.slice(0, half)}\n\n${think.slice(half)}`)
  })
})

/** One event of each item in turn, the last item first, as soon as it is added. */
function zip(lists: readonly (readonly JsonObject[])[]): readonly JsonObject[] {
  const heads = lists.flatMap((list) => list.slice(0, 1))
  const rests = lists.map((list) => list.slice(1)).toReversed()
  const longest = Math.max(0, ...rests.map((list) => list.length))
  const rows = Array.from({ length: longest }, (_, at) => rests.flatMap((list) => list.slice(at, at + 1)))
  return [...heads, ...rows.flat()]
}

const variants: readonly (readonly [string, EventOptions])[] = [
  ["items interleaved", { order: zip }],
  ["only `done` events", { manner: "done-only" }],
  ["only the ends of items", { manner: "items-only" }],
  ["only the end of all", { manner: "completed-only" }],
  ["ids that change with every event", { rotate: true }],
  ["ids that change, and items interleaved", { rotate: true, order: zip }],
]

test.each(variants)("six turns, streamed with %s", async (_name, events) => {
  const made = world(true, { events: () => events })
  await converse(made, made.another, { stream: true })
})

const others: readonly Shape[] = [shapes.deepseek, shapes.gemini, shapes["openrouter, opaque after calls"]]
const manners = [
  { stream: true, thinking: "kept", renewed: false },
  { stream: true, thinking: "of-this-model", renewed: true },
  { stream: false, thinking: "kept", renewed: true },
  { stream: false, thinking: "of-this-model", renewed: false },
] as const

describe.each(others.map((shape) => [shape.model, shape] as const))(
  "with %s in the middle",
  (_model, shape) => {
    test.each(manners)(
      "stream $stream, thinking $thinking, new proxies $renewed",
      async ({ renewed, ...options }) => {
        const plan = sixTurns()
        const first = createResponsesConversation([...plan.slice(0, 3), ...plan.slice(5)])
        const second = createConversationUpstream(plan.slice(3, 5), [shape])
        cleanUp(first.stop)
        cleanUp(second.server.stop)
        const another = proxiesFor([
          { id: "mine", url: first.url },
          { id: "other", url: second.url, provider: shape.id, model: shape.model },
        ])
        const one = another()
        const client = createConversationClient(options)
        for (const model of ["mine", "mine", "mine", "other", "other", "mine"]) {
          const proxy = renewed ? another() : one
          await client.ask(proxy.url, model).catch((error) => {
            throw new Error(`${[...first.refusals(), ...second.refusals()].join("\n")}\n${error}`)
          })
        }
        expect([...first.refusals(), ...second.refusals()]).toEqual([])
        expect([first.answered(), second.answered()]).toEqual([4, 2])
      },
    )

    test("first, then the Responses API, and back", async () => {
      const plan = sixTurns()
      const first = createConversationUpstream([...plan.slice(0, 3), ...plan.slice(5)], [shape])
      const second = createResponsesConversation(plan.slice(3, 5))
      cleanUp(first.server.stop)
      cleanUp(second.stop)
      const another = proxiesFor([
        { id: "other", url: first.url, provider: shape.id, model: shape.model },
        { id: "mine", url: second.url },
      ])
      const client = createConversationClient({ stream: true })
      for (const model of ["other", "other", "other", "mine", "mine", "other"])
        await client.ask(another().url, model)
      expect([...first.refusals(), ...second.refusals()]).toEqual([])
      expect([first.answered(), second.answered()]).toEqual([4, 2])
    })
  },
)
