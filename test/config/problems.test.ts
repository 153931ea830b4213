import { afterAll, expect, test } from "bun:test"
import { join } from "node:path"
import { folderWith, load, problemsOf, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const secret = "very-secret-key-0123456789"
const ok = { OPENAI_API_KEY: secret }
const whole = "is not an http:// or https:// address: write it whole, like https://host.example/v1."

test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
  [
    "a port with letters",
    { ...ok, PORT: "8082abc" },
    ['PORT (environment) is "8082abc": give a whole number from 0 to 65535.'],
  ],
  [
    "a negative port",
    { ...ok, PORT: "-1" },
    ['PORT (environment) is "-1": give a whole number from 0 to 65535.'],
  ],
  [
    "a port too large",
    { ...ok, PORT: "65536" },
    ['PORT (environment) is "65536": give a whole number from 0 to 65535.'],
  ],
  [
    "a fraction",
    { ...ok, MAX_RETRIES: "1.5" },
    ['MAX_RETRIES (environment) is "1.5": give a whole number of 0 or more.'],
  ],
  [
    "no limit written as zero",
    { ...ok, MAX_TOKENS_LIMIT: "0" },
    ['MAX_TOKENS_LIMIT (environment) is "0": give a whole number of 1 or more.'],
  ],
  [
    "a time limit with a unit",
    { ...ok, REQUEST_TIMEOUT: "300s" },
    ['REQUEST_TIMEOUT (environment) is "300s": give a number of seconds from 0.001 to 2147483.'],
  ],
  [
    "a time limit of nothing",
    { ...ok, REQUEST_TIMEOUT: "0" },
    ['REQUEST_TIMEOUT (environment) is "0": give a number of seconds from 0.001 to 2147483.'],
  ],
  [
    "neither true nor false",
    { ...ok, ENABLE_TOKEN_ESTIMATION: "maybe" },
    ['ENABLE_TOKEN_ESTIMATION (environment) is "maybe": give true or false.'],
  ],
  [
    "an unknown level",
    { ...ok, LOG_LEVEL: "loud" },
    ['LOG_LEVEL (environment) is "loud": give one of DEBUG, INFO, WARNING, ERROR.'],
  ],
  [
    "a name of every object",
    { ...ok, LOG_FORMAT: "constructor" },
    ['LOG_FORMAT (environment) is "constructor": give one of text, json.'],
  ],
  [
    "limits that cross",
    { ...ok, MIN_TOKENS_LIMIT: "200", MAX_TOKENS_LIMIT: "100" },
    [
      "MIN_TOKENS_LIMIT (environment) is 200, above MAX_TOKENS_LIMIT (environment), which is 100: " +
        "raise the one or lower the other.",
    ],
  ],
  [
    "an address in HOST",
    { ...ok, HOST: "http://localhost" },
    ["HOST (environment) is not a host name or an address: leave out http:// and the port (that is PORT)."],
  ],
  [
    "a port in HOST",
    { ...ok, HOST: "localhost:80" },
    ["HOST (environment) is not a host name or an address: leave out http:// and the port (that is PORT)."],
  ],
  [
    "a base URL without http",
    { ...ok, OPENAI_BASE_URL: "localhost:8000/v1" },
    [`OPENAI_BASE_URL (environment) ${whole}`],
  ],
  ["a key as base URL", { ...ok, OPENAI_BASE_URL: secret }, [`OPENAI_BASE_URL (environment) ${whole}`]],
  [
    "a password in the base URL",
    { ...ok, OPENAI_BASE_URL: `https://me:${secret}@host.example/v1` },
    [
      "OPENAI_BASE_URL (environment) holds a user name or password, which would end up in logs: " +
        "take it out and use OPENAI_API_KEY.",
    ],
  ],
  [
    "a key in the place of a number",
    { ...ok, MAX_RETRIES: secret },
    ["MAX_RETRIES (environment) is a text of 26 characters: give a whole number of 0 or more."],
  ],
  [
    "a short key in the place of a number",
    { OPENAI_API_KEY: "hunter2", PORT: "hunter2" },
    ['PORT (environment) is "[redacted]": give a whole number from 0 to 65535.'],
  ],
  [
    "a key with a space",
    { OPENAI_API_KEY: `${secret} copied` },
    ["OPENAI_API_KEY (environment) holds a space or a character no key can have: copy the key again."],
  ],
  [
    "a key with a dash of a word processor",
    { ...ok, ANTHROPIC_API_KEY: `${secret}–1` },
    ["ANTHROPIC_API_KEY (environment) holds a space or a character no key can have: copy the key again."],
  ],
  [
    "a list of no keys",
    { ...ok, ALLOWED_API_KEYS: " , " },
    ["ALLOWED_API_KEYS (environment) holds commas and no key: write one or take the line out."],
  ],
  [
    "a header that cannot be sent",
    { ...ok, CUSTOM_HEADER_X_KEY: `${secret}\nb` },
    ["CUSTOM_HEADER_X_KEY (environment) holds a line break or a character that no header can carry."],
  ],
  [
    "a header without a name",
    { ...ok, CUSTOM_HEADER_: secret },
    ["CUSTOM_HEADER_ (environment) names no header: write CUSTOM_HEADER_X_NAME=value."],
  ],
  [
    "two providers",
    { DEEPSEEK_API_KEY: secret, AZURE_API_KEY: secret },
    [
      "AZURE_API_KEY (environment) and DEEPSEEK_API_KEY (environment) are set, and nothing says which provider " +
        "is the default one: set OPENAI_BASE_URL=https://api.deepseek.com.",
    ],
  ],
  [
    "a key for Azure alone",
    { AZURE_OPENAI_API_KEY: secret },
    [
      "AZURE_OPENAI_API_KEY (environment) is set. Azure OpenAI has no address common to all: " +
        "set OPENAI_BASE_URL to yours, https://NAME.openai.azure.com.",
    ],
  ],
  [
    "a version for Azure alone",
    { ...ok, AZURE_API_VERSION: "2024-10-21" },
    [
      "AZURE_API_VERSION (environment) means Azure. Azure OpenAI has no address common to all: " +
        "set OPENAI_BASE_URL to yours, https://NAME.openai.azure.com.",
    ],
  ],
  [
    "a provider without models of its own",
    { OPENAI_BASE_URL: "http://localhost:11434/v1" },
    ["BIG_MODEL is not set, and Ollama has no model of its own to take: set BIG_MODEL to the model's name."],
  ],
  [
    "a tier at a provider without key",
    { ...ok, SMALL_MODEL: "deepseek/deepseek-v4-flash" },
    [
      'SMALL_MODEL (environment) cannot be reached: model: "deepseek/deepseek-v4-flash" names DeepSeek, but ' +
        "DEEPSEEK_API_KEY is not set on the proxy. Change that, or name another model.",
    ],
  ],
])("%s", (_, env, expected) => {
  const problems = problemsOf(load({ env }))
  expect(problems).toEqual(expected)
  expect(problems.filter((problem) => problem.includes(secret) || problem.includes("hunter2"))).toEqual([])
})

