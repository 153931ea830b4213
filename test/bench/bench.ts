// How fast the proxy is, beside no proxy at all and beside the least that a proxy in Bun can do, in one run:
//
//   bun run bench [--quick] [--only WORK,...] [--binary NAME=PATH] [--help]
//
// An upstream that answers from bytes it has ready, a load generator that checks every reply, and what is measured
// are processes of their own; the targets take turns within each work, so that a machine that slows down slows all.
import { createChildren, startScript } from "./speed/children.ts"
import { readMachine } from "./speed/machine.ts"
import { type Options, readOptions, usage } from "./speed/options.ts"
import { judgeAll, renderReadme, renderReport } from "./speed/report.ts"
import { type Results, total } from "./speed/results.ts"
import { runAll } from "./speed/run.ts"
import { type Binary, direct, limit } from "./speed/targets.ts"

const say = (what: string): void => console.error(what)

const children = createChildren()
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    children.killAll()
    process.exit(130)
  })
}
process.on("exit", children.killAll)

/** The proxy as it is shipped, made from what is in this folder. */
function build(): readonly Binary[] {
  say("bun run build")
  const cwd = `${import.meta.dir}/../..`
  const { success, stderr } = Bun.spawnSync([process.execPath, "run", "build"], { cwd, stdout: "ignore" })
  if (!success) throw new Error(`the build failed:\n${stderr.toString()}`)
  return [{ name: "claude-proxy", path: `${cwd}/dist/claude-proxy` }]
}

async function measure(options: Options): Promise<number> {
  // Before the build makes it busy.
  const machine = readMachine()
  const started = performance.now()
  const binaries = options.binaries.length > 0 ? options.binaries : build()
  const upstream = await startScript(children, "upstream.ts")
  const load = await startScript(children, "load.ts")
  const { quick } = options
  const done = await runAll({ children, upstream, load, quick, options, binaries, say })
  await Promise.all([upstream.stop(), load.stop()])
  const results: Results = { machine, ...done, seconds: (performance.now() - started) / 1000 }
  const names = binaries.map(({ name }) => name)
  if (options.json !== undefined) await Bun.write(options.json, `${JSON.stringify(results, null, 2)}\n`)
  process.stdout.write(options.markdown ? renderReadme(results, names) : renderReport(results, names))
  return exitCode(results, names, options)
}

function exitCode(results: Results, names: readonly string[], { strict }: Options): number {
  const failed = [direct, limit, ...names].filter(
    (name) => total(results, name, "errors") + total(results, name, "wrong") > 0,
  )
  if (failed.length > 0) say(`errors or wrong replies: ${failed.join(", ")}`)
  const missed = names.some((name) => judgeAll(results, name).some(({ verdict }) => verdict === "MISSED"))
  return failed.length > 0 || (strict && missed) ? 1 : 0
}

async function main(): Promise<number> {
  const read = readOptions(process.argv.slice(2))
  if (read.kind === "help") {
    process.stdout.write(usage)
    return 0
  }
  if (read.kind === "wrong") {
    say(`${read.problem}\n\n${usage}`)
    return 2
  }
  try {
    return await measure(read.options)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 1
  } finally {
    children.killAll()
  }
}

process.exit(await main())
