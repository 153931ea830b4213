// Broken models files: each gives exact problems, with line and column, and shows no value.
import { afterAll, expect, test } from "bun:test"
import { join } from "node:path"
import { providers } from "../../src/providers/table.ts"
import { configOf, folderWith, load, problemsOf, removeFolders } from "./support.ts"

afterAll(removeFolders)

const secret = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
const shaped = "sk-0a1b2c3d4e5f6071"
const env = { OPENAI_API_KEY: "k-very-secret-0123" }
const good = "- model_id: a\n  provider: ollama\n"
const ids = providers
  .map((row) => row.id)
  .filter((id) => id !== "demo")
  .join(", ")
const known =
  "Known: model_id, model_name, provider, api_base, api_key_name, profile, extra_headers, extra_body, temperature, top_p, " +
  "reasoning_effort, overrides, max_tokens, max_input_tokens, context, vision, can_stream, direct, dialect, reasoning, " +
  "fallbacks, input_cost_per_token, output_cost_per_token, cache_read_cost_per_token, cache_write_cost_per_token, " +
  "input_cost_per_million_tokens, output_cost_per_million_tokens, cache_read_cost_per_million_tokens, " +
  "cache_write_cost_per_million_tokens."
const endless = "is an alias (*name) of what it stands in, and has no end: write out what you mean."
const noKey = "the id of a provider looks like a key: give it a short name, like relay."
const bomb = [
  "- model_id: a",
  "  provider: ollama",
  "  extra_body:",
  "    a: &a [x, x, x, x, x, x, x, x, x, x]",
  "    b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]",
  "    c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]",
  "    d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]",
  "    e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]",
].join("\n")
const wantsTokens = "must be a whole number of 1 or more, or one like 128k, which is 131072."
const staysOut =
  "looks like a key: the key itself stays out of this file: give the name of the variable that holds it, " +
  "like RELAY_API_KEY."

