// Finds and reads the sources of settings. The only file of this room that touches the disk.
import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, posix, resolve, win32 } from "node:path"
import { LineCounter, parseDocument } from "yaml"
import { redact } from "../protocol/redact.ts"
import { assembleConfig } from "./assemble.ts"
import type { Config } from "./config.ts"
import { parseEnvFile } from "./env-file.ts"
import type { LocalServer } from "./given.ts"
import { layersOf, mergeLayers, type SettingsFile } from "./layers.ts"
import { readModels } from "./models-file.ts"
import { type ModelsRead, noModels } from "./models-read.ts"
import type { SettingName } from "./settings.ts"
import { named, type Read, secretsIn, type Values } from "./values.ts"
import { explainYaml, offsetOf, type Position, type YamlFile, type YamlRead } from "./yaml-file.ts"

export interface LoadSources {
  readonly flags: Readonly<Partial<Record<SettingName, string | undefined>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Given with --env: must exist. */
  readonly envFile?: string | undefined
  /** ./.env, for commands that may read the folder they are started in. */
  readonly localDotEnv?: string | undefined
  readonly configDir: string
  /** Is standard error a terminal? */
  readonly terminal: boolean
  readonly needsUpstream: boolean
  /** Address of the built-in upstream, which then stands for every other. */
  readonly demoBaseUrl?: string | undefined
  /** A server on this machine, to be used when no setting leads anywhere. */
  readonly localServer?: LocalServer | undefined
}

/** Where the settings came from, for the block `serve` prints. No values. */
export interface Described {
  /** The files that were read, strongest first. */
  readonly files: readonly string[]
  /** For each setting that is set: a flag, "environment" or file:line. */
  readonly origins: Readonly<Record<string, string>>
  /** What was decided without being asked. */
  readonly infos: readonly string[]
}

export type LoadResult =
  | {
      readonly ok: true
      readonly config: Config
      readonly warnings: readonly string[]
      readonly described: Described
    }
  | {
      readonly ok: false
      readonly problems: readonly string[]
      /** Nothing is wrong but that no setting leads to an upstream. */
      readonly lacksUpstream: boolean
    }

/**
 * Reads all sources, strongest first: flags, the --env file, the environment, ./.env, the configuration
 * folder's .env; then models.yaml. Gives a complete Config, or every problem there is; none of the texts holds
 * a secret.
 */
export function loadConfig(sources: LoadSources): LoadResult {
  const keyFile = join(sources.configDir, ".env")
  const files = readFiles(sources, keyFile)
  const first = layersOf(sources.flags, sources.env, files)
  const demo = sources.demoBaseUrl !== undefined
  const models = demo ? noFile : loadModels(sources, mergeLayers(first), files)
  // The models name variables of their own, which the first reading had no reason to keep.
  const keyNames = new Set([...models.entries, ...models.providers].flatMap(({ keyName }) => keyName ?? []))
  const layers = keyNames.size === 0 ? first : layersOf(sources.flags, sources.env, files, keyNames)
  const values = mergeLayers([...layers, { values: models.values, warnings: [], problems: [] }])
  const { terminal, needsUpstream, demoBaseUrl, localServer } = sources
  const options = { terminal, needsUpstream, demoBaseUrl, keyFile, models, localServer }
  const made = assembleConfig(values, options)
  // Without its models everything that names one would be a problem too.
  const others = models.problems.length > 0 ? models.problems : made.problems
  const problems = [...layers.flatMap((layer) => layer.problems), ...others]
  if (problems.length > 0 || made.config === undefined) {
    const lacksUpstream = made.lacksUpstream && problems.length === 1
    return { ok: false, problems, lacksUpstream }
  }
  const read = files.flatMap(({ path, file }) => (file === undefined ? [] : [path]))
  return {
    ok: true,
    config: made.config,
    warnings: [...layers.flatMap((layer) => layer.warnings), ...models.warnings, ...made.warnings],
    described: {
      files: [...read, ...models.files],
      origins: Object.fromEntries([...values].map(([name, found]) => [name, found.origin])),
      infos: made.infos,
    },
  }
}

/** The files there are, strongest first; one that is two sources is read once, as the stronger of them. */
function readFiles(sources: LoadSources, keyFile: string): readonly SettingsFile[] {
  const wanted = [
    { source: "named", path: sources.envFile },
    { source: "local", path: sources.localDotEnv },
    { source: "own", path: keyFile },
  ] as const
  const files: SettingsFile[] = []
  for (const { source, path } of wanted) {
    if (path === undefined || files.some((other) => resolve(other.path) === resolve(path))) continue
    if (source !== "named" && !existsSync(path)) continue
    const text = readText(path)
    if (text.ok) files.push({ source, path, file: parseEnvFile(text.value) })
    else files.push({ source, path, issue: `${path} ${text.why}` })
  }
  return files
}

