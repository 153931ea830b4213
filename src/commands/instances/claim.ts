// One name, one instance: whoever writes the name's file first has it, until it ends or is found dead.
import { secondOf } from "../../observe/log-days.ts"
import { type Liveness, livenessOf } from "./liveness.ts"
import type { InstanceRecord } from "./record.ts"
import type { Store } from "./store.ts"

type Claim =
  | { readonly ok: true }
  | { readonly ok: false; readonly holder: InstanceRecord; readonly liveness: Liveness }

const pollMs = 100
const patienceMs = 15_000

/**
 * Takes the name for this record, or says who has it. A dead holder's file is replaced; one that is just being
 * started is waited for, so that it can be said where it listens, or the name be had after all.
 */
export async function claim(
  store: Store,
  record: InstanceRecord,
  waitMs: number = patienceMs,
  isBrokenOff: () => boolean = () => false,
): Promise<Claim> {
  const until = performance.now() + waitMs
  for (;;) {
    const claimed = await tryClaim(store, record)
    if (claimed.ok || claimed.liveness.kind !== "starting") return claimed
    if (performance.now() > until || isBrokenOff()) return claimed
    await Bun.sleep(pollMs)
  }
}

function tryClaim(store: Store, record: InstanceRecord): Promise<Claim> {
  return store.locked(record.name, async () => {
    const holder = store.read(record.name)
    if (holder !== undefined && holder.id !== record.id) {
      const liveness = await livenessOf(holder)
      if (liveness.kind !== "dead") return { ok: false, holder, liveness }
      store.remove(holder)
    }
    store.write(record)
    return { ok: true }
  })
}

/** Changes what is written of this start; false when the name is another's by now, or nothing is written. */
export function update(
  store: Store,
  record: Pick<InstanceRecord, "name" | "id">,
  change: (found: InstanceRecord) => InstanceRecord,
): Promise<boolean> {
  return store.locked(record.name, () => {
    const found = store.read(record.name)
    if (found?.id !== record.id) return false
    store.write(change(found))
    return true
  })
}

/** Who has the name, and what to do about it, as sentences. */
export function explainHolder({ holder, liveness }: Extract<Claim, { ok: false }>): string {
  const { name } = holder
  const pid = holder.pid === null ? "" : `pid ${holder.pid}, `
  const since = `since ${localTime(holder.startedAt)}`
  const stop = `To end it: claude-proxy stop ${name}. For a second proxy, give another --name.`
  switch (liveness.kind) {
    case "starting":
      return `${name} is just being started (${pid}${since}). ${stop}`
    case "draining":
      return `${name} was told to end and is finishing its requests (${pid}${since}). Try it again when it is gone: claude-proxy stop ${name} waits for that.`
    case "hung":
      return `${name} still has its process (${pid}${since}), but does not answer at ${holder.url}. ${stop}`
    case "unclear":
      return `${name} does not answer at ${holder.url}, and whether it still has its process (${pid}${since}) cannot be told here. ${stop}`
    default:
      return `${name} is running already: ${holder.url} (${pid}${since}). ${stop}`
  }
}

/** For a person: `2025-01-31 09:30:00`, local. */
export function localTime(iso: string): string {
  const time = new Date(iso)
  return Number.isNaN(time.getTime()) ? iso : secondOf(time)
}
