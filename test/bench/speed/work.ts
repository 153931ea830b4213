// What is measured: the table of works. A work is one kind of request, with one kind of reply, so many at a time.

/** What streams are made of. */
export type Voice = "text" | "reasoning" | "tool"

/** What the upstream answers with. */
export type Reply =
  | { readonly kind: "plain" }
  | { readonly kind: "stream"; readonly voice: Voice; readonly chunks: number; readonly perWrite: number }
  /** A short stream that says how many bytes of request have arrived. */
  | { readonly kind: "size" }
  | { readonly kind: "slow"; readonly chunks: number; readonly everyMs: number }

/** Over when the time has passed and the number is reached. */
export interface Span {
  readonly ms: number
  readonly count: number
}

export interface Work {
  readonly name: string
  readonly title: string
  readonly reply: Reply
  /** Requests at once. */
  readonly at: number
  /** Bytes of conversation in a request; 0: one short message. */
  readonly history: number
  /** In which slow streams are opened, in milliseconds; then it is still warming up until `warm` is over. */
  readonly openingMs: number
  readonly warm: Span
  /** Over when either is reached. */
  readonly measured: Span
  /** What is compared: the figure that stands for this work. */
  readonly figure: "requests" | "chunks" | "latency" | "age"
}

/** How the requests and replies look: the upstream's own, or ours. */
export type Dialect = "chat" | "messages"

const any = Number.MAX_SAFE_INTEGER

export const usualSeconds = 0.7

// A server runs for days, and code that has run for a while runs faster: what is judged is how it runs then. The first
// second of all is what `start`, the first of `count`, and the few large requests are about.
const warmMs = 1_500

const loop = {
  history: 0,
  openingMs: 0,
  warm: { ms: warmMs, count: 2 },
  measured: { ms: usualSeconds * 1_000, count: any },
} as const

function stream(voice: Voice, chunks: number, at: number, perWrite = 8): Work {
  const single = perWrite === 1
  return {
    name: `${voice}-${chunks}-${at}${single ? "-single" : ""}`,
    title: `${chunks} chunks of ${voice}, ${at} at once${single ? ", one chunk a write" : ""}`,
    reply: { kind: "stream", voice, chunks, perWrite },
    at,
    ...loop,
    figure: "chunks",
  }
}

function plain(at: number): Work {
  const title = `small requests, ${at} at once`
  return { name: `small-${at}`, title, reply: { kind: "plain" }, at, ...loop, figure: "requests" }
}

function history(name: string, bytes: number, count: number): Work {
  return {
    name: `history-${name}`,
    title: `request of ${name.replace("k", " KB").replace("m", " MB")}`,
    reply: { kind: "size" },
    at: 1,
    history: bytes,
    openingMs: 0,
    warm: { ms: 0, count: 4 },
    measured: { ms: 6_000, count },
    figure: "latency",
  }
}

const everyMs = 100
/** A thousand a second are opened, in milliseconds. */
const opening = { 500: 500, 2000: 2_000 } as const

/** Streams that last longer than they are measured. */
function slowReply(ms: number): Reply {
  return { kind: "slow", chunks: Math.ceil(ms / everyMs) + 2, everyMs }
}

function slow(at: keyof typeof opening, measuredMs: number): Work {
  const openingMs = opening[at]
  const warm = openingMs + warmMs
  return {
    name: `slow-${at}`,
    title: `${at} slow streams at once`,
    reply: slowReply(warm + measuredMs),
    at,
    history: 0,
    openingMs,
    warm: { ms: warm, count: 0 },
    measured: { ms: measuredMs, count: any },
    figure: "age",
  }
}

/** All works, in the order in which they are done: what is said of memory wants a process that is young. */
export const works: readonly Work[] = [
  slow(500, 2_500),
  slow(2000, 3_000),
  plain(1),
  plain(32),
  stream("text", 200, 1),
  stream("text", 200, 8),
  stream("text", 200, 16),
  stream("text", 200, 16, 1),
  stream("text", 2000, 1),
  stream("text", 2000, 8),
  stream("text", 2000, 16),
  stream("text", 2000, 8, 1),
  stream("reasoning", 200, 4),
  stream("tool", 200, 4),
  history("100k", 100_000, 40),
  history("1m", 1_000_000, 20),
  history("5m", 5_000_000, 10),
]

/** What is measured in processes of its own, and of proxies that convert alone. */
export const extraWorks = ["start", "count"] as const

/** The same in less time, or more: what is measured is measured `scale` times as long, and nobody warms up for longer. */
export function scaled(work: Work, scale: number): Work {
  if (scale === 1) return work
  const { openingMs, warm: usual, measured, reply } = work
  const warm = { ...usual, ms: openingMs + (usual.ms - openingMs) * Math.min(1, scale) }
  const ms = measured.ms * scale
  if (reply.kind === "slow") {
    return { ...work, warm, reply: slowReply(warm.ms + ms), measured: { ...measured, ms } }
  }
  const count = measured.count === any ? any : Math.ceil(measured.count * scale)
  return { ...work, warm, measured: { ms, count } }
}

/** Chunks that a reply brings. */
export function chunksOf(reply: Reply): number {
  return reply.kind === "stream" || reply.kind === "slow" ? reply.chunks : 0
}

export function workNamed(name: string): Work | undefined {
  return works.find((work) => work.name === name)
}
