// What is measured in processes of its own: how a proxy starts, what it takes when idle, and how it counts tokens.
import type { Child, Children } from "./children.ts"
import { memory, openAccount } from "./proc.ts"
import type { CountRound, Starts } from "./results.ts"
import { type Counted, counted } from "./talk.ts"
import { type Binary, startProxy } from "./targets.ts"

export interface Surroundings {
  readonly children: Children
  readonly upstream: Child
  readonly load: Child
  readonly quick: boolean
}

const idleMs = 1_000

/** Each binary so many times, taking turns; idle memory is that of the last few, when a second has passed. */
export async function measureStarts(
  binaries: readonly Binary[],
  { children, upstream, quick }: Surroundings,
): Promise<Readonly<Record<string, Starts>>> {
  const [times, idlers] = quick ? [5, 1] : [12, 3]
  const close = openAccount(undefined, [process.pid, ...children.pids()], navigator.hardwareConcurrency)
  const starts = new Map(binaries.map(({ name }) => [name, { ms: [0].slice(1), idleKb: [0].slice(1) }]))
  for (let time = 0; time < times; time++) {
    for (const binary of binaries) {
      const proxy = await startProxy(children, binary, upstream.port)
      const found = starts.get(binary.name)
      found?.ms.push(proxy.startMs)
      if (time >= times - idlers) {
        await Bun.sleep(idleMs)
        found?.idleKb.push(memory(proxy.pid)?.now ?? Number.NaN)
      }
      await proxy.stop()
    }
  }
  const { foreign } = close()
  return Object.fromEntries([...starts].map(([name, found]) => [name, { ...found, foreign }]))
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
