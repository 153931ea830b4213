// A process as its system sees it.
import { readdirSync, readFileSync } from "node:fs"
import { residentMb } from "./workers.ts"

/** Files, sockets and pipes that it has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** How many of them it may have. */
export function openFilesLimit(pid: number): number {
  const found = /Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1]
  return found === undefined ? Number.POSITIVE_INFINITY : Number(found)
}

export interface Watch {
  /** The most memory that was seen, in MiB, and the most open files. */
  readonly most: () => { readonly residentMb: number; readonly files: number }
  readonly stop: () => void
}

/** Looks four times a second. */
export function watchProcess(pid: number): Watch {
  let most = { residentMb: 0, files: 0 }
  const timer = setInterval(() => {
    most = {
      residentMb: Math.max(most.residentMb, residentMb(pid)),
      files: Math.max(most.files, openFiles(pid)),
    }
  }, 250)
  return { most: () => most, stop: () => clearInterval(timer) }
}
