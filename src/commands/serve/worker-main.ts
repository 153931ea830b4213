// The main process, as a worker sees it: who gives it its settings and tells it to end.
import type { OtherShares } from "../../server/figures/siblings.ts"
import { type FromWorker, isToWorker, type Of, type ToWorker } from "./worker-messages.ts"

/** Why it is to end, and how long requests may go on; undefined: as long as usual. */
interface Told {
  readonly reason: string
  readonly graceMs?: number | undefined
  /** By a signal of its own: the others may go on. */
  readonly alone?: true
}

type Ask = Of<FromWorker, "ask">
type Others = Of<ToWorker, "others">

export interface Main {
  readonly send: (message: FromWorker) => void
  /** Resolves when it is on its way. */
  readonly sendLast: (message: FromWorker) => Promise<void>
  /** With what this process begins; undefined: it need not any more. */
  readonly started: Promise<Of<ToWorker, "start"> | undefined>
  /** Hears everything that is said after the start, also what was said before this was called. */
  readonly hear: (listener: (message: ToWorker) => void) => void
  /** What it answers; undefined when it does not in time. Never rejects. */
  readonly ask: (question: Omit<Ask, "id">, limitMs: number) => Promise<OtherShares | undefined>
  /** Resolves when this process is to end: told, by a signal of its own, or because the main one is gone. */
  readonly stopped: Promise<Told>
  /** Resolves when the main process is gone, however it went. */
  readonly gone: Promise<void>
  /** Nothing is heard or sent any more. */
  readonly close: () => void
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
const sentMs = 500

/** To be called by a process that another one of this program has started for it. */
export function connect(): Main {
  const started = Promise.withResolvers<Of<ToWorker, "start"> | undefined>()
  const stopped = Promise.withResolvers<Told>()
  const gone = Promise.withResolvers<void>()
  const asked = new Map<number, (others: Others | undefined) => void>()
  const early: ToWorker[] = []
  let listener = (message: ToWorker): void => void early.push(message)
  let asks = 0
  let signalled = false

  function onMessage(message: unknown): void {
    if (!isToWorker(message)) return
    if (message.kind === "start") started.resolve(message)
    else if (message.kind === "others") asked.get(message.id)?.(message)
    else if (message.kind === "stop") stop({ reason: "told by the main process", graceMs: message.graceMs })
    else listener(message)
  }

  function stop(told: Told): void {
    started.resolve(undefined)
    stopped.resolve(told)
  }

  /** A service manager may send everybody the signal that the main process tells us of as well: only signals count. */
  function onSignal(name: NodeJS.Signals): void {
    if (signalled) {
      release()
      process.kill(process.pid, name)
      return
    }
    signalled = true
    stop({ reason: name, alone: true })
  }

  function onGone(): void {
    gone.resolve()
    stop({ reason: "the main process has ended", graceMs: 0 })
  }

  function release(): void {
    for (const name of signals) process.off(name, onSignal)
    process.off("message", onMessage)
    process.off("disconnect", onGone)
  }

  for (const name of signals) process.on(name, onSignal)
  process.on("message", onMessage)
  process.on("disconnect", onGone)
  // It may have gone before anybody here could hear of it.
  if (!process.connected) onGone()

  return {
    send: (message) => void post(message),
    sendLast: (message) => post(message),
    started: started.promise,
    hear: (next) => {
      listener = next
      for (const message of early.splice(0)) next(message)
    },
    ask: async (question, limitMs) => {
      const id = asks++
      const { promise, resolve } = Promise.withResolvers<Others | undefined>()
      const timer = setTimeout(() => resolve(undefined), limitMs)
      asked.set(id, resolve)
      void post({ ...question, id })
      const others = await promise
      clearTimeout(timer)
      asked.delete(id)
      return others
    },
    stopped: stopped.promise,
    gone: gone.promise,
    close: () => {
      release()
      if (process.connected) process.disconnect?.()
    },
  }
}

/** What cannot be sent has nobody to read it. */
async function post(message: FromWorker): Promise<void> {
  const sent = Promise.withResolvers<void>()
  const timer = setTimeout(sent.resolve, sentMs)
  try {
    process.send?.(message, undefined, undefined, () => sent.resolve())
    await sent.promise
  } catch {
    // The main process has just gone.
  } finally {
    clearTimeout(timer)
  }
}
