// How long counting tokens takes, and for how long the proxy answers nothing else meanwhile.
import { objectOf, parseJson } from "../../../src/protocol/json.ts"
import { connect } from "./connection.ts"
import { openAccount } from "./proc.ts"
import { createReplyReader, type ReplyReader } from "./reply-reader.ts"
import { bodyOf, healthRequest, post } from "./requests.ts"
import { median } from "./statistics.ts"
import type { Counted, CountOrder } from "./talk.ts"

const bodyBytes = 1_000_000
const patienceMs = 30_000
const probeEveryMs = 1

interface Caller {
  /** Sends a request and gives the milliseconds until its reply; rejects when none comes. */
  readonly call: (request: Uint8Array) => Promise<number>
  readonly reader: ReplyReader
  readonly close: () => void
}

async function createCaller(port: number): Promise<Caller> {
  const reader = createReplyReader()
  let waiting = Promise.withResolvers<void>()
  const connection = await connect(port, {
    data: (bytes) => {
      if (reader.push(bytes)) waiting.resolve()
    },
    closed: () => waiting.reject(new Error("the connection was closed")),
  })
  async function call(request: Uint8Array): Promise<number> {
    waiting = Promise.withResolvers()
    reader.reset()
    const timer = setTimeout(() => waiting.reject(new Error("no reply in time")), patienceMs)
    const sent = performance.now()
    connection.send(request)
    await waiting.promise.finally(() => clearTimeout(timer))
    return performance.now() - sent
  }
  return { call, reader, close: connection.close }
}

/** Asks for something cheap again and again: how long may one wait for it? */
function createProbe(caller: Caller) {
  let longest = 0
  let probing = true
  async function probe(): Promise<void> {
    while (probing) {
      longest = Math.max(longest, await caller.call(healthRequest))
      await Bun.sleep(probeEveryMs)
    }
  }
  const done = probe()
  return {
    /** The longest wait since it was last asked. */
    take: (): number => {
      const found = longest
      longest = 0
      return found
    },
    stop: async (): Promise<void> => {
      probing = false
      await done
    },
  }
}

export async function runCount(
  { port, model, times, ours }: CountOrder,
  processors: number,
): Promise<Counted> {
  const close = openAccount(undefined, ours, processors)
  const fields = { reply: { kind: "size" }, history: bodyBytes } as const
  const body = objectOf(JSON.parse(bodyOf(fields, "messages")))
  const request = post("/v1/messages/count_tokens", JSON.stringify({ ...body, model }))
  const [counter, watcher] = await Promise.all([createCaller(port), createCaller(port)])
  const problems = new Set<string>()
  const probe = createProbe(watcher)
  async function count(): Promise<number> {
    const took = await counter.call(request)
    const text = counter.reader.body().toString()
    const reply = parseJson(text)
    const tokens = reply.ok ? Number(objectOf(reply.value)["input_tokens"]) : Number.NaN
    // One token is two to six characters here.
    const plausible = tokens > bodyBytes / 6 && tokens < bodyBytes / 2
    if (counter.reader.status() !== 200 || !plausible) problems.add(`count_tokens: ${text.slice(0, 120)}`)
    return took
  }
  await Bun.sleep(50)
  probe.take()
  const cold = await count()
  // What was held up is answered now.
  await Bun.sleep(5)
  const coldBlock = probe.take()
  const warm: number[] = []
  while (warm.length < times) warm.push(await count())
  await Bun.sleep(5)
  const warmBlock = probe.take()
  await probe.stop()
  counter.close()
  watcher.close()
  const errors = problems.size
  const { foreign } = close()
  return {
    ...{ cold, coldBlock, warm: median(warm), warmBlock, errors, problems: [...problems] },
    ...(foreign === undefined ? {} : { foreign }),
  }
}
