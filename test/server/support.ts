// The proxy's server inside the test's own process, with times that tests can bend and everything it says kept.
import type { Config } from "../../src/config/config.ts"
import type { Exchange } from "../../src/observe/exchange.ts"
import { isObject, type JsonObject, parseJson } from "../../src/protocol/json.ts"
import { defaultTimes, type Times } from "../../src/server/context.ts"
import type { History } from "../../src/server/figures/statistics.ts"
import { startServer } from "../../src/server/server.ts"
import { type Clock, systemClock } from "../../src/upstream/deadline.ts"
import { configFrom } from "../config/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import type { Script } from "../support/script.ts"
import { createUpstream, type ScriptedUpstream } from "../support/upstream.ts"

export interface Logged {
  readonly level: "debug" | "info" | "warn" | "error"
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface TestProxy {
  readonly url: string
  readonly port: number
  /** Every request that came to its end, in order. */
  readonly exchanges: readonly Exchange[]
  readonly logs: readonly Logged[]
  /** Timers of the server that are set and have not fired. */
  readonly timers: () => number
  readonly stop: (graceMs: number) => Promise<void>
  readonly reload: (config: Config) => void
}

export interface ProxyOptions {
  /** In place of one made from the upstream's address and `env`. */
  readonly config?: Config
  readonly env?: Readonly<Record<string, string>>
  readonly times?: Partial<Times>
  /** How many times faster than the real one the server's clock goes. */
  readonly speed?: number
  /** How far the clock of the machine was set off meanwhile, in milliseconds. */
  readonly setOff?: () => number
  readonly onExchange?: (exchange: Exchange) => void
  readonly history?: History
}

const started: (() => Promise<void>)[] = []

/** For `afterEach`: ends everything that was started here. */
export async function stopAll(): Promise<void> {
  for (const stop of started.splice(0).reverse()) await stop()
}

/** A scripted upstream that ends with the test. */
export function scripted(script: Script): ScriptedUpstream {
  const upstream = createUpstream(script)
  started.push(upstream.stop)
  return upstream
}

/** Registers something else that has to be ended after the test. */
export function cleanUp(stop: () => Promise<void> | void): void {
  started.push(async () => stop())
}

interface CountingClock extends Clock {
  readonly live: () => number
}

/** A clock `speed` times faster than the real one, which counts the timers that are set, and may be set itself. */
export function createClock(speed = 1, setOff: () => number = () => 0): CountingClock {
  const from = systemClock.now()
  const began = systemClock.steady()
  const live = new Set<object>()
  return {
    now: () => from + (systemClock.now() - from) * speed + setOff(),
    steady: () => (systemClock.steady() - began) * speed,
    setTimer: (run, ms) => {
      const timer = {}
      live.add(timer)
      const cancel = systemClock.setTimer(() => {
        live.delete(timer)
        run()
      }, ms / speed)
      return () => {
        live.delete(timer)
        cancel()
      }
    },
    live: () => live.size,
  }
}

/**
 * A server's times under a clock `speed` times faster: what a busy machine must not run out of, the wait for a
 * request's body and for an error's own status, stays as long as it is in real seconds.
 */
export function timesAt(speed = 1, times: Partial<Times> = {}): Partial<Times> {
  const bend = Math.max(1, speed)
  return { commitMs: defaultTimes.commitMs * bend, bodyMs: defaultTimes.bodyMs * bend, ...times }
}

function configFor(upstreamUrl: string, env: ProxyOptions["env"]): Config {
  return configFrom({
    OPENAI_BASE_URL: upstreamUrl,
    OPENAI_API_KEY: "sk-upstream-key-1",
    PORT: "0",
    BIG_MODEL: "big-model",
    MIDDLE_MODEL: "middle-model",
    SMALL_MODEL: "small-model",
    ...env,
  })
}

/** Starts the server in front of `upstreamUrl`. */
export function startProxy(upstreamUrl: string, options: ProxyOptions = {}): TestProxy {
  const exchanges: Exchange[] = []
  const logs: Logged[] = []
  const clock = createClock(options.speed, options.setOff)
  const write = (level: Logged["level"]) => (message: string, fields?: () => Logged["fields"]) => {
    logs.push({ level, message, fields: fields?.() ?? {} })
  }
  const server = startServer({
    config: options.config ?? configFor(upstreamUrl, options.env),
    log: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    version: "0.0.0-test",
    onExchange: (exchange) => {
      exchanges.push(exchange)
      options.onExchange?.(exchange)
    },
    clock,
    history: options.history,
    times: timesAt(options.speed, options.times),
  })
  started.push(() => server.stop(0))
  const { url, port, stop, reload } = server
  return { ...{ url, port, stop, reload }, exchanges, logs, timers: clock.live }
}

/** An upstream with this script and a proxy in front of it. */
export function start(script: Script, options: ProxyOptions = {}) {
  const upstream = scripted(script)
  return { upstream, proxy: startProxy(upstream.url, options) }
}

export const basicBody = {
  model: "claude-opus-5-5",
  max_tokens: 100,
  messages: [{ role: "user", content: "hi" }],
} as const

/** POST /v1/messages; `more` is laid over a small, correct body. */
export function post(
  proxy: Pick<TestProxy, "url">,
  more: JsonObject = {},
  init: BunFetchRequestInit = {},
): Promise<Response> {
  return fetch(`${proxy.url}/v1/messages`, {
    method: "POST",
    body: JSON.stringify({ ...basicBody, ...more }),
    ...init,
  })
}

/** The same as an event stream. */
export function postStream(
  proxy: Pick<TestProxy, "url">,
  more: JsonObject = {},
  init: BunFetchRequestInit = {},
): Promise<Response> {
  return post(proxy, { ...more, stream: true }, init)
}

/** The whole stream of a response. */
export async function eventsOf(response: Response | Promise<Response>): Promise<readonly JsonObject[]> {
  return parseAnthropicSse(await (await response).text())
}

export async function jsonOf(response: Response | Promise<Response>): Promise<JsonObject> {
  const text = await (await response).text()
  const parsed = parseJson(text)
  if (!parsed.ok || !isObject(parsed.value)) throw new Error(`no JSON object: ${text}`)
  return parsed.value
}

export const typesOf = (events: readonly JsonObject[]): readonly string[] =>
  events.map((event) => String(event["type"]))

/** All text of a stream's text blocks. */
export function textOf(events: readonly JsonObject[]): string {
  return events
    .map((event) => (isObject(event["delta"]) ? event["delta"]["text"] : ""))
    .filter((text) => typeof text === "string")
    .join("")
}

export interface Listener {
  readonly response: Response
  /** What has come so far. */
  readonly text: () => string
  /** Resolves at the end of the body, however it ends. */
  readonly ended: Promise<"complete" | "broken">
}

/** Reads a stream in the background. */
export async function listen(pending: Promise<Response>): Promise<Listener> {
  const response = await pending
  const decoder = new TextDecoder()
  let text = ""
  async function read(): Promise<"complete" | "broken"> {
    try {
      for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true })
      return "complete"
    } catch {
      return "broken"
    }
  }
  return { response, text: () => text, ended: read() }
}
