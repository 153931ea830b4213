// Finds and reads the sources of settings. Of all that is in config, only this folder touches the disk.
import { dirname, join, resolve } from "node:path"
import { redact } from "../../protocol/redact.ts"
import { type ModelsRead, noModels } from "../models/read.ts"
import {
  brokenAlias,
  explainYaml,
  mostAliases,
  offsetOf,
  unclosedAt,
  type YamlRead,
} from "../models/yaml-file.ts"
import type { CertificateTools } from "../network/authorities.ts"
import { isCertificate, isWhole, pemJudge } from "../network/pem.ts"
import { type Found, named, secretsIn, type Values } from "../settings/values.ts"
import { assembleConfig } from "../sources/assemble.ts"
import { parseEnvFile } from "../sources/env-file.ts"
import { hiddenKeys, layersOf, mergeLayers, type SettingsFile } from "../sources/layers.ts"
import type { LoadSources } from "../sources/load-sources.ts"
import type { LoadResult } from "../sources/loaded.ts"
import type { LocalServer } from "../upstreams/given.ts"
import {
  configFolder,
  type Disk,
  homeFolder,
  isTerminal,
  isThere,
  type Pipes,
  readText,
  withHome,
} from "./disk.ts"

/**
 * Reads all sources, strongest first: flags, the --env file, the environment, ./.env, the configuration
 * folder's .env; then models.yaml. Gives a complete Config, or every problem there is; none of the texts holds
 * a secret.
 */
export function loadConfig(sources: LoadSources, pipes: Pipes = new Map()): LoadResult {
  const keyFile = join(sources.configDir, ".env")
  const seen = new Map<string, string>()
  const disk: Disk = { seen, pipes }
  const files = readFiles(sources, keyFile, disk)
  const first = layersOf(sources.flags, sources.env, files)
  const demo = sources.demoBaseUrl !== undefined
  const models = demo ? noFile : loadModels(sources, mergeLayers(first), files, disk)
  // The models name variables of their own, which the first reading had no reason to keep.
  const keyNames = new Set([...models.entries, ...models.providers].flatMap(({ keyName }) => keyName ?? []))
  const layers = keyNames.size === 0 ? first : layersOf(sources.flags, sources.env, files, keyNames)
  const values = mergeLayers([...layers, { values: models.values, warnings: [], problems: [] }])
  const { terminal, needsUpstream, demoBaseUrl, localServer } = sources
  const certificates = certificateTools(files, disk)
  const tls = sources.listens === true ? { ...certificates, ...pemJudge } : undefined
  // Who names a file writes the key into that one.
  const options = {
    terminal,
    needsUpstream,
    demoBaseUrl,
    keyFile: sources.envFile ?? keyFile,
    models,
    localServer,
    certificates,
    tls,
  }
  const made = assembleConfig(values, options)
  // Without its models everything that names one would be a problem too.
  const unread = layers.flatMap((layer) => layer.problems)
  // Nor is a key missing that only could not be read.
  const own = unread.length > 0 && made.lacksUpstream ? [] : made.problems
  const problems = [...unread, ...(models.problems.length > 0 ? models.problems : own)]
  if (problems.length > 0 || made.config === undefined) {
    const lacksUpstream = made.lacksUpstream && problems.length === 1
    // A misspelt name is often what is behind a missing key.
    const warnings = [...layers.flatMap((layer) => layer.warnings), ...models.warnings]
    const listens = listensIn(values)
    return {
      ok: false,
      problems,
      warnings,
      lacksUpstream,
      ollamaHost: sources.env["OLLAMA_HOST"],
      listens,
      seen,
    }
  }
  const read = files.flatMap(({ path, file }) => (file === undefined ? [] : [path]))
  return {
    ok: true,
    config: made.config,
    warnings: [
      ...layers.flatMap((layer) => layer.warnings),
      ...models.warnings,
      ...made.warnings,
      ...hiddenKeys(layers, values),
    ],
    described: {
      files: [...read, ...models.files],
      origins: Object.fromEntries([...values].map(([name, found]) => [name, found.origin])),
      infos: made.infos,
    },
    sources: { layers, values, models },
    seen,
  }
}

function listensIn(values: Values) {
  const [host, port] = [values.get("HOST")?.value, values.get("PORT")?.value]
  return { host, port, secure: values.has("TLS_CERT") }
}

/** The files there are, strongest first; one that is two sources is read once, as the stronger of them. */
function readFiles(sources: LoadSources, keyFile: string, disk: Disk): readonly SettingsFile[] {
  const wanted = [
    { source: "named", path: sources.envFile },
    { source: "local", path: sources.localDotEnv },
    { source: "own", path: keyFile },
  ] as const
  const files: SettingsFile[] = []
  for (const { source, path } of wanted) {
    if (path === undefined || files.some((other) => resolve(other.path) === resolve(path))) continue
    if (source !== "named" && !isThere(path, disk)) continue
    const text = readText(path, disk)
    if (text.ok) files.push({ source, path, file: parseEnvFile(text.value) })
    else files.push({ source, path, issue: `${path} ${text.why}` })
  }
  return files
}

