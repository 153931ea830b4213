// Who listens on a port, for the message that says it is taken. A guess that must never hurt: bounded in
// time, silent about its own failures.
import { readdir, readFile, readlink } from "node:fs/promises"
import { basename } from "node:path"

const longestMs = 1_000

/** `node (pid 1234)` for the program that listens on a TCP port of this machine; undefined if nobody tells. */
export async function describeHolder(port: number): Promise<string | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), longestMs)
  try {
    const lookUp = { linux: onLinux, darwin: onMac, win32: onWindows }[process.platform.toString()]
    return await Promise.race([lookUp?.(port), late.promise])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

async function onLinux(port: number): Promise<string | undefined> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readText(path)))
  const sockets = new Set(tables.flatMap((table) => listeningSockets(table, port)))
  if (sockets.size === 0) return undefined
  const until = performance.now() + longestMs
  for (const pid of await readdir("/proc")) {
    if (performance.now() > until) return undefined
    if (/^\d+$/.test(pid) && (await holdsSocket(pid, sockets))) return named(await programOf(pid), pid)
  }
  return undefined
}

/** `socket:[inode]` of every listener on the port, from the text of /proc/net/tcp or tcp6. */
export function listeningSockets(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0")
  return table.split("\n").flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    return state === "0A" && local?.endsWith(`:${wanted}`) ? [`socket:[${inode}]`] : []
  })
}

async function holdsSocket(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  try {
    const folder = `/proc/${pid}/fd`
    for (const file of await readdir(folder)) {
      if (sockets.has(await readlink(`${folder}/${file}`).catch(() => ""))) return true
    }
  } catch {
    // Another user's process, or one that has just ended.
  }
  return false
}

async function programOf(pid: string): Promise<string> {
  const [program = ""] = (await readText(`/proc/${pid}/cmdline`)).split("\0")
  return basename(program) || (await readText(`/proc/${pid}/comm`)).trim()
}

async function onMac(port: number): Promise<string | undefined> {
  return parseLsof(await output(["lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"]))
}

/** From `lsof -Fpc`: one field a line, its kind as the first letter. */
export function parseLsof(text: string): string | undefined {
  const field = (kind: string) => new RegExp(`^${kind}(.+)$`, "m").exec(text)?.[1]
  const pid = field("p")
  return pid === undefined ? undefined : named(field("c") ?? "", pid)
}

async function onWindows(port: number): Promise<string | undefined> {
  const pid = parseNetstat(await output(["netstat", "-ano", "-p", "TCP"]), port)
  if (pid === undefined) return undefined
  return named(parseTasklist(await output(["tasklist", "/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"])), pid)
}

/** The pid of a listener. The word for its state is translated; that nobody is at its other end is not. */
export function parseNetstat(text: string, port: number): string | undefined {
  const rows = text.split(/\r?\n/).map((line) => line.trim().split(/\s+/))
  const row = rows.find(
    ([kind, local, remote]) =>
      kind === "TCP" && local?.endsWith(`:${port}`) && (remote === "0.0.0.0:0" || remote === "[::]:0"),
  )
  return row?.at(-1)
}

/** The program's name from one CSV row of tasklist. */
export function parseTasklist(text: string): string {
  return /^"([^"]+)","\d+"/m.exec(text)?.[1] ?? ""
}

function named(program: string, pid: string): string {
  return program === "" ? `pid ${pid}` : `${program} (pid ${pid})`
}

async function output(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stderr: "ignore",
    timeout: longestMs,
    windowsHide: true,
  })
  return await new Response(child.stdout).text()
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "")
}
