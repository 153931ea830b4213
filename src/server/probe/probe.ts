// Tests models with real requests, and says what to do where one fails. For the command and the endpoint alike.
import type { Config } from "../../config/config.ts"
import { redact } from "../../protocol/redact.ts"
import type { Route } from "../../providers/route.ts"
import type { LookOptions } from "../../upstream/look.ts"
import { errorContext } from "../request/prepare.ts"
import { type Advice, advices } from "./advice.ts"
import { type Check, type Checked, type CheckOptions, type Failure, runCheck } from "./check.ts"
import { type Facts, factsOf, localServer, widening } from "./facts.ts"
import { createLists, type ListModels } from "./list.ts"
import { type LookWorld, lookFor } from "./look.ts"
import type { ProbeTarget } from "./target.ts"
import { servedWindow } from "./window.ts"

export interface ProbeOptions extends CheckOptions {
  readonly config: Config
  /** In this order; what follows a failure that nothing else would escape is left out. */
  readonly checks: readonly Check[]
  readonly userAgent: string
  /** Where each setting stands; left out where whoever asks is not to know. */
  readonly origins?: Readonly<Record<string, string>> | undefined
}

export interface Problem {
  readonly check: Check
  readonly message: string
  /** The status the client was given. */
  readonly status: number
  /** What to do about it, in one line. */
  readonly advice: string
}

export interface ModelReport {
  readonly target: ProbeTarget
  /** Undefined: it could not be tried, and nothing depends on it. */
  readonly ok: boolean | undefined
  /** Those that were made. */
  readonly checks: Readonly<Partial<Record<Check, Checked>>>
  readonly problems: readonly Problem[]
  /** Whatever works, but not well. */
  readonly warnings: readonly string[]
  /** In tokens; undefined: not known. */
  readonly window: number | undefined
}

// A look tells nothing that is worth waiting for.
const lookMs = 5_000
// More would run into limits; and a server of one's own has room for one model at a time.
const mostAtOnce = 4

/** One report for each target, in their order, each as soon as it is ready. None of them rejects. */
export function probeAll(
  targets: readonly ProbeTarget[],
  options: ProbeOptions,
): readonly Promise<ModelReport>[] {
  const { signal, clock, userAgent } = options
  const list = createLists({ signal, clock, userAgent, timeoutMs: lookMs })
  const jobs = targets.map((target) => ({ target, ...Promise.withResolvers<ModelReport>() }))
  const waiting = [...jobs]
  async function work(): Promise<void> {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      job.resolve(await probeModel(job.target, { ...options, list }))
    }
  }
  const own = targets.some(
    ({ resolved }) => resolved.ok && localServer(resolved.route.provider) !== undefined,
  )
  for (let worker = 0; worker < (own ? 1 : mostAtOnce); worker += 1) void work()
  return jobs.map(({ promise }) => promise)
}

interface ModelOptions extends ProbeOptions {
  readonly list: ListModels
}

async function probeModel(target: ProbeTarget, options: ModelOptions): Promise<ModelReport> {
  const { resolved } = target
  const { secrets } = options.config
  if (!resolved.ok) return unreachable(target, redact(resolved.fault.message, secrets))
  const { route } = resolved
  const quiet = route.profile.dialect === "messages"
  const checks: Partial<Record<Check, Checked>> = {}
  const problems: Problem[] = []
  const warnings: string[] = []
  for (const check of options.checks) {
    const checked = await runCheck(check, { name: target.name, quiet }, options)
    checks[check] = checked
    if (checked.kind === "warning") warnings.push(checked.message)
    if (checked.kind !== "failed") continue
    const { text, final } = await advise(checked.failure, target, route, options)
    const { status, message } = checked.failure
    problems.push({ check, status, message: redact(message, secrets), advice: redact(text, secrets) })
    if (final) break
  }
  const works = Object.values(checks).some(({ kind }) => kind !== "failed")
  const window = works ? await windowOf(route, options) : undefined
  const narrow = window === undefined ? [] : narrowness(window, route)
  return { target, ok: problems.length === 0, checks, problems, warnings: [...warnings, ...narrow], window }
}

/** A route that leads nowhere: nothing was sent. */
function unreachable(target: ProbeTarget, message: string): ModelReport {
  const variable = /\b([A-Z][A-Z0-9_]+)\b(?:, which)? is not set/.exec(message)?.[1]
  const advice =
    variable === undefined ? "correct the name, or what models.yaml says of it" : `set ${variable}`
  const nothing = { target, checks: {}, window: undefined }
  if (target.spare)
    return { ...nothing, ok: undefined, problems: [], warnings: [`not tried: ${message}: ${advice}`] }
  const problem = { check: "plain", status: 400, message, advice } as const
  return { ...nothing, ok: false, problems: [problem], warnings: [] }
}

function lookOptions({ signal, clock, userAgent }: ProbeOptions): LookOptions {
  return { signal, clock, userAgent, timeoutMs: lookMs }
}

/** The first row of the table that applies says what to do, after its own look at what is there. */
async function advise(
  failure: Failure,
  target: ProbeTarget,
  route: Route,
  options: ModelOptions,
): Promise<{ readonly text: string; readonly final: boolean }> {
  const facts: Facts = factsOf(failure, target, route, options.origins)
  const advice: Advice | undefined = advices.find(({ when }) => when(facts))
  if (advice === undefined) return { text: "", final: false }
  const { config, list } = options
  const errors = (to: Route) => errorContext(to, config, () => 0)
  const world: LookWorld = { ...lookOptions(options), list, errors }
  const sight = advice.look === undefined ? {} : await lookFor(advice.look, route, world)
  return { text: advice.say({ ...facts, sight }), final: advice.final === true }
}

async function windowOf(route: Route, options: ModelOptions): Promise<number | undefined> {
  const models = await options.list(route)
  const listed = models?.find(({ id }) => id === route.model)
  const served = await servedWindow(route, listed, lookOptions(options))
  return served ?? route.profile.contextWindow ?? undefined
}

// Its system prompt and tools alone take about 24,000 tokens (janhq/jan#8108).
const leastWindow = 32_000

function narrowness(window: number, { provider }: Route): readonly string[] {
  if (window >= leastWindow) return []
  const how = widening(localServer(provider))
  return [
    `its window of ${window} tokens is too small for Claude Code, which begins with about 24000: ${how}`,
  ]
}
