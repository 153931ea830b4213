// `stop`: lets a proxy finish what it does and end; one that does not is ended.
import { rmSync, writeFileSync } from "node:fs"
import { type CommandIo, type Environment, fail, say } from "../terminal/io.ts"
import { update } from "./claim.ts"
import { stateFolder } from "./folder.ts"
import { isThere, livenessOf, probe, processOf } from "./liveness.ts"
import { type InstanceRecord, shutdownMsOf } from "./record.ts"
import { howToStart, select, type Wanted } from "./select.ts"
import { createStore, type Store, storeProblem } from "./store.ts"

/** 0 when they are gone, 1 when one is not or there is none of that name, 2 when it is not clear which. */
export async function stop(wanted: Wanted, io: CommandIo, env: Environment): Promise<number> {
  const store = createStore(stateFolder(env))
  const selection = select(store.list(), wanted)
  if (selection.kind === "none") {
    io.out(`${howToStart}\n`)
    return 0
  }
  if (selection.kind !== "some") return fail(io, selection.problem, selection.kind === "which" ? 2 : 1)
  const results = await Promise.all(selection.records.map((record) => stopOne(record, store, io)))
  for (const { ok, text } of results) {
    if (ok) io.out(`${text}\n`)
    else say(io, text)
  }
  return results.every(({ ok }) => ok) ? 0 : 1
}

interface Stopped {
  readonly ok: boolean
  readonly text: string
}

interface StopOptions {
  /** It is to be started again: its state file stays, whatever becomes of this process meanwhile. */
  readonly keep?: boolean
  /** After so long it is killed. For tests. */
  readonly patienceMs?: number
}

// On top of the time that running requests have.
const slackMs = 5_000
const killedMs = 5_000
const tellAfterMs = 1_000
const pollMs = process.platform === "win32" ? 400 : 50

/** Ends one, waits until it is gone, and takes its state file away. One that is ending already is waited for. */
export async function stopOne(
  record: InstanceRecord,
  store: Store,
  io: CommandIo,
  options: StopOptions = {},
): Promise<Stopped> {
  try {
    return await end(record, store, io, options)
  } catch (error) {
    const problem = storeProblem(error, store)
    if (problem === undefined) throw error
    return { ok: false, text: problem }
  }
}

async function end(
  record: InstanceRecord,
  store: Store,
  io: CommandIo,
  { keep = false, patienceMs }: StopOptions,
): Promise<Stopped> {
  const { name, pid } = record
  const liveness = await livenessOf(record)
  if (liveness.kind === "dead") {
    await forget(record, store, keep)
    return { ok: true, text: `${name} was dead (${liveness.why}); what was written of it is removed` }
  }
  // Only the answer of its port, or its own command line, proves that the process is ours to end.
  const proven = liveness.kind === "running" || (await processOf(record)) === "ours"
  if (pid === null || !(proven || liveness.kind === "draining")) return { ok: false, text: notOurs(record) }
  await tellOnce(record, store, pid, keep)
  // Told to end, it writes down what its settings say by now.
  const grace = () => shutdownMsOf(store.read(name) ?? record)
  const patience = () => patienceMs ?? grace() + slackMs
  const notice = setTimeout(
    () => say(io, `${name} finishes its running requests, at most ${grace() / 1000} s`),
    tellAfterMs,
  )
  const gone = await untilGone(() => isGone(record, store, pid), patience)
  clearTimeout(notice)
  if (gone) {
    await forget(record, store, keep)
    return { ok: true, text: `${name} is stopped` }
  }
  if (!proven) return { ok: false, text: notOurs(record) }
  send(pid, "SIGKILL")
  if (
    !(await untilGone(
      () => isKilled(record, pid),
      () => killedMs,
    ))
  )
    return { ok: false, text: `${name} (pid ${pid}) cannot be ended; it is still there.` }
  await forget(record, store, keep)
  return { ok: true, text: `${name} did not end within ${patience() / 1000} s and was killed` }
}

function notOurs({ name, state, pid, url }: InstanceRecord): string {
  if (state === "starting") return `${name} is just being started; wait a moment, then stop it again.`
  return `${name} does not answer at ${url}, and whether process ${pid} is it cannot be told here: end that process yourself, then claude-proxy stop ${name}.`
}

/** Tells it to end and writes that down, unless it was told before: a second signal would cut its requests. */
async function tellOnce(record: InstanceRecord, store: Store, pid: number, keep: boolean): Promise<void> {
  const known = await update(store, record, (found) => {
    // At once: what is written of a signal that never came would keep everybody else from sending one.
    if (found.state !== "draining") ask(record, store, pid)
    return { ...found, state: "draining", keep }
  })
  if (!known) ask(record, store, pid)
}

function ask(record: InstanceRecord, store: Store, pid: number): void {
  if (process.platform === "win32") writeFileSync(store.stopFile(record), "", { mode: 0o600 })
  else send(pid, "SIGTERM")
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already, which is what is wanted; if it is not ours to end, that shows in that it stays.
  }
}

async function untilGone(isOver: () => Promise<boolean>, limitMs: () => number): Promise<boolean> {
  const from = performance.now()
  for (;;) {
    if (await isOver()) return true
    if (performance.now() - from > limitMs()) return false
    await Bun.sleep(pollMs)
  }
}

/** Its file may go before its process does, and its port before both. */
async function isGone(record: InstanceRecord, store: Store, pid: number): Promise<boolean> {
  const found = await whatIsLeft(record, pid)
  if (found !== "unknown") return found === "gone"
  const { id, state } = store.read(record.name) ?? {}
  const left = id !== record.id || state === "ended"
  return left && (await probe(record)).kind !== "ours"
}

/** One that was killed takes no file away. */
async function isKilled(record: InstanceRecord, pid: number): Promise<boolean> {
  const found = await whatIsLeft(record, pid)
  return found === "unknown" ? (await probe(record)).kind !== "ours" : found === "gone"
}

/** On Windows to ask for a command line takes seconds: it is done once, before anything is ended. */
async function whatIsLeft(record: InstanceRecord, pid: number): ReturnType<typeof processOf> {
  if (!isThere(pid)) return "gone"
  return process.platform === "win32" ? "unknown" : processOf(record)
}

async function forget(record: InstanceRecord, store: Store, keep: boolean): Promise<void> {
  await store.locked(record.name, () => {
    const found = store.read(record.name)
    if (found !== undefined && found.id !== record.id) return
    store.remove(record)
    store.logs.absorb(record.name)
    rmSync(store.logs.outputOf(record.name), { force: true })
    if (keep) store.write({ ...record, state: "ended" })
  })
}
