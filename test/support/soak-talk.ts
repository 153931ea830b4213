// What the processes of a soak tell each other.
import { z } from "zod"

/** To the upstream and to the clients. */
export const waveOrder = z.strictObject({
  seed: z.number(),
  from: z.number(),
  streams: z.number(),
  plain: z.number(),
  quick: z.boolean(),
})

export const upstreamPorts = z.strictObject({ port: z.number(), control: z.number() })

export const upstreamState = z.strictObject({
  /** Requests that have no complete answer and whose connection stands. */
  open: z.number(),
  mostOpen: z.number(),
  sockets: z.number(),
  /** Of the wave, attempts included; and how many different ones. */
  requests: z.number(),
  arrived: z.number(),
  problems: z.array(z.string()),
})

export const clientsOrder = z.strictObject({
  proxy: z.string(),
  control: z.string(),
  wave: waveOrder,
})

export const clientsReport = z.strictObject({
  /** By what the proxy is to count them as: a status, `cancelled`, or `unsure`. */
  tally: z.record(z.string(), z.number()),
  /** By what became of them. */
  fates: z.record(z.string(), z.number()),
  problems: z.array(z.string()),
  problemCount: z.number(),
  seconds: z.number(),
  bytes: z.number(),
})

export type UpstreamState = z.infer<typeof upstreamState>
export type ClientsReport = z.infer<typeof clientsReport>
export type ClientsOrder = z.infer<typeof clientsOrder>
