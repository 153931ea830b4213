// `serve` with a broken configuration, as its user meets it: one clear message with the place of what is wrong,
// exit code 2, no stack trace, and never a secret.

import { expect, test } from "bun:test"
import { mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { runProxy, withFolder } from "../support/proxy.ts"

const canary = "canary-5ecret-0123456789abcdef"
const key = `OPENAI_API_KEY=${canary}`

interface Broken {
  readonly what: string
  /** Files of the folder it is started in. */
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** One for each line that is to be printed, in order; FOLDER stands for the folder. */
  readonly told: readonly RegExp[]
}

const cases: readonly Broken[] = [
  {
    what: "no key at all",
    env: { OLLAMA_HOST: "127.0.0.1:1" },
    told: [/OPENAI_API_KEY is not set: write OPENAI_API_KEY=\.\.\. into .*\.env/],
  },
  {
    what: "two providers' keys",
    env: { DEEPSEEK_API_KEY: canary, XAI_API_KEY: canary },
    told: [/DEEPSEEK_API_KEY \(environment\) and XAI_API_KEY \(environment\) are set.*set OPENAI_BASE_URL=/],
  },
  {
    what: "a port that is a word",
    files: { ".env": `${key}\nPORT=eighty` },
    told: [/PORT \(FOLDER\/\.env:2\) is "eighty": give a whole number from 0 to 65535\./],
  },
  {
    what: "a port out of range",
    env: { PORT: "70000" },
    files: { ".env": key },
    told: [/PORT \(environment\) is "70000"/],
  },
  {
    what: "a level nobody knows",
    files: { ".env": `${key}\nLOG_LEVEL=loud` },
    told: [/LOG_LEVEL \(FOLDER\/\.env:2\) is "loud": give one of DEBUG, INFO, WARNING, ERROR\./],
  },
  {
    what: "an address without a scheme",
    files: { ".env": `${key}\nOPENAI_BASE_URL=api.example/v1` },
    told: [/OPENAI_BASE_URL \(FOLDER\/\.env:2\) is not an http:\/\/ or https:\/\/ address/],
  },
  {
    what: "a password in the address",
    files: { ".env": `OPENAI_BASE_URL=https://user:${canary}@api.example/v1` },
    told: [/OPENAI_BASE_URL \(FOLDER\/\.env:1\) holds a user name or password/],
  },
  {
    what: "a quote that is not closed",
    files: { ".env": `OPENAI_API_KEY="${canary}` },
    told: [/OPENAI_API_KEY \(FOLDER\/\.env:1\) has an opening " and no closing one: correct the line\./],
  },
  {
    what: "a key with a space in it",
    files: { ".env": `OPENAI_API_KEY=${canary} more` },
    told: [/OPENAI_API_KEY \(FOLDER\/\.env:1\) holds a space or a character no key can have/],
  },
  {
    what: "a file in the home folder, where no shell has said which that is",
    args: ["--env=~/none.env"],
    env: { OPENAI_API_KEY: canary },
    told: [/--env: [^~]+none\.env does not exist: give the path of a file with NAME=value lines\./],
  },
  {
    what: "a --env file that is not there",
    args: ["--env", "none.env"],
    env: { OPENAI_API_KEY: canary },
    told: [/--env: none\.env does not exist: give the path of a file with NAME=value lines\./],
  },
  {
    what: "limits that exclude each other",
    files: { ".env": `${key}\nMIN_TOKENS_LIMIT=5000\nMAX_TOKENS_LIMIT=4000` },
    told: [
      /MIN_TOKENS_LIMIT \(FOLDER\/\.env:2\) is 5000, above MAX_TOKENS_LIMIT \(FOLDER\/\.env:3\), which is 4000/,
    ],
  },
  {
    what: "one price without the other",
    files: { ".env": `${key}\nDEFAULT_INPUT_COST_PER_TOKEN=0.000001` },
    told: [
      /DEFAULT_INPUT_COST_PER_TOKEN \(FOLDER\/\.env:2\) is set and DEFAULT_OUTPUT_COST_PER_TOKEN is not/,
    ],
  },
  {
    what: "a threshold with a unit nobody knows",
    files: { ".env": `${key}\nROUTER_LONG_CONTEXT=gpt-4.1\nLONG_CONTEXT_THRESHOLD=1MB` },
    told: [/LONG_CONTEXT_THRESHOLD \(FOLDER\/\.env:3\) is "1MB": give a whole number/],
  },
  {
    what: "a tier at a provider without a key",
    files: { ".env": `${key}\nBIG_MODEL=deepseek/deepseek-v4-pro` },
    told: [/BIG_MODEL \(FOLDER\/\.env:2\) cannot be reached:.*DEEPSEEK_API_KEY is not set/],
  },
  {
    what: "a route to a provider without a key",
    files: { ".env": `${key}\nROUTER_THINK=xai/grok-4` },
    told: [/ROUTER_THINK \(FOLDER\/\.env:2\) cannot be reached:.*XAI_API_KEY is not set/],
  },
  {
    what: "no model to take",
    files: { ".env": "OPENAI_BASE_URL=http://localhost:11434/v1" },
    told: [/BIG_MODEL is not set, and Ollama has no model of its own to take/],
  },
  {
    what: "a models.yaml that is no YAML",
    files: { ".env": key, "models.yaml": "- model_id: a\n\t api_base: b" },
    told: [/FOLDER\/models\.yaml:2:\d+: a tab stands in the indentation: use spaces\./],
  },
  {
    what: "a misspelt key in models.yaml",
    files: { ".env": key, "models.yaml": "- model_id: a\n  api_baze: https://a.example/v1\n  provider: xai" },
    told: [/FOLDER\/models\.yaml:2:3: api_baze is not a key of a model\. Did you mean api_base\?/],
  },
  {
    what: "a key in place of its variable's name",
    files: {
      ".env": key,
      "models.yaml": `- model_id: a\n  api_base: https://a.example/v1\n  api_key_name: sk-${canary}`,
    },
    told: [/FOLDER\/models\.yaml:3:17: api_key_name looks like a key/],
  },
  {
    what: "a model without an address",
    files: { ".env": key, "models.yaml": "models:\n  - model_id: a" },
    told: [/FOLDER\/models\.yaml:2:5: the model needs api_base/],
  },
  {
    what: "a section nobody knows",
    files: { ".env": key, "models.yaml": "modles:\n  - model_id: a\n    provider: xai" },
    told: [/FOLDER\/models\.yaml:1:1: modles is not a section of this file\. Did you mean models\?/],
  },
  {
    what: "a router with a wrong slot",
    files: { ".env": key, "models.yaml": "router:\n  defualt: gpt-4.1" },
    told: [/FOLDER\/models\.yaml:2:3: defualt is not .* Did you mean default\?/],
  },
  {
    what: "a proxy that is no address",
    files: { ".env": `${key}\nHTTPS_PROXY=my proxy` },
    told: [/HTTPS_PROXY \(FOLDER\/\.env:2\)/],
  },
  {
    what: "certificates that are not there",
    files: { ".env": `${key}\nNODE_EXTRA_CA_CERTS=none.pem` },
    told: [/NODE_EXTRA_CA_CERTS \(FOLDER\/\.env:2\)/],
  },
  {
    what: "a models file that is not there",
    files: { ".env": `${key}\nCUSTOM_MODELS_FILE=none.yaml` },
    told: [/CUSTOM_MODELS_FILE \(FOLDER\/\.env:2\): FOLDER\/none\.yaml does not exist/],
  },
  {
    what: "three things at once: all of them",
    files: { ".env": `${key}\nPORT=x\nMAX_RETRIES=-1\nPROMPT_TUNING=maybe` },
    told: [
      /PORT \(FOLDER\/\.env:2\)/,
      /PROMPT_TUNING \(FOLDER\/\.env:4\) is "maybe": give one of off, auto\./,
      /MAX_RETRIES \(FOLDER\/\.env:3\)/,
    ],
  },
]

test.each(cases)("$what", async ({ files = {}, env = {}, args = [], told }) => {
  await withFolder(async (folder) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await Bun.write(join(folder, name), text)
    }
    const ended = await runProxy(["serve", ...args], { cwd: folder, env })
    const output = ended.stdout + ended.stderr
    const lines = ended.stderr.trimEnd().split("\n")
    expect([ended.exitCode, ended.stdout, lines.length]).toEqual([2, "", told.length])
    for (const [index, expected] of told.entries()) {
      expect(lines[index]?.replaceAll(folder, "FOLDER")).toMatch(
        new RegExp(`^claude-proxy: ${expected.source}`),
      )
    }
    expect(output).not.toContain(canary)
    expect(output).not.toMatch(/^\s+at |node_modules|\.ts:\d/m)
  })
})