test("a setting in a file is named with file and line, a flag by its own name", () => {
  const folder = folderWith({ ".env": `OPENAI_API_KEY=${secret}\n\nMAX_RETRIES=many` })
  expect(problemsOf(load({ configDir: folder, flags: { PORT: "http", LOG_LEVEL: "loud" } }))).toEqual([
    'PORT (--port) is "http": give a whole number from 0 to 65535.',
    'LOG_LEVEL (--log-level) is "loud": give one of DEBUG, INFO, WARNING, ERROR.',
    `MAX_RETRIES (${join(folder, ".env")}:3) is "many": give a whole number of 0 or more.`,
  ])
})

test("a model of Anthropic's own in the settings needs the key for there", () => {
  const env = { ...ok, MIDDLE_MODEL: "anthropic/claude-sonnet-5" }
  const told =
    'MIDDLE_MODEL (environment) cannot be reached: model: "anthropic/claude-sonnet-5" names Anthropic, but ' +
    "ANTHROPIC_API_KEY is not set on the proxy, or is the clients' (ANTHROPIC_KEY_ROLE). " +
    "Change that, or name another model."
  expect(problemsOf(load({ env }))).toEqual([told])
  const role = { ANTHROPIC_API_KEY: "ant-123456", ANTHROPIC_KEY_ROLE: "client" }
  expect(problemsOf(load({ env: { ...env, ...role } }))).toEqual([told])
  expect(problemsOf(load({ env: { ...env, ANTHROPIC_API_KEY: "ant-123456" } }))).toEqual([])
})

