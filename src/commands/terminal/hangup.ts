// SIGHUP, which a terminal sends when it goes.
import { readFileSync } from "node:fs"

/**
 * Was this process started so that it outlives its terminal (nohup)? A listener of ours would undo that. To be asked
 * before there is one; only Linux tells.
 */
export function ignoresHangup(): boolean {
  if (process.platform !== "linux") return false
  try {
    // A mask in hexadecimal, whose lowest bit is SIGHUP's.
    const [, last = "0"] =
      /^SigIgn:\s*[0-9a-f]*([0-9a-f])$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? []
    return Number.parseInt(last, 16) % 2 === 1
  } catch {
    return false
  }
}
