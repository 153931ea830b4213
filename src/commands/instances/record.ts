// What is written down of a proxy that runs under a name. No value of a setting: where a key comes from is
// known by its name alone. Other versions read and write it too: what an instance is found and ended by must be
// right, everything else may be missing or of another form.
import { z } from "zod"
import { jsonOf } from "../../protocol/json.ts"
import { version } from "../common/version.ts"

const texts = z.array(z.string()).readonly()

const Facts = z
  .object({
    version: z.string(),
    url: z.string(),
    upstream: z.string(),
    models: z.object({ big: z.string(), middle: z.string(), small: z.string() }).readonly(),
    /** Must clients send a key? */
    keyNeeded: z.boolean(),
    files: texts,
    /** What each family and route leads to, as lines. */
    routes: texts,
    infos: texts,
    warnings: texts,
    /** The address, when others can reach it and no key is asked for. */
    openAt: z.string().nullable(),
  })
  .readonly()

const Record = z
  .object({
    name: z.string(),
    /** Made up for each start: /health gives it back. */
    id: z.string().min(1),
    /** `ended`: it was stopped to be started again, and was not. */
    state: z.enum(["starting", "running", "draining", "ended"]),
    /** It is to be started again: when it ends, this file stays. */
    keep: z.boolean().catch(false),
    /** In the background, or in somebody's terminal. */
    detached: z.boolean().catch(true),
    /** Null until the process is there. */
    pid: z.number().int().nullable(),
    host: z.string().catch(""),
    port: z.number().int(),
    /** Port 0 was asked for: a restart keeps the one that was found. */
    freePort: z.boolean().catch(false),
    url: z.string(),
    version: z.string().catch(""),
    startedAt: z.string().catch(""),
    /** The flags of `serve`, without the name. */
    argv: texts,
    cwd: z.string(),
    envFile: z.string().nullable().catch(null),
    log: z.string().catch(""),
    /** How long its running requests may go on when it is told to stop, in milliseconds. */
    shutdownMs: z.number().optional().catch(undefined),
    /** Names of the settings that came from the environment. */
    fromEnvironment: texts.catch([]),
    /** Null until it listens. */
    facts: Facts.nullable().catch(null),
  })
  .readonly()

/** What a proxy says of itself once it listens. */
export type StartFacts = z.infer<typeof Facts>

export type InstanceRecord = z.infer<typeof Record>

export interface LaunchPlan {
  readonly name: string
  /** The flags of `serve`. */
  readonly argv: readonly string[]
  readonly cwd: string
  readonly envFile: string | undefined
}

/** A proxy that is about to start, before anything is known of it but how. */
export function newRecord({ name, argv, cwd, envFile }: LaunchPlan, id: string, log: string): InstanceRecord {
  return {
    name,
    id,
    state: "starting",
    keep: false,
    detached: true,
    pid: null,
    host: "",
    port: 0,
    freePort: false,
    url: "",
    version,
    startedAt: new Date().toISOString(),
    argv,
    cwd,
    envFile: envFile ?? null,
    log,
    fromEnvironment: [],
    facts: null,
  }
}

/** How long an instance may take to finish what runs; before it was a setting, it was as long as by default. */
export function shutdownMsOf(record: Pick<InstanceRecord, "shutdownMs"> | undefined): number {
  return record?.shutdownMs ?? 10_000
}

/** Reads a state file; undefined when it is none of ours. */
export function parseRecord(text: string): InstanceRecord | undefined {
  const parsed = Record.safeParse(jsonOf(text))
  return parsed.success ? parsed.data : undefined
}
