// What each key of a model and of a provider changes, from the file's text to the route of a request.
import { afterAll, describe, expect, test } from "bun:test"
import { modelSchema, providerSchema } from "../../src/config/models/schema.ts"
import { resolveFallbacks, resolveRoute } from "../../src/config/routes/route.ts"
import { baseProfile } from "../../src/providers/base-profile.ts"
import type { ProviderProfile } from "../../src/providers/profile.ts"
import type { Route } from "../../src/providers/route.ts"
import { configOf, folderWith, load, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const env = { OPENAI_API_KEY: "openai-key", RELAY_API_KEY: "relay-key", DEEPSEEK_API_KEY: "deepseek-key" }

function routeIn(text: string, model: string): Route {
  const config = configOf(load({ env, configDir: folderWith({ "models.yaml": text }) }))
  const resolved = resolveRoute(config, model)
  if (!resolved.ok) throw new Error(resolved.fault.message)
  return resolved.route
}

/** The route of one model with these lines. */
function routeOf(lines: readonly string[]): Route {
  return routeIn(`- model_id: a\n${lines.map((line) => `  ${line}\n`).join("")}`, "a")
}

const relay = "api_base: https://relay.example/v1"

interface Change {
  readonly lines: readonly string[]
  readonly pick: (route: Route) => unknown
  readonly expected: unknown
}

// For each key the lines that show what it does.
const changes: Readonly<Record<string, readonly Change[]>> = {
  model_id: [{ lines: [relay], pick: ({ model }) => model, expected: "a" }],
  model_name: [{ lines: [relay, "model_name: b/c"], pick: ({ model }) => model, expected: "b/c" }],
  provider: [
    {
      lines: ["provider: deepseek"],
      pick: ({ provider, apiKey }) => [provider, apiKey],
      expected: ["deepseek", "deepseek-key"],
    },
  ],
  api_base: [
    { lines: [relay], pick: ({ url }) => url, expected: "https://relay.example/v1/chat/completions" },
  ],
  api_key_name: [
    {
      lines: [relay, "api_key_name: RELAY_API_KEY"],
      pick: ({ apiKeys, keyName }) => [apiKeys, keyName],
      expected: [["relay-key"], "RELAY_API_KEY"],
    },
  ],
  profile: [
    {
      lines: [relay, "profile: deepseek"],
      pick: ({ url, profile, apiKey }) => [url, profile.reasoning.request, profile.stopMax, apiKey],
      expected: ["https://relay.example/v1/chat/completions", "thinking-object", 16, undefined],
    },
    {
      lines: [relay, "profile: anthropic"],
      pick: ({ url }) => url,
      expected: "https://relay.example/v1/messages",
    },
  ],
  extra_headers: [
    {
      lines: [relay, "extra_headers: {X-Title: me, user-agent: b}"],
      pick: ({ headers }) => headers,
      expected: { "X-Title": "me", "user-agent": "b" },
    },
  ],
  extra_body: [
    {
      lines: [relay, "extra_body: {a: 1, b: {c: [true, null]}}"],
      pick: ({ profile }) => profile.extraBody,
      expected: { a: 1, b: { c: [true, null] } },
    },
    {
      lines: ["provider: minimax", "extra_body: {a: 1}", "api_key_name: RELAY_API_KEY"],
      pick: ({ profile }) => profile.extraBody,
      expected: { reasoning_split: true, a: 1 },
    },
  ],
  temperature: [
    { lines: [relay, "temperature: 0"], pick: ({ defaults }) => defaults, expected: { temperature: 0 } },
  ],
  top_p: [{ lines: [relay, "top_p: 0.5"], pick: ({ defaults }) => defaults, expected: { top_p: 0.5 } }],
  reasoning_effort: [
    ...(
      [
        ["off", "off"],
        ["none", "off"],
        ["minimal", "low"],
        ["low", "low"],
        ["medium", "medium"],
        ["high", "high"],
        ["xhigh", "xhigh"],
        ["max", "max"],
      ] as const
    ).map(([word, level]) => ({
      lines: [relay, `reasoning_effort: ${word}`],
      pick: ({ defaults }: Route) => defaults,
      expected: { effort: level },
    })),
    // An effort for a model of which nothing is known has to be asked for somehow.
    {
      lines: [relay, "reasoning_effort: low"],
      pick: ({ profile }) => profile.reasoning.request,
      expected: "effort",
    },
    {
      lines: [relay, "reasoning_effort: off"],
      pick: ({ profile }) => profile.reasoning.request,
      expected: "none",
    },
  ],
  reasoning: [
    { lines: [relay], pick: ({ profile }) => profile.reasoning.request, expected: "none" },
    {
      lines: [relay, "reasoning: true"],
      pick: ({ profile }) => [profile.reasoning.request, profile.reasoning.levels],
      expected: ["effort", { low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" }],
    },
    {
      lines: ["provider: deepseek", "model_name: deepseek-v4-pro", "reasoning: true"],
      pick: ({ profile }) => profile.reasoning.request,
      expected: "thinking-object",
    },
    {
      lines: ["provider: deepseek", "model_name: deepseek-v4-pro", "reasoning: false"],
      pick: ({ profile }) => profile.reasoning.request,
      expected: "none",
    },
    // It thinks by itself, and there is no switch.
    {
      lines: [
        "provider: moonshot",
        "model_name: kimi-k2-thinking",
        "api_key_name: RELAY_API_KEY",
        "reasoning: true",
      ],
      pick: ({ profile }) => profile.reasoning.request,
      expected: "none",
    },
    // Who knows the switch says so.
    {
      lines: [relay, "reasoning_effort: high", "overrides: {reasoning: {request: enable-thinking}}"],
      pick: ({ profile }) => [profile.reasoning.request, profile.reasoning.levels],
      expected: ["enable-thinking", {}],
    },
  ],
  overrides: [
    { lines: [relay, "overrides: {stop_max: 1}"], pick: ({ profile }) => profile.stopMax, expected: 1 },
  ],
  max_tokens: [
    { lines: [relay, "max_tokens: 8k"], pick: ({ profile }) => profile.maxOutputTokens, expected: 8192 },
    { lines: [relay, "max_tokens: 1000"], pick: ({ profile }) => profile.maxOutputTokens, expected: 1000 },
  ],
  max_input_tokens: [
    {
      lines: [relay, "max_input_tokens: 128K"],
      pick: ({ profile }) => profile.contextWindow,
      expected: 131_072,
    },
    {
      lines: [relay, "max_input_tokens: 1.5k"],
      pick: ({ profile }) => profile.contextWindow,
      expected: 1536,
    },
    {
      lines: [relay, 'max_input_tokens: "2000"'],
      pick: ({ profile }) => profile.contextWindow,
      expected: 2000,
    },
  ],
  context: [
    { lines: [relay, "context: 64k"], pick: ({ profile }) => profile.contextWindow, expected: 65_536 },
    {
      lines: [relay, "context: 1k", "max_input_tokens: 1024"],
      pick: ({ profile }) => profile.contextWindow,
      expected: 1024,
    },
  ],
  vision: [{ lines: [relay, "vision: false"], pick: ({ profile }) => profile.vision, expected: false }],
  can_stream: [
    { lines: [relay, "can_stream: false"], pick: ({ profile }) => profile.streams, expected: "never" },
    { lines: [relay, "can_stream: true"], pick: ({ profile }) => profile.streams, expected: "any" },
  ],
  direct: [
    { lines: [relay, "direct: true"], pick: ({ url }) => url, expected: "https://relay.example/v1/messages" },
  ],
  dialect: [
    {
      lines: [relay, "dialect: responses"],
      pick: ({ url }) => url,
      expected: "https://relay.example/v1/responses",
    },
    {
      lines: [relay, "dialect: messages"],
      pick: ({ url }) => url,
      expected: "https://relay.example/v1/messages",
    },
    {
      lines: ["provider: openai", "model_name: gpt-5.4", "dialect: chat"],
      pick: ({ url }) => url,
      expected: "https://api.openai.com/v1/chat/completions",
    },
  ],
  input_cost_per_token: [
    {
      lines: [relay, "input_cost_per_token: 0.001", "output_cost_per_token: 0.002"],
      pick: ({ prices }) => prices,
      expected: { input: 0.001, output: 0.002, cacheRead: undefined },
    },
  ],
  output_cost_per_token: [],
  cache_read_cost_per_token: [
    {
      lines: [
        relay,
        "input_cost_per_token: 0.001",
        "output_cost_per_token: 0",
        "cache_read_cost_per_token: 0.0001",
      ],
      pick: ({ prices }) => prices,
      expected: { input: 0.001, output: 0, cacheRead: 0.0001 },
    },
  ],
  input_cost_per_million_tokens: [
    {
      lines: [
        relay,
        "input_cost_per_million_tokens: 1",
        "output_cost_per_million_tokens: 2",
        "cache_read_cost_per_million_tokens: 0.5",
      ],
      pick: ({ prices }) => prices,
      expected: { input: 1e-6, output: 2e-6, cacheRead: 5e-7 },
    },
  ],
  output_cost_per_million_tokens: [],
  cache_read_cost_per_million_tokens: [],
  cache_write_cost_per_token: [
    {
      lines: [
        relay,
        "input_cost_per_token: 0.001",
        "output_cost_per_token: 0",
        "cache_write_cost_per_token: 0.00125",
      ],
      pick: ({ prices }) => prices,
      expected: { input: 0.001, output: 0, cacheRead: undefined, cacheWrite: 0.00125 },
    },
  ],
  cache_write_cost_per_million_tokens: [
    {
      lines: [
        relay,
        "input_cost_per_million_tokens: 1",
        "output_cost_per_million_tokens: 2",
        "cache_write_cost_per_token: 0.001",
        "cache_write_cost_per_million_tokens: 1.25",
      ],
      pick: ({ prices }) => prices,
      expected: { input: 1e-6, output: 2e-6, cacheRead: undefined, cacheWrite: 1.25e-6 },
    },
  ],
  fallbacks: [],
}

test("every key of a model is shown to do something", () => {
  expect(Object.keys(changes).toSorted()).toEqual(Object.keys(modelSchema().shape).toSorted())
})

for (const [key, rows] of Object.entries(changes)) {
  test.each(rows.map((row) => [row.lines.slice(-1)[0] ?? "", row] as const))(`${key}: %s`, (_, row) => {
    expect(row.pick(routeOf(row.lines))).toEqual(row.expected)
  })
}

test("fallbacks are models of the same file, in their order", () => {
  const text =
    "- {model_id: a, provider: ollama}\n- {model_id: b, provider: ollama, fallbacks: [a, c]}\n- {model_id: c, provider: ollama, fallbacks: [a]}"
  const configDir = folderWith({ "models.yaml": text })
  const result = load({ env: { OPENAI_API_KEY: "k-123456" }, configDir })
  expect(warningsOf(result)).toEqual([])
  const { models } = configOf(result)
  expect(models.map(({ id, fallbacks }) => [id, fallbacks])).toEqual([
    ["a", []],
    ["b", ["a", "c"]],
    ["c", ["a"]],
  ])
})

test("a model of a provider is a fallback also where a model_id is called nearly the same", () => {
  const text =
    "- {model_id: openai/gpt-5.1, provider: ollama, fallbacks: [openai/gpt-5]}\n- {model_id: b, provider: ollama}\n"
  const configDir = folderWith({ "models.yaml": text })
  const { models } = configOf(load({ env, configDir }))
  expect(models[0]?.fallbacks).toEqual(["openai/gpt-5"])
})

test("of a thousand models no two names are compared: that would take half a minute", () => {
  const lines = Array.from(
    { length: 1000 },
    (_, at) =>
      `- {model_id: openrouter/vendor/model-${at}, provider: ollama, fallbacks: [openrouter/vendor/other-1]}\n`,
  )
  const configDir = folderWith({ "models.yaml": lines.join("") })
  const startedAt = performance.now()
  expect(configOf(load({ env, configDir })).models).toHaveLength(1000)
  expect(performance.now() - startedAt).toBeLessThan(4_000)
})

test("fallbacks may have the prefixes that a model may have everywhere", () => {
  const fallbacks = "[custom/b, deepseek/deepseek-v4-pro]"
  const text = `- {model_id: a, provider: ollama, fallbacks: ${fallbacks}}\n- {model_id: b, provider: ollama}\n`
  const configDir = folderWith({ "models.yaml": text })
  const config = configOf(
    load({ env: { OPENAI_API_KEY: "k-123456", DEEPSEEK_API_KEY: "d-123456" }, configDir }),
  )
  const first = resolveRoute(config, "a")
  if (!first.ok) throw new Error(first.fault.message)
  const told = resolveFallbacks(config, first.route).map(({ resolved }) =>
    resolved.ok ? [resolved.route.provider, resolved.route.model] : resolved.fault.message,
  )
  expect(told).toEqual([
    ["ollama", "b"],
    ["deepseek", "deepseek-v4-pro"],
  ])
})

// One override for each field of a profile, and what becomes of the field.
const overrides: readonly (readonly [string, keyof ProviderProfile, unknown])[] = [
  ["dialect: responses", "dialect", "responses"],
  ["auth: api-key", "auth", "api-key"],
  ["headers: {X-A: b}", "headers", { "X-A": "b" }],
  ["turn_headers: {initiator: x-by, vision: x-sees}", "turnHeaders", { initiator: "x-by", vision: "x-sees" }],
  ["extra_body: {a: 1}", "extraBody", { a: 1 }],
  ["streams: always", "streams", "always"],
  ["cumulative: true", "cumulative", true],
  ["max_tokens_field: max_completion_tokens", "maxTokensField", "max_completion_tokens"],
  ["max_output_tokens: 4k", "maxOutputTokens", 4096],
  ["context_window: 32k", "contextWindow", 32_768],
  ["system_role: developer", "systemRole", "developer"],
  ["mid_system: hoist", "midSystem", "hoist"],
  ["stream_usage: false", "streamUsage", false],
  [
    "tool_choice: {any: auto, forced_while_thinking: false}",
    "toolChoice",
    { any: "auto", named: "named", none: "none", forcedWhileThinking: false },
  ],
  ["schema: gemini", "schema", "gemini"],
  ["max_tools: 16", "maxTools", 16],
  ["tool_stream: true", "toolStream", true],
  ["parallel_field: parallel_function_calling", "parallelField", "parallel_function_calling"],
  ["vision: false", "vision", false],
  ["image_urls: false", "imageUrls", false],
  ["pdf: file", "pdf", "file"],
  ["document_urls: true", "documentUrls", true],
  ["media_in_results: false", "mediaInResults", false],
  ["tool_ids: alnum9", "toolIds", "alnum9"],
  ["tool_id_max_length: 9", "toolIdMaxLength", 9],
  ["tool_name_max_length: 32", "toolNameMaxLength", 32],
  ["tool_name_letter_first: true", "toolNameLetterFirst", true],
  ["tools_for_history: true", "toolsForHistory", true],
  ["tool_message_name: true", "toolMessageName", true],
  ["assistant_after_tool: true", "assistantAfterTool", true],
  ["user_first: true", "userFirst", true],
  ['empty_assistant_content: ""', "emptyAssistantContent", ""],
  ["prefill: prefix", "prefill", "prefix"],
  ["stop_max: 0", "stopMax", 0],
  ["response_format: none", "responseFormat", "none"],
  ["format_with_tools: false", "formatWithTools", false],
  ["strict_tools: true", "strictTools", true],
  ["cache_control: true", "cacheControl", true],
  ["prompt_cache_key: true", "promptCacheKey", true],
  ["send_store_false: true", "sendStoreFalse", true],
  ["web_search: plugin", "webSearch", "plugin"],
  ["searches_in_responses: true", "searchesInResponses", true],
  ["text_tool_calls: false", "textToolCalls", false],
  ["content_filter: refusal", "contentFilter", "refusal"],
  ["drop: [stop, top_p]", "drop", ["top_k", "service_tier", "stop", "top_p"]],
  ["allow: [top_k]", "drop", ["service_tier"]],
  ["clamp: {temperature: [0, 1]}", "clamp", { temperature: [0, 1] }],
  ["stop_reasons: {eos: end_turn}", "stopReasons", { eos: "end_turn" }],
]

const reasoningFields: readonly (readonly [string, keyof ProviderProfile["reasoning"], unknown])[] = [
  ["request: template", "request", "template"],
  ["levels: {off: none, high: max}", "levels", { off: "none", high: "max" }],
  ["budgets: {low: 1024}", "budgets", { low: 1024 }],
  ["on_type: adaptive", "onType", "adaptive"],
  ["on_extra: {clear: false}", "onExtra", { clear: false }],
  ["template_keys: [thinking]", "templateKeys", ["thinking"]],
  ["can_disable: false", "canDisable", false],
  ["with_tools: none", "withTools", "none"],
  ["reply_fields: [thought]", "replyFields", ["thought"]],
  ["send_back: all-turns", "sendBack", "all-turns"],
  ["send_back_as: both", "sendBackAs", "both"],
  ['backfill: ""', "backfill", ""],
  ["send_back_when_off: true", "sendBackWhenOff", true],
  ["think_tags: implicit", "thinkTags", "implicit"],
]

describe("overrides", () => {
  test.each(overrides)("%s", (line, field, expected) => {
    // What follows from the Responses dialect is told by the route itself.
    const route = routeOf([relay, `overrides: {${line}}`])
    const profile = field === "dialect" ? route.profile : { ...baseProfile, [field]: expected }
    expect(route.profile).toEqual(profile)
    expect<unknown>(route.profile[field]).toEqual(expected)
  })

  test.each(reasoningFields)("reasoning: {%s}", (line, field, expected) => {
    const { reasoning } = routeOf([relay, `overrides: {reasoning: {${line}}}`]).profile
    expect(reasoning).toEqual({ ...baseProfile.reasoning, [field]: expected })
  })

  test("name every field of a profile, but for those that only the table can know", () => {
    const known = new Set<string>(overrides.map(([, field]) => field))
    const rest = Object.keys(baseProfile).filter((field) => !known.has(field))
    expect(rest).toEqual(["hosts", "checksSignatures", "reasoning"])
    const inside = new Set<string>(reasoningFields.map(([, field]) => field))
    expect(Object.keys(baseProfile.reasoning).filter((field) => !inside.has(field))).toEqual([])
  })

  test.each<[string, (profile: Route["profile"]) => unknown, unknown]>([
    ["mid_system: user", ({ midSystem }) => midSystem, "user"],
    ["response_format: json_object", ({ responseFormat }) => responseFormat, "json_object"],
    ["tool_id_max_length: 20", ({ toolIdMaxLength }) => toolIdMaxLength, 20],
    ["web_search: none", ({ webSearch }) => webSearch, "none"],
    ["reasoning: {send_back: never}", ({ reasoning }) => reasoning.sendBack, "never"],
    // There is no such parameter, no other search, and reasoning goes back in one form.
    ["stop_max: 2", ({ stopMax }) => stopMax, 0],
    ["web_search: plugin", ({ webSearch }) => webSearch, "hosted"],
    ["reasoning: {send_back: tool-turns}", ({ reasoning }) => reasoning.sendBack, "all-turns"],
  ])("count in the Responses dialect where they mean something there: %s", (line, pick, expected) => {
    const responses = ["provider: openai", "model_name: gpt-5.6", `overrides: {${line}}`]
    expect(pick(routeOf(responses).profile)).toEqual(expected)
  })

  test("false takes away what a provider has", () => {
    const lines = ["provider: openai", "model_name: gpt-5.4", "dialect: chat"]
    const { profile } = routeOf([
      ...lines,
      "overrides: {max_tools: false, context_window: false, reasoning: {with_tools: false, backfill: false}}",
    ])
    const { maxTools, contextWindow, reasoning } = profile
    expect([maxTools, contextWindow, reasoning.withTools, reasoning.backfill]).toEqual([
      null,
      null,
      null,
      null,
    ])
    expect(
      routeOf([relay, "overrides: {empty_assistant_content: false, turn_headers: false}"]).profile,
    ).toEqual(baseProfile)
  })

  test("are laid over what is known, and beneath the model's own keys", () => {
    const { profile } = routeOf([
      "provider: deepseek",
      "model_name: deepseek-v4-pro",
      "max_tokens: 1k",
      "reasoning: false",
      "overrides:",
      "  drop: [stop]",
      "  reasoning: {backfill: none}",
    ])
    expect(profile.drop).toEqual(["top_k", "service_tier", "parallel_tool_calls", "stop"])
    expect([profile.maxOutputTokens, profile.contextWindow]).toEqual([1024, 1_000_000])
    const { request, backfill, sendBack } = profile.reasoning
    expect([request, backfill, sendBack]).toEqual(["none", "none", "all-turns"])
  })
})

describe("providers", () => {
  const file = (lines: readonly string[], id = "relay", model = "") =>
    `providers:\n  ${id}:\n${lines.map((line) => `    ${line}\n`).join("")}models:\n  - {model_id: a, provider: ${id}${model}}\n`
  const own = (lines: readonly string[], model = "") => routeIn(file([relay, ...lines], "relay", model), "a")

  test("every key of a provider is known here", () => {
    expect(Object.keys(providerSchema().shape)).toEqual([
      ...["api_base", "api_key_name", "profile", "extra_headers", "extra_body", "temperature", "top_p"],
      ...["reasoning_effort", "overrides", "proxy"],
    ])
  })

  test("a new one is an upstream, for its models and for PROVIDER/NAME", () => {
    const text = file([relay, "api_key_name: RELAY_API_KEY"])
    for (const model of ["a", "relay/a", "custom/a", "relay/vendor/b"]) {
      const { provider, url, apiKey, keyName } = routeIn(text, model)
      expect([provider, url, apiKey, keyName]).toEqual([
        "relay",
        "https://relay.example/v1/chat/completions",
        "relay-key",
        "RELAY_API_KEY",
      ])
    }
    expect(routeIn(text, "relay/vendor/b").model).toBe("vendor/b")
  })

  test.each<[string, readonly string[], (route: Route) => unknown, unknown]>([
    ["profile", ["profile: deepseek"], ({ profile }) => profile.reasoning.request, "thinking-object"],
    ["extra_headers", ["extra_headers: {X-A: b}"], ({ headers }) => headers, { "X-A": "b" }],
    ["extra_body", ["extra_body: {a: 1}"], ({ profile }) => profile.extraBody, { a: 1 }],
    ["temperature", ["temperature: 0.1"], ({ defaults }) => defaults, { temperature: 0.1 }],
    ["top_p", ["top_p: 0.1"], ({ defaults }) => defaults, { top_p: 0.1 }],
    ["reasoning_effort", ["reasoning_effort: minimal"], ({ defaults }) => defaults, { effort: "low" }],
    [
      "reasoning_effort of whom nothing is known",
      ["reasoning_effort: high"],
      ({ profile }) => profile.reasoning.request,
      "effort",
    ],
    [
      "reasoning_effort of whom something is known",
      ["reasoning_effort: high", "profile: openai"],
      ({ profile }) => profile.reasoning.request,
      "none",
    ],
    ["overrides", ["overrides: {stop_max: 1}"], ({ profile }) => profile.stopMax, 1],
    ["dialect", ["overrides: {dialect: responses}"], ({ url }) => url, "https://relay.example/v1/responses"],
  ])("%s", (_, lines, pick, expected) => {
    expect(pick(own(lines))).toEqual(expected)
  })

  test("a model's own words stand over those of its provider", () => {
    const route = own(
      [
        "extra_headers: {X-A: b, X-B: c}",
        "extra_body: {a: 1, b: 2}",
        "temperature: 0.1",
        "top_p: 0.2",
        "overrides: {stop_max: 1, max_tools: 1}",
      ],
      ", extra_headers: {X-A: z}, extra_body: {a: 9}, temperature: 0.9, overrides: {stop_max: 9}",
    )
    expect(route.headers).toEqual({ "X-A": "z", "X-B": "c" })
    expect(route.profile.extraBody).toEqual({ a: 9, b: 2 })
    expect(route.defaults).toEqual({ temperature: 0.9, top_p: 0.2 })
    expect([route.profile.stopMax, route.profile.maxTools]).toEqual([9, 1])
  })

  test("a known one is changed, for every model it serves", () => {
    const text = file(["extra_body: {a: 1}", "temperature: 0.1"], "deepseek")
    for (const model of ["a", "deepseek/deepseek-v4-pro"]) {
      const { provider, url, apiKey, profile, defaults } = routeIn(text, model)
      expect([provider, url, apiKey]).toEqual([
        "deepseek",
        "https://api.deepseek.com/chat/completions",
        "deepseek-key",
      ])
      expect([profile.extraBody, defaults]).toEqual([{ a: 1 }, { temperature: 0.1 }])
    }
    expect(routeIn(file(["api_base: https://ds.example/v1"], "deepseek"), "deepseek/x").url).toBe(
      "https://ds.example/v1/chat/completions",
    )
  })

  test("their proxies are read", () => {
    const text =
      "providers:\n  a: {api_base: https://a.example, proxy: http://me:word@proxy.example:3128}\n  groq: {proxy: false}"
    const result = load({ env, configDir: folderWith({ "models.yaml": text }) })
    expect(result.ok && result.sources.models.providers.map(({ id, proxy }) => [id, proxy])).toEqual([
      ["a", "http://me:word@proxy.example:3128"],
      ["groq", false],
    ])
  })
})
