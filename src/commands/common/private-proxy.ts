// A proxy for one command's own requests: on loopback, under a key that nobody else has, and silent.
import type { Config } from "../../config/config.ts"
import { createLogger } from "../../observe/log.ts"
import { errorMessage } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { RefusalHistory } from "../../server/learned/history.ts"
import { type RunningServer, startServer } from "../../server/server.ts"
import { type CommandIo, say } from "../terminal/io.ts"
import { version } from "./version.ts"

export interface PrivateProxy {
  /** Sends a Messages body to exactly the model it names. */
  readonly ask: (body: JsonObject, signal: AbortSignal) => Promise<Response>
  readonly stop: () => Promise<void>
}

/**
 * Starts one, or says why there is none. A failure is not tried again: it is what the command wants to see. Silence is
 * ended by whoever asks, who says it in better words; `timeoutMs` is how long that may take.
 */
export function startPrivateProxy(
  base: Config,
  timeoutMs: number,
  io: CommandIo,
  refusals?: RefusalHistory,
): PrivateProxy | undefined {
  const config = privately(base, timeoutMs)
  // Whatever goes wrong stands in the answers.
  const log = createLogger({
    ...{ level: "ERROR", format: "text", secrets: config.secrets },
    write: () => {},
    now: () => new Date(),
  })
  let server: RunningServer
  try {
    server = startServer({ config, log, version, onExchange: () => {}, refusals })
  } catch (error) {
    say(io, `cannot listen on 127.0.0.1: ${errorMessage(error)}`)
    return undefined
  }
  return { ask: askAt(server, config), stop: () => server.stop(0) }
}

function privately(base: Config, timeoutMs: number): Config {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")
  return {
    ...{ ...base, host: "127.0.0.1", port: 0, maxRetries: 0, requestTimeoutMs: 2 * timeoutMs },
    // No limit of clients is meant for us, and no reply of another day.
    ...{ rateLimitPerMinute: undefined, maxConcurrentRequests: undefined, redisUrl: undefined },
    cache: { ...base.cache, enabled: false },
    clientKeys: [token],
    secrets: [token, ...base.secrets],
  }
}

function askAt({ url }: RunningServer, { clientKeys }: Config): PrivateProxy["ask"] {
  return (body, signal) =>
    fetch(`${url}/v1/messages/test_conversion`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": clientKeys[0] ?? "" },
      body: JSON.stringify(body),
      signal,
      proxy: false,
      timeout: false,
    })
}
