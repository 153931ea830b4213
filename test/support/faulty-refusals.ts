// Upstreams that refuse: by every status that has a meaning, with and without a word of when to come back.
import {
  again,
  asPage,
  broken,
  type Failure,
  type FaultRow,
  limited,
  once,
  overloaded,
  page,
} from "./faulty-rows.ts"
import { headOf, sized } from "./faulty-upstream.ts"

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

const own = (status: number, type: string): Pick<Failure, "native"> => ({ native: { status, type } })

export const refusals: Readonly<Record<string, FaultRow>> = {
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
  "429 until lately": {
    steps: refusing(429, inSeconds(-60)),
    seen: { ...limited, attempts: 3, after: [0, 0] },
  },
  "429 for half a minute": {
    steps: refusing(429, retryAfter("30")),
    seen: { ...limited, attempts: 1, after: [30, 30] },
  },
  "429 until later": {
    steps: refusing(429, inSeconds(40)),
    seen: { ...limited, attempts: 1, after: [30, 40] },
  },
  "429 for an hour": {
    steps: refusing(429, retryAfter("3600")),
    seen: { ...limited, attempts: 1, after: [3600, 3600], final: true },
  },
  "500": {
    steps: refusing(500),
    seen: { status: 500, type: "api_error", attempts: 3, words: /this is 500/ },
  },
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
      status: 504,
      type: "timeout_error",
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
    seen: { ...broken, words: /502 Bad Gateway/ },
  },
  "500 whose body stalls": {
    steps: () => [headOf(500, { "content-type": "application/json", "content-length": "100" }), "{", "hang"],
    seen: { status: 500, type: "api_error", attempts: 3, words: /./ },
  },
}
