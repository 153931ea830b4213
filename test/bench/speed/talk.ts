// What the processes of the bench tell each other. Each reads what it is told as strictly as a request from outside.
import { z } from "zod"

const reply = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("plain") }),
  z.strictObject({
    kind: z.literal("stream"),
    voice: z.enum(["text", "reasoning", "tool"]),
    chunks: z.number(),
    perWrite: z.number(),
  }),
  z.strictObject({ kind: z.literal("size") }),
  z.strictObject({ kind: z.literal("slow"), chunks: z.number(), everyMs: z.number() }),
])

/** To the upstream: what to answer with from now on; what was in the first request since. */
export const upstreamOrder = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("play"), reply }),
  z.strictObject({ kind: z.literal("facts") }),
])

const facts = z.strictObject({
  tools: z.number(),
  calls: z.number(),
  results: z.number(),
  said: z.number(),
  args: z.number(),
})

export const factsAnswer = z.strictObject({ facts: facts.optional() })

/** The first word of a process that listens. */
export const hello = z.strictObject({ port: z.number() })

const shared = {
  dialect: z.enum(["chat", "messages"]),
  port: z.number(),
  /** The process that is measured, if there is one. */
  target: z.number().optional(),
}

/** To the load generator. */
export const loadOrder = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("work"),
    ...shared,
    work: z.string(),
    /** How long it is measured: so many times as long as the table says. */
    scale: z.number(),
    /** Every process of the bench: what else runs on the machine is a disturbance. */
    ours: z.array(z.number()),
  }),
  z.strictObject({
    kind: z.literal("count"),
    port: z.number(),
    model: z.string(),
    times: z.number(),
    ours: z.array(z.number()),
  }),
])

const percentiles = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number(), most: z.number() })

/** What one work came to at one target. Times in milliseconds, memory in KB. */
export const slot = z.strictObject({
  requests: z.number(),
  chunks: z.number(),
  seconds: z.number(),
  latency: percentiles.optional(),
  first: percentiles.optional(),
  age: percentiles.optional(),
  errors: z.number(),
  wrong: z.number(),
  problems: z.array(z.string()),
  cpuSeconds: z.number().optional(),
  /** The share of the machine that was used by others meanwhile. */
  foreign: z.number().optional(),
  rssBefore: z.number().optional(),
  rssDuring: z.number().optional(),
})

/** What counting came to. The block is the longest time in which nothing else was answered. */
export const counted = z.strictObject({
  cold: z.number(),
  coldBlock: z.number(),
  warm: z.number(),
  warmBlock: z.number(),
  foreign: z.number().optional(),
  errors: z.number(),
  problems: z.array(z.string()),
})

export type UpstreamOrder = z.infer<typeof upstreamOrder>
export type LoadOrder = z.infer<typeof loadOrder>
export type WorkOrder = Extract<LoadOrder, { readonly kind: "work" }>
export type CountOrder = Extract<LoadOrder, { readonly kind: "count" }>
export type Percentiles = z.infer<typeof percentiles>
export type Slot = z.infer<typeof slot>
export type Counted = z.infer<typeof counted>
