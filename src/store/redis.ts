// The store of several processes: a Redis, as long as it can be reached. While it cannot, buckets are counted in
// the memory of this process, and nothing else is known.
import type { Logger } from "../observe/log.ts"
import { arrayOf } from "../protocol/json.ts"
import { describe, roundingMs } from "./bucket.ts"
import { createLink, type LinkOptions } from "./redis-link.ts"
import { markScript, marksScript, type Script, takeScript } from "./redis-scripts.ts"
import type { Bucket, Store, Taken } from "./store.ts"

export interface RedisStoreOptions extends Pick<LinkOptions, "authorities"> {
  readonly log: Pick<Logger, "info" | "warn">
  /** Milliseconds, of any beginning. */
  readonly now: () => number
  /** Counts while Redis cannot be reached. It is not closed with this store. */
  readonly fallback: Pick<Store, "take">
}

// What the names of all keys begin with.
const prefix = "claude-proxy:"

// Far more than keys that rest at the same time.
const mostMarks = 1_000

// What takes longer to read than anybody waits for is of no use, and holds up all else on the connection.
const longestValue = 1024 * 1024

/** Connects in the background; what is asked for meanwhile waits for a moment, and is then answered without it. */
export function createRedisStore(url: string, options: RedisStoreOptions): Store {
  const { fallback, log, now } = options
  const link = createLink(url, options)
  const scripts = { take: takeScript(), mark: markScript(), marks: marksScript() }
  const complain = createComplaints(log, now)

  /** What Redis answered; undefined: nothing, and the log says why. */
  async function ask(command: string, args: readonly string[]): Promise<{ value: unknown } | undefined> {
    const answer = await link.ask(command, args)
    if (answer.ok) return { value: answer.value }
    if (answer.error !== undefined) complain(command, answer.error)
    return undefined
  }

  async function run(script: Script, key: string, args: readonly string[]): Promise<unknown> {
    const rest = ["1", prefix + key, ...args]
    const answer = await link.ask("EVALSHA", [script.sha1, ...rest])
    if (answer.ok) return answer.value
    if (answer.error === undefined) return undefined
    // A server that was started again has forgotten all scripts.
    if (answer.error.startsWith("NOSCRIPT")) return (await ask("EVAL", [script.text, ...rest]))?.value
    complain("EVALSHA", answer.error)
    return undefined
  }

  async function take(key: string, bucket: Bucket): Promise<Taken> {
    const { capacity, refillMs } = bucket
    const args = [capacity, refillMs, roundingMs].map(String)
    const [allowed, fullMs] = arrayOf(await run(scripts.take, `bucket:${key}`, args)).map(Number)
    if (allowed === undefined || fullMs === undefined) return fallback.take(key, bucket)
    // So that whoever has used up his part here does not begin anew when Redis goes away.
    if (allowed === 1) void fallback.take(key, bucket)
    return { ...describe(allowed === 1, fullMs, bucket), shared: true }
  }

  return {
    get: async (key) => {
      const value = (await ask("GET", [`${prefix}value:${key}`]))?.value
      return typeof value === "string" ? value : undefined
    },
    set: async (key, value, ttlMs) => {
      if (ttlMs <= 0 || Buffer.byteLength(value) > longestValue) return
      await ask("SET", [`${prefix}value:${key}`, value, "PX", String(Math.ceil(ttlMs))])
    },
    take,
    mark: async (group, name, ttlMs) => {
      const args = [name, String(Math.ceil(ttlMs)), String(mostMarks)]
      return (await run(scripts.mark, `marks:${group}`, args)) === 1
    },
    unmark: async (group, names) => {
      await ask("HDEL", [`${prefix}marks:${group}`, ...names])
    },
    marks: async (group) => {
      const pairs = await run(scripts.marks, `marks:${group}`, [])
      return Array.isArray(pairs) ? marksOf(pairs) : undefined
    },
    shared: link.up,
    close: link.close,
  }
}

function marksOf(pairs: readonly unknown[]): ReadonlyMap<string, number> {
  const marks = new Map<string, number>()
  for (let index = 0; index + 1 < pairs.length; index += 2)
    marks.set(String(pairs[index]), Number(pairs[index + 1]))
  return marks
}

const complaintEveryMs = 60_000

/** Redis is there and refuses a command: its memory is full, or this user may not send it. Said once a minute. */
function createComplaints(log: RedisStoreOptions["log"], now: () => number) {
  const last = new Map<string, number>()
  return (command: string, error: string): void => {
    const time = now()
    const before = last.get(command)
    if (before !== undefined && time - before < complaintEveryMs) return
    last.set(command, time)
    log.warn(`Redis (REDIS_URL) refuses ${command}, and this process does without: ${error}`)
  }
}
