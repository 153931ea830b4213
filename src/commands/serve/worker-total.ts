// What `--workers` asks for, and what that means for those who set limits.
import type { Config } from "../../config/config.ts"

const most = 64

/** The number of processes that are to answer, and why it is another one than was asked for. */
export function workerTotal(
  given: string | undefined,
  platform: string = process.platform,
): { readonly total: number; readonly warning?: string } {
  const asked = given === "auto" ? Math.min(cores(), most) : Number(given ?? "1")
  if (asked === 1 || platform === "linux") return { total: asked }
  const warning = `--workers ${given}: only Linux spreads the connections of one port over several processes; this one answers alone`
  return { total: 1, warning }
}

/** Loaded where it is asked for: every start would wait for it. */
const cores = () => process.getBuiltinModule("node:os").availableParallelism()

/** What users of several workers have to know about their limits; nothing of one. */
export function limitsNote(total: number, { redisUrl }: Pick<Config, "redisUrl">): readonly string[] {
  if (total === 1) return []
  const own =
    redisUrl === undefined
      ? "RATE_LIMIT_REQUESTS_PER_MINUTE, MAX_CONCURRENT_REQUESTS and the cache count for each of them alone; REDIS_URL lets them share limits and cache"
      : "they share limits and cache through REDIS_URL; MAX_CONCURRENT_REQUESTS counts for each of them alone"
  return [`${total} workers answer on this port: ${own}`]
}
