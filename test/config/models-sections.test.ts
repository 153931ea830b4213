// Mistakes in the sections of models.yaml: each gives exact problems, with line and column, and shows no value.
import { afterAll, expect, test } from "bun:test"
import { join } from "node:path"
import { providers } from "../../src/providers/table.ts"
import { folderWith, load, problemsOf, removeFolders } from "./support.ts"

afterAll(removeFolders)

const secret = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
const ids = providers.flatMap(({ id }) => (id === "demo" ? [] : [id])).join(", ")
const providerKeys =
  "Known: api_base, api_key_name, profile, extra_headers, extra_body, temperature, top_p, reasoning_effort, " +
  "overrides, proxy."
const idForm =
  "the id of a provider has small letters, digits, dashes and underscores only, and begins with a letter or a digit."
const nameForm =
  "must be up to 64 letters, digits, dots, underscores or dashes, beginning with a letter or a digit"

test.each<[string, string, readonly string[]]>([
  // Sections of other programs.
  [
    "sections that are set elsewhere",
    "server: {port: 1}\nlogging: {level: x}\nmonitoring: {}\nvllm: {endpoint: x}\nredis: {}",
    [
      "1:1: server is not a section of this file: set HOST and PORT in .env, or give --host and --port.",
      "2:1: logging is not a section of this file: set LOG_LEVEL, LOG_FORMAT and LOG_FILE_PATH in .env.",
      "3:1: monitoring is not a section of this file: there is nothing to set, as /metrics and /health are always there.",
      "4:1: vllm is not a section of this file: make a model with provider: vllm, and with api_base where it is not " +
        "http://localhost:8000/v1.",
      "5:1: redis is not a section of this file: set REDIS_URL in .env, or redis_url in the section cache.",
    ],
  ],
  ["another spelling", "Router: {}", ["1:1: Router is not a section of this file. Did you mean router?"]],
  [
    "an unheard-of section",
    "plugins: []",
    [
      "1:1: plugins is not a section of this file. Known: models, providers, router, tiers, auth, cache, instances, " +
        "openai, deepseek.",
    ],
  ],
  [
    "a key as section",
    `sk-${secret}: 1`,
    [
      "1:1: this is not a section of this file. Known: models, providers, router, tiers, auth, cache, instances, openai, deepseek.",
    ],
  ],
  // providers
  [
    "providers as a list",
    "providers:\n  - name: a",
    [
      "2:3: providers must be a mapping: the provider's id, a colon, and what is said of it in the lines below.",
    ],
  ],
  [
    "a provider without anything",
    "providers:\n  ollama:",
    ["2:10: a provider is empty: give a value or take the line out."],
  ],
  ["a provider that is a text", "providers:\n  a: https://a.example", ["2:6: a provider must be a mapping."]],
  [
    "ids that mean something else",
    "providers:\n  custom: {api_base: https://a.example}\n  generic: {}\n  demo: {}",
    ["custom", "generic", "demo"].map(
      (id, index) => `${index + 2}:3: ${id} has a meaning of its own: give the provider another id.`,
    ),
  ],
  [
    "ids of another form",
    `providers:\n  My-Relay: {api_base: https://a.example}\n  -a: {api_base: https://a.example}`,
    [`2:3: ${idForm}`, `3:3: ${idForm}`],
  ],
  [
    "a new provider without address, and a misspelt one",
    "providers:\n  relay: {temperature: 1}\n  openruoter: {temperature: 1}",
    [
      "2:10: the provider needs api_base, the address it is served at: it is none of those that are known.",
      "3:15: the provider needs api_base, the address it is served at: it is none of those that are known. Did " +
        "you mean openrouter?",
    ],
  ],
  [
    "keys of a provider",
    "providers:\n  relay:\n    base_url: https://a.example\n    api_key: x\n    vision: true",
    [
      "3:5: base_url is not a key of a provider. Did you mean api_base?",
      "4:5: api_key is not a key of a provider. Did you mean api_key_name?",
      `5:5: vision is not a key of a provider. ${providerKeys}`,
    ],
  ],
  [
    "values of a provider",
    `providers:\n  relay:\n    api_base: relay.example\n    api_key_name: ${secret}\n    profile: opnai\n    proxy: true\n    temperature: warm`,
    [
      "3:15: api_base is not an http:// or https:// address: write it whole, like https://host.example/v1.",
      "4:19: api_key_name looks like a key: the key itself stays out of this file: give the name of the variable " +
        "that holds it, like RELAY_API_KEY.",
      `5:14: profile must be one of ${ids}: did you mean openai?`,
      "6:12: proxy must be the address of an HTTP proxy, like http://proxy.example:3128, or false.",
      "7:18: temperature must be a number from 0 to 2.",
    ],
  ],
  [
    "a body twice",
    "providers:\n  groq:\n    extra_body: {a: 1}\n    overrides: {extra_body: {b: 1}}",
    ["4:17: overrides.extra_body says the same as extra_body: take one of the two out."],
  ],
  [
    "what is of no use at Anthropic itself",
    "providers:\n  anthropic: {top_p: 1}",
    ["2:15: top_p has no effect on what is passed through as it is (Anthropic's own API): take it out."],
  ],
  // tiers and router
  ["tiers that are a list", "tiers: [a]", ["1:8: tiers must be a mapping."]],
  [
    "keys of tiers",
    "tiers:\n  large: a\n  haiku: b\n  big: 4",
    [
      "2:3: large is not a key of tiers. Known: big, middle, small.",
      "3:3: haiku is not a key of tiers. Did you mean small?",
      "4:8: big must be a text: put quotes around it.",
    ],
  ],
  [
    "keys and values of router",
    "router:\n  longContext: a\n  thinking: a\n  default:\n  long_context_threshold: 1m",
    [
      "2:3: longContext is not a key of router. Did you mean long_context?",
      "3:3: thinking is not a key of router. Did you mean think?",
      "4:11: default is empty: give a value or take the line out.",
      "5:27: long_context_threshold must be a whole number of 1 or more, or one like 128k, which is 131072.",
    ],
  ],
  // auth
  [
    "keys of auth",
    "auth:\n  require_api_keys: true\n  keys: [a]\n  rpm: 3",
    [
      "2:3: require_api_keys is not a key of auth. Did you mean require_api_key?",
      "3:3: keys is not a key of auth. Did you mean allowed_keys?",
      "4:3: rpm is not a key of auth. Did you mean rate_limit_requests_per_minute?",
    ],
  ],
  [
    "values of auth",
    `auth:\n  require_api_key: "yes"\n  allowed_keys: ${secret}\n  rate_limit: many\n  rate_limit_requests_per_minute: 0`,
    [
      "2:20: require_api_key must be true or false.",
      "3:17: allowed_keys must be a list of texts: put a dash before each.",
      "4:15: rate_limit must be true, false, or a whole number of requests a minute.",
      "5:35: rate_limit_requests_per_minute must be a whole number of 1 or more.",
    ],
  ],
  [
    "keys for clients",
    `auth:\n  api_keys:\n    - 1234\n    - "${secret} "\n    - ${secret},b\n    - a b\n    - \${SOME_KEY}\n    -`,
    [
      "3:7: api_keys[0] must be a text: put quotes around it.",
      "5:7: api_keys[2] holds a comma: give each key a line of its own.",
      "6:7: api_keys[3] holds a space or a character no key can have: copy the key again.",
      "7:7: api_keys[4] names a variable, which is not followed here: set it in .env instead.",
      "8:6: api_keys[5] is empty: give a value or take the line out.",
    ],
  ],
  [
    "two words for the keys, and two limits",
    "auth:\n  allowed_keys: [a]\n  api_keys: [b]\n  rate_limit: 5\n  rate_limit_requests_per_minute: 6",
    [
      "3:3: api_keys says the same as allowed_keys: take one of the two out.",
      "4:15: rate_limit and rate_limit_requests_per_minute differ: take one of the two out.",
    ],
  ],
  // cache
  [
    "keys and values of cache",
    "cache:\n  enable: true\n  enabled: 1\n  ttl: -1\n  max_bytes: 1.5\n  redis_url: localhost:6379",
    [
      "2:3: enable is not a key of cache. Did you mean enabled?",
      "3:12: enabled must be true or false.",
      "4:8: ttl must be a number of seconds from 0 to 2147483.",
      "5:14: max_bytes must be a whole number of bytes, 0 or more.",
      "6:14: redis_url must be an address that begins with redis:// or rediss://.",
    ],
  ],
  [
    "two words for the lifetime",
    "cache: {ttl: 1, default_ttl: 2}",
    ["1:17: default_ttl says the same as ttl: take one of the two out."],
  ],
  // openai and deepseek
  [
    "keys and values of openai",
    `openai:\n  api_base: https://a.example\n  base_url: https://me:${secret}@a.example\n  api_key: "${secret} x"\n  timeout: soon\n  max_retries: 0.5`,
    [
      "2:3: api_base is not a key of openai. Did you mean base_url?",
      "3:13: base_url holds a user name or password, which would end up in logs: take it out and use api_key.",
      "4:12: api_key holds a space or a character no key can have: copy the key again.",
      "5:12: timeout must be a number of seconds from 0.001 to 2147483.",
      "6:16: max_retries must be a whole number of 0 or more.",
    ],
  ],
  [
    "keys and values of deepseek",
    "deepseek:\n  model: a\n  default_thinking: sometimes\n  max_tokens: 0\n  temperature: 3\n  top_p: 2",
    [
      "2:3: model is not a key of deepseek. Did you mean model_name?",
      "3:21: default_thinking must be true, false or auto.",
      "4:15: max_tokens must be a whole number of 1 or more, or one like 128k, which is 131072.",
      "5:16: temperature must be a number from 0 to 2.",
      "6:10: top_p must be a number from 0 to 1.",
    ],
  ],
  // instances
  [
    "instances that are a number",
    "instances: 2",
    ["1:12: instances must be a list: put a dash before each instance."],
  ],
  [
    "keys and values of instances",
    "instances:\n  - name: a\n    prot: 1\n  - {name: b c, port: 70000}\n  - {name: ../x, port: 8083}\n  - {port: 8084}\n  - 5",
    [
      "2:5: port is missing: give one.",
      "3:5: prot is not a key of an instance. Did you mean port?",
      `4:12: name ${nameForm}.`,
      "4:23: port must be a whole number from 1 to 65535.",
      `5:12: name ${nameForm}.`,
      "6:5: name is missing: give one.",
      "7:5: an instance must be a mapping.",
    ],
  ],
  [
    "instances as texts",
    'instances:\n  - 8081:.env\n  - "0:.env:a"\n  - "8081:.env:"\n  - "8081:.env:nul"',
    [
      "2:5: an instance must be PORT:FILE:NAME, like 8081:.env-kimi:Kimi-K2.",
      "3:5: an instance needs a port from 1 to 65535 before the first colon.",
      `4:5: an instance needs a name behind the last colon: it ${nameForm}.`,
      "5:5: an instance needs a name behind the last colon: it means a device on Windows: choose another.",
    ],
  ],
  [
    "instances by name",
    "instances:\n  bad name: {port: 1}\n  a: {prot: 2}\n  b:",
    [
      `2:3: the name of an instance ${nameForm}.`,
      "3:6: port is missing: give one.",
      "3:7: prot is not a key of an instance. Did you mean port?",
      "4:5: an instance is empty: give a value or take the line out.",
    ],
  ],
  [
    "names and ports twice",
    "instances:\n  - {name: Kimi, port: 1}\n  - {name: kimi, port: 1}\n  - 1::glm\n  - 2::KIMI",
    [
      "3:12: name is the same as in line 2: give each instance its own.",
      "3:24: port is the same as in line 2: give each instance its own.",
      "4:5: port is the same as in line 2: give each instance its own.",
      "5:5: name is the same as in line 2: give each instance its own.",
    ],
  ],
  // All together.
  [
    "mistakes of every section, in the order of the file",
    "tiers: {bg: a}\nmodels:\n  - {model_id: a, provider: relay}\n  - {model_id: b, provider: ollam}\nproviders:\n  relay: {api_base: https://a.example, colour: red}",
    [
      "1:9: bg is not a key of tiers. Did you mean big?",
      `4:29: provider must be one of ${ids}, relay: did you mean ollama?`,
      `6:40: colour is not a key of a provider. ${providerKeys}`,
    ],
  ],
])("%s", (_, text, expected) => {
  const configDir = folderWith({ "models.yaml": text })
  const problems = problemsOf(load({ env: { OPENAI_API_KEY: "k-very-secret" }, configDir }))
  expect(problems).toEqual(expected.map((problem) => `${join(configDir, "models.yaml")}:${problem}`))
  expect(problems.join("\n").includes(secret)).toBe(false)
})

test.each(["models", "providers", "router", "tiers", "auth", "cache", "instances", "openai", "deepseek"])(
  "the section %s may be empty",
  (section) => {
    const configDir = folderWith({ "models.yaml": `${section}:\n  # nothing yet\n` })
    expect(problemsOf(load({ env: { OPENAI_API_KEY: "k-123456" }, configDir }))).toEqual([])
  },
)

test("names that every object has are keys like any other", () => {
  const text = "constructor: 1\ntiers: {toString: a}\nproviders: {__proto__: {api_base: https://a.example}}\n"
  const configDir = folderWith({ "models.yaml": text })
  expect(problemsOf(load({ env: { OPENAI_API_KEY: "k-123456" }, configDir }))).toEqual(
    [
      "1:1: constructor is not a section of this file. Known: models, providers, router, tiers, auth, cache, instances, openai, deepseek.",
      "2:9: toString is not a key of tiers. Known: big, middle, small.",
      `3:13: ${idForm}`,
    ].map((problem) => `${join(configDir, "models.yaml")}:${problem}`),
  )
})
