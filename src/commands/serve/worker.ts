// One of several processes that answer on one port, from the second on. It has everything from the main process:
// the settings, when to end, and what the others have counted. It does not outlive it.
import type { Config } from "../../config/config.ts"
import type { Siblings, WorkerCount } from "../../server/figures/siblings.ts"
import { type RunningServer, startServer } from "../../server/server.ts"
import { createLogging, type Logging } from "../common/logging.ts"
import { logStrays } from "../common/strays.ts"
import { version } from "../common/version.ts"
import { stateFolder } from "../instances/folder.ts"
import { createRefusalKeeper } from "../models/refusal-keeper.ts"
import { createKeeper } from "../stats/keeper.ts"
import type { CommandIo, Environment } from "../terminal/io.ts"
import { createLiveLog } from "./live-config.ts"
import { connect, type Main } from "./worker-main.ts"
import type { Of, ToWorker } from "./worker-messages.ts"

type Start = Of<ToWorker, "start">

/** Answers until it is told to end; 0 then, and 1 when it cannot listen. */
export async function work(io: CommandIo, env: Environment): Promise<number> {
  const main = connect()
  try {
    main.send({ kind: "hello", version })
    const start = await main.started
    return start === undefined ? 0 : await serveAs(start, main, io, env)
  } finally {
    main.close()
  }
}

async function serveAs(start: Start, main: Main, io: CommandIo, env: Environment): Promise<number> {
  const { worker, wishes } = start
  const logging = createLogging(start.config, io, { ...wishes, stderr: true, worker })
  try {
    return await serveWith(start, main, logging, env)
  } finally {
    await logging.close()
  }
}

async function serveWith(start: Start, main: Main, logging: Logging, env: Environment): Promise<number> {
  const { host } = start.config
  const { port, worker, instance } = start
  const here = (config: Config) => Object.freeze({ ...config, host, port })
  const live = createLiveLog(logging)
  const { log, onExchange } = live
  const history = createKeeper({ folder: stateFolder(env), log, config: start.config })
  const refusals = createRefusalKeeper({ folder: stateFolder(env), log })
  const counted = countOf(start.count)
  const siblings: Siblings = { worker, count: counted.count, ask: createAsk(main, counted.count) }
  let server: RunningServer
  try {
    const config = here(start.config)
    await refusals.load()
    server = startServer({ config, log, version, onExchange, history, refusals, instance, siblings })
  } catch (error) {
    log.error("cannot listen", () => ({ error }))
    return 1
  }
  const strays = logStrays(log)
  main.hear((message) => {
    if (message.kind === "count") counted.use(message.count)
    else if (message.kind === "reload") reload(message)
    else if (message.kind === "tell") void tell(message)
  })

  function reload({ config, wishes }: Of<ToWorker, "reload">): void {
    try {
      const writers = logging.renew(config, wishes)
      server.reload(here(config))
      live.use(writers)
    } catch (error) {
      log.error("the changed settings are not used here, those in force stay", () => ({ error }))
    }
  }

  async function tell({ id, write }: Of<ToWorker, "tell">): Promise<void> {
    main.send({ kind: "told", id, share: await server.share(write) })
  }

  try {
    main.send({ kind: "listening" })
    const { reason, graceMs, alone } = await main.stopped
    log.debug(`${reason}: finishing running requests`)
    if (alone) server.acceptNoMore()
    // Nobody outlives the main process, not even to finish a reply.
    await Promise.race([server.stop(graceMs), main.gone.then(() => server.stop(0))])
    await main.sendLast({ kind: "last", share: await server.share(false) })
    return 0
  } finally {
    await Promise.all([history.close(), refusals.close()])
    strays.release()
  }
}

function countOf(first: WorkerCount): { count: () => WorkerCount; use: (next: WorkerCount) => void } {
  let current = first
  return {
    count: () => current,
    use: (next) => {
      current = next
    },
  }
}

// Longer than the main process waits for the others.
const askMs = 600

function createAsk(main: Main, count: Siblings["count"]): Siblings["ask"] {
  return async (own, write) => {
    const others = await main.ask({ kind: "ask", share: own, write }, askMs)
    return others ?? { shares: [], count: { ...count(), up: 1 } }
  }
}
