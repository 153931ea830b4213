// What clients put into the head of a request, and what they should not.
import { strangersKeys } from "./fuzz-canaries.ts"
import type { Random } from "./random.ts"

type Header = readonly [name: string, value: string]

const common: readonly Header[] = [
  ...(["text/plain", "", "application/json; charset=utf-16", "multipart/form-data", "é"] as const).map(
    (value): Header => ["content-type", value],
  ),
  ...(["", "2023-01-01", "tomorrow", "2023-06-01, 2023-06-01"] as const).map(
    (value): Header => ["anthropic-version", value],
  ),
  ...(["prompt-caching-2024-07-31", "a,,b,", "x".repeat(2_000), "\u00ff"] as const).map(
    (value): Header => ["anthropic-beta", value],
  ),
  ["accept", "text/event-stream"],
  ["accept-encoding", "gzip, br, zstd"],
  ["cache-control", "no-store"],
  ["connection", "close"],
  ["x-claude-code-session-id", "a session"],
  ["x-claude-code-session-id", "s".repeat(1_500)],
  ["x-stainless-retry-count", "1"],
  ["x-stainless-retry-count", "-1e9"],
  ["x-app", "\u0080\u00e9"],
  ["user-agent", "claude-cli/2.1.0 (external, cli)"],
  ["x-request-id", "a".repeat(500)],
  ["traceparent", "00-zz-zz-01"],
  ["__proto__", "x"],
  ["constructor", "x"],
  ["if-none-match", "*"],
  ["range", "bytes=0-1"],
]

/** Who is not let in, or not by everybody's HTTP. */
const strange: readonly Header[] = [
  ["origin", "https://evil.example"],
  ["origin", "null"],
  ["sec-fetch-site", "cross-site"],
  ["x-forwarded-host", "evil.example"],
  ["expect", "100-continue"],
  ["upgrade", "websocket"],
  ["x-long", "y".repeat(14_000)],
]
const hosts = ["", "evil.example", "127.0.0.1:1", "[::1]", "a b", "LOCALHOST", "é", "127.0.0.1@evil.example"]

const keyHeaders = [
  ...[
    "x-api-key",
    "authorization",
    "proxy-authorization",
    "cookie",
    "api-key",
    "x-goog-api-key",
    "x-auth-token",
  ],
  ...["anthropic-api-key", "set-cookie", "x-session-token", "anthropic-beta-key"],
]

/** The head after some mishaps; `odd`: it may be refused by the HTTP server already. */
export function mutateHeaders(
  given: readonly Header[],
  random: Random,
): { readonly headers: readonly Header[]; readonly odd: boolean } {
  let headers = given
  if (random.chance(0.25)) headers = [...headers, random.pick(common)]
  if (random.chance(0.06)) headers = headers.toSpliced(random.integer(1, headers.length - 1), 1)
  if (random.chance(0.04)) headers = [...headers, random.pick(headers.slice(1))]
  if (random.chance(0.05)) headers = headers.map(([name, value]) => [name.toUpperCase(), value])
  if (random.chance(0.03))
    headers = Array.from({ length: 60 }, (_, at): Header => [`x-${at}`, "v"]).concat(headers)
  if (random.chance(0.06)) headers = [...headers, keyHeader(random)]
  // The wrong key alone, not beside the right one.
  if (random.chance(0.03)) headers = [...headers.filter(([name]) => name !== "x-api-key"), keyHeader(random)]
  const odd = random.chance(0.03)
  if (!odd) return { headers, odd }
  const header = random.pick(strange)
  return random.chance(0.5)
    ? { headers: [...headers, header], odd }
    : { headers: [["host", random.pick(hosts)], ...headers.filter(([name]) => !/^host$/i.test(name))], odd }
}

function keyHeader(random: Random): Header {
  const [name, key] = [random.pick(keyHeaders), random.pick(strangersKeys)]
  if (name.includes("cookie")) return [name, `session=${key}; a=b`]
  return [
    name,
    name.includes("authorization") ? `${random.pick(["Bearer ", "Basic ", "bearer", ""])}${key}` : key,
  ]
}
