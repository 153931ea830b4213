// The faults: what an upstream does, and what of it a client is to see. The order is that of a reply: before its head,
// in its place, within it.
import { gzipSync } from "node:zlib"
import type { FaultyStep } from "./faulty-upstream.ts"
import { chunkedHead, chunkOf, headOf, lastChunk, sized } from "./faulty-upstream.ts"
import { type Wire, wholeOf, wireOf } from "./faulty-wire.ts"

/** What a request that fails here is answered with, when nobody else is asked. */
export interface Failure {
  readonly status: number
  readonly type: string
  /** Clients are told not to try again. */
  readonly final?: true
  /** Seconds in retry-after, at least and at most. */
  readonly after?: readonly [number, number]
  /** In the message: what went wrong, and what to do. */
  readonly words: RegExp
  /** How often the upstream is asked; undefined: it cannot know. */
  readonly attempts?: number
  /** Milliseconds between attempts, at least. */
  readonly waits?: number
  /** Of a stream the first words are said before. */
  readonly said?: true
  /** What differs where the upstream's own words are passed through. */
  readonly native?: Partial<Failure>
}

/** All of the answer comes, after so many attempts. */
export interface Success {
  readonly attempts: number
  readonly said?: string
  readonly waits?: number
}

export interface FaultRow {
  /** `secrets` is everything that was sent and that nobody may see; `attempt` counts from 0. */
  readonly steps: (wire: Wire, secrets: string, attempt: number) => readonly FaultyStep[]
  readonly seen: Failure | Success
  /** Where it makes sense. */
  readonly only?: (wire: Pick<Wire, "dialect" | "stream">) => boolean
}

export const isFailure = (seen: Failure | Success): seen is Failure => "status" in seen

const broken = { status: 502, type: "api_error", attempts: 3 } as const
const cut = { ...broken, words: /broke|closed the connection/ } as const
const silent = { status: 504, type: "timeout_error", attempts: 1, words: /within 2 s|silent for 2 s/ } as const
const unreadable = { ...broken, words: /check the base URL|before its reply began/ } as const
const overloaded = { status: 529, type: "overloaded_error", attempts: 3 } as const
const limited = { status: 429, type: "rate_limit_error", words: /this is 429/ } as const
const fine: Success = { attempts: 1 }
const again: Success = { attempts: 2 }

const streamed = ({ stream }: Pick<Wire, "stream">) => stream
const plain = ({ stream }: Pick<Wire, "stream">) => !stream
const inChat = ({ dialect }: Pick<Wire, "dialect">) => dialect === "chat"

const begun = ({ type }: Wire, ...pieces: readonly string[]): readonly FaultyStep[] => [
  chunkedHead({ "content-type": type }),
  ...pieces.map(chunkOf),
]
/** More is announced than comes. */
const short = ({ type }: Wire, text: string): readonly FaultyStep[] => [
  headOf(200, { "content-type": type, "content-length": "100000" }),
  text,
]
const wholeAs = (wire: Wire, headers: Readonly<Record<string, string>>) => sized(200, wholeOf(wire), headers)
const good = (wire: Wire) => wholeAs(wire, { "content-type": wire.type })
const once =
  (steps: FaultRow["steps"]): FaultRow["steps"] =>
  (wire, secrets, attempt) =>
    attempt === 0 ? steps(wire, secrets, attempt) : good(wire)

const typesOf: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  409: "conflict_error",
  429: "rate_limit_error",
  529: "overloaded_error",
}

/** A refusal that repeats what it was sent, also where nobody reads it. */
function refusing(
  status: number,
  headers: () => Readonly<Record<string, string>> = () => ({}),
  words = `this is ${status}`,
): FaultRow["steps"] {
  return ({ dialect }, secrets) => {
    const message = `${words}; you sent ${secrets}`
    const type = typesOf[status] ?? "api_error"
    const body =
      dialect === "native" ? { type: "error", error: { type, message } } : { error: { message, code: type } }
    const text = JSON.stringify(body)
    const head = {
      "content-type": "application/json",
      "x-echo": secrets,
      "content-length": `${Buffer.byteLength(text)}`,
    }
    return [headOf(status, { ...head, ...headers() }, `No ${secrets}`), text, "done"]
  }
}

