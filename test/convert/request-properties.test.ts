// What holds for every request, whatever is in it.
import { describe, expect, test } from "bun:test"
import { convertRequest } from "../../src/convert/request/request.ts"
import { noteUnknownFields } from "../../src/convert/request/unknown-fields.ts"
import type { ChatRequest } from "../../src/protocol/chat/chat.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { applyDelta } from "../../src/providers/base-profile.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import type { Route } from "../../src/providers/route.ts"
import { property, type Random } from "../support/random.ts"
import { orderProblems } from "./request-order.ts"
import { randomRequest } from "./request-random.ts"
import { ask, convert, limits, parse, readFixture, routeTo, type Target } from "./request-support.ts"

const targets: readonly Target[] = [
  ...(["gpt-4o", "gpt-5", "gpt-5.6", "o3"] as const).map((model): Target => ["openai", model]),
  ...([
    ["azure", "gpt-5.2"],
    ["deepseek", "deepseek-v4-pro"],
    ["ollama", "gpt-oss:20b"],
  ] as const),
  ...([
    ["ollama", "qwen3"],
    ["generic", "kimi-k2.5"],
    ["generic", "any"],
  ] as const),
]

const droppable: readonly (keyof ChatRequest)[] = [
  ...(["temperature", "top_p", "stop", "tool_choice", "parallel_tool_calls", "reasoning_effort"] as const),
  ...(["response_format", "service_tier", "store", "prompt_cache_key", "stream_options"] as const),
]

function randomRoute(random: Random): Route {
  const route = routeTo(random.pick(targets))
  const drop = droppable.filter(() => random.chance(0.1))
  const delta: ProfileDelta = random.chance(0.3) ? { drop, clamp: { temperature: [0.1, 1] } } : {}
  return { ...route, profile: applyDelta(route.profile, delta) }
}

/** Where a client writes what the profile takes out of the body. */
const clientPaths: Readonly<Partial<Record<keyof ChatRequest, readonly string[]>>> = {
  stop: ["stop_sequences"],
  parallel_tool_calls: ["tool_choice.disable_parallel_tool_use"],
  reasoning_effort: ["output_config.effort"],
  response_format: ["output_config.format"],
  service_tier: ["service_tier", "speed"],
}

property("a converted request keeps every rule", 3000, (random) => {
  const raw = randomRequest(random)
  const before = JSON.stringify(raw)
  const request = parse(raw)
  const parsedBefore = JSON.stringify(request)
  const route = randomRoute(random)
  const { body, notes } = convertRequest(request, route, limits, "session")
  const free = convertRequest(
    request,
    { ...route, profile: { ...route.profile, drop: [], clamp: {} } },
    limits,
    "session",
  )

  expect(orderProblems(body)).toEqual([])
  const paths = new Set([...noteUnknownFields(raw, route.profile), ...notes].map((note) => note.path))
  for (const field of route.profile.drop) {
    expect(field in body).toBe(false)
    if (!(field in free.body)) continue
    expect((clientPaths[field] ?? [field]).some((path) => paths.has(path))).toBe(true)
  }
  if (raw["field_of_tomorrow"] !== undefined && raw["field_of_tomorrow"] !== null)
    expect(paths).toContain("field_of_tomorrow")
  expect(Object.values(body)).not.toContain(undefined)
  expect(JSON.stringify(body)).not.toMatch(/(?<!\\)(\\\\)*\\ud[89a-f]/)
  expect(JSON.stringify(convertRequest(request, route, limits, "session").body)).toBe(JSON.stringify(body))
  expect(JSON.stringify(raw)).toBe(before)
  expect(JSON.stringify(request)).toBe(parsedBefore)
})

property("requests that differ in the billing line alone give the same bytes", 300, (random) => {
  const raw = randomRequest(random)
  const target = random.pick(targets)
  const bytes = (word: string) => {
    const line = `x-anthropic-billing-header: cc_version=2.1.329.${word}; cch=${word};`
    return JSON.stringify(convert({ ...raw, system: [{ type: "text", text: line }] }, target).body)
  }
  expect(bytes("a1b")).toBe(bytes("c0ffee"))
})

property("frozen requests are converted too: nothing is written into them", 300, (random) => {
  const request = deepFreeze(parse(randomRequest(random)))
  convertRequest(request, deepFreeze(randomRoute(random)), limits, undefined)
})

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

describe("the prefix that a provider caches", () => {
  property("grows with the conversation and never changes", 300, (random) => {
    const target = random.pick(targets)
    const turns = Array.from({ length: random.integer(2, 6) }, (_, index) => randomExchange(random, index))
    const opening = { role: "user", content: [{ type: "text", text: "begin" }] }
    let previous: readonly string[] = []
    for (let count = 0; count <= turns.length; count++) {
      const history = [opening, ...turns.slice(0, count).flat()]
      const { messages } = convert(ask(history, { thinking: { type: "adaptive" } }), target).body
      const lines = messages.map((message) => JSON.stringify(message))
      expect(lines.slice(0, previous.length)).toEqual([...previous])
      previous = lines
    }
  })

  test("Claude Code's own next request begins with the bytes of the one before", async () => {
    const [first, second, third] = await Promise.all(
      ["claude-code-first", "claude-code-tool-search", "claude-code-media"].map(readFixture),
    )
    for (const target of targets) {
      const lists = [first, second, third].map((raw) =>
        convert(raw, target).body.messages.map((message) => JSON.stringify(message)),
      )
      expect(lists[1]?.slice(0, lists[0]?.length)).toEqual(lists[0] ?? [])
      expect(lists[2]?.slice(0, lists[1]?.length)).toEqual(lists[1] ?? [])
    }
  })

  test("tools that are loaded later go behind the others", async () => {
    const [first, second] = await Promise.all(
      ["claude-code-first", "claude-code-tool-search"].map(readFixture),
    )
    const lists = [first, second].map(
      (raw) => convert(raw).body.tools?.map((tool) => JSON.stringify(tool)) ?? [],
    )
    expect(lists[1]?.slice(0, lists[0]?.length)).toEqual(lists[0] ?? [])
    expect(objectOf(first)["tools"]).not.toEqual(objectOf(second)["tools"])
  })
})

/** An assistant's turn and the user's answer to it, as Claude Code writes them. */
function randomExchange(random: Random, turn: number): readonly unknown[] {
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: `iVBOR${turn}` } }
  const ids = Array.from({ length: random.integer(0, 3) }, (_, index) => `toolu_${turn}_${index}`)
  const thinking = { type: "thinking", thinking: random.pick(["", "hm"]), signature: "" }
  const calls = ids.map((id) => ({ type: "tool_use", id, name: "Read", input: { turn } }))
  const results = random.shuffle(ids).map((tool_use_id) => ({
    ...{ type: "tool_result", tool_use_id },
    content: random.pick(["text", [image], [{ type: "text", text: "see" }, image], []]),
  }))
  const words = ids.length === 0 || random.chance(0.3) ? [{ type: "text", text: "and then?" }] : []
  return [
    { role: "assistant", content: [thinking, { type: "text", text: random.pick(["well", "so"]) }, ...calls] },
    { role: "user", content: [...results, ...words, ...(random.chance(0.2) ? [image] : [])] },
    ...(random.chance(0.3) ? [{ role: "system", content: "remember the tasks" }] : []),
  ]
}
