// The results of test-connection, for people and for programs.

import { escapeControls } from "../../observe/log-fields.ts"
import type { Check, Checked } from "../../server/probe/check.ts"
import type { ModelReport, Problem } from "../../server/probe/probe.ts"
import type { ProbeTarget, Use } from "../../server/probe/target.ts"
import { createColors } from "../terminal/colors.ts"

const checks: readonly Check[] = ["plain", "stream", "tools"]

// As a person knows them: by the model that Claude Code asks for, or by the rule.
const useWords: Readonly<Record<Use, string>> = {
  big: "opus",
  middle: "sonnet",
  small: "haiku",
  default: "default",
  background: "background",
  think: "thinking",
  long_context: "long context",
}

interface ConnectionTable {
  readonly head: string
  readonly row: (report: ModelReport) => string
  readonly foot: (reports: readonly ModelReport[]) => string
}

const columns = { plain: 7, stream: 8, tools: 7, latency: 9, first: 13 } as const
const signs = { ok: "✓", failed: "✗", warning: "!", none: "–" } as const

/** A table of these models, in parts that can be written one after the other. */
export function createConnectionTable(targets: readonly ProbeTarget[], color: boolean): ConnectionTable {
  const { bold, dim, green, red, yellow } = createColors(color)
  const paint = { ok: green, failed: red, warning: yellow, none: dim } as const
  const [wide, used] = [widest(targets.map(nameOf), "model"), widest(targets.map(usesOf), "for")]

  function mark(report: ModelReport, check: Check): string {
    const kind = kindOf(report, check)
    return paint[kind](signs[kind].padEnd(columns[check]))
  }

  function row(report: ModelReport): string {
    const { target, checks: made, warnings } = report
    const names = `${nameOf(target).padEnd(wide)}  ${usesOf(target).padEnd(used)}`
    const marks = checks.map((check) => mark(report, check)).join("")
    const times = timesText(timeOf(made.plain?.latencyMs), timeOf(firstTokenOf(made.stream)))
    const lines = [
      `${names}  ${marks}${times}`.trimEnd(),
      ...grouped(report.problems).flatMap(({ where, message, advice }) => [
        `  ${red(`✗ ${where}:`)} ${escapeControls(message)}`,
        `    ${bold(`→ ${escapeControls(advice)}`)}`,
      ]),
      ...warnings.map((warning) => `  ${yellow("!")} ${escapeControls(warning)}`),
    ]
    return `${lines.join("\n")}\n`
  }

  const titles = checks.map((check) => check.padEnd(columns[check])).join("")
  const head = `${"model".padEnd(wide)}  ${"for".padEnd(used)}  ${titles}${timesText("latency", "first token")}`
  return { head: `${dim(head)}\n`, row, foot: (reports) => `\n${footOf(reports)}\n` }
}

function nameOf({ name }: ProbeTarget): string {
  return escapeControls(name)
}

function usesOf({ uses }: ProbeTarget): string {
  return uses.map((use) => useWords[use]).join(", ") || "–"
}

function widest(texts: readonly string[], title: string): number {
  return Math.max(title.length, ...texts.map((text) => text.length))
}

/** A model that cannot even be asked fails at the first check. */
function kindOf({ ok, target, checks: made }: ModelReport, check: Check): Checked["kind"] | "none" {
  const checked = made[check]
  if (checked !== undefined) return checked.kind
  return check === "plain" && ok === false && !target.resolved.ok ? "failed" : "none"
}

function timesText(latency: string, first: string): string {
  return `${latency.padStart(columns.latency)}${first.padStart(columns.first)}`
}

function timeOf(ms: number | undefined): string {
  if (ms === undefined) return ""
  return ms < 10_000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

function firstTokenOf(checked: Checked | undefined): number | undefined {
  return checked === undefined || checked.kind === "failed" ? undefined : checked.firstTokenMs
}

interface Group extends Pick<Problem, "message" | "advice"> {
  readonly where: string
}

/** What fails in the same way three times is told once. */
function grouped(problems: readonly Problem[]): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const { check, message, advice } of problems) {
    const key = JSON.stringify([message, advice])
    const known = groups.get(key)
    groups.set(key, { where: known === undefined ? check : `${known.where}, ${check}`, message, advice })
  }
  return [...groups.values()]
}

function footOf(reports: readonly ModelReport[]): string {
  const count = (counts: (report: ModelReport) => boolean) => reports.filter(counts).length
  const works = count(({ ok }) => ok === true)
  const fails = count(({ ok }) => ok === false)
  const untried = count(({ ok }) => ok === undefined)
  const warned = count(({ ok, warnings }) => ok === true && warnings.length > 0)
  const parts = [
    works === 1 ? "1 works" : `${works} work`,
    ...(warned === 0 ? [] : [`${warned} of them with a warning`]),
    ...(fails === 0 ? [] : [fails === 1 ? "1 fails" : `${fails} fail`]),
    ...(untried === 0 ? [] : [`${untried} not tried`]),
  ]
  return `${reports.length === 1 ? "1 model" : `${reports.length} models`}: ${parts.join(", ")}`
}

/** One model's results for programs; no text of it holds a secret. */
export function reportJson(report: ModelReport): object {
  const { target, ok, problems, warnings, window } = report
  const route = target.resolved.ok ? target.resolved.route : undefined
  return {
    model: target.name,
    used_as: target.uses,
    provider: route?.provider ?? null,
    upstream_model: route?.model ?? null,
    url: route?.url.split("?")[0] ?? null,
    ok: ok ?? null,
    checks: Object.fromEntries(checks.map((check) => [check, checkJson(report, check)])),
    context_window: window ?? null,
    problems,
    warnings,
  }
}

function checkJson({ checks: made }: ModelReport, check: Check): object | null {
  const checked = made[check]
  if (checked === undefined) return null
  const { kind, latencyMs } = checked
  if (kind === "failed") return { ok: false, latency_ms: latencyMs, first_token_ms: null }
  return { ok: true, latency_ms: latencyMs, first_token_ms: checked.firstTokenMs ?? null }
}
