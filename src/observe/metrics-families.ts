// Every family of figures that this proxy tells Prometheus of: its name, what it means, and its labels.
import type { Family, Registry } from "./metrics-registry.ts"

/** What only the process itself can say; what is left out is not told. */
export interface ProcessFacts {
  readonly version?: string
  /** Milliseconds since 1970. */
  readonly startedAt?: number
  /** Requests under way now, and how many of them are answered as streams. */
  readonly inFlight?: () => { readonly requests: number; readonly streams: number }
  readonly residentBytes?: () => number
}

export type RequestFamilies = ReturnType<typeof requestFamilies>
export type UsageFamilies = ReturnType<typeof usageFamilies>
export type TroubleFamilies = ReturnType<typeof troubleFamilies>

// From what a cache answers to what a model thinks about for half an hour.
const seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800] as const

/** What requests are counted and timed by. */
export function requestFamilies({ counter, histogram }: Registry) {
  const labels = ["model", "stream"] as const
  return {
    requests: counter({
      name: "claude_proxy_requests_total",
      help: "Requests for a reply by the status they were answered with, that of the error where a stream broke off, or cancelled if the client left; model none: refused before a model was asked.",
      labels: ["model", "provider", "status", "stream"],
      open: ["model"],
    }),
    duration: histogram(
      {
        name: "claude_proxy_request_duration_seconds",
        help: "From a request's arrival to the end of its reply, however it ended.",
        labels,
      },
      seconds,
    ),
    firstToken: histogram(
      {
        name: "claude_proxy_first_token_seconds",
        help: "From a request's arrival to the first content of its reply.",
        labels,
      },
      seconds,
    ),
    upstreamWait: histogram(
      {
        name: "claude_proxy_upstream_wait_seconds",
        help: "From sending the request that was answered to the upstream's first content, or all of a reply that is no stream.",
        labels,
      },
      seconds,
    ),
  }
}

/** What models read, wrote and cost. */
export function usageFamilies({ counter }: Registry) {
  const labels = ["model"] as const
  return {
    tokens: counter({
      name: "claude_proxy_tokens_total",
      help: "Tokens by kind: input leaves out those read from or written to a cache, reasoning is a part of output.",
      labels: ["model", "kind"],
    }),
    cost: counter({
      name: "claude_proxy_cost_usd_total",
      help: "What requests cost, in US dollars, where that is known.",
      labels,
    }),
    costUnknown: counter({
      name: "claude_proxy_cost_unknown_requests_total",
      help: "Requests that cost something nobody knows.",
      labels,
    }),
    calls: counter({
      name: "claude_proxy_tool_calls_total",
      help: "Tool calls in replies.",
      labels,
    }),
  }
}

/** What went another way than the straight one. */
export function troubleFamilies({ counter }: Registry) {
  const about = (
    name: string,
    help: string,
    labels: readonly string[],
    open: readonly string[] = [],
  ): Family => counter({ name: `claude_proxy_${name}`, help, labels, open })
  return {
    repaired: about(
      "repaired_arguments_total",
      "Tool calls whose arguments came malformed and were repaired where that was possible.",
      ["model"],
    ),
    fields: about(
      "request_fields_total",
      "Fields of requests that were dropped or changed on their way to a provider.",
      ["provider", "field", "action"],
      ["field"],
    ),
    retries: about(
      "retries_total",
      "Requests that were sent to the same upstream again, because it had failed.",
      ["provider"],
    ),
    fallbacks: about(
      "fallbacks_total",
      "Requests that went on to another model than the one they were meant for.",
      ["from", "to"],
      ["from", "to"],
    ),
    errors: about("upstream_errors_total", "Failures of upstreams, those that were tried again included.", [
      ...["provider", "kind"],
    ]),
    keyRests: about(
      "key_rests_total",
      "Times that an upstream's key was refused and left alone for a while.",
      ["provider"],
    ),
    rateLimited: about("rate_limited_total", "Requests refused because their client had used up its limit.", [
      "client",
    ]),
    cacheHits: about("cache_hits_total", "Requests answered from the response cache.", []),
    cacheMisses: about("cache_misses_total", "Requests that the response cache had no answer for.", []),
    sharedReplies: about(
      "shared_replies_total",
      "Requests answered together with an equal one that was under way.",
      [],
    ),
  }
}

/** What this process is and does at the moment somebody asks. */
export function processFamilies({ gauge }: Registry, facts: ProcessFacts): void {
  const { version, startedAt, inFlight, residentBytes } = facts
  if (inFlight !== undefined) {
    gauge({
      name: "claude_proxy_requests_in_flight",
      help: "Requests for a reply that are under way.",
      read: () => inFlight().requests,
    })
    gauge({
      name: "claude_proxy_streams_in_flight",
      help: "Those of the requests under way that are answered as streams.",
      read: () => inFlight().streams,
    })
  }
  if (version !== undefined) {
    gauge({
      name: "claude_proxy_build_info",
      help: "The version of this proxy; the value is always 1.",
      fixed: { version },
      combine: "max",
      read: () => 1,
    })
  }
  if (startedAt !== undefined) {
    gauge({
      name: "process_start_time_seconds",
      help: "When the process started, in seconds since 1970.",
      combine: "min",
      read: () => startedAt / 1000,
    })
  }
  if (residentBytes !== undefined)
    gauge({ name: "process_resident_memory_bytes", help: "Memory in use, in bytes.", read: residentBytes })
}
