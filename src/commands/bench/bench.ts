// `bench`: the same streamed request to a model, in turns directly and through a proxy, and what lies between the two.
import type { Config } from "../../config/config.ts"
import { loadHere } from "../../config/load/load.ts"
import type { LoadResult } from "../../config/sources/loaded.ts"
import { escapeControls } from "../../observe/log-fields.ts"
import { errorMessage } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import { redact } from "../../protocol/redact.ts"
import type { Dialect } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import type { RefusalHistory } from "../../server/learned/history.ts"
import { createRefusals, type Refusals } from "../../server/learned/refusals.ts"
import { targetNamed, targetsOf } from "../../server/probe/target.ts"
import type { RefusalRow } from "../../store/refusal-store.ts"
import { loadSettings } from "../common/load-settings.ts"
import { type PrivateProxy, startPrivateProxy } from "../common/private-proxy.ts"
import { tellProblems } from "../common/tell-problems.ts"
import { type CommandIo, fail, say } from "../terminal/io.ts"
import { type DirectAsk, directAsk } from "./direct.ts"
import { nameOf, renderVerdict, verdictJson } from "./report.ts"
import { readSample, type Sample } from "./sample.ts"
import { judge } from "./verdict.ts"

export interface BenchOptions {
  /** Undefined: the one that opus leads to. */
  readonly model?: string | undefined
  /** Of one request by either way. */
  readonly rounds: number
  readonly maxTokens: number
  readonly prompt?: string | undefined
  readonly json: boolean
  /** For one request. */
  readonly timeoutSeconds: number
  readonly demo: boolean
  readonly envFile?: string | undefined
  readonly modelsFile?: string | undefined
}

/** Gives 0 when it could be measured, 1 when a request failed, 2 for a broken configuration. */
export async function bench(options: BenchOptions, io: CommandIo): Promise<number> {
  const upstream = options.demo ? (await import("../../server/demo.ts")).startDemoUpstream() : undefined
  try {
    const loaded = await load(options, upstream?.baseUrl)
    if (!loaded.ok) return tellProblems(loaded, io)
    for (const text of [...loaded.described.infos, ...loaded.warnings]) say(io, text)
    return await benchConfig(loaded.config, options, io)
  } finally {
    await upstream?.stop()
  }
}

async function load(
  { envFile, modelsFile }: BenchOptions,
  demoBaseUrl: string | undefined,
): Promise<LoadResult> {
  const flags = { CUSTOM_MODELS_FILE: modelsFile }
  if (demoBaseUrl === undefined) return loadSettings({ flags, envFile, localFile: true, needsUpstream: true })
  return loadHere({ flags, envFile, localFile: false, needsUpstream: false, demoBaseUrl })
}

type Plan = Omit<BenchOptions, "demo" | "envFile" | "modelsFile">

/** The same for a configuration that is there already. */
export async function benchConfig(config: Config, options: Plan, io: CommandIo): Promise<number> {
  const { model, rounds, maxTokens, json, timeoutSeconds } = options
  const target = model === undefined ? targetsOf(config, false)[0] : targetNamed(config, model)
  if (target === undefined) return failWith("no model is configured", config, io)
  if (!target.resolved.ok) return failWith(target.resolved.fault.message, config, io)
  const { route } = target.resolved
  const learned = rememberRefusals()
  const proxy = startPrivateProxy(config, timeoutSeconds * 1000, io, learned)
  if (proxy === undefined) return 1
  say(
    io,
    `${nameOf(route)}: ${rounds + 1} requests directly and as many through a proxy, in turns, of at most ${maxTokens} tokens each; the first of each is not counted`,
  )
  const body = bodyFor(target.name, route.profile.dialect, options)
  try {
    const refusals = createRefusals({ log: silent, metrics: uncounted, history: learned })
    const measured = await measure({ config, options, route, body, proxy, refusals })
    if (!measured.ok) return failWith(measured.why, config, io)
    const verdict = judge(measured.direct, measured.proxied, route.prices)
    if (json) io.out(`${JSON.stringify(verdictJson(verdict, route, rounds), null, 2)}\n`)
    else io.out(`\n${renderVerdict(verdict, io.color)}`)
    return 0
  } finally {
    await proxy.stop()
  }
}

