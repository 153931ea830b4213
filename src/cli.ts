#!/usr/bin/env -S bun --no-env-file
// The entry: runs what the command line asks for and turns the outcome into an exit code. The only place that ends
// the process.
import { ensureUncapped } from "./commands/serve/uncapped.ts"

async function run(): Promise<number> {
  const { argv, env } = process
  // A server begins anew with another environment: so early that nothing has to be loaded twice.
  if (argv[2] === "serve") {
    const uncapped = await ensureUncapped(env)
    if (typeof uncapped === "number") return uncapped
  } else {
    // The binary puts off compiling, for the start of a server (--compile-jit-policy): its first request ends that.
    Bun.unsafe.setJITPolicy(1)
  }
  const [{ main }, { standardIo }] = await Promise.all([
    import("./commands/main.ts"),
    import("./commands/terminal/standard-io.ts"),
  ])
  return main(argv.slice(2), env, standardIo(env, endWithOutput))
}

/** The reader has gone (`| head`): nothing more to say, and nobody to tell. */
function endWithOutput(error: unknown): void {
  if (isError(error) && error.code === "EPIPE") process.exit(process.exitCode ?? 0)
  say(`cannot write: ${isError(error) ? error.message : String(error)}`)
  process.exit(1)
}

const isError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error

function say(text: string): void {
  try {
    // Loaded where it is needed: a server begins anew before anything is.
    process.getBuiltinModule("node:fs").writeSync(2, `claude-proxy: ${text}\n`)
  } catch {
    // There is nobody to tell.
  }
}

function reportInternal(error: unknown): void {
  const debug = process.env["LOG_LEVEL"]?.toUpperCase() === "DEBUG"
  const message = isError(error) ? error.message : String(error)
  const detail = debug && isError(error) ? `\n${error.stack ?? ""}` : ""
  say(`internal error: ${message.replaceAll("\n", " ")}${detail}`)
}

// A command that outlives its own mistakes (a running server) listens for them too; then they are its own.
function onStray(kind: "uncaughtException" | "unhandledRejection"): void {
  process.on(kind, (error: unknown) => {
    if (process.listenerCount(kind) > 1) return
    reportInternal(error)
    process.exit(1)
  })
}

function start(): void {
  onStray("uncaughtException")
  onStray("unhandledRejection")
  // No process.exit after the command: Bun would cut off what a pipe has not taken yet.
  run().then(
    (code) => {
      process.exitCode = code
    },
    (error: unknown) => {
      reportInternal(error)
      process.exitCode = 1
    },
  )
}

start()
