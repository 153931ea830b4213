// What the kernel says of processes. Where there is no /proc, nothing is known.
import { readFileSync } from "node:fs"

/** A tick of the kernel's accounts, in seconds: the same on every Linux. */
const tick = 0.01

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return undefined
  }
}

/** The fields of a process's line of state, from its state on. */
function fieldsOf(pid: number): readonly string[] | undefined {
  const stat = read(`/proc/${pid}/stat`)
  // The name in brackets may hold anything.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")
}

/** When a process was started: with its number it names this one process and no later one. */
export function startedAt(pid: number): string | undefined {
  return fieldsOf(pid)?.[19]
}

/** Seconds of processor time so far, of all threads together; `ended` adds the children that have ended. */
export function cpuSeconds(pid: number, ended = false): number | undefined {
  const ticks = fieldsOf(pid)
    ?.slice(11, ended ? 15 : 13)
    .map(Number)
  return ticks === undefined ? undefined : ticks.reduce((sum, one) => sum + one, 0) * tick
}

/** Resident memory in KB, now and at its highest. */
export function memory(pid: number): { readonly now: number; readonly most: number } | undefined {
  const status = read(`/proc/${pid}/status`)
  const [now, most] = ["VmRSS", "VmHWM"].map((name) =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status ?? "")?.[1]),
  )
  return now === undefined || most === undefined || Number.isNaN(now + most) ? undefined : { now, most }
}

/** Seconds that all processors together have worked, apart from interrupts. */
export function machineSeconds(): number | undefined {
  const fields = read("/proc/stat")?.split("\n", 1)[0]?.trim().split(/\s+/).slice(1).map(Number)
  if (fields === undefined) return undefined
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = fields
  return (user + nice + system + steal) * tick
}

/** How many files and sockets a process like this one may have open; undefined: not known. */
export function openFilesLimit(): number | undefined {
  const found = /Max open files\s+(\d+|unlimited)/.exec(read("/proc/self/limits") ?? "")?.[1]
  if (found === undefined) return undefined
  return found === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(found)
}

/** An account of time: how much a process took, and which share of the machine went to others than `ours`. */
export function openAccount(target: number | undefined, ours: readonly number[], processors: number) {
  const own = () => ours.reduce((sum, pid) => sum + (cpuSeconds(pid, true) ?? 0), 0)
  const at = () => ({
    time: performance.now() / 1000,
    target: target === undefined ? undefined : cpuSeconds(target),
    own: own(),
    machine: machineSeconds(),
  })
  const before = at()
  return (): { readonly cpuSeconds?: number; readonly foreign?: number; readonly seconds: number } => {
    const after = at()
    const seconds = after.time - before.time
    const used = (from: number | undefined, to: number | undefined) =>
      from === undefined || to === undefined ? undefined : to - from
    const [cpu, machine] = [used(before.target, after.target), used(before.machine, after.machine)]
    const others = machine === undefined ? undefined : machine - (after.own - before.own)
    return {
      seconds,
      ...(cpu === undefined ? {} : { cpuSeconds: cpu }),
      ...(others === undefined ? {} : { foreign: Math.max(0, others) / (seconds * processors) }),
    }
  }
}
