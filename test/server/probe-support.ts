// Upstreams with something wrong, and what a test of their models says.
import type { Config } from "../../src/config/config.ts"
import type { Check } from "../../src/server/probe/check.ts"
import { type ModelReport, type ProbeOptions, probeAll } from "../../src/server/probe/probe.ts"
import { targetsOf } from "../../src/server/probe/target.ts"
import { systemClock } from "../../src/upstream/deadline.ts"
import { configFrom, configOf, folderWith, load } from "../config/support.ts"
import { chatReply, finishChunk, textChunk, toolChunks } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { cleanUp, startProxy } from "./support.ts"

type Env = Readonly<Record<string, string>>

const key = "sk-probe-secret-0001"

/** One model, for all three tiers. */
export function configFor(url: string, env: Env = {}): Config {
  return configFrom({ OPENAI_BASE_URL: url, OPENAI_API_KEY: key, BIG_MODEL: "big-model", ...env })
}

/** The same for a model of models.yaml, whose server is known by a profile. */
export function configForProfile(profile: string, url: string, model = "big-model"): Config {
  const yaml = `- model_id: mine\n  model_name: ${model}\n  api_base: ${url}\n  profile: ${profile}\n`
  const configDir = folderWith({ "models.yaml": yaml })
  return configOf(load({ env: { BIG_MODEL: "mine" }, configDir }))
}

/** What a good model answers to each of the checks. */
export function goodTurn(body: Readonly<Record<string, unknown>>): Turn {
  if (body["tools"] !== undefined) {
    return {
      kind: "stream",
      chunks: [...toolChunks(0, "call_1", "get_weather", { city: "Paris" }), finishChunk("tool_calls")],
    }
  }
  if (body["stream"] === true) return { kind: "stream", chunks: [textChunk("OK"), finishChunk("stop")] }
  return { kind: "json", body: chatReply({ content: "OK" }) }
}

/** A server that answers some paths; every other one is 404. Gives its address. */
export function paths(
  answers: Readonly<Record<string, (request: Request) => Response | Promise<Response>>>,
): string {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    fetch: (request) => {
      const { pathname } = new URL(request.url)
      return answers[pathname]?.(request) ?? Response.json({ error: "not found" }, { status: 404 })
    },
  })
  cleanUp(() => server.stop(true))
  return `http://127.0.0.1:${server.port}`
}

export const chat = () => Response.json(chatReply({ content: "OK" }))
export const refusing =
  (status: number, message: string, more: object = {}) =>
  () =>
    Response.json({ error: { message, ...more } }, { status })

export interface Asked {
  readonly checks?: readonly Check[]
  readonly timeoutMs?: number
}

/** The report of the first model of a configuration, by way of a proxy that is really there. */
export async function probe(
  given: Config,
  { checks = ["plain"], timeoutMs = 20_000 }: Asked = {},
): Promise<ModelReport> {
  const config = { ...given, port: 0, maxRetries: 0, requestTimeoutMs: timeoutMs }
  const proxy = startProxy("", { config })
  const options: ProbeOptions = {
    ...{ config, checks, timeoutMs, clock: systemClock, userAgent: "test" },
    signal: new AbortController().signal,
    ask: (body, signal) =>
      fetch(`${proxy.url}/v1/messages/test_conversion`, {
        method: "POST",
        body: JSON.stringify(body),
        signal,
        proxy: false,
      }),
  }
  const [report] = probeAll(targetsOf(config, false), options)
  if (report === undefined) throw new Error("no model to test")
  return report
}

/** What is said to be done about the first problem, with the server's address as HOST. */
export async function adviceFor(config: Config, asked: Asked = {}): Promise<string> {
  const { problems } = await probe(config, asked)
  if (JSON.stringify(problems).includes(key)) throw new Error("the key is shown")
  const [problem] = problems
  if (problem === undefined) throw new Error("nothing failed")
  return problem.advice.replaceAll(/127\.0\.0\.1:\d+/g, "HOST")
}