const retryAfter = (value: string) => () => ({ "retry-after": value })
const inSeconds = (seconds: number) => () => ({
  "retry-after": new Date(Date.now() + seconds * 1000).toUTCString(),
})
const page = (secrets: string) =>
  `<html><head><title>502 Bad Gateway</title></head><body><h1>${secrets}</h1></body></html>`
const asPage = { "content-type": "text/html" }

const beforeTheHead: Readonly<Record<string, FaultRow>> = {
  "a reset before the head": { steps: () => ["reset"], seen: cut },
  "closed before the head": { steps: () => ["fin"], seen: cut },
  "closed within the head": { steps: () => ["HTTP/1.1 200 O", "fin"], seen: cut },
  "another protocol": { steps: () => ["SSH-2.0-OpenSSH_9.9\r\n", "fin"], seen: cut },
  "a stall before the head": { steps: () => ["hang"], seen: silent },
  "a stall within the head": { steps: () => ["HTTP/1.1 200 OK\r\ncontent-ty", "hang"], seen: silent },
  "early hints, then well": {
    steps: (wire) => ["HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", ...good(wire)],
    seen: fine,
  },
  "a reset, then well": { steps: once(() => ["reset"]), seen: again },
}

const own = (status: number, type: string): Pick<Failure, "native"> => ({ native: { status, type } })

const refusals: Readonly<Record<string, FaultRow>> = {
  "429": { steps: refusing(429), seen: { ...limited, attempts: 3 } },
  "429 for a second": {
    steps: refusing(429, retryAfter("1")),
    seen: { ...limited, attempts: 3, after: [1, 1], waits: 1000 },
  },
  "429 for a second, then well": {
    steps: once(refusing(429, retryAfter("1"))),
    seen: { attempts: 2, waits: 1000 },
  },
  "429 until soon": { steps: refusing(429, inSeconds(2)), seen: { ...limited, attempts: 3, after: [1, 2] } },
  "429 until lately": { steps: refusing(429, inSeconds(-60)), seen: { ...limited, attempts: 3, after: [0, 0] } },
  "429 for half a minute": {
    steps: refusing(429, retryAfter("30")),
    seen: { ...limited, attempts: 1, after: [30, 30] },
  },
  "429 until later": { steps: refusing(429, inSeconds(40)), seen: { ...limited, attempts: 1, after: [30, 40] } },
  "429 for an hour": {
    steps: refusing(429, retryAfter("3600")),
    seen: { ...limited, attempts: 1, after: [3600, 3600], final: true },
  },
  "500": { steps: refusing(500), seen: { status: 500, type: "api_error", attempts: 3, words: /this is 500/ } },
  "500, then well": { steps: once(refusing(500)), seen: again },
  "503": { steps: refusing(503), seen: { ...overloaded, words: /this is 503/, ...own(503, "api_error") } },
  "503 for half a minute": {
    steps: refusing(503, retryAfter("30")),
    seen: {
      ...overloaded,
      attempts: 1,
      after: [30, 30],
      words: /this is 503/,
      ...own(503, "api_error"),
    },
  },
  "529": { steps: refusing(529), seen: { ...overloaded, words: /this is 529/ } },
  "408": {
    steps: refusing(408),
    seen: {
      status: 504,
      type: "timeout_error",
      attempts: 3,
      words: /this is 408/,
      ...own(408, "timeout_error"),
    },
  },
  "409": {
    steps: refusing(409),
    seen: { status: 409, type: "conflict_error", attempts: 3, words: /this is 409/ },
  },
  "425": {
    steps: refusing(425),
    seen: {
      status: 400,
      type: "invalid_request_error",
      attempts: 3,
      words: /this is 425/,
      ...own(425, "api_error"),
    },
  },
  "401": {
    steps: refusing(401),
    seen: { status: 401, type: "authentication_error", attempts: 1, final: true, words: /this is 401/ },
  },
  "402": {
    steps: refusing(402),
    seen: { status: 402, type: "billing_error", attempts: 1, final: true, words: /this is 402/ },
  },
  "403": {
    steps: refusing(403),
    seen: { status: 403, type: "permission_error", attempts: 1, final: true, words: /this is 403/ },
  },
  "404 for the model": {
    steps: refusing(404, undefined, "no such model"),
    seen: { status: 404, type: "not_found_error", attempts: 1, words: /no such model/ },
  },
  "404 for the address": {
    steps: () => sized(404, '{"detail":"Not Found"}', { "content-type": "application/json" }),
    seen: { ...broken, attempts: 1, final: true, words: /404 at http.*check the base URL/ },
  },
  "a redirect": {
    steps: (_wire, secrets) =>
      sized(307, "", { location: `http://127.0.0.1:9/moved/${secrets.split(" ")[0]}?key=${secrets}` }),
    seen: { ...broken, attempts: 1, final: true, words: /redirects to .*set the base URL/ },
  },
  "502 as HTML": {
    steps: (_wire, secrets) => sized(502, page(secrets), asPage),
    seen: { ...broken, words: /502 Bad Gateway$/ },
  },
  "500 whose body stalls": {
    steps: () => [headOf(500, { "content-type": "application/json", "content-length": "100" }), "{", "hang"],
    seen: { status: 500, type: "api_error", attempts: 3, words: /./ },
  },
}

