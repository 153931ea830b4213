// `--workers N`: several processes of one proxy on one port. This one, the main process, is the first of them; it
// starts the others, gives them the settings, adds up what they count, and ends them.
import type { Loaded } from "../../config/sources/loaded.ts"
import type { Logger } from "../../observe/log.ts"
import type { OtherShares, Share, Siblings, WorkerCount } from "../../server/figures/siblings.ts"
import type { RunningServer } from "../../server/server.ts"
import type { LogWishes } from "../common/logging.ts"
import type { Environment } from "../terminal/io.ts"
import type { LiveConfigOptions } from "./live-config.ts"
import type { ToWorker } from "./worker-messages.ts"
import { createSlot, type Slot, type SlotTimes } from "./worker-slot.ts"

export interface WorkersOptions {
  /** This process included. */
  readonly total: number
  readonly loaded: Loaded
  readonly env: Environment
  readonly instance: { readonly name: string; readonly id: string } | undefined
  readonly log: Logger
  /** Gets whole lines of what the others write to standard error. */
  readonly show: (text: string) => void
  readonly times?: Partial<SlotTimes>
}

type Following = Pick<LiveConfigOptions, "server" | "makeLog">

export interface Workers {
  /** This process as one of them. */
  readonly siblings: Siblings
  /** Starts the others on this server's port; resolves when each of them listens, or has failed to. */
  readonly begin: (server: RunningServer) => Promise<void>
  /** What changes here changes in all of them. */
  readonly follow: (here: Following) => Following
  /** Lets them finish what runs, and resolves when they are gone. */
  readonly stop: (graceMs: number) => Promise<void>
}

// Those who have not said by then what they have counted are told of as being down.
const longestMs = 450

/** Starts nothing yet. */
export function createWorkers(options: WorkersOptions): Workers {
  const { total, instance, loaded } = options
  let { config } = loaded
  let wishes: LogWishes = { origin: loaded.described.origins["LOG_FILE_PATH"] }
  let main: RunningServer | undefined

  const slots = Array.from({ length: total - 1 }, (_, index) => {
    const worker = index + 2
    return createSlot({
      ...options,
      worker,
      first: () => {
        const port = main?.port ?? config.port
        return { kind: "start", worker, port, config, wishes, instance, count: count() }
      },
      onAsk: (write) => gather(write, worker),
      onChange: () => sendAll({ kind: "count", count: count() }),
    })
  })

  function count(): WorkerCount {
    return { total, up: 1 + slots.filter((slot) => slot.isUp()).length }
  }

  function sendAll(message: ToWorker): void {
    for (const slot of slots) slot.send(message)
  }

  /** What all but the asker have counted, and what the asker's place had counted before it. */
  async function gather(write: boolean, asker = 1): Promise<OtherShares> {
    const until = performance.now() + longestMs
    const answered = new Set<Slot>()
    const ask = async (slot: Slot) => {
      if (slot.worker !== asker && (await slot.ask(false, longestMs))) answered.add(slot)
    }
    await Promise.all(slots.map(ask))
    for (const slot of write ? answered : []) {
      // One after the other: two that write at once keep each other from it.
      const left = until - performance.now()
      if (left > 0) await slot.ask(true, left)
    }
    const own = asker === 1 ? undefined : await main?.share(write)
    const figures = slots.map((slot) =>
      slot.worker === asker ? slot.former() : slot.figures(answered.has(slot)),
    )
    return {
      shares: [own, ...figures].filter((share): share is Share => share !== undefined),
      // This process answers, and so does who asks.
      count: { total, up: answered.size + (asker === 1 ? 1 : 2) },
    }
  }

  return {
    siblings: { worker: 1, count, ask: (_own, write) => gather(write) },
    begin: async (server) => {
      main = server
      for (const slot of slots) slot.start()
      await Promise.all(slots.map(({ settled }) => settled))
    },
    follow: ({ server, makeLog }) => ({
      makeLog: (next, given) => {
        wishes = given
        return makeLog(next, given)
      },
      server: {
        reload: (next) => {
          config = next
          sendAll({ kind: "reload", config, wishes })
          server.reload(next)
        },
      },
    }),
    stop: async (graceMs) => {
      await Promise.all(slots.map((slot) => slot.stop(graceMs)))
    },
  }
}
