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
const calm = 1_030
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

async function play(
  wave: Wave,
  proxy: RunningProxy,
  upstream: Upstream,
  folder: string,
): Promise<ClientsReport> {
  await upstream.begin(wave)
  const order = JSON.stringify({ proxy: proxy.url, control: upstream.control, wave })
  const { stdout, stderr } = await startScript("soak-clients.ts", folder, [order]).finished
  if (stdout === "") throw new Error(`the clients said nothing: ${stderr.slice(-2_000)}`)
  return clientsReport.parse(JSON.parse(stdout))
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

interface Idle {
  readonly megabytes: number
  readonly files: number
}

/** A first small wave in which all goes well, and what the proxy holds when it has come to rest after it. */
async function warmUp(proxy: RunningProxy, upstream: Upstream, folder: string): Promise<Idle> {
  const first: Wave = { seed, from: 0, streams: calm - 30, plain: 30, calm: true }
  const report = await play(first, proxy, upstream, folder)
  expect(report).toMatchObject({ problems: [], tally: { "200": calm } })
  // Long enough for a proxy that collects its garbage when it is idle.
  await Bun.sleep(8_000)
  return { megabytes: residentMb(proxy.pid), files: openFiles(proxy.pid) }
}

/** What was counted is what was sent; of the clients that left at once, the proxy need not know. */
async function checkCounts(proxy: RunningProxy, report: ClientsReport, state: UpstreamState): Promise<void> {
  const { unsure = 0, cancelled = 0, ...answered } = report.tally
  const { cancelled: left = 0, ...others } = await counted(proxy)
  expect(others).toEqual({ ...answered, "200": (answered["200"] ?? 0) + calm })
  expect(left).toBeWithin(cancelled, cancelled + unsure + 1)
  const samples = await metricsOf(proxy)
  expect(figure(samples, "claude_proxy_retries_total")).toBe(state.requests - state.arrived)
  expect(figure(samples, "claude_proxy_streams_in_flight")).toBe(0)
}

const expectedErrors = /"request failed".*(?:ECONNRESET|the soak wants it so|REQUEST_TIMEOUT)/

/** One line for each reply and for each failure that a client was told of; and no other error. */
function checkOutput(output: string, { tally }: ClientsReport): void {
  const errors = output
    .split("\n")
    .filter((line) => /"level":"ERROR"|internal error|unhandled|uncaught/i.test(line))
  expect(errors.filter((line) => !expectedErrors.test(line))).toEqual([])
  const failed = ["500", "502", "504"].reduce((sum, status) => sum + (tally[status] ?? 0), 0)
  expect(errors.length).toBe(failed)
  expect(output.match(/Token Usage/g)?.length).toBeGreaterThanOrEqual((tally["200"] ?? 0) + calm)
}

async function soak(proxy: RunningProxy, upstream: Upstream, folder: string): Promise<void> {
  const { pid } = proxy
  expect(openFilesLimit(pid)).toBeGreaterThan(2 * streams + 1_000)
  const idle = await warmUp(proxy, upstream, folder)
  const watch = watchProcess(pid)
  const wave: Wave = { seed, from: 10_000, streams, plain, calm: false }
  const report = await play(wave, proxy, upstream, folder).finally(watch.stop)
  expect(report.problems).toEqual([])
  expect(Object.values(report.fates).reduce((sum, count) => sum + count, 0)).toBe(streams + plain)
  // What a client has given up may be waited for a little: it could be sent again.
  const open = await settle(async () => (await upstream.state()).open, 0, 15)
  const state = await upstream.state()
  expect([open, state.problems]).toEqual([0, []])
  expect(state.mostOpen).toBeGreaterThan(streams * 0.85)
  const running = async () => figure(await metricsOf(proxy), "claude_proxy_requests_in_flight") ?? -1
  expect(await settle(running, 0, 5)).toBe(0)
  await checkCounts(proxy, report, state)
  checkOutput(proxy.output(), report)
  expect(await settle(() => openFiles(pid), idle.files + 5, 5)).toBeLessThanOrEqual(idle.files + 5)
  const after = await settle(() => residentMb(pid), idle.megabytes * 1.2, 20)
  const most = watch.most()
  const each = ((most.residentMb - idle.megabytes) * 1024) / state.mostOpen
  show(
    `soak: ${state.mostOpen} requests at once, ${report.seconds.toFixed(0)} s; memory ${idle.megabytes.toFixed(0)} MiB before, ` +
      `${most.residentMb.toFixed(0)} at most (${each.toFixed(0)} KiB a request), ${after.toFixed(0)} after; files ${idle.files}, ${most.files} at most`,
  )
  expect(after).toBeLessThanOrEqual(idle.megabytes * 1.2)
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
