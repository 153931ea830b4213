// One SDK client, one proxy and one scripted upstream per test.

import Anthropic from "@anthropic-ai/sdk"
import { type Environment, type RunningProxy, startProxy } from "../support/proxy.ts"
import type { Script } from "../support/script.ts"
import { createUpstream, type ScriptedUpstream } from "../support/upstream.ts"

export interface Setup {
  readonly proxy: RunningProxy
  readonly upstream: ScriptedUpstream
  readonly client: Anthropic
}

const running: Setup[] = []

/** For each file's own `afterEach`: a hook registered here would belong to the first file alone. */
export async function stopAll(): Promise<void> {
  const setups = running.splice(0)
  const stopped = await Promise.allSettled(setups.map(({ proxy }) => proxy.stop()))
  for (const { upstream } of setups) await upstream.stop()
  for (const one of stopped) if (one.status === "rejected") throw one.reason
}

/** Starts all three; `stopAll` ends them. The proxy does not retry unless `env` says so. */
export async function setUp(script: Script, env: Environment = {}): Promise<Setup> {
  const upstream = createUpstream(script)
  const settings = {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: "sk-scripted",
    BIG_MODEL: "scripted-model",
  }
  const proxy = await startProxy({ ...settings, MAX_RETRIES: "0", ...env })
  const client = new Anthropic({ baseURL: proxy.url, apiKey: "any", maxRetries: 0, timeout: 60_000 })
  const setup = { proxy, upstream, client }
  running.push(setup)
  return setup
}

export const model = "claude-opus-5-5"
export const question = {
  model,
  max_tokens: 500,
  messages: [{ role: "user" as const, content: "What time is it?" }],
}

/** What a promise of the SDK fails with; undefined when it does not. */
export async function failureOf(answer: PromiseLike<unknown>): Promise<unknown> {
  try {
    await answer
  } catch (error) {
    return error
  }
  return undefined
}
