// test-connection: small real requests to the models of a configuration, through the proxy itself, and what to do
// where one fails.
import type { Config } from "../../config/config.ts"
import { type ModelReport, probeAll } from "../../server/probe/probe.ts"
import { type ProbeTarget, targetNamed, targetsOf } from "../../server/probe/target.ts"
import { systemClock } from "../../upstream/deadline.ts"
import { loadSettings } from "../common/load-settings.ts"
import { startPrivateProxy } from "../common/private-proxy.ts"
import { tellProblems } from "../common/tell-problems.ts"
import { version } from "../common/version.ts"
import { type CommandIo, say } from "../terminal/io.ts"
import { createConnectionTable, reportJson } from "./table.ts"

export interface TestConnectionOptions {
  /** This one alone. */
  readonly model?: string | undefined
  /** Those of models.yaml too, not only those that tiers and routes lead to. */
  readonly all: boolean
  readonly json: boolean
  /** For one request. */
  readonly timeoutSeconds: number
  readonly envFile?: string | undefined
  readonly modelsFile?: string | undefined
}

/** Gives 0 when everything works, 1 when anything fails, 2 for a broken configuration. */
export async function testConnection(options: TestConnectionOptions, io: CommandIo): Promise<number> {
  const { envFile, modelsFile } = options
  const flags = { CUSTOM_MODELS_FILE: modelsFile }
  const loaded = await loadSettings({ flags, envFile, localFile: true, needsUpstream: true })
  if (!loaded.ok) return tellProblems(loaded, io)
  const { warnings, described } = loaded
  for (const text of [...described.infos, ...warnings]) say(io, text)
  return testConfig(loaded.config, options, io, described.origins)
}

/** The same for a configuration that is there already. */
export async function testConfig(
  config: Config,
  options: Omit<TestConnectionOptions, "envFile" | "modelsFile">,
  io: CommandIo,
  origins?: Readonly<Record<string, string>>,
): Promise<number> {
  const { model, all, timeoutSeconds } = options
  const timeoutMs = timeoutSeconds * 1000
  const targets = model === undefined ? targetsOf(config, all) : [targetNamed(config, model)]
  const proxy = startPrivateProxy(config, timeoutMs, io)
  if (proxy === undefined) return 1
  try {
    const reports = probeAll(targets, {
      ...{ config, origins, clock: systemClock, timeoutMs },
      checks: ["plain", "stream", "tools"],
      signal: new AbortController().signal,
      ask: proxy.ask,
      userAgent: `claude-proxy/${version}`,
    })
    const done = options.json ? await printJson(reports, io) : await printTable(targets, reports, io)
    return done.every(isGood) ? 0 : 1
  } finally {
    await proxy.stop()
  }
}

const isGood = ({ ok }: ModelReport): boolean => ok !== false

async function printJson(
  reports: readonly Promise<ModelReport>[],
  io: CommandIo,
): Promise<readonly ModelReport[]> {
  const done = await Promise.all(reports)
  io.out(`${JSON.stringify({ ok: done.every(isGood), models: done.map(reportJson) }, null, 2)}\n`)
  return done
}

/** Each model as soon as it is ready and those before it are. */
async function printTable(
  targets: readonly ProbeTarget[],
  reports: readonly Promise<ModelReport>[],
  io: CommandIo,
): Promise<readonly ModelReport[]> {
  const table = createConnectionTable(targets, io.color)
  const done: ModelReport[] = []
  io.out(table.head)
  for (const pending of reports) {
    const report = await pending
    io.out(table.row(report))
    done.push(report)
  }
  io.out(table.foot(done))
  return done
}
