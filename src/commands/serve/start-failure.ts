// Why a server could not start, for a person.
import type { Config } from "../../config/config.ts"
import { errorCode, errorMessage } from "../../protocol/fault.ts"
import { shownHost } from "../instances/start-block.ts"
import { type CommandIo, say } from "../terminal/io.ts"
import { describeHolder } from "./port-holder.ts"

/** Prints what is wrong with the address and gives the exit code. */
export async function startFailure(error: unknown, config: Config, io: CommandIo): Promise<number> {
  const code = errorCode(error) ?? ""
  const where = `${shownHost(config.host)}:${config.port}`
  // Bun says so of a name without an address as well.
  if (code === "EADDRINUSE" && !(await hasAddress(config.host))) {
    say(io, `HOST (or --host) ${config.host} has no address; name one of this machine, or 127.0.0.1`)
  } else if (code === "EADDRINUSE") {
    const holder = await describeHolder(config.port)
    const who = holder === undefined ? "another program" : holder
    say(io, `${where} is taken by ${who}; choose another with --port, or --port 0 for any free one`)
  } else if (code === "EACCES") {
    say(io, `not allowed to listen on ${where}; ports below 1024 need more rights: choose another --port`)
  } else {
    say(io, `cannot listen on ${where}: ${errorMessage(error)}; check --host and --port`)
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