/** The reason may be an upstream's own words. */
function failWith(why: string, { secrets }: Config, io: CommandIo): number {
  return fail(io, escapeControls(redact(why, secrets)))
}

const silent = { warn: () => {}, debug: () => {} }
const uncounted = { recordNotes: () => {} }

/** What the proxy learns of the upstream's refusals counts for the direct request too: they are to be the same. */
function rememberRefusals(): RefusalHistory {
  const rows: RefusalRow[] = []
  return { keep: (row) => void rows.push(row), changes: () => rows }
}

// Long enough for a pace to be seen, and nearly the same whenever it is asked for.
const usualPrompt = "Write the numbers from 1 to 60 as English words, separated by commas, and nothing else."

function bodyFor(model: string, dialect: Dialect, { maxTokens, prompt = usualPrompt }: Plan): JsonObject {
  return {
    model,
    max_tokens: maxTokens,
    stream: true,
    // An upstream that reads our own words need not be told that no thinking is wanted.
    ...(dialect === "messages" ? {} : { thinking: { type: "disabled" } }),
    messages: [{ role: "user", content: prompt }],
  }
}

interface Bench {
  readonly config: Config
  readonly options: Plan
  readonly route: Route
  readonly body: JsonObject
  readonly proxy: PrivateProxy
  readonly refusals: Refusals
}

type Measured =
  | { readonly ok: true; readonly direct: readonly Sample[]; readonly proxied: readonly Sample[] }
  | { readonly ok: false; readonly why: string }

type Tried = { readonly ok: true; readonly sample: Sample } | { readonly ok: false; readonly why: string }

/** Ends with the first request that fails: what follows would cost money and tell nothing. */
async function measure(given: Bench): Promise<Measured> {
  const { body, options, proxy } = given
  const through = () =>
    attempt("through the proxy", "messages", (signal) => proxy.ask(body, signal), options.timeoutSeconds)
  // Connections are made, and it is learned what the upstream refuses.
  const first = await through()
  if (!first.ok) return first
  const found = await findDirect(given)
  if (!found.ok) return found
  const [direct, proxied]: [Sample[], Sample[]] = [[], []]
  const ways = [
    { ask: found.ask, samples: direct },
    { ask: through, samples: proxied },
  ]
  for (let round = 0; round < options.rounds; round += 1) {
    // Whoever comes second finds what the first one has warmed.
    for (const { ask, samples } of round % 2 === 0 ? ways : ways.toReversed()) {
      const tried = await ask()
      if (!tried.ok) return tried
      samples.push(tried.sample)
    }
  }
  return { ok: true, direct, proxied }
}

type Found =
  | { readonly ok: true; readonly ask: () => Promise<Tried> }
  | { readonly ok: false; readonly why: string }

/**
 * The way that the upstream takes: what is not there by the Responses API may be there by Chat Completions, and of
 * several keys one may be dead, as the proxy finds out, too.
 */
async function findDirect({ config, options, route, body, refusals }: Bench): Promise<Found> {
  const ask = ({ dialect, send }: DirectAsk) => attempt("directly", dialect, send, options.timeoutSeconds)
  let why = ""
  const routes = route.chat === undefined ? [route] : [route, route.chat]
  for (const one of routes.flatMap(withEachKey)) {
    const way = directAsk(body, one, config, refusals)
    const tried = await ask(way)
    if (tried.ok) return { ok: true, ask: () => ask(way) }
    why ||= tried.why
  }
  return { ok: false, why }
}

function withEachKey(route: Route): readonly Route[] {
  return route.apiKeys.length < 2 ? [route] : route.apiKeys.map((apiKey) => ({ ...route, apiKey }))
}

async function attempt(
  way: string,
  dialect: Dialect,
  send: (signal: AbortSignal) => Promise<Response>,
  timeoutSeconds: number,
): Promise<Tried> {
  const signal = AbortSignal.timeout(timeoutSeconds * 1000)
  const startedAt = performance.now()
  try {
    const response = await send(signal)
    const sampled = await readSample(response, dialect, () => performance.now() - startedAt)
    return sampled.ok ? sampled : { ok: false, why: `${way}: ${sampled.status} ${sampled.why}` }
  } catch (error) {
    const why = errorMessage(error)
    const told = signal.aborted ? `no whole reply within ${timeoutSeconds} s; --timeout gives it more` : why
    return { ok: false, why: `${way}: ${told}` }
  }
}
