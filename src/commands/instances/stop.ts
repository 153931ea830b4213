// `stop`: lets a proxy finish what it does and end; one that does not is ended.
import { rmSync, writeFileSync } from "node:fs"
import type { CommandIo } from "../io.ts"
import { drainMs } from "../serve/until-stopped.ts"
import { stateFolder } from "./folder.ts"
import { livenessOf, probe, processOf } from "./liveness.ts"
import type { InstanceRecord } from "./record.ts"
import { howToStart, select, type Wanted } from "./select.ts"
import { createStore, type Store } from "./store.ts"

type Environment = Readonly<Record<string, string | undefined>>

/** 0 when they are gone, 1 when one is not or there is none of that name, 2 when it is not clear which. */
export async function stop(wanted: Wanted, io: CommandIo, env: Environment): Promise<number> {
  const store = createStore(stateFolder(env))
  const selection = select(store.list(), wanted)
  if (selection.kind === "none") {
    io.out(`${howToStart}\n`)
    return 0
  }
  if (selection.kind !== "some") {
    io.error(`claude-proxy: ${selection.problem}\n`)
    return selection.kind === "which" ? 2 : 1
  }
  const results = await Promise.all(selection.records.map((record) => stopOne(record, store, io)))
  for (const { ok, text } of results) {
    if (ok) io.out(`${text}\n`)
    else io.error(`claude-proxy: ${text}\n`)
  }
  return results.every(({ ok }) => ok) ? 0 : 1
}

export interface Stopped {
  readonly ok: boolean
  readonly text: string
}

// On top of the time that running requests have.
const slackMs = 5_000
const killedMs = 5_000
const tellAfterMs = 1_000
const pollMs = process.platform === "win32" ? 400 : 50

/** Ends one, waits until it is gone, and takes its state file away. */
export async function stopOne(record: InstanceRecord, store: Store, io: CommandIo): Promise<Stopped> {
  const { name, pid } = record
  const liveness = await livenessOf(record)
  if (liveness.kind === "dead") {
    await forget(record, store)
    return { ok: true, text: `${name} was dead (${liveness.why}); what was written of it is removed` }
  }
  // Only the answer of its port, or its own command line, proves that the process is ours to end.
  const proven = liveness.kind === "running" || (await processOf(record)) === "ours"
  if (pid === null || !proven)
    return { ok: false, text: `${name} is just being started; wait a moment, then stop it again.` }
  ask(record, store, pid)
  const notice = setTimeout(
    () => io.error(`claude-proxy: ${name} finishes its running requests, at most ${drainMs / 1000} s\n`),
    tellAfterMs,
  )
  const gone = await untilGone(record, store, drainMs + slackMs)
  clearTimeout(notice)
  if (gone) {
    await forget(record, store)
    return { ok: true, text: `${name} is stopped` }
  }
  send(pid, "SIGKILL")
  if (!(await untilGone(record, store, killedMs)))
    return { ok: false, text: `${name} (pid ${pid}) cannot be ended; it is still there.` }
  await forget(record, store)
  return { ok: true, text: `${name} did not end within ${(drainMs + slackMs) / 1000} s and was killed` }
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

/** Its file may go before its process does, and its port before both. */
async function untilGone(record: InstanceRecord, store: Store, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs
  for (;;) {
    if (await isGone(record, store)) return true
    if (performance.now() > until) return false
    await Bun.sleep(pollMs)
  }
}

async function isGone(record: InstanceRecord, store: Store): Promise<boolean> {
  const found = process.platform === "win32" ? "unknown" : await processOf(record)
  if (found !== "unknown") return found === "gone"
  return store.read(record.name)?.id !== record.id && (await probe(record)).kind !== "ours"
}

async function forget(record: InstanceRecord, store: Store): Promise<void> {
  await store.locked(record.name, () => {
    store.remove(record)
    if (store.read(record.name) !== undefined) return
    store.logs.absorb(record.name)
    rmSync(store.logs.outputOf(record.name), { force: true })
  })
}
