// What the figures were measured on.
import { cpus, loadavg, release, totalmem, type } from "node:os"
import { join } from "node:path"
import type { Machine } from "./results.ts"

const root = join(import.meta.dir, "../../..")

/** The commit, and whether there is more than it in the folder; `unknown` without git. */
function commit(): string {
  const git = (...args: readonly string[]) => {
    const { stdout, success } = Bun.spawnSync(["git", ...args], { cwd: root, stderr: "ignore" })
    return success ? stdout.toString().trim() : ""
  }
  try {
    const name = git("rev-parse", "--short", "HEAD")
    if (name === "") return "unknown"
    return git("status", "--porcelain") === "" ? name : `${name} with changes`
  } catch {
    return "unknown"
  }
}

export function readMachine(): Machine {
  const processors = cpus()
  return {
    processors: processors.length,
    model: processors[0]?.model.trim() ?? "unknown",
    memoryGb: totalmem() / 2 ** 30,
    system: `${type()} ${release().split("-")[0]}`,
    bun: Bun.version,
    commit: commit(),
    loadAtStart: loadavg()[0] ?? 0,
    at: new Date().toISOString().slice(0, 10),
  }
}
