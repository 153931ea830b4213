// Starting a proxy in the background: its own session, its output in files, nothing that ties it to who
// started it. It counts as started when its port gives its id back.
import { randomUUID } from "node:crypto"
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs"
import { compiled, version } from "../version.ts"
import { claim, explainHolder, update } from "./claim.ts"
import { backgroundEnvironment, ownProgram } from "./inherited.ts"
import { probe, startLimitMs } from "./liveness.ts"
import type { InstanceRecord, StartFacts } from "./record.ts"
import { ownFolder, type Store, storeProblem } from "./store.ts"

type Environment = Readonly<Record<string, string | undefined>>

export interface LaunchPlan {
  readonly name: string
  /** The flags of `serve`. */
  readonly argv: readonly string[]
  readonly cwd: string
  readonly envFile: string | undefined
}

export type Launched =
  | { readonly ok: true; readonly record: InstanceRecord; readonly facts: StartFacts }
  /** `text` is what the proxy itself said, line by line, or what is known without it. Nothing of it is left. */
  | { readonly ok: false; readonly exitCode: number; readonly text: string }

const pollMs = 40
// Logs of proxies that are not started any more go like the past days of the others.
const logLifeMs = 3 * 24 * 3_600_000

/** Starts it and waits until it answers, or has failed. A signal meanwhile ends the start. */
export async function launch(plan: LaunchPlan, store: Store, env: Environment): Promise<Launched> {
  try {
    return await launchClaimed(plan, store, env)
  } catch (error) {
    const problem = storeProblem(error, store)
    if (problem === undefined) throw error
    return failed(1, `claude-proxy: ${problem}\n`)
  }
}

async function launchClaimed(plan: LaunchPlan, store: Store, env: Environment): Promise<Launched> {
  const record = draft(plan, store)
  const claimed = await claim(store, record)
  if (!claimed.ok) return failed(1, `claude-proxy: ${explainHolder(claimed)}\n`)
  const { logs } = store
  ownFolder(logs.folder)
  logs.absorb(plan.name)
  logs.sweep(Date.now() - logLifeMs)
  let result: Launched
  try {
    const child = spawn(plan, record, store, env)
    result = await follow(child, record, store)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    result = failed(1, `claude-proxy: ${plan.name} cannot be started in ${plan.cwd}: ${why}\n`)
  }
  if (!result.ok) await store.locked(plan.name, () => store.remove(record))
  return result
}

function failed(exitCode: number, text: string): Launched {
  return { ok: false, exitCode, text }
}

function draft({ name, argv, cwd, envFile }: LaunchPlan, store: Store): InstanceRecord {
  return {
    name,
    id: randomUUID(),
    state: "starting",
    detached: true,
    pid: null,
    host: "",
    port: 0,
    freePort: false,
    url: "",
    version,
    startedAt: new Date().toISOString(),
    argv,
    cwd,
    envFile: envFile ?? null,
    log: store.logs.pathOf(name),
    fromEnvironment: [],
    facts: null,
  }
}

function spawn(plan: LaunchPlan, { id }: InstanceRecord, { logs }: Store, env: Environment): Bun.Subprocess {
  const path = logs.outputOf(plan.name)
  writeFileSync(path, "", { mode: 0o600 })
  const output = openSync(path, "a", 0o600)
  try {
    const child = Bun.spawn([...ownProgram(compiled), "serve", ...plan.argv, "--name", plan.name], {
      cwd: plan.cwd,
      env: backgroundEnvironment(env, id),
      stdio: ["ignore", output, output],
      detached: true,
      windowsHide: true,
    })
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

async function follow(child: Bun.Subprocess, { name, id }: InstanceRecord, store: Store): Promise<Launched> {
  const interrupt = listen()
  try {
    await update(store, { name, id }, (found) => ({ ...found, pid: found.pid ?? child.pid }))
    const until = performance.now() + startLimitMs
    while (performance.now() < until && interrupt.signal() === undefined) {
      // In this order: what it wrote before it ended is there when its end is seen.
      const ended = child.exitCode !== null || child.signalCode !== null
      const record = store.read(name)
      if (ended) return explainEnd(child, name, store)
      if (record?.id === id && record.facts !== null && (await probe(record)).kind === "ours")
        return { ok: true, record, facts: record.facts }
      await Promise.race([Bun.sleep(pollMs), child.exited])
    }
    child.kill("SIGKILL")
    await child.exited
    const signal = interrupt.signal()
    const why = signal === undefined ? `did not answer within ${startLimitMs / 1000} s` : "was not started"
    return failed(signal === undefined ? 1 : 130, `claude-proxy: ${name} ${why}.\n${said(name, store)}`)
  } finally {
    interrupt.release()
  }
}

/** The output of a start that failed goes on in the log: who asks for it later finds the reason there. */
function said(name: string, { logs }: Store): string {
  const text = logs.absorb(name)
  rmSync(logs.outputOf(name), { force: true })
  return text
}

function explainEnd(child: Bun.Subprocess, name: string, store: Store): Launched {
  const text = said(name, store)
  const how = child.signalCode === null ? `exit code ${child.exitCode}` : `${child.signalCode}`
  const silent = `claude-proxy: ${name} ended before it answered (${how}) and did not say why. Its log: ${store.logs.pathOf(name)}\n`
  return failed(child.exitCode === null || child.exitCode === 0 ? 1 : child.exitCode, text || silent)
}

function listen(): { readonly signal: () => NodeJS.Signals | undefined; readonly release: () => void } {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  let seen: NodeJS.Signals | undefined
  const note = (signal: NodeJS.Signals) => {
    seen = signal
  }
  for (const name of signals) process.on(name, note)
  return {
    signal: () => seen,
    release: () => {
      for (const name of signals) process.off(name, note)
    },
  }
}
