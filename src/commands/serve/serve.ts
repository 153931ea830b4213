// `serve`: starts the proxy, says where and with what, and serves until it is told to stop. In the background,
// and when it starts several, it is done by others of the same program: see instances/.
import type { Needs } from "../../config/load/load.ts"
import type { Logger } from "../../observe/log.ts"
import type { RunningServer } from "../../server/server.ts"
import { loadSettings } from "../common/load-settings.ts"
import { createLogging, type Logging } from "../common/logging.ts"
import { logStrays } from "../common/strays.ts"
import { tellProblems } from "../common/tell-problems.ts"
import { version } from "../common/version.ts"
import { isDescriptor } from "../instances/descriptor.ts"
import { stateFolder } from "../instances/folder.ts"
import { inherited, parentGone } from "../instances/inherited.ts"
import { flagsOf, planLoaded, planStart, type Start, type StartOptions } from "../instances/plan.ts"
import type { StartFacts } from "../instances/record.ts"
import type { Self } from "../instances/self.ts"
import { renderOpenWarning, renderStart, startFacts } from "../instances/start-block.ts"
import { createRefusalKeeper } from "../models/refusal-keeper.ts"
import { createKeeper } from "../stats/keeper.ts"
import { type CommandIo, type Environment, fail } from "../terminal/io.ts"
import { untilStopped } from "../terminal/until-stopped.ts"
import { createLiveLog, followSettings, type Settings } from "./live-config.ts"
import { most, variable } from "./uncapped.ts"
import { listen } from "./worker-port.ts"
import { limitsNote, workerTotal } from "./worker-total.ts"
import type { Workers, WorkersOptions } from "./workers.ts"

interface ServeOptions extends StartOptions {
  /** Bun's limit of 256 requests at once could not be lifted. */
  readonly capped: boolean
}

/** Runs until a signal; 0 after a clean stop, 1 when the address cannot be had, 2 for a broken configuration. */
export async function serve(given: ServeOptions, io: CommandIo, env: Environment): Promise<number> {
  const options = { ...given, pipes: given.pipes ?? new Map() }
  return begin(planStart(options, env), options, io, env)
}

// What others are needed for is loaded with them.
async function begin(
  start: Start<ServeOptions>,
  options: ServeOptions,
  io: CommandIo,
  env: Environment,
): Promise<number> {
  switch (start.kind) {
    case "wrong":
      return fail(io, start.problem, 2)
    case "many":
      return (await import("../instances/many.ts")).serveMany(start.instances, options, io, env)
    case "background":
      return (await import("../instances/background.ts")).serveInBackground(start.options, io, env)
    case "here":
      return serveHere(start.options, io, env)
    default:
      return start satisfies never
  }
}

async function serveHere(options: ServeOptions, io: CommandIo, env: Environment): Promise<number> {
  const upstream = options.demo ? (await import("../../server/demo.ts")).startDemoUpstream() : undefined
  try {
    const { host, port, modelsFile, logLevel, envFile, pipes } = options
    const needs: Needs = {
      flags: { HOST: host, PORT: port, CUSTOM_MODELS_FILE: modelsFile, LOG_LEVEL: logLevel },
      envFile,
      localFile: true,
      needsUpstream: true,
      listens: true,
      demoBaseUrl: upstream?.baseUrl,
      terminal: inherited(env).terminal || undefined,
      pipes,
    }
    const load = () => loadSettings(needs)
    const loaded = await load()
    const start = planLoaded(options, loaded, env)
    if (start.kind !== "here") return await begin(start, options, io, env)
    if (loaded.ok && inherited(env).trial) return 0
    if (loaded.ok) return await serveAs({ loaded, load }, options, io, env)
    return tellProblems(loaded, io)
  } finally {
    await upstream?.stop()
  }
}

