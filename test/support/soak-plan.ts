// What becomes of each request of a soak: a function of the seed and the request's number, so that the client, the
// upstream and the test know the same without telling each other.
import type { JsonObject } from "../../src/protocol/json.ts"
import {
  chatReply,
  chatUsage,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "./chunks.ts"
import { createRandom, type Random } from "./random.ts"

/** The last one is answered whole, the others as streams. */
export type Kind = "text" | "thinking" | "tools" | "plain"

/** What the upstream does, or the client. `-once`: with the first attempt alone. */
export type Fate =
  | "whole"
  | "refused"
  | "refused-once"
  | "reset"
  | "reset-once"
  | "broken"
  | "silent"
  | "silenced"
  | "leaves-at-once"
  | "leaves-early"
  | "leaves-late"

export interface Call {
  readonly id: string
  readonly name: string
  readonly input: JsonObject
}

export interface Plan {
  readonly number: number
  readonly kind: Kind
  readonly fate: Fate
  /** It says whose conversation it is, so that what it leaves may be waited for a little. */
  readonly session: boolean
  readonly thinking: readonly string[]
  readonly text: readonly string[]
  readonly calls: readonly Call[]
  /** Between two pieces of the reply. */
  readonly gapMs: number
  /** For a client that leaves: how long after the moment at which it may. */
  readonly leaveMs: number
}

export interface Wave {
  readonly seed: number
  readonly from: number
  readonly streams: number
  /** Requests that are answered whole, besides. */
  readonly plain: number
  /** The upstream is never silent until a request has used up its time: what would be silence is a reset. */
  readonly quick: boolean
}

export const inputTokens = 11
export const outputTokens = 7

const failing: readonly Fate[] = [
  ...(["refused", "refused-once", "reset", "reset-once", "broken", "broken", "silent", "silenced"] as const),
]

/** Every plan of a wave, in the order in which its clients come. */
export function plansOf(wave: Wave): readonly Plan[] {
  return Array.from({ length: wave.streams + wave.plain }, (_, index) => planOf(wave, wave.from + index))
}

export function planOf(wave: Wave, number: number): Plan {
  const random = createRandom(wave.seed * 1_000_003 + number)
  // Spread among the streams: every so many is a plain one.
  const every = Math.floor((wave.streams + wave.plain) / Math.max(1, wave.plain))
  const index = number - wave.from
  const isPlain = wave.plain > 0 && index % every === 0 && index / every < wave.plain
  const kind = isPlain ? "plain" : random.pick(["text", "text", "thinking", "tools"] as const)
  const fate = quickly(wave, fateOf(random, kind))
  const words = (least: number, most: number) =>
    Array.from({ length: random.integer(least, most) }, () => `${random.text(60)} ${number} `)
  return {
    ...{ number, kind, fate },
    session: random.chance(0.5),
    thinking: kind === "thinking" ? words(5, 20) : [],
    text: words(8, 40),
    calls: kind === "tools" ? callsOf(random, number) : [],
    gapMs: random.integer(20, wave.quick ? 100 : 250),
    leaveMs:
      fate === "leaves-at-once" ? random.integer(0, 300) : random.integer(0, wave.quick ? 1_000 : 4_000),
  }
}

/** One in ten leaves, and of all requests the upstream fails one in twenty. */
function fateOf(random: Random, kind: Kind): Fate {
  const drawn = random.next()
  if (drawn < 0.02) return "leaves-at-once"
  if (drawn < 0.05) return "leaves-early"
  if (drawn < 0.1) return kind === "plain" ? "leaves-early" : "leaves-late"
  return drawn < 0.15 ? random.pick(failing) : "whole"
}

function quickly({ quick }: Wave, fate: Fate): Fate {
  return quick && fate.startsWith("silen") ? "broken" : fate
}

function callsOf(random: Random, number: number): readonly Call[] {
  return Array.from({ length: random.integer(1, 3) }, (_, index) => ({
    id: `call_${number}_${index}`,
    name: random.pick(["Read", "Bash"]),
    input: { command: random.text(80), number, nested: { list: [random.text(5), index, null, true] } },
  }))
}

/** The reply as the chunks of a stream. */
export function chunksOf(plan: Plan): readonly JsonObject[] {
  return [
    roleChunk(),
    ...plan.thinking.map((piece) => reasoningChunk(piece)),
    ...plan.text.map(textChunk),
    ...plan.calls.flatMap(({ id, name, input }, index) => toolChunks(index, id, name, input, 40)),
    finishChunk(plan.calls.length > 0 ? "tool_calls" : "stop"),
    usageChunk(inputTokens, outputTokens),
  ]
}

/** The same as a whole. */
export function replyOf(plan: Plan): JsonObject {
  return chatReply({ content: plan.text.join("") }, "stop", chatUsage(inputTokens, outputTokens))
}

/** The request; its number stands where the upstream finds it. */
export function requestOf(plan: Plan): JsonObject {
  const schema = { type: "object", properties: { command: { type: "string" } } }
  const tool = (name: string) => ({ name, description: `Tool ${name}.`, input_schema: schema })
  return {
    model: "claude-opus-5-5",
    max_tokens: 4_000,
    ...(plan.kind === "plain" ? {} : { stream: true }),
    ...(plan.kind === "thinking" ? { thinking: { type: "enabled", budget_tokens: 2_000 } } : {}),
    ...(plan.kind === "tools" ? { tools: ["Read", "Bash"].map(tool) } : {}),
    system: "You are a coding agent. ".repeat(20),
    messages: [
      { role: "user", content: "A long question. ".repeat(plan.number % 50) },
      { role: "assistant", content: [{ type: "text", text: "An answer." }] },
      { role: "user", content: [{ type: "text", text: `soak-number-${plan.number}-` }] },
    ],
  }
}

/** The number in a body that was made of such a request. */
export function numberIn(text: string): number | undefined {
  const found = /soak-number-(\d+)-/.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}
