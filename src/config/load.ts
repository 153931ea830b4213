// Finds and reads the sources of settings. The only file of this room that touches the disk.
import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join, posix, resolve, win32 } from "node:path"
import { assembleConfig } from "./assemble.ts"
import type { Config } from "./config.ts"
import { parseEnvFile } from "./env-file.ts"
import { environmentLayer, fileLayer, flagLayer, type Layer, mergeLayers } from "./layers.ts"
import type { SettingName } from "./settings.ts"

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
  | { readonly ok: false; readonly problems: readonly string[] }

/**
 * Reads all sources, strongest first: flags, the --env file, the environment, ./.env, the configuration
 * folder's .env. Gives a complete Config, or every problem there is; none of the texts holds a secret.
 */
export function loadConfig(sources: LoadSources): LoadResult {
  const keyFile = join(sources.configDir, ".env")
  const named = sources.envFile === undefined ? empty : readFile(sources.envFile, true, [])
  const local = sources.localDotEnv === undefined ? empty : readFile(sources.localDotEnv, false, named.files)
  const own = readFile(keyFile, false, [...named.files, ...local.files])
  const layers = [
    flagLayer(sources.flags),
    named.layer,
    environmentLayer(sources.env),
    local.layer,
    own.layer,
  ]
  const values = mergeLayers(layers)
  const { demoBaseUrl } = sources
  const options = { terminal: sources.terminal, needsUpstream: sources.needsUpstream, demoBaseUrl, keyFile }
  const made = assembleConfig(values, options)
  const problems = [...layers.flatMap((layer) => layer.problems), ...made.problems]
  if (problems.length > 0 || made.config === undefined) return { ok: false, problems }
  return {
    ok: true,
    config: made.config,
    warnings: [...layers.flatMap((layer) => layer.warnings), ...made.warnings],
    described: {
      files: [...named.files, ...local.files, ...own.files],
      origins: Object.fromEntries([...values].map(([name, found]) => [name, found.origin])),
      infos: made.infos,
    },
  }
}

interface FileRead {
  readonly layer: Layer
  readonly files: readonly string[]
}

const emptyLayer: Layer = { values: new Map(), warnings: [], problems: [] }
const empty: FileRead = { layer: emptyLayer, files: [] }

/** Reads one file; one of `known` is not read a second time as a weaker source. */
function readFile(path: string, required: boolean, known: readonly string[]): FileRead {
  if (known.some((other) => resolve(other) === resolve(path))) return empty
  if (!required && !existsSync(path)) return empty
  try {
    return { layer: fileLayer(path, parseEnvFile(readFileSync(path, "utf8"))), files: [path] }
  } catch (error) {
    const why = existsSync(path) ? `cannot be read (${errorCode(error)})` : "does not exist"
    const text = `${path} ${why}`
    const layer = required
      ? { ...emptyLayer, problems: [`--env: ${text}: give the path of a file with NAME=value lines.`] }
      : { ...emptyLayer, warnings: [`${text}: its settings are not used.`] }
    return { layer, files: [] }
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
  })
}