test.each<[string, string, readonly string[]]>([
  // The form of the file.
  ["a text", "hello", ["1:1: the file must hold a list of models: put a dash before each."]],
  [
    "a model without a list",
    "model_id: a\nprovider: ollama",
    [
      "1:1: model_id belongs to a model: make a list of the models, with a dash before each.",
      "2:1: provider belongs to a model: make a list of the models, with a dash before each.",
    ],
  ],
  ["a misspelt section", "modles: []", ["1:1: modles is not a section of this file. Did you mean models?"]],
  [
    "models that are no list",
    "models: {a: b}",
    ["1:9: models must hold a list: put a dash before each model."],
  ],
  ["a list of texts", "- just a text", ["1:3: a model must be a mapping, beginning with model_id."]],
  // Keys.
  [
    "a misspelt key in the mapping form",
    "models:\n  - model_id: a\n    api_bse: https://x.example/v1\n    provider: ollama",
    ["3:5: api_bse is not a key of a model. Did you mean api_base?"],
  ],
  [
    "another spelling",
    `${good}  maxTokens: 1`,
    ["3:3: maxTokens is not a key of a model. Did you mean max_tokens?"],
  ],
  [
    "a synonym",
    `${good}  base_url: https://x.example`,
    ["3:3: base_url is not a key of a model. Did you mean api_base?"],
  ],
  ["an unheard-of key", `${good}  colour: red`, [`3:3: colour is not a key of a model. ${known}`]],
  ["a key as key", `${good}  ${shaped}: x`, [`3:3: this is not a key of a model. ${known}`]],
  [
    "a key in the file",
    `${good}  api_key: ${shaped}`,
    ["3:3: api_key is not a key of a model. Did you mean api_key_name?"],
  ],
  [
    "a known secret as key",
    `${good}  ? ${env.OPENAI_API_KEY}\n  : x`,
    [`3:5: this is not a key of a model. ${known}`],
  ],
  // Values.
  ["no id", "- provider: ollama", ["1:3: model_id is missing: every model needs one."]],
  [
    "an empty id",
    "- model_id:\n  provider: ollama",
    ["1:12: model_id is empty: give a value or take the line out."],
  ],
  [
    "a number as id",
    "- model_id: 4.5\n  provider: ollama",
    ["1:13: model_id must be a text: put quotes around it."],
  ],
  [
    "a misspelt provider",
    "- model_id: a\n  provider: olama",
    [`2:13: provider must be one of ${ids}: did you mean ollama?`],
  ],
  ["an unknown provider", "- model_id: a\n  provider: somewhere", [`2:13: provider must be one of ${ids}.`]],
  [
    "an unknown provider beside those of the file, of which some are keys or none at all",
    `models: [{model_id: a, provider: somewhere}]\nproviders:\n  relay_2: {api_base: https://a.example}\n` +
      `  ${shaped}: {api_base: https://b.example}\n  ${secret}: {api_base: https://c.example}\n` +
      `  ${secret.toUpperCase()}: {api_base: https://d.example}`,
    [`1:34: provider must be one of ${ids}, relay_2.`, `4:3: ${noKey}`, `5:3: ${noKey}`, `6:3: ${noKey}`],
  ],
  [
    "several wrong values",
    `${good}  max_tokens: many\n  max_input_tokens: 0.5\n  vision: yes\n  input_cost_per_token: -1\n  output_cost_per_token: 0`,
    [
      `3:15: max_tokens ${wantsTokens}`,
      `4:21: max_input_tokens ${wantsTokens}`,
      "5:11: vision must be true or false.",
      "6:25: input_cost_per_token must be a number of US dollars, 0 or more.",
    ],
  ],
  [
    "an address without http",
    "- model_id: a\n  api_base: relay.example/v1",
    ["2:13: api_base is not an http:// or https:// address: write it whole, like https://host.example/v1."],
  ],
  [
    "a password in the address",
    `- model_id: a\n  api_base: https://me:${secret}@relay.example/v1`,
    [
      "2:13: api_base holds a user name or password, which would end up in logs: " +
        "take it out and use api_key_name.",
    ],
  ],
  ["a key for its name", `${good}  api_key_name: ${secret}`, [`3:17: api_key_name ${staysOut}`]],
  [
    "a key with a prefix for its name",
    `${good}  api_key_name: ${shaped}`,
    [`3:17: api_key_name ${staysOut}`],
  ],
  [
    "a reference for a name",
    `${good}  api_key_name: $RELAY_API_KEY`,
    ["3:17: api_key_name must be the bare name of a variable, like RELAY_API_KEY."],
  ],
  [
    "a setting for a key",
    `${good}  api_key_name: PORT`,
    ["3:17: api_key_name must name a variable that holds a key: PORT is another setting."],
  ],
  [
    "a price for a million as the price of one",
    `${good}  input_cost_per_token: 3\n  output_cost_per_token: 0.01`,
    [
      "3:25: input_cost_per_token is the price of one token: give the price of a million as " +
        "input_cost_per_million_tokens.",
    ],
  ],
  // Sampling, thinking, headers, bodies.
  [
    "sampling out of range",
    `${good}  temperature: 2.5\n  top_p: -1`,
    ["3:16: temperature must be a number from 0 to 2.", "4:10: top_p must be a number from 0 to 1."],
  ],
  [
    "a misspelt effort",
    `${good}  reasoning_effort: hihg`,
    [
      "3:21: reasoning_effort must be one of off, none, minimal, low, medium, high, xhigh, max: did you mean high?",
    ],
  ],
  ["a word for yes or no", `${good}  reasoning: often`, ["3:14: reasoning must be true or false."]],
  [
    "headers that are no mapping",
    `${good}  extra_headers: [X-Title]`,
    ["3:18: extra_headers must be a mapping of header names, each with a text."],
  ],
  [
    "a number in a header",
    `${good}  extra_headers:\n    X-Version: 2`,
    ["4:16: extra_headers.X-Version must be a text: put quotes around it."],
  ],
  [
    "headers that nobody may set, or can",
    `${good}  extra_headers:\n    Host: a\n    x title: b\n    ${shaped}!?: c\n    accept-encoding: gzip`,
    [
      "4:5: extra_headers.Host is set by the proxy itself: take it out.",
      "5:5: a key of extra_headers is no name of a header, like X-Title.",
      "6:5: a key of extra_headers is no name of a header, like X-Title.",
      "7:5: extra_headers.accept-encoding is set by the proxy itself: take it out.",
    ],
  ],
  [
    "a line break in a header",
    `${good}  extra_headers: {X-Title: "a\\nb"}`,
    ["3:28: extra_headers.X-Title holds what no header can carry."],
  ],
  [
    "what the proxy writes itself",
    `${good}  extra_body: {stream: true, seed: 1}`,
    ["3:16: extra_body.stream is set by the proxy itself: take it out."],
  ],
  [
    "a body that is no mapping",
    `${good}  extra_body: seed`,
    ["3:15: extra_body must be a mapping of fields of the request."],
  ],
  ["a body without an end", `${good}  extra_body: &b {x: *b}`, [`3:22: extra_body.x ${endless}`]],
  [
    "an endless part of a body, and of overrides",
    `${good}  extra_body: {a: &a [1, {b: *a}]}\n- model_id: b\n  provider: ollama\n  overrides: {extra_body: &c {d: {e: *c}}}`,
    [`3:30: extra_body.a[1].b ${endless}`, `6:38: overrides.extra_body.d.e ${endless}`],
  ],
  [
    "numbers that JSON does not have",
    `${good}  extra_body: {seed: .inf, list: [1, .nan]}`,
    ["3:22: extra_body.seed must be a number, and not .inf or .nan."],
  ],
  [
    "a body without a bottom",
    `${good}  extra_body: {a: ${"[".repeat(70)}1${"]".repeat(70)}}`,
    [`3:82: extra_body.a${"[0]".repeat(63)} is nested too deeply.`],
  ],
  // Rules.
  [
    "a misspelt profile",
    `${good}  profile: deepseak`,
    [`3:12: profile must be one of ${ids}: did you mean deepseek?`],
  ],
  [
    "overrides in another spelling, or misspelt",
    `${good}  overrides:\n    maxTokensField: max_tokens\n    steam_usage: true\n    reasoning:\n      level: {}`,
    [
      "4:5: maxTokensField is not a key of overrides. Did you mean max_tokens_field?",
      "5:5: steam_usage is not a key of overrides. Did you mean stream_usage?",
      "7:7: level is not a key of reasoning. Did you mean levels?",
    ],
  ],
  [
    "words of overrides",
    `${good}  overrides:\n    system_role: dveloper\n    drop: [top_q]\n    tool_choice: {any: always}\n    reasoning: {levels: {low: some}}`,
    [
      "4:18: overrides.system_role must be one of system, developer: did you mean developer?",
      "5:12: overrides.drop[0] must be one of stream_options, max_tokens, max_completion_tokens, temperature, " +
        "top_p, top_k, stop, tools, tool_choice, parallel_tool_calls, parallel_function_calling, tool_stream, " +
        "reasoning_effort, thinking, enable_thinking, thinking_budget, reasoning, chat_template_kwargs, " +
        "response_format, service_tier, prompt_cache_key, store, plugins, enable_search, " +
        "continue_final_message, add_generation_prompt: did you mean top_p?",
      "6:24: overrides.tool_choice.any must be one of required, any, auto.",
      "7:31: overrides.reasoning.levels.low must be one of none, minimal, low, medium, high, xhigh, max, default.",
    ],
  ],
  [
    "numbers, lists and false in overrides",
    `${good}  overrides:\n    max_tools: none\n    drop: top_p\n    clamp: {temperature: [1, 0], top_p: 1}\n    stop_max: -1\n    max_tools_: 1`,
    [
      "4:16: overrides.max_tools must be a whole number of 1 or more, or false for none.",
      "5:11: overrides.drop must be a list of fields of the request: put a dash before each.",
      "6:26: overrides.clamp.temperature begins with the larger of its two numbers: swap them.",
      "6:41: overrides.clamp.top_p must be a list of two numbers, the smallest and the largest.",
      "7:15: overrides.stop_max must be a whole number of 0 or more.",
      "8:5: max_tools_ is not a key of overrides. Did you mean max_tools?",
    ],
  ],
  [
    "overrides left empty",
    `${good}  overrides:`,
    ["3:13: overrides is empty: give a value or take the line out."],
  ],
  // Fallbacks.
  [
    "fallbacks to nowhere and to itself",
    `${good}  fallbacks:\n    - a\n    - somewhere\n    - bb\n- {model_id: b, provider: ollama}`,
    [
      "4:7: fallbacks[0] is the model itself: name another one.",
      "5:7: fallbacks[1] is no model_id of this file.",
      '6:7: fallbacks[2] is no model_id of this file. Did you mean "b"?',
    ],
  ],
  [
    "fallbacks by misspelt names with a prefix",
    `${good}  fallbacks: [custom/a, custom/somewhere, ollama/, ollana/x, openay/b1]\n- {model_id: openai/b1, provider: ollama}`,
    [
      "3:15: fallbacks[0] is the model itself: name another one.",
      "3:25: fallbacks[1] is no model_id of this file.",
      "3:43: fallbacks[2] is no model_id of this file.",
      "3:52: fallbacks[3] is no model_id of this file.",
      '3:62: fallbacks[4] is no model_id of this file. Did you mean "openai/b1"?',
    ],
  ],
  [
    "a fallback that is no list",
    `${good}  fallbacks: a`,
    ["3:14: fallbacks must be a list of model ids: put a dash before each."],
  ],
  [
    "merging",
    "- &x {model_id: a, provider: ollama}\n- <<: *x\n  model_id: b",
    ["2:3: << is not followed here: write out what it would bring."],
  ],
  // What several fields say together.
  [
    "two words for the window that differ",
    `${good}  context: 8k\n  max_input_tokens: 4096`,
    ["3:12: context is the older word for max_input_tokens, and differs from it: take one of the two out."],
  ],
  [
    "an effort of what cannot think",
    `${good}  reasoning: false\n  reasoning_effort: low`,
    ["4:21: reasoning_effort has no effect beside reasoning: false. Take one of the two out."],
  ],
  [
    "keys that overrides repeat",
    `${good}  max_tokens: 1\n  vision: true\n  reasoning: true\n  overrides:\n    vision: false\n    max_output_tokens: 2\n    reasoning: {request: none}`,
    [
      "7:5: overrides.vision says the same as vision: take one of the two out.",
      "8:5: overrides.max_output_tokens says the same as max_tokens: take one of the two out.",
      "9:17: overrides.reasoning.request says the same as reasoning: take one of the two out.",
    ],
  ],
  [
    "what is of no use where requests are passed through",
    "- model_id: a\n  provider: anthropic\n  temperature: 1\n  can_stream: false\n  extra_body: {a: 1}\n  overrides: {headers: {X-A: b}, max_tools: 3}",
    ["3:3: temperature", "4:3: can_stream", "5:3: extra_body", "6:34: overrides.max_tools"].map(
      (place) =>
        `${place} has no effect on what is passed through as it is (Anthropic's own API): take it out.`,
    ),
  ],
  [
    "the same by a word",
    `${good}  direct: true\n  reasoning_effort: low`,
    [
      "4:3: reasoning_effort has no effect on what is passed through as it is (Anthropic's own API): take it out.",
    ],
  ],
  [
    "no address",
    "- model_name: b\n  model_id: a",
    ["1:3: the model needs api_base, the address it is served at, or provider."],
  ],
  [
    "one price of two",
    `${good}  cache_read_cost_per_token: 0\n  output_cost_per_million_tokens: 3`,
    ["1:3: the model has a price, but input_cost_per_token is missing: give it, or take the others out."],
  ],
  ["an id twice", `${good}\n${good}`, ["4:13: model_id is the same as in line 1: give each model its own."]],
  [
    "problems in the order of the file",
    "- model_id: a\n  visoin: true\n- provider: nowhere\n  model_id: b",
    ["2:3: visoin is not a key of a model. Did you mean vision?", `3:13: provider must be one of ${ids}.`],
  ],
  // What is no YAML.
  ["a tab", "- model_id: a\n\tprovider: ollama", ["2:2: a tab stands in the indentation: use spaces."]],
  [
    "a deeper line",
    "- model_id: a\n   provider: ollama",
    [
      "1:13: a value stands here, and then another key: indent the next line like this one, " +
        "or put quotes around the value.",
    ],
  ],
  [
    "a line between",
    "models:\n  - model_id: a\n   provider: ollama",
    ["3:1: the indentation does not fit the lines around it, or a bracket before it is not closed."],
  ],
  ["no space", "- model_id:a\n  provider: ollama", ["1:3: a space is missing behind the colon."]],
  ["no space, last", "- model_id: a\n  provider:ollama", ["2:3: a space is missing behind the colon."]],
  [
    "no space before an address",
    "- model_id: a\n  api_base:https://x.example/v1",
    ["2:3: a space is missing behind the colon."],
  ],
  ["no colon", "- model_id: a\n  provider ollama\n  vision: true", ["2:3: a key has no colon behind it."]],
  [
    "an address alone",
    "- model_id: a\n  https://x.example",
    ["2:3: a colon, a comma, a quote or a bracket is missing here."],
  ],
  [
    "a key twice",
    `${good}  provider: ollama`,
    ["3:3: this key stands twice in the same mapping: take one out."],
  ],
  [
    "an open quote",
    '- model_id: "a\n',
    ["1:13: this quote is not closed: put the same one behind the text."],
  ],
  [
    "an open bracket",
    "- {model_id: a",
    ["1:3: this bracket is not closed: put the other one behind what it holds."],
  ],
  [
    "two documents",
    `${good}---\n${good}`,
    ["3:1: a second document begins here (---): take it out, only one is read."],
  ],
  ["an alias to nothing", "- *a", ["1:3: an alias (*name) needs its anchor (&name) before it."]],
  [
    "an alias before its anchor",
    "- &b {model_id: a, provider: ollama, extra_body: {a: *c}}\n- {extra_body: &c {}}",
    ["1:54: an alias (*name) needs its anchor (&name) before it."],
  ],
  [
    "aliases that would fill the memory",
    bomb,
    [
      "8:13: aliases (*name) stand for too much from here on, more than 1000 times the same: write out what they mean.",
    ],
  ],
  ["a tag", "- !a b", ["1:3: a tag (!name) means nothing here: take it out, or put quotes around the text."]],
  ["a list as key", `${good}  ? [a]\n  : b`, ["3:5: a key must be a plain text."]],
  ["an escape", '- "\\d"', ['1:4: a backslash within "..." must be doubled: or use single quotes.']],
  ["a sign without quotes", "- @a", ["1:3: a text that begins with this sign needs quotes."]],
])("%s", (_, text, expected) => {
  const configDir = folderWith({ "models.yaml": text })
  const problems = problemsOf(load({ env, configDir }))
  expect(problems).toEqual(expected.map((problem) => `${join(configDir, "models.yaml")}:${problem}`))
  const shown = problems.join("\n")
  expect([secret, shaped, env.OPENAI_API_KEY].filter((one) => shown.includes(one))).toEqual([])
})

