// GET /test-connection: one small request to each model that the settings name.

import { newRequestId } from "../common/ids.ts"
import type { Context } from "../context.ts"
import { handleMessages } from "../endpoints/messages.ts"
import { jsonReply } from "../http/respond.ts"
import type { Ask } from "./check.ts"
import { type ModelReport, probeAll } from "./probe.ts"
import { type ProbeTarget, targetsOf, type Use } from "./target.ts"

// For everything together.
const mostMs = 30_000
// It costs its user's money: for so long after an answer the same one is given again.
const keepMs = 5_000

interface Answer {
  readonly status: number
  readonly body: object
}

/** The handler of one configuration. Requests that come while a test runs share its answer. */
export function createConnectionTest(context: Context): (requestId: string) => Promise<Response> {
  const { clock } = context
  let last: { readonly answer: Promise<Answer>; until: number } | undefined
  return async (requestId) => {
    if (last === undefined || clock.steady() >= last.until) {
      const begun = { answer: test(context), until: Number.POSITIVE_INFINITY }
      last = begun
      const done = (ms: number) => {
        begun.until = clock.steady() + ms
      }
      begun.answer.then(
        () => done(keepMs),
        () => done(0),
      )
    }
    const { status, body } = await last.answer
    return jsonReply(body, requestId, status)
  }
}

async function test(context: Context): Promise<Answer> {
  const { clock, version } = context
  const config = { ...context.config, maxRetries: 0, requestTimeoutMs: 2 * mostMs }
  const targets = targetsOf(config, false)
  const over = new AbortController()
  const cancel = clock.setTimer(() => over.abort(), mostMs)
  try {
    const reports = probeAll(targets, {
      ...{ config, clock, checks: ["plain"], signal: over.signal, timeoutMs: mostMs },
      ask: askHere({ ...context, config }),
      userAgent: `claude-proxy/${version}`,
    })
    return answerOf(await Promise.all(reports), clock.now())
  } finally {
    cancel()
  }
}

/** The way of a client's request, but for the connection to this very server. */
function askHere(context: Context): Ask {
  return (body, signal) => {
    const url = new URL("http://localhost/v1/messages/test_conversion")
    const request = new Request(url.href, { method: "POST", body: JSON.stringify(body), signal })
    return handleMessages(request, context, newRequestId(), url, { exact: true })
  }
}

function answerOf(reports: readonly ModelReport[], now: number): Answer {
  const good = reports.filter(({ ok }) => ok === true)
  const [first] = good.length > 0 ? good : reports
  const told = { model_used: first && modelOf(first.target), timestamp: new Date(now).toISOString() }
  const body = {
    ...verdictOf(good.length, reports.length),
    ...told,
    response_id: replyIdOf(first) ?? null,
    results: Object.fromEntries(reports.flatMap(resultsOf)),
    suggestions: [...new Set(reports.flatMap(suggestionsOf))],
  }
  return { status: good.length === reports.length ? 200 : good.length > 0 ? 207 : 503, body }
}

function verdictOf(good: number, all: number): { readonly status: string; readonly message: string } {
  const what = all === 1 ? "the model" : `all ${all} models`
  if (good === all) return { status: "success", message: `${what} can be reached` }
  if (good > 0) return { status: "partial", message: `${good} of ${all} models can be reached` }
  return {
    status: "failed",
    message: all === 1 ? "the model cannot be reached" : `none of ${all} models can be reached`,
  }
}

const modelOf = ({ name, resolved }: ProbeTarget): string => (resolved.ok ? resolved.route.model : name)

function replyIdOf(report: ModelReport | undefined): string | undefined {
  const plain = report?.checks.plain
  return plain === undefined || plain.kind === "failed" ? undefined : plain.replyId
}

function resultsOf({ target, ok, checks, problems }: ModelReport): readonly (readonly [Use, object])[] {
  const [problem] = problems
  const result = {
    model: modelOf(target),
    provider: target.resolved.ok ? target.resolved.route.provider : null,
    ok: ok === true,
    latency_ms: checks.plain?.latencyMs ?? null,
    error: problem?.message ?? null,
    suggestion: problem?.advice ?? null,
  }
  return target.uses.map((use) => [use, result] as const)
}

function suggestionsOf(report: ModelReport): readonly string[] {
  const about = report.warnings.map((warning) => `${modelOf(report.target)}: ${warning}`)
  return [...report.problems.map(({ advice }) => advice), ...about]
}
