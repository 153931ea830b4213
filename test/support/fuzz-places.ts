// Where the requests of a fuzz go: every path of the server, in so many requests of a hundred, by every method.
import { strangersKeys } from "./fuzz-canaries.ts"
import { fuzzModels } from "./fuzz-proxy.ts"
import type { Random } from "./random.ts"

export interface Place {
  readonly method: string
  readonly path: string
  /** What kind of body is sent. */
  readonly kind: "messages" | "chat" | "none"
}

const rows: readonly (readonly [share: number, place: Place])[] = [
  [42, { method: "POST", path: "/v1/messages", kind: "messages" }],
  [12, { method: "POST", path: "/v1/messages/count_tokens", kind: "messages" }],
  [13, { method: "POST", path: "/v1/chat/completions", kind: "chat" }],
  [3, { method: "POST", path: "/v1/messages/test_conversion", kind: "messages" }],
  [3, { method: "GET", path: "/v1/models", kind: "none" }],
  [3, { method: "GET", path: "/v1/models/chat", kind: "none" }],
  [2, { method: "GET", path: "/health", kind: "none" }],
  [2, { method: "GET", path: "/", kind: "none" }],
  [0.1, { method: "GET", path: "/metrics", kind: "none" }],
  [0.3, { method: "GET", path: "/v1/stats", kind: "none" }],
  [0.05, { method: "GET", path: "/test-connection", kind: "none" }],
  [1, { method: "GET", path: "/api/hello", kind: "none" }],
  [1, { method: "POST", path: "/api/event_logging/batch", kind: "messages" }],
  [1, { method: "POST", path: "/api/claude_code/metrics", kind: "messages" }],
  [1, { method: "POST", path: "/v1/traces", kind: "chat" }],
  [1, { method: "POST", path: "/v1/responses", kind: "chat" }],
  [1, { method: "POST", path: "/v1/embeddings", kind: "chat" }],
  [1, { method: "POST", path: "/v1/messages/batches", kind: "messages" }],
  [1, { method: "GET", path: "/favicon.ico", kind: "none" }],
]
const total = rows.reduce((sum, [share]) => sum + share, 0)

const methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND"]

/** One of the places; one in twelve is asked by a method of its own choice, with a body or without. */
export function placeFor(random: Random): Place {
  let left = random.next() * total
  const place = rows.find(([share]) => {
    left -= share
    return left < 0
  })?.[1] ?? { method: "GET", path: "/", kind: "none" }
  // Asking every model costs more than it tells.
  if (place.path === "/test-connection" || !random.chance(0.08)) return place
  const method = random.pick(methods)
  return { ...place, method, kind: method === "POST" || random.chance(0.3) ? place.kind : "none" }
}

const pathEnds = [
  ...[
    "/",
    "//",
    "/..",
    "/../..",
    "/%2e%2e/",
    "%00",
    "%",
    "%zz",
    "/é",
    ";a=b",
    "/%E0%A4%A",
    "/.",
    "\\",
    "/%2F",
    "/v1",
  ],
  ...[
    "/__proto__",
    "/constructor",
    "/toString",
    ...fuzzModels.map((model) => `/${model}`),
    "/%63hat",
    `/${"a".repeat(3_000)}`,
  ],
]
const pathStarts = [
  "/anthropic",
  "/v1",
  "/v1/v1",
  "//",
  "/.",
  "/..",
  "/ANTHROPIC",
  "/%61nthropic",
  "http://127.0.0.1",
]
const queries = [
  ...[
    "?beta=true",
    "?",
    "?limit=2",
    "?limit=-1&after_id=chat",
    "?limit=1e9",
    "?before_id=%00",
    "?after_id=__proto__",
  ],
  ...["?a=%", "??", "?#", "?limit=2&limit=3", `?${"a=b&".repeat(400)}`],
]
const keyNames = ["api_key", "key", "access_token", "token", "x-api-key"]

/** The path as clients write it, or as nobody does; a key may stand in its query. */
export function oddTarget(path: string, random: Random): string {
  const at = random.next()
  if (at < 0.75) return path
  if (at < 0.83) return path + random.pick(queries)
  if (at < 0.87) return `${path}?${random.pick(keyNames)}=${encodeURIComponent(random.pick(strangersKeys))}`
  if (at < 0.94) return path + random.pick(pathEnds)
  return at < 0.98 ? random.pick(pathStarts) + path : `/${encodeURI(random.text(8))}`
}