test("what many models have in common may be said once", () => {
  const models = Array.from(
    { length: 500 },
    (_, index) => `- { model_id: m${index}, provider: ollama, extra_body: *e }`,
  )
  const text = `- { model_id: m, provider: ollama, extra_body: &e { a: 1 } }\n${models.join("\n")}`
  const config = configOf(load({ env, configDir: folderWith({ "models.yaml": text }) }))
  expect(config.models.map(({ delta }) => delta.extraBody)).toEqual(
    Array.from({ length: 501 }, () => ({ a: 1 })),
  )
})

test("of thousands of problems in every section only the first are told", () => {
  const providers = Array.from({ length: 5_000 }, (_, index) => `  p${index}: {api_bse: x}`)
  const text = `models: [{model_id: a, visoin: true, provider: ollama}]\nproviders:\n${providers.join("\n")}`
  const problems = problemsOf(load({ env, configDir: folderWith({ "models.yaml": text }) }))
  expect(problems.length).toBe(51)
  expect(problems.at(-1)).toEndWith("and 4951 more problems from here on.")
}, 30_000)

test("an alias of something else may stand anywhere", () => {
  const body = "{ a: &a { b: [1, null, true] }, c: *a, d: [*a, *a] }"
  const configDir = folderWith({
    "models.yaml": `${good}  extra_body: &e ${body}\n- { model_id: b, provider: ollama, extra_body: *e }`,
  })
  const { models } = configOf(load({ env, configDir }))
  const a = { b: [1, null, true] }
  expect(models.map(({ delta }) => delta.extraBody)).toEqual([
    { a, c: a, d: [a, a] },
    { a, c: a, d: [a, a] },
  ])
})

