// The figures of a bench, for people and for programs.
import { renderDollars } from "../../observe/cost.ts"
import { escapeControls } from "../../observe/log-fields.ts"
import type { Route } from "../../providers/route.ts"
import { grouped } from "../run/totals.ts"
import { createColors } from "../terminal/colors.ts"
import type { Consistency, Rating, Side, Spread, Verdict } from "./verdict.ts"

const meanings: Readonly<Record<Rating, string>> = {
  EXCELLENT: "under 50 ms and 5 %",
  GOOD: "under 100 ms and 10 %",
  FAIR: "under 200 ms and 20 %",
  POOR: "200 ms or 20 % and more",
}

const paints = { EXCELLENT: "green", GOOD: "green", FAIR: "yellow", POOR: "red" } as const

const consistencies: Readonly<Record<Consistency, string>> = {
  same: "the same",
  prompt: "the same in; replies differ",
  different: "DIFFERENT",
  unknown: "not told",
}

/** Both ways beside each other, what lies between them, and the word for it. */
export function renderVerdict(verdict: Verdict, color: boolean): string {
  const { direct, proxied, firstMs, lossPercent, sizePercent, tokens, rating, isWithinNoise } = verdict
  const colors = createColors(color)
  const { bold, dim, yellow } = colors
  const totalMs = proxied.totalMs.median - direct.totalMs.median
  const both = (name: string, figure: (side: Side) => string, between: string) =>
    line(name, figure(direct), figure(proxied), between)
  const lines = [
    dim(line("", "direct", "through the proxy", "difference")),
    both("first chunk", ({ firstMs: spread }) => around(spread, time), signed(firstMs, time)),
    both("whole reply", ({ totalMs: spread }) => around(spread, time), signed(totalMs, time)),
    both(
      "tokens a second",
      ({ tokensPerSecond: spread }) => (spread === undefined ? "not told" : around(spread, pace)),
      signed(-lossPercent, inPercent),
    ),
    both("bytes", ({ bytes }) => around(bytes, size), `${signed(sizePercent, inPercent)} a character`),
    both("tokens", tokensOf, consistencies[tokens]),
    both("cost of one", costOf, ""),
  ]
  const summary = `the first chunk comes ${later(firstMs)}, and ${lost(lossPercent)}`
  return [
    ...lines.map((text) => text.trimEnd()),
    "",
    `${bold(colors[paints[rating]](rating))}: ${summary} (${meanings[rating]})`,
    ...(isWithinNoise ? [yellow(noise(direct.firstMs))] : []),
    "",
  ].join("\n")
}

const widths = [17, 29, 29] as const

function line(name: string, direct: string, proxied: string, between: string): string {
  return `${name.padEnd(widths[0])}${direct.padEnd(widths[1])}${proxied.padEnd(widths[2])}${between}`
}

function noise({ least, most }: Spread): string {
  const range = time(most - least)
  return `The upstream alone varied by ${range} to its first chunk, which is more than lies between the two ways: more --rounds tell more.`
}

function later(ms: number): string {
  return ms < 0 ? `${time(-ms)} sooner` : `${time(ms)} later`
}

function lost(percent: number): string {
  return percent < 0.05 ? "no throughput is lost" : `${inPercent(percent)} of the throughput is lost`
}

function tokensOf({ inputTokens, outputTokens }: Side): string {
  if (inputTokens === undefined || outputTokens === undefined) return "not told"
  return `${grouped(inputTokens.median)} in, ${grouped(outputTokens.median)} out`
}

function costOf({ costUsd }: Side): string {
  return costUsd === undefined ? "unknown" : renderDollars(costUsd)
}

function around({ median, least, most }: Spread, show: (value: number) => string): string {
  return least === most ? show(median) : `${show(median)} (${show(least)} – ${show(most)})`
}

function signed(value: number, show: (value: number) => string): string {
  const shown = show(Math.abs(value))
  if (shown === show(0)) return shown
  return `${value < 0 ? "−" : "+"}${shown}`
}

function time(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

const pace = (value: number) => value.toFixed(1)
const inPercent = (value: number) => `${value.toFixed(1)} %`

function size(bytes: number): string {
  return bytes < 10_000 ? `${Math.round(bytes)} B` : `${(bytes / 1000).toFixed(1)} kB`
}

/** `deepseek-chat at deepseek`. */
export function nameOf({ model, provider }: Pick<Route, "model" | "provider">): string {
  return `${escapeControls(model)} at ${provider}`
}

/** The same for programs. Times in milliseconds. */
export function verdictJson(verdict: Verdict, route: Route, rounds: number): object {
  const { direct, proxied, firstMs, lossPercent, sizePercent, tokens, rating, isWithinNoise } = verdict
  return {
    model: route.requestedModel,
    provider: route.provider,
    upstream_model: route.model,
    rounds,
    direct: sideJson(direct),
    proxy: sideJson(proxied),
    overhead: {
      first_chunk_ms: rounded(firstMs),
      throughput_loss_percent: rounded(lossPercent),
      size_percent: rounded(sizePercent),
    },
    tokens,
    within_noise: isWithinNoise,
    rating,
  }
}

function sideJson(side: Side): object {
  return {
    first_chunk_ms: spreadJson(side.firstMs),
    total_ms: spreadJson(side.totalMs),
    tokens_per_second: spreadJson(side.tokensPerSecond),
    bytes: spreadJson(side.bytes),
    input_tokens: spreadJson(side.inputTokens),
    output_tokens: spreadJson(side.outputTokens),
    cost_usd: side.costUsd ?? null,
  }
}

function spreadJson(spread: Spread | undefined): object | null {
  if (spread === undefined) return null
  const { median, least, most } = spread
  return { median: rounded(median), min: rounded(least), max: rounded(most) }
}

/** To thousandths, below which there is only noise. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000
