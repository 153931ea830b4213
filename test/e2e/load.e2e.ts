// Many streams at once, and streams that say nothing for a long time.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { finishChunk, roleChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import { startProcess, withFolder } from "../support/proxy.ts"
import type { Step, Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { setUp, stopAll } from "./sdk-setup.ts"
import { messagesOf } from "./session.ts"

setDefaultTimeout(120_000)
afterEach(stopAll)

const streams = 300

test(`${streams} streams are all served at once`, () =>
  withFolder(async (folder) => {
    const arrived = Promise.withResolvers<void>()
    const { proxy, upstream } = await setUp((body) => {
      const words = String(messagesOf(body).at(-1)?.["content"])
      // Nobody's answer goes on until all are here: a proxy that queues some would never get further.
      const rest = [{ until: arrived.promise }, textChunk(words), finishChunk("stop"), usageChunk(3, 2)]
      return { kind: "stream", chunks: [roleChunk(), textChunk("You said "), ...rest] }
    })
    const script = `${import.meta.dir}/many-clients.ts`
    const clients = startProcess(
      [process.execPath, "--no-env-file", script, proxy.url, String(streams)],
      folder,
      {
        env: { BUN_CONFIG_MAX_HTTP_REQUESTS: "1000" },
        timeoutMs: 60_000,
      },
    )
    const all = until(() => upstream.inFlight() === streams, 30_000).then(
      () => "all",
      () => "not all",
    )
    await all
    arrived.resolve()
    const finished = await clients.finished
    expect(upstream.mostInFlight()).toBe(streams)
    const expected = Array.from({ length: streams }, (_, number) => `You said Number ${number}`)
    expect(JSON.parse(finished.stdout)).toEqual(expected)
    expect(upstream.inFlight()).toBe(0)
  }))

const silenceMs = 32_000
const body = {
  model: "claude-opus-5-5",
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "hi" }],
}

interface Heard {
  /** Milliseconds until the status was there. */
  readonly statusMs: number
  /** The longest time without a byte, in milliseconds. */
  readonly longestGapMs: number
  readonly text: string
}

async function listen(url: string): Promise<Heard> {
  const from = performance.now()
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    body: JSON.stringify({ ...body, stream: true }),
  })
  const statusMs = performance.now() - from
  const decoder = new TextDecoder()
  let [text, last, longestGapMs] = ["", performance.now(), 0]
  for await (const bytes of response.body ?? []) {
    longestGapMs = Math.max(longestGapMs, performance.now() - last)
    last = performance.now()
    text += decoder.decode(bytes, { stream: true })
  }
  return { statusMs, longestGapMs, text }
}

test("silence before the first byte and in mid-stream is kept alive and survived", async () => {
  const answer: readonly Step[] = [textChunk("At last."), finishChunk("stop"), usageChunk(3, 2)]
  const turns: Readonly<Record<string, Turn>> = {
    first: { kind: "stream", headersDelayMs: silenceMs, chunks: [roleChunk(), ...answer] },
    middle: { kind: "stream", chunks: [roleChunk(), textChunk("Wait. "), { pauseMs: silenceMs }, ...answer] },
  }
  const { first, middle } = {
    first: await setUp(() => turns["first"] ?? never()),
    middle: await setUp(() => turns["middle"] ?? never()),
  }
  const sdk = (url: string) => new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0, timeout: 20_000 })
  const [silentFirst, silentMiddle, firstText, middleText] = await Promise.all([
    listen(first.proxy.url),
    listen(middle.proxy.url),
    sdk(first.proxy.url).messages.stream(body).finalText(),
    sdk(middle.proxy.url).messages.stream(body).finalText(),
  ])
  expect([firstText, middleText]).toEqual(["At last.", "Wait. At last."])
  // The status waits 15 s for an upstream's error, not longer.
  expect(silentFirst.statusMs).toBeWithin(10_000, 17_000)
  expect(silentMiddle.statusMs).toBeLessThan(2000)
  for (const heard of [silentFirst, silentMiddle]) {
    const events = parseAnthropicSse(heard.text)
    expect(checkGrammar(events)).toEqual([])
    expect(events.filter((event) => event["type"] === "ping").length).toBeGreaterThanOrEqual(1)
    expect(heard.longestGapMs).toBeLessThan(13_000)
  }
  for (const { upstream } of [first, middle]) expect(upstream.turns().length).toBe(2)
})

function never(): never {
  throw new Error("no such turn")
}
