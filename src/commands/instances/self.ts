// A proxy's own side of having a name: it takes the name, writes down where it listens, keeps its log, and
// takes its file away when it ends.
import { existsSync } from "node:fs"
import type { Config } from "../../config/config.ts"
import { keyOf } from "../../config/models/instance-name.ts"
import type { Described, Loaded } from "../../config/sources/loaded.ts"
import { createLogFile } from "../../observe/log-files.ts"
import type { RunningServer } from "../../server/server.ts"
import { version } from "../common/version.ts"
import { type CommandIo, type Environment, say } from "../terminal/io.ts"
import { isHeldUp } from "../terminal/shown-lines.ts"
import { claim, explainHolder, update } from "./claim.ts"
import { ownFolder, stateFolder } from "./folder.ts"
import { inherited } from "./inherited.ts"
import { type InstanceRecord, newRecord, type StartFacts } from "./record.ts"
import { createStore, type Store, storeProblem } from "./store.ts"

type Listening = Pick<RunningServer, "url" | "hostname" | "port">

export interface Self {
  /** Given back by /health. */
  readonly instance: { readonly name: string; readonly id: string }
  /** What is written to `error` goes into its log; in the foreground also where it went before. */
  readonly io: CommandIo
  /** Nobody sees its output: what it has to say at the start is written down instead. */
  readonly background: boolean
  /** Writes down that it listens; gives the sentence that says who has the name, when somebody else has by now. */
  readonly announce: (facts: StartFacts, server: Listening) => Promise<string | undefined>
  /** Resolves when it is asked to end other than by a signal. */
  readonly asked: Promise<string>
  /** Writes down that it is ending, so that nobody tells it a second time. */
  readonly draining: (shutdownMs: number) => Promise<void>
  /** Takes the file away and writes the rest of the log. */
  readonly leave: () => Promise<void>
}

interface SelfOptions {
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
  const { id = crypto.randomUUID() } = inherited(env)
  const background = inherited(env).id !== undefined
  const { name } = options
  const { config } = loaded
  ownFolder(store.logs.folder)
  const fresh = newRecord({ ...options, cwd: process.cwd() }, id, store.logs.pathOf(name))
  const draft = { ...fresh, ...factsOf(loaded), detached: background }
  if (background) {
    const taken = await writeOver(store, draft, (found) => ({ ...found, ...factsOf(loaded) }))
    if (taken !== undefined) return taken
  } else {
    const claimed = await claim(store, draft)
    if (!claimed.ok) return explainHolder(claimed)
    await store.locked(name, () => store.logs.absorb(name))
  }
  const file = createLogFile({
    folder: store.logs.folder,
    name: keyOf(name),
    retentionDays: config.logRetentionDays,
    now: () => new Date(),
    onProblem: (message) => say(io, message),
  })
  const flush = () => file.flushNow()
  process.on("exit", flush)
  const tellBoth = (tell: CommandIo["error"]) => (text: string) => {
    file.write(text.replace(/\n$/, ""))
    if (!background && !isHeldUp(io)) tell(text)
  }
  const asked = watchStopFile(store.stopFile({ name, id }))
  return {
    instance: { name, id },
    io: {
      ...io,
      // The file takes every line, whatever becomes of the terminal.
      errorWaits: () => 0,
      error: tellBoth(io.error),
      errorSoon: tellBoth(io.errorSoon ?? io.error),
    },
    background,
    announce: (facts, server) => writeOver(store, draft, (found) => running(found, facts, server)),
    draining: async (shutdownMs) => {
      // What cannot be written down must not keep it from ending.
      await update(store, { name, id }, (found) => ({ ...found, state: "draining", shutdownMs })).catch(
        () => {},
      )
    },
    asked: asked.asked,
    leave: async () => {
      asked.close()
      await file.close()
      process.off("exit", flush)
      await store.locked(name, () => leave(store, { name, id })).catch(() => {})
    },
  }
}

function leave(store: Store, { name, id }: Pick<InstanceRecord, "name" | "id">): void {
  const found = store.read(name)
  store.remove({ name, id })
  if (found?.id === id && found.keep) store.write({ ...found, state: "ended" })
}

/** Changes what is written of it, or writes it anew where the file was deleted; else says who has the name. */
async function writeOver(
  store: Store,
  draft: InstanceRecord,
  change: (found: InstanceRecord) => InstanceRecord,
): Promise<string | undefined> {
  if (await update(store, draft, change)) return undefined
  const claimed = await claim(store, change(draft), 0)
  return claimed.ok ? undefined : explainHolder(claimed)
}

function running(found: InstanceRecord, facts: StartFacts, server: Listening): InstanceRecord {
  const { url, port, hostname: host } = server
  return { ...found, state: "running", pid: process.pid, url, port, host, facts }
}

/** What is only known when the settings are read. */
function factsOf({ config, described }: { config: Config; described: Described }): Partial<InstanceRecord> {
  return {
    version,
    pid: process.pid,
    host: config.host,
    port: config.port,
    freePort: config.port === 0,
    shutdownMs: config.shutdownTimeoutMs,
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