/** Under its name, if it has one. */
async function serveAs(
  settings: Settings,
  options: ServeOptions,
  io: CommandIo,
  env: Environment,
): Promise<number> {
  const { loaded } = settings
  const { name, envFile } = options
  const self =
    name === undefined
      ? undefined
      : await (await import("../instances/self.ts")).enter(
          { name, argv: flagsOf(options), envFile },
          loaded,
          io,
          env,
        )
  if (typeof self === "string") return fail(io, self)
  const origin = loaded.described.origins["LOG_FILE_PATH"]
  const { total, warning } = workerTotal(options.workers)
  const worker = total > 1 ? 1 : undefined
  const logging = createLogging(loaded.config, self?.io ?? io, { stderr: true, origin, worker })
  if (options.capped) sayCapped(logging, [options.envFile, options.modelsFile])
  if (warning !== undefined) logging.log.warn(warning)
  try {
    return await serveWith({ ...settings, total }, logging, self, io, env)
  } finally {
    await logging.close()
    await self?.leave()
  }
}

/** To lift the limit costs a beginning anew, which some systems forbid, and which a pipe does not outlive. */
function sayCapped({ log }: Logging, files: readonly (string | undefined)[]): void {
  const piped = files.some((path) => path !== undefined && isDescriptor(path))
  if (piped)
    log.info(`settings from a pipe: at most 256 requests run at once, unless ${variable}=${most} is set`)
  else log.warn("at most 256 requests can run at once: this system does not let us lift Bun's limit")
}

interface Serving extends Settings {
  /** Of the processes that answer on the port, this one included. */
  readonly total: number
}

async function serveWith(
  settings: Serving,
  logging: Logging,
  self: Self | undefined,
  io: CommandIo,
  env: Environment,
): Promise<number> {
  const { config, warnings, described } = settings.loaded
  const live = createLiveLog(logging)
  const { log, onExchange } = live
  const history = createKeeper({ folder: stateFolder(env), log, config })
  const refusals = createRefusalKeeper({ folder: stateFolder(env), log })
  for (const warning of warnings) log.warn(warning)
  const show = (self?.io ?? io).error
  const workers = await workersFor({ ...settings, env, log, show, instance: self?.instance })
  let server: RunningServer
  try {
    await refusals.load()
    const instance = self?.instance
    server = listen({ config, log, version, onExchange, history, refusals, instance }, workers)
  } catch (error) {
    return (await import("./start-failure.ts")).startFailure(error, config, io)
  }
  // From here on a signal ends it in good order: who reads that it listens may send one at once.
  const parent = parentGone(env)
  const strays = logStrays(log)
  try {
    const stopped = untilStopped([...(self === undefined ? [] : [self.asked]), parent.gone])
    await Promise.race([workers?.begin(server), stopped])
    const infos = [...described.infos, ...limitsNote(settings.total, config)]
    const facts = startFacts(server, config, { ...described, infos }, warnings)
    const taken = await self?.announce(facts, server)
    if (taken !== undefined) {
      await Promise.all([server.stop(0), workers?.stop(0)])
      return fail(io, taken)
    }
    tell(facts, server, log, self, io)
    const here = { server, makeLog: logging.renew }
    const following = followSettings({ ...settings, live, ...(workers?.follow(here) ?? here) })
    const reason = await stopped.finally(following.close)
    const graceMs = server.graceMs()
    log.info(`${reason}: finishing running requests, at most ${graceMs / 1000} s; once more ends at once`)
    await Promise.all([server.stop(graceMs), workers?.stop(graceMs), self?.draining(graceMs)])
    return 0
  } finally {
    await workers?.stop(0)
    await Promise.all([history.close(), refusals.close()])
    strays.release()
    parent.release()
  }
}

/** Undefined for this process alone: what others need is not even loaded. */
async function workersFor(options: WorkersOptions): Promise<Workers | undefined> {
  if (options.total === 1) return undefined
  const { createWorkers } = await import("./workers.ts")
  return createWorkers(options)
}

/** That it listens: in the background it is written down instead, for whoever has started it. */
function tell(
  facts: StartFacts,
  server: RunningServer,
  log: Logger,
  self: Self | undefined,
  io: CommandIo,
): void {
  if (self !== undefined) log.info(`listening on ${server.url}`)
  if (self?.background) return
  if (facts.openAt !== null) io.error(renderOpenWarning(facts.openAt))
  io.out(renderStart(facts, io.color, self === undefined ? [] : [["name", self.instance.name]]))
}
