// What happens while a wrapped command runs and must not be printed before it has ended.
import type { Config } from "../../config/config.ts"
import type { Exchange } from "../../observe/exchange.ts"
import { addExchange, emptyTally, type Tally } from "../../observe/stats.ts"
import { errorMessage } from "../../protocol/fault.ts"
import { redact } from "../../protocol/redact.ts"
import type { Environment } from "../terminal/io.ts"
import { proxyVariable } from "./child-environment.ts"

interface RunRecord {
  readonly onExchange: (exchange: Exchange) => void
  readonly onStray: (error: unknown) => void
  readonly totals: () => Tally
  /** What is to be told once the child has ended. */
  readonly lines: (isClaude: boolean, env: Environment) => readonly string[]
}

/** An empty record, filled while the child runs. */
export function createRecord(config: Pick<Config, "secrets">): RunRecord {
  let totals = emptyTally
  let lastFailure: string | undefined
  let stray: string | undefined
  return {
    onExchange: (exchange) => {
      totals = addExchange(totals, exchange)
      if (exchange.outcome.kind === "failed") lastFailure = exchange.outcome.fault.message
    },
    onStray: (error) => {
      stray = errorMessage(error)
    },
    totals: () => totals,
    lines: (isClaude, env) => {
      const proxy = isClaude && totals.requests === 0 ? proxyVariable(env) : undefined
      const told = [
        ...(stray === undefined ? [] : [`internal error: ${stray}`]),
        ...(lastFailure === undefined ? [] : [`the last error: ${lastFailure}`]),
        ...(proxy === undefined
          ? []
          : [`no request arrived. ${proxy} is set: is this address exempt from it?`]),
      ]
      return told.map((line) => redact(line, config.secrets).replace(/\s+/g, " "))
    },
  }
}
