import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { configFolder } from "../../src/config/load/disk.ts"
import { configFrom, configOf, folderWith, load, problemsOf, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const key = "k-0123456789"

describe("the order of sources", () => {
  const all = ["flag", "--env file", "environment", "./.env", "folder"] as const
  test.each(all.map((strongest, index) => [strongest, index] as const))(
    "%s wins over what follows",
    (_, from) => {
      const has = (source: (typeof all)[number]) => all.indexOf(source) >= from
      const folder = folderWith({
        named: has("--env file") ? "PORT=2" : "PORT=",
        local: has("./.env") ? "PORT=4" : "",
        ".env": `PORT=5\nOPENAI_API_KEY=${key}`,
      })
      const result = load({
        flags: { PORT: has("flag") ? "1" : "" },
        envFile: join(folder, "named"),
        env: { PORT: has("environment") ? "3" : "  " },
        localDotEnv: join(folder, "local"),
        configDir: folder,
      })
      expect(configOf(result).port).toBe(from + 1)
    },
  )

  test("where each setting came from is described, without its value", () => {
    const folder = folderWith({ ".env": `# mine\nOPENAI_API_KEY=${key}\nOTHER=1\n` })
    const result = load({ configDir: folder, flags: { PORT: "0" }, env: { BIG_MODEL: "m" } })
    expect(result.ok && result.described).toEqual({
      files: [join(folder, ".env")],
      origins: { PORT: "--port", BIG_MODEL: "environment", OPENAI_API_KEY: `${join(folder, ".env")}:2` },
      infos: [],
    })
  })

  test("the last of two lines with the same name counts", () => {
    const folder = folderWith({ ".env": `OPENAI_API_KEY=${key}\nPORT=1\nPORT=2` })
    expect(configOf(load({ configDir: folder })).port).toBe(2)
  })

  test("a file named with --env must exist; the others need not", () => {
    const folder = folderWith()
    expect(problemsOf(load({ envFile: join(folder, "none"), env: { OPENAI_API_KEY: key } }))).toEqual([
      `--env: ${join(folder, "none")} does not exist: give the path of a file with NAME=value lines.`,
    ])
    expect(warningsOf(load({ localDotEnv: join(folder, "none"), env: { OPENAI_API_KEY: key } }))).toEqual([])
  })

  test("a folder in place of a file is a problem when named, else a warning", () => {
    const folder = folderWith()
    expect(problemsOf(load({ envFile: folder, env: { OPENAI_API_KEY: key } }))).toEqual([
      `--env: ${folder} cannot be read (EISDIR): give the path of a file with NAME=value lines.`,
    ])
    expect(warningsOf(load({ localDotEnv: folder, env: { OPENAI_API_KEY: key } }))).toEqual([
      `${folder} cannot be read (EISDIR): its settings are not used.`,
    ])
  })

  test("a file that holds no text is as one that cannot be read", () => {
    const folder = folderWith({ ".env": `ALLOWED_API_KEYS=${key}\n\0\u0001` })
    const path = join(folder, ".env")
    expect(problemsOf(load({ envFile: path, env: { OPENAI_API_KEY: key } }))).toEqual([
      `--env: ${path} cannot be read (it holds no text): give the path of a file with NAME=value lines.`,
    ])
    expect(warningsOf(load({ localDotEnv: path, env: { OPENAI_API_KEY: key } }))).toEqual([
      `${path} cannot be read (it holds no text): its settings are not used.`,
    ])
  })

  test("a file that is two sources is read once", () => {
    const folder = folderWith({ ".env": "OPENAI_API_KY=x" })
    const path = join(folder, ".env")
    const result = load({ localDotEnv: path, configDir: folder, env: { OPENAI_API_KEY: key } })
    expect(warningsOf(result)).toEqual([
      `OPENAI_API_KY (${path}:1) is not a setting. Did you mean OPENAI_API_KEY?`,
    ])
  })

  test("quotes and comments are taken off what comes through the environment", () => {
    const config = configFrom({ OPENAI_API_KEY: `"${key}" # mine`, PORT: "'9000'" })
    expect([config.upstream.apiKeys[0], config.port]).toEqual([key, 9000])
  })

  test("a variable within a value stays as it is written, and that is told", () => {
    const braced = "${"
    const lines = [`OPENAI_API_KEY=${braced}MY_KEY}`, "BIG_MODEL=$MODEL", `SMALL_MODEL='${braced}A:-b}'`]
    const plain = ["MIDDLE_MODEL=cost-$5", "ALLOWED_API_KEYS=pa$$word,$1,a${", `OTHER=${braced}HOME}`]
    const configDir = folderWith({ ".env": [...lines, ...plain].join("\n") })
    const told = ["OPENAI_API_KEY", "BIG_MODEL", "SMALL_MODEL"].map(
      (name, index) =>
        `${name} (${join(configDir, ".env")}:${index + 1}) names a variable, which is not followed: ` +
        "it is taken as it is written.",
    )
    const result = load({ configDir })
    expect(warningsOf(result)).toEqual(told)
    expect(configOf(result).tiers).toEqual({ big: "$MODEL", middle: "cost-$5", small: `${braced}A:-b}` })
  })

  test("a file that PowerShell wrote is in UTF-16", () => {
    const text = `OPENAI_API_KEY=${key}\r\nBIG_MODEL=modèle\r\n`
    const little = Buffer.from(`\uFEFF${text}`, "utf16le")
    for (const bytes of [little, Buffer.from(little).swap16(), Buffer.from(`\uFEFF${text}`)]) {
      const configDir = folderWith({ ".env": bytes, "models.yaml": Buffer.from("\uFEFF- {}", "utf16le") })
      expect(configOf(load({ configDir, flags: { CUSTOM_MODELS_FILE: "/dev/null" } })).tiers.big).toBe(
        "modèle",
      )
      expect(problemsOf(load({ configDir }))).toEqual([
        `${join(configDir, "models.yaml")}:1:3: model_id is missing: every model needs one.`,
      ])
    }
  })

  test("a line that cannot be read is a problem only when it is ours", () => {
    const folder = folderWith({ ".env": `OTHER="a" b\nsk-loose-key-0123456789\nOPENAI_API_KEY=${key}` })
    const path = join(folder, ".env")
    expect(warningsOf(load({ configDir: folder }))).toEqual(
      [
        `A line (${path}:2) is not of the form NAME=value: it is not used.`,
        `A line (${path}:1) has text after its closing ": it is not used.`,
      ].toSorted((one, other) => one.localeCompare(other)),
    )
    const broken = folderWith({ ".env": `OPENAI_API_KEY="${key}` })
    expect(problemsOf(load({ configDir: broken, env: { OPENAI_API_KEY: key } }))).toEqual([
      `OPENAI_API_KEY (${join(broken, ".env")}:1) has an opening " and no closing one: correct the line.`,
    ])
  })
})

describe("single settings", () => {
  test.each([
    ["warn", "WARNING"],
    ["Warning", "WARNING"],
    ["debug", "DEBUG"],
  ] as const)("LOG_LEVEL=%s is %s", (word, level) => {
    expect(configFrom({ OPENAI_API_KEY: key, LOG_LEVEL: word }).logLevel).toBe(level)
  })

  test("the log is text on a terminal unless set", () => {
    const env = { OPENAI_API_KEY: key }
    expect(configFrom(env, { terminal: true }).logFormat).toBe("text")
    expect(configFrom({ ...env, LOG_FORMAT: "JSON" }, { terminal: true }).logFormat).toBe("json")
  })

  test("numbers, booleans, lists", () => {
    const config = configFrom({
      OPENAI_API_KEY: key,
      REQUEST_TIMEOUT: "0.25",
      MAX_RETRIES: "0",
      ENABLE_TOKEN_ESTIMATION: "Off",
      MAX_TOKENS_LIMIT: "4096",
      ALLOWED_API_KEYS: " one-key , two-key,",
      ANTHROPIC_API_KEY: "three-key",
      HOST: "[::1]",
    })
    expect(config).toMatchObject({
      requestTimeoutMs: 250,
      maxRetries: 0,
      estimateTokens: false,
      maxTokensLimit: 4096,
      clientKeys: ["one-key", "two-key", "three-key"],
      host: "::1",
    })
  })

  test("the configuration cannot be changed", () => {
    const config = configFrom({ OPENAI_API_KEY: key })
    expect([config, config.upstream, config.tiers, config.others].every(Object.isFrozen)).toBe(true)
  })

  test("every key and added header is known for redaction, longer ones first", () => {
    const config = configFrom({
      OPENAI_API_KEY: "key-one,key-two-long",
      OPENAI_BASE_URL: "https://relay.example/v1?code=in-the-query",
      DEEPSEEK_API_KEY: "deepseek-key",
      ALLOWED_API_KEYS: "client-1",
      CUSTOM_HEADER_X_TOKEN: "header-token-value",
      CUSTOM_HEADER_X_BETA: "true",
    })
    expect(config.secrets).toEqual([
      "header-token-value",
      "key-two-long",
      "deepseek-key",
      "in-the-query",
      "client-1",
      "key-one",
    ])
  })

  test("a key is known as it would stand in JSON, too", () => {
    expect(configFrom({ OPENAI_API_KEY: 'ab"c-d' }).secrets).toContain('ab\\"c-d')
  })

  test("a key is known as it would stand in an address, too", () => {
    const config = configFrom({ OPENAI_API_KEY: "a+b/c=d-e" })
    expect(config.secrets).toEqual(["a%2Bb%2Fc%3Dd-e", "a%2bb%2fc%3dd-e", "a+b/c=d-e"])
  })
})

test.each([
  [{ XDG_CONFIG_HOME: "/x" }, "linux", "/h", [], "/x/claude-proxy"],
  [{ XDG_CONFIG_HOME: "x" }, "linux", "/h", [], "/h/.config/claude-proxy"],
  [{}, "linux", "/h", [], "/h/.config/claude-proxy"],
  [{ XDG_CONFIG_HOME: "/x" }, "darwin", "/h", [], "/x/claude-proxy"],
  [{}, "darwin", "/h", [], "/h/Library/Application Support/claude-proxy"],
  [{}, "darwin", "/h", ["/h/.config/claude-proxy"], "/h/.config/claude-proxy"],
  [{ APPDATA: "C:\\A" }, "win32", "C:\\h", [], "C:\\A\\claude-proxy"],
  [{}, "win32", "C:\\h", [], "C:\\h\\AppData\\Roaming\\claude-proxy"],
] as const)("the configuration folder for %j on %s", (env, platform, home, present, folder) => {
  const exists = (path: string) => present.some((other) => other === path)
  expect(configFolder(env, platform, home, exists)).toBe(folder)
})
