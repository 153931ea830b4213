// What one `serve` is to start: a proxy here, one in the background, or several.
import { dirname, resolve } from "node:path"
import type { Pipes } from "../../config/load/disk.ts"
import { loadHere } from "../../config/load/load.ts"
import { defaultName, keyOf, nameProblem } from "../../config/models/instance-name.ts"
import type { Instance } from "../../config/models/read.ts"
import type { Loaded, LoadResult } from "../../config/sources/loaded.ts"
import { nearest } from "../command-line/arguments.ts"
import type { Environment } from "../terminal/io.ts"
import { inherited } from "./inherited.ts"
import { pipeProblem } from "./pipes.ts"

/** Flags of `serve` that every process it starts gets as well. */
interface Shared {
  readonly host?: string | undefined
  readonly envFile?: string | undefined
  /** Given with --config. */
  readonly modelsFile?: string | undefined
  readonly logLevel?: string | undefined
  /** As given with --workers. */
  readonly workers?: string | undefined
  readonly demo: boolean
  /** What this process has read of pipes. */
  readonly pipes?: Pipes | undefined
}

export interface StartOptions extends Shared {
  readonly port?: string | undefined
  readonly name?: string | undefined
  readonly detach: boolean
  /** As given with --instances. */
  readonly instances?: string | undefined
}

export type Start<Options> =
  | { readonly kind: "here"; readonly options: Options }
  | { readonly kind: "background"; readonly options: Options & { readonly name: string } }
  | { readonly kind: "many"; readonly instances: readonly Instance[] }
  | { readonly kind: "wrong"; readonly problem: string }

/**
 * --instances starts those it lists; else the `instances:` of models.yaml are started, all of them when neither
 * --port nor --name is given, one when --name is that one's; else there is one proxy.
 */
export function planStart<Options extends StartOptions>(options: Options, env: Environment): Start<Options> {
  const { name, instances } = options
  const problem = name === undefined ? undefined : nameProblem(name)
  if (problem !== undefined) return wrong(`--name ${JSON.stringify(name)} ${problem}.`)
  if (options.demo && options.modelsFile !== undefined)
    return wrong("--config cannot be given with --demo: the built-in upstream has no models but its own.")
  if (instances !== undefined) return fromFlag(options, instances)
  const piped = options.detach ? pipeProblem(options) : undefined
  if (piped !== undefined) return wrong(piped)
  // Alone here is what most are: for them the files are read once, and planLoaded() looks then.
  if (isOne(options, env) || (name === undefined && !options.detach)) return one(options)
  return fromFile(options, readListed(options))
}

/** Goes on when the settings of the one proxy are read, and it turns out that models.yaml lists several. */
export function planLoaded<Options extends StartOptions>(
  options: Options,
  loaded: LoadResult,
  env: Environment,
): Start<Options> {
  if (isOne(options, env) || options.name !== undefined) return one(options)
  if (loaded.ok) return fromFile(options, listedIn(loaded))
  // Each of several may have an upstream of its own where there is none for all.
  return loaded.lacksUpstream ? fromFile(options, readListed(options)) : one(options)
}

function fromFlag<Options extends StartOptions>(options: Options, text: string): Start<Options> {
  const { name, port, envFile } = options
  const flag = port === undefined ? "--name" : "--port"
  if (port !== undefined || name !== undefined)
    return wrong(`${flag} cannot be given with --instances: each instance has its own there.`)
  // With what it needs it takes longer to load than all the rest of a start.
  const { parseInstances }: typeof import("./list.ts") = require("./list.ts")
  const read = parseInstances(text)
  if (!read.ok) return wrong(`--instances: ${read.problem}.`)
  if (envFile !== undefined && read.instances.every((instance) => instance.envFile !== undefined))
    return wrong("--env has no effect: each instance has a file of its own (PORT::NAME has none).")
  return many(options, read.instances)
}

function isOne({ demo, port }: StartOptions, env: Environment): boolean {
  return demo || port !== undefined || inherited(env).id !== undefined
}

function fromFile<Options extends StartOptions>(
  options: Options,
  { path, instances }: Listed,
): Start<Options> {
  const { name } = options
  if (instances.length === 0) return one(options)
  if (name === undefined) return many(options, instances)
  const wanted = instances.find((instance) => keyOf(instance.name) === keyOf(name))
  const names = instances.map((instance) => instance.name)
  if (wanted === undefined) {
    const meant = nearest(name, names)
    const hint = meant === undefined ? `It has ${names.join(", ")}.` : `Did you mean ${meant}?`
    return wrong(
      `${path} has no instance ${name}. ${hint} To start a proxy that is not in it, give --port as well.`,
    )
  }
  const envFile = options.envFile ?? wanted.envFile
  return one({ ...options, name: wanted.name, port: String(wanted.port), envFile })
}

function one<Options extends StartOptions>(options: Options): Start<Options> {
  const { name = defaultName, detach } = options
  if (!detach) return { kind: "here", options }
  const problem = pipeProblem(options)
  return problem === undefined ? { kind: "background", options: { ...options, name } } : wrong(problem)
}

function many<Options extends StartOptions>(
  options: Options,
  instances: readonly Instance[],
): Start<Options> {
  const problem = pipeProblem(options, instances)
  return problem === undefined ? { kind: "many", instances } : wrong(problem)
}

interface Listed {
  readonly path: string
  readonly instances: readonly Instance[]
}

/** Broken settings list none: what is wrong with them is said when they are used. */
function readListed({ envFile, modelsFile, pipes }: Shared): Listed {
  const flags = { CUSTOM_MODELS_FILE: modelsFile }
  const loaded = loadHere({ flags, envFile, localFile: true, needsUpstream: false, pipes })
  return loaded.ok ? listedIn(loaded) : { path: "", instances: [] }
}

/** The instances of models.yaml; their settings files are meant from where it is. */
function listedIn({ described, sources }: Loaded): Listed {
  const path = described.files.findLast((file) => /\.ya?ml$/i.test(file)) ?? ""
  const instances = sources.models.instances.map(({ name, port, envFile }) => ({
    name,
    port,
    envFile: envFile === undefined ? undefined : resolve(dirname(path), envFile),
  }))
  return { path, instances }
}

/** The flags for one of several. */
export function flagsFor({ port, envFile }: Instance, shared: Shared): readonly string[] {
  return flagsOf({ ...shared, port: String(port), envFile: envFile ?? shared.envFile })
}

/** The flags that start this proxy again, without its name. */
export function flagsOf(options: Shared & { readonly port?: string | undefined }): readonly string[] {
  const pairs = [
    ["--host", options.host],
    ["--port", options.port],
    ["--env", options.envFile],
    ["--config", options.modelsFile],
    ["--log-level", options.logLevel],
    ["--workers", options.workers],
  ] as const
  const given = pairs.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`]))
  return options.demo ? [...given, "--demo"] : given
}

function wrong(problem: string): { readonly kind: "wrong"; readonly problem: string } {
  return { kind: "wrong", problem }
}
