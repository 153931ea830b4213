// Two thousand streams at once, with clients that leave and an upstream that fails; and what is left of it afterwards.
import { expect, setDefaultTimeout, test } from "bun:test"
import { dirname, join } from "node:path"
import { figure, samplesOf } from "../support/prometheus.ts"
import {
  type RunningProxy,
  type StartedProcess,
  startProcess,
  startProxy,
  withFolder,
} from "../support/proxy.ts"
import type { Wave } from "../support/soak-plan.ts"
import { openFiles, openFilesLimit, watchProcess } from "../support/soak-process.ts"
import {
  type ClientsReport,
  clientsReport,
  type UpstreamState,
  upstreamPorts,
  upstreamState,
} from "../support/soak-talk.ts"
import { until } from "../support/upstream.ts"
import { get, residentMb } from "../support/workers.ts"

setDefaultTimeout(180_000)

const support = join(dirname(import.meta.dir), "support")
const seed = Number(process.env["SOAK_SEED"] ?? Date.now() % 1_000_000)
/** At once; a plain request in ten besides. */
const [streams, plain] = [2_000, 200]
// Bun keeps 64 connections to upstreams for whoever wants one next; the rest is what any process has open.
const keptOpen = 64 + 26
const show = (text: string) => process.stderr.write(`${text}\n`)

interface Upstream {
  readonly url: string
  readonly control: string
  readonly state: () => Promise<UpstreamState>
  readonly begin: (wave: Wave) => Promise<void>
  readonly stop: () => Promise<unknown>
}

function startScript(script: string, folder: string, args: readonly string[] = []): StartedProcess {
  const command = [process.execPath, "--no-env-file", join(support, script), ...args]
  return startProcess(command, folder, { timeoutMs: 170_000 })
}

async function startUpstream(folder: string): Promise<Upstream> {
  const started = startScript("soak-upstream.ts", folder)
  await until(() => started.stdout().includes("\n"), 15_000)
  const { port, control } = upstreamPorts.parse(JSON.parse(started.stdout()))
  const at = `http://127.0.0.1:${control}`
  return {
    url: `http://127.0.0.1:${port}/v1`,
    control: at,
    state: async () => upstreamState.parse(await (await fetch(`${at}/state`)).json()),
    begin: async (wave) => {
      await fetch(`${at}/wave`, { method: "POST", body: JSON.stringify(wave) })
    },
    stop: () => {
      started.signal("SIGKILL")
      return started.finished
    },
  }
}

interface Played {
  readonly report: ClientsReport
  readonly state: UpstreamState
}

/** Plays a wave to its end: all clients got what they had to get, and the upstream has no open request left. */
async function play(wave: Wave, proxy: RunningProxy, upstream: Upstream, folder: string): Promise<Played> {
  await upstream.begin(wave)
  const order = JSON.stringify({ proxy: proxy.url, control: upstream.control, wave })
  const { stdout, stderr } = await startScript("soak-clients.ts", folder, [order]).finished
  if (stdout === "") throw new Error(`the clients said nothing: ${stderr.slice(-2_000)}`)
  const report = clientsReport.parse(JSON.parse(stdout))
  expect(report.problems).toEqual([])
  expect(sum(Object.values(report.fates))).toBe(wave.streams + wave.plain)
  // What a client has given up may be waited for a little: it could be sent again.
  const open = await settle(async () => (await upstream.state()).open, 0, 15)
  const state = await upstream.state()
  expect([open, state.problems]).toEqual([0, []])
  return { report, state }
}

/** Reads until it is low enough, or the time is over; gives the last figure. */
async function settle(
  read: () => Promise<number> | number,
  enough: number,
  seconds: number,
): Promise<number> {
  for (let left = seconds * 4; left > 0 && (await read()) > enough; left -= 1) await Bun.sleep(250)
  return await read()
}

const metricsOf = async (proxy: RunningProxy) => samplesOf((await get(proxy.url, "/metrics")).text)

/** Requests for replies, by the status that they are counted with. */
async function counted(proxy: RunningProxy): Promise<Readonly<Record<string, number>>> {
  const samples = (await metricsOf(proxy)).filter(({ name }) => name === "claude_proxy_requests_total")
  const by = Map.groupBy(samples, ({ labels }) => labels["status"] ?? "")
  const sums = [...by].map(([status, all]) => [status, all.reduce((sum, { value }) => sum + value, 0)])
  return Object.fromEntries(sums)
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)

