// Is an instance there? Its port is asked, and must know the instance's id: a process id alone may be anybody's
// by now, and the port may be another program's.
import { readFile } from "node:fs/promises"
import { keyOf } from "../../config/models/instance-name.ts"
import { errorCode } from "../../protocol/fault.ts"
import { type JsonObject, jsonOf, objectOf } from "../../protocol/json.ts"
import type { InstanceRecord } from "./record.ts"

type Probe =
  | { readonly kind: "ours"; readonly health: JsonObject }
  /** Somebody answers, but not this instance. */
  | { readonly kind: "other" }
  | { readonly kind: "silent" }

const probeMs = 2_000
const longestAnswer = 65_536

/** Asks the port. Never throws, and never takes longer than `limitMs`. */
export async function probe(
  { url, id }: Pick<InstanceRecord, "url" | "id">,
  limitMs: number = probeMs,
): Promise<Probe> {
  if (url === "") return { kind: "silent" }
  try {
    const response = await fetch(`${url}/health`, {
      signal: AbortSignal.timeout(limitMs),
      redirect: "manual",
      proxy: false,
      // Whether it is the right one is told by the id; its certificate is for names, not for loopback.
      tls: { rejectUnauthorized: false },
    })
    const health = objectOf(jsonOf(await readSome(response)))
    return objectOf(health["instance"])["id"] === id ? { kind: "ours", health } : { kind: "other" }
  } catch (error) {
    // What is not HTTP at all is somebody else as well.
    const code = errorCode(error) ?? ""
    return { kind: /HTTP|Malformed|Invalid/i.test(code) ? "other" : "silent" }
  }
}

/** Whatever runs there may send without end. */
async function readSome(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true })
    if (text.length > longestAnswer) break
  }
  return text
}

export type Liveness =
  | { readonly kind: "running"; readonly health: JsonObject }
  | { readonly kind: "starting" }
  /** It was told to end, and lets its running requests finish. */
  | { readonly kind: "draining" }
  /** Its process is there, but does not answer. */
  | { readonly kind: "hung" }
  /** It does not answer, and whether the process that has its id is it, nobody tells. */
  | { readonly kind: "unclear" }
  | { readonly kind: "dead"; readonly why: string }

/** After this time a start has failed. */
export const startLimitMs = 60_000

/** How an instance is, now. */
export async function livenessOf(record: InstanceRecord): Promise<Liveness> {
  const { state } = record
  if (state === "ended") return { kind: "dead", why: "its restart failed or was broken off" }
  const answer = await probe(record)
  if (answer.kind === "ours")
    return state === "draining" ? { kind: "draining" } : { kind: "running", health: answer.health }
  const age = Date.now() - Date.parse(record.startedAt)
  if (state === "starting" && age < startLimitMs) return await livenessOfStart(record)
  const found = await processOf(record)
  if (found === "gone") return { kind: "dead", why: whyDead(state, answer) }
  if (state === "draining") return { kind: "draining" }
  return { kind: found === "ours" ? "hung" : "unclear" }
}

/** Its command line tells nothing yet: for some moments a new process has none, or that of who started it. */
async function livenessOfStart({ state, pid }: InstanceRecord): Promise<Liveness> {
  const over = pid !== null && (pid === process.pid || !isThere(pid) || (await isZombie(pid)))
  return over ? { kind: "dead", why: whyDead(state) } : { kind: "starting" }
}

function whyDead(state: InstanceRecord["state"], answer?: Probe): string {
  if (state === "starting") return "it did not come up"
  return answer?.kind === "other" ? "another program has its port" : "its port does not answer"
}

/** Is there a process with this id, whoever's it is? */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's may not be asked, but is there.
    return errorCode(error) === "EPERM"
  }
}

/** Is the process with the recorded id the instance, by its command line? `unknown` where nobody tells. */
export async function processOf({
  pid,
  name,
}: Pick<InstanceRecord, "pid" | "name">): Promise<"ours" | "gone" | "unknown"> {
  // In a container every start has the same process id: what was written of ours was of one before us.
  if (pid === null || pid === process.pid || !isThere(pid)) return "gone"
  const words = await commandLineOf(pid).catch(() => undefined)
  if (words === undefined) return "unknown"
  if (words.includes("serve") && nameIn(words) === keyOf(name)) return "ours"
  return process.platform === "linux" && (await isEnding(pid)) ? "ours" : "gone"
}

/** The name may be written in another case than the one it was first given in. */
function nameIn(words: readonly string[]): string | undefined {
  const flag = "--name"
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`))
  const name = words[at] === flag ? words[at + 1] : words[at]?.slice(flag.length + 1)
  return name === undefined ? undefined : keyOf(name)
}

/** On Linux what has ended may stay for long where nobody takes it away. */
async function isZombie(pid: number): Promise<boolean> {
  return /\) Z /.test(await statusOf(pid))
}

/** What Linux says of a process; nothing elsewhere. */
function statusOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
}

/** Its command line goes before the process does, and before its port is free. A zombie is over. */
async function isEnding(pid: number): Promise<boolean> {
  const status = await statusOf(pid)
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
  return words === "" && /\) [RD] /.test(status)
}

/** The words a process was started with; none when there is no such process, or only what is left of it. */
async function commandLineOf(pid: number): Promise<readonly string[]> {
  if (process.platform === "linux") {
    try {
      return (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0")
    } catch (error) {
      // It has ended since it was looked for; where it has not, there is no /proc to ask.
      if (!isThere(pid)) return []
      throw error
    }
  }
  const windows = process.platform === "win32"
  const command = windows
    ? [
        ...["powershell", "-NoProfile", "-NonInteractive", "-Command"],
        `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`,
      ]
    : ["ps", "-ww", "-o", "command=", "-p", String(pid)]
  const child = Bun.spawn(command, { stdin: "ignore", stderr: "ignore", timeout: 5_000, windowsHide: true })
  const text = await new Response(child.stdout).text()
  await child.exited
  // For a process that is not there ps fails, and PowerShell does not.
  if (child.signalCode !== null || (windows && child.exitCode !== 0)) throw new Error("no answer")
  return text.trim().replaceAll('"', "").split(/\s+/)
}