test("of --model, which stands for three settings, it is told once", () => {
  const tiers = (model: string) => ({ BIG_MODEL: model, MIDDLE_MODEL: model, SMALL_MODEL: model })
  expect(problemsOf(load({ env: ok, flags: tiers("deepseek/x") }))).toEqual([
    '--model cannot be reached: model: "deepseek/x" names DeepSeek, but DEEPSEEK_API_KEY is not set on the ' +
      "proxy. Change that, or name another model.",
  ])
  expect(warningsOf(load({ env: ok, flags: tiers("depseek/x") }))).toEqual([
    "--model is sent whole to api.openai.com: depseek/x. Did you mean deepseek/x?",
  ])
})

test.each([
  [
    { BIG_MODEL: "depseek/a/b" },
    ["BIG_MODEL (environment) is sent whole to api.openai.com: depseek/a/b. Did you mean deepseek/a/b?"],
  ],
  [
    { ROUTER_THINK: "x-ai/grok-4" },
    ["ROUTER_THINK (environment) is sent whole to api.openai.com: x-ai/grok-4. Did you mean xai/grok-4?"],
  ],
  [{ BIG_MODEL: "acme/model" }, []],
  [{ BIG_MODEL: "depseek" }, []],
  [{ BIG_MODEL: "mistralai/a", OPENAI_BASE_URL: "https://relay.example/v1" }, []],
  [{ BIG_MODEL: "mistralai/a", OPENAI_BASE_URL: "http://localhost:1234/v1" }, []],
  [{ BIG_MODEL: "mistralai/a", OPENAI_BASE_URL: "http://localhost:11434/v1" }, []],
  [{ BIG_MODEL: "mistralai/a", OPENAI_BASE_URL: "https://api.groq.com/openai/v1" }, []],
])("a provider that is nearly known, where names hold no slash: %j", (env, expected) => {
  expect(warningsOf(load({ env: { ...ok, ...env } }))).toEqual(expected)
})

test.each([{}, { OPENAI_BASE_URL: "https://api.openai.com/v1" }])("no key at all: %j", (env) => {
  const configDir = folderWith()
  expect(problemsOf(load({ env, configDir }))).toEqual([
    `OPENAI_API_KEY is not set: write OPENAI_API_KEY=... into ${join(configDir, ".env")}, or set it in the ` +
      "environment. A provider's own variable (DEEPSEEK_API_KEY) does as well, and a local server needs only " +
      "OPENAI_BASE_URL. To try it without any key: claude-proxy demo.",
  ])
})

test("warnings: several keys, refused headers, a provider's missing key, a misplaced version", () => {
  expect(warningsOf(load({ env: { OPENAI_API_KEY: "key-1,key-2", CUSTOM_HEADER_HOST: "a" } }))).toEqual([
    "CUSTOM_HEADER_HOST (environment) is not sent: Host is set by the proxy itself. Take it out.",
  ])
  expect(warningsOf(load({ env: { OPENAI_BASE_URL: "https://api.deepseek.com" } }))).toEqual([
    "DEEPSEEK_API_KEY is not set: DeepSeek will refuse every request.",
  ])
  const env = { ...ok, OPENAI_BASE_URL: "https://api.deepseek.com", AZURE_API_VERSION: "v", BIG_MODEL: "m" }
  expect(warningsOf(load({ env }))).toEqual([
    "AZURE_API_VERSION (environment) makes api.deepseek.com an Azure upstream, but it is DeepSeek. Take it out.",
  ])
})