/** A path in a file is meant from where that file is, wherever the proxy is started; `~/` is the home folder. */
function pathOf({ value, origin }: Found, files: readonly SettingsFile[]): string {
  const base = files.find(({ path }) => origin.startsWith(`${path}:`))?.path
  return resolve(base === undefined ? "" : dirname(base), withHome(value))
}

function certificateTools(files: readonly SettingsFile[], disk: Disk): CertificateTools {
  return {
    pathOf: (found) => pathOf(found, files),
    read: (path) => readText(path, disk),
    isCertificate,
    isWhole,
    trusted: () => {
      // Loaded where it is needed: it takes longer than all the rest of a start.
      const { getCACertificates } = process.getBuiltinModule("node:tls")
      return [...getCACertificates("default"), ...getCACertificates("system")]
    },
  }
}

interface LoadedModels extends ModelsRead {
  readonly files: readonly string[]
}

const noFile: LoadedModels = { ...noModels, files: [] }

/** The file CUSTOM_MODELS_FILE names; else the first models.yaml beside a .env that may be read. */
function loadModels(
  sources: LoadSources,
  values: Values,
  files: readonly SettingsFile[],
  disk: Disk,
): LoadedModels {
  const setting = values.get("CUSTOM_MODELS_FILE")
  const beside = [sources.envFile, sources.localDotEnv].flatMap((path) =>
    path === undefined ? [] : dirname(path),
  )
  const path =
    setting === undefined
      ? [...beside, sources.configDir]
          .map((folder) => join(folder, "models.yaml"))
          .find((one) => isThere(one, disk))
      : pathOf(setting, files)
  if (path === undefined) return noFile
  const text = readText(path, disk)
  if (!text.ok && setting === undefined)
    return { ...noFile, warnings: [`${path} ${text.why}: its models are not used.`] }
  if (!text.ok) {
    const problem = `${named("CUSTOM_MODELS_FILE", values)}: ${path} ${text.why}: give the path of a file with models.`
    return { ...noFile, problems: [problem] }
  }
  const yaml = readYaml(text.value)
  // Loaded where there is such a file, as the parser is: every start would wait for them.
  const { readModels }: typeof import("../models/file.ts") = require("../models/file.ts")
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
  const { LineCounter, parseDocument }: typeof import("yaml") = require("yaml")
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, stringKeys: true })
  const placeAt = (offset: number) => {
    const { line, col: column } = counter.linePos(offset)
    return { line, column }
  }
  const fail = (code: string, offset: number): YamlRead => {
    return { ok: false, at: placeAt(offset), why: explainYaml(code, text, offset) }
  }
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) {
    const [at] = error.pos
    const { code, offset } = unclosedAt(document.contents, text, at) ?? { code: error.code, offset: at }
    return fail(code, offset)
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: mostAliases })
    return { ok: true, file: { value, placeOf: (...at) => placeAt(offsetOf(document.contents, ...at)) } }
  } catch {
    return fail(...brokenAlias(document.contents))
  }
}

/** What a command says about its own needs; the rest is the process's surroundings. */
export interface Needs {
  readonly flags: LoadSources["flags"]
  readonly envFile: string | undefined
  /** May ./.env be read? Not by `run`: that file belongs to the project it is started in. */
  readonly localFile: boolean
  readonly needsUpstream: boolean
  /** Does it serve on HOST and PORT? Only then is the certificate read. */
  readonly listens?: boolean | undefined
  /** Is the log shown on a terminal? Unset: as standard error is. */
  readonly terminal?: boolean | undefined
  readonly demoBaseUrl?: string | undefined
  readonly localServer?: LocalServer | undefined
  /** Unset: this reading is the only one. */
  readonly pipes?: Pipes | undefined
}

/** `loadConfig` from this process's environment, platform, home and working folder. */
export function loadHere(needs: Needs): LoadResult {
  const { flags, envFile, localFile, needsUpstream, listens, demoBaseUrl, localServer } = needs
  const sources: LoadSources = {
    ...{ flags, env: process.env, envFile, needsUpstream, listens, demoBaseUrl, localServer },
    localDotEnv: localFile ? join(process.cwd(), ".env") : undefined,
    configDir: configFolder(process.env, process.platform, homeFolder(process.env, process.platform)),
    terminal: needs.terminal ?? isTerminal(2),
  }
  return loadConfig(sources, needs.pipes)
}
