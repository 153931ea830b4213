// What differs between two readings of the settings: by name, with the place, and never with a value.
import { afterAll, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { changesBetween } from "../../src/config/sources/changes.ts"
import type { LoadSources } from "../../src/config/sources/load-sources.ts"
import type { Loaded } from "../../src/config/sources/loaded.ts"
import { folderWith, load, removeFolders } from "./support.ts"

afterAll(removeFolders)

interface Files {
  readonly env: string
  readonly own?: string
  readonly models?: string
}

const base = "OPENAI_API_KEY=sk-canary-of-a-test-1\n"
const fast = "- model_id: fast\n  api_base: http://127.0.0.1:9/v1\n"
const slow = "- model_id: slow\n  api_base: http://127.0.0.1:9/v1\n"
const keyed = "- model_id: keyed\n  api_base: http://127.0.0.1:9/v1\n  api_key_name: TEAM_KEY\n"

function loadFiles(
  folder: string,
  { env, own = "", models = "" }: Files,
  more: Partial<LoadSources> = {},
): Loaded {
  writeFileSync(join(folder, "a.env"), env)
  writeFileSync(join(folder, ".env"), own)
  writeFileSync(join(folder, "models.yaml"), models)
  const result = load({ configDir: folder, localDotEnv: join(folder, "a.env"), ...more })
  if (!result.ok) throw new Error(result.problems.join("\n"))
  return result
}

/** The changes as lines, with the names of files alone. */
function linesOf(before: Files, after: Files, more?: Partial<LoadSources>): readonly string[] {
  const folder = folderWith()
  const old = loadFiles(folder, before, more)
  const { settings, hidden, models } = changesBetween(old.sources, loadFiles(folder, after, more).sources)
  const short = (place: string | undefined) => place?.replace(/^.*[\\/]/, "") ?? "unset"
  return [
    ...settings.map(({ name, origin }) => `${name} ${short(origin)}`),
    ...hidden.map(({ name, origin, winner }) => `${name} ${short(origin)} behind ${short(winner)}`),
    ...models,
  ]
}

const table: readonly (readonly [string, Files, Files, readonly string[]])[] = [
  ["nothing", { env: base }, { env: base }, []],
  ["a comment and empty lines", { env: base }, { env: `# a\n\n\n${base}` }, []],
  ["quotes round the same value", { env: `${base}HOST=::1` }, { env: `${base}HOST="::1"` }, []],
  ["a value", { env: `${base}BIG_MODEL=a` }, { env: `${base}BIG_MODEL=b` }, ["BIG_MODEL a.env:2"]],
  ["a new setting", { env: base }, { env: `${base}MAX_RETRIES=5` }, ["MAX_RETRIES a.env:2"]],
  ["a setting taken out", { env: `${base}MAX_RETRIES=5` }, { env: base }, ["MAX_RETRIES unset"]],
  [
    "a setting emptied",
    { env: `${base}MAX_RETRIES=5` },
    { env: `${base}MAX_RETRIES=` },
    ["MAX_RETRIES unset"],
  ],
  ["a key", { env: base }, { env: "OPENAI_API_KEY=sk-canary-of-a-test-2" }, ["OPENAI_API_KEY a.env:1"]],
  [
    "a header of one's own",
    { env: base },
    { env: `${base}CUSTOM_HEADER_X_TEAM=a` },
    ["CUSTOM_HEADER_X_TEAM a.env:2"],
  ],
  ["what is no setting", { env: base }, { env: `${base}DATABASE_PASSWORD=a` }, []],
  [
    "two of them",
    { env: `${base}MIDDLE_MODEL=a` },
    { env: `${base}BIG_MODEL=a\nMIDDLE_MODEL=b` },
    ["BIG_MODEL a.env:2", "MIDDLE_MODEL a.env:3"],
  ],
  ["the same value from another file", { env: `${base}PORT=1` }, { env: base, own: "PORT=1" }, []],
  [
    "a stronger file that says less",
    { env: `${base}PORT=1`, own: "PORT=2" },
    { env: base, own: "PORT=2" },
    ["PORT .env:1"],
  ],
  [
    "a weaker file that says otherwise",
    { env: `${base}PORT=1`, own: "" },
    { env: `${base}PORT=1`, own: "\nPORT=2" },
    ["PORT .env:2 behind a.env:2"],
  ],
  [
    "a weaker file as before",
    { env: `${base}PORT=1`, own: "PORT=2" },
    { env: `${base}PORT=1`, own: "\nPORT=2" },
    [],
  ],
  ["a weaker file that says the same", { env: `${base}PORT=1` }, { env: `${base}PORT=1`, own: "PORT=1" }, []],
  ["a new model", { env: base }, { env: base, models: fast }, ["+ fast"]],
  ["a model taken out", { env: base, models: fast + slow }, { env: base, models: slow }, ["- fast"]],
  [
    "a model changed, one new, one gone",
    { env: base, models: fast + slow },
    { env: base, models: `- model_id: new\n  provider: openai\n${fast}  max_tokens: 5\n` },
    ["+ new", "~ fast", "- slow"],
  ],
  [
    "the order of models, and comments",
    { env: base, models: fast + slow },
    { env: base, models: `# a\n${slow}${fast}` },
    [],
  ],
  [
    "a model with a key of its own",
    { env: `${base}TEAM_KEY=a-team-key` },
    { env: `${base}TEAM_KEY=a-team-key`, models: keyed },
    ["+ keyed"],
  ],
  [
    "the key of a model",
    { env: `${base}TEAM_KEY=a-team-key`, models: keyed },
    { env: `${base}TEAM_KEY=another-key`, models: keyed },
    ["TEAM_KEY a.env:2"],
  ],
]

test.each(table)("what has changed: %s", (_name, before, after, expected) => {
  expect(linesOf(before, after)).toEqual([...expected])
})

test.each([
  ["the environment", { env: { BIG_MODEL: "a" } }, "environment"],
  ["a flag", { flags: { BIG_MODEL: "a" } }, "command line"],
] as const)("a change that has no effect because of %s", (_name, more, winner) => {
  const lines = linesOf({ env: base }, { env: `${base}BIG_MODEL=b` }, more)
  expect(lines).toEqual([`BIG_MODEL a.env:2 behind ${winner}`])
})

test("no value is in what is told", () => {
  const folder = folderWith()
  const before = loadFiles(folder, { env: base, own: "ALLOWED_API_KEYS=canary-old" })
  const after = loadFiles(folder, {
    env: "OPENAI_API_KEY=sk-canary-of-a-test-2\nALLOWED_API_KEYS=canary-new",
    own: "OPENAI_API_KEY=canary-hidden\nHTTPS_PROXY=http://u:canary-pass@127.0.0.1:9",
  })
  const told = JSON.stringify(changesBetween(before.sources, after.sources))
  expect(told).toContain("ALLOWED_API_KEYS")
  expect(told).not.toContain("canary")
})

test("every file that was looked for is named, with whether it was there", () => {
  const folder = folderWith({ ".env": base, "a.env": "CUSTOM_MODELS_FILE=my.yaml", "my.yaml": fast })
  const here = folderWith()
  const seen = (given: Partial<LoadSources>) =>
    [...load({ configDir: folder, localDotEnv: join(here, ".env"), ...given }).seen].map(([path, print]) => [
      path,
      print !== "absent",
    ])
  expect(seen({})).toEqual([
    [join(here, ".env"), false],
    [join(folder, ".env"), true],
    [join(here, "models.yaml"), false],
    [join(folder, "models.yaml"), false],
  ])
  expect(seen({ envFile: join(folder, "a.env") })).toEqual([
    [join(folder, "a.env"), true],
    [join(here, ".env"), false],
    [join(folder, ".env"), true],
    [join(folder, "my.yaml"), true],
  ])
  // One that fails says no less: it is what the next change is waited for on.
  expect(seen({ envFile: join(folder, "gone.env") })[0]).toEqual([join(folder, "gone.env"), false])
})
