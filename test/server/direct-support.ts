// Requests to the pass-through handlers, behind a server of their own.

import { createRoutes } from "../../src/config/routes/routes.ts"
import type { Exchange } from "../../src/observe/exchange.ts"
import { createMetrics } from "../../src/observe/metrics.ts"
import { isObject, parseJson } from "../../src/protocol/json.ts"
import { applyDelta, baseProfile } from "../../src/providers/base-profile.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import type { Route } from "../../src/providers/route.ts"
import { createProcessTurns } from "../../src/server/common/turns.ts"
import { type Context, defaultTimes, type Times } from "../../src/server/context.ts"
import { createStays } from "../../src/server/course/stays.ts"
import { countDirect, handleDirect } from "../../src/server/direct/direct.ts"
import { createCallers } from "../../src/server/entrance/callers.ts"
import { createStatistics } from "../../src/server/figures/statistics.ts"
import { createFlights } from "../../src/server/flights/flights.ts"
import { createKeys } from "../../src/server/keys/keys.ts"
import { createDialects } from "../../src/server/learned/dialects.ts"
import { createReasoningMemory } from "../../src/server/learned/memory.ts"
import { createRatios } from "../../src/server/learned/ratios.ts"
import { createRefusals } from "../../src/server/learned/refusals.ts"
import type { DirectRequest } from "../../src/server/request/direct-request.ts"
import { createMemoryStore } from "../../src/store/memory.ts"
import { createCounter } from "../../src/tokens/count.ts"
import { createKnownTexts } from "../../src/tokens/known-texts.ts"
import { configFrom } from "../config/support.ts"
import { createMessagesUpstream, type MessagesTurn } from "../support/anthropic-upstream.ts"
import { cleanUp, createClock, type Logged, timesAt } from "./support.ts"

export const upstreamKey = "sk-ant-upstream-key-1"

export interface DirectOptions {
  readonly url?: string
  readonly route?: Partial<Route>
  readonly profile?: ProfileDelta
  readonly genuineOnly?: boolean
  readonly times?: Partial<Times>
  readonly speed?: number
  readonly env?: Readonly<Record<string, string>>
}

/** A scripted upstream and a server whose every POST goes to one of the two handlers. */
export function startDirect(script: readonly MessagesTurn[], options: DirectOptions = {}) {
  const upstream = createMessagesUpstream(script)
  cleanUp(upstream.stop)
  const exchanges: Exchange[] = []
  const logs: Logged[] = []
  const clock = createClock(options.speed)
  const context = createContext(options, exchanges, logs, clock)
  const route: Route = {
    provider: "anthropic",
    url: options.url ?? upstream.url,
    apiKeys: [upstreamKey],
    apiKey: upstreamKey,
    defaults: {},
    tuning: false,
    prices: undefined,
    fallbacks: [],
    routed: false,
    keyName: "ANTHROPIC_API_KEY",
    model: "claude-opus-5-5",
    requestedModel: "opus",
    profile: applyDelta(baseProfile, { dialect: "messages", auth: "x-api-key", ...options.profile }),
    headers: {},
    reason: "test",
    ...options.route,
  }
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    fetch: async (request) => {
      const text = await request.text()
      const parsed = parseJson(text)
      const url = new URL(request.url)
      const given: DirectRequest = {
        ...{ route, request, text, url, requestId: "req_ours", startedAt: performance.now() },
        body: parsed.ok && isObject(parsed.value) ? parsed.value : {},
        inputTokens: () => 77,
        genuineOnly: options.genuineOnly ?? true,
        notes: [],
      }
      return url.pathname.endsWith("/count_tokens")
        ? countDirect(given, context)
        : handleDirect(given, context)
    },
  })
  cleanUp(() => server.stop(true))
  const url = `http://127.0.0.1:${server.port}`
  return { upstream, url, exchanges, logs, timers: clock.live, running: context.running }
}

function createContext(
  options: DirectOptions,
  exchanges: Exchange[],
  logs: Logged[],
  clock: ReturnType<typeof createClock>,
): Context {
  const write = (level: Logged["level"]) => (message: string, fields?: () => Logged["fields"]) => {
    logs.push({ level, message, fields: fields?.() ?? {} })
  }
  const config = configFrom({ OPENAI_BASE_URL: "http://127.0.0.1:9/v1", ...options.env })
  const log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") }
  const metrics = createMetrics()
  return {
    config: { ...config, secrets: [...config.secrets, upstreamKey] },
    log,
    version: "0.0.0-test",
    clock,
    times: { ...defaultTimes, ...timesAt(options.speed, options.times) },
    onExchange: (exchange) => exchanges.push(exchange),
    callers: createCallers(config),
    statistics: createStatistics(clock.now),
    metrics,
    memory: createReasoningMemory(),
    ratios: createRatios({ log }),
    counter: createCounter(),
    refusals: createRefusals({ log, metrics }),
    dialects: createDialects({ log, now: clock.now }),
    routes: createRoutes(config),
    texts: createKnownTexts(Bun.hash.wyhash),
    turns: createProcessTurns(),
    store: createMemoryStore({ now: clock.now, maxBytes: 0 }),
    keys: createKeys({ log, now: clock.now }),
    stays: createStays(clock.now),
    cache: undefined,
    flights: createFlights({ clock, log }),
    ends: new AbortController().signal,
    running: new Set(),
    rush: { begin: () => {}, end: () => {} },
    address: () => ({ hostname: "127.0.0.1", port: 0 }),
  }
}

/** POST with this very body. */
export function send(
  { url }: { readonly url: string },
  body: string,
  init: BunFetchRequestInit = {},
  path = "/v1/messages",
): Promise<Response> {
  return fetch(url + path, { method: "POST", body, ...init })
}
