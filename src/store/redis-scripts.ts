// What Redis does in one piece, so that many proxies at once count right. The time is Redis' own: the clocks of
// the proxies need not agree. The arithmetic is that of bucket.ts.

export interface Script {
  readonly text: string
  /** What Redis calls it once it has seen it. */
  readonly sha1: string
}

const script = (text: string): Script => ({
  text,
  sha1: new Bun.CryptoHasher("sha1").update(text).digest("hex"),
})

const now = `
local time = redis.call("TIME")
local now = time[1] * 1000 + time[2] / 1000`

/** KEYS: the bucket. ARGV: capacity, refillMs, roundingMs. Gives 1 or 0, and the milliseconds until it is full. */
export const takeScript = (): Script =>
  script(`${now}
local capacity, refill, rounding = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local interval = refill / capacity
local full = tonumber(redis.call("GET", KEYS[1]) or "") or now
full = math.min(math.max(full, now), now + refill)
local allowed = full + interval <= now + refill + rounding
if allowed then
  full = full + interval
  redis.call("SET", KEYS[1], string.format("%.6f", full), "PX", math.max(1, math.ceil(full - now)))
end
return { allowed and 1 or 0, string.format("%.6f", full - now) }`)

/** KEYS: the group. ARGV: name, ttlMs, the most names a group holds. Gives 1 if the mark is there now. */
export const markScript = (): Script =>
  script(`${now}
local name, ttl, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local before = tonumber(redis.call("HGET", KEYS[1], name) or "") or 0
if before == 0 and redis.call("HLEN", KEYS[1]) >= most then
  local all = redis.call("HGETALL", KEYS[1])
  for i = 1, #all, 2 do
    if (tonumber(all[i + 1]) or 0) <= now then redis.call("HDEL", KEYS[1], all[i]) end
  end
  if redis.call("HLEN", KEYS[1]) >= most then return 0 end
end
redis.call("HSET", KEYS[1], name, string.format("%.0f", math.max(before, now + ttl)))
if redis.call("PTTL", KEYS[1]) < ttl then redis.call("PEXPIRE", KEYS[1], math.ceil(ttl)) end
return 1`)

/** KEYS: the group. Gives names and milliseconds in turn. */
export const marksScript = (): Script =>
  script(`${now}
local all = redis.call("HGETALL", KEYS[1])
local left = {}
for i = 1, #all, 2 do
  local ms = (tonumber(all[i + 1]) or 0) - now
  if ms > 0 then
    left[#left + 1] = all[i]
    left[#left + 1] = string.format("%.0f", ms)
  end
end
return left`)