function readText(path: string): Read<string> {
  try {
    return { ok: true, value: readFileSync(path, "utf8") }
  } catch (error) {
    return { ok: false, why: existsSync(path) ? `cannot be read (${errorCode(error)})` : "does not exist" }
  }
}

interface LoadedModels extends ModelsRead {
  readonly files: readonly string[]
}

const noFile: LoadedModels = { ...noModels, files: [] }

/** The file CUSTOM_MODELS_FILE names; else the first models.yaml beside a .env that may be read. */
function loadModels(sources: LoadSources, values: Values, files: readonly SettingsFile[]): LoadedModels {
  const setting = values.get("CUSTOM_MODELS_FILE")
  // A path in a file is meant from where that file is, wherever the proxy is started.
  const base = files.find(({ path }) => setting?.origin.startsWith(`${path}:`))?.path
  const beside = [sources.envFile, sources.localDotEnv].flatMap((path) =>
    path === undefined ? [] : dirname(path),
  )
  const path =
    setting === undefined
      ? [...beside, sources.configDir]
          .map((folder) => join(folder, "models.yaml"))
          .find((one) => existsSync(one))
      : resolve(base === undefined ? "" : dirname(base), setting.value)
  if (path === undefined) return noFile
  const text = readText(path)
  if (!text.ok && setting === undefined)
    return { ...noFile, warnings: [`${path} ${text.why}: its models are not used.`] }
  if (!text.ok) {
    const problem = `${named("CUSTOM_MODELS_FILE", values)}: ${path} ${text.why}: give the path of a file with models.`
    return { ...noFile, problems: [problem] }
  }
  const yaml = readYaml(text.value)
  const read = yaml.ok
    ? readModels(path, yaml.file)
    : { ...noModels, problems: [`${path}:${yaml.at.line}:${yaml.at.column}: ${yaml.why}`] }
  const secrets = secretsIn(values)
  return {
    ...read,
    problems: read.problems.map((problem) => redact(problem, secrets)),
    files: [path],
  }
}

/** The text as values with their places. Aliases are followed, but not without end. */
function readYaml(raw: string): YamlRead {
  const text = raw.replace(/^\uFEFF/, "")
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, stringKeys: true })
  const placeAt = (offset: number): Position => {
    const { line, col } = counter.linePos(offset)
    return { line, column: col }
  }
  const fail = (code: string, offset: number): YamlRead => {
    return { ok: false, at: placeAt(offset), why: explainYaml(code, text, offset) }
  }
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) return fail(error.code, error.pos[0])
  const placeOf: YamlFile["placeOf"] = (path, part) => placeAt(offsetOf(document.contents, path, part))
  try {
    return { ok: true, file: { value: document.toJS(), placeOf } }
  } catch {
    return fail("BAD_ALIAS", 0)
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error"
}

/**
 * The folder for our own files: $XDG_CONFIG_HOME/claude-proxy wherever that is set (and absolute, as its
 * specification demands), else the platform's own place. On macOS ~/.config is used too when it is there.
 */
export function configFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  home: string,
  exists: (path: string) => boolean = existsSync,
): string {
  const path = platform === "win32" ? win32 : posix
  const xdg = env["XDG_CONFIG_HOME"] ?? ""
  if (path.isAbsolute(xdg)) return path.join(xdg, "claude-proxy")
  const dotConfig = path.join(home, ".config", "claude-proxy")
  if (platform === "darwin") {
    const library = path.join(home, "Library", "Application Support", "claude-proxy")
    return !exists(library) && exists(dotConfig) ? dotConfig : library
  }
  if (platform !== "win32") return dotConfig
  const appData = env["APPDATA"] ?? ""
  return path.join(appData === "" ? path.join(home, "AppData", "Roaming") : appData, "claude-proxy")
}

/** What a command says about its own needs; the rest is the process's surroundings. */
export interface Needs {
  readonly flags: LoadSources["flags"]
  readonly envFile: string | undefined
  /** May ./.env be read? Not by `run`: that file belongs to the project it is started in. */
  readonly localFile: boolean
  readonly needsUpstream: boolean
  readonly demoBaseUrl?: string | undefined
  readonly localServer?: LocalServer | undefined
}

/** `loadConfig` from this process's environment, platform, home and working folder. */
export function loadHere(needs: Needs): LoadResult {
  return loadConfig({
    flags: needs.flags,
    env: process.env,
    envFile: needs.envFile,
    localDotEnv: needs.localFile ? join(process.cwd(), ".env") : undefined,
    configDir: configFolder(process.env, process.platform, homedir()),
    terminal: process.stderr.isTTY === true,
    needsUpstream: needs.needsUpstream,
    demoBaseUrl: needs.demoBaseUrl,
    localServer: needs.localServer,
  })
}
