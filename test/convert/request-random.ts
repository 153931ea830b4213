// Requests at random: any order of roles and blocks that the parser accepts, sensible or not.
import type { Random } from "../support/random.ts"

const ids = ["a", "b", "c", "functions.Bash:0", "a b", "x".repeat(70), ""]
const names = ["Bash", "Read", "mcp__näme", "n".repeat(86), "DeferredToolPlaceholder"]

export function randomRequest(random: Random): Readonly<Record<string, unknown>> {
  const maybe = (field: string, value: () => unknown) => (random.chance(0.4) ? { [field]: value() } : {})
  return {
    model: "claude-opus-5-5",
    messages: many(random, 1, 8, () => randomMessage(random)),
    ...maybe("system", () => random.pick([null, "", random.text(9), blocks(random, ["text"])])),
    ...maybe("max_tokens", () => random.pick([null, -1, 0, 1, 500.5, 10_000_000])),
    ...maybe("temperature", () => random.pick([null, 0, 0.5, 1, 3])),
    ...maybe("top_p", () => random.pick([null, 0.9])),
    ...maybe("top_k", () => random.pick([null, 40])),
    ...maybe("stop_sequences", () => random.pick([null, [], ["", "a"], ["a", "b", "c", "d", "e", "f"]])),
    ...maybe("stream", () => random.pick([null, true, false])),
    ...maybe("tools", () => random.pick([null, many(random, 0, 4, () => randomTool(random))])),
    ...maybe("tool_choice", () => randomChoice(random)),
    ...maybe("thinking", () => randomThinking(random)),
    ...maybe("output_config", () => ({
      effort: random.pick([null, "low", "high", "max", "galactic"]),
      format: random.pick([null, { type: "json_schema", schema: randomSchema(random, 2) }, { type: "x" }]),
    })),
    ...maybe("metadata", () => random.pick([null, {}, { user_id: null }, { user_id: '{"session_id":"s"}' }])),
    ...maybe("service_tier", () => random.pick([null, "auto", "standard_only", "other"])),
    ...maybe("speed", () => random.pick([null, "fast", "standard"])),
    ...maybe("field_of_tomorrow", () => random.json(2)),
  }
}

function many<T>(random: Random, low: number, high: number, make: () => T): readonly T[] {
  return Array.from({ length: random.integer(low, high) }, make)
}

function randomMessage(random: Random): unknown {
  const role = random.pick(["user", "user", "assistant", "assistant", "system"])
  if (role === "system") {
    const content = random.pick([null, undefined, "", random.text(8), blocks(random, ["text", "other"])])
    const clear_at = random.pick([undefined, null, "next_user_message"])
    const effort = random.pick([undefined, null, "low", "unheard"])
    return { role, content, clear_at, ...(effort === undefined ? {} : { output_config: { effort } }) }
  }
  if (random.chance(0.1)) return { role, content: random.text(8) }
  const usual =
    role === "user"
      ? ["text", "tool_result", "tool_result", "image", "document"]
      : ["text", "thinking", "tool_use", "tool_use"]
  return { role, content: blocks(random, random.chance(0.8) ? usual : [...Object.keys(makers)]) }
}

function blocks(random: Random, types: readonly string[]): readonly unknown[] {
  return many(random, 0, 4, () => makers[random.pick(types)]?.(random) ?? { type: "other" })
}

const source = (random: Random) =>
  random.pick([
    { type: "base64", media_type: "image/png", data: "iVBOR" },
    { type: "url", url: "https://x.test/a\ud83d" },
    { type: "unheard-of" },
  ])

const makers: Readonly<Record<string, (random: Random) => unknown>> = {
  text: (random) => ({ type: "text", text: random.pick(["", " \n", random.text(12), "half \ud83d"]) }),
  image: (random) => ({ type: "image", source: source(random) }),
  document: (random) => ({
    type: "document",
    title: random.pick([null, undefined, "t", '"']),
    source: random.pick([
      source(random),
      { type: "text", data: random.text(5) },
      { type: "content", content: random.pick(["x", blocks(random, ["text", "image"])]) },
    ]),
  }),
  search_result: (random) => ({ type: "search_result", source: "s", title: random.text(4), content: [] }),
  thinking: (random) => ({
    type: "thinking",
    thinking: random.text(6),
    signature: random.pick([null, "", "x"]),
  }),
  redacted_thinking: () => ({ type: "redacted_thinking", data: "x" }),
  tool_use: (random) => ({
    ...{ type: "tool_use", id: random.pick(ids), name: random.pick(names) },
    input: random.pick([random.json(2), { a: "\ud83d" }, null, undefined]),
  }),
  tool_result: (random) => ({
    ...{ type: "tool_result", tool_use_id: random.pick(ids), is_error: random.pick([null, true, false]) },
    content: random.pick([null, undefined, "", random.text(5), blocks(random, ["text", "image", "other"])]),
  }),
  tool_reference: (random) => ({ type: "tool_reference", tool_name: random.pick(names) }),
  other: (random) => ({
    type: random.pick([
      "unheard-of",
      "compaction",
      "container_upload",
      "server_tool_use",
      "web_search_tool_result",
    ]),
    content: random.json(2),
  }),
}

function randomTool(random: Random): unknown {
  const deferred = { defer_loading: random.pick([null, undefined, true]) }
  if (random.chance(0.2))
    return { type: random.pick(["bash_20250124", "web_search_20250305", "new_1"]), ...deferred }
  return {
    ...{
      name: random.pick(names),
      description: random.pick([null, undefined, "", "half \udc00"]),
      ...deferred,
    },
    ...{ input_schema: randomSchema(random, 3), strict: random.pick([null, undefined, true]) },
  }
}

function randomSchema(random: Random, depth: number): Readonly<Record<string, unknown>> {
  const type = random.pick(["object", "object", "array", "string", ["string", "null"]])
  const inner = () => (depth > 0 ? randomSchema(random, depth - 1) : {})
  return {
    ...(random.chance(0.9) ? { type } : {}),
    ...(random.chance(0.2) ? { $schema: "https://json-schema.org/draft/2020-12/schema" } : {}),
    ...(random.chance(0.5) ? { properties: { a: inner(), items: inner() }, required: ["a", "items"] } : {}),
    ...(random.chance(0.5) ? { additionalProperties: random.pick([false, true, inner()]) } : {}),
    ...(random.chance(0.2) ? { items: random.pick([inner(), [inner()]]) } : {}),
    ...(random.chance(0.2) ? { default: random.json(2) } : {}),
  }
}

function randomChoice(random: Random): unknown {
  const single = { disable_parallel_tool_use: random.pick([null, true, false]) }
  const name = random.pick(names)
  return random.pick([
    null,
    { type: "none" },
    ...["auto", "any"].map((type) => ({ type, ...single })),
    {
      type: "tool",
      name,
      ...single,
    },
  ])
}

function randomThinking(random: Random): unknown {
  return random.pick([
    null,
    ...["adaptive", "disabled", "between_tools", "unheard-of"].map((type) => ({ type })),
    { type: "enabled", budget_tokens: random.pick([null, 1024, 20_000, 31_999]) },
  ])
}
