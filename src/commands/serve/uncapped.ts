// Bun's fetch runs 256 requests at once and queues the rest without a word. The number is read from the
// environment before any of our code runs, so a server that wants more has to begin again with it set; and with what
// the engine itself is to be told there.

import { compiled } from "../common/version.ts"
import { isDescriptor } from "../instances/descriptor.ts"
import { defined, type Environment } from "../terminal/io.ts"

export const variable = "BUN_CONFIG_MAX_HTTP_REQUESTS"

/** The largest number Bun takes. */
export const most = "65336"

// What the engine reads of its environment before it starts, too, unless the user has set it.
const engine = {
  // Memory that is let go of goes back to the system after 100 ms, and costs more to get again than what a large
  // request does with it. It is kept for longer; who is idle gives it back at once (server/heap/tidy.ts).
  MIMALLOC_PURGE_DELAY: "60000",
  // The last tier of the compiler is worth it for loops over large texts alone: for all that runs once in a request it
  // cost the first ten thousand of them more than it ever saved.
  BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "1000000",
  // Pages of the heap that are free until the next request were given back to the system with each collection, and a
  // thread of its own fetched them again: a tenth of what a stream costs. Whole blocks still go back.
  BUN_JSC_decommitUnusedMarkedBlockPages: "0",
  BUN_JSC_useWarmUpMarkedBlocks: "0",
  // What was in flight at a collection counts as old, and was let go of only when three quarters of the heap were of
  // that kind: sooner, the heap stays smaller and nearer to the processor.
  BUN_JSC_minEdenToOldGenerationRatio: "0.5",
}

/**
 * - `ready`: this process has the number it wants, or the one the user wants.
 * - `capped`: that could not be had; going on is still better than not.
 * - a number: another process did the work and has ended; it is the exit code.
 */
type Uncapped = "ready" | "capped" | number

/** To be called before anything else. On POSIX it does not return the first time: the process begins anew. */
export async function ensureUncapped(env: Environment): Promise<Uncapped> {
  if ((env[variable] ?? "") !== "") return "ready"
  // Bun closes every file but the first three on the way, and what a pipe held would be lost.
  if (process.platform !== "win32" && descriptorGiven()) return "capped"
  const environment = { ...engine, ...env, [variable]: most }
  const [program = process.execPath, ...args] = commandLine()
  try {
    if (process.platform === "win32") return await again([program, ...args], environment)
    // In place: same pid, same terminal, same parent, nobody left to pass signals on.
    process.execve?.(program, [program, ...args], defined(environment))
  } catch {
    // Some sandboxes forbid it.
  }
  return "capped"
}

function descriptorGiven(): boolean {
  return process.argv.some((word) => isDescriptor(word.replace(/^--[\w-]+=/, "")))
}

/** How this process was started. The compiled binary puts two words of its own before the user's. */
function commandLine(): readonly string[] {
  if (compiled) return [process.execPath, ...process.argv.slice(2)]
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
}

// Windows has no exec. There the console sends ^C to both processes, so this one only has to wait, and Bun
// puts its children into a job that ends with their parent.
async function again(command: readonly string[], env: Environment): Promise<number> {
  const child = Bun.spawn([...command], { env, stdio: ["inherit", "inherit", "inherit"] })
  const end = () => child.kill()
  const wait = () => {}
  process.on("exit", end)
  process.on("SIGINT", wait)
  process.on("SIGTERM", end)
  return await child.exited
}
