// What is measured in processes of its own: how a proxy starts, what it takes when idle, and how it counts tokens.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Child, Children } from "./children.ts"
import { memory, openAccount } from "./proc.ts"
import type { CountRound, Starts } from "./results.ts"
import { type Counted, counted } from "./talk.ts"
import { type Binary, buildBare, startBare, startProxy } from "./targets.ts"

export interface Surroundings {
  readonly children: Children
  readonly upstream: Child
  readonly load: Child
  readonly quick: boolean
}

const idleMs = 1_000

/**
 * Each binary so many times, taking turns, and beside them the pass-through as a program; idle memory is that of the
 * last few, when a second has passed.
 */
export async function measureStarts(
  binaries: readonly Binary[],
  { children, upstream, quick }: Surroundings,
): Promise<Readonly<Record<string, Starts>>> {
  const [times, idlers] = quick ? [5, 1] : [12, 3]
  const folder = mkdtempSync(join(tmpdir(), "claude-proxy-bench-bare-"))
  try {
    const bare = buildBare(folder)
    const start = (binary: Binary) =>
      (binary === bare ? startBare : startProxy)(children, binary, upstream.port)
    const close = openAccount(undefined, [process.pid, ...children.pids()], navigator.hardwareConcurrency)
    const all = bare === undefined ? binaries : [bare, ...binaries]
    const ms = all.map((): number[] => [])
    const idleKb = all.map((): number[] => [])
    for (let time = 0; time < times; time++) {
      for (const [at, binary] of all.entries()) {
        const proxy = await start(binary)
        ms[at]?.push(proxy.startMs)
        if (time >= times - idlers) {
          await Bun.sleep(idleMs)
          idleKb[at]?.push(memory(proxy.pid)?.now ?? Number.NaN)
        }
        await proxy.stop()
      }
    }
    const { foreign } = close()
    const found = all.map(({ name }, at) => [name, { ms: ms[at] ?? [], idleKb: idleKb[at] ?? [], foreign }])
    return Object.fromEntries(found)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// The first has no known vocabulary, and is estimated; the second has one, which is loaded when it is first asked for.
const models = { estimated: "claude-opus-4-8", exact: "gpt-4o" } as const

const countMs = 180_000

/** A fresh process counts, and counts again. */
export async function measureCount(
  binary: Binary,
  { children, upstream, load, quick }: Surroundings,
): Promise<CountRound> {
  const proxy = await startProxy(children, binary, upstream.port)
  const count = async (model: string): Promise<Counted> => {
    const order = {
      kind: "count",
      port: proxy.port,
      model,
      times: quick ? 5 : 12,
      ours: [process.pid, ...children.pids()],
    }
    return counted.parse(await load.ask(order, countMs))
  }
  try {
    const estimated = await count(models.estimated)
    const exact = await count(models.exact)
    return { estimated, exact, peakKb: memory(proxy.pid)?.most }
  } finally {
    await proxy.stop()
  }
}
