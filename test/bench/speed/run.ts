// The run: rounds of all works, in each of which the targets take turns and begin in another order.
import type { Child } from "./children.ts"
import { measureCount, measureStarts, type Surroundings } from "./extras.ts"
import { type Facts, factsOf } from "./facts.ts"
import type { Options } from "./options.ts"
import { memory, openFilesLimit } from "./proc.ts"
import { bodyOf } from "./requests.ts"
import type { CountRound, Results, Round } from "./results.ts"
import { factsAnswer, type Slot, slot, type UpstreamOrder, type WorkOrder } from "./talk.ts"
import { type Binary, directTo, startLimit, startProxy, type Target } from "./targets.ts"
import { scaled, type Work, workNamed, works } from "./work.ts"
import { yardstickMs } from "./yardstick.ts"

export interface RunOptions extends Surroundings {
  readonly options: Options
  readonly binaries: readonly Binary[]
  readonly say: (what: string) => void
}

type Done = Pick<Results, "rounds" | "starts" | "skipped">

export async function runAll(given: RunOptions): Promise<Done> {
  const { options, binaries, say } = given
  const wants = (name: string) => options.only.length === 0 || options.only.includes(name)
  const wanted = works.filter(({ name }) => wants(name))
  const { possible, skipped } = sift(wanted)
  for (const what of skipped) say(what)
  if (wants("start")) say("starts")
  const starts = wants("start") ? await measureStarts(binaries, given) : {}
  const rounds: Round[] = []
  for (let number = 0; number < options.rounds; number++) {
    say(`round ${number + 1} of ${options.rounds}`)
    const counts = wants("count") ? await countAll(given) : {}
    const yardstick = yardstickMs()
    rounds.push({ ...(await runRound(possible, number, given)), counts, yardstickMs: yardstick })
  }
  return { rounds, starts, skipped }
}

/** A stream needs one socket to the client and one to the upstream. */
function sift(wanted: readonly Work[]): { readonly possible: readonly Work[]; readonly skipped: string[] } {
  const most = openFilesLimit() ?? Number.MAX_SAFE_INTEGER
  const needed = ({ at }: Work) => at * 2 + 200
  return {
    possible: wanted.filter((work) => needed(work) <= most),
    skipped: wanted
      .filter((work) => needed(work) > most)
      .map((work) => `${work.name} left out: it needs ${needed(work)} open files, ulimit -n allows ${most}`),
  }
}

async function countAll(given: RunOptions): Promise<Readonly<Record<string, CountRound>>> {
  const counts: Record<string, CountRound> = {}
  for (const binary of given.binaries) counts[binary.name] = await measureCount(binary, given)
  return counts
}

/** Every round has processes of its own: what one has learnt or kept does not help the next. */
async function runRound(
  wanted: readonly Work[],
  number: number,
  given: RunOptions,
): Promise<Pick<Round, "slots" | "peakKb">> {
  const { children, upstream, binaries, say } = given
  const slots: Record<string, Record<string, Slot>> = {}
  const peakKb: Record<string, number> = {}
  if (wanted.length === 0) return { slots, peakKb }
  const targets: Target[] = [directTo(upstream.port), await startLimit(children, upstream.port)]
  for (const binary of binaries) targets.push(await startProxy(children, binary, upstream.port))
  for (const target of targets) {
    await tryOut(target, given)
    // One at a time, so that memory is still that of a process with little to do.
    await warmUp("text-200-1", target, given)
  }
  let warm = false
  for (const [index, work] of wanted.entries()) {
    if (!warm && work.reply.kind !== "slow") {
      for (const target of targets) await warmUp("text-200-16", target, given)
      warm = true
    }
    say(`  ${work.name}`)
    const first = (number + index) % targets.length
    const found: Record<string, Slot> = {}
    for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
      found[target.name] = await runSlot(work, target, given, given.options.scale)
    }
    slots[work.name] = found
  }
  for (const { name, pid } of targets) {
    const found = pid === undefined ? undefined : memory(pid)
    if (found !== undefined) peakKb[name] = found.most
  }
  for (const target of targets) await target.stop()
  return { slots, peakKb }
}

/** A few requests that must arrive whole. */
async function tryOut(target: Target, given: RunOptions): Promise<void> {
  const seed = workNamed("history-100k")
  if (seed === undefined) return
  await play(given.upstream, { kind: "play", reply: seed.reply })
  const found = await askLoad(seed.name, target, 0.2, given)
  const { facts } = factsAnswer.parse(await given.upstream.ask({ kind: "facts" }, shortMs))
  const sent = factsOf(bodyOf(seed, "chat"))
  const lost = differences(sent, facts)
  if (found.errors + found.wrong > 0) throw new Error(`${target.name}: ${found.problems.join("; ")}`)
  if (lost !== "") throw new Error(`${target.name} does not pass on what it is given: ${lost}`)
}

/** Code that has run for a while runs faster: what is measured next must not depend on what was measured before. */
async function warmUp(name: string, target: Target, given: RunOptions): Promise<void> {
  const work = workNamed(name)
  if (work !== undefined) await runSlot(work, target, given, 0.6)
}

function differences(sent: Facts | undefined, got: Facts | undefined): string {
  if (sent === undefined || got === undefined) return "no request"
  const fields = ["tools", "calls", "results", "said", "args"] as const
  const lost = fields.filter((field) => sent[field] !== got[field])
  return lost.map((field) => `${field} ${got[field]} instead of ${sent[field]}`).join(", ")
}

const shortMs = 5_000
const slotMs = 90_000

async function play(upstream: Child, order: UpstreamOrder): Promise<void> {
  await upstream.ask(order, shortMs)
}

async function askLoad(work: string, target: Target, scale: number, given: RunOptions): Promise<Slot> {
  const { dialect, port, pid } = target
  const ours = [process.pid, ...given.children.pids()]
  const order: WorkOrder = { kind: "work", work, scale, dialect, port, target: pid, ours }
  return slot.parse(await given.load.ask(order, slotMs))
}

async function runSlot(work: Work, target: Target, given: RunOptions, scale: number): Promise<Slot> {
  await play(given.upstream, { kind: "play", reply: scaled(work, scale).reply })
  const found = await askLoad(work.name, target, scale, given)
  for (const problem of found.problems) given.say(`    ${target.name}: ${problem}`)
  return found
}
