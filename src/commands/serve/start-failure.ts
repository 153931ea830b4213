// Why a server could not start, for a person.
import type { Config } from "../../config/config.ts"
import { shownHost } from "../instances/start-block.ts"
import type { CommandIo } from "../terminal/io.ts"
import { describeHolder } from "./port-holder.ts"

/** Prints what is wrong with the address and gives the exit code. */
export async function startFailure(error: unknown, config: Config, io: CommandIo): Promise<number> {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  const where = `${shownHost(config.host)}:${config.port}`
  // Bun says so of a name without an address as well.
  if (code === "EADDRINUSE" && !(await hasAddress(config.host))) {
    io.error(
      `claude-proxy: HOST (or --host) ${config.host} has no address; name one of this machine, or 127.0.0.1\n`,
    )
  } else if (code === "EADDRINUSE") {
    const holder = await describeHolder(config.port)
    const who = holder === undefined ? "another program" : holder
    io.error(
      `claude-proxy: ${where} is taken by ${who}; choose another with --port, or --port 0 for any free one\n`,
    )
  } else if (code === "EACCES") {
    io.error(
      `claude-proxy: not allowed to listen on ${where}; ports below 1024 need more rights: choose another --port\n`,
    )
  } else {
    const why = error instanceof Error ? error.message : String(error)
    io.error(`claude-proxy: cannot listen on ${where}: ${why}; check --host and --port\n`)
  }
  return 1
}

async function hasAddress(host: string): Promise<boolean> {
  if (host === "") return true
  const { lookup } = await import("node:dns/promises")
  return lookup(host).then(
    () => true,
    () => false,
  )
}