const many = 20_000
test.each<[string, (index: number) => string, string, number]>([
  ["misspelt keys", (index) => `- {model_id: m${index}, provider: ollama, api_bse: x}`, "51:37", many - 50],
  ["misspelt providers", (index) => `- {model_id: m${index}, provider: olama}`, "51:29", many - 50],
  ["ids twice", () => "- {model_id: m, provider: ollama}", "52:14", many - 51],
  [
    "fallbacks to nowhere, and one more",
    (index) => `- {model_id: m${index}, provider: ollama, fallbacks: [x${index}${index === 3 ? ", y" : ""}]}`,
    "50:49",
    many - 49,
  ],
])(
  "thousands of %s are told in short",
  (_what, line, place, more) => {
    const text = Array.from({ length: many }, (_, index) => line(index)).join("\n")
    const configDir = folderWith({ "models.yaml": text })
    const problems = problemsOf(load({ env, configDir }))
    expect(problems.length).toBe(51)
    expect(problems.at(-1)).toBe(
      `${join(configDir, "models.yaml")}:${place}: and ${more} more problems from here on.`,
    )
  },
  30_000,
)

test("places count from the text, whatever ends its lines and whatever begins it", () => {
  const configDir = folderWith({
    "models.yaml": "\uFEFF- model_id: a\r\n  provider: ollama\r\n  visoin: true",
  })
  expect(problemsOf(load({ env, configDir }))).toEqual([
    `${join(configDir, "models.yaml")}:3:3: visoin is not a key of a model. Did you mean vision?`,
  ])
})

test("a broken file of models is told together with broken settings files, and not with what follows from it", () => {
  const configDir = folderWith({ ".env": 'PORT="1', "models.yaml": "- model_id: a" })
  expect(problemsOf(load({ env: { BIG_MODEL: "a" }, configDir }))).toEqual([
    `PORT (${join(configDir, ".env")}:1) has an opening " and no closing one: correct the line.`,
    `${join(configDir, "models.yaml")}:1:3: the model needs api_base, the address it is served at, or provider.`,
  ])
})
