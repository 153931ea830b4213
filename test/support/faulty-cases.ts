// The matrix: every fault with every kind of client, model and fallback, and what has to come of each.
import type { FaultyAddress } from "./faulty-addresses.ts"
import { type Failure, isFailure, type Success } from "./faulty-rows.ts"
import { faultRows } from "./faulty-table.ts"
import { allSaid, type DialectName, halfSaid } from "./faulty-wire.ts"

/** Where the fault is: at a model of either dialect, or at the native fallback of a model that nobody is behind. */
export type Place = DialectName | "behind"

/** Who stands in: nobody, one who answers, two who fail as well, one whose key is refused. */
export type Chain = "none" | "chat" | "native" | "broken" | "unauthorized"

export interface FaultCase {
  readonly id: number
  readonly fault: string
  readonly seen: Failure | Success
  readonly place: Place
  readonly chain: Chain
  readonly stream: boolean
  readonly client: "raw" | "sdk"
  /** Base URL of the faulty model. */
  readonly base: string
}

export const otherSaid = "The answer of another one."

/** What the client gets. */
export type Wanted =
  | { readonly kind: "text"; readonly text: string }
  /** Of a stream: its first words, then an error. */
  | { readonly kind: "cut"; readonly text: string; readonly failure: Failure }
  | { readonly kind: "refused"; readonly failure: Failure }

const unreachable: Failure = { status: 502, type: "api_error", words: /connection refused; is it running\?/ }
const full: Failure = {
  status: 529,
  type: "overloaded_error",
  words: /the fallback is full/,
  after: [7, 7],
}
const unauthorized: Failure = {
  status: 401,
  type: "authentication_error",
  final: true,
  words: /the fallback has no such key/,
}

/** What clients repeat by themselves. */
const passes = ({ status, final, after }: Failure): boolean =>
  (final !== true || after !== undefined) &&
  (status === 408 || status === 409 || status === 429 || status >= 500)

/** What has to come of it, by the rules: the client hears of a failure that it can wait out, else of the last one. */
export function wanted({ seen, place, chain, stream }: FaultCase): Wanted {
  if (!isFailure(seen)) return { kind: "text", text: seen.said ?? allSaid }
  if (stream && seen.said) return { kind: "cut", text: halfSaid, failure: seen }
  if (chain === "chat" || chain === "native") return { kind: "text", text: otherSaid }
  if (chain === "broken") return { kind: "refused", failure: full }
  if (place === "behind") return { kind: "refused", failure: passes(seen) ? seen : unreachable }
  if (chain === "unauthorized") return { kind: "refused", failure: passes(seen) ? seen : unauthorized }
  return { kind: "refused", failure: place === "native" ? { ...seen, ...seen.native } : seen }
}

const clients: readonly (readonly [Place, Chain, readonly ("raw" | "sdk")[]])[] = [
  ["chat", "none", ["raw", "sdk"]],
  ["chat", "chat", ["raw", "sdk"]],
  ["chat", "native", ["raw"]],
  ["chat", "broken", ["raw"]],
  ["chat", "unauthorized", ["raw"]],
  ["native", "none", ["raw", "sdk"]],
  ["native", "chat", ["raw"]],
  ["native", "native", ["raw"]],
  ["native", "broken", ["raw"]],
  ["behind", "none", ["raw"]],
]

/** All of them; the faults of the table are at `origin`. */
export function faultCases(
  origin: string,
  addresses: Readonly<Record<string, FaultyAddress>>,
): readonly FaultCase[] {
  const all = [
    ...Object.entries(faultRows).map(([fault, { seen, only }], at) => ({
      ...{ fault, seen, only, base: `${origin}/f${at}/v1` },
    })),
    ...Object.entries(addresses).map(([fault, { seen, origin: other }]) => ({
      ...{ fault, seen, only: undefined, base: `${other}/good/v1` },
    })),
  ]
  const cases: FaultCase[] = []
  for (const [place, chain, asking] of clients) {
    const dialect = place === "chat" ? "chat" : "native"
    for (const { only, ...row } of all) {
      for (const stream of [false, true]) {
        if (only?.({ dialect, stream }) === false) continue
        for (const client of asking) cases.push({ ...row, id: cases.length, place, chain, stream, client })
      }
    }
  }
  return cases
}

// A key that was refused for everything rests, and nobody else may be kept from being asked by that.
const restingEverywhere: ReadonlySet<string> = new Set(["401", "402"])
const sharedKeys = 24

/** The variable with the key of a case. */
export const keyNameOf = ({ id, fault }: Pick<FaultCase, "id" | "fault">): string =>
  restingEverywhere.has(fault) ? `KEY_OF_${id}` : `KEY_${id % sharedKeys}`

/** The models of all cases, as models.yaml. Case 7 asks for `m7`, whose faulty model its upstream knows as `u7`. */
export function modelsFile(cases: readonly FaultCase[], origin: string, nobody: string): string {
  const model = (id: string, name: string, base: string, key: string, more: readonly string[] = []) =>
    [
      `- model_id: ${id}`,
      `  model_name: ${name}`,
      `  api_base: ${base}`,
      `  api_key_name: ${key}`,
      ...more.map((line) => `  ${line}`),
    ].join("\n")
  const direct = "direct: true"
  const of = ({ id, fault, place, chain, base }: FaultCase): readonly string[] => {
    const key = keyNameOf({ id, fault })
    const fallbacks = chainModels[chain]
    const more = [
      ...(place === "chat" ? [] : [direct]),
      ...(fallbacks.length > 0 ? [`fallbacks: [${fallbacks}]`] : []),
    ]
    if (place !== "behind") return [model(`m${id}`, `u${id}`, base, key, more)]
    const first = model(`m${id}`, `n${id}`, nobody, key, [`fallbacks: [b${id}]`])
    return [first, model(`b${id}`, `u${id}`, base, key, more)]
  }
  return [
    model("fine-chat", "u-fine", `${origin}/fine/v1`, "KEY_FINE"),
    model("fine-native", "u-fine", `${origin}/fine/v1`, "KEY_FINE", [direct]),
    model("bad-key", "u-bad", `${origin}/bad-key/v1`, "KEY_BAD"),
    model("bad-full", "u-bad", `${origin}/bad-full/v1`, "KEY_FULL", [direct]),
    ...cases.flatMap(of),
  ].join("\n")
}

const chainModels: Readonly<Record<Chain, readonly string[]>> = {
  none: [],
  chat: ["fine-chat"],
  native: ["fine-native"],
  broken: ["bad-key", "bad-full"],
  unauthorized: ["bad-key"],
}