/** What was counted is what was sent; of the clients that left at once, the proxy need not know. */
async function checkCounts(proxy: RunningProxy, played: readonly Played[]): Promise<void> {
  const names = new Set(played.flatMap(({ report }) => Object.keys(report.tally)))
  const tallied = (name: string) => sum(played.map(({ report }) => report.tally[name] ?? 0))
  const {
    unsure = 0,
    cancelled = 0,
    ...answered
  } = Object.fromEntries([...names].map((name) => [name, tallied(name)]))
  const { cancelled: left = 0, ...others } = await counted(proxy)
  expect(others).toEqual(answered)
  expect(left).toBeWithin(cancelled, cancelled + unsure + 1)
  const samples = await metricsOf(proxy)
  const retries = sum(played.map(({ state }) => state.requests - state.arrived))
  expect(figure(samples, "claude_proxy_retries_total")).toBe(retries)
  expect(figure(samples, "claude_proxy_streams_in_flight")).toBe(0)
  checkOutput(proxy.output(), answered)
}

const expectedErrors = /"request failed".*(?:ECONNRESET|the soak wants it so|REQUEST_TIMEOUT)/

/** One line for each reply and for each failure that a client was told of; and no other error. */
function checkOutput(output: string, answered: Readonly<Record<string, number>>): void {
  const errors = output
    .split("\n")
    .filter((line) => /"level":"ERROR"|internal error|unhandled|uncaught/i.test(line))
  expect(errors.filter((line) => !expectedErrors.test(line))).toEqual([])
  const { "200": whole = 0, ...failed } = answered
  expect(errors.length).toBe(sum(Object.values(failed)))
  expect(output.match(/Token Usage/g)?.length).toBeGreaterThanOrEqual(whole)
}

async function soak(proxy: RunningProxy, upstream: Upstream, folder: string): Promise<void> {
  const { pid } = proxy
  expect(openFilesLimit(pid)).toBeGreaterThan(2 * streams + 1_000)
  const first: Wave = { seed, from: 0, streams, plain, quick: true }
  const small = await play(first, proxy, upstream, folder)
  // A proxy that is idle for a while gives back what it does not need.
  await Bun.sleep(13_000)
  const idle = { megabytes: residentMb(pid), files: openFiles(pid) }
  const watch = watchProcess(pid)
  const wave: Wave = { seed, from: 10_000, streams, plain, quick: false }
  const large = await play(wave, proxy, upstream, folder).finally(watch.stop)
  expect(large.state.mostOpen).toBeGreaterThan(streams * 0.85)
  const running = async () => figure(await metricsOf(proxy), "claude_proxy_requests_in_flight") ?? -1
  expect(await settle(running, 0, 5)).toBe(0)
  await checkCounts(proxy, [small, large])
  const files = Math.max(idle.files + 5, keptOpen)
  expect(await settle(() => openFiles(pid), files, 5)).toBeLessThanOrEqual(files)
  const enough = idle.megabytes * 1.2
  const after = await settle(() => residentMb(pid), enough, 20)
  tell({ idle, after, most: watch.most() }, large)
  expect(after).toBeLessThanOrEqual(enough)
}

interface Held {
  readonly idle: { readonly megabytes: number; readonly files: number }
  readonly most: ReturnType<ReturnType<typeof watchProcess>["most"]>
  readonly after: number
}

function tell({ idle, most, after }: Held, { report, state }: Played): void {
  const each = ((most.residentMb - idle.megabytes) * 1024) / state.mostOpen
  const [before, peak, end] = [idle.megabytes, most.residentMb, after].map((megabytes) =>
    megabytes.toFixed(0),
  )
  show(
    `soak: ${state.mostOpen} requests at once, ${report.seconds.toFixed(0)} s; memory ${before} MiB before, ` +
      `${peak} at most (${each.toFixed(0)} KiB a request), ${end} after; files ${idle.files} before, ${most.files} at most`,
  )
}

test.skipIf(process.platform !== "linux")(`${streams} streams: a tenth is left, a twentieth fails`, () =>
  withFolder(async (folder) => {
    show(`soak: seed ${seed}; SOAK_SEED=${seed} plays it again`)
    const upstream = await startUpstream(folder)
    const settings = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-soak", BIG_MODEL: "scripted-model" }
    // Longer than the status of a stream waits for an error.
    const proxy = await startProxy({ ...settings, REQUEST_TIMEOUT: "17" })
    try {
      await soak(proxy, upstream, folder)
    } finally {
      await proxy.stop()
      await upstream.stop()
    }
  }),
)