const inItsPlace: Readonly<Record<string, FaultRow>> = {
  "200 as HTML": {
    steps: (_wire, secrets) => sized(200, page(secrets), asPage),
    seen: { ...broken, words: /an HTML page instead of a reply; check the base URL/ },
  },
  "200 with nothing": { steps: ({ type }) => sized(200, "", { "content-type": type }), seen: unreadable },
  "204": { steps: () => [headOf(204, {}), "done"], seen: unreadable },
  "an error object": {
    steps: (wire, secrets) =>
      sized(200, wire.error(`it fell over; you sent ${secrets}`), { "content-type": wire.type }),
    seen: { ...overloaded, words: /it fell over/ },
  },
  "an error object, then well": {
    steps: once((wire) => sized(200, wire.error("it fell over"), { "content-type": wire.type })),
    seen: again,
  },
  "words in place of events": {
    steps: ({ type }, secrets) =>
      sized(200, `upstream connect error: ${secrets}`, { "content-type": type }),
    seen: { ...broken, words: /./ },
  },
  "words as an event": {
    steps: ({ type }, secrets) =>
      sized(200, `data: upstream connect error: ${secrets}\n\n`, { "content-type": type }),
    seen: { ...broken, words: /./ },
  },
  "bytes in place of events": {
    steps: ({ type }) => sized(200, garbage, { "content-type": type }),
    seen: { ...broken, words: /./ },
  },
  "JSON that is nothing": {
    steps: ({ type, stream }) =>
      sized(200, stream ? 'data: {"hello":"world"}\n\n' : '{"hello":"world"}', { "content-type": type }),
    seen: { ...broken, words: /./ },
  },
  "the other dialect": {
    steps: ({ dialect, stream, type }) =>
      sized(200, wholeOf(wireOf(dialect === "chat" ? "native" : "chat", stream)), { "content-type": type }),
    seen: { ...broken, words: /./ },
  },
  "not compressed, though it says so": {
    steps: (wire) => wholeAs(wire, { "content-type": wire.type, "content-encoding": "gzip" }),
    seen: { ...broken, words: /./ },
  },
  "compressed unasked": {
    steps: (wire) =>
      sized(200, gzipSync(wholeOf(wire)), { "content-type": wire.type, "content-encoding": "gzip" }),
    seen: fine,
  },
  "a document for a stream": {
    steps: ({ dialect }) =>
      sized(200, wholeOf(wireOf(dialect, false)), { "content-type": "application/json" }),
    only: streamed,
    seen: fine,
  },
  "a stream for a document": {
    steps: ({ dialect }) => sized(200, wholeOf(wireOf(dialect, true)), { "content-type": "text/event-stream" }),
    only: plain,
    seen: fine,
  },
  "called text/plain": { steps: (wire) => wholeAs(wire, { "content-type": "text/plain" }), seen: fine },
  "called octet-stream": {
    steps: (wire) => wholeAs(wire, { "content-type": "application/octet-stream" }),
    seen: fine,
  },
  "called nothing": { steps: (wire) => wholeAs(wire, {}), seen: fine },
  "a document that ends too early": {
    steps: ({ begin, words, type }) => sized(200, begin + words, { "content-type": type }),
    only: plain,
    seen: { ...broken, words: /broken JSON instead of a reply/ },
  },
}

