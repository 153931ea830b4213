// `restart`: ends a proxy if it runs, and starts it again as it was started. Settings that came from the
// environment are not kept anywhere: they come from the environment it is restarted in.
import { type CommandIo, type Environment, fail, say } from "../terminal/io.ts"
import { holdInterrupt } from "../terminal/until-stopped.ts"
import { tellAll, tellOne } from "./background.ts"
import { stateFolder } from "./folder.ts"
import { type Launched, launch, tryOut } from "./launch.ts"
import { livenessOf } from "./liveness.ts"
import type { InstanceRecord } from "./record.ts"
import { howToStart, select, type Wanted } from "./select.ts"
import { stopOne } from "./stop.ts"
import { createStore, type Store } from "./store.ts"

interface RestartOptions extends Wanted {
  /** Also where a setting that it had from its environment is missing in this one. */
  readonly force: boolean
}

/** As `serve --detach`: 0 when they answer; else the exit code of the one, or 1 when one of several failed. */
export async function restart(wanted: RestartOptions, io: CommandIo, env: Environment): Promise<number> {
  const store = createStore(stateFolder(env))
  const selection = select(store.list(), wanted)
  if (selection.kind === "none") return fail(io, howToStart)
  if (selection.kind !== "some") return fail(io, selection.problem, selection.kind === "which" ? 2 : 1)
  const results = await Promise.all(
    selection.records.map(async (record) => ({
      name: record.name,
      launched: await restartOne(record, wanted.force, store, io, env),
    })),
  )
  const [first, ...others] = results
  if (first === undefined) return 0
  return others.length === 0 ? tellOne(first.launched, io) : tellAll(results, io)
}

async function restartOne(
  record: InstanceRecord,
  force: boolean,
  store: Store,
  io: CommandIo,
  env: Environment,
): Promise<Launched> {
  const { name, cwd } = record
  const runs = (await livenessOf(record)).kind !== "dead"
  if (!record.detached && runs)
    return refuse(
      `${name} runs in a terminal (pid ${record.pid ?? "unknown"}); end it there, or with claude-proxy stop ${name}, and start it again.`,
    )
  // Another address or model in place of the one it had would take its key elsewhere without a word.
  const missing = record.fromEnvironment.filter((variable) => (env[variable] ?? "") === "")
  if (missing.length > 0 && !force) return refuse(lackOf(name, missing))
  const plan = { name, argv: keepPort(record.argv, record), cwd, envFile: record.envFile ?? undefined }
  const problem = runs ? await tryOut(plan, env) : ""
  if (problem !== "")
    return {
      ok: false,
      exitCode: 2,
      text: `${problem}claude-proxy: ${name} was not restarted; it runs as before.\n`,
    }
  const interrupt = holdInterrupt(() =>
    say(io, `${name} finishes its running requests, and is then not started again`),
  )
  const stopped = await stopOne(record, store, io, { keep: true })
  interrupt.release()
  if (!stopped.ok) return refuse(stopped.text)
  if (interrupt.seen()) return { ok: false, exitCode: 130, text: notRunning(name, "To start it again") }
  const launched = await launch(plan, store, env)
  if (launched.ok) return launched
  await keep(record, store)
  const when = launched.exitCode === 130 ? "To start it again" : "Once that is put right"
  return { ...launched, text: `${launched.text}${notRunning(name, when)}` }
}

function lackOf(name: string, missing: readonly string[]): string {
  const they = missing.length === 1 ? "it is" : "they are"
  return (
    `${name} was started with ${missing.join(", ")} in its environment; here ${they} not set, and nothing was done. ` +
    `Set ${missing.length === 1 ? "it" : "them"} as before, or restart it with --force if the settings files have what it needs.`
  )
}

function notRunning(name: string, when: string): string {
  return `claude-proxy: ${name} is not running. ${when}: claude-proxy restart ${name}\n`
}

function refuse(text: string): Launched {
  return { ok: false, exitCode: 1, text: `claude-proxy: ${text}\n` }
}

/** A port that was found for it stays its port: its clients know no other. */
function keepPort(
  argv: readonly string[],
  { freePort, port }: Pick<InstanceRecord, "freePort" | "port">,
): readonly string[] {
  if (!freePort || port === 0) return argv
  return [...argv.filter((flag) => !flag.startsWith("--port=")), `--port=${port}`]
}

/** What it was started with is not lost by a restart that failed. */
function keep(record: InstanceRecord, store: Store): Promise<void> {
  return store.locked(record.name, () => {
    if (store.read(record.name) === undefined) store.write({ ...record, state: "ended", detached: true })
  })
}
