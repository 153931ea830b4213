// What tests of several processes on one port need: who they are, how they are asked, and replies that wait.
import { readdirSync, readFileSync } from "node:fs"
import { type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { finishChunk, roleChunk, textChunk, usageChunk } from "./chunks.ts"
import { createUpstream, type ScriptedUpstream } from "./upstream.ts"

/** The processes that this one has started and that run, by what Linux tells. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    const [state, parent] = /^\d+$/.test(name) ? statusOf(name) : []
    return parent === String(pid) && state !== "Z" ? [Number(name)] : []
  })
}

/** Is there a process with this id that has not ended? */
export function isRunning(pid: number): boolean {
  const [state] = statusOf(String(pid))
  return state !== undefined && state !== "Z"
}

function statusOf(pid: string): readonly string[] {
  try {
    return (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "").split(" ")
  } catch {
    return []
  }
}

/** Memory that is in use now, in MiB. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
  return Number(kilobytes) / 1024
}

/** On a connection of its own, which the system gives to any of the processes. */
export async function get(url: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}${path}`, { keepalive: false, headers: { connection: "close" } })
  return { status: response.status, text: await response.text() }
}

export async function getJson(url: string, path: string): Promise<JsonObject> {
  const parsed = parseJson((await get(url, path)).text)
  return parsed.ok ? objectOf(parsed.value) : {}
}

export function post(url: string, more: JsonObject = {}): Promise<Response> {
  return fetch(`${url}/v1/messages`, {
    method: "POST",
    keepalive: false,
    headers: { connection: "close", "content-type": "application/json" },
    body: JSON.stringify({
      model: "claude-sonnet-5",
      max_tokens: 10,
      messages: [{ role: "user", content: "hi" }],
      ...more,
    }),
  })
}

/** Which of the workers answer, when they are asked so often. */
export async function workersAt(url: string, times = 40): Promise<ReadonlySet<number>> {
  const answers = await Promise.all(Array.from({ length: times }, () => getJson(url, "/health")))
  return new Set(answers.map((health) => Number(health["worker"])))
}

/** The value of one series in the text for Prometheus; the sum of all whose labels have `part`. */
export function sumIn(text: string, name: string, part = ""): number {
  return text
    .split("\n")
    .filter((line) => /^[\w:]+/.exec(line)?.[0] === name && line.includes(part))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0)
}

export interface Waiting {
  readonly upstream: ScriptedUpstream
  /** Lets all replies go on to their end. */
  readonly go: () => void
}

/** An upstream whose streams begin, and go on when they are told to. */
export function waitingUpstream(): Waiting {
  const { promise, resolve } = Promise.withResolvers<void>()
  const upstream = createUpstream(() => ({
    kind: "stream",
    chunks: [
      roleChunk(),
      textChunk("begun "),
      { until: promise },
      textChunk("and ended"),
      finishChunk("stop"),
      usageChunk(3, 2),
    ],
  }))
  return { upstream, go: resolve }
}

/** An upstream that answers everything at once. */
export function quickUpstream(): ScriptedUpstream {
  const message = { role: "assistant", content: "done" }
  return createUpstream(() => ({
    kind: "json",
    body: {
      id: "1",
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    },
  }))
}
