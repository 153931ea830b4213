// One more process of this program, to answer on the same port, and how it is talked to.

import { ownProgram, workerEnvironment } from "../instances/inherited.ts"
import type { Environment } from "../terminal/io.ts"
import { most, variable } from "./uncapped.ts"
import { type FromWorker, isFromWorker, type ToWorker } from "./worker-messages.ts"

export type Child = Bun.Subprocess<"ignore", "ignore", "pipe">

interface Spawned {
  readonly child: Child
  /** Resolves when it has nothing more to say. */
  readonly disconnected: Promise<void>
}

/** Starts it; throws what the system says when it cannot be started. */
export function spawnWorker(env: Environment, hear: (from: Child, message: FromWorker) => void): Spawned {
  const { promise: disconnected, resolve } = Promise.withResolvers<void>()
  // It need not begin anew to have Bun's limit lifted: its environment is ours to make.
  const limit = (env[variable] ?? "") === "" ? most : env[variable]
  const child = Bun.spawn([...ownProgram(), "serve"], {
    env: workerEnvironment(env, { [variable]: limit }),
    stdio: ["ignore", "ignore", "pipe"],
    // A session of its own: ^C at the terminal reaches the main process alone, which passes it on once.
    detached: true,
    windowsHide: true,
    serialization: "advanced",
    ipc: (given, from) => {
      if (isFromWorker(given)) hear(from, given)
    },
    onDisconnect: () => resolve(),
  })
  return { child, disconnected }
}

/** What cannot be sent any more is not missed: the end of the process is told anyway. */
export function post(child: Child, message: ToWorker): void {
  try {
    child.send(message)
  } catch {
    // It has just gone.
  }
}
