// A proxy's own side of having a name: it takes the name, writes down where it listens, keeps its log, and
// takes its file away when it ends.
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import type { Config } from "../../config/config.ts"
import type { Described, Loaded } from "../../config/load.ts"
import { createLogFile } from "../../observe/log-files.ts"
import type { RunningServer } from "../../server/server.ts"
import type { CommandIo } from "../io.ts"
import { version } from "../version.ts"
import { claim, explainHolder, update } from "./claim.ts"
import { stateFolder } from "./folder.ts"
import { inherited } from "./inherited.ts"
import { keyOf } from "./names.ts"
import type { InstanceRecord, StartFacts } from "./record.ts"
import { createStore, ownFolder, type Store, storeProblem } from "./store.ts"

type Environment = Readonly<Record<string, string | undefined>>

export interface Self {
  /** Given back by /health. */
  readonly instance: { readonly name: string; readonly id: string }
  /** What is written to `error` goes into its log; in the foreground also where it went before. */
  readonly io: CommandIo
  /** Nobody sees its output: what it has to say at the start is written down instead. */
  readonly background: boolean
  /** Writes down that it listens; false when somebody else has the name by now. */
  readonly announce: (facts: StartFacts, server: RunningServer) => Promise<boolean>
  /** Resolves when it is asked to end other than by a signal. */
  readonly asked: Promise<string>
  /** Takes the file away and writes the rest of the log. */
  readonly leave: () => Promise<void>
}

export interface SelfOptions {
  readonly name: string
  /** The flags it could be started with again. */
  readonly argv: readonly string[]
  readonly envFile: string | undefined
}

/** Takes the name, or gives the sentence that says who has it, or why it cannot be had. */
export async function enter(
  options: SelfOptions,
  loaded: Pick<Loaded, "config" | "described">,
  io: CommandIo,
  env: Environment,
): Promise<Self | string> {
  const store = createStore(stateFolder(env))
  try {
    return await takeName(options, loaded, store, io, env)
  } catch (error) {
    const problem = storeProblem(error, store)
    if (problem === undefined) throw error
    return problem
  }
}

async function takeName(
  options: SelfOptions,
  loaded: Pick<Loaded, "config" | "described">,
  store: Store,
  io: CommandIo,
  env: Environment,
): Promise<Self | string> {
  const { id = randomUUID() } = inherited(env)
  const background = inherited(env).id !== undefined
  const { name } = options
  const { config } = loaded
  ownFolder(store.logs.folder)
  if (background) {
    const mine = await update(store, { name, id }, (found) => ({ ...found, ...factsOf(loaded) }))
    if (!mine) return `${name} was started by somebody else in the meantime.`
  } else {
    const claimed = await claim(store, newRecord(options, store, id, factsOf(loaded)))
    if (!claimed.ok) return explainHolder(claimed)
    store.logs.absorb(name)
  }
  const file = createLogFile({
    folder: store.logs.folder,
    name: keyOf(name),
    retentionDays: config.logRetentionDays,
    now: () => new Date(),
    onProblem: (message) => io.error(`claude-proxy: ${message}\n`),
  })
  const flush = () => file.flushNow()
  process.on("exit", flush)
  const asked = watchStopFile(store.stopFile({ name, id }))
  return {
    instance: { name, id },
    io: {
      ...io,
      error: (text) => {
        file.write(text.replace(/\n$/, ""))
        if (!background) io.error(text)
      },
    },
    background,
    announce: (facts, server) => update(store, { name, id }, (found) => running(found, facts, server)),
    asked: asked.asked,
    leave: async () => {
      asked.close()
      await file.close()
      process.off("exit", flush)
      await store.locked(name, () => store.remove({ name, id }))
    },
  }
}

function running(found: InstanceRecord, facts: StartFacts, server: RunningServer): InstanceRecord {
  const { url, port, hostname: host } = server
  return { ...found, state: "running", pid: process.pid, url, port, host, facts }
}

function newRecord(options: SelfOptions, store: Store, id: string, known: Known): InstanceRecord {
  return {
    name: options.name,
    id,
    state: "starting",
    detached: false,
    url: "",
    startedAt: new Date().toISOString(),
    argv: options.argv,
    cwd: process.cwd(),
    envFile: options.envFile ?? null,
    log: store.logs.pathOf(options.name),
    facts: null,
    ...known,
  }
}

type Known = Pick<InstanceRecord, "version" | "pid" | "host" | "port" | "freePort" | "fromEnvironment">

/** What is only known when the settings are read. */
function factsOf({ config, described }: { config: Config; described: Described }): Known {
  return {
    version,
    pid: process.pid,
    host: config.host,
    port: config.port,
    freePort: config.port === 0,
    fromEnvironment: Object.entries(described.origins).flatMap(([name, origin]) =>
      origin === "environment" ? [name] : [],
    ),
  }
}

// Windows has no signal that a process in the background could hear: a file in its owner's folder stands in.
const lookMs = 300

function watchStopFile(path: string): { readonly asked: Promise<string>; readonly close: () => void } {
  const { promise: asked, resolve } = Promise.withResolvers<string>()
  if (process.platform !== "win32") return { asked, close: () => {} }
  const timer = setInterval(() => {
    if (existsSync(path)) resolve("asked to stop")
  }, lookMs)
  timer.unref()
  return { asked, close: () => clearInterval(timer) }
}
