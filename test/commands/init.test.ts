import { afterAll, describe, expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { renderEnvTemplate, type TemplateFacts } from "../../src/commands/init/env-template.ts"
import { type InitOptions, init } from "../../src/commands/init/init.ts"
import type { Config } from "../../src/config/config.ts"
import { settings } from "../../src/config/settings/settings.ts"
import { parseEnvFile } from "../../src/config/sources/env-file.ts"
import type { LoadResult } from "../../src/config/sources/loaded.ts"
import { providers } from "../../src/providers/table.ts"
import { configOf, folderWith, load, removeFolders, warningsOf } from "../config/support.ts"
import { inWorld } from "../support/command-io.ts"

afterAll(removeFolders)

const choices = providers.filter(({ id }) => id !== "demo")
const factsFor = (id: string | undefined): TemplateFacts => ({
  row: choices.find((row) => row.id === id),
  keyInEnvironment: undefined,
  rivals: [],
})

/** Loads the text as the configuration folder's own file. */
function loadText(text: string): LoadResult {
  return load({ configDir: folderWith({ ".env": text }) })
}

/** The template as somebody leaves it who did what its first lines ask for. */
function filled(id: string): string {
  return renderEnvTemplate(factsFor(id))
    .replace(/^(\w+_KEY)=$/m, "$1=k-123456")
    .replace(
      /^OPENAI_BASE_URL=$/m,
      `OPENAI_BASE_URL=${id === "azure" ? "https://n.openai.azure.com" : "http://h/v1"}`,
    )
    .replace(/^BIG_MODEL=$/m, "BIG_MODEL=a-model")
}

const withEverythingOn = (text: string) => text.replace(/^#(?=[A-Z0-9_]+=)/gm, "")

/** Without where the address is written: that is what differs. */
function placeless({ upstream, ...config }: Config) {
  const { addressSetting: _, ...rest } = upstream
  return { ...config, upstream: rest }
}

describe("the text of the file", () => {
  test.each([undefined, ...choices.map(({ id }) => id)])(
    "for %s names every setting once, and can be read",
    (id) => {
      const { entries, issues } = parseEnvFile(withEverythingOn(renderEnvTemplate(factsFor(id))))
      expect(issues).toEqual([])
      expect(entries.map(({ name }) => name).toSorted()).toEqual(settings.map(({ name }) => name).toSorted())
    },
  )

  test("is switched off as a whole where no provider was chosen", () => {
    expect(parseEnvFile(renderEnvTemplate(factsFor(undefined)))).toEqual({ entries: [], issues: [] })
  })

  test.each(choices.map(({ id }) => id))(
    "for %s: with every line switched on, the settings are the same",
    (id) => {
      const asWritten = configOf(loadText(filled(id)))
      const all = loadText(withEverythingOn(filled(id)))
      expect(placeless(configOf(all))).toEqual(placeless(asWritten))
      expect(warningsOf(all).filter((warning) => warning.includes("no effect yet"))).toEqual([])
    },
  )

  test("for no provider: with every line switched on and a key, the settings are the defaults", () => {
    const all = withEverythingOn(renderEnvTemplate(factsFor(undefined)))
    const config = configOf(loadText(all.replace(/^OPENAI_API_KEY=$/m, "OPENAI_API_KEY=k-123456")))
    expect(placeless(config)).toEqual(placeless(configOf(load({ env: { OPENAI_API_KEY: "k-123456" } }))))
  })

  test.each(
    // vLLM and llama.cpp have neither a host nor a port that is theirs alone.
    choices.filter(({ id }) => id !== "vllm" && id !== "llamacpp").map(({ id }) => id),
  )("for %s leads there once it is filled in", (id) => {
    const result = loadText(filled(id))
    const { upstream, tiers } = configOf(result)
    expect(upstream.row.id).toBe(id)
    expect(upstream.apiKeys).toEqual(upstream.row.keyNames.length > 0 ? ["k-123456"] : [])
    const own = upstream.row.id === "generic" ? undefined : upstream.row.tiers?.big
    expect(tiers.big).toBe(own ?? (upstream.row.delta.checksSignatures === true ? "" : "a-model"))
    expect(warningsOf(result)).toEqual([])
  })

  test("has lines that fit a terminal", () => {
    const lines = choices.flatMap(({ id }) => renderEnvTemplate(factsFor(id)).split("\n"))
    expect(lines.filter((line) => line.length > 100)).toEqual([])
  })
})

interface Given extends Partial<InitOptions> {
  readonly env?: Readonly<Record<string, string>>
  /** What the folder holds before. */
  readonly files?: Readonly<Record<string, string>>
}

async function run({ env = {}, files, ...options }: Given) {
  const home = folderWith()
  const folder = join(home, "claude-proxy")
  if (files !== undefined) mkdirSync(folder)
  for (const [name, text] of Object.entries(files ?? {})) writeFileSync(join(folder, name), text)
  return { folder, path: join(folder, ".env"), ...(await runIn(home, options, env)) }
}

async function runIn(
  home: string,
  options: Partial<InitOptions>,
  env: Readonly<Record<string, string>> = {},
) {
  return inWorld({}, (io) =>
    init({ force: false, stdout: false, ...options }, io, { XDG_CONFIG_HOME: home, ...env }),
  )
}

const modeOf = (path: string) => statSync(path).mode & 0o777

describe("writing", () => {
  test("the file and its folder are the user's alone, and the output says what comes next", async () => {
    const { code, out, error, folder, path } = await run({ provider: "deepseek" })
    expect({ code, error }).toEqual({ code: 0, error: "" })
    expect(readFileSync(path, "utf8")).toBe(renderEnvTemplate(factsFor("deepseek")))
    expect([modeOf(path), modeOf(folder)]).toEqual([0o600, 0o700])
    expect(readdirSync(folder)).toEqual([".env"])
    expect(out).toBe(
      `Wrote ${path} for DeepSeek; only you can read it.\n\nNext:\n  1. fill in DEEPSEEK_API_KEY in ${path}\n` +
        "  2. claude-proxy test-connection\n  3. claude-proxy run\n",
    )
  })

  test.each([
    ["azure", "AZURE_OPENAI_API_KEY, OPENAI_BASE_URL, BIG_MODEL"],
    ["Ollama", "BIG_MODEL"],
    ["LM Studio", "BIG_MODEL"],
    ["vllm", "BIG_MODEL"],
    ["Z.ai", "ZAI_API_KEY"],
    ["generic", "OPENAI_BASE_URL, BIG_MODEL"],
    ["anthropic", "ANTHROPIC_API_KEY"],
  ])("for %s there is to fill in: %s", async (provider, names) => {
    const { out, path } = await run({ provider })
    expect(out).toContain(`1. fill in ${names} in ${path}\n`)
  })

  test("a file that is there stays as it is", async () => {
    const { code, out, error, path, folder } = await run({ provider: "kimi", files: { ".env": "A=1" } })
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(error).toStartWith(`claude-proxy: ${path} is there already, and stays as it is.`)
    expect(error).toContain("--force")
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["A=1", [".env"]])
  })

  test("--force keeps the old file, and older copies too", async () => {
    const files = { ".env": "A=2", ".env.bak": "A=1" }
    const { code, out, path, folder } = await run({ provider: "kimi", force: true, files })
    expect(code).toBe(0)
    expect(out).toContain(`The old file is kept as ${path}.bak.2.\n`)
    expect(readdirSync(folder).toSorted()).toEqual([".env", ".env.bak", ".env.bak.2"])
    expect(readFileSync(`${path}.bak`, "utf8")).toBe("A=1")
    expect(readFileSync(`${path}.bak.2`, "utf8")).toBe("A=2")
    expect([modeOf(path), modeOf(`${path}.bak.2`)]).toEqual([0o600, 0o600])
    expect(readFileSync(path, "utf8")).toContain("\nKIMI_API_KEY=\n")
  })

  test("--force without a file there is no different", async () => {
    const { code, out, folder } = await run({ provider: "kimi", force: true })
    expect({ code, kept: out.includes("kept"), files: readdirSync(folder) }).toEqual({
      code: 0,
      kept: false,
      files: [".env"],
    })
  })

  test("a link is followed, never replaced", async () => {
    const home = folderWith()
    const elsewhere = folderWith({ settings: "A=1" })
    mkdirSync(join(home, "claude-proxy"))
    const path = join(home, "claude-proxy", ".env")
    symlinkSync(join(elsewhere, "settings"), path)
    expect((await runIn(home, { provider: "xai" })).code).toBe(1)
    expect((await runIn(home, { provider: "xai", force: true })).code).toBe(0)
    expect(readFileSync(join(elsewhere, "settings"), "utf8")).toContain("\nXAI_API_KEY=\n")
    expect(readFileSync(`${path}.bak`, "utf8")).toBe("A=1")
  })

  test("what cannot be written is said with its reason", async () => {
    const home = folderWith({ "claude-proxy": "a file where the folder should be" })
    const { code, error } = await runIn(home, { provider: "xai" })
    expect(code).toBe(1)
    expect(error).toMatch(/^claude-proxy: cannot write \S+\.env \((ENOTDIR|EEXIST)\): .*--stdout/)
  })

  test("--stdout writes no file", async () => {
    const { code, out, error, folder } = await run({ provider: "groq", stdout: true })
    expect({ code, out, error }).toEqual({ code: 0, out: renderEnvTemplate(factsFor("groq")), error: "" })
    expect(existsSync(folder)).toBe(false)
  })

  test("a folder that is there keeps its mode", async () => {
    const home = folderWith()
    mkdirSync(join(home, "claude-proxy"))
    chmodSync(join(home, "claude-proxy"), 0o755)
    expect((await runIn(home, { provider: "xai" })).code).toBe(0)
    expect(modeOf(join(home, "claude-proxy"))).toBe(0o755)
  })
})

describe("which provider", () => {
  test.each([
    ["deepsek", "Did you mean deepseek?"],
    ["opena", "Did you mean openai?"],
    ["qwen", "Did you mean dashscope?"],
    ["GLM", "Did you mean zhipu or zai?"],
    ["demo", "Providers: openai, azure, deepseek"],
    ["", "Providers: openai, azure, deepseek"],
  ])("%j is none: %s", async (provider, hint) => {
    const { code, out, error, folder } = await run({ provider })
    expect({ code, out, written: existsSync(folder) }).toEqual({ code: 2, out: "", written: false })
    expect(error).toStartWith(`claude-proxy: unknown provider ${JSON.stringify(provider)}.`)
    expect(error).toContain(hint)
    expect(error).toContain("mistral")
  })

  test("without one, that whose key is set; the key stays in the environment", async () => {
    const { out, path } = await run({
      env: { GOOGLE_API_KEY: "k-secret-1", ANTHROPIC_API_KEY: "k-secret-2" },
    })
    const text = readFileSync(path, "utf8")
    expect(out).toContain("for Google Gemini;")
    expect(out).not.toContain("fill in")
    expect(text).toContain("already, as GOOGLE_API_KEY: it need not be written here.\n#GOOGLE_API_KEY=\n")
    expect(text).toContain("\n#GEMINI_API_KEY=\n")
    expect(text + out).not.toContain("k-secret")
  })

  test.each([
    ["no key", {}],
    ["two keys", { DEEPSEEK_API_KEY: "k-1", XAI_API_KEY: "k-2" }],
    ["an address", { OPENAI_API_KEY: "k-1", OPENAI_BASE_URL: "http://h/v1" }],
    ["Anthropic's key, which may be a client's", { ANTHROPIC_API_KEY: "k-1" }],
    ["an empty key", { XAI_API_KEY: " " }],
  ] as const)("with %s in the environment none is chosen", async (_, env) => {
    const { code, out, path } = await run({ env })
    expect(code).toBe(0)
    expect(readFileSync(path, "utf8")).toBe(renderEnvTemplate(factsFor(undefined)))
    expect(out).toContain(`1. choose a provider in ${path} and write its key there\n`)
  })

  test("beside other providers' keys the file says which one is meant", async () => {
    const env = { XAI_API_KEY: "k-1" }
    const { path } = await run({ provider: "deepseek", env })
    const text = readFileSync(path, "utf8")
    expect(text).toContain("\nOPENAI_BASE_URL=https://api.deepseek.com\n")
    const written = text.replace("DEEPSEEK_API_KEY=", "DEEPSEEK_API_KEY=k-2")
    const config = configOf(load({ env, configDir: folderWith({ ".env": written }) }))
    expect([config.upstream.row.id, config.upstream.apiKeys]).toEqual(["deepseek", ["k-2"]])
  })

  test("what the environment says in its place is told", async () => {
    const { out } = await run({ provider: "deepseek", env: { OPENAI_API_KEY: "k-1" } })
    expect(out).toContain("Note: OPENAI_API_KEY is set in the environment, which is stronger than this file")
    expect((await run({ provider: "openai", env: { OPENAI_API_KEY: "k-1" } })).out).not.toContain("Note:")
  })
})
