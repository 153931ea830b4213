// `serve --detach`: one proxy, or several side by side, in the background.
import { createColors } from "../terminal/colors.ts"
import { type CommandIo, type Environment, say } from "../terminal/io.ts"
import { renderColumns, renderModels } from "./columns.ts"
import { stateFolder } from "./folder.ts"
import { type Launched, launch } from "./launch.ts"
import { flagsOf, type StartOptions } from "./plan.ts"
import type { InstanceRecord, LaunchPlan, StartFacts } from "./record.ts"
import { renderOpen, renderOpenWarning, renderStart } from "./start-block.ts"
import { createStore } from "./store.ts"

/** Starts one and says what `serve` says; the exit code is that of the proxy when it could not start. */
export async function serveInBackground(
  options: StartOptions & { readonly name: string },
  io: CommandIo,
  env: Environment,
): Promise<number> {
  const { name, envFile } = options
  const plan = { name, argv: flagsOf(options), cwd: process.cwd(), envFile }
  const launched = await launch(plan, createStore(stateFolder(env)), env)
  return tellOne(launched, io)
}

/** Says how one start went, and gives the exit code. */
export function tellOne(launched: Launched, io: CommandIo): number {
  if (!launched.ok) {
    io.error(launched.text)
    return launched.exitCode
  }
  tellStarted(launched.record, launched.facts, io)
  return 0
}

function tellStarted({ name, log }: InstanceRecord, facts: StartFacts, io: CommandIo): void {
  for (const warning of facts.warnings) say(io, warning)
  const more = [
    ["name", name],
    ["log", log],
    ["to stop", `claude-proxy stop ${name}`],
  ] as const
  io.out(renderStart(facts, io.color, more))
  if (facts.openAt !== null) io.error(renderOpenWarning(facts.openAt))
}

interface Named {
  readonly name: string
  readonly launched: Launched
}

/** Starts all of them at once and says of each how it went; 1 when any failed. The others go on. */
export async function launchAll(
  plans: readonly LaunchPlan[],
  io: CommandIo,
  env: Environment,
): Promise<number> {
  const store = createStore(stateFolder(env))
  const results = await Promise.all(
    plans.map(async (plan) => ({ name: plan.name, launched: await launch(plan, store, env) })),
  )
  return tellAll(results, io)
}

/** The table of several starts, and what those that failed had to say. */
export function tellAll(results: readonly Named[], io: CommandIo): number {
  const { bold, green, red } = createColors(io.color)
  const rows = results.map(({ name, launched }) =>
    launched.ok
      ? [green("✓"), name, launched.facts.url, renderModels(launched.facts.models)]
      : [red("✗"), name, "–", firstLine(launched.text)],
  )
  io.out(renderColumns([["", "NAME", "URL", "MODELS"].map((title) => bold(title)), ...rows]))
  for (const { name, launched } of results) {
    const said = launched.ok
      ? [...launched.facts.warnings, ...openTo(launched.facts)]
      : linesOf(launched.text).slice(1)
    for (const line of said) say(io, `${name}: ${line}`)
  }
  const failures = results.filter(({ launched }) => !launched.ok)
  if (failures.length < results.length)
    io.out("\nclaude-proxy status shows them, claude-proxy stop --all ends them.\n")
  return failures.length === 0 ? 0 : 1
}

function openTo({ openAt }: StartFacts): readonly string[] {
  return openAt === null ? [] : [renderOpen(openAt)]
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.replace(/^claude-proxy: /, ""))
  return lines.filter((line) => line.trim() !== "")
}

function firstLine(text: string): string {
  return linesOf(text)[0] ?? "it did not say why"
}