// Bytes that are no UTF-8, without any line.
const garbage = Uint8Array.from({ length: 500 }, (_, at) => 128 + ((at * 31) % 128))

const within: Readonly<Record<string, FaultRow>> = {
  "a stall behind the head": { steps: (wire) => [...begun(wire), "hang"], seen: silent },
  "a stall before the first word": { steps: (wire) => [...begun(wire, wire.begin), "hang"], seen: silent },
  "a stall after the first words": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), "hang"],
    seen: { ...silent, said: true },
  },
  "a reset behind the head": { steps: (wire) => [...begun(wire), "reset"], seen: cut },
  "a reset before the first word": { steps: (wire) => [...begun(wire, wire.begin), "reset"], seen: cut },
  "a reset after the first words": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), "reset"],
    seen: { ...cut, said: true },
  },
  "closed within a chunked body": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), "fin"],
    seen: { ...cut, said: true },
  },
  "closed within a chunk": {
    steps: (wire) => [...begun(wire, wire.begin + wire.words), "fff\r\ndata: {", "fin"],
    seen: { ...cut, said: true },
  },
  "a chunk of no size": {
    steps: (wire) => [...begun(wire, wire.begin), "what?\r\n", "hang"],
    seen: { ...cut, words: /./ },
  },
  "closed before the announced length, before the first word": {
    steps: (wire) => [...short(wire, wire.begin), "fin"],
    seen: cut,
  },
  "closed before the announced length": {
    steps: (wire) => [...short(wire, wire.begin + wire.words), "fin"],
    seen: { ...cut, said: true },
  },
  "a body of no length, closed too early": {
    steps: ({ type, begin, words }) => [headOf(200, { "content-type": type }), begin + words, "fin"],
    seen: { ...cut, words: /broken JSON|closed the connection/, said: true },
  },
  "a body of no length": {
    steps: (wire) => [headOf(200, { "content-type": wire.type }), wholeOf(wire), "fin"],
    seen: fine,
  },
  "a byte every 50 ms": {
    steps: (wire) => {
      const text = wholeOf(wire)
      return [
        headOf(200, { "content-type": wire.type, "content-length": `${Buffer.byteLength(text)}` }),
        { drip: text.slice(0, 60), everyMs: 50 },
        text.slice(60),
        "done",
      ]
    },
    seen: fine,
  },
  "no end": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words), lastChunk, "done"],
    only: streamed,
    seen: { ...cut, said: true },
  },
  "no end, and nothing said": {
    steps: (wire) => [...begun(wire, wire.begin), lastChunk, "done"],
    only: streamed,
    seen: cut,
  },
  "[DONE] and no finish": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words, "data: [DONE]\n\n"), lastChunk, "done"],
    only: (wire) => streamed(wire) && inChat(wire),
    seen: { attempts: 1, said: "Half an " },
  },
  "an error before the first word": {
    steps: (wire, secrets) => [
      ...begun(wire, wire.begin, wire.error(`it fell over; you sent ${secrets}`)),
      lastChunk,
      "done",
    ],
    only: streamed,
    seen: { ...overloaded, words: /it fell over/ },
  },
  "an error after the first words": {
    steps: (wire, secrets) => [
      ...begun(wire, wire.begin, wire.words, wire.error(`it fell over; you sent ${secrets}`)),
      lastChunk,
      "done",
    ],
    only: streamed,
    seen: { ...overloaded, words: /it fell over/, said: true },
  },
  "an error, and it does not go": {
    steps: (wire) => [...begun(wire, wire.begin, wire.words, wire.error("it fell over")), "hang"],
    only: streamed,
    seen: { ...overloaded, words: /it fell over/, said: true },
  },
  "an end, and it does not go": { steps: (wire) => [...begun(wire, wholeOf(wire)), "hang"], only: streamed, seen: fine },
  "noise between good events": {
    steps: (wire) =>
      sized(200, `${wire.begin}data: {"brok\n\n: comment\n\n${wire.words}\n\nnonsense\n\n${wire.rest}`, {
        "content-type": wire.type,
      }),
    only: (wire) => streamed(wire) && inChat(wire),
    seen: fine,
  },
}

export const faultRows: Readonly<Record<string, FaultRow>> = {
  ...beforeTheHead,
  ...refusals,
  ...inItsPlace,
  ...within,
}
