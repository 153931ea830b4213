// `init`: a commented .env to begin with. It never costs anybody a file they had.
import { homedir } from "node:os"
import { join } from "node:path"
import { configFolder } from "../../config/load/disk.ts"
import { plainName } from "../../config/settings/near-names.ts"
import { normaliseValue } from "../../config/sources/env-file.ts"
import { lookUp } from "../../protocol/json.ts"
import type { ProviderRow } from "../../providers/row.ts"
import { providers } from "../../providers/table.ts"
import { nearest } from "../command-line/arguments.ts"
import { createColors } from "../terminal/colors.ts"
import { type CommandIo, type Environment, fail, say } from "../terminal/io.ts"
import { linesToFill, renderEnvTemplate, type TemplateFacts } from "./env-template.ts"
import { writePrivate } from "./write-private.ts"

export interface InitOptions {
  readonly provider?: string | undefined
  readonly force: boolean
  /** Print the text, write nothing. */
  readonly stdout: boolean
}

/** Writes the .env of the configuration folder; 1 when it is there already or cannot be written, 2 for an unknown provider. */
export async function init(options: InitOptions, io: CommandIo, env: Environment): Promise<number> {
  const { provider: word } = options
  const row = word === undefined ? rowOfEnvironment(env) : findRow(word)
  if (word !== undefined && row === undefined) return fail(io, unknownProvider(word), 2)
  const facts = factsOf(row, env)
  const text = renderEnvTemplate(facts)
  if (options.stdout) {
    io.out(text)
    return 0
  }
  const path = join(configFolder(env, process.platform, homedir()), ".env")
  const written = writePrivate(path, text, options.force)
  switch (written.kind) {
    case "written":
      io.out(renderWritten(path, written.backup, facts, env, io.color))
      return 0
    case "exists":
      say(
        io,
        `${path} is there already, and stays as it is. Edit it, or begin again with --force (the old file is kept as .env.bak); --stdout shows the text without writing it.`,
      )
      return 1
    case "failed":
      say(
        io,
        `cannot write ${path} (${written.why}): correct that, or write the text elsewhere with --stdout and name the file with --env.`,
      )
      return 1
    default:
      return written satisfies never
  }
}

/** Rows one can choose: the built-in upstream needs no settings. */
const choices = providers.filter((row) => row.id !== "demo")

function findRow(word: string): ProviderRow | undefined {
  return choices.find((row) => [row.id, row.name].map(plainName).includes(plainName(word)))
}

// Makers, models and companies that people know a provider by.
const otherWords: Readonly<Record<string, string>> = {
  glm: "zhipu or zai",
  bigmodel: "zhipu",
  qwen: "dashscope",
  alibaba: "dashscope",
  aliyun: "dashscope",
  doubao: "ark",
  volcengine: "ark",
  google: "gemini",
  grok: "xai",
  claude: "anthropic",
  github: "copilot",
  llama: "ollama or llamacpp",
  custom: "generic",
  other: "generic",
}

function unknownProvider(word: string): string {
  const ids = choices.map((row) => row.id)
  const known = plainName(word)
  const meant = lookUp(otherWords, known) ?? nearest(word, ids)
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`
  return `unknown provider ${JSON.stringify(word)}.${hint}\nProviders: ${ids.join(", ")} (generic: any other server).`
}

const isSet = (env: Environment) => (name: string) => normaliseValue(env[name] ?? "") !== ""

/** Anthropic's key is more likely a client's, and a key without a host says nothing of the provider. */
function keyedRows(env: Environment): readonly ProviderRow[] {
  return choices.filter(
    ({ delta, baseUrl, relay, keyNames }) =>
      delta.dialect !== "messages" && !(baseUrl === null && relay === true) && keyNames.some(isSet(env)),
  )
}

/** The only provider whose key is set, where no address says that requests go elsewhere. */
function rowOfEnvironment(env: Environment): ProviderRow | undefined {
  if (isSet(env)("OPENAI_BASE_URL")) return undefined
  const [only, ...more] = keyedRows(env)
  return more.length === 0 ? only : undefined
}

function factsOf(row: ProviderRow | undefined, env: Environment): TemplateFacts {
  if (row === undefined) return { row, keyInEnvironment: undefined, rivals: [] }
  const others = keyedRows(env).filter(({ id }) => id !== row.id)
  const names = others.flatMap(({ keyNames }) => keyNames.filter(isSet(env)))
  return {
    row,
    keyInEnvironment: row.keyNames.find(isSet(env)),
    rivals: names.filter((name) => !row.keyNames.includes(name)),
  }
}

function renderWritten(
  path: string,
  backup: string | undefined,
  facts: TemplateFacts,
  env: Environment,
  color: boolean,
): string {
  const { bold } = createColors(color)
  const whom = facts.row === undefined ? "" : ` for ${facts.row.name}`
  const kept = backup === undefined ? [] : [`The old file is kept as ${backup}.`]
  const steps = [...firstStep(path, facts), "claude-proxy test-connection", "claude-proxy run"]
  const lines = [
    `Wrote ${bold(path)}${whom}; only you can read it.`,
    ...kept,
    ...stronger(facts, env),
    "",
    "Next:",
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
  ]
  return `${lines.join("\n")}\n`
}

function firstStep(path: string, facts: TemplateFacts): readonly string[] {
  if (facts.row === undefined) return [`choose a provider in ${path} and write its key there`]
  const names = linesToFill(facts)
  return names.length === 0 ? [] : [`fill in ${names.join(", ")} in ${path}`]
}

/** What the environment says in place of the file, and whoever writes a key into the file would not expect. */
function stronger({ row }: TemplateFacts, env: Environment): readonly string[] {
  if (row === undefined) return []
  const names = ["OPENAI_BASE_URL", "OPENAI_API_KEY"].filter(
    (name) => isSet(env)(name) && !row.keyNames.includes(name),
  )
  return names.map(
    (name) => `Note: ${name} is set in the environment, which is stronger than this file: unset it there.`,
  )
}
