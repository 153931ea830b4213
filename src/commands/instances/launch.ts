// Starting a proxy in the background: its own session, its output in files, nothing that ties it to who
// started it. It counts as started when its port gives its id back.
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs"
import { errorMessage } from "../../protocol/fault.ts"
import type { Environment } from "../terminal/io.ts"
import { holdInterrupt, type Interrupt } from "../terminal/until-stopped.ts"
import { claim, explainHolder, update } from "./claim.ts"
import { ownFolder } from "./folder.ts"
import { backgroundEnvironment, ownProgram, trialEnvironment } from "./inherited.ts"
import { probe, startLimitMs } from "./liveness.ts"
import { type InstanceRecord, type LaunchPlan, newRecord, type StartFacts } from "./record.ts"
import { type Store, storeProblem } from "./store.ts"

export type Launched =
  | { readonly ok: true; readonly record: InstanceRecord; readonly facts: StartFacts }
  /** `text` is what the proxy itself said, line by line, or what is known without it. Nothing of it is left. */
  | { readonly ok: false; readonly exitCode: number; readonly text: string }

const pollMs = 40
// As shells tell of SIGINT.
const interrupted = 130
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
  const record = newRecord(plan, crypto.randomUUID(), store.logs.pathOf(plan.name))
  // From here on: a signal must not leave a name behind that nobody has.
  const interrupt = holdInterrupt()
  try {
    const claimed = await claim(store, record, undefined, interrupt.seen)
    if (!claimed.ok)
      return failed(interrupt.seen() ? interrupted : 1, `claude-proxy: ${explainHolder(claimed)}\n`)
    const result = await start(plan, record, store, env, interrupt)
    if (!result.ok) await store.locked(plan.name, () => store.remove(record))
    return result
  } finally {
    interrupt.release()
  }
}

async function start(
  plan: LaunchPlan,
  record: InstanceRecord,
  store: Store,
  env: Environment,
  interrupt: Interrupt,
): Promise<Launched> {
  const { logs } = store
  try {
    ownFolder(logs.folder)
    await store.locked(plan.name, () => logs.absorb(plan.name))
    logs.sweep(Date.now() - logLifeMs)
    const child = spawn(plan, record, store, env)
    return await follow(child, record, store, interrupt)
  } catch (error) {
    return failed(1, cannotStart(plan, storeProblem(error, store) ?? errorMessage(error)))
  }
}

/** What is wrong with the settings it would start with, as it says it itself; empty when nothing is. */
export async function tryOut(plan: LaunchPlan, env: Environment): Promise<string> {
  try {
    const trial = Bun.spawn(programOf(plan), {
      cwd: plan.cwd,
      env: trialEnvironment(env, crypto.randomUUID()),
      stdio: ["ignore", "ignore", "pipe"],
      timeout: startLimitMs,
      windowsHide: true,
    })
    const [said, exitCode] = await Promise.all([new Response(trial.stderr).text(), trial.exited])
    return exitCode === 0 ? "" : said || cannotStart(plan, `exit code ${exitCode}`)
  } catch (error) {
    return cannotStart(plan, errorMessage(error))
  }
}

function cannotStart({ name, cwd }: LaunchPlan, why: string): string {
  return `claude-proxy: ${name} cannot be started in ${cwd}: ${why}\n`
}

function programOf({ name, argv }: LaunchPlan): string[] {
  return [...ownProgram(), "serve", ...argv, "--name", name]
}

function failed(exitCode: number, text: string): Launched {
  return { ok: false, exitCode, text }
}

function spawn(plan: LaunchPlan, { id }: InstanceRecord, { logs }: Store, env: Environment): Bun.Subprocess {
  const path = logs.outputOf(plan.name)
  writeFileSync(path, "", { mode: 0o600 })
  const output = openSync(path, "a", 0o600)
  try {
    return Bun.spawn(programOf(plan), {
      cwd: plan.cwd,
      env: backgroundEnvironment(env, id),
      stdio: ["ignore", output, output],
      detached: true,
      windowsHide: true,
    })
  } finally {
    closeSync(output)
  }
}

async function follow(
  child: Bun.Subprocess,
  { name, id }: InstanceRecord,
  store: Store,
  interrupt: Interrupt,
): Promise<Launched> {
  await update(store, { name, id }, (found) => ({ ...found, pid: found.pid ?? child.pid }))
  const until = performance.now() + startLimitMs
  while (performance.now() < until && !interrupt.seen()) {
    // In this order: what it wrote before it ended is there when its end is seen.
    const ended = child.exitCode !== null || child.signalCode !== null
    const record = store.read(name)
    if (ended) return await explainEnd(child, { name, id }, store)
    if (record?.id === id && record.facts !== null && (await probe(record)).kind === "ours") {
      // Until now it kept this process waiting.
      child.unref()
      return { ok: true, record, facts: record.facts }
    }
    await Promise.race([Bun.sleep(pollMs), child.exited])
  }
  child.kill("SIGKILL")
  await child.exited
  const why = interrupt.seen() ? "was not started" : `did not answer within ${startLimitMs / 1000} s`
  const text = `claude-proxy: ${name} ${why}.\n${await said({ name, id }, store)}`
  return failed(interrupt.seen() ? interrupted : 1, text)
}

/**
 * The output of a start that failed goes on in the log: who asks for it later finds the reason there. Not when
 * somebody has found it dead already and has the name: the output is theirs then.
 */
function said({ name, id }: Pick<InstanceRecord, "name" | "id">, store: Store): Promise<string> {
  return store.locked(name, () => {
    const holder = store.read(name)
    if (holder !== undefined && holder.id !== id) return ""
    const text = store.logs.absorb(name)
    rmSync(store.logs.outputOf(name), { force: true })
    return text
  })
}

async function explainEnd(
  child: Bun.Subprocess,
  { name, id }: Pick<InstanceRecord, "name" | "id">,
  store: Store,
): Promise<Launched> {
  const text = await said({ name, id }, store)
  const how = child.signalCode === null ? `exit code ${child.exitCode}` : `${child.signalCode}`
  const silent = `claude-proxy: ${name} ended before it answered (${how}) and did not say why. Its log: ${store.logs.pathOf(name)}\n`
  return failed(child.exitCode === null || child.exitCode === 0 ? 1 : child.exitCode, text || silent)
}
