// What the flags of each command mean, once they are known to be flags: types and allowed words.
import { z } from "zod"

const word = z.string().optional()

const level = z
  .string()
  .regex(/^(debug|info|warn|warning|error)$/i, "must be DEBUG, INFO, WARNING or ERROR")
  .optional()

const port = z
  .string()
  .regex(/^\d{1,5}$/, "must be a number from 0 to 65535")
  .refine((text) => Number(text) <= 65_535, "must be a number from 0 to 65535")
  .optional()

const side = z.enum(["openai", "anthropic"], { error: () => "must be openai or anthropic" }).optional()

const target = z
  .enum(["openai", "responses", "anthropic"], { error: () => "must be openai, responses or anthropic" })
  .optional()

const on = z.boolean().default(false)

const lines = z
  .string()
  .regex(/^\d{1,7}$/, "must be a number of lines")
  .transform(Number)
  .default(50)

export const ServeFlags = z.object({
  host: word,
  port,
  env: word,
  config: word,
  "log-level": level,
  demo: on,
  detach: on,
  name: word,
  instances: word,
})

export const StatusFlags = z.object({ name: word, json: on })

export const SelectionFlags = z.object({ name: word, all: on })

export const RestartFlags = z.object({ name: word, all: on, force: on })

export const LogsFlags = z.object({ name: word, follow: on, lines })

export const RunFlags = z.object({ model: word, env: word, "log-level": level, demo: on })

export const ConvertFlags = z.object({
  file: word,
  to: target,
  from: side,
  model: word,
  request: word,
  env: word,
  explain: on,
})

export const CountTokensFlags = z.object({ file: word, model: word, estimate: on, "by-part": on, json: on })

export const ModelsFlags = z.object({ json: on, all: on, schema: on, env: word, config: word })

const days = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, "must be a number of days from 1 to 9999")
  .transform(Number)
  .optional()

export const StatsFlags = z.object({ days, name: word, url: word, json: on })

export const InitFlags = z.object({ provider: word, force: on, stdout: on })

const seconds = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, "must be a number of seconds from 1 to 9999")
  .optional()

export const TestConnectionFlags = z.object({
  ...{ model: word, all: on, env: word, config: word },
  ...{ timeout: seconds, json: on },
})

export const DemoFlags = z.object({ once: on, port })

/** The first problem as a sentence: `--port must be a number from 0 to 65535, not "x".` */
export function flagProblem(error: z.ZodError, given: Readonly<Record<string, unknown>>): string {
  const issue = error.issues[0]
  const name = String(issue?.path[0] ?? "")
  return `--${name} ${issue?.message ?? "is not valid"}, not ${JSON.stringify(given[name])}.`
}
