// The load generator, a process of its own: does one work after the other as it is told, and says what came of it.
import { runClosedLoop } from "./closed-loop.ts"
import { runCount } from "./count-load.ts"
import { memory, openAccount, startedAt } from "./proc.ts"
import { runSlowStreams } from "./slow-load.ts"
import { type LoadOrder, loadOrder, type WorkOrder } from "./talk.ts"
import { scaled, workNamed } from "./work.ts"

const processors = navigator.hardwareConcurrency

function runWork({ work: name, scale, dialect, port, target, ours }: WorkOrder) {
  const found = workNamed(name)
  if (found === undefined) throw new Error(`no such work: ${name}`)
  const work = scaled(found, scale)
  const account = () => openAccount(target, ours, processors)
  if (work.reply.kind !== "slow") return runClosedLoop({ work, dialect, port, account })
  const rss = () => (target === undefined ? undefined : memory(target)?.now)
  return runSlowStreams({ work, dialect, port, account, rss })
}

function startLoad() {
  let ours: ReadonlyMap<number, string | undefined> = new Map()

  async function obey(order: LoadOrder): Promise<unknown> {
    ours = new Map(order.ours.map((pid) => [pid, startedAt(pid)]))
    return order.kind === "count" ? await runCount(order, processors) : await runWork(order)
  }

  /** When the bench was killed, nobody else is left to end what it has started. */
  function orphaned(): void {
    for (const [pid, started] of ours) {
      if (pid !== process.pid && started !== undefined && startedAt(pid) === started) kill(pid)
    }
    process.exit()
  }

  return { obey, orphaned }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It has ended by itself.
  }
}

const { obey, orphaned } = startLoad()
process.on("message", async (message) => process.send?.(await obey(loadOrder.parse(message))))
process.on("disconnect", orphaned)
process.send?.({ port: 0 })
